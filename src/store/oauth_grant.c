/* SPDX-License-Identifier: Apache-2.0 */
#include "store/oauth_grant.h"

static void bind_time(struct db_stmt *st, int i, int64_t at)
{
    if (at > 0)
        db_int(st, i, at);
    else
        db_text(st, i, NULL);
}

int oauth_grant_add(struct db *db, const struct oauth_grant_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "oauth_grant.add");
    db_text(st, 1, row->id);
    db_text(st, 2, row->app);
    db_text(st, 3, row->account);
    db_text(st, 4, row->session);
    db_text(st, 5, row->provider);
    db_text(st, 6, row->scopes);
    db_text(st, 7, row->resource);
    db_text(st, 8, row->claims);
    bind_time(st, 9, row->auth_time);
    db_text(st, 10, row->amr);
    db_text(st, 11, row->acr);
    db_text(st, 12, row->ip);
    db_text(st, 13, row->user_agent);
    db_int(st, 14, row->created);
    db_int(st, 15, row->ends);
    db_text(st, 16, row->sid);
    db_text(st, 17, row->subject);
    return db_run(st, err) < 0 ? -1 : 0;
}

static void read_row(struct db_stmt *st, struct oauth_grant_row *row)
{
    *row = (struct oauth_grant_row){
        .id = db_col_text(st, 0),
        .app = db_col_text(st, 1),
        .account = db_col_text(st, 2),
        .session = db_col_text(st, 3),
        .provider = db_col_text(st, 4),
        .scopes = db_col_text(st, 5),
        .resource = db_col_text(st, 6),
        .claims = db_col_text(st, 7),
        .auth_time = db_col_null(st, 8) ? 0 : db_col_int(st, 8),
        .amr = db_col_text(st, 9),
        .acr = db_col_text(st, 10),
        .ip = db_col_text(st, 11),
        .user_agent = db_col_text(st, 12),
        .created = db_col_int(st, 13),
        .ends = db_col_int(st, 14),
        .ended = db_col_null(st, 15) ? 0 : db_col_int(st, 15),
        .sid = db_col_text(st, 16),
        .subject = db_col_text(st, 17),
    };
}

static const char *kept(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text) : NULL;
}

static void keep_row(struct arena *a, struct oauth_grant_row *row)
{
    row->id = kept(a, row->id);
    row->app = kept(a, row->app);
    row->account = kept(a, row->account);
    row->session = kept(a, row->session);
    row->sid = kept(a, row->sid);
    row->provider = kept(a, row->provider);
    row->subject = kept(a, row->subject);
    row->scopes = kept(a, row->scopes);
    row->resource = kept(a, row->resource);
    row->claims = kept(a, row->claims);
    row->amr = kept(a, row->amr);
    row->acr = kept(a, row->acr);
    row->ip = kept(a, row->ip);
    row->user_agent = kept(a, row->user_agent);
}

int oauth_grant_get(struct db *db, const char *id, struct arena *a, struct oauth_grant_row *out,
                    struct err *err)
{
    struct db_stmt *st = db_named(db, "oauth_grant.get");
    db_text(st, 1, id);
    const int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    read_row(st, out);
    keep_row(a, out);
    db_end(st);
    return 1;
}

int oauth_grant_end(struct db *db, const char *id, int64_t now, struct err *err)
{
    struct db_stmt *st = db_named(db, "oauth_grant.end");
    db_text(st, 1, id);
    db_int(st, 2, now);
    const int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

/* The statement for what is asked, bound but for the time, which comes at *time. */
static struct db_stmt *filtered(struct db *db, const struct oauth_grant_filter *f,
                                const char *of_account, const char *of_session, int *time)
{
    struct db_stmt *st = db_named(db, f->account ? of_account : of_session);
    db_text(st, 1, f->account ? f->account : f->session);
    if (f->account)
        db_text(st, 2, f->app ? f->app : "");
    *time = f->account ? 3 : 2;
    return st;
}

int64_t oauth_grant_end_all(struct db *db, const struct oauth_grant_filter *f, int64_t now,
                            struct err *err)
{
    int time;
    struct db_stmt *st =
        filtered(db, f, "oauth_grant.end_account", "oauth_grant.end_session", &time);
    db_int(st, time, now);
    return db_run(st, err);
}

int oauth_grant_each(struct db *db, const struct oauth_grant_filter *f, int64_t now,
                     int (*each)(void *arg, const struct oauth_grant_row *row, struct err *err),
                     void *arg, struct err *err)
{
    int time, rc;
    struct db_stmt *st = filtered(db, f, "oauth_grant.of_account", "oauth_grant.of_session", &time);
    db_int(st, time, now);
    while ((rc = db_step(st, err)) == 1) {
        struct oauth_grant_row row;
        read_row(st, &row);
        if (each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}

int oauth_grant_any(struct db *db, struct err *err)
{
    struct db_stmt *st = db_named(db, "oauth_grant.any");
    const int rc = db_step(st, err);
    if (rc == 1)
        db_end(st);
    return rc;
}

int64_t oauth_grant_follow(struct db *db, const char *session, const char *next, struct err *err)
{
    struct db_stmt *st = db_named(db, "oauth_grant.follow");
    db_text(st, 1, session);
    db_text(st, 2, next);
    return db_run(st, err);
}

int64_t oauth_grant_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
{
    struct db_stmt *st = db_named(db, "oauth_grant.sweep");
    db_int(st, 1, now);
    db_int(st, 2, max);
    return db_run(st, err);
}
