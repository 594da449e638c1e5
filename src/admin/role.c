/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: what they are called, what they allow, who has them. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/people.h"
#include "admin/view.h"
#include "session/session.h"
#include "store/account_role.h"
#include "store/role.h"

#define ROLES_MAX 200
#define SHOWN_MAX 200 /* holders of a role; all of them are found with the users */

/* ---- the list, and one of them ---- */

static struct jval *role_json(const struct role_row *row, int64_t holders)
{
    struct err err = ERR_INIT;
    struct jval *o = jval_new_object();
    struct jval *permissions = jval_parse(str_of(row->permissions), JSON_SIZE_MAX, 2, &err);
    jval_set_text(o, "name", row->name);
    jval_set_text(o, "description", row->description);
    jval_set(o, "permissions", permissions ? permissions : jval_new_array());
    jval_set_int(o, "holders", holders);
    jval_set_bool(o, "built_in", strcmp(row->name, ROLE_ADMIN) == 0);
    jval_set(o, "version", row->version ? jval_new_int(row->version) : jval_new_null());
    return o;
}

/* Without a row of its own. */
static struct role_row plain_admin(void)
{
    return (struct role_row){.name = ROLE_ADMIN,
                             .permissions = "[]",
                             .description = "Administers usher: these pages, the API, usherctl"};
}

struct listing {
    struct jval *all;
    bool admin;
};

static int list_role(void *arg, const struct role_row *row, int64_t holders, struct err *err)
{
    struct listing *l = arg;
    (void)err;
    l->admin = l->admin || strcmp(row->name, ROLE_ADMIN) == 0;
    jval_push(l->all, role_json(row, holders));
    return 0;
}

static int list_rows(struct db *db, struct op *op, struct err *err)
{
    struct listing l = {jval_new_array(), false};
    const struct role_row admin = plain_admin();
    jval_free(&op->answer);
    op->answer = jval_new_object();
    jval_set(op->answer, "roles", l.all);
    if (role_each(db, list_role, &l, err) < 0)
        return -1;
    const int64_t admins = l.admin ? 0 : role_holder_count(db, ROLE_ADMIN, err);
    if (admins < 0)
        return -1;
    if (!l.admin)
        jval_push(l.all, role_json(&admin, admins));
    return 0;
}

static int list_work(struct op *op, struct err *err)
{
    return op_read(op, list_rows, err);
}

void admin_role_list(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                     void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_READ, .work = list_work};
    op_run(a, rq, &rule, done, arg);
}

static int list_holder(void *arg, const struct role_holder *h, struct err *err)
{
    (void)err;
    struct jval *o = jval_new_object();
    jval_set_text(o, "account", h->account);
    jval_set_int(o, "since", h->since);
    jval_set_text(o, "provider", h->provider);
    jval_set_text(o, "username", h->username);
    jval_set_text(o, "name", h->name);
    jval_set_text(o, "email", h->email);
    jval_push(arg, o);
    return 0;
}

/* 1: the row, or the one that "admin" would have; 0: there is none. */
static int get_role(struct db *db, struct op *op, struct role_row *out, struct err *err)
{
    int rc = role_get(db, op->id, op->arena, out, err);
    if (rc != 0 || strcmp(op->id, ROLE_ADMIN) != 0)
        return rc;
    *out = plain_admin();
    return 1;
}

static int show_row(struct db *db, struct op *op, struct err *err)
{
    struct role_row row;
    int rc = get_role(db, op, &row, err);
    if (rc == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such role");
    const int64_t holders = rc < 0 ? -1 : role_holder_count(db, op->id, err);
    if (holders < 0)
        return -1;
    struct jval *accounts = jval_new_array();
    jval_free(&op->answer);
    op->answer = role_json(&row, holders);
    jval_set(op->answer, "accounts", accounts);
    view_etag(row.version, op->etag);
    return role_each_holder(db, op->id, SHOWN_MAX, list_holder, accounts, err);
}

static int show_begin(struct op *op, struct err *err)
{
    return people_role_name(op->id, err);
}

static int show_work(struct op *op, struct err *err)
{
    return op_read(op, show_row, err);
}

void admin_role_show(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                     void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_READ, .begin = show_begin, .work = show_work};
    op_run(a, rq, &rule, done, arg);
}

/* ---- saying what one is ---- */

struct wanted {
    const char *permissions, *description;
    bool created;
};

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each once, as JSON. */
static const char *sorted(struct op *op, const char **names, size_t n)
{
    struct buf out;
    struct jval *list = jval_new_array();
    if (n > 0)
        qsort(names, n, sizeof *names, compare);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(names[i - 1], names[i]) != 0)
            jval_push(list, jval_new_text(names[i]));
    buf_init(&out, JSON_SIZE_MAX);
    jval_render(list, &out);
    const char *text = arena_dup(op->arena, out.p);
    buf_deinit(&out);
    jval_free(&list);
    return text;
}

static int read_permissions(struct op *op, struct wanted *w, struct err *err)
{
    const struct jval *list = op_get(op, "permissions");
    const size_t n = jval_count(list);
    const char **names = arena_alloc(op->arena, (n + 1) * sizeof *names);
    for (size_t i = 0; i < n; i++) {
        names[i] = jval_text(jval_item(list, i));
        if (!names[i] || !rights_name(str_of(names[i])))
            return op_field(op, err, "permissions", "each is 1 to %d of a-z 0-9 . _ : -",
                            RIGHTS_NAME_MAX);
    }
    w->permissions = sorted(op, names, n);
    struct sessions *s = op->admin->o.sessions;
    if (s && !rights_fits(sessions_rights(s), op->id, w->permissions))
        return op_field(op, err, "permissions",
                        "they are too many: with all its roles an account has %d bytes of them",
                        RIGHTS_PERMISSIONS_MAX);
    return 0;
}

static int set_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"permissions", JVAL_ARRAY, true},
                                               {"description", JVAL_TEXT, false}};
    struct wanted *w = arena_alloc(op->arena, sizeof *w);
    const char *text = jval_text(op_get(op, "description"));
    *w = (struct wanted){.description = ""};
    op->more = w;
    if (people_role_name(op->id, err) < 0 || op_members(op, members, 2, err) < 0 ||
        read_permissions(op, w, err) < 0)
        return -1;
    return text && *text ? op_text(op, "description", OP_TEXT_MAX, &w->description, err) : 0;
}

static void tell_row(struct jval **slot, const struct role_row *row)
{
    struct err err = ERR_INIT;
    struct jval *permissions = jval_parse(str_of(row->permissions), JSON_SIZE_MAX, 2, &err);
    jval_free(slot);
    *slot = jval_new_object();
    jval_set(*slot, "permissions", permissions ? permissions : jval_new_null());
    jval_set_text(*slot, "description", row->description);
}

/* 1: refused, because somebody changed it since; `row` NULL: it is not there. */
static int judge_match(struct op *op, const struct role_row *row)
{
    char etag[32];
    view_etag(row ? row->version : 0, etag);
    if (!op->if_match || strcmp(op->if_match, etag) == 0)
        return 0;
    return op_refuse(op, ERR_STALE, "somebody changed this role meanwhile");
}

static int set_row(struct db *db, struct op *op, struct err *err)
{
    struct wanted *w = op->more;
    struct role_row before;
    struct role_row row = {.name = op->id,
                           .permissions = w->permissions,
                           .description = w->description,
                           .created = op->now,
                           .changed = op->now};
    int rc = role_get(db, op->id, op->arena, &before, err);
    if (rc < 0)
        return -1;
    w->created = rc == 0;
    if (judge_match(op, rc > 0 ? &before : NULL) != 0)
        return 1;
    const int64_t n = w->created ? role_count(db, err) : 0;
    if (n < 0)
        return -1;
    if (n >= ROLES_MAX)
        return op_refuse(op, ERR_LIMITED, "there are %d roles, which is the most", ROLES_MAX);
    jval_free(&op->was);
    if (!w->created)
        tell_row(&op->was, &before);
    tell_row(&op->became, &row);
    row.version = op_audit(db, op, err);
    if (row.version < 0 || role_put(db, &row, err) < 0)
        return -1;
    return show_row(db, op, err);
}

static int set_work(struct op *op, struct err *err)
{
    return op_write(op, set_row, err);
}

static int set_finish(struct op *op, struct err *err)
{
    const struct wanted *w = op->more;
    struct sessions *s = op->admin->o.sessions;
    op->created = w->created;
    return s ? rights_define(sessions_rights(s), op->id, w->permissions, err) : 0;
}

void admin_role_set(struct admin *a, const struct admin_request *rq, admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "role.set",
                                        .begin = set_begin,
                                        .work = set_work,
                                        .finish = set_finish};
    op_run(a, rq, &rule, done, arg);
}

/* ---- and that there is one no more ---- */

static int delete_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"force", JVAL_BOOL, false}};
    if (people_role_name(op->id, err) < 0 || op_members(op, members, 1, err) < 0)
        return -1;
    if (strcmp(op->id, ROLE_ADMIN) == 0)
        return err_set(err, ERR_CONFLICT, "the role admin is built in");
    return 0;
}

static int delete_row(struct db *db, struct op *op, struct err *err)
{
    struct role_row row;
    int rc = role_get(db, op->id, op->arena, &row, err);
    if (rc == 0)
        return op_refuse(op, ERR_NOT_FOUND, "there is no such role");
    const int64_t holders = rc < 0 ? -1 : role_holder_count(db, op->id, err);
    if (holders < 0)
        return -1;
    if (judge_match(op, &row) != 0)
        return 1;
    if (holders > 0 && !op_flag(op, "force"))
        return op_refuse(
            op, ERR_CONFLICT,
            "accounts that have this role: %lld; take it from them first, or send force",
            (long long)holders);
    tell_row(&op->was, &row);
    jval_set_int(op->was, "holders", holders);
    return role_take_from_all(db, op->id, err) < 0 || role_drop(db, op->id, err) < 0 ? -1 : 0;
}

static int delete_work(struct op *op, struct err *err)
{
    return op_write(op, delete_row, err);
}

static int delete_finish(struct op *op, struct err *err)
{
    (void)err;
    if (op->admin->o.sessions)
        sessions_forget_role(op->admin->o.sessions, op->id);
    return 0;
}

void admin_role_delete(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                       void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "role.delete",
                                        .begin = delete_begin,
                                        .work = delete_work,
                                        .finish = delete_finish,
                                        .ends = true,
                                        .roles = OP_ROLES_OF_HOLDERS};
    op_run(a, rq, &rule, done, arg);
}
