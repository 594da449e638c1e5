/* SPDX-License-Identifier: Apache-2.0 */
#include "login/behind.h"
#include "login/login_parts.h"
#include "sys/random.h"

#define USER_AGENT_MAX 256

void opening_begin(struct opening *o, int64_t now, int64_t seconds)
{
    struct session_row *row = &o->link.row;
    session_token_make(o->token, row->hash);
    rng_id(o->id);
    row->id = o->id;
    row->created = row->seen = now;
    row->ends = now + seconds;
}

void opening_client(struct opening *o, const char *ip, const char *user_agent,
                    const struct session_view *replaces)
{
    struct arena *a = o->link.arena;
    o->link.row.ip = ip ? arena_dup(a, ip) : NULL;
    if (user_agent) {
        char agent[USER_AGENT_MAX + 1];
        text_display(str_of(user_agent), agent, USER_AGENT_MAX);
        o->link.row.user_agent = arena_dup(a, agent);
    }
    if (replaces) {
        memcpy(o->old_hash, replaces->hash, sizeof o->old_hash);
        o->link.ends_account = arena_dup(a, replaces->account);
        o->link.ends_id = arena_dup(a, replaces->id);
        o->link.ends_session = o->old_hash;
    }
}

/* One person holds only so many sessions; the one not seen for the longest makes way, and it is
 * said. Turning the person away instead would let forgotten sessions lock them out. */
static void make_place(struct login *l, const char *account, const struct log_ctx *log)
{
    unsigned char hash[32];
    if (!sessions_crowded(l->o.sessions, account, hash))
        return;
    log_event(log, LOG_INFO, "session.made_way", LF_TEXT("account", account));
    sessions_end(l->o.sessions, hash);
    behind_end_session(l->o.store, l->o.loop, hash, account, "limited: made way for a newer one");
}

void opening_replace(struct login *l, struct opening *o)
{
    const struct session_was old = {o->link.ends_session, o->link.ends_account, o->link.ends_id};
    if (o->link.ends_session == NULL)
        return;
    sessions_replace(l->o.sessions, &old, o->link.row.account, o->link.row.id);
    o->link.ends_session = NULL;
}

int opening_enter(struct login *l, struct opening *o, const struct log_ctx *log, struct err *err)
{
    make_place(l, o->link.row.account, log);
    if (sessions_add(l->o.sessions, &o->link.row, err) != 0) {
        behind_end_session(l->o.store, l->o.loop, o->link.row.hash, o->link.row.account,
                           "limited: it found no room");
        if (o->link.ends_session) /* its row has gone already */
            sessions_end_of(l->o.sessions,
                            &(const struct session_was){o->link.ends_session, o->link.ends_account,
                                                        o->link.ends_id});
        return -1;
    }
    opening_replace(l, o);
    return 0;
}

void login_store_failure(enum store_outcome outcome, const struct err *stored, const char *what,
                         struct err *err)
{
    if (outcome == STORE_UNKNOWN) {
        err_set(err, ERR_INTERNAL, "the store did not say whether it kept %s", what);
        return;
    }
    const enum err_kind kind = stored ? stored->kind : ERR_INTERNAL;
    const bool refusal = kind == ERR_NOT_ALLOWED || kind == ERR_CONFLICT || kind == ERR_NOT_FOUND ||
                         kind == ERR_EXPIRED || kind == ERR_INVALID;
    err_set(err, refusal ? kind : ERR_INTERNAL, "%s", stored ? stored->text : "the store refused");
}
