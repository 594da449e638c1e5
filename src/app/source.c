/* SPDX-License-Identifier: Apache-2.0 */
#include "app/source.h"

#include <string.h>

/* Members of an object as pairs, but for one key that is not text. */
static int read_pairs(const struct jval *o, const char *but, struct arena *a,
                      const struct conf_pair **out, size_t *n)
{
    struct conf_pair *pairs = arena_alloc(a, (jval_count(o) + 1) * sizeof *pairs);
    const struct jval *value;
    const char *key;
    void *iter = NULL;
    *n = 0;
    *out = pairs;
    while (jval_next(o, &iter, &key, &value)) {
        if (strcmp(key, but) == 0)
            continue;
        if (!jval_text(value))
            return -1;
        pairs[(*n)++] = (struct conf_pair){arena_dup(a, key), arena_dup(a, jval_text(value))};
    }
    return 0;
}

static int read_rules(const struct jval *rules, struct arena *a, struct app_source *out,
                      struct err *err)
{
    const size_t n = jval_count(rules);
    struct app_path_source *list = arena_alloc(a, (n + 1) * sizeof *list);
    if (rules && jval_type(rules) != JVAL_ARRAY)
        return err_set(err, ERR_INVALID, "rules are a list");
    for (size_t i = 0; i < n; i++) {
        const struct jval *one = jval_item(rules, i);
        const char *path = jval_text(jval_get(one, "path"));
        if (jval_type(one) != JVAL_OBJECT || !path ||
            read_pairs(one, "path", a, &list[i].settings, &list[i].n) != 0)
            return err_set(err, ERR_INVALID,
                           "rule %zu is no object of texts with a path, like {\"path\": \"/x/*\", "
                           "\"require\": \"role:admin\"}",
                           i + 1);
        list[i].path = arena_dup(a, path);
    }
    out->paths = list;
    out->n_paths = n;
    return 0;
}

int app_source_read(const struct jval *settings, struct arena *a, struct app_source *out,
                    struct err *err)
{
    if (jval_type(settings) != JVAL_OBJECT)
        return err_set(err, ERR_INVALID, "an app's settings are an object");
    if (read_pairs(settings, "rules", a, &out->settings, &out->n) != 0)
        return err_set(err, ERR_INVALID,
                       "every setting is text, as it would be written in a file; only rules are a "
                       "list");
    return read_rules(jval_get(settings, "rules"), a, out, err);
}

int app_source_parse(struct str text, struct arena *a, struct app_source *out, struct err *err)
{
    struct jval *v = jval_parse(text, APP_SETTINGS_MAX, 4, err);
    const int r = v ? app_source_read(v, a, out, err) : -1;
    jval_free(&v);
    return r;
}
