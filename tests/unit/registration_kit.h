/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registration_kit: from client metadata to the app it becomes, as admin/registration makes it: the
 * settings as texts, judged as if they were in force. For a test suite and a fuzz target.
 */
#ifndef TESTS_REGISTRATION_KIT_H
#define TESTS_REGISTRATION_KIT_H

#include "app/apps.h"
#include "app/source.h"
#include "issuer/registration.h"

static inline const char *kit_text(const struct jval *v, struct arena *a)
{
    int64_t n;
    bool on;
    const char *text = "";
    if (jval_int(v, &n))
        return arena_printf(a, "%lld", (long long)n);
    if (jval_bool(v, &on))
        return on ? "true" : "false";
    for (size_t i = 0; i < jval_count(v); i++)
        text = arena_printf(a, "%s%s%s", text, i ? " " : "", jval_text(jval_item(v, i)));
    return jval_text(v) ? jval_text(v) : text;
}

/* What a row of it would hold; the caller's. */
static inline struct jval *kit_row(const struct jval *settings, struct arena *a)
{
    struct jval *row = jval_new_object();
    const struct jval *v;
    const char *key;
    void *iter = NULL;
    while (jval_next(settings, &iter, &key, &v))
        if (jval_type(v) != JVAL_NULL)
            jval_set_text(row, key, kit_text(v, a));
    return row;
}

/* The app as it would be; NULL: its settings make no sense. The caller's. */
static inline struct apps *kit_app(const struct jval *settings, const char *const *algs,
                                   struct arena *a)
{
    struct jval *row = kit_row(settings, a);
    struct app_source source = {.id = NULL};
    struct conf_problems problems;
    struct err err = ERR_INIT;
    struct apps *apps = NULL;
    conf_problems_init(&problems);
    if (app_source_read(row, a, &source, &err) == 0) {
        source.id = "dcr-test";
        source.registered = true;
        apps = apps_draft(&(struct apps_options){.algs = algs}, &source, NULL, &problems);
    }
    if (problems.n > 0)
        apps_free(&apps);
    conf_problems_deinit(&problems);
    jval_free(&row);
    return apps;
}

#endif
