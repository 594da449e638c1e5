/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/people.h"

#include "session/session.h"

int people_account(const char *id, struct err *err)
{
    if (!id || !*id || strlen(id) > OP_ACCOUNT_MAX || !op_plain(id))
        return err_set(err, ERR_NOT_FOUND, "there is no such account");
    return 0;
}

int people_may_touch(const struct op *op, const char *account, struct err *err)
{
    if (!admin_is(op->admin, account) || op->actor.scopes & ADMIN_SECRETS)
        return 0;
    return err_set(err, ERR_NOT_ALLOWED, "your rights do not reach as far as admins");
}

int people_role_name(const char *name, struct err *err)
{
    if (name && rights_name(str_of(name)))
        return 0;
    return err_set(err, ERR_INVALID, "a role's name is 1 to %d of a-z 0-9 . _ : -",
                   RIGHTS_NAME_MAX);
}

int people_rights(struct db *db, const char *roles, struct op *op, struct rights_view *out,
                  struct err *err)
{
    uint32_t set = 0;
    struct rights *r = rights_read(db, err);
    if (!r)
        return -1;
    const int rc = rights_take(r, roles, &set, err);
    *out = rights_show(r, set);
    out->roles = arena_dup(op->arena, out->roles);
    out->permissions = arena_dup(op->arena, out->permissions);
    rights_free(&r);
    return rc;
}

struct jval *people_names(const char *joined)
{
    struct jval *list = jval_new_array();
    for (const char *p = joined; *p;) {
        char name[RIGHTS_NAME_MAX + 1] = "";
        const size_t n = strcspn(p, ",");
        memcpy(name, p, n < sizeof name ? n : sizeof name - 1);
        jval_push(list, jval_new_text(name));
        p += n + (p[n] == ',');
    }
    return list;
}

int people_tell_roles(struct op *op, const char *account, const char *roles, struct err *err)
{
    struct sessions *s = op->admin->o.sessions;
    return s && sessions_set_roles(s, account, roles, err) < 0 ? -1 : 0;
}
