/* SPDX-License-Identifier: Apache-2.0 */
#include "store/upstream_token.h"

#include <stdio.h>
#include <stdlib.h>

#include "sys/clock.h"

#define PURPOSE "upstream_token"
#define SEALED_MAX (32u * 1024)
#define AAD_MAX 512
#define SOON 60 /* an access token with less than that to live counts as expired */

/* ---- sealing ---- */

static void aad_of(const struct upstream_token *t, const char *kind, struct buf *aad)
{
    buf_init(aad, AAD_MAX);
    buf_text(aad, PURPOSE);
    buf_byte(aad, '\0');
    buf_text(aad, t->provider);
    buf_byte(aad, '\0');
    buf_text(aad, t->subject);
    buf_byte(aad, '\0');
    buf_text(aad, kind);
    if (!buf_ok(aad)) /* ids and subjects are bounded where they come in */
        abort();
}

static int seal(const struct keyring *keys, const struct upstream_token *t, const char *kind,
                const struct secret *token, struct buf *out, struct err *err)
{
    struct buf aad;
    buf_init(out, SEALED_MAX);
    if (!token)
        return 0;
    aad_of(t, kind, &aad);
    keyring_seal(keys, PURPOSE, buf_view(&aad), secret_reveal(token), out);
    buf_deinit(&aad);
    return buf_ok(out) ? 0 : err_set(err, ERR_UPSTREAM_BAD, "an upstream's token is too long");
}

static struct secret *open_one(const struct keyring *keys, const struct upstream_token *t,
                               const char *kind, struct str sealed, struct err *err)
{
    struct secret *token = NULL;
    struct buf aad, plain;
    aad_of(t, kind, &aad);
    buf_init(&plain, SEALED_MAX);
    if (keyring_unseal(keys, PURPOSE, buf_view(&aad), sealed, &plain, err) < 0)
        err_context(err, "provider %s: %s token", t->provider, kind);
    else
        token = secret_new(plain.p, plain.n);
    buf_wipe(&plain);
    buf_deinit(&aad);
    return token;
}

/* Both tokens sealed and bound, then the statement run. How many rows, or -1. */
static int64_t run_sealed(struct db_stmt *st, const struct keyring *keys,
                          const struct upstream_token *t, int at, struct err *err)
{
    struct buf access, refresh;
    int64_t n = -1;
    if (seal(keys, t, "access", t->access, &access, err) == 0) {
        if (seal(keys, t, "refresh", t->refresh, &refresh, err) == 0) {
            db_blob(st, at, access.p, access.n);
            if (t->refresh)
                db_blob(st, at + 1, refresh.p, refresh.n);
            else
                db_text(st, at + 1, NULL);
            n = db_run(st, err);
        }
        buf_deinit(&refresh);
    }
    buf_deinit(&access);
    return n;
}

/* ---- rows ---- */

void upstream_token_deinit(struct upstream_token *t)
{
    secret_free(&t->access);
    secret_free(&t->refresh);
}

bool upstream_token_fresh(const struct upstream_token *t, int64_t now)
{
    return t->expires == 0 || t->expires > now + SOON;
}

int64_t upstream_token_version(void)
{
    return clock_wall().us;
}

static void bind_whose(struct db_stmt *st, const struct upstream_token *t, int64_t version)
{
    db_text(st, 1, t->provider);
    db_text(st, 2, t->subject);
    db_int(st, 3, version);
}

static void bind_expires(struct db_stmt *st, int i, const struct upstream_token *t)
{
    if (t->expires > 0)
        db_int(st, i, t->expires);
    else
        db_text(st, i, NULL);
}

static int put(struct db_stmt *st, const struct keyring *keys, const struct upstream_token *t,
               struct err *err)
{
    db_text(st, 1, t->provider);
    db_text(st, 2, t->subject);
    db_text(st, 5, t->scope);
    bind_expires(st, 6, t);
    db_int(st, 7, t->obtained);
    db_int(st, 8, t->version);
    return run_sealed(st, keys, t, 3, err) < 0 ? -1 : 0;
}

int upstream_token_put(struct db *db, const struct keyring *keys, const struct upstream_token *t,
                       struct err *err)
{
    return put(db_named(db, "upstream_token.put"), keys, t, err);
}

int upstream_token_put_late(struct db *db, const struct keyring *keys,
                            const struct upstream_token *t, struct err *err)
{
    return put(db_named(db, "upstream_token.put_late"), keys, t, err);
}

struct sealed {
    struct str access, refresh; /* the statement's; refresh.p NULL: none */
};

static void read_row(struct db_stmt *st, struct arena *a, struct upstream_token *out,
                     struct sealed *sealed)
{
    const char *scope = db_col_text(st, 4);
    *out = (struct upstream_token){.provider = arena_dup(a, db_col_text(st, 0)),
                                   .subject = arena_dup(a, db_col_text(st, 1)),
                                   .scope = scope ? arena_dup(a, scope) : NULL,
                                   .expires = db_col_null(st, 5) ? 0 : db_col_int(st, 5),
                                   .obtained = db_col_int(st, 6),
                                   .version = db_col_int(st, 7),
                                   .busy = db_col_int(st, 8)};
    sealed->access = db_col_blob(st, 2);
    sealed->refresh = db_col_null(st, 3) ? (struct str){NULL, 0} : db_col_blob(st, 3);
}

static int open_row(const struct keyring *keys, const struct sealed *sealed,
                    struct upstream_token *t, struct err *err)
{
    t->access = open_one(keys, t, "access", sealed->access, err);
    if (t->access && sealed->refresh.p)
        t->refresh = open_one(keys, t, "refresh", sealed->refresh, err);
    if (t->access && (t->refresh || !sealed->refresh.p))
        return 0;
    upstream_token_deinit(t);
    return -1;
}

/* The one row of a look-up. */
static int take(struct db_stmt *st, const struct keyring *keys, struct arena *a,
                struct upstream_token *out, struct err *err)
{
    struct sealed sealed;
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    read_row(st, a, out, &sealed);
    rc = open_row(keys, &sealed, out, err) < 0 ? -1 : 1;
    db_end(st);
    return rc;
}

int upstream_token_get(struct db *db, const struct keyring *keys, struct arena *a,
                       struct upstream_token *t, struct err *err)
{
    struct db_stmt *st = db_named(db, "upstream_token.get");
    db_text(st, 1, t->provider);
    db_text(st, 2, t->subject);
    return take(st, keys, a, t, err);
}

int upstream_token_of_account(struct db *db, const struct keyring *keys, struct arena *a,
                              const struct upstream_token_of *of, struct upstream_token *out,
                              struct err *err)
{
    struct db_stmt *st = db_named(db, "upstream_token.of_account");
    db_text(st, 1, of->account);
    db_text(st, 2, of->provider);
    db_text(st, 3, of->subject);
    return take(st, keys, a, out, err);
}

int upstream_token_claim(struct db *db, const struct upstream_token *t, int64_t now, int64_t until,
                         struct err *err)
{
    struct db_stmt *st = db_named(db, "upstream_token.claim");
    bind_whose(st, t, t->version);
    db_int(st, 4, until);
    db_int(st, 5, now);
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int upstream_token_renew(struct db *db, const struct keyring *keys, const struct upstream_token *t,
                         int64_t was, struct err *err)
{
    struct db_stmt *st = db_named(db, "upstream_token.renew");
    bind_whose(st, t, was);
    db_text(st, 6, t->scope);
    bind_expires(st, 7, t);
    db_int(st, 8, t->obtained);
    db_int(st, 9, t->version);
    int64_t n = run_sealed(st, keys, t, 4, err);
    return n < 0 ? -1 : n > 0;
}

int upstream_token_release(struct db *db, const struct upstream_token *t, struct err *err)
{
    struct db_stmt *st = db_named(db, "upstream_token.release");
    bind_whose(st, t, t->version);
    return db_run(st, err) < 0 ? -1 : 0;
}

int upstream_token_forget(struct db *db, const struct upstream_token *t, struct err *err)
{
    struct db_stmt *st = db_named(db, "upstream_token.forget");
    bind_whose(st, t, t->version);
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int upstream_token_any(struct db *db, const char *provider, struct err *err)
{
    struct db_stmt *st = db_named(db, "upstream_token.any");
    db_text(st, 1, provider);
    int rc = db_step(st, err);
    if (rc == 1)
        db_end(st);
    return rc;
}

int64_t upstream_token_forget_provider(struct db *db, const char *provider, int64_t max,
                                       struct err *err)
{
    struct db_stmt *st = db_named(db, "upstream_token.forget_provider");
    db_text(st, 1, provider);
    db_int(st, 2, max);
    return db_run(st, err);
}

/* ---- sealing again ---- */

struct old_row {
    struct upstream_token t;
    struct sealed sealed; /* in the arena */
};

static int old_rows(struct db *db, const struct keyring *keys,
                    const struct upstream_token_reseal *from, struct arena *a,
                    struct old_row rows[UPSTREAM_TOKEN_BATCH], struct err *err)
{
    struct db_stmt *st = db_named(db, "upstream_token.page_old");
    unsigned char current[4];
    keyring_current(keys, current);
    db_blob(st, 1, current, 4);
    db_text(st, 2, from->provider);
    db_text(st, 3, from->subject);
    db_int(st, 4, UPSTREAM_TOKEN_BATCH);
    int n = 0, rc;
    while ((rc = db_step(st, err)) == 1) {
        struct old_row *row = &rows[n++];
        read_row(st, a, &row->t, &row->sealed);
        row->sealed.access.p = arena_str(a, row->sealed.access);
        if (row->sealed.refresh.p)
            row->sealed.refresh.p = arena_str(a, row->sealed.refresh);
    }
    return rc < 0 ? -1 : n;
}

/* 1: sealed anew; 0: cannot be opened. */
static int reseal_row(struct db *db, const struct keyring *keys, struct old_row *row,
                      struct err *err)
{
    struct err why = ERR_INIT;
    if (open_row(keys, &row->sealed, &row->t, &why) < 0)
        return 0;
    struct db_stmt *st = db_named(db, "upstream_token.reseal");
    bind_whose(st, &row->t, row->t.version);
    int64_t n = run_sealed(st, keys, &row->t, 4, err);
    upstream_token_deinit(&row->t);
    return n < 0 ? -1 : 1;
}

int upstream_token_reseal(struct db *db, const struct keyring *keys,
                          const struct upstream_token_reseal *from,
                          struct upstream_token_reseal *to, struct err *err)
{
    struct arena *a = arena_new();
    struct old_row *rows = arena_alloc(a, UPSTREAM_TOKEN_BATCH * sizeof *rows);
    *to = *from;
    int n = old_rows(db, keys, from, a, rows, err);
    int rc = n < 0 ? -1 : n == UPSTREAM_TOKEN_BATCH;
    for (int i = 0; i < n && rc >= 0; i++) {
        int done = reseal_row(db, keys, &rows[i], err);
        if (done < 0)
            rc = -1;
        to->done += done == 1;
        to->stuck += done == 0;
        (void)snprintf(to->provider, sizeof to->provider, "%s", rows[i].t.provider);
        (void)snprintf(to->subject, sizeof to->subject, "%s", rows[i].t.subject);
    }
    arena_free(&a);
    return rc;
}

int64_t upstream_token_count(struct db *db, const unsigned char key_id[4], struct err *err)
{
    struct db_stmt *st = db_named(db, "upstream_token.count_sealed_with");
    db_blob(st, 1, key_id, 4);
    if (db_step(st, err) != 1)
        return err_set(err, ERR_INTERNAL, "the kept tokens cannot be counted");
    int64_t n = db_col_int(st, 0);
    db_end(st);
    return n;
}
