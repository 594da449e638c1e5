/* SPDX-License-Identifier: Apache-2.0 */
/* What a person says to a device: RFC 8628 section 3.3. */
#include "app/client.h"
#include "app/decide.h"
#include "issuer/device.h"
#include "issuer/granting.h"
#include "issuer/parts.h"
#include "issuer/refusal.h"
#include "issuer/user_code.h"
#include "store/audit.h"
#include "store/device_code.h"
#include "sys/clock.h"

/* A person at the page. It lives in the visit's arena. */
struct meeting {
    struct issuer *issuer;
    struct issuer_visit v;
    issuer_device_fn *done;
    void *arg;
    struct apps *apps; /* a reference */
    const struct app *app;
    int64_t now;
    char code[USER_CODE_LEN + 1];
    unsigned char hash[32]; /* of that code */
    struct device_code_row row;
    bool found;
    /* once it is answered */
    const char *account; /* whom the page asked; NULL: it is not answered yet */
    const char *provider;
    bool allow, gone;
    struct issuer_request rq;
    struct granting grant;
};

static void finish(struct meeting *m, enum issuer_device_next next)
{
    struct issuer_device_step s = {.next = next, .code = m->code[0] ? m->code : NULL};
    if (next != ISSUER_DEVICE_UNKNOWN && next != ISSUER_DEVICE_FAILED) {
        s.app = m->app;
        s.scopes = m->row.scopes;
        s.ip = m->row.ip;
        s.user_agent = m->row.user_agent;
        s.created = m->row.created;
    }
    m->issuer->under_way--;
    m->done(m->arg, &s);
    apps_free(&m->apps);
}

/* ---- said --------------------------------------------------------------------------------------
 */

static void on_allowed(void *arg, const char *code)
{
    finish(arg, code ? ISSUER_DEVICE_ALLOWED : ISSUER_DEVICE_FAILED);
}

static void on_gone(void *arg)
{
    finish(arg, ISSUER_DEVICE_UNKNOWN);
}

/* The grant is of the browser it was allowed in, as the audit has it; the device's own address is
 * in its requests. */
static void allow(struct meeting *m, const struct issuer_person *who)
{
    m->rq = (struct issuer_request){
        .app = m->app, .scopes = m->row.scopes, .resource = m->row.resource, .max_age = -1};
    m->grant = (struct granting){.issuer = m->issuer,
                                 .arena = m->v.arena,
                                 .rq = &m->rq,
                                 .who = who,
                                 .ip = m->v.ip,
                                 .user_agent = m->v.user_agent,
                                 .now = m->now,
                                 .device = m->row.hash,
                                 .consent = m->app->common.consent ? m->row.scopes : NULL,
                                 .done = on_allowed,
                                 .gone = on_gone,
                                 .arg = m};
    granting_write(&m->grant);
}

static int write_denied(struct db *db, void *arg, struct err *err)
{
    struct meeting *m = arg;
    const struct audit_row row = {.at = m->now,
                                  .actor_kind = "account",
                                  .actor = m->account,
                                  .ip = m->v.ip,
                                  .user_agent = m->v.user_agent,
                                  .action = "grant.deny",
                                  .object = m->row.app,
                                  .provider = m->provider,
                                  .app = m->row.app,
                                  .outcome = "done"};
    const int rc = device_code_decide(db, m->row.hash, NULL, err);
    m->gone = rc == 0;
    return rc < 0 || (rc == 1 && audit_add(db, &row, err) < 0) ? -1 : 0;
}

static void on_denied(void *arg, enum store_outcome outcome, const struct err *err)
{
    const struct meeting *m = arg;
    (void)err;
    if (outcome != STORE_DONE)
        finish(arg, ISSUER_DEVICE_FAILED);
    else
        finish(arg, m->gone ? ISSUER_DEVICE_UNKNOWN : ISSUER_DEVICE_DENIED);
}

static void deny(struct meeting *m, const struct issuer_person *who)
{
    struct issuer *i = m->issuer;
    m->provider = arena_dup(m->v.arena, who->provider);
    if (!store_write(i->o.store, write_denied, i->o.loop, on_denied, m))
        finish(m, ISSUER_DEVICE_FAILED);
}

/* ---- looked up ---------------------------------------------------------------------------------
 */

/* Whether the app may still have what it asked for: admins change apps while people type. */
static bool still_allowed(const struct meeting *m)
{
    struct str rest = str_of(m->row.scopes), word;
    if (!m->app || !m->app->usable ||
        !client_may(&m->app->common, "urn:ietf:params:oauth:grant-type:device_code"))
        return false;
    while (str_split(&rest, ' ', &word))
        if (!client_lists(m->app->common.scopes, word))
            return false;
    return true;
}

static void judge(struct meeting *m)
{
    struct issuer_person who;
    const struct app_common *c = &m->app->common;
    if (!m->v.person(m->v.person_arg, &who)) {
        finish(m, ISSUER_DEVICE_LOGIN);
        return;
    }
    if (c->providers && !client_lists(c->providers, str_of(who.provider))) {
        finish(m, ISSUER_DEVICE_OTHER);
        return;
    }
    const struct app_decision d = app_decide(m->app, &who.subject, NULL, NULL);
    if (d.verdict != APP_ALLOW) {
        const struct refusal told = {.app = m->app->id,
                                     .account = who.account,
                                     .provider = who.provider,
                                     .ip = m->v.ip,
                                     .user_agent = m->v.user_agent,
                                     .reason = d.reason,
                                     .log = m->v.log};
        refusal_by_app(m->issuer, &told);
        finish(m, ISSUER_DEVICE_CLOSED);
    } else if (!m->account || strcmp(m->account, who.account) != 0)
        finish(m, ISSUER_DEVICE_ASK); /* also when somebody else signed in meanwhile */
    else if (m->allow)
        allow(m, &who);
    else
        deny(m, &who);
}

static int look(struct db *db, void *arg, struct err *err)
{
    struct meeting *m = arg;
    const int rc = device_code_typed(db, m->hash, m->v.arena, &m->row, err);
    m->found = rc == 1;
    return rc < 0 ? -1 : 0;
}

static void on_looked(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct meeting *m = arg;
    (void)err;
    if (outcome != STORE_DONE) {
        finish(m, ISSUER_DEVICE_FAILED);
        return;
    }
    m->app = m->found && m->apps ? apps_find(m->apps, m->row.app) : NULL;
    if (!m->found || m->row.state != DEVICE_WAITING || m->row.expires <= m->now ||
        !still_allowed(m))
        finish(m, ISSUER_DEVICE_UNKNOWN);
    else
        judge(m);
}

static void meet(struct meeting *m, const char *typed)
{
    struct issuer *i = m->issuer;
    m->apps = i->apps ? apps_ref(i->apps) : NULL;
    m->now = wall_seconds(clock_wall());
    i->under_way++;
    if (!user_code_read(typed, m->code)) {
        m->code[0] = '\0';
        finish(m, ISSUER_DEVICE_UNKNOWN);
        return;
    }
    user_code_hash(m->code, m->hash);
    if (!store_read(i->o.store, look, i->o.loop, on_looked, m))
        finish(m, ISSUER_DEVICE_FAILED);
}

void issuer_device_look(struct issuer *i, const struct issuer_visit *v, const char *typed,
                        issuer_device_fn *done, void *arg)
{
    struct meeting *m = arena_alloc(v->arena, sizeof *m);
    *m = (struct meeting){.issuer = i, .v = *v, .done = done, .arg = arg};
    meet(m, typed);
}

void issuer_device_say(struct issuer *i, const struct issuer_visit *v,
                       const struct issuer_device_said *said, issuer_device_fn *done, void *arg)
{
    struct meeting *m = arena_alloc(v->arena, sizeof *m);
    *m = (struct meeting){.issuer = i,
                          .v = *v,
                          .done = done,
                          .arg = arg,
                          .account = arena_dup(v->arena, said->account),
                          .allow = said->allow};
    meet(m, said->code);
}
