/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/granting.h"

#include "app/client.h"
#include "issuer/device.h"
#include "issuer/parts.h"
#include "store/audit.h"
#include "store/authorization_request.h"
#include "store/device_code.h"
#include "store/session_app.h"
#include "store/session_row.h"
#include "sys/random.h"

#define TERMS_MAX (256u * 1024)
#define SCOPES_MAX 8192

static void add_list(struct buf *b, const char *const *list)
{
    for (; list && *list; list++) {
        buf_text(b, *list);
        buf_byte(b, '\n');
    }
    buf_byte(b, '\0');
}

void granting_terms(const struct app *app, unsigned char terms[32])
{
    struct buf b;
    buf_init(&b, TERMS_MAX);
    buf_text(&b, app->id);
    buf_byte(&b, '\0');
    add_list(&b, app->common.redirect_uris);
    add_list(&b, app->common.scopes);
    if (app->registered) /* it may call itself something else tomorrow */
        buf_text(&b, app->label);
    seal_sha256(buf_view(&b), terms);
    buf_deinit(&b);
}

static const char *as_json(struct arena *a, const char *words)
{
    struct str rest = str_of(words), word;
    struct jval *list = jval_new_array();
    struct buf b;
    while (str_split(&rest, ' ', &word))
        if (word.n > 0)
            jval_push(list, jval_new_text(arena_dupn(a, word.p, word.n)));
    buf_init(&b, SCOPES_MAX);
    jval_render(list, &b);
    const char *text = arena_dup(a, buf_ok(&b) ? b.p : "[]");
    jval_free(&list);
    buf_deinit(&b);
    return text;
}

static int remember(struct db *db, struct granting *g, struct err *err)
{
    if (!g->consent)
        return 0;
    g->remembered = (struct consent_row){.account = g->grant.account,
                                         .app = g->grant.app,
                                         .scopes = as_json(g->arena, g->consent),
                                         .terms = g->terms,
                                         .created = g->now,
                                         .changed = g->now};
    return consent_put(db, &g->remembered, err);
}

static int tell(struct db *db, const struct granting *g, struct err *err)
{
    const struct audit_row row = {.at = g->now,
                                  .actor_kind = "account",
                                  .actor = g->grant.account,
                                  .ip = g->ip,
                                  .user_agent = g->user_agent,
                                  .action = "grant.issue",
                                  .object = g->grant.id,
                                  .provider = g->grant.provider,
                                  .app = g->grant.app,
                                  .outcome = "done"};
    return audit_add(db, &row, err) < 0 ? -1 : 0;
}

/* 1, or 0: the device has its answer, or gave up. */
static int still_waits(struct db *db, struct granting *g, struct err *err)
{
    struct device_code_row row;
    const int rc = device_code_get(db, g->device, g->arena, &row, err);
    return rc == 1 ? row.state == DEVICE_WAITING && row.expires > g->now : rc;
}

static int let_in(struct db *db, struct granting *g, struct err *err)
{
    if (!g->device)
        return authorization_code_add(db, &g->code, err);
    const int rc = device_code_decide(db, g->device, g->grant.id, err);
    return rc == 0 ? err_set(err, ERR_CONFLICT, "the device was answered meanwhile") : rc;
}

/* 1, or 0: what the person had said was taken back, or replaced, since it was read. */
static int still_said(struct db *db, const struct granting *g, struct err *err)
{
    struct consent_row now;
    const int rc = consent_get(db, g->grant.account, g->grant.app, g->arena, &now, err);
    return rc == 1 ? now.changed == g->relies->changed && strcmp(now.scopes, g->relies->scopes) == 0
                   : rc;
}

/* 1, or 0: whoever was judged is signed out by now, what they said is not so any more, or what they
 * were asked has its answer. */
static int still_asked(struct db *db, struct granting *g, struct err *err)
{
    const struct session_key key = {g->grant.account, g->session};
    int64_t ends;
    int rc = session_row_stands(db, &key, g->now, &ends, err);
    if (rc == 1 && g->relies)
        rc = still_said(db, g, err);
    if (rc == 1 && g->waited)
        rc = authorization_request_drop(db, g->waited, err);
    if (rc == 1 && g->device)
        rc = still_waits(db, g, err);
    return rc;
}

/* The session's end is told to the app, whatever has become of the grant by then. */
static int hear_of_end(struct db *db, const struct granting *g, struct err *err)
{
    const struct session_app_row row = {.session = g->grant.session,
                                        .account = g->grant.account,
                                        .app = g->grant.app,
                                        .sid = g->grant.sid,
                                        .id = g->grant.id};
    return g->hears && row.session ? session_app_add(db, &row, err) : 0;
}

static int write_all(struct db *db, void *arg, struct err *err)
{
    struct granting *g = arg;
    const int rc = still_asked(db, g, err);
    g->used = rc == 0;
    if (rc != 1)
        return rc;
    if (remember(db, g, err) < 0 || oauth_grant_add(db, &g->grant, err) < 0 ||
        hear_of_end(db, g, err) < 0 || let_in(db, g, err) < 0)
        return -1;
    return tell(db, g, err);
}

static void on_written(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct granting *g = arg;
    (void)err;
    if (outcome == STORE_DONE && g->used)
        g->gone(g->arg);
    else
        g->done(g->arg, outcome == STORE_DONE ? g->device ? "" : g->text : NULL);
}

static const char *kept(struct arena *a, const char *text)
{
    return text && text[0] ? arena_dup(a, text) : NULL;
}

static void fill(struct granting *g)
{
    const struct issuer_request *rq = g->rq;
    const struct app_common *c = &rq->app->common;
    const int64_t life = client_may(c, "refresh_token") ? c->refresh_lifetime : c->access_lifetime;
    g->session = arena_dup(g->arena, g->who->session);
    g->hears = c->backchannel_logout_uri != NULL;
    rng_id(g->id);
    handle_make(HANDLE_CODE, g->text, g->code.hash);
    granting_terms(rq->app, g->terms);
    g->grant = (struct oauth_grant_row){.id = g->id,
                                        .app = arena_dup(g->arena, rq->app->id),
                                        .account = arena_dup(g->arena, g->who->account),
                                        .session = g->device ? NULL : g->session,
                                        .sid = g->device ? NULL : g->session,
                                        .provider = arena_dup(g->arena, g->who->provider),
                                        .subject = kept(g->arena, g->who->provider_subject),
                                        .scopes = rq->scopes,
                                        .resource = rq->resource,
                                        .claims = rq->claims,
                                        .auth_time = g->who->auth_time,
                                        .amr = kept(g->arena, g->who->amr),
                                        .ip = kept(g->arena, g->who->subject.client),
                                        .user_agent = g->user_agent,
                                        .created = g->now,
                                        .ends = g->now + life +
                                                (g->device ? DEVICE_LIFE : GRANTING_CODE_LIFE)};
    g->code.grant = g->id;
    g->code.redirect_uri = rq->redirect_given ? rq->redirect_uri : "";
    g->code.challenge = rq->challenge;
    g->code.nonce = rq->nonce;
    g->code.expires = g->now + GRANTING_CODE_LIFE;
}

void granting_write(struct granting *g)
{
    struct issuer *i = g->issuer;
    fill(g);
    i->granted = true;
    g->who = NULL;
    if (!store_write(i->o.store, write_all, i->o.loop, on_written, g))
        g->done(g->arg, NULL);
}
