/* SPDX-License-Identifier: Apache-2.0 */
/* Which plugins there are, and what they want to know. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "admin/op.h"
#include "provider/describe.h"
#include "provider/load.h"

#define PLUGINS_MAX 256

static int by_name(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* "discord.so" is "discord". */
static size_t names_of(struct op *op, const char **names, struct err *err)
{
    DIR *d = opendir(op->config->providers.plugin_dir);
    size_t n = 0;
    if (!d) {
        err_set(err, ERR_MISCONFIGURED, "the folder of plugins cannot be read: %s",
                strerror(errno));
        return 0;
    }
    for (struct dirent *e; n < PLUGINS_MAX && (e = readdir(d));) {
        struct str name = str_of(e->d_name);
        if (!str_ends(name, ".so"))
            continue;
        const char *plain = arena_dupn(op->arena, name.p, name.n - strlen(".so"));
        if (plugin_name_valid(plain))
            names[n++] = plain;
    }
    closedir(d);
    qsort(names, n, sizeof *names, by_name);
    return n;
}

static struct jval *plugin_json(struct op *op, const char *name)
{
    struct err err = ERR_INIT;
    const struct usher_provider *p = plugin_load(op->config->providers.plugin_dir, name, &err);
    struct jval *o = jval_new_object();
    jval_set_text(o, "name", name);
    jval_set_text(o, "label", p ? p->label : NULL);
    jval_set_text(o, "version", p ? p->version : NULL);
    jval_set_text(o, "home", p ? p->home : NULL);
    jval_set_text(o, "problem", p ? NULL : err.text);
    return o;
}

static int list(struct op *op, struct err *err)
{
    const char **names = arena_alloc(op->arena, PLUGINS_MAX * sizeof *names);
    size_t n = names_of(op, names, err);
    if (err->kind != ERR_NONE)
        return -1;
    struct jval *all = jval_new_array();
    op->answer = jval_new_object();
    jval_set(op->answer, "plugins", all);
    for (size_t i = 0; i < n; i++)
        jval_push(all, plugin_json(op, names[i]));
    return 0;
}

void admin_plugin_list(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                       void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_READ, .work = list};
    op_run(a, rq, &rule, done, arg);
}

static int show(struct op *op, struct err *err)
{
    const char **names = arena_alloc(op->arena, PLUGINS_MAX * sizeof *names);
    size_t n = names_of(op, names, err), i = 0;
    while (i < n && strcmp(names[i], op->id) != 0)
        i++;
    if (err->kind != ERR_NONE)
        return -1;
    if (i == n)
        return err_set(err, ERR_NOT_FOUND, "there is no such plugin");
    const struct usher_provider *p = plugin_load(op->config->providers.plugin_dir, op->id, err);
    if (!p)
        return -1;
    op->answer = describe_plugin(p);
    return 0;
}

static int show_begin(struct op *op, struct err *err)
{
    return op->id ? 0 : err_set(err, ERR_NOT_FOUND, "there is no such plugin");
}

void admin_plugin_show(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                       void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_READ, .begin = show_begin, .work = show};
    op_run(a, rq, &rule, done, arg);
}
