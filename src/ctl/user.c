/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: looked for, shown, disabled, their sessions ended, themselves deleted. */
#include "base/buf.h"
#include "base/form.h"
#include "ctl/date.h"
#include "ctl/say.h"

#define PATH "/api/v1/users/"
#define HISTORY "10"

int ctl_user_list(struct ctl *c, const struct ctl_args *a)
{
    static const char *const filters[] = {"search", "provider", "role", "after", "limit"};
    static const struct table_column columns[] = {
        {"ACCOUNT", "/id", TABLE_PLAIN},        {"NAME", "/name", TABLE_PLAIN},
        {"E-MAIL", "/email", TABLE_PLAIN},      {"SIGNS IN WITH", "/providers", TABLE_LIST},
        {"LAST SEEN", "/last_seen", TABLE_AGO}, {"DISABLED", "/disabled", TABLE_PLAIN},
        {"ROLES", "/roles", TABLE_LIST},
    };
    struct client_reply r;
    struct buf path;
    int rc = ctl_option(a, "disabled") && ctl_option(a, "enabled")
                 ? ctl_misused("--disabled and --enabled do not go together")
                 : CTL_DONE;
    buf_init(&path, 8192);
    buf_text(&path, "/api/v1/users?");
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        if (ctl_option(a, filters[i]))
            form_add(&path, filters[i], ctl_option(a, filters[i]));
    if (ctl_option(a, "disabled") || ctl_option(a, "enabled"))
        form_add(&path, "disabled", ctl_option(a, "disabled") ? "true" : "false");
    if (rc == CTL_DONE && !buf_ok(&path))
        rc = ctl_misused("that is too long");
    if (rc == CTL_DONE)
        rc = client_get(c, arena_dupn(c->arena, path.p, path.n), &r);
    else
        r = (struct client_reply){.body = NULL};
    buf_deinit(&path);
    if (rc == CTL_DONE && !ctl_printed(c, r.body)) {
        const char *next = jval_text(jval_get(r.body, "next"));
        table_print(stdout, jval_get(r.body, "users"), COLUMNS(columns), "Nobody.");
        if (next) {
            fputs("There may be more: --after ", stdout);
            table_text(stdout, next);
            fputc('\n', stdout);
        }
    }
    client_reply_deinit(&r);
    return rc;
}

/* ---- one of them */

static void print_user(const struct jval *user)
{
    static const struct table_column lines[] = {
        {"account", "/id", TABLE_PLAIN},
        {"name", "/name", TABLE_PLAIN},
        {"since", "/created", TABLE_AGO},
        {"roles", "/roles", TABLE_LIST},
        {"permissions", "/permissions", TABLE_LIST},
        {"disabled", "/disabled_since", TABLE_AGO},
        {"until", "/disabled_until", TABLE_AGO},
        {"because", "/disabled_reason", TABLE_PLAIN},
    };
    static const struct table_column identities[] = {
        {"SIGNS IN WITH", "/provider", TABLE_PLAIN},
        {"AS", "/subject", TABLE_PLAIN},
        {"NAME", "/name", TABLE_PLAIN},
        {"E-MAIL", "/email", TABLE_PLAIN},
        {"LAST SEEN", "/last_seen", TABLE_AGO},
        {"GROUPS", "/groups", TABLE_LIST},
    };
    static const struct table_column sessions[] = {
        {"SESSION", "/id", TABLE_PLAIN},   {"THROUGH", "/provider", TABLE_PLAIN},
        {"FROM", "/ip", TABLE_PLAIN},      {"BEGAN", "/created", TABLE_AGO},
        {"LAST SEEN", "/seen", TABLE_AGO}, {"WITH", "/user_agent", TABLE_PLAIN},
    };
    bool disabled = false;
    (void)jval_bool(jval_get(user, "disabled"), &disabled);
    table_object(stdout, user, lines, disabled ? sizeof lines / sizeof *lines : 5);
    fputc('\n', stdout);
    table_print(stdout, jval_get(user, "identities"), COLUMNS(identities),
                "Nothing to sign in with.");
    fputc('\n', stdout);
    table_print(stdout, jval_get(user, "sessions"), COLUMNS(sessions), "Not signed in anywhere.");
}

int ctl_user_show(struct ctl *c, const struct ctl_args *a)
{
    static const struct table_column history[] = {
        {"WHEN", "/at", TABLE_AGO},           {"WHAT", "/action", TABLE_PLAIN},
        {"OUTCOME", "/outcome", TABLE_PLAIN}, {"BY", "/actor_kind", TABLE_PLAIN},
        {"FROM", "/ip", TABLE_PLAIN},         {"PROVIDER", "/provider", TABLE_PLAIN},
    };
    struct client_reply r, past;
    int rc = client_get(c, client_path(c, PATH, a->v[0], ""), &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body)) {
        print_user(r.body);
        fputc('\n', stdout);
        rc = client_get(c, client_path(c, "/api/v1/audit?limit=" HISTORY "&account=", a->v[0], ""),
                        &past);
        if (rc == CTL_DONE)
            table_print(stdout, jval_get(past.body, "audit"), COLUMNS(history),
                        "Nothing in the audit.");
        client_reply_deinit(&past);
    }
    client_reply_deinit(&r);
    return rc;
}

/* ---- what is done to them */

static int act(struct ctl *c, const struct ctl_args *a, const char *verb, struct jval *body,
               const char *done)
{
    const struct client_call call = {
        .method = "POST", .path = client_path(c, PATH, a->v[0], verb), .body = body};
    return say_done(c, &call, done);
}

int ctl_user_disable(struct ctl *c, const struct ctl_args *a)
{
    int64_t until = 0;
    const char *reason = ctl_option(a, "reason");
    if (!reason || !*reason)
        return ctl_misused("--reason is needed: for admins, never shown to the person");
    if (ctl_option(a, "until") && !date_read(ctl_option(a, "until"), &until))
        return ctl_misused("--until wants a day to come, as 2027-01-31, or how long: 12h, 90d");
    struct jval *body = say_force(a);
    if (!body)
        body = jval_new_object();
    jval_set_text(body, "reason", reason);
    if (until)
        jval_set_int(body, "until", until);
    return act(c, a, "/disable", body,
               "Nobody is signed in to the account any more, nor can anybody sign in.");
}

int ctl_user_enable(struct ctl *c, const struct ctl_args *a)
{
    return act(c, a, "/enable", NULL, "The person can sign in again.");
}

int ctl_user_end_sessions(struct ctl *c, const struct ctl_args *a)
{
    struct jval *body = NULL;
    if (ctl_option(a, "session")) {
        body = jval_new_object();
        jval_set_text(body, "session", ctl_option(a, "session"));
    }
    return act(c, a, "/end-sessions", body, "Signed out, from the next request on.");
}

int ctl_user_delete(struct ctl *c, const struct ctl_args *a)
{
    const int rc = say_sure(a, arena_printf(c->arena, "Delete account %s for good", a->v[0]));
    if (rc != CTL_DONE)
        return rc;
    struct jval *body = say_force(a);
    if (!body)
        body = jval_new_object();
    if (ctl_option(a, "bar"))
        jval_set_bool(body, "bar", true);
    const struct client_call call = {
        .method = "DELETE", .path = client_path(c, PATH, a->v[0], ""), .body = body};
    return say_done(c, &call, "The account is gone, with everything.");
}
