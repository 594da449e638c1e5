/* SPDX-License-Identifier: Apache-2.0 */
/* Identities of an account: one less. */
#include "store/account_change.h"
#include "store/account_list.h"
#include "web/account_page.h"

struct unlinking {
    struct account_visit *v;
    struct arena *a;                      /* of the store's thread */
    const struct account_identity *which; /* out; NULL: there is no such */
};

/* The handle is looked up among this account's own: somebody else's is nobody's (ACCT-16). */
static int unlink_identity(struct db *db, void *arg, struct err *err)
{
    struct unlinking *u = arg;
    const struct account_visit *v = u->v;
    struct account_row row;
    arena_reset(u->a);
    u->which = NULL;
    const int found = account_get(db, v->account, v->now, u->a, &row, err);
    if (found < 0)
        return -1;
    u->which = found ? account_identity_of(&row, v->id) : NULL;
    if (!u->which)
        return err_set(err, ERR_NOT_FOUND, "the account has no such identity");
    const struct account_identity_key key = {v->account, u->which->provider, u->which->subject};
    const int gone = account_unlink(db, &key, v->hash, err);
    if (gone <= 0)
        return gone < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "the account has no such identity");
    return account_audit(db, v, "identity.unlink", v->id, err);
}

static void on_unlinked(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct unlinking *u = arg;
    struct account_visit *v = u->v;
    if (outcome != STORE_FAILED && u->which) { /* in doubt, too */
        const struct session_identity who = {v->account, u->which->provider, u->which->subject};
        (void)sessions_end_identity(v->app->sessions, &who, v->hash);
    }
    if (outcome == STORE_FAILED && err && err->kind == ERR_CONFLICT) {
        account_sorry(v, ERR_CONFLICT,
                      "It is the only way you have to sign in. Link another one first.");
    } else if (!account_failed(v, outcome, err)) {
        log_event(request_log(v->rq), LOG_INFO, "account.unlinked", LF_TEXT("account", v->account),
                  LF_TEXT("provider", u->which->provider));
        account_go(v, "unlinked");
    }
    arena_free(&u->a);
}

void account_unlink_post(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_CHANGE);
    if (!v)
        return;
    struct unlinking *u = arena_alloc(v->a, sizeof *u);
    *u = (struct unlinking){.v = v, .a = arena_new()};
    account_write(v, unlink_identity, on_unlinked, u);
}
