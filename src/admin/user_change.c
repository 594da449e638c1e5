/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts disabled and enabled, their sessions ended, themselves deleted. What ends in the store
 * ends in memory before anybody hears of it, so it counts from the next request on. */
#include "admin/people.h"
#include "admin/user.h"
#include "issuer/issuer.h"
#include "session/session.h"
#include "store/account_change.h"
#include "store/oauth_grant.h"
#include "store/session_app.h"
#include "store/session_row.h"

/* What apps hold of the person ends in the same transaction, and they are to be told. */
static int end_grants(struct db *db, const struct op *op, struct err *err)
{
    const struct oauth_grant_filter all = {.account = op->id};
    if (session_app_over_account(db, op->id, op->now, err) < 0)
        return -1;
    return oauth_grant_end_all(db, &all, op->now, err) < 0 ? -1 : 0;
}

/* What memory has to know. */
static void end_all(struct op *op)
{
    if (op->admin->o.sessions)
        sessions_end_account(op->admin->o.sessions, op->id);
    if (op->admin->o.issuer)
        issuer_end_account(op->admin->o.issuer, op->id);
    tokens_end_of(op->admin->tokens, op->id);
}

static int begin(struct op *op, const struct op_member *members, size_t n, struct err *err)
{
    if (op_members(op, members, n, err) < 0 || people_account(op->id, err) < 0)
        return -1;
    return people_may_touch(op, op->id, err);
}

/* 1: refused, because nobody might get in afterwards, or not the one who asks. */
static int judge_loss(struct db *db, struct op *op, struct err *err)
{
    if (op_flag(op, "force"))
        return 0;
    if (strcmp(op->actor.kind, "account") == 0 && strcmp(op->actor.id, op->id) == 0)
        return op_refuse(op, ERR_CONFLICT, "this is your own account; send force");
    int rc = account_last_admin(db, op->id, op->now, err);
    if (rc <= 0)
        return rc;
    return op_refuse(op, ERR_CONFLICT,
                     "this is the last admin: name another one first, or send force");
}

/* ---- disabling ---- */

static int disable_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {
        {"reason", JVAL_TEXT, true}, {"until", JVAL_NUMBER, false}, {"force", JVAL_BOOL, false}};
    struct account_disabling *how = arena_alloc(op->arena, sizeof *how);
    *how = (struct account_disabling){.now = op->now};
    op->more = how;
    if (begin(op, members, 3, err) < 0 || op_text(op, "reason", OP_TEXT_MAX, &how->reason, err) < 0)
        return -1;
    return op_time_ahead(op, "until", &how->until, err);
}

static int disable_row(struct db *db, struct op *op, struct err *err)
{
    const struct account_disabling *how = op->more;
    int rc = judge_loss(db, op, err);
    if (rc != 0)
        return rc;
    jval_free(&op->became);
    op->became = jval_new_object();
    jval_set_text(op->became, "reason", how->reason);
    jval_set(op->became, "until", how->until ? jval_new_int(how->until) : jval_new_null());
    rc = account_disable(db, op->id, how, err);
    if (rc == 0)
        return op_refuse(op, ERR_NOT_FOUND, "there is no such account");
    return rc < 0 || end_grants(db, op, err) < 0 ? -1 : user_answer(db, op, err);
}

static int disable_work(struct op *op, struct err *err)
{
    return op_write(op, disable_row, err);
}

static int ended_finish(struct op *op, struct err *err)
{
    (void)err;
    end_all(op);
    return 0;
}

void admin_user_disable(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                        void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "user.disable",
                                        .begin = disable_begin,
                                        .work = disable_work,
                                        .finish = ended_finish,
                                        .ends = true};
    op_run(a, rq, &rule, done, arg);
}

/* ---- enabling ---- */

static int enable_begin(struct op *op, struct err *err)
{
    return begin(op, NULL, 0, err);
}

static int enable_row(struct db *db, struct op *op, struct err *err)
{
    int rc = account_enable(db, op->id, err);
    if (rc < 0 || user_answer(db, op, err) < 0)
        return -1;
    return rc > 0 ? 0 : op_refuse(op, ERR_CONFLICT, "the account is not disabled");
}

static int enable_work(struct op *op, struct err *err)
{
    return op_write(op, enable_row, err);
}

void admin_user_enable(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                       void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_WRITE, .action = "user.enable", .begin = enable_begin, .work = enable_work};
    op_run(a, rq, &rule, done, arg);
}

/* ---- ending sessions ---- */

struct ending {
    const char *session; /* NULL: all */
    unsigned char hash[32];
};

static int end_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"session", JVAL_TEXT, false}};
    struct ending *e = arena_alloc(op->arena, sizeof *e);
    *e = (struct ending){.session = NULL};
    op->more = e;
    if (begin(op, members, 1, err) < 0)
        return -1;
    const struct jval *one = op_get(op, "session");
    return one && jval_type(one) != JVAL_NULL
               ? op_text(op, "session", OP_ACCOUNT_MAX, &e->session, err)
               : 0;
}

static int end_row(struct db *db, struct op *op, struct err *err)
{
    struct ending *e = op->more;
    struct account account;
    int rc = account_look(db, op->id, op->now, &account, err);
    if (rc == 0)
        return op_refuse(op, ERR_NOT_FOUND, "there is no such account");
    if (rc < 0)
        return -1;
    const int64_t n = e->session ? session_row_end_of(db, op->id, e->session, e->hash, err)
                                 : session_row_end_others(db, op->id, NULL, err);
    if (n < 0)
        return -1;
    if (n == 0 && e->session)
        return op_refuse(op, ERR_NOT_FOUND, "the account has no such session");
    if (!e->session && end_grants(db, op, err) < 0)
        return -1;
    jval_free(&op->was);
    op->was = jval_new_object();
    jval_set_int(op->was, "sessions", n);
    jval_free(&op->answer);
    op->answer = jval_new_object();
    jval_set_int(op->answer, "ended", n);
    return 0;
}

static int end_work(struct op *op, struct err *err)
{
    return op_write(op, end_row, err);
}

static int end_finish(struct op *op, struct err *err)
{
    const struct ending *e = op->more;
    struct sessions *s = op->admin->o.sessions;
    (void)err;
    if (s && e->session)
        sessions_end_of(s, &(const struct session_was){e->hash, op->id, e->session});
    else if (s)
        sessions_end_account(s, op->id);
    return 0;
}

void admin_user_end_sessions(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                             void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "user.end_sessions",
                                        .begin = end_begin,
                                        .work = end_work,
                                        .finish = end_finish,
                                        .ends = true};
    op_run(a, rq, &rule, done, arg);
}

/* ---- deleting ---- */

static int delete_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"bar", JVAL_BOOL, false},
                                               {"force", JVAL_BOOL, false}};
    return begin(op, members, 2, err);
}

static int delete_row(struct db *db, struct op *op, struct err *err)
{
    const bool bar = op_flag(op, "bar");
    int rc = judge_loss(db, op, err);
    if (rc != 0)
        return rc;
    jval_free(&op->became);
    op->became = jval_new_object();
    jval_set_bool(op->became, "barred", bar);
    rc = account_delete(db, op->id, bar, op->now, err);
    if (rc == 0)
        return op_refuse(op, ERR_NOT_FOUND, "there is no such account");
    return rc < 0 ? -1 : 0;
}

static int delete_work(struct op *op, struct err *err)
{
    return op_write(op, delete_row, err);
}

static int delete_finish(struct op *op, struct err *err)
{
    (void)err;
    end_all(op);
    admins_remove(op->admin->admins, op->id);
    return 0;
}

void admin_user_delete(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                       void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "user.delete",
                                        .begin = delete_begin,
                                        .work = delete_work,
                                        .finish = delete_finish,
                                        .ends = true};
    op_run(a, rq, &rule, done, arg);
}
