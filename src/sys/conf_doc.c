/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/conf_doc.h"

#include <string.h>

const char *conf_type_name(const struct usher_setting *row)
{
    static const char *const names[] = {
        [USHER_TEXT] = "text",         [USHER_URL] = "url",       [USHER_INT] = "integer",
        [USHER_BOOL] = "boolean",      [USHER_CHOICE] = "choice", [USHER_LIST] = "list",
        [USHER_DURATION] = "duration", [USHER_SIZE] = "size",     [USHER_SECRET] = "secret",
    };
    return row->type < sizeof names / sizeof *names ? names[row->type] : NULL;
}

/* ---- for programs ---------------------------------------------------------------------------- */

/* USHER_SERVER_LISTEN. */
static const char *variable(const struct conf_table *table, const struct usher_setting *row,
                            struct arena *a)
{
    char *name = arena_printf(a, "%s_%s", table->env_prefix, row->key);
    for (char *c = name + strlen(table->env_prefix); *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    return name;
}

static struct jval *flags_json(const struct usher_setting *row)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } flags[] = {{USHER_REQUIRED, "required"},
                 {USHER_ORIGIN, "origin"},
                 {USHER_ADVANCED, "advanced"},
                 {USHER_INSECURE, "insecure"}};
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (row->flags & flags[i].flag)
            jval_push(list, jval_new_text(flags[i].name));
    if (row->type == USHER_SECRET)
        jval_push(list, jval_new_text("secret"));
    return list;
}

static struct jval *choices_json(const struct usher_setting *row)
{
    struct jval *list = row->type == USHER_CHOICE ? jval_new_array() : jval_new_null();
    for (size_t i = 0; row->type == USHER_CHOICE && row->choices[i]; i++)
        jval_push(list, jval_new_text(row->choices[i]));
    return list;
}

static void limits_json(const struct usher_setting *row, struct jval *out, struct arena *a)
{
    const char *range = conf_range(row, a);
    jval_set(out, "min", range ? jval_new_int(row->min) : jval_new_null());
    jval_set(out, "max", range ? jval_new_int(row->max) : jval_new_null());
    jval_set_text(out, "range", range);
}

void conf_table_json(const struct conf_table *table, const char *group, struct jval *array)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < table->n; i++) {
        const struct usher_setting *row = &table->rows[i];
        struct jval *one = jval_new_object();
        jval_set_text(one, "key", row->key);
        jval_set_text(one, "type", conf_type_name(row));
        jval_set_text(one, "label", row->label);
        jval_set_text(one, "help", row->help);
        jval_set_text(one, "default", row->value);
        jval_set_text(one, "example", row->example);
        jval_set(one, "choices", choices_json(row));
        limits_json(row, one, a);
        jval_set(one, "flags", flags_json(row));
        jval_set_text(one, "environment", variable(table, row, a));
        jval_set_text(one, "group", group);
        jval_push(array, one);
    }
    arena_free(&a);
}
