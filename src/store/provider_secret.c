/* SPDX-License-Identifier: Apache-2.0 */
#include "store/provider_secret.h"

#include <stdio.h>
#include <stdlib.h>

#define PURPOSE "provider_secret"
#define SEALED_MAX (128u * 1024)
#define AAD_MAX 512

static const char *const slot_names[SECRET_SLOTS] = {"active", "next", "retiring"};

const char *secret_slot_name(enum secret_slot slot)
{
    return slot_names[slot];
}

int secret_slot_of(const char *name)
{
    for (int i = 0; i < SECRET_SLOTS; i++)
        if (strcmp(name, slot_names[i]) == 0)
            return i;
    return -1;
}

/* Where the secret belongs, so that it opens nowhere else. */
static void aad_of(const struct provider_secret_row *row, struct buf *aad)
{
    buf_init(aad, AAD_MAX);
    buf_text(aad, PURPOSE);
    buf_byte(aad, '\0');
    buf_text(aad, row->provider);
    buf_byte(aad, '\0');
    buf_text(aad, row->key);
    buf_byte(aad, '\0');
    buf_text(aad, slot_names[row->slot]);
    if (!buf_ok(aad)) /* ids and keys are bounded where they come in */
        abort();
}

void provider_secret_seal(const struct keyring *keys, const struct provider_secret_row *row,
                          const struct secret *secret, struct buf *out)
{
    struct buf aad;
    aad_of(row, &aad);
    keyring_seal(keys, PURPOSE, buf_view(&aad), secret_reveal(secret), out);
    buf_deinit(&aad);
}

struct secret *provider_secret_open(const struct keyring *keys,
                                    const struct provider_secret_row *row, struct err *err)
{
    struct secret *secret = NULL;
    struct buf aad, plain;
    aad_of(row, &aad);
    buf_init(&plain, SEALED_MAX);
    if (keyring_unseal(keys, PURPOSE, buf_view(&aad), row->sealed, &plain, err) < 0)
        err_context(err, "provider %s: %s, %s", row->provider, row->key, slot_names[row->slot]);
    else if (!buf_ok(&plain))
        err_set(err, ERR_INTERNAL, "provider %s: the stored %s is too long", row->provider,
                row->key);
    else
        secret = secret_new(plain.p, plain.n);
    buf_wipe(&plain);
    buf_deinit(&aad);
    return secret;
}

static void bind_place(struct db_stmt *st, const struct provider_secret_row *row)
{
    db_text(st, 1, row->provider);
    db_text(st, 2, row->key);
    db_int(st, 3, row->slot);
}

int provider_secret_put(struct db *db, const struct provider_secret_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_secret.put");
    bind_place(st, row);
    db_blob(st, 4, row->sealed.p, row->sealed.n);
    db_int(st, 5, row->created);
    if (row->expires > 0)
        db_int(st, 6, row->expires);
    else
        db_text(st, 6, NULL);
    return db_run(st, err) < 0 ? -1 : 0;
}

/* Strings and bytes stay the statement's. */
static int read_row(struct db_stmt *st, struct provider_secret_row *row, struct err *err)
{
    int64_t slot = db_col_int(st, 2);
    if (slot < 0 || slot >= SECRET_SLOTS)
        return err_set(err, ERR_INTERNAL, "a stored secret lies in no slot there is");
    row->provider = db_col_text(st, 0);
    row->key = db_col_text(st, 1);
    row->slot = (enum secret_slot)slot;
    row->sealed = db_col_blob(st, 3);
    row->created = db_col_int(st, 4);
    row->expires = db_col_null(st, 5) ? 0 : db_col_int(st, 5);
    return 0;
}

static void keep_row(struct arena *a, struct provider_secret_row *row)
{
    row->provider = arena_dup(a, row->provider);
    row->key = arena_dup(a, row->key);
    row->sealed.p = arena_str(a, row->sealed);
}

int provider_secret_get(struct db *db, const struct provider_secret_row *which, struct arena *a,
                        struct provider_secret_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_secret.get");
    bind_place(st, which);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    rc = read_row(st, out, err) < 0 ? -1 : 1;
    if (rc == 1)
        keep_row(a, out);
    db_end(st);
    return rc;
}

int provider_secret_drop(struct db *db, const struct provider_secret_row *which, struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_secret.drop");
    bind_place(st, which);
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

/* Sealed for the place and with the times of `row`. */
static int put_sealed(struct db *db, const struct keyring *keys, struct provider_secret_row row,
                      const struct secret *secret, struct err *err)
{
    struct buf sealed;
    buf_init(&sealed, SEALED_MAX);
    provider_secret_seal(keys, &row, secret, &sealed);
    row.sealed = buf_view(&sealed);
    int rc = buf_ok(&sealed) ? provider_secret_put(db, &row, err)
                             : err_set(err, ERR_INTERNAL, "a stored secret is too long");
    buf_deinit(&sealed);
    return rc;
}

int provider_secret_move(struct db *db, const struct keyring *keys,
                         const struct provider_secret_row *which, enum secret_slot to,
                         struct err *err)
{
    struct provider_secret_row was;
    struct arena *a = arena_new();
    int rc = provider_secret_get(db, which, a, &was, err);
    if (rc == 1) {
        struct provider_secret_row row = was;
        struct secret *secret = provider_secret_open(keys, &was, err);
        row.slot = to;
        if (!secret || put_sealed(db, keys, row, secret, err) < 0 ||
            provider_secret_drop(db, &was, err) < 0)
            rc = -1;
        secret_free(&secret);
    }
    arena_free(&a);
    return rc;
}

int provider_secret_each(struct db *db, const char *provider,
                         int (*each)(void *arg, const struct provider_secret_row *row,
                                     struct err *err),
                         void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_secret.all");
    struct provider_secret_row row;
    db_text(st, 1, provider ? provider : "");
    int rc;
    while ((rc = db_step(st, err)) == 1) {
        if (read_row(st, &row, err) < 0 || each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}

/* ---- sealing again ---- */

static int old_rows(struct db *db, const unsigned char current[4],
                    const struct provider_secret_reseal *from, struct arena *a,
                    struct provider_secret_row rows[PROVIDER_SECRET_BATCH], struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_secret.page_old");
    db_blob(st, 1, current, 4);
    db_text(st, 2, from->provider);
    db_text(st, 3, from->key);
    db_int(st, 4, from->slot);
    db_int(st, 5, PROVIDER_SECRET_BATCH);
    int n = 0, rc;
    while ((rc = db_step(st, err)) == 1 && n < PROVIDER_SECRET_BATCH) {
        if (read_row(st, &rows[n], err) < 0) {
            db_end(st);
            return -1;
        }
        keep_row(a, &rows[n++]);
    }
    return rc < 0 ? -1 : n;
}

int provider_secret_reseal(struct db *db, const struct keyring *keys,
                           const struct provider_secret_reseal *from,
                           struct provider_secret_reseal *to, struct err *err)
{
    struct arena *a = arena_new();
    struct provider_secret_row *rows = arena_alloc(a, PROVIDER_SECRET_BATCH * sizeof *rows);
    unsigned char current[4];
    keyring_current(keys, current);
    *to = *from;
    int n = old_rows(db, current, from, a, rows, err);
    int rc = n < 0 ? -1 : n == PROVIDER_SECRET_BATCH;
    for (int i = 0; i < n && rc >= 0; i++) {
        struct err why = ERR_INIT;
        struct secret *secret = provider_secret_open(keys, &rows[i], &why);
        if (secret && put_sealed(db, keys, rows[i], secret, err) < 0)
            rc = -1;
        to->stuck += secret == NULL;
        to->done += secret != NULL;
        secret_free(&secret);
        (void)snprintf(to->provider, sizeof to->provider, "%s", rows[i].provider);
        (void)snprintf(to->key, sizeof to->key, "%s", rows[i].key);
        to->slot = rows[i].slot;
    }
    arena_free(&a);
    return rc;
}

int64_t provider_secret_count(struct db *db, const unsigned char key_id[4], struct err *err)
{
    struct db_stmt *st =
        db_named(db, key_id ? "provider_secret.count_sealed_with" : "provider_secret.count");
    if (key_id)
        db_blob(st, 1, key_id, 4);
    if (db_step(st, err) != 1)
        return err_set(err, ERR_INTERNAL, "the stored secrets cannot be counted");
    int64_t n = db_col_int(st, 0);
    db_end(st);
    return n;
}
