/* SPDX-License-Identifier: Apache-2.0 */
/* Who may administer: admins, API tokens, the first visit. */
#include "base/text.h"
#include "ctl/say.h"

/* ---- admins */

int ctl_admin_list(struct ctl *c, const struct ctl_args *a)
{
    static const struct table_column columns[] = {
        {"ACCOUNT", "/account", TABLE_PLAIN},
        {"NAME", "/name", TABLE_PLAIN},
        {"E-MAIL", "/email", TABLE_PLAIN},
        {"SINCE", "/since", TABLE_AGO},
    };
    static const struct say_list what = {
        "/api/v1/roles/admin", "accounts",
        "No admins yet: usherctl setup-link, or usherctl admin grant <account>"};
    (void)a;
    return say_list(c, &what, COLUMNS(columns));
}

int ctl_admin_grant(struct ctl *c, const struct ctl_args *a)
{
    const struct client_call call = {.method = "PUT",
                                     .path = client_path(c, "/api/v1/roles/admin/", a->v[0], "")};
    return say_done(c, &call, "The account is an admin from its next request on.");
}

int ctl_admin_revoke(struct ctl *c, const struct ctl_args *a)
{
    const struct client_call call = {.method = "DELETE",
                                     .path = client_path(c, "/api/v1/roles/admin/", a->v[0], ""),
                                     .body = say_force(a)};
    return say_done(c, &call, "The account is no admin any more.");
}

static void print_link(const struct jval *link)
{
    const char *url = jval_text(jval_get(link, "url"));
    fputs("Open this within ten minutes; it works once:\n  ", stdout);
    table_text(stdout, url ? url : "?");
    fputc('\n', stdout);
}

int ctl_setup_link(struct ctl *c, const struct ctl_args *a)
{
    (void)a;
    return say(c, &(const struct client_call){.method = "POST", .path = "/api/v1/setup-links"},
               print_link);
}

/* ---- tokens */

int ctl_token_list(struct ctl *c, const struct ctl_args *a)
{
    static const struct table_column columns[] = {
        {"ID", "/id", TABLE_PLAIN},         {"NAME", "/name", TABLE_PLAIN},
        {"SCOPES", "/scopes", TABLE_PLAIN}, {"MADE", "/created", TABLE_AGO},
        {"EXPIRES", "/expires", TABLE_AGO}, {"LAST USED", "/last_used", TABLE_AGO},
    };
    static const struct say_list what = {"/api/v1/tokens", "tokens", "No API tokens."};
    (void)a;
    return say_list(c, &what, COLUMNS(columns));
}

int ctl_token_add(struct ctl *c, const struct ctl_args *a)
{
    const char *scopes = ctl_option(a, "scopes");
    struct jval *body = jval_new_object();
    jval_set_text(body, "name", a->v[0]);
    jval_set_text(body, "scopes", scopes ? scopes : "read");
    return say_once(c, a, "/api/v1/tokens", "token", body);
}

int ctl_token_delete(struct ctl *c, const struct ctl_args *a)
{
    const struct client_call call = {.method = "DELETE",
                                     .path = client_path(c, "/api/v1/tokens/", a->v[0], "")};
    return say_done(c, &call, "The token is of no use any more.");
}

/* ---- what lets apps register themselves */

int ctl_registration_list(struct ctl *c, const struct ctl_args *a)
{
    static const struct table_column columns[] = {
        {"ID", "/id", TABLE_PLAIN},      {"NAME", "/name", TABLE_PLAIN},
        {"MADE", "/created", TABLE_AGO}, {"EXPIRES", "/expires", TABLE_AGO},
        {"USED", "/used", TABLE_AGO},
    };
    static const struct say_list what = {"/api/v1/registration-tokens", "tokens",
                                         "No registration tokens."};
    (void)a;
    return say_list(c, &what, COLUMNS(columns));
}

int ctl_registration_add(struct ctl *c, const struct ctl_args *a)
{
    struct jval *body = jval_new_object();
    jval_set_text(body, "name", a->v[0]);
    return say_once(c, a, "/api/v1/registration-tokens", "token", body);
}

int ctl_registration_delete(struct ctl *c, const struct ctl_args *a)
{
    const struct client_call call = {
        .method = "DELETE", .path = client_path(c, "/api/v1/registration-tokens/", a->v[0], "")};
    return say_done(c, &call, "The token is of no use any more; an app it let in stays.");
}
