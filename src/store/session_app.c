/* SPDX-License-Identifier: Apache-2.0 */
#include "store/session_app.h"

#include <string.h>

int session_app_add(struct db *db, const struct session_app_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "session_app.add");
    db_text(st, 1, row->session);
    db_text(st, 2, row->app);
    db_text(st, 3, row->sid);
    db_text(st, 4, row->account);
    db_text(st, 5, row->id);
    return db_run(st, err) < 0 ? -1 : 0;
}

int session_app_any(struct db *db, struct err *err)
{
    struct db_stmt *st = db_named(db, "session_app.any");
    const int rc = db_step(st, err);
    if (rc == 1)
        db_end(st);
    return rc;
}

int64_t session_app_follow(struct db *db, const char *session, const char *next, struct err *err)
{
    struct db_stmt *st = db_named(db, "session_app.follow");
    db_text(st, 1, session);
    db_text(st, 2, next);
    return db_run(st, err);
}

static int64_t tell(struct db_stmt *st, const char *whose, int64_t now, struct err *err)
{
    db_text(st, 1, whose);
    db_int(st, 2, now);
    return db_run(st, err);
}

static int drop(struct db_stmt *st, const char *whose, struct err *err)
{
    db_text(st, 1, whose);
    return db_run(st, err) < 0 ? -1 : 0;
}

int64_t session_app_over(struct db *db, const char *session, int64_t now, struct err *err)
{
    const int64_t n = tell(db_named(db, "session_app.tell"), session, now, err);
    return n < 0 || drop(db_named(db, "session_app.drop"), session, err) < 0 ? -1 : n;
}

int64_t session_app_over_account(struct db *db, const char *account, int64_t now, struct err *err)
{
    const int64_t n = tell(db_named(db, "session_app.tell_account"), account, now, err);
    return n < 0 || drop(db_named(db, "session_app.drop_account"), account, err) < 0 ? -1 : n;
}

/* ---- those that went without a word ---- */

struct gone {
    char session[SESSION_APP_ID + 1];
    bool before; /* it was missing at an earlier look */
};

static int settle(struct db *db, const struct gone *g, int64_t now, struct session_app_sweep *s,
                  struct err *err)
{
    if (g->before) {
        const int64_t n = session_app_over(db, g->session, now, err);
        s->told += n > 0 ? n : 0;
        return n < 0 ? -1 : 0;
    }
    struct db_stmt *st = db_named(db, "session_app.miss");
    db_text(st, 1, g->session);
    db_int(st, 2, now);
    return db_run(st, err) < 0 ? -1 : 0;
}

int session_app_sweep(struct db *db, int64_t now, struct session_app_sweep *s, struct err *err)
{
    struct gone gone[SESSION_APP_PAGE];
    size_t n = 0, seen = 0;
    int rc;
    struct db_stmt *st = db_named(db, "session_app.page");
    char from[sizeof s->after];
    memcpy(from, s->after, sizeof from);
    db_text(st, 1, from);
    db_int(st, 2, SESSION_APP_PAGE);
    while ((rc = db_step(st, err)) == 1) {
        const char *session = db_col_text(st, 0);
        const bool missed = !db_col_null(st, 1);
        seen++;
        const size_t length = strlen(session);
        if (length > SESSION_APP_ID) {
            db_end(st);
            return err_set(err, ERR_INTERNAL, "a stored session of an app has no proper id");
        }
        memcpy(s->after, session, length + 1);
        if (!db_col_null(st, 2) || (missed && db_col_int(st, 1) > now - SESSION_APP_MISSING))
            continue;
        memcpy(gone[n].session, session, length + 1);
        gone[n++].before = missed;
    }
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = settle(db, &gone[i], now, s, err);
    if (seen < SESSION_APP_PAGE)
        s->after[0] = '\0';
    return rc;
}
