/* SPDX-License-Identifier: Apache-2.0 */
/* Roles given to accounts and taken away; who is an admin, in memory for every request. */
#include <stdlib.h>

#include "admin/people.h"
#include "store/account_change.h"
#include "store/account_role.h"
#include "store/api_token.h"
#include "store/role.h"

#define ADMINS_MAX 1000

struct one {
    struct one *next;
    char account[OP_ACCOUNT_MAX + 1];
};

struct admins {
    struct one *first;
    size_t n;
};

static struct one **find(struct admins *all, const char *account)
{
    struct one **at = &all->first;
    while (*at && strcmp((*at)->account, account) != 0)
        at = &(*at)->next;
    return at;
}

void admins_put(struct admins *all, const char *account)
{
    if (*find(all, account))
        return;
    struct one *o = mem_alloc(sizeof *o);
    memcpy(o->account, account, strlen(account) + 1);
    o->next = all->first;
    all->first = o;
    all->n++;
}

void admins_remove(struct admins *all, const char *account)
{
    struct one **at = find(all, account), *o = *at;
    if (!o)
        return;
    *at = o->next;
    all->n--;
    free(o);
}

static void clear(struct admins *all)
{
    while (all->first)
        admins_remove(all, all->first->account);
}

static int take_holder(void *arg, const struct role_holder *h, struct err *err)
{
    if (strlen(h->account) > OP_ACCOUNT_MAX)
        return err_set(err, ERR_INTERNAL, "a stored role's account has no proper id");
    admins_put(arg, h->account);
    return 0;
}

int admins_read(struct admins *all, struct db *db, struct err *err)
{
    clear(all);
    return role_each_holder(db, ROLE_ADMIN, INT64_MAX, take_holder, all, err);
}

struct admins *admins_new(void)
{
    return mem_alloc(sizeof(struct admins));
}

void admins_free(struct admins **all)
{
    if (*all)
        clear(*all);
    free(*all);
    *all = NULL;
}

bool admin_is(const struct admin *a, const char *account)
{
    return account && *find(a->admins, account) != NULL;
}

/* The store has it already: what the account was is the other's now, or nobody's. */
void admin_on_gone(void *admin, const char *account, const char *into)
{
    struct admin *a = admin;
    if (into == NULL) {
        tokens_end_of(a->tokens, account);
    } else {
        tokens_pass_on(a->tokens, account, into);
        if (admin_is(a, account))
            admins_put(a->admins, into);
    }
    admins_remove(a->admins, account);
}

/* ---- granting ---- */

static bool is_admin_role(const struct op *op)
{
    return strcmp(op->id, ROLE_ADMIN) == 0;
}

static int begin(struct op *op, struct err *err)
{
    if (people_role_name(op->id, err) < 0 || people_account(op->sub, err) < 0)
        return -1;
    op->object = op->sub;
    return 0;
}

static int grant_begin(struct op *op, struct err *err)
{
    if (op_members(op, NULL, 0, err) < 0 || begin(op, err) < 0)
        return -1;
    if (is_admin_role(op) && op->admin->admins->n >= ADMINS_MAX)
        return err_set(err, ERR_LIMITED, "there are %d admins, which is the most", ADMINS_MAX);
    return 0;
}

static void tell_role(const struct op *op, struct jval **slot)
{
    jval_free(slot);
    *slot = jval_new_object();
    jval_set_text(*slot, "role", op->id);
}

/* 1: refused. What an account may do has to fit into a header. */
static int judge_rights(struct db *db, struct op *op, const char *roles, struct err *err)
{
    struct rights_view view;
    struct err why = ERR_INIT;
    if (people_rights(db, roles, op, &view, &why) < 0)
        return why.kind == ERR_LIMITED
                   ? op_refuse(op, ERR_LIMITED, "an account has %d roles at most", RIGHTS_ROLES_MAX)
                   : err_set(err, why.kind, "%s", why.text);
    if (view.cut)
        return op_refuse(op, ERR_LIMITED,
                         "with this role the account would have more permissions than a header "
                         "holds");
    return 0;
}

/* The list with one more; twice the same is fine. */
static const char *with_role(struct op *op, const char *roles)
{
    struct err err = ERR_INIT;
    struct buf out;
    struct jval *list = roles ? jval_parse(str_of(roles), JSON_SIZE_MAX, 2, &err) : NULL;
    if (!list)
        list = jval_new_array();
    jval_push(list, jval_new_text(op->id));
    buf_init(&out, JSON_SIZE_MAX);
    jval_render(list, &out);
    const char *text = arena_dup(op->arena, out.p);
    buf_deinit(&out);
    jval_free(&list);
    return text;
}

/* 1: refused. */
static int judge_grant(struct db *db, struct op *op, const char **roles, struct err *err)
{
    struct account account;
    struct role_row role;
    int rc = account_look(db, op->sub, op->now, &account, err);
    if (rc == 0)
        return op_refuse(op, ERR_NOT_FOUND, "there is no such account");
    if (rc > 0 && !is_admin_role(op)) {
        rc = role_get(db, op->id, op->arena, &role, err);
        if (rc == 0)
            return op_refuse(op, ERR_NOT_FOUND, "there is no such role");
    }
    if (rc < 0 || account_roles(db, op->sub, op->arena, roles, err) < 0)
        return -1;
    *roles = with_role(op, *roles);
    return judge_rights(db, op, *roles, err);
}

static int grant_row(struct db *db, struct op *op, struct err *err)
{
    const struct account_role_row row = {op->sub, op->id, op->now};
    const char *roles;
    int rc = judge_grant(db, op, &roles, err);
    if (rc != 0)
        return rc;
    tell_role(op, &op->became);
    op->more = (void *)(uintptr_t)roles;
    return account_role_grant(db, &row, err) < 0 ? -1 : 0;
}

static int grant_work(struct op *op, struct err *err)
{
    return op_write(op, grant_row, err);
}

static int grant_finish(struct op *op, struct err *err)
{
    if (is_admin_role(op))
        admins_put(op->admin->admins, op->sub);
    return people_tell_roles(op, op->sub, op->more, err);
}

void admin_role_grant(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                      void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "role.grant",
                                        .begin = grant_begin,
                                        .work = grant_work,
                                        .finish = grant_finish,
                                        .roles = OP_ROLES_OF_SUB};
    op_run(a, rq, &rule, done, arg);
}

/* ---- revoking ---- */

static int revoke_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"force", JVAL_BOOL, false}};
    return op_members(op, members, 1, err) < 0 ? -1 : begin(op, err);
}

/* The store is asked, not memory: two admins may revoke each other in the same moment. Tokens the
 * account made go with its role: they were its rights by another name. */
static int revoke_row(struct db *db, struct op *op, struct err *err)
{
    const char *roles;
    int rc = is_admin_role(op) ? account_last_admin(db, op->sub, op->now, err) : 0;
    if (rc > 0 && !op_flag(op, "force"))
        return op_refuse(op, ERR_CONFLICT,
                         "this is the last admin: name another one first, or send force");
    tell_role(op, &op->was);
    if (rc >= 0)
        rc = account_role_revoke(db, op->sub, op->id, err);
    if (rc == 0)
        return op_refuse(op, ERR_NOT_FOUND, "this account does not have that role");
    if (rc < 0 || account_roles(db, op->sub, op->arena, &roles, err) < 0)
        return -1;
    op->more = (void *)(uintptr_t)roles;
    return is_admin_role(op) ? api_token_drop_of(db, op->sub, err) : 0;
}

static int revoke_work(struct op *op, struct err *err)
{
    return op_write(op, revoke_row, err);
}

static int revoke_finish(struct op *op, struct err *err)
{
    if (is_admin_role(op)) {
        admins_remove(op->admin->admins, op->sub);
        tokens_end_of(op->admin->tokens, op->sub);
    }
    return people_tell_roles(op, op->sub, op->more, err);
}

void admin_role_revoke(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                       void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "role.revoke",
                                        .begin = revoke_begin,
                                        .work = revoke_work,
                                        .finish = revoke_finish,
                                        .ends = true,
                                        .roles = OP_ROLES_OF_SUB};
    op_run(a, rq, &rule, done, arg);
}
