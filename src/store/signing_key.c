/* SPDX-License-Identifier: Apache-2.0 */
#include "store/signing_key.h"

#include <stdio.h>
#include <stdlib.h>

#define PURPOSE "signing_key"
#define AAD_MAX 256
#define KID_ROOM 128

/* What the key is, so that it opens as nothing else. */
static void aad_of(const char *kid, const char *alg, struct buf *aad)
{
    buf_init(aad, AAD_MAX);
    buf_text(aad, PURPOSE);
    buf_byte(aad, '\0');
    buf_text(aad, kid);
    buf_byte(aad, '\0');
    buf_text(aad, alg);
    if (!buf_ok(aad)) /* both are made here */
        abort();
}

void signing_key_seal(const struct keyring *keys, const char *kid, const char *alg, struct str pem,
                      struct buf *out)
{
    struct buf aad;
    aad_of(kid, alg, &aad);
    keyring_seal(keys, PURPOSE, buf_view(&aad), pem, out);
    buf_deinit(&aad);
}

int signing_key_open(const struct keyring *keys, const struct signing_key_row *row, struct buf *out,
                     struct err *err)
{
    struct buf aad;
    if (strlen(row->kid) + strlen(row->alg) > AAD_MAX / 2)
        return err_set(err, ERR_INTERNAL, "a stored signing key has a name nobody here gave it");
    aad_of(row->kid, row->alg, &aad);
    int rc = keyring_unseal(keys, PURPOSE, buf_view(&aad), row->sealed, out, err);
    if (rc == 0 && !buf_ok(out))
        rc = err_set(err, ERR_INTERNAL, "it is too long");
    if (rc < 0)
        err_context(err, "signing key %s", row->kid);
    buf_deinit(&aad);
    return rc;
}

int signing_key_add(struct db *db, const struct signing_key_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "signing_key.add");
    db_text(st, 1, row->kid);
    db_text(st, 2, row->alg);
    db_blob(st, 3, row->sealed.p, row->sealed.n);
    db_int(st, 4, row->created);
    db_int(st, 5, row->active_from);
    return db_run(st, err) < 0 ? -1 : 0;
}

int signing_key_retire(struct db *db, const char *kid, int64_t at, struct err *err)
{
    struct db_stmt *st = db_named(db, "signing_key.retire");
    db_text(st, 1, kid);
    db_int(st, 2, at);
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int64_t signing_key_drop(struct db *db, int64_t before, struct err *err)
{
    struct db_stmt *st = db_named(db, "signing_key.drop");
    db_int(st, 1, before);
    return db_run(st, err);
}

/* Strings and bytes stay the statement's. */
static void read_row(struct db_stmt *st, struct signing_key_row *row)
{
    row->kid = db_col_text(st, 0);
    row->alg = db_col_text(st, 1);
    row->sealed = db_col_blob(st, 2);
    row->created = db_col_int(st, 3);
    row->active_from = db_col_int(st, 4);
    row->retired_at = db_col_null(st, 5) ? 0 : db_col_int(st, 5);
}

int signing_key_each(struct db *db,
                     int (*each)(void *arg, const struct signing_key_row *row, struct err *err),
                     void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, "signing_key.all");
    struct signing_key_row row;
    int rc;
    while ((rc = db_step(st, err)) == 1) {
        read_row(st, &row);
        if (each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}

/* ---- sealing again ---- */

static int put_sealed(struct db *db, const char *kid, struct str sealed, struct err *err)
{
    struct db_stmt *st = db_named(db, "signing_key.seal");
    db_text(st, 1, kid);
    db_blob(st, 2, sealed.p, sealed.n);
    return db_run(st, err) < 0 ? -1 : 0;
}

/* The next one behind `kid`, which it becomes. 1; 0: none is left. */
static int reseal_one(struct db *db, const struct keyring *keys, char kid[KID_ROOM], int64_t *done,
                      int64_t *stuck, struct err *err)
{
    struct signing_key_row row;
    struct buf pem, sealed;
    struct err why = ERR_INIT;
    unsigned char current[4];
    char last[KID_ROOM];
    keyring_current(keys, current);
    memcpy(last, kid, sizeof last);
    struct db_stmt *st = db_named(db, "signing_key.page_old");
    db_blob(st, 1, current, sizeof current);
    db_text(st, 2, last);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    read_row(st, &row);
    buf_init(&pem, SIGNING_KEY_SEALED_MAX);
    buf_init(&sealed, SIGNING_KEY_SEALED_MAX);
    (void)snprintf(kid, KID_ROOM, "%s", row.kid);
    const int opened = signing_key_open(keys, &row, &pem, &why);
    if (opened == 0)
        signing_key_seal(keys, row.kid, row.alg, buf_view(&pem), &sealed);
    db_end(st);
    *done += opened == 0;
    *stuck += opened < 0;
    if (opened == 0 && !buf_ok(&sealed))
        rc = err_set(err, ERR_INTERNAL, "a signing key is too long");
    else if (opened == 0)
        rc = put_sealed(db, kid, buf_view(&sealed), err) < 0 ? -1 : 1;
    buf_deinit(&sealed);
    buf_wipe(&pem);
    return rc;
}

int signing_key_reseal(struct db *db, const struct keyring *keys, int64_t *done, int64_t *stuck,
                       struct err *err)
{
    char kid[KID_ROOM] = "";
    int rc;
    *done = *stuck = 0;
    do
        rc = reseal_one(db, keys, kid, done, stuck, err);
    while (rc == 1);
    return rc;
}

int64_t signing_key_count(struct db *db, const unsigned char key_id[4], struct err *err)
{
    struct db_stmt *st = db_named(db, "signing_key.count_sealed_with");
    db_blob(st, 1, key_id, 4);
    if (db_step(st, err) != 1)
        return err_set(err, ERR_INTERNAL, "the signing keys cannot be counted");
    int64_t n = db_col_int(st, 0);
    db_end(st);
    return n;
}
