/* SPDX-License-Identifier: Apache-2.0 */
/* Who may administer: admins, API tokens, the first visit. */
#include "base/text.h"
#include "ctl/date.h"
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

int ctl_setup_link(struct ctl *c, const struct ctl_args *a)
{
    struct client_reply r;
    const struct client_call call = {.method = "POST", .path = "/api/v1/setup-links"};
    (void)a;
    const int rc = client_ask(c, &call, &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body)) {
        const char *url = jval_text(jval_get(r.body, "url"));
        fputs("Open this within ten minutes; it works once:\n  ", stdout);
        table_text(stdout, url ? url : "?");
        fputc('\n', stdout);
    }
    client_reply_deinit(&r);
    return rc;
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

/* A token of either kind, told once. `body` is taken. */
static int make_token(struct ctl *c, const struct ctl_args *a, const char *path, struct jval *body)
{
    struct client_reply r;
    int64_t expires = 0;
    if (ctl_option(a, "expires") && !date_read(ctl_option(a, "expires"), &expires)) {
        jval_free(&body);
        return ctl_misused("--expires wants a day to come, as 2027-01-31 or 90d");
    }
    jval_set_text(body, "name", a->v[0]);
    if (expires)
        jval_set_int(body, "expires", expires);
    const struct client_call call = {.method = "POST", .path = path, .body = body};
    const int rc = client_ask(c, &call, &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body)) {
        const char *token = jval_text(jval_get(r.body, "token"));
        fputs("Keep it now, it is not shown again:\n", stderr);
        table_text(stdout, token ? token : "?");
        fputc('\n', stdout);
    }
    client_reply_deinit(&r);
    return rc;
}

int ctl_token_add(struct ctl *c, const struct ctl_args *a)
{
    const char *scopes = ctl_option(a, "scopes");
    struct jval *body = jval_new_object();
    jval_set_text(body, "scopes", scopes ? scopes : "read");
    return make_token(c, a, "/api/v1/tokens", body);
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
    return make_token(c, a, "/api/v1/registration-tokens", jval_new_object());
}

int ctl_registration_delete(struct ctl *c, const struct ctl_args *a)
{
    const struct client_call call = {
        .method = "DELETE", .path = client_path(c, "/api/v1/registration-tokens/", a->v[0], "")};
    return say_done(c, &call, "The token is of no use any more; an app it let in stays.");
}
