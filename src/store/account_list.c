/* SPDX-License-Identifier: Apache-2.0 */
#include "store/account_list.h"

#define TEXT_MAX 255 /* of what is searched for; subjects are as long */

static const char *keep(struct arena *a, struct db_stmt *st, int column)
{
    const char *text = db_col_text(st, column);
    return text ? arena_dup(a, text) : NULL;
}

static int64_t number(struct db_stmt *st, int column)
{
    return db_col_null(st, column) ? 0 : db_col_int(st, column);
}

/* ---- one account */

static void read_identity(struct db_stmt *st, struct arena *a, struct account_identity *i)
{
    *i = (struct account_identity){.provider = keep(a, st, 0),
                                   .subject = keep(a, st, 1),
                                   .username = keep(a, st, 2),
                                   .name = keep(a, st, 3),
                                   .email = keep(a, st, 4),
                                   .email_evidence = (int)db_col_int(st, 5),
                                   .picture = keep(a, st, 6),
                                   .locale = keep(a, st, 7),
                                   .groups = keep(a, st, 8),
                                   .first_seen = db_col_int(st, 9),
                                   .last_seen = db_col_int(st, 10),
                                   .linked = number(st, 11),
                                   .email_since = number(st, 12),
                                   .checked = number(st, 13)};
}

static int read_identities(struct db *db, struct account_row *row, struct arena *a, struct err *err)
{
    struct account_identity *v = NULL;
    size_t room = 0;
    struct db_stmt *st = db_named(db, "account_list.identities");
    db_text(st, 1, row->id);
    int rc;
    for (row->n = 0; (rc = db_step(st, err)) == 1; row->n++) {
        if (row->n == room) {
            room = room ? 2 * room : 4;
            struct account_identity *more = arena_alloc(a, room * sizeof *more);
            if (row->n > 0)
                memcpy(more, v, row->n * sizeof *more);
            v = more;
        }
        read_identity(st, a, &v[row->n]);
    }
    row->identities = v;
    return rc;
}

static void read_row(struct db_stmt *st, struct arena *a, int64_t now, struct account_row *row)
{
    *row = (struct account_row){.id = keep(a, st, 0),
                                .created = db_col_int(st, 1),
                                .disabled_since = number(st, 2),
                                .disabled_until = number(st, 3),
                                .disabled_reason = keep(a, st, 4)};
    row->disabled = !db_col_null(st, 2) && (db_col_null(st, 3) || row->disabled_until > now);
}

int account_get(struct db *db, const char *id, int64_t now, struct arena *a,
                struct account_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "account_list.get");
    db_text(st, 1, id);
    int rc = db_step(st, err);
    if (rc <= 0)
        return rc;
    read_row(st, a, now, out);
    db_end(st);
    return read_identities(db, out, a, err) < 0 ? -1 : 1;
}

const struct account_identity *account_identity_of(const struct account_row *row,
                                                   const char *handle)
{
    for (size_t i = 0; i < row->n; i++) {
        char its[23];
        account_handle(row->identities[i].provider, row->identities[i].subject, its);
        if (strcmp(its, handle) == 0)
            return &row->identities[i];
    }
    return NULL;
}

/* ---- many */

/* What LIKE takes for signs is searched for as it stands. */
static const char *pattern(const char *text, struct arena *a)
{
    const size_t n = strlen(text);
    char *out = arena_alloc(a, 2 * n + 3), *p = out;
    *p++ = '%';
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '%' || text[i] == '_' || text[i] == '\\')
            *p++ = '\\';
        *p++ = text[i];
    }
    *p++ = '%';
    *p = '\0';
    return out;
}

static void bind_filter(struct db_stmt *st, const struct account_filter *f, struct arena *a)
{
    const char *text = f->text ? f->text : "";
    db_text(st, 1, f->after ? f->after : "");
    db_text(st, 2, text);
    db_text(st, 3, pattern(text, a));
    db_text(st, 4, f->provider ? f->provider : "");
    db_text(st, 5, f->role ? f->role : "");
    db_int(st, 6, f->state);
    db_int(st, 7, f->now);
    db_int(st, 8, (int64_t)f->limit);
}

int account_search(struct db *db, const struct account_filter *filter, struct arena *a,
                   struct account_row **out, size_t *n, struct err *err)
{
    struct account_filter f = *filter;
    if (f.limit == 0 || f.limit > ACCOUNT_PAGE_MAX)
        f.limit = ACCOUNT_PAGE_MAX;
    if (f.text && strlen(f.text) > TEXT_MAX)
        return err_set(err, ERR_INVALID, "searching for more than %d bytes", TEXT_MAX);
    struct account_row *v = arena_alloc(a, f.limit * sizeof *v);
    struct db_stmt *st = db_named(db, "account_list.search");
    bind_filter(st, &f, a);
    int rc = 0;
    *n = 0;
    while (*n < f.limit && (rc = db_step(st, err)) == 1)
        read_row(st, a, f.now, &v[(*n)++]);
    if (rc == 1)
        db_end(st);
    for (size_t i = 0; i < *n && rc >= 0; i++)
        rc = read_identities(db, &v[i], a, err);
    *out = v;
    return rc < 0 ? -1 : 0;
}
