/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apps that register themselves (RFC 7591) and manage what they registered (RFC 7592). Such an app
 * is a row like any other; what it says of itself is judged in issuer/registration, and then as an
 * admin's draft would be. A token is used up in the transaction that makes the app.
 */
#include "admin/registration.h"

#include "admin/app.h"
#include "app/client.h"
#include "app/secrets.h"
#include "issuer/registration.h"
#include "sys/random.h"
#include "sys/seal.h"

#define ID_PREFIX "dcr-"
#define ID_RANDOM 16 /* of 32 letters each */

/* The draft comes first: app_draft.c finds it in op->more. */
struct registering {
    struct app_draft draft;
    char id[sizeof ID_PREFIX + ID_RANDOM];
    char token[HANDLE_LEN + 1], secret[APP_SECRET_LEN + 1], secret_id[32];
    struct registration_row row;
    struct app_secret_row secret_row;
    bool with_secret;
};

static void begin(struct op *op)
{
    struct registering *g = arena_alloc(op->arena, sizeof *g);
    app_draft_begin_at(op, &g->draft);
}

static void drop(struct op *op)
{
    struct registering *g = op->more;
    if (!g)
        return;
    seal_wipe(g->token, sizeof g->token);
    seal_wipe(g->secret, sizeof g->secret);
    app_draft_drop(op);
}

static int by_token(const struct op *op, struct err *err)
{
    return strcmp(op->actor.kind, "registration") == 0
               ? 0
               : err_set(err, ERR_NOT_ALLOWED, "this is for apps that register themselves");
}

/* As op_field, where the field is the error of RFC 7591 section 3.2.2. */
static int wrong(struct op *op, struct err *err, const char *text)
{
    return op_field(op, err, "invalid_client_metadata", "%s", text);
}

static int read_metadata(struct op *op, const struct app_common *had, struct err *err)
{
    struct registration_problem why;
    const struct registration_rules rules = {.algs = op->config->issuer.algs,
                                             .http_loopback =
                                                 op->config->providers.allow_http_loopback,
                                             .had = had};
    struct jval *settings = registration_read(op->body, &rules, op->arena, &why);
    if (!settings)
        return op_field(op, err, why.error, "%s", why.text);
    jval_free(&op->body); /* from here on it is as if an admin had asked for it */
    op->body = jval_new_object();
    jval_set(op->body, "settings", settings);
    return 0;
}

/* What the draft's judge found is about settings, of which an app knows nothing. */
static int draft(struct op *op, enum draft_mode mode, struct err *err)
{
    if (app_draft_make(op, mode, err) == 0)
        return 0;
    for (size_t i = 0; i < op->n_fields; i++) {
        const char *member = registration_member(op->fields[i].field);
        op->fields[i].text =
            arena_printf(op->arena, "%s: it cannot be like this", member ? member : "metadata");
        op->fields[i].field = "invalid_client_metadata";
    }
    return -1;
}

static void make_secret(struct op *op)
{
    struct registering *g = op->more;
    g->with_secret = true;
    rng_id(g->secret_id);
    g->secret_row = (struct app_secret_row){.id = g->secret_id, .app = op->id, .created = op->now};
    app_secret_make(g->secret, g->secret_row.hash);
}

static bool wants_secret(const struct op *op)
{
    const char *method = jval_text(jval_at(op->body, "/settings/auth_method"));
    return method && (strcmp(method, "basic") == 0 || strcmp(method, "post") == 0);
}

/* 1 of app_secret_add, or it is full of what an admin made. */
static int store_secret(struct db *db, const struct registering *g, struct err *err)
{
    const int rc = g->with_secret ? app_secret_add(db, &g->secret_row, err) : 1;
    return rc == 0 ? err_set(err, ERR_CONFLICT, "the app has secrets enough") : rc < 0 ? -1 : 0;
}

static int tell(struct op *op, struct err *err)
{
    const struct registering *g = op->more;
    const struct app *app = apps_find(live_apps(op->admin->o.live), op->id);
    if (!app)
        return err_set(err, ERR_INTERNAL, "the app is not in force");
    op->answer = jval_new_object();
    registration_tell(app, op->answer);
    jval_set_int(op->answer, "client_id_issued_at",
                 registrations_since(op->admin->registrations, op->id));
    if (g && g->with_secret) {
        jval_set_text(op->answer, "client_secret", g->secret);
        jval_set_int(op->answer, "client_secret_expires_at", 0);
    }
    if (g && g->token[0])
        jval_set_text(op->answer, "registration_access_token", g->token);
    jval_set_text(
        op->answer, "registration_client_uri",
        arena_printf(op->arena, "%s/oauth2/register/%s", op->config->server.public_url, op->id));
    return 0;
}

/* ---- a new one --------------------------------------------------------------------------------
 */

static void make_id(char *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char random[ID_RANDOM];
    rng_fill(random, sizeof random);
    memcpy(out, ID_PREFIX, sizeof ID_PREFIX - 1);
    for (size_t i = 0; i < ID_RANDOM; i++)
        out[sizeof ID_PREFIX - 1 + i] = letters[random[i] & 31];
    out[sizeof ID_PREFIX - 1 + ID_RANDOM] = '\0';
}

static int add_begin(struct op *op, struct err *err)
{
    if (by_token(op, err) < 0)
        return -1;
    if (op->config->issuer.registration == CONFIG_REGISTRATION_CLOSED)
        return err_set(err, ERR_NOT_ALLOWED, "apps are registered by admins here");
    if (read_metadata(op, NULL, err) < 0)
        return -1;
    begin(op);
    struct registering *g = op->more;
    make_id(g->id);
    op->id = op->object = g->id;
    g->row = (struct registration_row){.app = g->id, .created = op->now};
    handle_make(REGISTRATION_ACCESS, g->token, g->row.hash);
    if (wants_secret(op))
        make_secret(op);
    return 0;
}

static int add_row(struct db *db, struct op *op, struct err *err)
{
    const struct registering *g = op->more;
    const int64_t n = registration_count(db, err);
    if (n < 0)
        return -1;
    if (n >= op->config->issuer.max_registrations)
        return op_refuse(op, ERR_NOT_ALLOWED, "as many apps as may have registered themselves");
    const int rc = initial_token_use(db, op->actor.id, op->now, err);
    if (rc == 0)
        return op_refuse(op, ERR_DENIED, "the token was used, or is over");
    if (rc < 0 || draft_put(db, op, err) < 0 || registration_add(db, &g->row, err) < 0)
        return -1;
    return store_secret(db, g, err);
}

static int add_work(struct op *op, struct err *err)
{
    if (draft(op, DRAFT_ADD, err) < 0)
        return -1;
    op->became = jval_ref(((struct draft *)op->more)->settings);
    op->created = true;
    return op_write(op, add_row, err);
}

static int add_finish(struct op *op, struct err *err)
{
    const struct registering *g = op->more;
    struct registrations *all = op->admin->registrations;
    registrations_drop_initial(all, op->actor.id);
    registrations_put_app(all, &g->row);
    if (g->with_secret && op->admin->o.app_secrets)
        app_secrets_put(op->admin->o.app_secrets, &g->secret_row);
    return tell(op, err);
}

void admin_register(struct admin *a, const struct admin_request *rq, admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {.action = "app.register",
                                        .begin = add_begin,
                                        .work = add_work,
                                        .finish = add_finish,
                                        .reloaded = op_rows_in_force,
                                        .drop = drop};
    op_run(a, rq, &rule, done, arg);
}

/* ---- one that is there ------------------------------------------------------------------------
 */

/* The app that asks about itself. Switched off, it may not: RFC 7592 section 2 has 403 for it. */
static const struct app *own(const struct op *op, struct err *err)
{
    const struct app *app = apps_find(op->apps, op->id);
    if (by_token(op, err) < 0)
        return NULL;
    if (strcmp(op->actor.id, op->id) != 0 || !app || !app->registered) {
        err_set(err, ERR_DENIED, "this token is not that app's");
        return NULL;
    }
    if (!app->common.enabled) {
        err_set(err, ERR_NOT_ALLOWED, "the app is switched off");
        return NULL;
    }
    return app;
}

static int show_begin(struct op *op, struct err *err)
{
    return own(op, err) ? 0 : -1;
}

void admin_registration_show(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                             void *arg)
{
    static const struct op_rule rule = {.begin = show_begin, .finish = tell};
    op_run(a, rq, &rule, done, arg);
}

/* RFC 7592 section 2.2: who it is it must say, what usher alone knows it must not. */
static int judge_update(struct op *op, struct err *err)
{
    static const char *const ours[] = {"registration_access_token", "registration_client_uri",
                                       "client_secret_expires_at", "client_id_issued_at"};
    const char *id = jval_text(jval_get(op->body, "client_id"));
    const struct jval *secret = jval_get(op->body, "client_secret");
    if (jval_type(op->body) != JVAL_OBJECT)
        return wrong(op, err, "a JSON object is wanted");
    if (!id || strcmp(id, op->id) != 0)
        return wrong(op, err, "client_id: the one of this app is wanted");
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (jval_get(op->body, ours[i]))
            return wrong(op, err, arena_printf(op->arena, "%s: does not belong here", ours[i]));
    if (secret &&
        (!jval_text(secret) || !op->admin->o.app_secrets ||
         !app_secrets_check(op->admin->o.app_secrets, op->id, str_of(jval_text(secret)), op->now)))
        return wrong(op, err, "client_secret: it is another one");
    return 0;
}

static int replace_begin(struct op *op, struct err *err)
{
    const struct app *app = own(op, err);
    if (app && !app->common.consent) /* people would follow a new address unasked */
        return wrong(op, err, "an admin vouches for this app by now, and makes its changes");
    if (!app || judge_update(op, err) < 0 || read_metadata(op, &app->common, err) < 0)
        return -1;
    begin(op);
    if (wants_secret(op) && op->admin->o.app_secrets &&
        !app_secrets_has(op->admin->o.app_secrets, op->id, op->now))
        make_secret(op);
    return 0;
}

/* 1, or 0: the app is gone, and what it manages itself with, too. */
static int still_there(struct db *db, const struct op *op, struct settings_row *now,
                       struct err *err)
{
    const int rc = registration_has(db, op->id, err);
    return rc == 1 ? settings_row_get(db, SETTINGS_APP, op->id, op->arena, now, err) : rc;
}

static int set_row(struct db *db, struct op *op, struct err *err)
{
    const struct registering *g = op->more;
    struct settings_row now;
    const int rc = still_there(db, op, &now, err);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return op_refuse(op, ERR_DENIED, "there is no such app any more");
    if (now.version != g->draft.base.row.version)
        return op_refuse(op, ERR_STALE, "somebody changed it meanwhile");
    return draft_put(db, op, err) < 0 ? -1 : store_secret(db, g, err);
}

static int replace_work(struct op *op, struct err *err)
{
    const struct draft *d = op->more;
    if (draft(op, DRAFT_OWN, err) < 0)
        return -1;
    op->was = draft_stored(&app_draft_kind, &d->row);
    op->became = jval_ref(d->settings);
    return op_write(op, set_row, err);
}

static int replace_finish(struct op *op, struct err *err)
{
    const struct registering *g = op->more;
    if (g->with_secret && op->admin->o.app_secrets)
        app_secrets_put(op->admin->o.app_secrets, &g->secret_row);
    return tell(op, err);
}

void admin_registration_replace(struct admin *a, const struct admin_request *rq,
                                admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {.action = "app.edit",
                                        .begin = replace_begin,
                                        .work = replace_work,
                                        .finish = replace_finish,
                                        .reloaded = op_rows_in_force,
                                        .drop = drop};
    op_run(a, rq, &rule, done, arg);
}

static int delete_row(struct db *db, struct op *op, struct err *err)
{
    struct settings_row row;
    const int rc = still_there(db, op, &row, err);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return op_refuse(op, ERR_DENIED, "there is no such app any more");
    jval_free(&op->was);
    op->was = draft_stored(&app_draft_kind, &row);
    return app_drop(db, op, row.version, err);
}

static int delete_work(struct op *op, struct err *err)
{
    return op_write(op, delete_row, err);
}

void admin_registration_delete(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                               void *arg)
{
    static const struct op_rule rule = {.action = "app.delete",
                                        .begin = show_begin,
                                        .work = delete_work,
                                        .finish = app_dropped,
                                        .reloaded = op_rows_in_force};
    op_run(a, rq, &rule, done, arg);
}
