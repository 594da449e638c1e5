/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/upstream.h"

#include <string.h>

#include "base/embed.h"
#include "provider/describe.h"
#include "sys/conf_doc.h"
#include "sys/conf_file.h"

#define STEP_MAX 4096 /* bytes of one step */
#define SAMPLE_END ".conf.sample"
#define STEPS_END ".txt"

/* "github" and ".conf.sample"; NULL if there is no such file. */
static const char *embedded_text(const struct embedded *table, const char *name, const char *end)
{
    const size_t n = strlen(name);
    for (; table->name; table++)
        if (strncmp(table->name, name, n) == 0 && strcmp(table->name + n, end) == 0)
            return table->p;
    return NULL;
}

const char *upstream_sample(const char *name)
{
    return embedded_text(embedded_samples, name, SAMPLE_END);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* A step is whole: with the callback URL in its place, to the list. */
static void push_step(struct jval *list, struct buf *step, const char *callback)
{
    static const char mark[] = "{callback}";
    struct buf b;
    const char *at = step->p;
    buf_init(&b, STEP_MAX);
    for (const char *hit; callback && (hit = strstr(at, mark)); at = hit + sizeof mark - 1) {
        buf_add(&b, at, (size_t)(hit - at));
        buf_text(&b, callback);
    }
    buf_text(&b, at);
    if (b.n > 0)
        jval_push(list, jval_new_text(b.p));
    buf_deinit(&b);
    buf_clear(step);
}

static struct jval *steps_under(const char *text, const char *heading, const char *callback)
{
    struct jval *list = jval_new_array();
    struct str rest = str_of(text), line;
    struct buf step;
    bool inside = false;
    buf_init(&step, STEP_MAX);
    while (str_split(&rest, '\n', &line)) {
        if (line.n == 0 || *line.p == '#')
            push_step(list, &step, callback);
        if (line.n > 2 && *line.p == '#')
            inside = str_is((struct str){line.p + 2, line.n - 2}, heading);
        else if (inside && line.n > 0) {
            buf_text(&step, step.n ? " " : "");
            buf_str(&step, line);
        }
    }
    push_step(list, &step, callback);
    buf_deinit(&step);
    return list;
}

struct jval *upstream_steps(const char *name, const char *callback)
{
    const char *text = embedded_text(embedded_steps, name, STEPS_END);
    struct jval *steps = text ? jval_new_object() : NULL;
    if (text) {
        jval_set(steps, "register", steps_under(text, "register", callback));
        jval_set(steps, "rotate", steps_under(text, "rotate", callback));
    }
    return steps;
}

/* ---- as JSON --------------------------------------------------------------------------------- */

/* What a form asks for in its own place, or never shows. */
static bool is_own(const char *key)
{
    return strcmp(key, "plugin") == 0 || strcmp(key, "client_id") == 0 ||
           strcmp(key, "client_secret") == 0;
}

static struct conf_file *sample_read(const char *name)
{
    struct conf_problems p;
    const char *text = upstream_sample(name);
    conf_problems_init(&p);
    struct conf_file *f = text ? conf_file_text(name, str_of(text), CONF_BARE, &p) : NULL;
    conf_problems_deinit(&p);
    return f;
}

static struct jval *label_json(const char *steps)
{
    struct arena *a = arena_new();
    struct jval *label = jval_new_text(arena_dupn(a, steps, strcspn(steps, "\n")));
    arena_free(&a);
    return label;
}

struct jval *upstream_json(const char *name, const char *callback)
{
    const char *text = embedded_text(embedded_steps, name, STEPS_END);
    struct conf_file *f = sample_read(name);
    struct jval *out = NULL, *settings;
    int line;
    if (text && f) {
        out = jval_new_object();
        settings = jval_new_object();
        for (size_t i = 0; i < conf_file_count(f); i++)
            if (!is_own(conf_file_at(f, i)->key))
                jval_set_text(settings, conf_file_at(f, i)->key, conf_file_at(f, i)->value);
        jval_set_text(out, "name", name);
        jval_set(out, "label", label_json(text));
        jval_set_text(out, "plugin", conf_file_get(f, "", "plugin", &line));
        jval_set(out, "steps", upstream_steps(name, callback));
        jval_set(out, "settings", settings);
    }
    conf_file_free(&f);
    return out;
}

struct jval *upstream_list(void)
{
    struct jval *list = jval_new_array();
    struct arena *a = arena_new();
    for (const struct embedded *e = embedded_steps; e->name; e++) {
        const char *name = arena_dupn(a, e->name, strlen(e->name) - strlen(STEPS_END));
        struct jval *one = upstream_json(name, NULL);
        if (one) {
            jval_remove(one, "steps");
            jval_remove(one, "settings");
            jval_push(list, one);
        }
    }
    arena_free(&a);
    return list;
}

/* ---- as Markdown ----------------------------------------------------------------------------- */

static void markdown_steps(const struct jval *steps, const char *which, struct buf *out)
{
    const struct jval *list = jval_get(steps, which);
    for (size_t i = 0; i < jval_count(list); i++) {
        buf_printf(out, "%zu. ", i + 1);
        conf_markdown_text(out, jval_text(jval_item(list, i)));
        buf_byte(out, '\n');
    }
}

static const struct usher_setting *row_of(const struct conf_table *t, const char *key)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->rows[i].key, key) == 0)
            return &t->rows[i];
    return NULL;
}

/* The rows the sample sets, its values in the place of defaults. */
static int set_rows(const struct jval *settings, const struct describe_tables *t,
                    struct usher_setting *rows, struct err *err)
{
    void *iter = NULL;
    const char *key;
    const struct jval *value;
    for (size_t i = 0; jval_next(settings, &iter, &key, &value); i++) {
        const struct usher_setting *row = row_of(&t->own, key);
        if (!row && !(row = row_of(&t->common, key)))
            return err_set(err, ERR_INVALID, "its sample sets %s, which its plugin does not know",
                           key);
        rows[i] = *row;
        rows[i].value = jval_text(value);
        rows[i].example = NULL;
        rows[i].flags &= USHER_INSECURE;
    }
    return 0;
}

static int markdown_settings(const struct jval *upstream, const struct usher_provider *p,
                             struct buf *out, struct err *err)
{
    struct arena *a = arena_new();
    const struct describe_tables t = describe_tables(p, a);
    const struct jval *settings = jval_get(upstream, "settings");
    const size_t n = jval_count(settings);
    struct usher_setting *rows = arena_alloc(a, (n + 1) * sizeof *rows);
    const struct conf_table set = {.section = "", .rows = rows, .n = n};
    const int result = set_rows(settings, &t, rows, err);
    if (result == 0) {
        buf_printf(out,
                   "## Settings\n\nThe sample sets these. There are more: "
                   "[the plugin %s](%s.md).\n\n",
                   p->name, p->name);
        conf_markdown(&set, "value", out);
    }
    arena_free(&a);
    return result;
}

int upstream_markdown(const char *name, const struct usher_provider *p, struct buf *out,
                      struct err *err)
{
    struct arena *a = arena_new();
    const char *callback = arena_printf(a, "`https://YOUR-HOST/callback/%s`", name);
    struct jval *one = upstream_json(name, callback);
    int result = -1;
    if (!one) {
        err_set(err, ERR_INVALID, "there is no sample of that name");
        goto out;
    }
    buf_text(out, "## Register an application\n\n");
    markdown_steps(jval_get(one, "steps"), "register", out);
    buf_text(out, "\n## Change the secret\n\n");
    markdown_steps(jval_get(one, "steps"), "rotate", out);
    buf_byte(out, '\n');
    result = 0;
    if (strcmp(p->name, name) == 0)
        describe_markdown(p, out);
    else
        result = markdown_settings(one, p, out, err);
out:
    jval_free(&one);
    arena_free(&a);
    return result;
}
