/* SPDX-License-Identifier: Apache-2.0 */
/* What an app's rules say of somebody, and why. */
#include "admin/app.h"
#include "app/decide.h"
#include "base/header.h"
#include "session/session.h"
#include "store/account_list.h"
#include "store/account_role.h"

struct question {
    const char *user, *provider, *path, *method, *client; /* NULL: not said */
    struct account_row account;
    const struct account_identity *identity; /* that they come by */
    const char *roles;                       /* JSON array, or NULL */
};

static const char *asked(const struct op *op, const char *name)
{
    const char *value;
    return form_get(&op->query, name, &value) == 1 && *value ? value : NULL;
}

static int explain_begin(struct op *op, struct err *err)
{
    struct question *q = arena_alloc(op->arena, sizeof *q);
    if (app_named(op, err) < 0)
        return -1;
    if (!apps_find(op->apps, op->id))
        return err_set(err, ERR_NOT_FOUND, "there is no such app");
    q->user = asked(op, "user");
    q->provider = asked(op, "provider");
    q->path = asked(op, "path");
    q->method = asked(op, "method");
    q->client = asked(op, "client");
    if (q->path && q->path[0] != '/')
        return op_field(op, err, "path", "begins with \"/\"");
    op->more = q;
    return 0;
}

static int read_user(struct db *db, struct op *op, struct err *err)
{
    struct question *q = op->more;
    const int rc = account_get(db, q->user, op->now, op->arena, &q->account, err);
    if (rc == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such account");
    q->identity = NULL;
    for (size_t i = 0; rc == 1 && i < q->account.n && !q->identity; i++)
        if (!q->provider || strcmp(q->account.identities[i].provider, q->provider) == 0)
            q->identity = &q->account.identities[i];
    return rc < 0 ? -1 : account_roles(db, q->user, op->arena, &q->roles, err);
}

static int explain_work(struct op *op, struct err *err)
{
    const struct question *q = op->more;
    if (!q->user)
        return 0;
    if (op_read(op, read_user, err) < 0)
        return -1;
    return q->identity ? 0
                       : err_set(err, ERR_NOT_FOUND, "this account has no identity of %s",
                                 q->provider ? q->provider : "any provider");
}

static struct app_subject subject_of(struct op *op, const struct question *q)
{
    const struct account_identity *id = q->identity;
    struct app_subject s = app_nobody(q->client);
    if (!id || q->account.disabled)
        return s;
    s.signed_in = true;
    s.account = q->account.id;
    s.provider = id->provider;
    s.email = id->email ? id->email : "";
    s.email_evidence = id->email_evidence;
    s.groups = header_list(op->arena, id->groups);
    return s;
}

/* Sessions know what roles allow. */
static int add_rights(struct op *op, const char *roles, struct app_subject *s, struct err *err)
{
    struct rights *r = op->admin->o.sessions ? sessions_rights(op->admin->o.sessions) : NULL;
    uint32_t set = 0;
    if (!r || !s->signed_in)
        return 0;
    if (rights_take(r, roles, &set, err) < 0)
        return -1;
    const struct rights_view v = rights_show(r, set);
    s->roles = arena_dup(op->arena, v.roles);
    s->permissions = arena_dup(op->arena, v.permissions);
    rights_drop(r, set);
    return 0;
}

static int explain_finish(struct op *op, struct err *err)
{
    const struct question *q = op->more;
    const struct app *app = apps_find(op->apps, op->id);
    struct app_subject s = subject_of(op, q);
    if (add_rights(op, q->roles, &s, err) < 0)
        return -1;
    op->answer = app_explain(app, &s, q->path, q->method);
    jval_set_text(op->answer, "user", q->user);
    jval_set_text(op->answer, "provider", q->identity ? q->identity->provider : NULL);
    jval_set_bool(op->answer, "disabled", q->account.disabled);
    return 0;
}

void admin_app_explain(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                       void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_READ,
                                        .begin = explain_begin,
                                        .work = explain_work,
                                        .finish = explain_finish};
    op_run(a, rq, &rule, done, arg);
}
