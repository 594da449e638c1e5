/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/client.h"
#include "ctl/input.h"
#include "ctl/table.h"

void settings_print(const struct jval *settings)
{
    void *at = NULL;
    const char *key;
    const struct jval *value;
    while (jval_next(settings, &at, &key, &value)) {
        const char *text = jval_text(value);
        if (!text || !*text)
            continue;
        fputs("  ", stdout);
        table_text(stdout, key);
        fputs(" = ", stdout);
        table_text(stdout, text);
        fputc('\n', stdout);
    }
}

int settings_options(const struct ctl_args *a, struct jval *into)
{
    for (size_t i = 0; i < a->n_options; i++) {
        const char *value = a->option[i].value;
        if (strcmp(a->option[i].name, "unset") == 0) {
            jval_set(into, value, jval_new_null());
        } else if (strcmp(a->option[i].name, "set") == 0) {
            const size_t n = strcspn(value, "=");
            if (n == 0 || !value[n])
                return ctl_misused("--set wants KEY=VALUE");
            char *key = mem_dupn(value, n);
            jval_set_text(into, key, value + n + 1);
            free(key);
        }
    }
    return CTL_DONE;
}

static bool is(const struct jval *row, const char *flag)
{
    const struct jval *flags = jval_get(row, "flags");
    for (size_t i = 0; i < jval_count(flags); i++) {
        const char *name = jval_text(jval_item(flags, i));
        if (name && strcmp(name, flag) == 0)
            return true;
    }
    return false;
}

static bool is_missing(const struct jval *row, const struct jval *given)
{
    const char *key = jval_text(jval_get(row, "key"));
    return key && is(row, "required") && !jval_text(jval_get(row, "default")) &&
           jval_type(jval_get(given, key)) == JVAL_NONE;
}

/* A secret must not stand on the command line, where every user of the machine can read it. */
static int refuse_secrets(const struct jval *rows, const struct jval *given)
{
    for (size_t i = 0; i < jval_count(rows); i++) {
        const struct jval *row = jval_item(rows, i);
        const char *key = jval_text(jval_get(row, "key"));
        if (key && is(row, "secret") && jval_text(jval_get(given, key)))
            return ctl_misused(
                "%s is a secret: leave it out, it is asked for or read from standard "
                "input",
                key);
    }
    return CTL_DONE;
}

static void explain(const struct jval *row)
{
    const char *help = jval_text(jval_get(row, "help"));
    const char *example = jval_text(jval_get(row, "example"));
    fputc('\n', stderr);
    if (help && *help) {
        table_text(stderr, help);
        fputc('\n', stderr);
    }
    if (example && *example) {
        fputs("For example: ", stderr);
        table_text(stderr, example);
        fputc('\n', stderr);
    }
}

static const char *label_of(const struct jval *row, const char *key)
{
    const char *label = jval_text(jval_get(row, "label"));
    return label && *label ? label : key;
}

static int ask_secret(const char *key, const struct jval *row, struct jval *into)
{
    struct err err = ERR_INIT;
    if (input_is_terminal())
        explain(row);
    char *secret = input_secret(label_of(row, key), &err);
    if (!secret)
        return ctl_misused("%s: %s", key, err.text);
    jval_set_text(into, key, secret);
    input_wipe(&secret);
    return CTL_DONE;
}

static int ask(const char *key, const struct jval *row, struct jval *into)
{
    if (!input_is_terminal())
        return ctl_misused("%s is needed: --set %s=…", key, key);
    explain(row);
    char *said = input_ask(label_of(row, key), NULL);
    if (!said || !*said) {
        free(said);
        return ctl_misused("%s is needed", key);
    }
    jval_set_text(into, key, said);
    free(said);
    return CTL_DONE;
}

int settings_gather(struct ctl *c, const struct ctl_args *a, const char *plugin, struct jval **out)
{
    struct client_reply r;
    struct jval *into = jval_new_object();
    int rc = settings_options(a, into);
    if (rc == CTL_DONE)
        rc = client_get(c, client_path(c, "/api/v1/plugins/", plugin, ""), &r);
    else
        r = (struct client_reply){.status = 0};
    const struct jval *rows = jval_get(r.body, "settings");
    if (rc == CTL_DONE)
        rc = refuse_secrets(rows, into);
    size_t secrets = 0;
    for (size_t i = 0; rc == CTL_DONE && i < jval_count(rows); i++) {
        const struct jval *row = jval_item(rows, i);
        const char *key = jval_text(jval_get(row, "key"));
        if (!is_missing(row, into))
            continue;
        if (!is(row, "secret"))
            rc = ask(key, row, into);
        else if (++secrets > 1 && !input_is_terminal())
            rc = ctl_misused("%s needs more than one secret: run it on a terminal", plugin);
        else
            rc = ask_secret(key, row, into);
    }
    client_reply_deinit(&r);
    if (rc != CTL_DONE)
        jval_free(&into);
    *out = into;
    return rc;
}
