/* SPDX-License-Identifier: Apache-2.0 */
/* The click on a join's page: one transaction, and what memory has to know of it. */
#include "base/json.h"
#include "login/login_parts.h"
#include "login/record.h"
#include "provider/registry.h"
#include "session/rights.h"
#include "store/account_change.h"
#include "store/account_role.h"
#include "sys/clock.h"

struct accepting {
    struct task task;
    struct join_taken join;
    struct opening open; /* the session that is opened, or opened anew */
    const struct log_ctx *log;
    const char *request_id;
    struct session_row asked; /* out: the session that says so */
    const char *roles;        /* out: of the account that took another in; JSON or NULL */
    login_done_fn *done;
    void *arg;
    int64_t now;
};

/* ---- in the transaction */

static int record(struct db *db, const struct accepting *a, const char *action, const char *object,
                  const char *other, struct err *err)
{
    const struct account_profile *p = &a->join.profile;
    const struct record_row r = {.action = action,
                                 .account = a->join.mine.account,
                                 .object = object,
                                 .other = other,
                                 .provider = p->provider,
                                 .subject = p->subject,
                                 .how = "proof",
                                 .ip = a->open.link.row.ip,
                                 .user_agent = a->open.link.row.user_agent,
                                 .request_id = a->request_id,
                                 .at = a->now};
    return record_add(db, &r, err);
}

/* What the identity's provider gave when it was proven; who came by it since has newer ones. */
static int keep_tokens(struct db *db, const struct accepting *a, struct err *err)
{
    const struct link *link = &a->open.link;
    return link->tokens.access ? upstream_token_put_late(db, link->keys, &link->tokens, err) : 0;
}

static int write_link(struct db *db, struct accepting *a, struct err *err)
{
    const int added = account_attach(db, a->join.mine.account, &a->join.profile, a->now, err);
    if (added == 0)
        return err_set(err, ERR_CONFLICT, "the identity is somebody's by now");
    if (added < 0 || keep_tokens(db, a, err) < 0)
        return -1;
    return record(db, a, "identity.link", NULL, NULL, err);
}

/* Somebody may have ended it between the click and this. */
static int judge_session(struct db *db, struct accepting *a, struct err *err)
{
    const struct link *link = &a->open.link;
    const int rc = session_row_get(db, link->ends_session, link->arena, &a->asked, err);
    if (rc < 0)
        return -1;
    if (rc == 0 || a->asked.ends <= a->now || strcmp(a->asked.account, a->join.mine.account) != 0)
        return err_set(err, ERR_EXPIRED, "the session has ended meanwhile");
    return 0;
}

/* What this session may do can be more than before, so its cookie is not the one from before. */
static int reopen(struct db *db, struct accepting *a, struct err *err)
{
    struct link *link = &a->open.link;
    struct session_row row = a->asked;
    memcpy(row.hash, link->row.hash, sizeof row.hash);
    row.roles = a->roles;
    link->row = row;
    if (session_row_end(db, link->ends_session, err) < 0)
        return -1;
    return session_row_add(db, &link->row, err) < 0 ? -1 : 0;
}

/* An account with more roles than one may have could not be signed in to, and what does not fit
 * into a header would be left out without a word: as when an admin gives a role, it is refused. */
static int judge_roles(struct db *db, const char *roles, struct err *err)
{
    struct err why = ERR_INIT;
    uint32_t set;
    struct rights *r = rights_read(db, err);
    if (!r)
        return -1;
    int rc = rights_take(r, roles, &set, &why);
    if (rc < 0 && why.kind == ERR_LIMITED)
        err_set(err, ERR_CONFLICT, "together they have more than %d roles", RIGHTS_ROLES_MAX);
    else if (rc < 0)
        *err = why;
    else if (rights_show(r, set).cut)
        rc = err_set(err, ERR_CONFLICT, "together they have more permissions than one account may");
    rights_free(&r);
    return rc;
}

static int write_merge(struct db *db, struct accepting *a, struct err *err)
{
    const char *mine = a->join.mine.account, *other = a->join.other;
    const struct account_profile *p = &a->join.profile;
    struct account owner;
    int rc = account_find(db, p->provider, p->subject, a->now, &owner, err);
    if (rc < 0)
        return -1;
    if (rc == 0 || strcmp(owner.id, other) != 0)
        return err_set(err, ERR_CONFLICT, "the identity is not that account's any more");
    rc = account_merge(db, mine, other, a->now, err);
    if (rc == 0)
        return err_set(err, ERR_CONFLICT, "one of the accounts is gone");
    if (rc < 0 || record(db, a, "account.merge", mine, other, err) < 0 ||
        record(db, a, "account.merge", other, mine, err) < 0 || keep_tokens(db, a, err) < 0)
        return -1;
    if (account_roles(db, mine, a->task.arena, &a->roles, err) < 0 ||
        judge_roles(db, a->roles, err) < 0)
        return -1;
    return reopen(db, a, err);
}

static int write_join(struct db *db, void *arg, struct err *err)
{
    struct accepting *a = arg;
    if (judge_session(db, a, err) < 0)
        return -1;
    return a->join.kind == JOIN_MERGE ? write_merge(db, a, err) : write_link(db, a, err);
}

static int write_new(struct db *db, void *arg, struct err *err)
{
    return link_write(db, &((struct accepting *)arg)->open.link, err);
}

/* ---- afterwards */

static void finish(struct accepting *a, const char *token, const struct err *err)
{
    const struct login_options *o = &a->task.login->o;
    const int64_t left = a->open.link.row.ends - wall_seconds(clock_wall());
    const struct login_result result = {.return_to = a->join.return_to,
                                        .token = token,
                                        .max_age =
                                            left < o->session_seconds ? left : o->session_seconds};
    if (err->kind != ERR_NONE) {
        log_error(a->log, LOG_INFO, "account.join_failed", err);
        a->done(a->arg, NULL, err);
    } else {
        a->done(a->arg, &result, NULL);
    }
}

/* The other account's sessions are gone, and this one goes on under its new cookie. */
static int enter_merged(struct accepting *a, struct err *err)
{
    struct login *l = a->task.login;
    sessions_end_account(l->o.sessions, a->join.other);
    if (sessions_set_roles(l->o.sessions, a->join.mine.account, a->roles, err) < 0)
        return -1;
    if (l->o.on_gone)
        l->o.on_gone(l->o.on_gone_arg, a->join.other, a->join.mine.account);
    opening_replace(l, &a->open);
    return opening_enter(l, &a->open, a->log, err);
}

/* When nobody knows whether the account still is there, whoever is in by it is out all the same,
 * and somebody is to find out who has its roles. */
static void end_other(struct accepting *a)
{
    const struct login_options *o = &a->task.login->o;
    sessions_end_account(o->sessions, a->join.other);
    if (o->on_gone)
        o->on_gone(o->on_gone_arg, a->join.other, NULL);
    if (o->on_doubt) {
        o->on_doubt(o->on_doubt_arg, a->join.other);
        o->on_doubt(o->on_doubt_arg, a->join.mine.account);
    }
}

static void on_joined(struct task *t, enum store_outcome outcome, const struct err *stored)
{
    struct accepting *a = (struct accepting *)t;
    const bool merge = a->join.kind == JOIN_MERGE;
    struct err err = ERR_INIT;
    if (outcome == STORE_UNKNOWN && merge)
        end_other(a);
    if (outcome != STORE_DONE) {
        login_store_failure(outcome, stored, "the link", &err);
    } else if (merge) {
        log_event(a->log, LOG_INFO, "account.merged", LF_TEXT("account", a->join.mine.account),
                  LF_TEXT("other", a->join.other));
        (void)enter_merged(a, &err);
    } else {
        log_event(a->log, LOG_INFO, "account.linked", LF_TEXT("account", a->join.mine.account),
                  LF_TEXT("provider", a->join.profile.provider), LF_TEXT("how", "proof"));
    }
    finish(a, merge ? a->open.token : NULL, &err);
}

static void on_made(struct task *t, enum store_outcome outcome, const struct err *stored)
{
    struct accepting *a = (struct accepting *)t;
    struct err err = ERR_INIT;
    if (outcome != STORE_DONE)
        login_store_failure(outcome, stored, "the account", &err);
    else if (opening_enter(t->login, &a->open, a->log, &err) == 0)
        log_event(a->log, LOG_INFO, "login.done", LF_TEXT("provider", a->join.profile.provider),
                  LF_TEXT("account", a->open.link.account.id), LF_TEXT("session", a->open.id),
                  LF_BOOL("created", a->open.link.account.created),
                  LF_TEXT("client", a->open.link.row.ip));
    finish(a, a->open.token, &err);
}

/* ---- asked */

static void deinit(struct task *t)
{
    struct accepting *a = (struct accepting *)t;
    upstream_token_deinit(&a->open.link.tokens);
}

/* Only if the provider still is to keep any. */
static void take_tokens(struct accepting *a, const struct login *l)
{
    struct upstream_token *t = &a->join.tokens;
    const struct provider *p = registry_find(l->registry, a->join.profile.provider);
    if (p == NULL || !p->common.keep_tokens)
        upstream_token_deinit(t);
    a->open.link.keys = l->o.keys;
    a->open.link.tokens = *t;
    *t = (struct upstream_token){.access = NULL};
}

/* Minutes may have passed since it was proven: what is in force now counts. */
static int judge_provider(const struct login *l, const struct join_taken *j, struct err *err)
{
    const struct provider *p = registry_find(l->registry, j->profile.provider);
    if (j->kind == JOIN_LINKED)
        return 0;
    if (p == NULL || !p->usable)
        return err_set(err, ERR_NOT_ALLOWED, "nobody signs in through this provider any more");
    if (j->kind != JOIN_ASK && !login_links(l, p, j->mine.provider))
        return err_set(err, ERR_NOT_ALLOWED, "identities of this provider are not linked");
    return 0;
}

/* The join is used up from here on. NULL: answered. */
static struct accepting *begin(struct login *l, const struct join_caller *c, login_done_fn *done,
                               void *arg)
{
    struct err err = ERR_INIT;
    struct accepting *a = task_new(l, sizeof *a);
    if (!joins_take(l->joins, c, a->task.arena, &a->join)) {
        err_set(&err, ERR_NOT_FOUND, "there is nothing to decide, or no longer");
        task_free(&a->task);
        done(arg, NULL, &err);
        return NULL;
    }
    a->task.deinit = deinit;
    a->done = done;
    a->arg = arg;
    a->log = c->log;
    a->request_id = c->request_id ? arena_dup(a->task.arena, c->request_id) : NULL;
    a->now = wall_seconds(clock_wall());
    link_refill(&a->open.link, &a->join.profile, a->join.amr, a->task.arena);
    take_tokens(a, l);
    a->open.link.row.auth_time = a->join.auth_time;
    a->open.link.request_id = a->request_id;
    opening_client(&a->open, c->ip, c->user_agent, c->session);
    opening_begin(&a->open, a->now, l->o.session_seconds);
    if (judge_provider(l, &a->join, &err) == 0)
        return a;
    finish(a, NULL, &err);
    task_free(&a->task);
    return NULL;
}

static void start(struct accepting *a, store_fn *fn,
                  void (*then)(struct task *, enum store_outcome, const struct err *))
{
    struct err err = ERR_INIT;
    a->task.done = then;
    if (task_start(&a->task, fn))
        return;
    err_set(&err, ERR_LIMITED, "the store's queue is full");
    finish(a, NULL, &err);
    task_free(&a->task);
}

void join_accept(struct login *l, const struct join_caller *c, login_done_fn *done, void *arg)
{
    struct err err = ERR_INIT;
    struct join_view v;
    if (join_show(l, c, &v) == 1 && v.kind == JOIN_ASK) {
        err_set(&err, ERR_INVALID, "what is asked must be proven first");
        done(arg, NULL, &err);
        return;
    }
    struct accepting *a = begin(l, c, done, arg);
    if (a == NULL)
        return;
    if (a->join.kind != JOIN_LINKED) {
        start(a, write_join, on_joined);
        return;
    }
    finish(a, NULL, &err);
    task_free(&a->task);
}

void join_new_account(struct login *l, const struct join_caller *c, login_done_fn *done, void *arg)
{
    struct err err = ERR_INIT;
    struct join_view v;
    if (join_show(l, c, &v) == 1 && v.kind != JOIN_ASK) {
        err_set(&err, ERR_INVALID, "the identity was proven to be somebody's");
        done(arg, NULL, &err);
        return;
    }
    struct accepting *a = begin(l, c, done, arg);
    if (a == NULL)
        return;
    a->open.link.policy = LINK_NEVER; /* the person said so */
    start(a, write_new, on_made);
}
