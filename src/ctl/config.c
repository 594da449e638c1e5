/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration in force, and the state of the daemon. */
#include <inttypes.h>

#include "ctl/say.h"

static void print_problems(const struct jval *list)
{
    if (jval_count(list) > 0)
        puts("Problems (what was right before stays in force)");
    for (size_t i = 0; i < jval_count(list); i++) {
        const struct jval *p = jval_item(list, i);
        const char *file = jval_text(jval_get(p, "file")), *text = jval_text(jval_get(p, "text"));
        int64_t line = 0;
        fputs("  ", stdout);
        table_text(stdout, file ? file : "");
        if (jval_int(jval_get(p, "line"), &line) && line > 0)
            printf(":%" PRId64, line);
        fputs(file ? ": " : "", stdout);
        table_text(stdout, text ? text : "?");
        fputc('\n', stdout);
    }
}

static void print_notes(const struct jval *list)
{
    for (size_t i = 0; i < jval_count(list); i++) {
        const char *text = jval_text(jval_item(list, i));
        if (!text)
            text = jval_text(jval_get(jval_item(list, i), "text"));
        fputs(i == 0 ? "To know\n  " : "  ", stdout);
        table_text(stdout, text ? text : "?");
        fputc('\n', stdout);
    }
}

static void print_value(const char *before, const struct jval *v)
{
    const char *text = jval_text(v);
    fputs(before, stdout);
    table_text(stdout, text && *text ? text : "(nothing)");
}

static void print_change(const struct jval *change)
{
    const char *what = jval_text(jval_get(change, "what")), *id = jval_text(jval_get(change, "id"));
    const char *kind = jval_text(jval_get(change, "change"));
    const struct jval *fields = jval_get(change, "fields");
    int64_t accounts = 0, sessions = 0;
    table_text(stdout, what ? what : "?");
    fputc(' ', stdout);
    table_text(stdout, id ? id : "");
    fputs(": ", stdout);
    table_text(stdout, kind ? kind : "?");
    if (jval_int(jval_get(change, "accounts"), &accounts) &&
        jval_int(jval_get(change, "sessions"), &sessions))
        printf(" (touches %" PRId64 " account%s, %" PRId64 " session%s)", accounts,
               accounts == 1 ? "" : "s", sessions, sessions == 1 ? "" : "s");
    fputc('\n', stdout);
    for (size_t i = 0; i < jval_count(fields); i++) {
        const struct jval *f = jval_item(fields, i);
        print_value("  ", jval_get(f, "key"));
        print_value(": ", jval_get(f, "before"));
        print_value(" → ", jval_get(f, "after"));
        fputc('\n', stdout);
    }
}

int ctl_config_diff(struct ctl *c, const struct ctl_args *a)
{
    struct client_reply r;
    (void)a;
    int rc = client_get(c, "/api/v1/config/diff", &r);
    if (rc == CTL_DONE) {
        const struct jval *changes = jval_get(r.body, "changes");
        const struct jval *problems = jval_get(r.body, "problems");
        const struct jval *restart = jval_get(r.body, "restart");
        if (!ctl_printed(c, r.body)) {
            for (size_t i = 0; i < jval_count(changes); i++)
                print_change(jval_item(changes, i));
            for (size_t i = 0; i < jval_count(restart); i++) {
                print_value("at the next start only: ", jval_item(restart, i));
                fputc('\n', stdout);
            }
            if (jval_count(changes) + jval_count(restart) == 0)
                puts("Nothing would change.");
            print_problems(problems);
        }
        rc = jval_count(problems) > 0 ? CTL_REFUSED : CTL_DONE;
    }
    client_reply_deinit(&r);
    return rc;
}

static void print_reload(const struct jval *body)
{
    puts("The configuration was read again and is in force.");
    print_problems(jval_get(body, "problems"));
}

int ctl_config_reload(struct ctl *c, const struct ctl_args *a)
{
    (void)a;
    return say(c, &(const struct client_call){.method = "POST", .path = "/api/v1/config/reload"},
               print_reload);
}

static void print_status(const struct jval *status)
{
    static const struct table_column columns[] = {
        {"Version", "/version", TABLE_PLAIN},
        {"Running since", "/started", TABLE_AGO},
        {"Address", "/public_url", TABLE_PLAIN},
        {"Sessions", "/sessions", TABLE_PLAIN},
        {"Logins under way", "/logins_in_flight", TABLE_PLAIN},
        {"Configuration read", "/config/loaded", TABLE_AGO},
        {"Because of", "/config/why", TABLE_PLAIN},
        {"Generation", "/config/generation", TABLE_PLAIN},
        {"Configuration good", "/config/ok", TABLE_PLAIN},
        {"Key rotation", "/key_rotation/state", TABLE_PLAIN},
    };
    table_object(stdout, status, COLUMNS(columns));
    print_notes(jval_get(status, "notes"));
    print_problems(jval_at(status, "/config/problems"));
}

int ctl_status(struct ctl *c, const struct ctl_args *a)
{
    (void)a;
    return say_thing(c, "/api/v1/status", print_status);
}
