/* SPDX-License-Identifier: Apache-2.0 */
#include "store/account_change.h"

#include "store/account_role.h"
#include "store/api_token.h"
#include "store/session_app.h"
#include "store/session_row.h"

/* A statement about one account and maybe another: how many rows it changed, or -1. */
static int64_t run_on(struct db *db, const char *name, const char *account, const char *other,
                      struct err *err)
{
    struct db_stmt *st = db_named(db, name);
    db_text(st, 1, account);
    if (other)
        db_text(st, 2, other);
    return db_run(st, err);
}

/* ---- one identity */

/* SQLite has one writer, and PostgreSQL's transactions are serializable: of two that unlink the
 * last two identities at once, one is done again and finds but one left. */
static int64_t identities(struct db *db, const char *account, struct err *err)
{
    struct db_stmt *st = db_named(db, "account_change.identities");
    db_text(st, 1, account);
    int rc = db_step(st, err);
    const int64_t n = rc == 1 ? db_col_int(st, 0) : -1;
    db_end(st);
    return n;
}

int account_unlink(struct db *db, const struct account_identity_key *key, const unsigned char *but,
                   struct err *err)
{
    static const unsigned char none[1];
    struct db_stmt *st = db_named(db, "account_change.unlink");
    db_text(st, 1, key->account);
    db_text(st, 2, key->provider);
    db_text(st, 3, key->subject);
    int64_t n = db_run(st, err);
    if (n <= 0)
        return n < 0 ? -1 : 0;
    n = identities(db, key->account, err);
    if (n == 0)
        return err_set(err, ERR_CONFLICT, "the last identity of an account stays");
    if (n < 0)
        return -1;
    st = db_named(db, "account_change.end_identity");
    db_text(st, 1, key->account);
    db_text(st, 2, key->provider);
    db_text(st, 3, key->subject);
    db_blob(st, 4, but ? but : none, but ? 32 : 0);
    return db_run(st, err) < 0 ? -1 : 1;
}

/* ---- two accounts */

static int enabled(struct db *db, const char *account, int64_t now, struct err *err)
{
    struct account found;
    int rc = account_look(db, account, now, &found, err);
    if (rc > 0 && found.disabled)
        return err_set(err, ERR_NOT_ALLOWED, "an account that is disabled cannot be merged");
    return rc;
}

int account_merge(struct db *db, const char *into, const char *from, int64_t now, struct err *err)
{
    if (strcmp(into, from) == 0)
        return err_set(err, ERR_INVALID, "an account cannot be merged with itself");
    int rc = enabled(db, into, now, err);
    if (rc > 0)
        rc = enabled(db, from, now, err);
    if (rc <= 0)
        return rc;
    struct db_stmt *st = db_named(db, "account_change.move_identities");
    db_text(st, 1, into);
    db_text(st, 2, from);
    db_int(st, 3, now);
    if (db_run(st, err) < 0)
        return -1;
    if (run_on(db, "account_change.move_roles", into, from, err) < 0 ||
        run_on(db, "account_change.move_tokens", into, from, err) < 0 ||
        run_on(db, "account.drop", from, NULL, err) < 0)
        return -1;
    return 1;
}

/* ---- one account */

/* What lets somebody in as this account without signing in. */
static int end_access(struct db *db, const char *account, struct err *err)
{
    if (session_row_end_others(db, account, NULL, err) < 0)
        return -1;
    return api_token_drop_of(db, account, err) < 0 ? -1 : 0;
}

int account_disable(struct db *db, const char *account, const struct account_disabling *how,
                    struct err *err)
{
    struct db_stmt *st = db_named(db, "account_change.disable");
    db_text(st, 1, account);
    db_int(st, 2, how->now);
    if (how->until > 0)
        db_int(st, 3, how->until);
    else
        db_text(st, 3, NULL);
    db_text(st, 4, how->reason);
    int64_t n = db_run(st, err);
    if (n <= 0)
        return n < 0 ? -1 : 0;
    return end_access(db, account, err) < 0 ? -1 : 1;
}

int account_enable(struct db *db, const char *account, struct err *err)
{
    int64_t n = run_on(db, "account_change.enable", account, NULL, err);
    return n < 0 ? -1 : n > 0;
}

struct identity_key {
    struct identity_key *next;
    const char *provider, *subject;
};

/* What one statement finds is read to its end before another one begins. */
static int bar_all(struct db *db, const char *account, int64_t now, struct err *err)
{
    struct arena *a = arena_new();
    struct identity_key *all = NULL;
    struct db_stmt *st = db_named(db, "account_change.keys");
    db_text(st, 1, account);
    int rc;
    while ((rc = db_step(st, err)) == 1) {
        struct identity_key *k = arena_alloc(a, sizeof *k);
        *k = (struct identity_key){.next = all,
                                   .provider = arena_dup(a, db_col_text(st, 0)),
                                   .subject = arena_dup(a, db_col_text(st, 1))};
        all = k;
    }
    for (; all && rc == 0; all = all->next)
        rc = account_bar(db, all->provider, all->subject, now, err);
    arena_free(&a);
    return rc;
}

int account_delete(struct db *db, const char *account, bool bar, int64_t now, struct err *err)
{
    if (bar && bar_all(db, account, now, err) < 0)
        return -1;
    if (api_token_drop_of(db, account, err) < 0 ||
        session_app_over_account(db, account, now, err) < 0)
        return -1;
    int64_t n = run_on(db, "account.drop", account, NULL, err);
    return n < 0 ? -1 : n > 0;
}

int account_last_admin(struct db *db, const char *account, int64_t now, struct err *err)
{
    struct db_stmt *st = db_named(db, "account_change.admins");
    db_text(st, 1, ROLE_ADMIN);
    db_text(st, 2, account);
    db_int(st, 3, now);
    int rc = db_step(st, err);
    const bool last = rc == 1 && db_col_int(st, 0) > 0 && db_col_int(st, 1) == 0;
    db_end(st);
    return rc < 0 ? -1 : last;
}
