/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer_fixture.h"

#include "app/secrets.h"
#include "app/source.h"

#define ROUNDS 2000
#define APPS 64

void issuer_fixture_at(struct issuer_fixture *f, int64_t now)
{
    f->clock.wall.us = now * 1000000;
    clock_set_fake(&f->clock);
}

static struct apps *make_apps(struct issuer_fixture *f, const struct issuer_fixture_app *apps,
                              size_t n)
{
    struct app_source rows[APPS];
    struct err err = ERR_INIT;
    struct conf_problems problems;
    ck_assert_uint_le(n, APPS);
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(app_source_parse(str_of(apps[i].settings), f->arena, &rows[i], &err), 0);
        rows[i].id = apps[i].id;
        rows[i].version = 1;
    }
    conf_problems_init(&problems);
    struct apps *a = apps_load(&(struct apps_options){.rows = rows, .n_rows = n}, &problems);
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
    conf_problems_deinit(&problems);
    return a;
}

void issuer_fixture_start(struct issuer_fixture *f)
{
    static const char *const algs[] = {"ES256", NULL};
    struct err err = ERR_INIT;
    const struct issuer_options o = {.loop = f->loop,
                                     .store = f->store.store,
                                     .keys = f->ring,
                                     .fetch = f->fetch,
                                     .sessions = f->sessions,
                                     .apps = f->apps,
                                     .secrets = f->secrets,
                                     .public_url = ISSUER_URL,
                                     .algs = algs,
                                     .key_lifetime = 90 * 86400,
                                     .max_tokens = f->max_tokens};
    f->issuer = issuer_new(&o, &err);
    ck_assert_msg(f->issuer != NULL, "%s", err.text);
}

void issuer_fixture_stop(struct issuer_fixture *f)
{
    issuer_free(&f->issuer);
}

void issuer_fixture_apps(struct issuer_fixture *f, const struct issuer_fixture_app *apps, size_t n)
{
    apps_free(&f->apps);
    f->apps = make_apps(f, apps, n);
    issuer_set_apps(f->issuer, f->apps);
}

void issuer_fixture_open(struct issuer_fixture *f, const struct issuer_fixture_app *apps, size_t n)
{
    const struct fetch_options fo = {.allow_http_loopback = true};
    struct err err = ERR_INIT;
    if (f->max_tokens == 0)
        f->max_tokens = 1000;
    issuer_fixture_at(f, ISSUER_NOW);
    f->arena = arena_new();
    store_fixture_open(&f->store);
    f->loop = loop_new(&err);
    f->fetch = fetch_new(f->loop, &fo, &err);
    ck_assert_msg(f->fetch != NULL, "%s", err.text);
    f->ring = keyring_fixed((const unsigned char *)"0123456789abcdef0123456789abcdef");
    f->apps = make_apps(f, apps, n);
    f->secrets = app_secrets_new(f->store.store, &err);
    f->sessions = sessions_new(&(struct sessions_options){3600, 86400, 10, 0});
    for (size_t i = 0; i < n; i++) {
        struct app_secret_row row = {.id = apps[i].id, .app = apps[i].id, .created = ISSUER_NOW};
        seal_sha256(str_of(apps[i].id), row.hash);
        app_secrets_put(f->secrets, &row);
    }
    issuer_fixture_start(f);
}

void issuer_fixture_close(struct issuer_fixture *f)
{
    if (f->issuer)
        issuer_free(&f->issuer);
    sessions_free(&f->sessions);
    app_secrets_free(&f->secrets);
    apps_free(&f->apps);
    fetch_free(&f->fetch);
    keyring_free(&f->ring);
    store_fixture_close(&f->store);
    loop_free(&f->loop);
    arena_free(&f->arena);
    clock_set_fake(NULL);
}

bool issuer_fixture_until(struct issuer_fixture *f, bool (*fn)(void *arg), void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (fn(arg))
            return true;
        issuer_step(f->issuer);
        loop_once(f->loop, 5);
    }
    return fn(arg);
}
