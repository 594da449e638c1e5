/* SPDX-License-Identifier: Apache-2.0 */
#include "web/admin_view.h"

#include <string.h>

#include "base/err.h"
#include "sys/clock.h"

#define DAY 86400
#define FLATTEN_MAX 400
#define FLATTEN_DEPTH 8
#define SECRET_WARN_DAYS 30

const char *view_text(const struct jval *o, const char *key)
{
    const char *text = jval_text(jval_get(o, key));
    return text ? text : "";
}

int64_t view_int(const struct jval *o, const char *key, int64_t otherwise)
{
    int64_t n;
    return jval_int(jval_get(o, key), &n) ? n : otherwise;
}

bool view_bool(const struct jval *o, const char *key)
{
    bool b;
    return jval_bool(jval_get(o, key), &b) && b;
}

/* ---- times ----------------------------------------------------------------------------------- */

static const char *span(int64_t seconds, struct arena *a)
{
    static const struct {
        int64_t from, unit;
        const char *one, *many;
    } steps[] = {
        {2 * 365 * DAY, 365 * DAY, "year", "years"},
        {60 * DAY, 30 * DAY, "month", "months"},
        {DAY, DAY, "day", "days"},
        {3600, 3600, "hour", "hours"},
        {60, 60, "minute", "minutes"},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const long long n = seconds / steps[i].unit;
        if (seconds >= steps[i].from)
            return arena_printf(a, "%lld %s", n, n == 1 ? steps[i].one : steps[i].many);
    }
    return NULL;
}

const char *view_ago(int64_t seconds, int64_t now, struct arena *a)
{
    const char *text = span(seconds > now ? seconds - now : now - seconds, a);
    if (!text)
        return seconds > now ? "in a moment" : "just now";
    return seconds > now ? arena_printf(a, "in %s", text) : arena_printf(a, "%s ago", text);
}

struct jval *view_when(int64_t seconds, int64_t now, struct arena *a)
{
    char iso[32];
    if (seconds < 0)
        return jval_new_null();
    wall_text((struct wall){seconds * 1000000}, iso);
    struct jval *o = jval_new_object();
    jval_set_text(o, "iso", iso);
    jval_set_text(o, "text", arena_printf(a, "%.10s %.8s UTC", iso, iso + 11));
    jval_set_text(o, "ago", view_ago(seconds, now, a));
    return o;
}

/* ---- any value ------------------------------------------------------------------------------- */

static void push_value(struct jval *list, const char *name, const char *value)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "name", name);
    jval_set_text(o, "value", value);
    jval_push(list, o);
}

static const char *leaf_text(const struct jval *v, struct arena *a)
{
    struct buf b;
    if (jval_text(v))
        return jval_text(v);
    if (jval_type(v) == JVAL_OBJECT || jval_type(v) == JVAL_ARRAY)
        return jval_count(v) ? "…" : "nothing";
    if (jval_type(v) == JVAL_NULL)
        return "nothing";
    buf_init(&b, 64);
    jval_render(v, &b);
    const char *text = buf_ok(&b) ? arena_dupn(a, b.p, b.n) : "…";
    buf_deinit(&b);
    return text;
}

struct flat {
    struct jval *list;
    struct arena *a;
};

static void flatten(struct flat *f, const struct jval *v, const char *name, unsigned depth)
{
    void *at = NULL;
    const char *key;
    const struct jval *inner;
    const bool object = jval_type(v) == JVAL_OBJECT, array = jval_type(v) == JVAL_ARRAY;
    if (jval_count(f->list) >= FLATTEN_MAX)
        return;
    if (depth == FLATTEN_DEPTH || !(object || array) || jval_count(v) == 0) {
        push_value(f->list, name, leaf_text(v, f->a));
        return;
    }
    while (object && jval_next(v, &at, &key, &inner))
        flatten(f, inner, name[0] ? arena_printf(f->a, "%s.%s", name, key) : key, depth + 1);
    for (size_t i = 0; array && i < jval_count(v); i++)
        flatten(f, jval_item(v, i), arena_printf(f->a, "%s.%zu", name, i), depth + 1);
}

void view_flatten(const struct jval *v, struct jval *list, struct arena *a)
{
    struct flat f = {list, a};
    if (jval_type(v) != JVAL_NONE && jval_type(v) != JVAL_NULL)
        flatten(&f, v, "", 0);
}

/* ---- settings -------------------------------------------------------------------------------- */

/* A list is told as an admin would write it. */
static const char *setting_text(const struct jval *v, struct arena *a)
{
    bool yes;
    if (jval_bool(v, &yes))
        return yes ? "yes" : "no";
    if (jval_type(v) != JVAL_ARRAY)
        return leaf_text(v, a);
    const char *text = "";
    for (size_t i = 0; i < jval_count(v); i++)
        text = arena_printf(a, "%s%s%s", text, i ? " " : "", leaf_text(jval_item(v, i), a));
    return text;
}

static void push_labelled(struct jval *list, const char *label, const char *value)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "label", label);
    jval_set_text(o, "value", value);
    jval_push(list, o);
}

struct jval *view_settings(const struct jval *settings, const struct jval *rows)
{
    struct jval *list = jval_new_array();
    struct arena *a = arena_new();
    for (size_t i = 0; i < jval_count(rows); i++) {
        const struct jval *row = jval_item(rows, i);
        const char *key = view_text(row, "key"), *label = view_text(row, "label");
        const struct jval *value = jval_get(settings, key);
        if (value && jval_type(value) != JVAL_NULL && strcmp(key, "enabled") != 0 &&
            strcmp(key, "plugin") != 0)
            push_labelled(list, label[0] ? label : key, setting_text(value, a));
    }
    arena_free(&a);
    return list;
}

/* ---- secrets --------------------------------------------------------------------------------- */

/* "expires in 5 days", with a tone that says whether to worry. */
static void set_expiry(struct jval *o, int64_t expires, int64_t now, struct arena *a)
{
    jval_set(o, "expires", view_when(expires, now, a));
    const bool over = expires >= 0 && expires <= now;
    const bool soon = expires >= 0 && expires < now + (int64_t)SECRET_WARN_DAYS * DAY;
    jval_set_text(o, "tone", over ? "bad" : soon ? "warn" : "");
    jval_set_text(o, "note", over ? "expired" : "soon");
}

static struct jval *slot_view(const struct jval *secret, const char *slot, int64_t now,
                              struct arena *a)
{
    static const struct {
        const char *slot, *title, *what;
    } words[] = {
        {"active", "Active", "What usher shows the provider."},
        {"next", "Next", "Taken into use when the provider refuses the active one."},
        {"retiring", "Retiring", "The one before, in case the provider still wants it."},
    };
    const struct jval *one = jval_get(secret, slot);
    const bool set = jval_type(one) == JVAL_OBJECT;
    struct jval *o = jval_new_object();
    jval_set_text(o, "slot", slot);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].slot, slot) == 0) {
            jval_set_text(o, "title", words[i].title);
            jval_set_text(o, "what", words[i].what);
        }
    jval_set_bool(o, "set", set);
    jval_set_bool(o, "using", set && strcmp(view_text(secret, "using"), slot) == 0);
    jval_set(o, "since", view_when(view_int(one, "since", -1), now, a));
    set_expiry(o, view_int(one, "expires", -1), now, a);
    return o;
}

static const char *label_of(const struct jval *rows, const char *key)
{
    for (size_t i = 0; i < jval_count(rows); i++)
        if (strcmp(view_text(jval_item(rows, i), "key"), key) == 0)
            return view_text(jval_item(rows, i), "label");
    return key;
}

struct jval *view_secrets(const struct jval *provider, const struct jval *rows, int64_t now,
                          struct arena *a)
{
    static const char *const slots[] = {"active", "next", "retiring"};
    struct jval *list = jval_new_array();
    void *at = NULL;
    const char *key;
    const struct jval *secret, *secrets = jval_get(provider, "secrets");
    while (jval_type(secrets) == JVAL_OBJECT && jval_next(secrets, &at, &key, &secret)) {
        struct jval *o = jval_new_object(), *each = jval_new_array();
        jval_set_text(o, "key", key);
        jval_set_text(o, "label", label_of(rows, key));
        for (size_t i = 0; i < 3; i++) {
            struct jval *slot = slot_view(secret, slots[i], now, a);
            const bool set = view_bool(slot, "set");
            jval_set_bool(slot, "promotable", set && i != 0);
            jval_set_bool(slot, "droppable", set && i != 0);
            jval_push(each, slot);
        }
        jval_set(o, "slots", each);
        jval_push(list, o);
    }
    return list;
}

/* ---- tests ----------------------------------------------------------------------------------- */

void view_findings(const struct jval *answer, struct jval *data)
{
    static const struct {
        const char *result, *word, *tone;
    } words[] = {
        {"ok", "Good", "good"},
        {"warn", "Look", "warn"},
        {"fail", "Wrong", "bad"},
        {"skipped", "Skipped", "plain"},
    };
    const struct jval *findings = jval_get(answer, "findings");
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < jval_count(findings); i++) {
        const struct jval *one = jval_item(findings, i);
        struct jval *o = jval_new_object();
        jval_set_text(o, "text", view_text(one, "text"));
        jval_set_text(o, "advice", view_text(one, "advice"));
        for (size_t w = 0; w < sizeof words / sizeof *words; w++)
            if (strcmp(words[w].result, view_text(one, "result")) == 0) {
                jval_set_text(o, "word", words[w].word);
                jval_set_text(o, "tone", words[w].tone);
            }
        jval_push(list, o);
    }
    jval_set_bool(data, "tested", true);
    jval_set_bool(data, "ok", view_bool(answer, "ok"));
    jval_set(data, "findings", list);
}
