/* SPDX-License-Identifier: Apache-2.0 */
#include "live_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/provider_secret.h"
#include "store/settings_row.h"

struct live_fixture lx;

void live_fixture_write(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

void live_fixture_conf(const char *more)
{
    struct buf b;
    buf_init(&b, 8192);
    buf_printf(&b, "[providers]\ndir = %s\nplugin_dir = %s\n%s", lx.dir, lx.plugins, more);
    live_fixture_write(lx.conf, b.p);
    buf_deinit(&b);
}

void live_fixture_put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", lx.dir, name);
    if (text)
        live_fixture_write(path, text);
    else
        ck_assert_int_eq(unlink(path), 0);
}

void live_fixture_open(void)
{
    static const unsigned char key[32] = "0123456789abcdef0123456789abcde";
    const char *build = getenv("top_builddir");
    struct err err = ERR_INIT;
    memset(&lx, 0, sizeof lx);
    store_fixture_open(&lx.sx);
    snprintf(lx.conf, sizeof lx.conf, "%s/usher.conf", lx.sx.folder);
    snprintf(lx.dir, sizeof lx.dir, "%s/providers.d", lx.sx.folder);
    snprintf(lx.plugins, sizeof lx.plugins, "%s/plugins/.libs", build ? build : ".");
    ck_assert_int_eq(mkdir(lx.dir, 0700), 0);
    live_fixture_conf("");
    lx.loop = loop_new(&err);
    lx.keys = keyring_fixed(key);
    lx.metrics = metrics_new();
}

void live_fixture_close(void)
{
    live_free(&lx.live);
    config_free(&lx.config);
    DIR *d = opendir(lx.dir);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            live_fixture_put(e->d_name, NULL);
    if (d)
        closedir(d);
    rmdir(lx.dir);
    store_fixture_close(&lx.sx);
    keyring_free(&lx.keys);
    metrics_free(&lx.metrics);
    loop_free(&lx.loop);
}

static void on_change(void *arg, struct config *config, struct registry *registry)
{
    (void)arg;
    ck_assert_ptr_eq(live_config(lx.live), config);
    ck_assert_ptr_eq(live_registry(lx.live), registry);
    lx.changes++;
}

void live_fixture_start(void)
{
    struct conf_problems problems;
    struct err err = ERR_INIT;
    conf_problems_init(&problems);
    lx.config = config_load(lx.conf, true, NULL, &problems);
    ck_assert_msg(lx.config != NULL, "%s", problems.text.p);
    conf_problems_deinit(&problems);
    const struct live_options o = {.loop = lx.loop,
                                   .store = lx.sx.store,
                                   .keys = lx.keys,
                                   .metrics = lx.metrics,
                                   .config_path = lx.conf,
                                   .config_required = true,
                                   .config = lx.config,
                                   .env = conf_env_copy()};
    lx.live = live_new(&o, &err);
    ck_assert_msg(lx.live != NULL, "%s", err.text);
    ck_assert_msg(live_load_now(lx.live, &err) == 0, "%s", err.text);
    live_on_change(lx.live, on_change, NULL);
}

/* ---- rows ---- */

struct put {
    struct settings_row row;
    struct provider_secret_row secret;
};

static int put_row(struct db *db, void *arg, struct err *err)
{
    struct put *p = arg;
    if (settings_row_add(db, SETTINGS_PROVIDER, &p->row, err) < 0)
        return -1;
    struct settings_row old;
    struct arena *a = arena_new();
    int result = settings_row_get(db, SETTINGS_PROVIDER, p->row.id, a, &old, err) == 1 ? 0 : -1;
    if (result == 0 && old.version != p->row.version)
        result = settings_row_set(db, SETTINGS_PROVIDER, &p->row, old.version, err) == 1 ? 0 : -1;
    arena_free(&a);
    return result == 0 && provider_secret_put(db, &p->secret, err) < 0 ? -1 : result;
}

void live_fixture_row(const char *id, const char *settings, int64_t version)
{
    struct put p = {.row = {.id = id, .settings = settings, .version = version},
                    .secret = {.provider = id, .key = "client_secret", .created = 17}};
    struct secret *secret = secret_new("row-secret-of-some-length", 25);
    struct err err = ERR_INIT;
    struct buf sealed;
    buf_init(&sealed, 4096);
    provider_secret_seal(lx.keys, &p.secret, secret, &sealed);
    p.secret.sealed = buf_view(&sealed);
    ck_assert_msg(store_write_now(lx.sx.store, put_row, &p, &err) == STORE_DONE, "%s", err.text);
    buf_deinit(&sealed);
    secret_free(&secret);
}

/* ---- asking ---- */

static void on_done(void *arg, const struct live_outcome *o)
{
    struct live_came *c = arg;
    c->times++;
    c->failed = o->err != NULL;
    c->kind = o->err ? o->err->kind : ERR_NONE;
    c->rows = o->rows;
    c->problems = o->problems->n;
    c->generation = o->generation;
}

static void on_diff(void *arg, const struct jval *diff, const struct err *err)
{
    struct live_came *c = arg;
    struct buf b;
    c->times++;
    c->failed = err != NULL;
    c->kind = err ? err->kind : ERR_NONE;
    buf_init(&b, sizeof c->diff - 1);
    jval_render(diff, &b);
    snprintf(c->diff, sizeof c->diff, "%s", b.p);
    buf_deinit(&b);
}

void live_fixture_ask(struct live_came *c)
{
    memset(c, 0, sizeof *c);
    live_reload(lx.live, "test", on_done, c);
}

void live_fixture_wait(struct live_came *c)
{
    while (c->times == 0)
        loop_once(lx.loop, 1000);
    ck_assert_uint_eq(c->times, 1);
}

void live_fixture_reload(struct live_came *c)
{
    live_fixture_ask(c);
    live_fixture_wait(c);
}

void live_fixture_diff(struct live_came *c)
{
    memset(c, 0, sizeof *c);
    live_diff(lx.live, on_diff, c);
    live_fixture_wait(c);
}

int64_t live_fixture_metric(const char *name, const char *label)
{
    struct buf b;
    char line[128];
    int64_t value = -1;
    buf_init(&b, 65536);
    metrics_render(lx.metrics, &b);
    if (label)
        snprintf(line, sizeof line, "\n%s{outcome=\"%s\"} ", name, label);
    else
        snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(b.p, line);
    if (at)
        value = strtoll(at + strlen(line), NULL, 10);
    buf_deinit(&b);
    return value;
}

const char *live_fixture_client(const char *id)
{
    const struct provider *p = registry_find(live_registry(lx.live), id);
    return p ? p->common.client_id : NULL;
}
