/* SPDX-License-Identifier: Apache-2.0 */
#include "main/manual.h"

#include <string.h>

#include "live/config.h"
#include "main/options.h"
#include "provider/describe.h"
#include "provider/load.h"
#include "provider/registry.h"
#include "provider/upstream.h"
#include "sys/conf_doc.h"

enum form { SAMPLE = 0, MARKDOWN, MAN, JSON, FORMS };
static const char *const forms[FORMS] = {"sample", "markdown", "man", "json"};

struct request {
    const char *what, *plugin_dir;
    enum form form;
    struct buf *out;
    struct err *err;
};

static int refuse(const struct request *r)
{
    return err_set(r->err, ERR_INVALID, "there is no form %s of %s", forms[r->form], r->what);
}

static int print_json(const struct request *r, struct jval *take)
{
    jval_render(take, r->out);
    buf_byte(r->out, '\n');
    jval_free(&take);
    return 0;
}

/* ---- usher.conf ------------------------------------------------------------------------------ */

static void sample_table(const struct conf_table *table, void *out)
{
    conf_sample(table, out);
}

static void markdown_table(const struct conf_table *table, void *out)
{
    conf_markdown(table, "default", out);
}

static void man_table(const struct conf_table *table, void *out)
{
    conf_man(table, out);
}

static void json_table(const struct conf_table *table, void *sections)
{
    struct jval *one = jval_new_object(), *settings = jval_new_array();
    conf_table_json(table, table->section, settings);
    jval_set_text(one, "name", table->section);
    jval_set(one, "settings", settings);
    jval_push(sections, one);
}

static int tell_config(const struct request *r)
{
    if (r->form == SAMPLE)
        buf_text(r->out, "# usher.conf: every setting, with its default. KEY in [section] can also "
                         "come from the\n# environment: USHER_SECTION_KEY. \"usherd --check\" says "
                         "what is wrong.\n");
    static config_table_fn *const tell[FORMS] = {sample_table, markdown_table, man_table, NULL};
    if (tell[r->form]) {
        config_tables(tell[r->form], r->out);
        return 0;
    }
    struct jval *sections = jval_new_array(), *all = jval_new_object();
    config_tables(json_table, sections);
    jval_set(all, "sections", sections);
    return print_json(r, all);
}

/* ---- providers ------------------------------------------------------------------------------- */

static int tell_provider(const struct request *r)
{
    const struct conf_table common = {"", DESCRIBE_ENV_PREFIX, provider_common_settings,
                                      provider_common_n, NULL};
    struct jval *rows;
    switch (r->form) {
    case MARKDOWN:
        markdown_table(&common, r->out);
        return 0;
    case MAN:
        conf_man(&common, r->out);
        return 0;
    case JSON:
        rows = jval_new_array();
        conf_table_json(&common, "usher", rows);
        return print_json(r, rows);
    default:
        return refuse(r);
    }
}

static int tell_upstreams(const struct request *r)
{
    struct jval *list = upstream_list();
    if (r->form == JSON)
        return print_json(r, list);
    for (size_t i = 0; r->form == MARKDOWN && i < jval_count(list); i++) {
        const char *name = jval_text(jval_get(jval_item(list, i), "name"));
        const char *label = jval_text(jval_get(jval_item(list, i), "label"));
        const char *plugin = jval_text(jval_get(jval_item(list, i), "plugin"));
        buf_printf(r->out, "%s| [%s](%s.md) | [%s](%s.md) | `providers.d/%s.conf.sample` |\n",
                   i ? "" : "| provider | plugin | sample |\n|---|---|---|\n", label, name, plugin,
                   plugin, name);
    }
    jval_free(&list);
    return r->form == MARKDOWN ? 0 : refuse(r);
}

static int tell_plugin(const struct request *r)
{
    const struct usher_provider *p = plugin_load(r->plugin_dir, r->what, r->err);
    if (!p)
        return -1;
    switch (r->form) {
    case SAMPLE:
        describe_sample(p, r->out);
        return 0;
    case MAN:
        describe_man(p, r->out);
        return 0;
    case JSON:
        return print_json(r, describe_plugin(p));
    default:
        if (upstream_sample(r->what))
            return upstream_markdown(r->what, p, r->out, r->err);
        describe_markdown(p, r->out);
        return 0;
    }
}

/* A provider known by name that another plugin speaks to. */
static int tell_upstream(const struct request *r, const struct jval *one)
{
    const struct usher_provider *p;
    switch (r->form) {
    case SAMPLE:
        buf_text(r->out, upstream_sample(r->what));
        return 0;
    case JSON:
        jval_render(one, r->out);
        buf_byte(r->out, '\n');
        return 0;
    case MARKDOWN:
        p = plugin_load(r->plugin_dir, jval_text(jval_get(one, "plugin")), r->err);
        return p ? upstream_markdown(r->what, p, r->out, r->err) : -1;
    default:
        return refuse(r);
    }
}

static int tell_named(const struct request *r)
{
    struct jval *one = upstream_json(r->what, NULL);
    const bool own = !one || strcmp(jval_text(jval_get(one, "plugin")), r->what) == 0;
    const int result = own ? tell_plugin(r) : tell_upstream(r, one);
    jval_free(&one);
    return result;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static int tell_usherd(const struct request *r)
{
    if (r->form != MAN)
        return refuse(r);
    options_man(r->out);
    return 0;
}

static const struct {
    const char *name;
    int (*tell)(const struct request *r);
} parts[] = {{"usher.conf", tell_config},
             {"provider", tell_provider},
             {"upstreams", tell_upstreams},
             {"usherd", tell_usherd}};
#define N_PARTS (sizeof parts / sizeof *parts)

bool manual_needs_plugin(const char *what)
{
    for (size_t i = 0; what && i < N_PARTS; i++)
        if (strcmp(parts[i].name, what) == 0)
            return false;
    return what != NULL;
}

static int read_form(const char *text, enum form *out, struct err *err)
{
    for (int i = 0; i < FORMS; i++)
        if (strcmp(forms[i], text) == 0) {
            *out = (enum form)i;
            return 0;
        }
    return err_set(err, ERR_INVALID, "\"%.40s\" is no form: sample, markdown, man or json", text);
}

int manual_print(const char *what, const char *form, const char *plugin_dir, struct buf *out,
                 struct err *err)
{
    struct request r = {what ? what : "usher.conf", plugin_dir, SAMPLE, out, err};
    if (form && read_form(form, &r.form, err) < 0)
        return -1;
    for (size_t i = 0; i < N_PARTS; i++)
        if (strcmp(parts[i].name, r.what) == 0)
            return parts[i].tell(&r);
    return tell_named(&r);
}
