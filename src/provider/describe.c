/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/describe.h"

#include <string.h>

#include "base/arena.h"
#include "provider/registry.h"
#include "sys/conf_doc.h"

#define ENV_PREFIX "USHER_PROVIDER_{ID}"

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
    return (struct conf_table){.section = "", .env_prefix = ENV_PREFIX, .rows = rows, .n = n};
}

static struct conf_table own_table(const struct usher_provider *p)
{
    return (struct conf_table){
        .section = "", .env_prefix = ENV_PREFIX, .rows = p->settings, .n = p->n_settings};
}

struct jval *describe_plugin(const struct usher_provider *p)
{
    struct arena *a = arena_new();
    const struct conf_table common = common_table(p, a), own = own_table(p);
    struct jval *out = jval_new_object(), *settings = jval_new_array();
    jval_set_text(out, "name", p->name);
    jval_set_text(out, "label", p->label);
    jval_set_text(out, "version", p->version);
    jval_set_text(out, "home", p->home);
    jval_set_text(out, "steps", p->steps);
    jval_set_text(out, "client_secret",
                  p->flags & USHER_NO_CLIENT_SECRET ? "none"
                  : needs_secret(p)                 ? "required"
                                                    : "optional");
    conf_table_json(&common, "usher", settings);
    conf_table_json(&own, "plugin", settings);
    jval_set(out, "settings", settings);
    arena_free(&a);
    return out;
}
