/* SPDX-License-Identifier: Apache-2.0 */
#include "store/account.h"

#include "sys/random.h"

#define SUBJECT_MAX 255 /* OpenID Connect Core, section 2, `sub`; never cut, so never confused */
#define PROVIDER_MAX 64

static int bounded(const char *what, const char *text, size_t max, struct err *err)
{
    size_t n = text ? strlen(text) : 0;
    if (n == 0)
        return err_set(err, ERR_UPSTREAM_BAD, "an identity without %s", what);
    if (n > max)
        return err_set(err, ERR_UPSTREAM_BAD, "the %s is longer than %zu bytes", what, max);
    return 0;
}

static void bind_profile(struct db_stmt *st, const struct account_profile *p, int64_t now)
{
    db_text(st, 1, p->provider);
    db_text(st, 2, p->subject);
    db_text(st, 3, p->username);
    db_text(st, 4, p->name);
    db_text(st, 5, p->email);
    db_int(st, 6, p->email_evidence);
    db_text(st, 7, p->picture);
    db_text(st, 8, p->locale);
    db_text(st, 9, p->groups);
    db_int(st, 10, now);
}

/* 1 and the account from the row that came back; 0 when none did. */
static int take(struct db_stmt *st, struct account *out, struct err *err)
{
    int rc = db_step(st, err);
    if (rc <= 0)
        return rc;
    const char *id = db_col_text(st, 0);
    size_t n = id ? strlen(id) : 0;
    if (n == 0 || n >= sizeof out->id) {
        db_end(st);
        return err_set(err, ERR_INTERNAL, "an identity's account has no proper id");
    }
    memcpy(out->id, id, n + 1);
    out->disabled = db_col_int(st, 1) > 0;
    db_end(st);
    return 1;
}

/* 1: known, 0: not (yet). */
static int refresh(struct db *db, const struct account_profile *p, int64_t now, struct account *out,
                   struct err *err)
{
    struct db_stmt *st = db_named(db, "account.refresh");
    bind_profile(st, p, now);
    int64_t n = db_run(st, err);
    if (n <= 0)
        return n < 0 ? -1 : 0;

    st = db_named(db, "account.whose");
    db_text(st, 1, p->provider);
    db_text(st, 2, p->subject);
    db_int(st, 3, now);
    int rc = take(st, out, err);
    return rc != 0 ? rc : err_set(err, ERR_INTERNAL, "an identity without its account");
}

/* 1: a new account; 0: another replica made one for the same identity just now. */
static int make(struct db *db, const struct account_profile *p, int64_t now, struct account *out,
                struct err *err)
{
    char id[23];
    rng_id(id);
    struct db_stmt *st = db_named(db, "account.add");
    db_text(st, 1, id);
    db_int(st, 2, now);
    if (db_run(st, err) < 0)
        return -1;

    st = db_named(db, "account.add_identity");
    bind_profile(st, p, now);
    db_text(st, 11, id);
    int rc = take(st, out, err);
    if (rc != 0)
        return rc;

    st = db_named(db, "account.drop");
    db_text(st, 1, id);
    return db_run(st, err) < 0 ? -1 : 0;
}

int account_sign_in(struct db *db, const struct account_profile *p, int64_t now,
                    struct account *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    if (bounded("provider", p->provider, PROVIDER_MAX, err) < 0 ||
        bounded("subject", p->subject, SUBJECT_MAX, err) < 0)
        return -1;

    int rc = refresh(db, p, now, out, err);
    if (rc == 0) {
        rc = make(db, p, now, out, err);
        out->created = rc == 1;
        if (rc == 0)
            rc = refresh(db, p, now, out, err);
        if (rc == 0)
            return err_set(err, ERR_INTERNAL, "an identity is neither there nor can it be made");
    }
    return rc < 0 ? -1 : 0;
}

int account_find(struct db *db, const char *provider, const char *subject, int64_t now,
                 struct account *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    struct db_stmt *st = db_named(db, "account.find");
    db_text(st, 1, provider);
    db_text(st, 2, subject);
    db_int(st, 3, now);
    return take(st, out, err);
}
