/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_form: a plugin's settings table as a form, and a form that came back as the settings of a
 * request. Both read the JSON that describes the plugin (provider/describe.h), so that a plugin
 * never needs a page of its own. Nothing here judges values: the one place for that says what is
 * wrong, and the form shows it beside the field. A secret that was typed is never shown again.
 * Pure but for memory.
 */
#ifndef WEB_ADMIN_FORM_H
#define WEB_ADMIN_FORM_H

#include "admin/admin.h"
#include "base/form.h"
#include "base/json.h"

/* All borrowed. */
struct admin_form {
    const struct jval *plugin;   /* as describe_plugin makes it */
    const struct jval *settings; /* key to text, what is set now; NULL: a provider to be made */
    const struct jval *preset;   /* key to text, what a new provider begins with; NULL */
    const struct fields *posted; /* what came back, to be shown again; NULL: nothing yet */
    const struct admin_field *errors;
    size_t n_errors;
};

/* For admin-fields.html and admin-errors.html; the caller's:
 *   fields, advanced            lists; advanced ones lie folded away
 *   advanced_open               one of them is set, beyond the preset, or wrong
 *   errors                      list of {href, label, text}; what belongs to no field of the form
 *                               has no href
 *   has_advanced, has_errors
 * Each field, for admin-field.html: key, id, label, help, error, value, default (said: beside the
 * help), example, range; described (ids of what is said about it); inputmode; required, insecure,
 * checked; one of line, secret, choice and boolean; options: list of {value, text, selected}. */
struct jval *admin_form_view(const struct admin_form *f);

/* `posted` as the member "settings" of a request; the caller's. For a new provider only what
 * differs from the defaults; else what is to change, with null for what goes back to its default.
 * NULL with ERR_INVALID: a field came twice. */
struct jval *admin_form_settings(const struct admin_form *f, struct err *err);

/* Whether a row of a settings table has this flag. */
bool admin_form_flag(const struct jval *row, const char *flag);

#endif
