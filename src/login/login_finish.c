/* SPDX-License-Identifier: Apache-2.0 */
/* From a verified identity to a session, or to a join that the person decides about. */
#include "login/login_parts.h"
#include "login/renewal.h"
#include "provider/registry.h"
#include "store/spent.h"
#include "sys/clock.h"

/* ---- how a leg ends well */

/* `outcome`: for the counter. A session only with `opened`. */
static void answer(struct leg_run *r, const char *outcome, bool opened)
{
    const struct login_result result = {
        .return_to = r->flow.return_to,
        .token = opened ? r->open.token : NULL,
        .max_age = opened ? r->login->o.session_seconds : 0,
        .join = r->join[0] ? r->join : NULL,
    };
    login_count(r->login, r->provider->id, outcome);
    login_tell_outcome(r, NULL);
    r->done(r->arg, &result, NULL);
    run_close(r);
}

static void succeed(struct leg_run *r)
{
    const struct link *link = &r->open.link;
    log_event(r->log, LOG_INFO, "login.done", LF_TEXT("provider", r->provider->id),
              LF_TEXT("account", link->account.id), LF_TEXT("session", r->open.id),
              LF_BOOL("created", link->account.created), LF_TEXT("client", link->row.ip),
              LF_INT("groups_left_out", link->groups_left_out),
              LF_INT("ms", mono_ms(r->began, clock_mono())));
    answer(r, "done", true);
}

/* Nobody is signed in by this; there is a page to go to, or only the way back. */
static void answer_without(struct leg_run *r, const char *how)
{
    log_event(r->log, LOG_INFO, "login.proven", LF_TEXT("provider", r->provider->id),
              LF_TEXT("how", how), LF_TEXT("account", r->mine.account),
              LF_INT("ms", mono_ms(r->began, clock_mono())));
    answer(r, "proven", false);
}

/* ---- joins */

static int make_join(struct leg_run *r, struct join_made m, struct err *err)
{
    m.profile = &r->open.link.profile;
    m.amr = r->open.link.row.amr;
    m.auth_time = r->open.link.row.auth_time;
    m.return_to = r->flow.return_to;
    m.bind = r->bind;
    if (m.kind != JOIN_LINKED) /* else they were kept with the session */
        m.tokens = &r->open.link.tokens;
    return joins_add(r->login->joins, &m, r->join, err);
}

/* The identity is durably known to be whoever's; the session is there. What is left to be said or
 * decided is kept for its page. Without room for that the person is signed in all the same. */
static void join_opened(struct leg_run *r)
{
    struct err err = ERR_INIT;
    const struct link *link = &r->open.link;
    const struct mine mine = {link->account.id, r->open.id, r->provider->id};
    if (link->outcome == LINK_IS_JOINED) {
        log_event(r->log, LOG_INFO, "account.linked", LF_TEXT("account", mine.account),
                  LF_TEXT("provider", mine.provider), LF_TEXT("how", "address"));
        if (make_join(r, (struct join_made){.kind = JOIN_LINKED, .mine = &mine}, &err) < 0)
            log_error(r->log, LOG_WARN, "account.link_unseen", &err);
        return;
    }
    const char *asked = r->flow.pending;
    if (asked && r->provider->common.link != LINK_NEVER &&
        joins_prove(r->login->joins, asked, r->bind, &mine))
        memcpy(r->join, asked, strlen(asked) + 1);
}

static void ask(struct leg_run *r)
{
    struct err err = ERR_INIT;
    if (make_join(r, (struct join_made){.kind = JOIN_ASK}, &err) < 0)
        run_fail(r, &err);
    else
        answer_without(r, "ask");
}

/* A proof was wanted, and whoever came has no account here. */
static void tried(struct leg_run *r)
{
    struct err err = ERR_INIT;
    const char *asked = r->flow.pending;
    if (!joins_try(r->login->joins, asked, r->bind)) {
        err_set(&err, ERR_EXPIRED, "what was to be proven is over");
        run_fail(r, &err);
        return;
    }
    memcpy(r->join, asked, strlen(asked) + 1);
    answer_without(r, "tried");
}

/* ---- signing in */

static int write_link(struct db *db, void *arg, struct err *err)
{
    return link_write(db, &((struct leg_run *)arg)->open.link, err);
}

/* Only what is durable is answered as made. */
static void on_written(void *arg, enum store_outcome outcome, const struct err *stored)
{
    struct leg_run *r = arg;
    struct err err = ERR_INIT;
    if (!run_written(r))
        return;
    if (outcome != STORE_DONE) {
        login_store_failure(outcome, stored, "the session", &err);
        run_fail(r, &err);
    } else if (r->open.link.outcome == LINK_IS_ASKED) {
        ask(r);
    } else if (r->open.link.outcome == LINK_IS_UNKNOWN) {
        tried(r);
    } else if (opening_enter(r->login, &r->open, r->log, &err) != 0) {
        run_fail(r, &err);
    } else {
        join_opened(r);
        succeed(r);
    }
}

static void sign_in(struct leg_run *r)
{
    const char *asked = r->flow.pending;
    r->open.link.policy = r->provider->common.link;
    r->open.link.proof = asked && joins_asked(r->login->joins, asked, r->bind);
    opening_begin(&r->open, wall_seconds(clock_wall()), r->login->o.session_seconds);
    run_write(r, write_link, on_written);
}

/* ---- linking: a person who is signed in proves an identity more */

static int find_owner(struct db *db, void *arg, struct err *err)
{
    struct leg_run *r = arg;
    struct link *link = &r->open.link;
    const struct account_profile *p = &link->profile;
    if (spent_add(db, link->flow, link->flow_expires, err) < 0)
        return -1;
    int rc = account_find(db, p->provider, p->subject, r->found_at, &link->account, err);
    if (rc < 0)
        return -1;
    if (rc > 0) /* their own, proven anew: what was given for it counts from now on */
        return strcmp(link->account.id, r->mine.account) == 0 && link->tokens.access
                   ? upstream_token_put(db, link->keys, &link->tokens, err)
                   : 0;
    rc = account_barred(db, p->provider, p->subject, err);
    if (rc > 0)
        return err_set(err, ERR_NOT_ALLOWED, "the identity's account was deleted for good");
    return rc;
}

static void on_owner(void *arg, enum store_outcome outcome, const struct err *stored)
{
    struct leg_run *r = arg;
    struct err err = ERR_INIT;
    if (!run_written(r))
        return;
    const struct account *owner = &r->open.link.account;
    const bool other = owner->id[0] != '\0';
    const bool theirs = other && strcmp(owner->id, r->mine.account) == 0;
    const struct join_made m = {.kind = other ? JOIN_MERGE : JOIN_LINK,
                                .other = other ? owner->id : NULL,
                                .mine = &r->mine};
    if (outcome != STORE_DONE)
        login_store_failure(outcome, stored, "that the flow was used", &err);
    else if (owner->disabled)
        err_set(&err, ERR_NOT_ALLOWED, "the account is disabled");
    else if (!theirs)
        (void)make_join(r, m, &err);
    if (err.kind != ERR_NONE)
        run_fail(r, &err);
    else
        answer_without(r, theirs ? "theirs" : other ? "merge" : "link");
}

/* Into the transaction of the login. A plugin whose answers were all at hand is done before there
 * is a drive to ask; it has exchanged nothing. */
static void keep_tokens(struct leg_run *r, const struct drive_identity *identity)
{
    struct drive_tokens t;
    if (!r->provider->common.keep_tokens || !r->drive || !drive_get_tokens(r->drive, &t))
        return;
    r->open.link.keys = r->login->o.keys;
    r->open.link.tokens = renewal_kept(r->provider->id, identity->subject, &t);
}

void login_on_identity(void *arg, const struct drive_redirect *redirect,
                       const struct drive_identity *identity, const struct err *err)
{
    struct leg_run *r = arg;
    (void)redirect;
    if (identity == NULL) {
        run_fail(r, err);
        return;
    }
    link_fill(&r->open.link, r->provider->id, identity, r->arena);
    keep_tokens(r, identity);
    if (r->flow.purpose == USHER_FLOW_LINK) {
        r->found_at = wall_seconds(clock_wall());
        run_write(r, find_owner, on_owner);
    } else {
        sign_in(r);
    }
}
