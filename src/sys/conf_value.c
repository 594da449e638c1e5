/* SPDX-License-Identifier: Apache-2.0 */
/* The other half of conf: one value by its row's rules, in and out. */
#include <string.h>

#include "base/text.h"
#include "base/url.h"
#include "sys/conf.h"

#define CONF_LIST_MAX 256

static void *member(const struct usher_setting *row, void *config)
{
    return (char *)config + row->offset;
}

static const void *member_const(const struct usher_setting *row, const void *config)
{
    return (const char *)config + row->offset;
}

/* ---- in -------------------------------------------------------------------------------------- */

static int value_wrong(struct err *err, const char *value, const char *what)
{
    return err_set(err, ERR_INVALID, "%s; %s", *value ? "is wrong" : "must not be empty", what);
}

static int set_number(const struct usher_setting *row, int64_t *out, const char *value,
                      struct err *err)
{
    struct str s = str_of(value);
    int64_t v = 0;
    if (row->type == USHER_INT && !text_int(s, &v))
        return value_wrong(err, value, "a whole number is wanted");
    if (row->type == USHER_DURATION && !text_duration(s, &v))
        return value_wrong(err, value, "a duration is wanted, like 30s, 10m, 12h or 7d");
    if (row->type == USHER_SIZE && !text_size(s, &v))
        return value_wrong(err, value, "a size is wanted, like 4096, 64k, 1m or 2g");
    if ((row->min || row->max) && (v < row->min || v > row->max)) {
        struct arena *a = arena_new();
        (void)err_set(err, ERR_INVALID, "is out of range; %s is allowed", conf_range(row, a));
        arena_free(&a);
        return -1;
    }
    *out = v;
    return 0;
}

static int set_choice(const struct usher_setting *row, int *out, const char *value, struct err *err)
{
    for (int i = 0; row->choices[i]; i++)
        if (strcmp(row->choices[i], value) == 0) {
            *out = i;
            return 0;
        }
    struct buf b;
    buf_init(&b, 160);
    buf_text(&b, "one of");
    for (int i = 0; row->choices[i]; i++)
        buf_printf(&b, "%s %s", i ? "," : "", row->choices[i]);
    buf_text(&b, " is wanted");
    const char *near = text_nearest(value, row->choices);
    if (near)
        buf_printf(&b, "; did you mean \"%s\"?", near);
    (void)value_wrong(err, value, b.p);
    buf_deinit(&b);
    return -1;
}

static int set_url(const char **out, const char *value, struct arena *a, struct err *err)
{
    struct url u;
    struct err why = ERR_INIT;
    if (url_parse(a, str_of(value), &u, &why) < 0)
        return err_set(err, ERR_INVALID, "%s", why.text); /* the value may hold a password */
    *out = arena_dup(a, value);
    return 0;
}

static int set_text(const struct usher_setting *row, const char **out, const char *value,
                    struct arena *a, struct err *err)
{
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return err_set(err, ERR_INVALID, "holds a control byte");
    if (!text_utf8(str_of(value)))
        return err_set(err, ERR_INVALID, "is not UTF-8");
    if (!*value && (row->flags & USHER_REQUIRED))
        return err_set(err, ERR_INVALID, "must not be empty");
    *out = arena_dup(a, value);
    return 0;
}

/* Entries are parted by blanks, or by one comma each; "" is the empty list. */
static int set_list(const struct usher_setting *row, const char *const **out, const char *value,
                    struct arena *a, struct err *err)
{
    const char *checked;
    if (set_text(row, &checked, value, a, err) < 0)
        return -1;
    const char **list = arena_alloc(a, (CONF_LIST_MAX + 1) * sizeof *list);
    size_t n = 0;
    bool comma = false; /* one was there since the last entry */
    for (const char *p = checked; *p;) {
        size_t length = strcspn(p, " \t,");
        if (*p == ',') {
            if (comma || n == 0)
                return err_set(err, ERR_INVALID, "the list has an empty entry");
            comma = true;
            length = 1;
        } else if (length == 0) {
            length = 1;
        } else if (n == CONF_LIST_MAX) {
            return err_set(err, ERR_INVALID, "the list has more than %d entries", CONF_LIST_MAX);
        } else {
            list[n++] = arena_dupn(a, p, length);
            comma = false;
        }
        p += length;
    }
    if (comma)
        return err_set(err, ERR_INVALID, "the list has an empty entry");
    if (n == 0 && (row->flags & USHER_REQUIRED))
        return err_set(err, ERR_INVALID, "must not be empty");
    *out = list;
    return 0;
}

int conf_set(const struct usher_setting *row, void *config, const char *value, struct arena *a,
             struct err *err)
{
    void *m = member(row, config);
    switch ((enum usher_setting_type)row->type) {
    case USHER_TEXT:
        return set_text(row, m, value, a, err);
    case USHER_URL:
        return set_url(m, value, a, err);
    case USHER_LIST:
        return set_list(row, m, value, a, err);
    case USHER_INT:
    case USHER_DURATION:
    case USHER_SIZE:
        return set_number(row, m, value, err);
    case USHER_CHOICE:
        return set_choice(row, m, value, err);
    case USHER_BOOL:
        if (!text_bool(str_of(value), m))
            return value_wrong(err, value, "yes or no is wanted");
        return 0;
    case USHER_SECRET:
        break; /* never in a config struct */
    }
    return err_set(err, ERR_INTERNAL, "has no value that can be set this way");
}

/* ---- out ------------------------------------------------------------------------------------- */

static const char *scaled_text(int64_t v, const char *units, const int64_t *scales, struct arena *a)
{
    size_t i = 0;
    while (scales[i] > 1 && (v == 0 || v % scales[i] != 0))
        i++;
    const char unit[2] = {units[i] == '-' ? (char)0 : units[i], 0};
    return arena_printf(a, "%lld%s", (long long)(v / scales[i]), unit);
}

static const char *number_text(const struct usher_setting *row, int64_t v, struct arena *a)
{
    static const int64_t seconds[] = {86400, 3600, 60, 1}, bytes[] = {1 << 30, 1 << 20, 1 << 10, 1};
    if (row->type == USHER_DURATION)
        return scaled_text(v, "dhms", seconds, a);
    if (row->type == USHER_SIZE)
        return scaled_text(v, "gmk-", bytes, a);
    return arena_printf(a, "%lld", (long long)v);
}

const char *conf_range(const struct usher_setting *row, struct arena *a)
{
    const bool number =
        row->type == USHER_INT || row->type == USHER_DURATION || row->type == USHER_SIZE;
    return number && (row->min || row->max)
               ? arena_printf(a, "%s to %s", number_text(row, row->min, a),
                              number_text(row, row->max, a))
               : NULL;
}

static const char *list_text(const char *const *list, struct arena *a)
{
    if (!list)
        return NULL;
    const char *text = "";
    for (size_t i = 0; list[i]; i++)
        text = arena_printf(a, "%s%s%s", text, i ? " " : "", list[i]);
    return text;
}

/* The default's own spelling ("yes", "90m") when the value is the default. */
static bool is_default(const struct usher_setting *row, int64_t v)
{
    struct str s = str_of(row->value);
    int64_t number = 0;
    bool on = false;
    if (!row->value)
        return false;
    if (row->type == USHER_BOOL)
        return text_bool(s, &on) && on == (v != 0);
    if (row->type == USHER_DURATION)
        return text_duration(s, &number) && number == v;
    if (row->type == USHER_SIZE)
        return text_size(s, &number) && number == v;
    return false;
}

const char *conf_text(const struct usher_setting *row, const void *config, struct arena *a)
{
    const void *m = member_const(row, config);
    const char *text;
    int64_t number;
    switch ((enum usher_setting_type)row->type) {
    case USHER_TEXT:
    case USHER_URL:
        text = *(const char *const *)m;
        return text ? arena_dup(a, text) : NULL;
    case USHER_LIST:
        return list_text(*(const char *const *const *)m, a);
    case USHER_INT:
    case USHER_DURATION:
    case USHER_SIZE:
        number = *(const int64_t *)m;
        return is_default(row, number) ? arena_dup(a, row->value) : number_text(row, number, a);
    case USHER_BOOL:
        number = *(const bool *)m;
        return is_default(row, number) ? arena_dup(a, row->value) : number ? "true" : "false";
    case USHER_CHOICE:
        for (int i = 0; row->choices[i]; i++)
            if (i == *(const int *)m)
                return row->choices[i];
        return NULL;
    case USHER_SECRET:
        break;
    }
    return NULL;
}
