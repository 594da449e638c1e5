/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/describe.h"

#include <string.h>

#include "base/arena.h"
#include "provider/registry.h"
#include "provider/upstream.h"
#include "sys/conf_doc.h"

static bool needs_secret(const struct usher_provider *p)
{
    return !(p->flags & (USHER_NO_CLIENT_SECRET | USHER_PUBLIC_CLIENT));
}

/* The common rows as they are for this plugin: what configure.c judges and fills in afterwards is
 * no default and no flag of the table. */
static struct conf_table common_table(const struct usher_provider *p, struct arena *a)
{
    struct usher_setting *rows = arena_alloc(a, provider_common_n * sizeof *rows);
    size_t n = 0;
    for (size_t i = 0; i < provider_common_n; i++) {
        struct usher_setting *row = &rows[n];
        *row = provider_common_settings[i];
        if ((p->flags & USHER_NO_CLIENT_SECRET) && strncmp(row->key, "client_secret", 13) == 0)
            continue;
        if (strcmp(row->key, "plugin") == 0)
            row->value = p->name;
        else if (strcmp(row->key, "label") == 0)
            row->value = p->label;
        else if (strcmp(row->key, "scopes") == 0)
            row->value = p->scopes;
        else if (strcmp(row->key, "client_id") == 0 ||
                 (strcmp(row->key, "client_secret") == 0 && needs_secret(p)))
            row->flags |= USHER_REQUIRED;
        n++;
    }
    return (struct conf_table){"", DESCRIBE_ENV_PREFIX, rows, n, NULL};
}

struct describe_tables describe_tables(const struct usher_provider *p, struct arena *a)
{
    return (struct describe_tables){
        .common = common_table(p, a),
        .own = {"", DESCRIBE_ENV_PREFIX, p->settings, p->n_settings, NULL}};
}

/* Plugins from elsewhere bring a paragraph of their own. */
static struct jval *steps_of(const struct usher_provider *p)
{
    struct jval *steps = upstream_steps(p->name, NULL);
    if (steps)
        return steps;
    struct jval *own = jval_new_array();
    if (p->steps)
        jval_push(own, jval_new_text(p->steps));
    steps = jval_new_object();
    jval_set(steps, "register", own);
    jval_set(steps, "rotate", jval_new_array());
    return steps;
}

struct jval *describe_plugin(const struct usher_provider *p)
{
    struct arena *a = arena_new();
    const struct describe_tables t = describe_tables(p, a);
    struct jval *out = jval_new_object(), *settings = jval_new_array();
    jval_set_text(out, "name", p->name);
    jval_set_text(out, "label", p->label);
    jval_set_text(out, "version", p->version);
    jval_set_text(out, "home", p->home);
    jval_set(out, "steps", steps_of(p));
    jval_set_text(out, "client_secret",
                  p->flags & USHER_NO_CLIENT_SECRET ? "none"
                  : needs_secret(p)                 ? "required"
                                                    : "optional");
    conf_table_json(&t.common, "usher", settings);
    conf_table_json(&t.own, "plugin", settings);
    jval_set(out, "settings", settings);
    arena_free(&a);
    return out;
}

/* The table without the row `plugin`, which the sample says itself, and with something to replace
 * for client_id. */
static struct conf_table sample_table(const struct conf_table *common, struct arena *a)
{
    struct usher_setting *rows = arena_alloc(a, common->n * sizeof *rows);
    struct conf_table t = *common;
    t.rows = rows;
    t.n = 0;
    for (size_t i = 0; i < common->n; i++) {
        struct usher_setting *row = &rows[t.n];
        if (strcmp(common->rows[i].key, "plugin") == 0)
            continue;
        *row = common->rows[i];
        if (strcmp(row->key, "client_id") == 0)
            row->example = "YOUR-CLIENT-ID";
        t.n++;
    }
    return t;
}

void describe_sample(const struct usher_provider *p, struct buf *out)
{
    struct arena *a = arena_new();
    const struct describe_tables t = describe_tables(p, a);
    const struct conf_table common = sample_table(&t.common, a);
    buf_printf(
        out,
        "# %s: every setting of the plugin %s. Copy to ID.conf, where ID is the name in the\n"
        "# callback URL to register: https://YOUR-HOST/callback/ID\n"
        "# A setting KEY can also come from the environment: USHER_PROVIDER_ID_KEY, in\n"
        "# capitals.\n\nplugin = %s\n",
        p->label, p->name, p->name);
    conf_sample(&common, out);
    if (t.own.n > 0) {
        buf_printf(out, "\n# ---- what plugin %s wants to know\n", p->name);
        conf_sample(&t.own, out);
    }
    arena_free(&a);
}

void describe_markdown(const struct usher_provider *p, struct buf *out)
{
    struct arena *a = arena_new();
    const struct describe_tables t = describe_tables(p, a);
    if (t.own.n > 0) {
        buf_printf(out, "## Settings of the plugin %s\n\n", p->name);
        conf_markdown(&t.own, "default", out);
        buf_byte(out, '\n');
    }
    buf_text(out, "## Settings of every provider\n\n");
    conf_markdown(&t.common, "default", out);
    arena_free(&a);
}

void describe_man(const struct usher_provider *p, struct buf *out)
{
    struct arena *a = arena_new();
    const struct describe_tables t = describe_tables(p, a);
    buf_printf(out, ".SS The plugin %s\n", p->name);
    conf_man_text(out, arena_printf(a, "%s.%s", p->label, t.own.n ? "" : " No settings."));
    buf_byte(out, '\n');
    conf_man(&t.own, out);
    arena_free(&a);
}
