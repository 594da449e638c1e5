/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client metadata of apps that register themselves. What is refused has an error of RFC 7591 and a
 * sentence; what is taken becomes an app that the judge of settings takes as well, that people are
 * asked about, that has grants and scopes of its own and nothing else, and whose metadata, told and
 * read once more, make the same app.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/registration_kit.h"
#include "app/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const algs[] = {"RS256", "ES256", NULL};

static void must(int holds)
{
    if (!holds)
        abort();
}

static void judge(const struct app *app)
{
    static const char *const grants[] = {"authorization_code", "refresh_token", "device_code",
                                         NULL};
    static const char *const scopes[] = {"openid", "profile", "email", "offline_access", NULL};
    const struct app_common *c = &app->common;
    must(app->usable && app->registered && c->consent);
    must(!(c->hosts && c->hosts[0]) && !(c->resources && c->resources[0]) &&
         !(c->serves && c->serves[0]) && !(c->upstream_tokens && c->upstream_tokens[0]));
    must(!c->require && app->n_paths == 0);
    for (const char *const *g = c->grants; g && *g; g++)
        must(client_lists(grants, str_of(*g)));
    for (const char *const *s = c->scopes; s && *s; s++)
        must(client_lists(scopes, str_of(*s)));
}

/* As an app does that reads what is registered of it, and sends it back. */
static void again(const struct app *app, const struct jval *row, struct arena *a)
{
    struct registration_problem why;
    const struct registration_rules rules = {
        .algs = algs, .http_loopback = true, .had = &app->common};
    struct jval *told = jval_new_object();
    registration_tell(app, told);
    struct jval *settings = registration_read(told, &rules, a, &why);
    must(settings != NULL);
    struct jval *next = kit_row(settings, a);
    const struct jval *v;
    const char *key;
    void *iter = NULL;
    while (jval_next(row, &iter, &key, &v)) {
        const char *now = jval_text(jval_get(next, key));
        must(strcmp(key, "consent") == 0 || strcmp(key, "require_pkce") == 0 ||
             (now && strcmp(now, jval_text(v)) == 0));
    }
    jval_free(&next);
    jval_free(&settings);
    jval_free(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct err err = ERR_INIT;
    struct registration_problem why;
    const struct registration_rules rules = {.algs = algs, .http_loopback = true};
    struct jval *metadata =
        jval_parse((struct str){(const char *)data, size}, 64u * 1024, JSON_DEPTH_MAX, &err);
    struct jval *settings = registration_read(metadata, &rules, a, &why);
    if (settings) {
        struct apps *apps = kit_app(settings, algs, a);
        struct jval *row = kit_row(settings, a);
        must(apps != NULL);
        judge(apps_at(apps, 0));
        again(apps_at(apps, 0), row, a);
        jval_free(&row);
        apps_free(&apps);
    } else {
        must(strncmp(why.error, "invalid_", 8) == 0 && why.text[0]);
        must(!strpbrk(why.text, "\"\\\n"));
    }
    jval_free(&settings);
    jval_free(&metadata);
    arena_free(&a);
    return 0;
}
