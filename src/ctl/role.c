/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: what they allow, and who has them. */
#include "ctl/say.h"

#define PATH "/api/v1/roles/"

int ctl_role_list(struct ctl *c, const struct ctl_args *a)
{
    static const struct say_list what = {"/api/v1/roles", "roles", "No roles."};
    static const struct table_column columns[] = {
        {"ROLE", "/name", TABLE_PLAIN},
        {"HELD BY", "/holders", TABLE_PLAIN},
        {"DESCRIPTION", "/description", TABLE_PLAIN},
        {"ALLOWS", "/permissions", TABLE_LIST},
    };
    (void)a;
    return say_list(c, &what, COLUMNS(columns));
}

static void print_role(const struct jval *role)
{
    static const struct table_column lines[] = {
        {"role", "/name", TABLE_PLAIN},
        {"description", "/description", TABLE_PLAIN},
        {"held by", "/holders", TABLE_PLAIN},
    };
    static const struct table_column columns[] = {
        {"ACCOUNT", "/account", TABLE_PLAIN},
        {"NAME", "/name", TABLE_PLAIN},
        {"E-MAIL", "/email", TABLE_PLAIN},
        {"SINCE", "/since", TABLE_AGO},
    };
    const struct jval *permissions = jval_get(role, "permissions");
    table_object(stdout, role, COLUMNS(lines));
    for (size_t i = 0; i < jval_count(permissions); i++) {
        fputs("  allows ", stdout);
        table_text(stdout, jval_text(jval_item(permissions, i)));
        fputc('\n', stdout);
    }
    fputc('\n', stdout);
    table_print(stdout, jval_get(role, "accounts"), COLUMNS(columns), "Nobody has it.");
}

int ctl_role_show(struct ctl *c, const struct ctl_args *a)
{
    return say_thing(c, client_path(c, PATH, a->v[0], ""), print_role);
}

/* What is not said stays as it is, so what is there is looked at first: in the list, because a role
 * that is not there is no error here. */
static int role_now(struct ctl *c, const char *name, struct jval **description,
                    struct jval **permissions)
{
    struct client_reply r;
    const int rc = client_get(c, "/api/v1/roles", &r);
    const struct jval *all = rc == CTL_DONE ? jval_get(r.body, "roles") : NULL;
    *description = *permissions = NULL;
    for (size_t i = 0; i < jval_count(all); i++) {
        const struct jval *one = jval_item(all, i);
        const char *called = jval_text(jval_get(one, "name"));
        if (!called || strcmp(called, name) != 0)
            continue;
        *description = jval_copy(jval_get(one, "description"));
        *permissions = jval_copy(jval_get(one, "permissions"));
        break;
    }
    client_reply_deinit(&r);
    return rc;
}

int ctl_role_set(struct ctl *c, const struct ctl_args *a)
{
    struct jval *given = jval_new_array(), *description, *permissions;
    const bool nothing = ctl_option(a, "allow-nothing") != NULL;
    for (size_t i = 0; i < a->n_options; i++)
        if (strcmp(a->option[i].name, "allow") == 0)
            jval_push(given, jval_new_text(a->option[i].value));
    if (nothing && jval_count(given) > 0) {
        jval_free(&given);
        return ctl_misused("--allow and --allow-nothing do not go together");
    }
    int rc = role_now(c, a->v[0], &description, &permissions);
    if (rc != CTL_DONE) {
        jval_free(&given);
        return rc;
    }
    if (permissions && !nothing && jval_count(given) == 0) {
        jval_free(&given);
        given = permissions;
        permissions = NULL;
    }
    struct jval *body = jval_new_object();
    jval_set(body, "permissions", given);
    if (ctl_option(a, "description"))
        jval_set_text(body, "description", ctl_option(a, "description"));
    else if (description)
        jval_set(body, "description", jval_copy(description));
    jval_free(&description);
    jval_free(&permissions);
    const struct client_call call = {
        .method = "PUT", .path = client_path(c, PATH, a->v[0], ""), .body = body};
    return say_done(c, &call, "It counts from the next request on of whoever has the role.");
}

int ctl_role_delete(struct ctl *c, const struct ctl_args *a)
{
    const int rc = say_sure(a, arena_printf(c->arena, "Delete the role %s", a->v[0]));
    const struct client_call call = {.method = "DELETE",
                                     .path = client_path(c, PATH, a->v[0], ""),
                                     .body = rc == CTL_DONE ? say_force(a) : NULL};
    return rc != CTL_DONE ? rc : say_done(c, &call, "The role is gone.");
}

/* "/api/v1/roles/<role>/<account>" */
static const char *holder_path(struct ctl *c, const struct ctl_args *a)
{
    return client_path(c, client_path(c, PATH, a->v[0], "/"), a->v[1], "");
}

int ctl_role_grant(struct ctl *c, const struct ctl_args *a)
{
    const struct client_call call = {.method = "PUT", .path = holder_path(c, a)};
    return say_done(c, &call, "The account has the role from its next request on.");
}

int ctl_role_take(struct ctl *c, const struct ctl_args *a)
{
    const struct client_call call = {
        .method = "DELETE", .path = holder_path(c, a), .body = say_force(a)};
    return say_done(c, &call, "The account does not have the role any more.");
}
