/* SPDX-License-Identifier: Apache-2.0 */
/* Providers: list, show, add, change, test. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/input.h"
#include "ctl/say.h"
#include "ctl/settings.h"

#define PROVIDERS "/api/v1/providers"

int ctl_provider_list(struct ctl *c, const struct ctl_args *a)
{
    static const struct table_column columns[] = {
        {"ID", "/id", TABLE_PLAIN},
        {"LABEL", "/label", TABLE_PLAIN},
        {"PLUGIN", "/plugin", TABLE_PLAIN},
        {"USABLE", "/usable", TABLE_PLAIN},
        {"SECRET SINCE", "/secrets/client_secret/active/since", TABLE_AGO},
        {"EXPIRES", "/secrets/client_secret/active/expires", TABLE_AGO},
        {"NEXT", "/secrets/client_secret/next", TABLE_SET},
        {"FROM", "/source/kind", TABLE_PLAIN},
    };
    static const struct say_list what = {PROVIDERS, "providers",
                                         "No providers yet: usherctl provider add discord"};
    (void)a;
    return say_list(c, &what, COLUMNS(columns));
}

/* ---- one provider */

static void print_secrets(const struct jval *secrets)
{
    static const struct table_column columns[] = {
        {"    active since", "/active/since", TABLE_AGO},
        {"    active expires", "/active/expires", TABLE_AGO},
        {"    next since", "/next/since", TABLE_AGO},
        {"    next expires", "/next/expires", TABLE_AGO},
        {"    retiring since", "/retiring/since", TABLE_AGO},
        {"    in use", "/using", TABLE_PLAIN},
    };
    void *at = NULL;
    const char *key;
    const struct jval *value;
    while (jval_next(secrets, &at, &key, &value)) {
        fputs("  ", stdout);
        table_text(stdout, key);
        fputs(jval_type(jval_get(value, "active")) == JVAL_OBJECT ? "\n" : ": not set\n", stdout);
        table_object(stdout, value, COLUMNS(columns));
    }
}

static void print_provider(const struct jval *p)
{
    static const struct table_column columns[] = {
        {"Id", "/id", TABLE_PLAIN},
        {"Label", "/label", TABLE_PLAIN},
        {"Plugin", "/plugin", TABLE_PLAIN},
        {"From", "/source/kind", TABLE_PLAIN},
        {"File", "/source/file", TABLE_PLAIN},
        {"Enabled", "/enabled", TABLE_PLAIN},
        {"Usable", "/usable", TABLE_PLAIN},
        {"Why not", "/reason", TABLE_PLAIN},
        {"Callback URL", "/callback_url", TABLE_PLAIN},
    };
    table_object(stdout, p, COLUMNS(columns));
    puts("Settings");
    settings_print(jval_get(p, "settings"));
    puts("Secrets");
    print_secrets(jval_get(p, "secrets"));
}

static const char *path_of(struct ctl *c, const char *id)
{
    return client_path(c, PROVIDERS "/", id, "");
}

int ctl_provider_show(struct ctl *c, const struct ctl_args *a)
{
    return say_thing(c, path_of(c, a->v[0]), print_provider);
}

/* ---- test */

static int test(struct ctl *c, const char *id)
{
    struct client_reply r;
    bool ok = false;
    const struct client_call call = {.method = "POST",
                                     .path = client_path(c, PROVIDERS "/", id, "/test")};
    if (!c->json && input_is_terminal())
        fprintf(stderr, "Asking %s …\n", id);
    int rc = client_ask(c, &call, &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body)) {
        const struct jval *list = jval_get(r.body, "findings");
        for (size_t i = 0; i < jval_count(list); i++) {
            const struct jval *f = jval_item(list, i);
            const char *result = jval_text(jval_get(f, "result"));
            const char *text = jval_text(jval_get(f, "text"));
            const char *advice = jval_text(jval_get(f, "advice"));
            printf("%-8s", result ? result : "?");
            table_text(stdout, text ? text : "");
            fputc('\n', stdout);
            if (advice && *advice) {
                fputs("        ", stdout);
                table_text(stdout, advice);
                fputc('\n', stdout);
            }
        }
    }
    if (rc == CTL_DONE && !(jval_bool(jval_get(r.body, "ok"), &ok) && ok))
        rc = CTL_REFUSED;
    client_reply_deinit(&r);
    return rc;
}

int ctl_provider_test(struct ctl *c, const struct ctl_args *a)
{
    return test(c, a->v[0]);
}

/* ---- add */

int ctl_provider_add(struct ctl *c, const struct ctl_args *a)
{
    const char *id = a->v[0], *plugin = ctl_option(a, "plugin");
    struct jval *settings = NULL;
    struct client_reply r;
    int rc = settings_gather(c, a, plugin ? plugin : id, &settings);
    if (rc != CTL_DONE)
        return rc;
    if (plugin)
        jval_set_text(settings, "plugin", plugin);
    struct jval *body = jval_new_object();
    jval_set_text(body, "id", id);
    jval_set(body, "settings", settings);
    if (ctl_option(a, "adopt"))
        jval_set_bool(body, "adopt", true);
    const struct client_call call = {.method = "POST", .path = PROVIDERS, .body = body};
    rc = client_ask(c, &call, &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body)) {
        const char *callback = jval_text(jval_get(r.body, "callback_url"));
        printf("Added. Register this callback URL with the provider, exactly so:\n  ");
        table_text(stdout, callback ? callback : "?");
        fputc('\n', stdout);
    }
    client_reply_deinit(&r);
    if (rc == CTL_DONE && !c->json && !ctl_option(a, "no-test"))
        return test(c, id);
    return rc;
}

/* ---- change */

static struct jval *patch_of(struct jval *settings, const struct ctl_args *a)
{
    struct jval *body = jval_new_object();
    jval_set(body, "settings", settings);
    if (ctl_option(a, "force"))
        jval_set_bool(body, "force", true);
    return body;
}

int ctl_provider_edit(struct ctl *c, const struct ctl_args *a)
{
    struct jval *settings = jval_new_object();
    const int rc = settings_options(a, settings);
    if (rc != CTL_DONE || jval_count(settings) == 0) {
        jval_free(&settings);
        return rc != CTL_DONE ? rc : ctl_misused("nothing to change: --set KEY=VALUE");
    }
    return say_change(c, "PATCH", path_of(c, a->v[0]), patch_of(settings, a));
}

static int enable(struct ctl *c, const struct ctl_args *a, const char *value)
{
    struct jval *settings = jval_new_object();
    jval_set_text(settings, "enabled", value);
    return say_change(c, "PATCH", path_of(c, a->v[0]), patch_of(settings, a));
}

int ctl_provider_enable(struct ctl *c, const struct ctl_args *a)
{
    return enable(c, a, "true");
}

int ctl_provider_disable(struct ctl *c, const struct ctl_args *a)
{
    return enable(c, a, "false");
}

int ctl_provider_delete(struct ctl *c, const struct ctl_args *a)
{
    if (!ctl_option(a, "yes")) {
        if (!input_is_terminal())
            return ctl_misused("say --yes to delete without being asked");
        if (!input_confirm(arena_printf(c->arena, "Delete provider %s", a->v[0])))
            return CTL_REFUSED;
    }
    return say_change(c, "DELETE", path_of(c, a->v[0]), say_force(a));
}
