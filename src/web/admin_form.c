/* SPDX-License-Identifier: Apache-2.0 */
#include "web/admin_form.h"

#include <string.h>

#include "base/arena.h"

bool admin_form_flag(const struct jval *row, const char *flag)
{
    const struct jval *flags = jval_get(row, "flags");
    for (size_t i = 0; i < jval_count(flags); i++) {
        const char *name = jval_text(jval_item(flags, i));
        if (name && strcmp(name, flag) == 0)
            return true;
    }
    return false;
}

static const char *text_of(const struct jval *row, const char *member)
{
    const char *text = jval_text(jval_get(row, member));
    return text ? text : "";
}

static bool is_type(const struct jval *row, const char *type)
{
    return strcmp(text_of(row, "type"), type) == 0;
}

/* Whether a row is in this form. The plugin is chosen before; once a provider is there, it is
 * switched on and off, and its secrets change, in places of their own. */
static bool is_shown(const struct admin_form *f, const struct jval *row)
{
    const char *key = text_of(row, "key");
    if (key[0] == 0 || strcmp(key, "plugin") == 0 || strcmp(key, "client_secret_next") == 0)
        return false;
    return !f->settings || (strcmp(key, "enabled") != 0 && !is_type(row, "secret"));
}

/* Errors name a field of the request's body. */
static bool names(const char *field, const char *key)
{
    if (str_starts(str_of(field), "settings."))
        field += strlen("settings.");
    return strcmp(field, key) == 0;
}

static const char *error_of(const struct admin_form *f, const char *key)
{
    for (size_t i = 0; i < f->n_errors; i++)
        if (f->errors[i].field && names(f->errors[i].field, key))
            return f->errors[i].text;
    return "";
}

static const char *posted_text(const struct admin_form *f, const char *key)
{
    const char *value;
    return f->posted && form_get(f->posted, key, &value) == 1 ? value : "";
}

static bool is_yes(const char *text)
{
    bool yes = false;
    return text_bool(str_of(text), &yes) && yes;
}

/* ---- out ------------------------------------------------------------------------------------- */

/* What is shown as the value of a field: what was sent last, else what is set. */
static const char *value_of(const struct admin_form *f, const struct jval *row)
{
    const char *key = text_of(row, "key");
    if (is_type(row, "secret"))
        return "";
    if (f->posted)
        return posted_text(f, key);
    const char *value = jval_text(jval_get(f->settings ? f->settings : f->preset, key));
    if (value)
        return value;
    /* A choice always has one; a text's default is said beside it. */
    return is_type(row, "choice") || is_type(row, "boolean") ? text_of(row, "default") : "";
}

static struct jval *options_of(const struct jval *row, const char *value)
{
    const struct jval *choices = jval_get(row, "choices");
    struct jval *list = jval_new_array();
    if (jval_type(choices) == JVAL_ARRAY && text_of(row, "default")[0] == 0) {
        struct jval *none = jval_new_object();
        jval_set_text(none, "value", "");
        jval_set_text(none, "text", "not set");
        jval_set_bool(none, "selected", value[0] == 0);
        jval_push(list, none);
    }
    for (size_t i = 0; i < jval_count(choices); i++) {
        const char *choice = jval_text(jval_item(choices, i));
        struct jval *one = jval_new_object();
        jval_set_text(one, "value", choice);
        jval_set_text(one, "text", choice);
        jval_set_bool(one, "selected", choice && strcmp(choice, value) == 0);
        jval_push(list, one);
    }
    return list;
}

static const char *inputmode_of(const struct jval *row)
{
    return is_type(row, "url") ? "url" : is_type(row, "integer") ? "numeric" : "text";
}

static struct jval *field_view(const struct admin_form *f, const struct jval *row, struct arena *a)
{
    const char *key = text_of(row, "key"), *error = error_of(f, key);
    const char *id = arena_printf(a, "f-%s", key), *value = value_of(f, row);
    const bool boolean = is_type(row, "boolean"), choice = is_type(row, "choice");
    const char *shown_default = boolean || choice ? "" : text_of(row, "default");
    struct jval *o = jval_new_object();
    jval_set_text(o, "key", key);
    jval_set_text(o, "id", id);
    jval_set_text(o, "label", text_of(row, "label")[0] ? text_of(row, "label") : key);
    jval_set_text(o, "help", text_of(row, "help"));
    jval_set_text(o, "error", error);
    jval_set_text(o, "value", boolean ? "yes" : value);
    jval_set_text(o, "default", shown_default);
    /* Some rows say it themselves. */
    jval_set_text(o, "said", strstr(text_of(row, "help"), "Default:") ? "" : shown_default);
    jval_set_text(o, "example", text_of(row, "example"));
    jval_set_text(o, "range", text_of(row, "range"));
    jval_set_text(o, "described",
                  error[0] ? arena_printf(a, "%s-error %s-help", id, id)
                           : arena_printf(a, "%s-help", id));
    jval_set_text(o, "inputmode", inputmode_of(row));
    jval_set_bool(o, "required", admin_form_flag(row, "required") && shown_default[0] == 0);
    jval_set_bool(o, "insecure", admin_form_flag(row, "insecure"));
    jval_set_bool(o, "secret", is_type(row, "secret"));
    jval_set_bool(o, "boolean", boolean);
    jval_set_bool(o, "checked", boolean && is_yes(value));
    jval_set_bool(o, "choice", choice);
    jval_set_bool(o, "line", !boolean && !choice && !is_type(row, "secret"));
    jval_set(o, "options", options_of(row, value));
    return o;
}

/* Something is in it that its reader should see. */
static bool is_notable(const struct admin_form *f, const struct jval *row)
{
    const char *value = value_of(f, row),
               *preset = jval_text(jval_get(f->preset, text_of(row, "key")));
    const char *standard = preset ? preset : text_of(row, "default");
    if (error_of(f, text_of(row, "key"))[0])
        return true;
    if (is_type(row, "boolean"))
        return is_yes(value) != is_yes(standard);
    return value[0] && strcmp(value, standard) != 0;
}

static void push_error(struct jval *list, const char *href, const char *label, const char *text)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "href", href);
    jval_set_text(o, "label", label);
    jval_set_text(o, "text", text);
    jval_push(list, o);
}

static void add_errors(const struct admin_form *f, struct jval *list, struct arena *a)
{
    const struct jval *rows = jval_get(f->plugin, "settings");
    for (size_t e = 0; e < f->n_errors; e++) {
        const char *field = f->errors[e].field ? f->errors[e].field : "";
        const char *href = NULL, *label = field;
        if (strcmp(field, "id") == 0) {
            href = "#f-id";
            label = "ID";
        }
        for (size_t i = 0; i < jval_count(rows); i++) {
            const struct jval *row = jval_item(rows, i);
            if (!names(field, text_of(row, "key")))
                continue;
            label = text_of(row, "label");
            if (is_shown(f, row))
                href = arena_printf(a, "#f-%s", text_of(row, "key"));
        }
        push_error(list, href, label, f->errors[e].text);
    }
}

struct jval *admin_form_view(const struct admin_form *f)
{
    const struct jval *rows = jval_get(f->plugin, "settings");
    struct arena *a = arena_new();
    struct jval *fields = jval_new_array(), *advanced = jval_new_array();
    struct jval *errors = jval_new_array(), *o = jval_new_object();
    bool open = false;
    for (size_t i = 0; i < jval_count(rows); i++) {
        const struct jval *row = jval_item(rows, i);
        if (!is_shown(f, row))
            continue;
        const bool folded = admin_form_flag(row, "advanced");
        jval_push(folded ? advanced : fields, field_view(f, row, a));
        open = open || (folded && is_notable(f, row));
    }
    add_errors(f, errors, a);
    jval_set_bool(o, "has_advanced", jval_count(advanced) > 0);
    jval_set_bool(o, "has_errors", jval_count(errors) > 0);
    jval_set(o, "fields", fields);
    jval_set(o, "advanced", advanced);
    jval_set_bool(o, "advanced_open", open);
    jval_set(o, "errors", errors);
    arena_free(&a);
    return o;
}

/* ---- in -------------------------------------------------------------------------------------- */

static void set_boolean(const struct admin_form *f, const struct jval *row, bool yes,
                        struct jval *out)
{
    const char *key = text_of(row, "key");
    if (yes != is_yes(text_of(row, "default")))
        jval_set_bool(out, key, yes);
    else if (jval_text(jval_get(f->settings, key)))
        jval_set(out, key, jval_new_null());
}

static void set_text(const struct admin_form *f, const struct jval *row, struct str value,
                     struct jval *out, struct arena *a)
{
    const char *key = text_of(row, "key");
    if (value.n && !str_is(value, text_of(row, "default")))
        jval_set_text(out, key, arena_str(a, value));
    else if (jval_text(jval_get(f->settings, key)))
        jval_set(out, key, jval_new_null());
}

struct jval *admin_form_settings(const struct admin_form *f, struct err *err)
{
    const struct jval *rows = jval_get(f->plugin, "settings");
    struct jval *out = jval_new_object();
    struct arena *a = arena_new();
    for (size_t i = 0; out && i < jval_count(rows); i++) {
        const struct jval *row = jval_item(rows, i);
        const char *key = text_of(row, "key"), *value;
        if (!is_shown(f, row))
            continue;
        const int n = form_get(f->posted, key, &value);
        if (n < 0) {
            (void)err_set(err, ERR_INVALID, "the field %s came more than once", key);
            jval_free(&out);
        } else if (is_type(row, "boolean")) {
            set_boolean(f, row, n == 1 && is_yes(value), out); /* an empty box is not sent */
        } else if (n == 1 && is_type(row, "secret")) {
            if (value[0]) /* as it is: a blank may belong to it */
                jval_set_text(out, key, value);
        } else if (n == 1) {
            set_text(f, row, str_trim(str_of(value)), out, a);
        }
    }
    arena_free(&a);
    return out;
}
