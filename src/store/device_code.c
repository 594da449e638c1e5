/* SPDX-License-Identifier: Apache-2.0 */
#include "store/device_code.h"

static const char *const states[] = {[DEVICE_WAITING] = "waiting",
                                     [DEVICE_ALLOWED] = "allowed",
                                     [DEVICE_DENIED] = "denied",
                                     [DEVICE_USED] = "used"};

int device_code_add(struct db *db, const struct device_code_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "device_code.add");
    db_blob(st, 1, row->hash, sizeof row->hash);
    db_blob(st, 2, row->user_code, sizeof row->user_code);
    db_text(st, 3, row->app);
    db_text(st, 4, row->scopes);
    db_text(st, 5, row->resource);
    db_int(st, 6, row->poll_every);
    db_text(st, 7, row->ip);
    db_text(st, 8, row->user_agent);
    db_int(st, 9, row->created);
    db_int(st, 10, row->expires);
    return db_run(st, err) < 0 ? -1 : 0;
}

static const char *kept(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text) : NULL;
}

static int state_of(const char *word, enum device_state *out)
{
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (word && strcmp(word, states[i]) == 0) {
            *out = (enum device_state)i;
            return 0;
        }
    }
    return -1;
}

static int take(struct db_stmt *st, struct arena *a, struct device_code_row *out, struct err *err)
{
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    const struct str hash = db_col_blob(st, 0), user_code = db_col_blob(st, 1);
    *out = (struct device_code_row){
        .app = kept(a, db_col_text(st, 2)),
        .scopes = kept(a, db_col_text(st, 3)),
        .resource = kept(a, db_col_text(st, 4)),
        .grant = kept(a, db_col_text(st, 6)),
        .poll_every = db_col_int(st, 7),
        .last_poll = db_col_null(st, 8) ? 0 : db_col_int(st, 8),
        .ip = kept(a, db_col_text(st, 9)),
        .user_agent = kept(a, db_col_text(st, 10)),
        .created = db_col_int(st, 11),
        .expires = db_col_int(st, 12),
    };
    if (hash.n != 32 || user_code.n != 32 || state_of(db_col_text(st, 5), &out->state) < 0) {
        rc = err_set(err, ERR_INTERNAL, "a stored device code makes no sense");
    } else {
        memcpy(out->hash, hash.p, 32);
        memcpy(out->user_code, user_code.p, 32);
    }
    db_end(st);
    return rc;
}

int device_code_get(struct db *db, const unsigned char hash[32], struct arena *a,
                    struct device_code_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "device_code.get");
    db_blob(st, 1, hash, 32);
    return take(st, a, out, err);
}

int device_code_typed(struct db *db, const unsigned char user_code[32], struct arena *a,
                      struct device_code_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "device_code.typed");
    db_blob(st, 1, user_code, 32);
    return take(st, a, out, err);
}

int device_code_polled(struct db *db, const unsigned char hash[32], int64_t now, int64_t poll_every,
                       struct err *err)
{
    struct db_stmt *st = db_named(db, "device_code.polled");
    db_blob(st, 1, hash, 32);
    db_int(st, 2, now);
    db_int(st, 3, poll_every);
    return db_run(st, err) < 0 ? -1 : 0;
}

int device_code_decide(struct db *db, const unsigned char hash[32], const char *grant,
                       struct err *err)
{
    struct db_stmt *st = db_named(db, "device_code.decide");
    db_blob(st, 1, hash, 32);
    db_text(st, 2, states[grant ? DEVICE_ALLOWED : DEVICE_DENIED]);
    db_text(st, 3, grant);
    const int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int device_code_use(struct db *db, const unsigned char hash[32], struct err *err)
{
    struct db_stmt *st = db_named(db, "device_code.use");
    db_blob(st, 1, hash, 32);
    const int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int64_t device_code_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
{
    struct db_stmt *st = db_named(db, "device_code.sweep");
    db_int(st, 1, now - DEVICE_CODE_KEPT);
    db_int(st, 2, max);
    return db_run(st, err);
}
