/* SPDX-License-Identifier: Apache-2.0 */
/* Who there is: accounts found, and one of them shown. */
#include "admin/user.h"
#include "admin/people.h"
#include "base/evidence.h"
#include "store/account_list.h"
#include "store/account_role.h"
#include "store/session_row.h"

#define LIMIT_DEFAULT 50

/* Each provider once, the one used last first. */
static struct jval *providers_of(const struct account_row *row)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < row->n; i++) {
        size_t k = 0;
        while (k < i && strcmp(row->identities[k].provider, row->identities[i].provider) != 0)
            k++;
        if (k == i)
            jval_push(list, jval_new_text(row->identities[i].provider));
    }
    return list;
}

/* What lists and pages begin with; takes `roles`. */
static struct jval *head_json(const struct account_row *row, struct jval *roles)
{
    static const struct account_identity none;
    const struct account_identity *who = row->n > 0 ? &row->identities[0] : &none;
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", row->id);
    jval_set_text(o, "name", who->name);
    jval_set_text(o, "username", who->username);
    jval_set_text(o, "email", who->email);
    jval_set_text(o, "provider", who->provider);
    jval_set(o, "providers", providers_of(row));
    jval_set_int(o, "created", row->created);
    jval_set_time(o, "last_seen", who->last_seen);
    jval_set_bool(o, "disabled", row->disabled);
    jval_set_time(o, "disabled_until", row->disabled ? row->disabled_until : 0);
    jval_set(o, "roles", roles);
    return o;
}

/* ---- the list ---- */

static int list_rows(struct db *db, struct op *op, struct err *err)
{
    const struct account_filter *f = op->more;
    struct account_row *rows;
    size_t n;
    struct jval *all = jval_new_array();
    jval_free(&op->answer);
    op->answer = jval_new_object();
    jval_set(op->answer, "users", all);
    if (account_search(db, f, op->arena, &rows, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const char *roles;
        if (account_roles(db, rows[i].id, op->arena, &roles, err) < 0)
            return -1;
        jval_push(all, head_json(&rows[i], jval_list(roles)));
    }
    jval_set_text(op->answer, "next", n == f->limit ? rows[n - 1].id : NULL);
    return 0;
}

static int list_begin(struct op *op, struct err *err)
{
    static const char *const known[] = {"search", "provider", "role", "disabled",
                                        "after",  "limit",    NULL};
    static const struct op_bounds bounds = {1, ACCOUNT_PAGE_MAX};
    struct account_filter *f = arena_alloc(op->arena, sizeof *f);
    int64_t limit = LIMIT_DEFAULT;
    int disabled;
    *f = (struct account_filter){.now = op->now};
    op->more = f;
    if (op_query_known(op, known, err) < 0 || op_query_text(op, "search", &f->text, err) < 0 ||
        op_query_text(op, "provider", &f->provider, err) < 0 ||
        op_query_text(op, "role", &f->role, err) < 0 ||
        op_query_text(op, "after", &f->after, err) < 0 ||
        op_query_number(op, "limit", &bounds, &limit, err) < 0 ||
        op_query_flag(op, "disabled", &disabled, err) < 0)
        return -1;
    f->limit = (size_t)limit;
    f->state = disabled < 0 ? ACCOUNT_ANY : disabled ? ACCOUNT_DISABLED : ACCOUNT_ENABLED;
    return 0;
}

static int list_work(struct op *op, struct err *err)
{
    return op_read(op, list_rows, err);
}

void admin_user_list(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                     void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_READ, .begin = list_begin, .work = list_work};
    op_run(a, rq, &rule, done, arg);
}

/* ---- one of them ---- */

static struct jval *identity_json(const struct account_identity *i)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "provider", i->provider);
    jval_set_text(o, "subject", i->subject);
    jval_set_text(o, "username", i->username);
    jval_set_text(o, "name", i->name);
    jval_set_text(o, "email", i->email);
    jval_set_text(o, "email_evidence", evidence_name(i->email_evidence));
    jval_set_text(o, "picture", i->picture);
    jval_set(o, "groups", jval_list(i->groups));
    jval_set_int(o, "first_seen", i->first_seen);
    jval_set_int(o, "last_seen", i->last_seen);
    jval_set_time(o, "linked", i->linked);
    return o;
}

static struct jval *session_json(const struct session_row *row)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", row->id);
    jval_set_text(o, "provider", row->provider);
    jval_set_text(o, "ip", row->ip);
    jval_set_text(o, "user_agent", row->user_agent);
    jval_set_int(o, "created", row->created);
    jval_set_int(o, "seen", row->seen);
    jval_set_int(o, "ends", row->ends);
    return o;
}

static int add_sessions(struct db *db, struct op *op, struct err *err)
{
    const struct session_row_of of = {
        .account = op->id, .now = op->now, .idle_before = op->now - op->config->session.idle};
    struct session_row *rows;
    size_t n;
    if (session_row_list(db, &of, op->arena, &rows, &n, err) < 0)
        return -1;
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < n; i++)
        jval_push(list, session_json(&rows[i]));
    jval_set(op->answer, "sessions", list);
    return 0;
}

int user_answer(struct db *db, struct op *op, struct err *err)
{
    struct account_row row;
    struct rights_view rights;
    const char *roles;
    int rc = account_get(db, op->id, op->now, op->arena, &row, err);
    if (rc == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such account");
    if (rc < 0 || account_roles(db, op->id, op->arena, &roles, err) < 0 ||
        people_rights(db, roles, op, &rights, err) < 0)
        return -1;
    jval_free(&op->answer);
    op->answer = head_json(&row, people_names(rights.roles));
    jval_set(op->answer, "permissions", people_names(rights.permissions));
    jval_set_time(op->answer, "disabled_since", row.disabled ? row.disabled_since : 0);
    jval_set_text(op->answer, "disabled_reason", row.disabled ? row.disabled_reason : NULL);
    struct jval *identities = jval_new_array();
    for (size_t i = 0; i < row.n; i++)
        jval_push(identities, identity_json(&row.identities[i]));
    jval_set(op->answer, "identities", identities);
    return add_sessions(db, op, err);
}

static int show_begin(struct op *op, struct err *err)
{
    return people_account(op->id, err);
}

static int show_work(struct op *op, struct err *err)
{
    return op_read(op, user_answer, err);
}

void admin_user_show(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                     void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_READ, .begin = show_begin, .work = show_work};
    op_run(a, rq, &rule, done, arg);
}
