/* SPDX-License-Identifier: Apache-2.0 */
/* From a verified identity to a session: the second leg's end. */
#include "login/behind.h"
#include "login/login_parts.h"
#include "sys/clock.h"
#include "sys/random.h"

static void succeed(struct leg_run *r)
{
    const struct login_result result = {
        .return_to = r->flow.return_to, .token = r->token, .max_age = r->login->o.session_seconds};
    login_count(r->login, r->provider->id, "done");
    login_tell_outcome(r, NULL);
    log_event(r->log, LOG_INFO, "login.done", LF_TEXT("provider", r->provider->id),
              LF_TEXT("account", r->link.account.id), LF_TEXT("session", r->session_id),
              LF_BOOL("created", r->link.account.created), LF_TEXT("client", r->link.row.ip),
              LF_INT("groups_left_out", r->link.groups_left_out),
              LF_INT("ms", mono_ms(r->began, clock_mono())));
    r->done(r->arg, &result, NULL);
    run_close(r);
}

static int write_link(struct db *db, void *arg, struct err *err)
{
    return link_write(db, &((struct leg_run *)arg)->link, err);
}

/* One person holds only so many sessions; the one not seen for the longest makes way, and it is
 * said. Turning the person away instead would let forgotten sessions lock them out. */
static void make_place(struct leg_run *r)
{
    const struct login_options *o = &r->login->o;
    unsigned char hash[32];
    if (!sessions_crowded(o->sessions, r->link.account.id, hash))
        return;
    log_event(r->log, LOG_INFO, "session.made_way", LF_TEXT("account", r->link.account.id));
    sessions_end(o->sessions, hash);
    behind_end_session(o->store, o->loop, hash);
}

/* Only what is durable is answered as made. */
static void on_written(void *arg, enum store_outcome outcome, const struct err *stored)
{
    struct leg_run *r = arg;
    struct err err = ERR_INIT;
    if (!run_written(r))
        return;
    if (outcome != STORE_DONE) {
        err_set(&err, stored && stored->kind == ERR_NOT_ALLOWED ? ERR_NOT_ALLOWED : ERR_INTERNAL,
                "%s",
                outcome == STORE_UNKNOWN ? "the store did not say whether it kept the session"
                : stored                 ? stored->text
                                         : "the store refused");
        run_fail(r, &err);
        return;
    }
    const struct login_options *o = &r->login->o;
    make_place(r);
    if (sessions_add(o->sessions, &r->link.row, &err) == 0) {
        if (r->link.ends_session)
            sessions_end(o->sessions, r->link.ends_session);
        succeed(r);
        return;
    }
    behind_end_session(o->store, o->loop, r->link.row.hash);
    run_fail(r, &err);
}

void login_on_identity(void *arg, const struct drive_redirect *redirect,
                       const struct drive_identity *identity, const struct err *err)
{
    struct leg_run *r = arg;
    const int64_t now = wall_seconds(clock_wall());
    (void)redirect;
    if (identity == NULL) {
        run_fail(r, err);
        return;
    }
    link_fill(&r->link, r->provider->id, identity, r->arena);
    session_token_make(r->token, r->link.row.hash);
    rng_id(r->session_id);
    r->link.row.id = r->session_id;
    r->link.row.created = r->link.row.seen = now;
    r->link.row.ends = now + r->login->o.session_seconds;
    run_write(r, write_link, on_written);
}
