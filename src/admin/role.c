/* SPDX-License-Identifier: Apache-2.0 */
/* Who is an admin: in memory for every request, in the store for good. */
#include <stdlib.h>

#include "admin/op.h"
#include "store/account_role.h"
#include "store/api_token.h"

#define ADMINS_MAX 1000

struct role {
    struct role *next;
    char account[OP_ACCOUNT_MAX + 1];
};

struct roles {
    struct role *first;
    size_t n;
};

static struct role **find(struct roles *all, const char *account)
{
    struct role **at = &all->first;
    while (*at && strcmp((*at)->account, account) != 0)
        at = &(*at)->next;
    return at;
}

static void put(struct roles *all, const char *account)
{
    struct role *r = mem_alloc(sizeof *r);
    memcpy(r->account, account, strlen(account) + 1);
    r->next = all->first;
    all->first = r;
    all->n++;
}

static void clear(struct roles *all)
{
    while (all->first) {
        struct role *r = all->first;
        all->first = r->next;
        free(r);
    }
    all->n = 0;
}

static int take_row(void *arg, const struct account_role_row *row, struct err *err)
{
    if (strcmp(row->role, ROLE_ADMIN) != 0)
        return 0;
    if (strlen(row->account) > OP_ACCOUNT_MAX)
        return err_set(err, ERR_INTERNAL, "a stored role's account has no proper id");
    put(arg, row->account);
    return 0;
}

static int load(struct db *db, void *arg, struct err *err)
{
    clear(arg);
    return account_role_each(db, take_row, arg, err);
}

struct roles *roles_load(struct store *s, struct err *err)
{
    struct roles *all = mem_alloc(sizeof *all);
    if (store_read_now(s, load, all, err) != STORE_DONE)
        roles_free(&all);
    return all;
}

void roles_free(struct roles **all)
{
    if (*all)
        clear(*all);
    free(*all);
    *all = NULL;
}

bool admin_is(const struct admin *a, const char *account)
{
    return account && *find(a->roles, account) != NULL;
}

/* ---- the list ---- */

struct listing {
    struct account_role_row *v;
    size_t n;
    struct arena *arena;
};

static int keep_row(void *arg, const struct account_role_row *row, struct err *err)
{
    struct listing *l = arg;
    if (l->n == ADMINS_MAX)
        return err_set(err, ERR_LIMITED, "more than %d roles", ADMINS_MAX);
    l->v[l->n++] = (struct account_role_row){arena_dup(l->arena, row->account),
                                             arena_dup(l->arena, row->role), row->since};
    return 0;
}

static struct jval *role_json(const struct account_role_row *row, const struct account_person *p)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "account", row->account);
    jval_set_text(o, "role", row->role);
    jval_set_int(o, "since", row->since);
    jval_set_text(o, "provider", p->provider);
    jval_set_text(o, "username", p->username);
    jval_set_text(o, "name", p->name);
    jval_set_text(o, "email", p->email);
    return o;
}

static int list_rows(struct db *db, struct op *op, struct err *err)
{
    struct listing l = {.arena = op->arena};
    l.v = arena_alloc(op->arena, ADMINS_MAX * sizeof *l.v);
    if (account_role_each(db, keep_row, &l, err) < 0)
        return -1;
    struct jval *all = jval_new_array();
    jval_free(&op->answer);
    op->answer = jval_new_object();
    jval_set(op->answer, "roles", all);
    for (size_t i = 0; i < l.n; i++) {
        struct account_person person = {.last_seen = 0};
        if (account_person(db, l.v[i].account, op->arena, &person, err) < 0)
            return -1;
        jval_push(all, role_json(&l.v[i], &person));
    }
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

/* ---- granting and revoking ---- */

static int account_begin(struct op *op, struct err *err)
{
    if (!op->id || !*op->id || strlen(op->id) > OP_ACCOUNT_MAX || !op_plain(op->id))
        return err_set(err, ERR_NOT_FOUND, "there is no such account");
    return 0;
}

static int grant_begin(struct op *op, struct err *err)
{
    if (op_members(op, NULL, 0, err) < 0 || account_begin(op, err) < 0)
        return -1;
    if (op->admin->roles->n >= ADMINS_MAX)
        return err_set(err, ERR_LIMITED, "there are %d admins, which is the most", ADMINS_MAX);
    return 0;
}

static void role_change(struct jval **slot)
{
    jval_free(slot);
    *slot = jval_new_object();
    jval_set_text(*slot, "role", ROLE_ADMIN);
}

static int grant_row(struct db *db, struct op *op, struct err *err)
{
    const struct account_role_row row = {op->id, ROLE_ADMIN, op->now};
    struct account_person person;
    int rc = account_person(db, op->id, op->arena, &person, err);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return op_refuse(op, ERR_NOT_FOUND, "there is no such account");
    role_change(&op->became);
    return account_role_grant(db, &row, err) < 0 ? -1 : 0;
}

static int grant_work(struct op *op, struct err *err)
{
    return op_write(op, grant_row, err);
}

static int grant_finish(struct op *op, struct err *err)
{
    (void)err;
    if (!admin_is(op->admin, op->id))
        put(op->admin->roles, op->id);
    return 0;
}

void admin_role_grant(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                      void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "role.grant",
                                        .begin = grant_begin,
                                        .work = grant_work,
                                        .finish = grant_finish};
    op_run(a, rq, &rule, done, arg);
}

static int revoke_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"force", JVAL_BOOL, false}};
    return op_members(op, members, 1, err) < 0 ? -1 : account_begin(op, err);
}

struct counted {
    const char *account;
    size_t admins;
    bool found;
};

static int count_admin(void *arg, const struct account_role_row *row, struct err *err)
{
    struct counted *c = arg;
    (void)err;
    if (strcmp(row->role, ROLE_ADMIN) != 0)
        return 0;
    c->admins++;
    c->found = c->found || strcmp(row->account, c->account) == 0;
    return 0;
}

/* The store is asked, not memory: two admins may revoke each other in the same moment. Tokens the
 * account made go with its role: they were its rights by another name. */
static int revoke_row(struct db *db, struct op *op, struct err *err)
{
    struct counted c = {.account = op->id};
    role_change(&op->was);
    if (account_role_each(db, count_admin, &c, err) < 0)
        return -1;
    if (!c.found)
        return op_refuse(op, ERR_NOT_FOUND, "this account is no admin");
    if (c.admins <= 1 && !op_flag(op, "force"))
        return op_refuse(op, ERR_CONFLICT,
                         "this is the last admin: name another one first, or send force");
    if (account_role_revoke(db, op->id, ROLE_ADMIN, err) < 0)
        return -1;
    return api_token_drop_of(db, op->id, err);
}

static int revoke_work(struct op *op, struct err *err)
{
    return op_write(op, revoke_row, err);
}

static int revoke_finish(struct op *op, struct err *err)
{
    (void)err;
    struct roles *all = op->admin->roles;
    struct role **at = find(all, op->id), *r = *at;
    if (r) {
        *at = r->next;
        all->n--;
        free(r);
    }
    tokens_end_of(op->admin->tokens, op->id);
    return 0;
}

void admin_role_revoke(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                       void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "role.revoke",
                                        .begin = revoke_begin,
                                        .work = revoke_work,
                                        .finish = revoke_finish};
    op_run(a, rq, &rule, done, arg);
}
