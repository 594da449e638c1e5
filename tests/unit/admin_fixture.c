/* SPDX-License-Identifier: Apache-2.0 */
#include "admin_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

struct live *admin_live(const struct admin_live_args *args)
{
    struct conf_problems problems;
    struct err err = ERR_INIT;
    conf_problems_init(&problems);
    setenv("USHER_SERVER_PUBLIC_URL", args->public_url, 1);
    setenv("USHER_PROVIDERS_DIR", args->dir, 1);
    setenv("USHER_PROVIDERS_PLUGIN_DIR", args->plugin_dir, 1);
    struct config *config = config_load("/nonexistent/usher.conf", false, NULL, &problems);
    ck_assert_msg(config != NULL, "%s", problems.text.p);
    conf_problems_deinit(&problems);
    const struct live_options o = {.loop = args->loop,
                                   .store = args->store,
                                   .keys = args->keys,
                                   .config_path = "/nonexistent/usher.conf",
                                   .config = config,
                                   .env = conf_env_copy()};
    struct live *live = live_new(&o, &err);
    ck_assert_msg(live != NULL, "%s", err.text);
    ck_assert_msg(live_load_now(live, &err) == 0, "%s", err.text);
    config_free(&config);
    return live;
}

void admin_fixture_start(struct admin_fixture *f)
{
    char plugins[400];
    const char *build = getenv("top_builddir");
    snprintf(plugins, sizeof plugins, "%s/plugins/.libs", build ? build : ".");
    struct err err = ERR_INIT;
    f->keys = keyring_open(f->key_path, true, &err);
    ck_assert_msg(f->keys != NULL, "%s", err.text);
    f->live = admin_live(&(struct admin_live_args){.loop = f->loop,
                                                   .store = f->store.store,
                                                   .keys = f->keys,
                                                   .public_url = "https://usher.example",
                                                   .dir = f->dir,
                                                   .plugin_dir = plugins});
    const struct admin_options o = {.loop = f->loop,
                                    .store = f->store.store,
                                    .keys = f->keys,
                                    .live = f->live,
                                    .slots = f->slots,
                                    .sessions = f->sessions,
                                    .app_secrets = f->secrets};
    f->admin = admin_new(&o, &err);
    ck_assert_msg(f->admin != NULL, "%s", err.text);
}

void admin_fixture_stop(struct admin_fixture *f)
{
    admin_free(&f->admin);
    live_free(&f->live);
    keyring_free(&f->keys);
}

void admin_fixture_open(struct admin_fixture *f)
{
    struct err err = ERR_INIT;
    *f = (struct admin_fixture){.key_dir = "/tmp/usher-admin-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(f->key_dir));
    snprintf(f->key_path, sizeof f->key_path, "%s/keys", f->key_dir);
    store_fixture_open(&f->store);
    f->loop = loop_new(&err);
    ck_assert_ptr_nonnull(f->loop);
    f->slots = slots_new();
    f->sessions = sessions_new(
        &(struct sessions_options){.idle_seconds = 3600, .absolute_seconds = 86400, .max = 1000});
    snprintf(f->dir, sizeof f->dir, "%s/providers.d", f->key_dir);
    ck_assert_int_eq(mkdir(f->dir, 0700), 0);
    f->actor = (struct admin_actor){.kind = "socket",
                                    .id = "1000",
                                    .name = "ada",
                                    .ip = "",
                                    .request_id = "req-1",
                                    .scopes = ADMIN_ALL_SCOPES};
    admin_fixture_start(f);
}

void admin_fixture_close(struct admin_fixture *f)
{
    admin_fixture_stop(f);
    jval_free(&f->body);
    store_fixture_close(&f->store);
    slots_free(&f->slots);
    sessions_free(&f->sessions);
    loop_free(&f->loop);
    unlink(f->key_path);
    ck_assert_int_eq(rmdir(f->dir), 0);
    ck_assert_int_eq(rmdir(f->key_dir), 0);
}

struct wait {
    struct admin_fixture *f;
    int answers;
};

static void answered(void *arg, const struct admin_answer *a)
{
    struct wait *w = arg;
    struct admin_fixture *f = w->f;
    struct buf b;
    w->answers++;
    f->err = a->err ? *a->err : (struct err)ERR_INIT;
    f->fields[0] = '\0';
    for (size_t i = 0; i < a->n_fields; i++)
        snprintf(f->fields + strlen(f->fields), sizeof f->fields - strlen(f->fields), "%s: %s\n",
                 a->fields[i].field, a->fields[i].text);
    f->body = a->body ? jval_ref((struct jval *)(uintptr_t)a->body) : NULL;
    snprintf(f->etag, sizeof f->etag, "%s", a->etag ? a->etag : "");
    f->created = a->created;
    buf_init(&b, sizeof f->text - 1);
    jval_render(f->body, &b);
    ck_assert(buf_ok(&b));
    memcpy(f->text, b.p, b.n + 1);
    buf_deinit(&b);
}

enum err_kind admin_call(struct admin_fixture *f, admin_op_fn *op, const char *id, const char *body)
{
    struct err err = ERR_INIT;
    struct wait w = {f, 0};
    struct fields query = {NULL, 0};
    struct arena *a = arena_new();
    struct jval *parsed =
        body ? jval_parse(str_of(body), JSON_SIZE_MAX, JSON_DEPTH_MAX, &err) : NULL;
    ck_assert_msg(!body || parsed, "%s", err.text);
    if (f->query)
        ck_assert_int_eq(form_parse(a, str_of(f->query), 20, &query, &err), 0);
    const struct admin_request rq = {.id = id ? arena_dup(a, id) : NULL,
                                     .sub = f->sub ? arena_dup(a, f->sub) : NULL,
                                     .body = parsed,
                                     .query = &query,
                                     .if_match = f->if_match,
                                     .bind = f->bind,
                                     .actor = &f->actor};
    jval_free(&f->body);
    op(f->admin, &rq, answered, &w);
    jval_free(&parsed);
    arena_free(&a); /* what is needed was copied */
    while (w.answers == 0) {
        loop_once(f->loop, f->idle ? 1 : 100);
        if (f->idle)
            f->idle();
    }
    loop_once(f->loop, 0);
    ck_assert_int_eq(w.answers, 1);
    f->if_match = f->query = f->sub = NULL;
    f->bind = STR("");
    return f->err.kind;
}

void admin_do(struct admin_fixture *f, admin_op_fn *op, const char *id, const char *body)
{
    enum err_kind kind = admin_call(f, op, id, body);
    ck_assert_msg(kind == ERR_NONE, "%s: %s (%s)", err_kind_name(kind), f->err.text, f->fields);
}

const char *admin_said(const struct admin_fixture *f, const char *pointer)
{
    const char *text = jval_text(jval_at(f->body, pointer));
    return text ? text : "(nothing)";
}

int64_t admin_number(const struct admin_fixture *f, const char *pointer)
{
    int64_t n = -1;
    return jval_int(jval_at(f->body, pointer), &n) ? n : -1;
}

static bool holds(const char *path, const char *bytes)
{
    FILE *f = fopen(path, "re");
    bool found = false;
    ck_assert_ptr_nonnull(f);
    for (size_t at = 0, n = strlen(bytes); !found;) {
        int c = getc(f);
        if (c == EOF)
            break;
        at = c == bytes[at] ? at + 1 : c == bytes[0];
        found = at == n;
    }
    fclose(f);
    return found;
}

bool admin_stored(struct admin_fixture *f, const char *bytes)
{
    char path[400];
    bool found = false;
    DIR *d = opendir(f->store.folder);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", f->store.folder, e->d_name);
        found = found || (e->d_name[0] != '.' && holds(path, bytes));
    }
    closedir(d);
    return found;
}

void admin_file(struct admin_fixture *f, const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    if (!text) {
        ck_assert_int_eq(unlink(path), 0);
        return;
    }
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

void admin_until(struct admin_fixture *f, bool (*fn)(struct admin_fixture *f))
{
    while (!fn(f))
        loop_once(f->loop, 10);
}
