/* SPDX-License-Identifier: Apache-2.0 */
#include "store/session_row.h"

int session_row_add(struct db *db, const struct session_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "session_row.add");
    db_blob(st, 1, row->hash, sizeof row->hash);
    db_text(st, 2, row->id);
    db_text(st, 3, row->account);
    db_text(st, 4, row->provider);
    db_text(st, 5, row->subject);
    db_text(st, 6, row->username);
    db_text(st, 7, row->name);
    db_text(st, 8, row->email);
    db_int(st, 9, row->email_evidence);
    db_text(st, 10, row->picture);
    db_text(st, 11, row->groups);
    db_text(st, 12, row->amr);
    db_text(st, 13, row->ip);
    db_text(st, 14, row->user_agent);
    db_int(st, 15, row->created);
    db_int(st, 16, row->seen);
    db_int(st, 17, row->ends);
    if (row->auth_time > 0)
        db_int(st, 18, row->auth_time);
    else
        db_text(st, 18, NULL);
    return db_run(st, err) < 0 ? -1 : 0;
}

int session_row_end(struct db *db, const unsigned char hash[32], struct err *err)
{
    struct db_stmt *st = db_named(db, "session_row.end");
    db_blob(st, 1, hash, 32);
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int session_row_touch(struct db *db, const unsigned char hash[32], int64_t seen, struct err *err)
{
    struct db_stmt *st = db_named(db, "session_row.touch");
    db_blob(st, 1, hash, 32);
    db_int(st, 2, seen);
    return db_run(st, err) < 0 ? -1 : 0;
}

int64_t session_row_sweep(struct db *db, unsigned char slice, int64_t now, int64_t idle_before,
                          int64_t max, struct err *err)
{
    unsigned char from[32], to[32];
    memset(from, 0x00, sizeof from);
    memset(to, 0xff, sizeof to);
    from[0] = to[0] = slice;
    struct db_stmt *st = db_named(db, "session_row.sweep");
    db_blob(st, 1, from, sizeof from);
    db_blob(st, 2, to, sizeof to);
    db_int(st, 3, now);
    db_int(st, 4, idle_before);
    db_int(st, 5, max);
    return db_run(st, err);
}

/* The strings stay the statement's. */
static int read_row(struct db_stmt *st, struct session_row *row, struct err *err)
{
    struct str hash = db_col_blob(st, 0);
    if (hash.n != sizeof row->hash)
        return err_set(err, ERR_INTERNAL, "a stored session's hash is not 32 bytes long");
    memcpy(row->hash, hash.p, sizeof row->hash);
    row->id = db_col_text(st, 1);
    row->account = db_col_text(st, 2);
    row->provider = db_col_text(st, 3);
    row->subject = db_col_text(st, 4);
    row->username = db_col_text(st, 5);
    row->name = db_col_text(st, 6);
    row->email = db_col_text(st, 7);
    row->email_evidence = (int)db_col_int(st, 8);
    row->picture = db_col_text(st, 9);
    row->groups = db_col_text(st, 10);
    row->amr = db_col_text(st, 11);
    row->ip = db_col_text(st, 12);
    row->user_agent = db_col_text(st, 13);
    row->created = db_col_int(st, 14);
    row->seen = db_col_int(st, 15);
    row->ends = db_col_int(st, 16);
    row->roles = db_col_text(st, 17);
    row->auth_time = db_col_null(st, 18) ? 0 : db_col_int(st, 18);
    return 0;
}

int64_t session_row_read(struct db *db, const struct session_row_page *page,
                         int (*each)(void *arg, const struct session_row *row, struct err *err),
                         void *arg, struct err *err)
{
    struct session_row row = {.ends = 0};
    struct db_stmt *st = db_named(db, "session_row.page");
    db_blob(st, 1, page->after ? page->after : row.hash, page->after ? sizeof row.hash : 0);
    db_int(st, 2, page->now);
    db_int(st, 3, page->idle_before);
    db_int(st, 4, page->max);
    int64_t n = 0;
    int rc;
    for (; (rc = db_step(st, err)) == 1; n++) {
        if (read_row(st, &row, err) < 0 || each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc < 0 ? -1 : n;
}

static const char *keep(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text) : NULL;
}

/* The strings are copied: a statement's own last until its next step. */
static void keep_row(struct arena *a, struct session_row *row)
{
    const char **texts[] = {&row->id,       &row->account, &row->provider, &row->subject,
                            &row->username, &row->name,    &row->email,    &row->picture,
                            &row->groups,   &row->amr,     &row->ip,       &row->user_agent,
                            &row->roles};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = keep(a, *texts[i]);
}

void session_row_copy(struct arena *a, const struct session_row *row, struct session_row *out)
{
    *out = *row;
    keep_row(a, out);
}

int session_row_list(struct db *db, const struct session_row_of *of, struct arena *a,
                     struct session_row **out, size_t *n, struct err *err)
{
    struct session_row *list = arena_alloc(a, SESSION_ROW_LIST * sizeof *list);
    struct db_stmt *st = db_named(db, "session_row.list");
    db_text(st, 1, of->account);
    db_int(st, 2, of->now);
    db_int(st, 3, of->idle_before);
    db_int(st, 4, SESSION_ROW_LIST);
    int rc;
    for (*n = 0; (rc = db_step(st, err)) == 1; ++*n) {
        if (read_row(st, &list[*n], err) < 0) {
            db_end(st);
            return -1;
        }
        keep_row(a, &list[*n]);
    }
    *out = list;
    return rc;
}

int session_row_end_of(struct db *db, const char *account, const char *id, unsigned char hash[32],
                       struct err *err)
{
    struct db_stmt *st = db_named(db, "session_row.end_of");
    db_text(st, 1, account);
    db_text(st, 2, id);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    struct str found = db_col_blob(st, 0);
    if (found.n != 32) {
        db_end(st);
        return err_set(err, ERR_INTERNAL, "a stored session's hash is not 32 bytes long");
    }
    memcpy(hash, found.p, 32);
    rc = db_step(st, err); /* to its end: only then is the row gone */
    return rc < 0 ? -1 : 1;
}

int64_t session_row_end_others(struct db *db, const char *account, const unsigned char *but,
                               struct err *err)
{
    struct db_stmt *st = db_named(db, "session_row.end_others");
    db_text(st, 1, account);
    db_blob(st, 2, but, but ? 32 : 0); /* no hash is empty */
    return db_run(st, err);
}

int session_row_get(struct db *db, const unsigned char hash[32], struct arena *a,
                    struct session_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "session_row.get");
    db_blob(st, 1, hash, 32);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    if (read_row(st, out, err) < 0) {
        db_end(st);
        return -1;
    }
    keep_row(a, out);
    db_end(st);
    return 1;
}

int session_row_stands(struct db *db, const struct session_key *key, int64_t now, int64_t *ends,
                       struct err *err)
{
    struct db_stmt *st = db_named(db, "session_row.stands");
    db_text(st, 1, key->account);
    db_text(st, 2, key->id);
    db_int(st, 3, now);
    const int rc = db_step(st, err);
    if (rc == 1) {
        *ends = db_col_int(st, 0);
        db_end(st);
    }
    return rc;
}
