/* SPDX-License-Identifier: Apache-2.0 */
#include "web/admin_view.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "sys/clock.h"

#define DAY 86400
#define FLATTEN_MAX 400
#define FLATTEN_DEPTH 8
#define SECRET_WARN_DAYS 30

const char *show_text(const struct jval *o, const char *key)
{
    const char *text = jval_text(jval_get(o, key));
    return text ? text : "";
}

int64_t show_int(const struct jval *o, const char *key, int64_t otherwise)
{
    int64_t n;
    return jval_int(jval_get(o, key), &n) ? n : otherwise;
}

bool show_bool(const struct jval *o, const char *key)
{
    bool b;
    return jval_bool(jval_get(o, key), &b) && b;
}

const char *show_username(const char *name, const char *username)
{
    return name && username && username[0] && strcmp(name, username) != 0 ? username : NULL;
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

const char *show_ago(int64_t seconds, int64_t now, struct arena *a)
{
    const char *text = span(seconds > now ? seconds - now : now - seconds, a);
    if (!text)
        return seconds > now ? "in a moment" : "just now";
    return seconds > now ? arena_printf(a, "in %s", text) : arena_printf(a, "%s ago", text);
}

struct jval *show_when(int64_t seconds, int64_t now, struct arena *a)
{
    char iso[32];
    if (seconds < 0)
        return jval_new_null();
    wall_text((struct wall){seconds * 1000000}, iso);
    struct jval *o = jval_new_object();
    jval_set_text(o, "iso", iso);
    jval_set_text(o, "text", arena_printf(a, "%.10s %.8s UTC", iso, iso + 11));
    jval_set_text(o, "ago", show_ago(seconds, now, a));
    return o;
}

/* Days since 1970 of the proleptic Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int64_t y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 - 719162 + before[month - 1] + (leap && month > 2) +
           day - 1;
}

bool show_day(const char *text, int64_t *out)
{
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const struct str rest = str_of(text);
    struct str part[3];
    int64_t n[3];
    if (rest.n == 0)
        return true;
    if (rest.n != 10 || text[4] != '-' || text[7] != '-')
        return false;
    part[0] = (struct str){text, 4};
    part[1] = (struct str){text + 5, 2};
    part[2] = (struct str){text + 8, 2};
    for (size_t i = 0; i < 3; i++)
        if (!text_int(part[i], &n[i]))
            return false;
    const bool leap = (n[0] % 4 == 0 && n[0] % 100 != 0) || n[0] % 400 == 0;
    if (n[0] < 1970 || n[1] < 1 || n[1] > 12 || n[2] < 1 ||
        n[2] > length[n[1] - 1] + (leap && n[1] == 2))
        return false;
    *out = days_of(n[0], n[1], n[2]) * DAY + DAY - 1;
    return true;
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

void show_flatten(const struct jval *v, struct jval *list, struct arena *a)
{
    struct flat f = {list, a};
    if (jval_type(v) != JVAL_NONE && jval_type(v) != JVAL_NULL)
        flatten(&f, v, "", 0);
}

void show_pairs(const struct jval *v, struct jval *list, struct arena *a)
{
    if (jval_type(v) != JVAL_ARRAY) {
        show_flatten(v, list, a);
        return;
    }
    for (size_t i = 0; i < jval_count(v) && jval_count(list) < FLATTEN_MAX; i++)
        push_value(list, show_text(jval_item(v, i), "name"),
                   leaf_text(jval_get(jval_item(v, i), "value"), a));
}

static const struct jval *value_of(const struct jval *list, const char *name)
{
    for (size_t i = 0; i < jval_count(list); i++)
        if (strcmp(show_text(jval_item(list, i), "name"), name) == 0)
            return jval_get(jval_item(list, i), "value");
    return NULL;
}

static void push_change(struct jval *list, const char *name, const char *before, const char *after)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "name", name);
    jval_set_text(o, "before", before);
    jval_set_text(o, "after", after);
    jval_push(list, o);
}

struct jval *show_changes(const struct jval *before, const struct jval *after, struct arena *a)
{
    struct jval *was = jval_new_array(), *is = jval_new_array(), *list = jval_new_array();
    show_flatten(before, was, a);
    show_flatten(after, is, a);
    for (size_t i = 0; i < jval_count(was); i++) {
        const char *name = show_text(jval_item(was, i), "name");
        const char *old = show_text(jval_item(was, i), "value");
        const char *new = jval_text(value_of(is, name));
        if (!new || strcmp(old, new) != 0)
            push_change(list, name, old, new);
    }
    for (size_t i = 0; i < jval_count(is); i++) {
        const char *name = show_text(jval_item(is, i), "name");
        if (!value_of(was, name))
            push_change(list, name, NULL, show_text(jval_item(is, i), "value"));
    }
    jval_free(&was);
    jval_free(&is);
    return list;
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

const char *show_list(const struct jval *v, struct arena *a)
{
    return v ? setting_text(v, a) : "";
}

/* Settings of files come as text, "true" where an admin writes "yes". */
static const char *setting_words(const struct jval *v, const char *type, struct arena *a)
{
    const char *text = setting_text(v, a);
    bool yes;
    if (strcmp(type, "boolean") == 0 && text_bool(str_of(text), &yes))
        return yes ? "yes" : "no";
    return text;
}

struct jval *show_settings(const struct jval *settings, const struct jval *rows)
{
    struct jval *list = jval_new_array();
    struct arena *a = arena_new();
    for (size_t i = 0; i < jval_count(rows); i++) {
        const struct jval *row = jval_item(rows, i);
        const char *key = show_text(row, "key"), *label = show_text(row, "label");
        const struct jval *value = jval_get(settings, key);
        if (value && jval_type(value) != JVAL_NULL && strcmp(key, "enabled") != 0 &&
            strcmp(key, "plugin") != 0)
            push_labelled(list, label[0] ? label : key,
                          setting_words(value, show_text(row, "type"), a));
    }
    arena_free(&a);
    return list;
}

/* ---- secrets --------------------------------------------------------------------------------- */

/* "expires in 5 days", with a tone that says whether to worry. */
static void set_expiry(struct jval *o, int64_t expires, int64_t now, struct arena *a)
{
    jval_set(o, "expires", show_when(expires, now, a));
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
    jval_set_bool(o, "using", set && strcmp(show_text(secret, "using"), slot) == 0);
    jval_set(o, "since", show_when(show_int(one, "since", -1), now, a));
    set_expiry(o, show_int(one, "expires", -1), now, a);
    return o;
}

struct showing {
    const struct jval *rows; /* the plugin's settings table */
    int64_t now;
    struct arena *a;
};

static const char *label_of(const struct jval *rows, const char *key)
{
    for (size_t i = 0; i < jval_count(rows); i++)
        if (strcmp(show_text(jval_item(rows, i), "key"), key) == 0)
            return show_text(jval_item(rows, i), "label");
    return key;
}

static void push_secret(struct jval *list, const char *key, const struct jval *secret,
                        const struct showing *w)
{
    static const char *const slots[] = {"active", "next", "retiring"};
    struct jval *o = jval_new_object(), *each = jval_new_array();
    jval_set_text(o, "key", key);
    jval_set_text(o, "label", label_of(w->rows, key));
    for (size_t i = 0; i < 3; i++) {
        struct jval *slot = slot_view(secret, slots[i], w->now, w->a);
        const bool set = show_bool(slot, "set");
        jval_set_bool(slot, "promotable", set && i == 1);
        jval_set_bool(slot, "droppable", set && i != 0);
        jval_push(each, slot);
    }
    jval_set(o, "slots", each);
    jval_push(list, o);
}

struct jval *show_secrets(const struct jval *provider, const struct jval *rows, int64_t now,
                          struct arena *a)
{
    const struct showing w = {rows, now, a};
    struct jval *list = jval_new_array();
    void *at = NULL;
    const char *key;
    const struct jval *secret, *secrets = jval_get(provider, "secrets");
    while (jval_type(secrets) == JVAL_OBJECT && jval_next(secrets, &at, &key, &secret))
        push_secret(list, key, secret, &w);
    /* Those that are not set yet have a place, too. */
    for (size_t i = 0; i < jval_count(rows); i++) {
        const struct jval *row = jval_item(rows, i);
        key = show_text(row, "key");
        if (strcmp(show_text(row, "type"), "secret") == 0 && !jval_get(secrets, key) &&
            strcmp(key, "client_secret_next") != 0)
            push_secret(list, key, NULL, &w);
    }
    return list;
}

/* ---- providers ------------------------------------------------------------------------------- */

const char *show_advice(const char *kind)
{
    static const struct {
        const char *kind, *advice;
    } rows[] = {
        {"misconfigured", "Something is set up wrong, here or there. A test says what."},
        {"upstream_down",
         "The provider was slow or down. It passes by itself, or a test says more."},
        {"upstream_bad", "The provider’s answer could not be trusted. A rehearsal shows it."},
        {"internal", "Our side. The log has it in full."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].kind, kind) == 0)
            return rows[i].advice;
    return "";
}

struct secret_age {
    bool any;
    int64_t since, expires; /* of the oldest, of the next to end; below 0: not known */
};

static struct secret_age age_of(const struct jval *provider)
{
    struct secret_age age = {false, -1, -1};
    void *at = NULL;
    const char *key;
    const struct jval *secret, *secrets = jval_get(provider, "secrets");
    while (jval_type(secrets) == JVAL_OBJECT && jval_next(secrets, &at, &key, &secret)) {
        const struct jval *one = jval_get(secret, show_text(secret, "using"));
        const int64_t since = show_int(one, "since", -1), expires = show_int(one, "expires", -1);
        age.any = age.any || jval_type(one) == JVAL_OBJECT;
        if (since >= 0 && (age.since < 0 || since < age.since))
            age.since = since;
        if (expires >= 0 && (age.expires < 0 || expires < age.expires))
            age.expires = expires;
    }
    return age;
}

bool show_must_renew(const struct jval *provider, int64_t now)
{
    const int64_t expires = age_of(provider).expires;
    return expires >= 0 && expires < now + (int64_t)SECRET_WARN_DAYS * DAY;
}

static void set_age(struct jval *o, const struct jval *provider, int64_t now, struct arena *a)
{
    const struct secret_age age = age_of(provider);
    const char *note = "", *tone = "";
    if (show_must_renew(provider, now)) {
        const bool over = age.expires <= now;
        note = arena_printf(a, over ? "expired %s" : "expires %s", show_ago(age.expires, now, a));
        tone = over ? "bad" : "warn";
    }
    jval_set_text(o, "secret",
                  age.since >= 0 ? arena_printf(a, "set %s", show_ago(age.since, now, a))
                  : age.any      ? "set"
                                 : "none");
    jval_set_text(o, "secret_note", note);
    jval_set_text(o, "secret_tone", tone);
}

static void set_state(struct jval *o, const struct jval *provider)
{
    const bool enabled = show_bool(provider, "enabled"), usable = show_bool(provider, "usable");
    const bool failing = strcmp(show_text(jval_get(provider, "health"), "state"), "failing") == 0;
    jval_set_text(o, "state",
                  !enabled  ? "Disabled"
                  : !usable ? "Not usable"
                  : failing ? "Failing"
                            : "Ready");
    jval_set_text(o, "state_tone",
                  !enabled  ? "plain"
                  : !usable ? "bad"
                  : failing ? "warn"
                            : "good");
    jval_set_text(o, "reason", enabled && !usable ? show_text(provider, "reason") : "");
    jval_set_bool(o, "enabled", enabled);
}

struct jval *show_provider(const struct jval *provider, int64_t now, struct arena *a)
{
    const struct jval *health = jval_get(provider, "health");
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", show_text(provider, "id"));
    jval_set_text(o, "label", show_text(provider, "label"));
    jval_set_text(o, "plugin", show_text(provider, "plugin"));
    jval_set_text(o, "source_short", show_bool(provider, "read_only") ? "read only" : "");
    set_state(o, provider);
    jval_set_int(o, "today", show_int(health, "signed_in_today", 0));
    jval_set_int(o, "failed", show_int(health, "failed_today", 0));
    jval_set(o, "success", show_when(show_int(health, "last_success", -1), now, a));
    set_age(o, provider, now, a);
    return o;
}

void show_failures(const struct jval *provider, int64_t now, struct jval *list, struct arena *a)
{
    const struct jval *failures = jval_at(provider, "/health/failures");
    for (size_t i = 0; i < jval_count(failures); i++) {
        const struct jval *one = jval_item(failures, i);
        struct jval *o = jval_new_object();
        jval_set_text(o, "id", show_text(provider, "id"));
        jval_set_text(o, "label", show_text(provider, "label"));
        jval_set_text(o, "words", show_text(one, "text"));
        jval_set_text(o, "advice", show_advice(show_text(one, "kind")));
        jval_set_int(o, "count", show_int(one, "count", 0));
        jval_set(o, "last", show_when(show_int(one, "last", -1), now, a));
        jval_push(list, o);
    }
}

/* ---- tests ----------------------------------------------------------------------------------- */

void show_findings(const struct jval *answer, struct jval *data)
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
        jval_set_text(o, "text", show_text(one, "text"));
        jval_set_text(o, "advice", show_text(one, "advice"));
        for (size_t w = 0; w < sizeof words / sizeof *words; w++)
            if (strcmp(words[w].result, show_text(one, "result")) == 0) {
                jval_set_text(o, "word", words[w].word);
                jval_set_text(o, "tone", words[w].tone);
            }
        jval_push(list, o);
    }
    jval_set_bool(data, "tested", true);
    jval_set_bool(data, "ok", show_bool(answer, "ok"));
    jval_set(data, "findings", list);
}
