/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that is kept about a person, as one JSON file for them: their account, identities,
 * sessions, what apps hold of them, and what they did to it. Put together on the store's thread.
 */
#include <stdio.h>

#include "base/evidence.h"
#include "base/json.h"
#include "store/account_list.h"
#include "store/session_row.h"
#include "sys/clock.h"
#include "web/account_app.h"

#define DATA_MAX (4u * 1024 * 1024)
#define HISTORY_MAX 2000 /* the newest lines of the audit */

struct export
{
    struct account_visit *v;
    struct arena *a; /* of the store's thread */
    struct buf out;
};

static void set_time(struct jval *o, const char *key, int64_t seconds)
{
    char text[32];
    wall_text((struct wall){seconds * 1000000}, text);
    jval_set_text(o, key, seconds > 0 ? text : NULL);
}

static struct jval *identity_of(const struct account_identity *i)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "provider", i->provider);
    jval_set_text(o, "subject", i->subject);
    jval_set_text(o, "username", i->username);
    jval_set_text(o, "name", i->name);
    jval_set_text(o, "email", i->email);
    jval_set_text(o, "email_evidence", evidence_name(i->email_evidence));
    set_time(o, "email_since", i->email_since);
    jval_set_text(o, "picture", i->picture);
    jval_set_text(o, "locale", i->locale);
    jval_set(o, "groups", jval_list(i->groups));
    set_time(o, "first_seen", i->first_seen);
    set_time(o, "last_seen", i->last_seen);
    set_time(o, "linked", i->linked);
    return o;
}

static struct jval *session_of(const struct session_row *row)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", row->id);
    jval_set_text(o, "provider", row->provider);
    jval_set_text(o, "subject", row->subject);
    jval_set_text(o, "username", row->username);
    jval_set_text(o, "name", row->name);
    jval_set_text(o, "email", row->email);
    jval_set_text(o, "picture", row->picture);
    jval_set(o, "groups", jval_list(row->groups));
    jval_set_text(o, "amr", row->amr);
    jval_set_text(o, "ip", row->ip);
    jval_set_text(o, "user_agent", row->user_agent);
    set_time(o, "created", row->created);
    set_time(o, "seen", row->seen);
    set_time(o, "ends", row->ends);
    return o;
}

static int add_line(void *arg, const struct audit_row *row, struct err *err)
{
    struct jval *o = jval_new_object();
    (void)err;
    set_time(o, "at", row->at);
    jval_set_text(o, "action", row->action);
    jval_set_text(o, "object", row->object);
    jval_set_text(o, "outcome", row->outcome);
    jval_set_text(o, "provider", row->provider);
    jval_set_text(o, "app", row->app);
    jval_set_text(o, "ip", row->ip);
    jval_set_text(o, "user_agent", row->user_agent);
    jval_push(arg, o);
    return 0;
}

static int add_account(struct db *db, const struct export *x, struct jval *data, struct err *err)
{
    struct account_row row;
    const int found = account_get(db, x->v->account, x->v->now, x->a, &row, err);
    if (found <= 0)
        return found < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "the account is gone");
    struct jval *account = jval_new_object(), *identities = jval_new_array();
    jval_set_text(account, "id", row.id);
    set_time(account, "created", row.created);
    for (size_t i = 0; i < row.n; i++)
        jval_push(identities, identity_of(&row.identities[i]));
    jval_set(data, "account", account);
    jval_set(data, "identities", identities);
    return 0;
}

static int add_sessions(struct db *db, const struct export *x, struct jval *data, struct err *err)
{
    /* All that are still kept, over or not. */
    const struct session_row_of of = {.account = x->v->account};
    struct session_row *rows;
    size_t n;
    if (session_row_list(db, &of, x->a, &rows, &n, err) < 0)
        return -1;
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < n; i++)
        jval_push(list, session_of(&rows[i]));
    jval_set(data, "roles", jval_list(n > 0 ? rows[0].roles : NULL)); /* the account's, in each */
    jval_set(data, "sessions", list);
    return 0;
}

static int add_apps(struct db *db, const struct export *x, struct jval *data, struct err *err)
{
    struct account_app *held;
    size_t n;
    if (account_app_read(db, x->v, x->a, &held, &n, err) < 0)
        return -1;
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < n; i++) {
        struct jval *o = jval_new_object();
        jval_set_text(o, "app", held[i].app);
        jval_set_text(o, "scopes", held[i].scopes);
        jval_set_bool(o, "remembered_yes", held[i].consent);
        jval_set_bool(o, "offline", held[i].offline);
        set_time(o, "since", held[i].since);
        set_time(o, "last", held[i].last);
        jval_push(list, o);
    }
    jval_set(data, "apps", list);
    return 0;
}

static int add_history(struct db *db, const struct export *x, struct jval *data, struct err *err)
{
    const struct audit_filter mine = {.limit = HISTORY_MAX, .actor = x->v->account};
    struct jval *list = jval_new_array();
    struct audit_page page;
    jval_set(data, "history", list);
    return audit_each(db, &mine, add_line, list, &page, err);
}

static int read_data(struct db *db, void *arg, struct err *err)
{
    struct export *x = arg;
    struct jval *data = jval_new_object();
    arena_reset(x->a);
    buf_clear(&x->out);
    jval_set_text(data, "site", x->v->app->public_url);
    set_time(data, "exported", x->v->now);
    int rc = add_account(db, x, data, err);
    rc = rc < 0 ? rc : add_sessions(db, x, data, err);
    rc = rc < 0 ? rc : add_apps(db, x, data, err);
    rc = rc < 0 ? rc : add_history(db, x, data, err);
    if (rc == 0) {
        jval_render(data, &x->out);
        buf_byte(&x->out, '\n');
        if (!buf_ok(&x->out))
            rc = err_set(err, ERR_INTERNAL, "the data of an account does not fit in %u bytes",
                         DATA_MAX);
    }
    jval_free(&data);
    return rc;
}

static void on_data(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct export *x = arg;
    struct account_visit *v = x->v;
    if (!account_failed(v, outcome, err)) {
        char *body = arena_dupn(v->a, x->out.p, x->out.n);
        log_event(request_log(v->rq), LOG_INFO, "account.exported", LF_TEXT("account", v->account));
        reply_header_static(v->rq, "Content-Disposition",
                            "attachment; filename=\"my-account.json\"");
        reply_send(v->rq, 200, "application/json", (struct str){body, x->out.n});
    }
    buf_deinit(&x->out);
    arena_free(&x->a);
}

void account_data_get(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_FRESH);
    if (!v)
        return;
    struct export *x = arena_alloc(v->a, sizeof *x);
    *x = (struct export){.v = v, .a = arena_new()};
    buf_init(&x->out, DATA_MAX);
    account_read(v, read_data, on_data, x);
}
