/* SPDX-License-Identifier: Apache-2.0 */
#include "store/account.h"

#include "sys/random.h"
#include "sys/seal.h"

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

static int proper(const struct account_profile *p, struct err *err)
{
    if (bounded("provider", p->provider, PROVIDER_MAX, err) < 0)
        return -1;
    return bounded("subject", p->subject, SUBJECT_MAX, err);
}

static int take_id(struct db_stmt *st, int column, char out[ACCOUNT_ID_MAX + 1], struct err *err)
{
    const char *id = db_col_text(st, column);
    size_t n = id ? strlen(id) : 0;
    if (n == 0 || n > ACCOUNT_ID_MAX)
        return err_set(err, ERR_INTERNAL, "an identity's account has no proper id");
    memcpy(out, id, n + 1);
    return 0;
}

/* 1 and the account from the row that came back; 0 when none did. */
static int take(struct db_stmt *st, struct account *out, struct err *err)
{
    int rc = db_step(st, err);
    if (rc <= 0)
        return rc;
    rc = take_id(st, 0, out->id, err) < 0 ? -1 : 1;
    out->disabled = db_col_int(st, 1) > 0;
    db_end(st);
    return rc;
}

/* ---- signing in */

/* An UPDATE that names a column writes its index, whether the value changes or not; addresses
 * hardly ever change, so the usual sign-in does not name theirs. */
static int refresh(struct db *db, const struct account_profile *p, bool same_email, int64_t now,
                   struct err *err)
{
    struct db_stmt *st =
        same_email ? db_named(db, "account.refresh") : db_named(db, "account.refresh_email");
    db_text(st, 1, p->provider);
    db_text(st, 2, p->subject);
    db_text(st, 3, p->username);
    db_text(st, 4, p->name);
    db_text(st, 5, p->picture);
    db_text(st, 6, p->locale);
    db_text(st, 7, p->groups);
    db_int(st, 8, now);
    if (!same_email) {
        db_text(st, 9, p->email);
        db_int(st, 10, p->email_evidence);
    }
    int64_t n = db_run(st, err);
    if (n == 0)
        return err_set(err, ERR_INTERNAL, "an identity is there and is not");
    return n < 0 ? -1 : 0;
}

int account_known(struct db *db, const struct account_profile *p, int64_t now, struct account *out,
                  struct err *err)
{
    memset(out, 0, sizeof *out);
    if (proper(p, err) < 0)
        return -1;
    struct db_stmt *st = db_named(db, "account.whose");
    db_text(st, 1, p->provider);
    db_text(st, 2, p->subject);
    db_int(st, 3, now);
    int rc = db_step(st, err);
    if (rc <= 0)
        return rc;
    const char *email = db_col_text(st, 2);
    const bool same_email = (email ? p->email && strcmp(email, p->email) == 0 : !p->email) &&
                            db_col_int(st, 3) == p->email_evidence;
    rc = take_id(st, 0, out->id, err);
    out->disabled = db_col_int(st, 1) > 0;
    out->no_roles = db_col_int(st, 4) == 0;
    db_end(st);
    if (rc == 0 && !out->disabled)
        rc = refresh(db, p, same_email, now, err);
    return rc < 0 ? -1 : 1;
}

/* ---- new ones */

static void hash_of(const char *provider, const char *subject, unsigned char hash[32])
{
    char text[PROVIDER_MAX + 1 + SUBJECT_MAX + 1];
    const size_t p = strnlen(provider, PROVIDER_MAX), s = strnlen(subject, SUBJECT_MAX);
    memcpy(text, provider, p);
    text[p] = '\0';
    memcpy(text + p + 1, subject, s);
    seal_sha256((struct str){text, p + 1 + s}, hash);
}

void account_handle(const char *provider, const char *subject, char out[23])
{
    unsigned char hash[32];
    hash_of(provider, subject, hash);
    text_b64url(hash, 16, out);
}

int account_barred(struct db *db, const char *provider, const char *subject, struct err *err)
{
    unsigned char hash[32];
    hash_of(provider, subject, hash);
    struct db_stmt *st = db_named(db, "account.barred");
    db_blob(st, 1, hash, sizeof hash);
    int rc = db_step(st, err);
    db_end(st);
    return rc;
}

int account_bar(struct db *db, const char *provider, const char *subject, int64_t now,
                struct err *err)
{
    unsigned char hash[32];
    hash_of(provider, subject, hash);
    struct db_stmt *st = db_named(db, "account.bar");
    db_blob(st, 1, hash, sizeof hash);
    db_text(st, 2, provider);
    db_int(st, 3, now);
    return db_run(st, err) < 0 ? -1 : 0;
}

static int not_barred(struct db *db, const struct account_profile *p, struct err *err)
{
    int rc = account_barred(db, p->provider, p->subject, err);
    if (rc > 0)
        return err_set(err, ERR_NOT_ALLOWED, "the identity's account was deleted for good");
    return rc;
}

/* 1: added; 0: it is somebody's. linked 0: the account begins with it. */
static int add_identity(struct db *db, const char *account, const struct account_profile *p,
                        int64_t now, bool linked, struct err *err)
{
    struct db_stmt *st = db_named(db, "account.add_identity");
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
    db_text(st, 11, account);
    if (linked)
        db_int(st, 12, now);
    else
        db_text(st, 12, NULL);
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int account_make(struct db *db, const struct account_profile *p, int64_t now, struct account *out,
                 struct err *err)
{
    memset(out, 0, sizeof *out);
    if (proper(p, err) < 0 || not_barred(db, p, err) < 0)
        return -1;
    rng_id(out->id);
    struct db_stmt *st = db_named(db, "account.add");
    db_text(st, 1, out->id);
    db_int(st, 2, now);
    if (db_run(st, err) < 0)
        return -1;
    int rc = add_identity(db, out->id, p, now, false, err);
    out->created = rc == 1;
    if (rc != 0)
        return rc;
    st = db_named(db, "account.drop");
    db_text(st, 1, out->id);
    return db_run(st, err) < 0 ? -1 : 0;
}

int account_attach(struct db *db, const char *account, const struct account_profile *p, int64_t now,
                   struct err *err)
{
    struct account mine;
    if (proper(p, err) < 0 || not_barred(db, p, err) < 0)
        return -1;
    int rc = account_look(db, account, now, &mine, err);
    if (rc == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such account");
    if (rc > 0 && mine.disabled)
        return err_set(err, ERR_NOT_ALLOWED, "the account is disabled");
    return rc < 0 ? -1 : add_identity(db, account, p, now, true, err);
}

int account_sign_in(struct db *db, const struct account_profile *p, int64_t now,
                    struct account *out, struct err *err)
{
    int rc = account_known(db, p, now, out, err);
    if (rc == 0)
        rc = account_make(db, p, now, out, err);
    if (rc == 0)
        rc = account_known(db, p, now, out, err);
    if (rc == 0)
        return err_set(err, ERR_INTERNAL, "an identity is neither there nor can it be made");
    return rc < 0 ? -1 : 0;
}

/* ---- looking */

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

int account_look(struct db *db, const char *id, int64_t now, struct account *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    struct db_stmt *st = db_named(db, "account.look");
    db_text(st, 1, id);
    db_int(st, 2, now);
    return take(st, out, err);
}

int account_holders(struct db *db, const char *email, int64_t now, struct arena *a,
                    struct account_holder *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "account.holders");
    db_text(st, 1, email);
    db_int(st, 2, now);
    db_int(st, 3, ACCOUNT_HOLDERS_MAX);
    int rc, n = 0;
    while ((rc = db_step(st, err)) == 1 && n < ACCOUNT_HOLDERS_MAX) {
        struct account_holder *h = &out[n++];
        if (take_id(st, 0, h->account, err) < 0) {
            db_end(st);
            return -1;
        }
        h->disabled = db_col_int(st, 1) > 0;
        h->provider = arena_dup(a, db_col_text(st, 2));
        h->email_evidence = (int)db_col_int(st, 3);
        h->last_seen = db_col_int(st, 4);
    }
    if (rc == 1)
        db_end(st);
    return rc < 0 ? -1 : n;
}
