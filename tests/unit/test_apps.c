/* SPDX-License-Identifier: Apache-2.0 */
#include "app/apps.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/decide.h"
#include "app/source.h"

Suite *suite_apps(void);

static char dir[64];
static struct conf_problems problems;
static struct arena *a;
static struct apps *apps;

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/usher-apps-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    conf_problems_init(&problems);
    a = arena_new();
    apps = NULL;
}

static void teardown(void)
{
    static const char *const names[] = {"wiki.conf", "rest.conf", "shop.conf", "Wiki.conf",
                                        "notes.txt"};
    char path[128];
    apps_free(&apps);
    arena_free(&a);
    conf_problems_deinit(&problems);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    ck_assert_int_eq(rmdir(dir), 0);
}

static void put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fchmod(fileno(f), 0600), 0);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

static struct apps *load(const struct app_source *rows, size_t n)
{
    struct conf_env *env = conf_env_copy();
    const struct apps_options o = {.dir = dir, .env = env, .rows = rows, .n_rows = n};
    apps_free(&apps);
    conf_problems_deinit(&problems);
    conf_problems_init(&problems);
    apps = apps_load(&o, &problems);
    conf_env_free(&env);
    return apps;
}

/* The n-th problem has this text. */
static void told(size_t i, int line, const char *text)
{
    const struct conf_fault *f = conf_problems_at(&problems, i);
    ck_assert_msg(f != NULL, "no problem, but wanted: %s", text);
    ck_assert_msg(strstr(f->text, text) != NULL, "%s", f->text);
    ck_assert_int_eq(f->line, line);
}

static void fine(void)
{
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
}

static const struct app *of(const char *url)
{
    struct url u;
    struct err err = ERR_INIT;
    ck_assert_msg(url_parse(a, str_of(url), &u, &err) == 0, "%s", err.text);
    return apps_of(apps, &u);
}

static void belongs(const char *url, const char *id)
{
    const struct app *app = of(url);
    ck_assert_msg(id ? app && strcmp(app->id, id) == 0 : !app, "%s: %s", url,
                  app ? app->id : "nobody's");
}

static const char wiki[] = "label = The wiki\n"
                           "hosts = wiki.example.com, wiki.example.net:8443\n"
                           "require = signed_in\n"
                           "# staff only\n"
                           "[/admin/*]\n"
                           "require = role:admin or group:discord:123:456\n"
                           "methods = GET POST\n"
                           "[/admin/*]\n"
                           "methods = DELETE\n"
                           "require = role:owner\n"
                           "[/public/*]\n"
                           "require = anyone\n"
                           "[/public/x]\n"
                           "require = nobody\n";

START_TEST(a_file)
{
    put("wiki.conf", wiki);
    load(NULL, 0);
    fine();
    const struct app *app = apps_find(apps, "wiki");
    ck_assert_ptr_nonnull(app);
    ck_assert(app->usable);
    ck_assert(!app->from_row);
    ck_assert_str_eq(app->label, "The wiki");
    ck_assert_ptr_nonnull(app->rule);
    ck_assert_uint_eq(app->n_paths, 4);
    ck_assert_str_eq(app->paths[0].pattern.text, "/public/x");
    ck_assert_str_eq(app->paths[1].pattern.text, "/public/*");
    ck_assert_str_eq(app->paths[2].common.methods[0], "GET");
    ck_assert_str_eq(app->paths[3].common.methods[0], "DELETE");
    struct app_subject s = app_nobody(NULL);
    ck_assert_int_eq(app_decide(app, &s, "/public/y", "GET").verdict, APP_ALLOW);
    ck_assert_int_eq(app_decide(app, &s, "/public/x", "GET").verdict, APP_DENY);
    ck_assert_int_eq(app_decide(app, &s, "/admin", "GET").verdict, APP_SIGN_IN);
    ck_assert_int_eq(app_decide(app, &s, "/admin", "PUT").verdict, APP_DENY);
}
END_TEST

START_TEST(hosts)
{
    put("wiki.conf", wiki);
    put("rest.conf", "hosts = .example.com example.com\n");
    put("shop.conf", "hosts = .shop.example.com:444\n");
    load(NULL, 0);
    fine();
    belongs("https://wiki.example.com/x", "wiki");
    belongs("https://wiki.example.com:443/x", "wiki");
    belongs("https://WIKI.example.com/x", "wiki");
    belongs("https://wiki.example.com:8443/x", NULL);
    belongs("https://wiki.example.net:8443/x", "wiki");
    belongs("https://wiki.example.net/x", NULL);
    belongs("https://a.wiki.example.com/", "rest");
    belongs("https://b.example.com/", "rest");
    belongs("https://example.com/", "rest");
    belongs("https://a.shop.example.com:444/", "shop");
    belongs("https://shop.example.com:444/", NULL);
    belongs("https://a.shop.example.com/", "rest");
    belongs("https://evilexample.com/", NULL);
    belongs("https://192.0.2.1/", NULL);
    const char *const *list = apps_hosts(apps);
    size_t n = 0;
    while (list[n])
        n++;
    ck_assert_uint_eq(n, 5);
}
END_TEST

START_TEST(a_host_is_one_apps_only)
{
    struct app_source row = {.id = "aaa"};
    const struct conf_pair pair = {"hosts", "wiki.example.com"};
    row.settings = &pair;
    row.n = 1;
    put("wiki.conf", wiki);
    load(&row, 1);
    told(0, 0, "hosts: wiki.example.com is app wiki's already");
    ck_assert(apps_find(apps, "aaa")->faulty);
    ck_assert(!apps_find(apps, "aaa")->usable);
    ck_assert_str_eq(apps_find(apps, "aaa")->reason,
                     "hosts: wiki.example.com is app wiki's already");
    ck_assert(apps_find(apps, "wiki")->usable);
    belongs("https://wiki.example.com/", "wiki");
    struct apps *draft =
        apps_draft(&(const struct apps_options){.dir = NULL}, &row, apps, &problems);
    ck_assert(!apps_at(draft, 0)->usable);
    apps_free(&draft);
}
END_TEST

/* What is wrong is said with its line, and the app lets nobody in on the hosts that could be read.
 */
START_TEST(faults)
{
    static const struct {
        const char *text, *told;
        int line;
    } v[] = {
        {"hosts = wiki.example.com *.example.com\n", "hosts: \"*.example.com\" is not a host", 1},
        {"hosts = wiki.example.com\nrequire = rolle:x\n",
         "require: column 1: did you mean \"role\"?", 2},
        {"hosts = wiki.example.com\nhots = x\n", "hots: unknown key; did you mean \"hosts\"?", 2},
        {"hosts = wiki.example.com\n[/x]\nmethods = GET\n", "require is required", 0},
        {"hosts = wiki.example.com\n[/x]\nrequire = (anyone\n", "require: column 8", 3},
        {"hosts = wiki.example.com\n[/x]\nrequire = anyone\nmethods = get\n",
         "methods: \"get\" is no method", 4},
        {"hosts = wiki.example.com\n[x]\nrequire = anyone\n", "[x]: a path begins with \"/\"", 0},
        {"hosts = wiki.example.com\n[/x]\nrequire = anyone\n[/x/]\nrequire = nobody\n",
         "[/x/] is there already for all methods", 0},
        {"hosts = wiki.example.com\n[/x]\nrequire = anyone\nmethods = GET\n[/x]\nrequire = nobody\n"
         "methods = POST GET\n",
         "[/x] is there already for GET", 0},
        {"hosts = wiki.example.com\n[]\nrequire = anyone\n", "what stands in [] is empty", 2},
        {"hosts = wiki.example.com\nupstream_tokens = Discord\n", "upstream_tokens: \"Discord\"",
         2},
        {"hosts = wiki.example.com\nenabled = perhaps\n", "yes or no", 2},
    };
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        put("wiki.conf", v[i].text);
        load(NULL, 0);
        told(0, v[i].line, v[i].told);
        const struct app *app = of("https://wiki.example.com/");
        ck_assert_msg(app && app->faulty && !app->usable && app->reason, "%s", v[i].text);
        struct app_subject s = app_nobody(NULL);
        s.signed_in = true;
        ck_assert_int_eq(app_decide(app, &s, "/x", "GET").verdict, APP_DENY);
    }
}
END_TEST

START_TEST(names_of_files)
{
    put("Wiki.conf", "hosts = a.example.com\n");
    put("notes.txt", "nothing of ours\n");
    load(NULL, 0);
    told(0, 0, "the file's name is the app's id");
    ck_assert_uint_eq(apps_count(apps), 0);
}
END_TEST

START_TEST(a_missing_folder)
{
    struct apps_options o = {.dir = "/nonexistent/apps.d", .dir_optional = true};
    apps = apps_load(&o, &problems);
    fine();
    apps_free(&apps);
    o.dir_optional = false;
    apps = apps_load(&o, &problems);
    told(0, 0, "cannot read the folder of apps");
}
END_TEST

static struct app_source parsed(const char *json)
{
    struct app_source s = {.id = "wiki", .version = 7};
    struct err err = ERR_INIT;
    ck_assert_msg(app_source_parse(str_of(json), a, &s, &err) == 0, "%s", err.text);
    return s;
}

START_TEST(rows)
{
    struct app_source s =
        parsed("{\"label\":\"Wiki\",\"hosts\":\"wiki.example.com\",\"require\":\"signed_in\","
               "\"rules\":[{\"path\":\"/admin/*\",\"require\":\"role:admin\"},"
               "{\"path\":\"/public/*\",\"methods\":\"GET\",\"require\":\"anyone\"}]}");
    load(&s, 1);
    fine();
    const struct app *app = apps_find(apps, "wiki");
    ck_assert(app->from_row && app->usable);
    ck_assert_int_eq(app->version, 7);
    ck_assert_uint_eq(app->n_paths, 2);
    ck_assert_str_eq(app->paths[0].pattern.text, "/public/*");
    s = parsed("{\"hosts\":\"wiki.example.com\",\"rules\":[{\"path\":\"/a\"}]}");
    load(&s, 1);
    told(0, 0, "require is required");
    put("wiki.conf", wiki); /* a file wins */
    load(&s, 1);
    told(0, 0, "makes an app of this name, too: the one in the database is not used");
    ck_assert(!apps_find(apps, "wiki")->from_row);
    ck_assert(apps_find(apps, "wiki")->usable);
}
END_TEST

START_TEST(rows_that_make_no_sense)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"label\":1}",
        "{\"hosts\":[\"a.example.com\"]}",
        "{\"rules\":{}}",
        "{\"rules\":\"x\"}",
        "{\"rules\":[1]}",
        "{\"rules\":[{}]}",
        "{\"rules\":[{\"path\":\"/x\",\"require\":1}]}",
        "{\"rules\":[{\"path\":\"/x\",\"methods\":[\"GET\"],\"require\":\"anyone\"}]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct app_source s = {.id = "x"};
        struct err err = ERR_INIT;
        ck_assert_msg(app_source_parse(str_of(bad[i]), a, &s, &err) == -1, "%s", bad[i]);
        ck_assert_int_eq(err.kind, ERR_INVALID);
    }
}
END_TEST

/* A reload that refuses the files keeps what they made, and takes the rows of now. */
START_TEST(files_taken_over)
{
    struct app_source s = parsed("{\"hosts\":\"b.example.com\"}");
    s.id = "row";
    put("wiki.conf", wiki);
    load(NULL, 0);
    struct apps *first = apps_ref(apps);
    put("wiki.conf", "nonsense\n");
    const struct apps_options o = {.files_of = first, .rows = &s, .n_rows = 1};
    apps_free(&apps);
    apps = apps_load(&o, &problems);
    fine();
    apps_free(&first);
    ck_assert(apps_find(apps, "wiki")->usable);
    ck_assert(apps_find(apps, "row")->usable);
    belongs("https://wiki.example.com/", "wiki");
    belongs("https://b.example.com/", "row");
}
END_TEST

Suite *suite_apps(void)
{
    Suite *s = suite_create("apps");
    TCase *t = tcase_create("apps");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_file);
    tcase_add_test(t, hosts);
    tcase_add_test(t, a_host_is_one_apps_only);
    tcase_add_test(t, faults);
    tcase_add_test(t, names_of_files);
    tcase_add_test(t, a_missing_folder);
    tcase_add_test(t, rows);
    tcase_add_test(t, rows_that_make_no_sense);
    tcase_add_test(t, files_taken_over);
    suite_add_tcase(s, t);
    return s;
}
