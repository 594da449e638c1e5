/* SPDX-License-Identifier: Apache-2.0 */
/* provider/registry and configure: providers from files, the environment and text. */
#include "provider/registry.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "provider/configure.h"

Suite *suite_registry(void);

static char plugins[512], folder[64];
static struct conf_problems problems;
static struct registry *registry;
static struct registry_options options;

static void setup(void)
{
    const char *build = getenv("top_builddir");
    snprintf(plugins, sizeof plugins, "%s/plugins/.libs", build ? build : ".");
    snprintf(folder, sizeof folder, "/tmp/usher-registry-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    options = (struct registry_options){.providers_dir = folder, .plugin_dir = plugins};
    conf_problems_init(&problems);
}

static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void load(void)
{
    registry_free(&registry);
    conf_problems_deinit(&problems);
    conf_problems_init(&problems);
    registry = registry_load(&options, &problems);
    ck_assert_ptr_nonnull(registry);
}

static void teardown(void)
{
    static const char *const names[] = {"discord.conf",  "google.conf", "broken.conf", "corp.conf",
                                        "Bad Name.conf", "note.txt",    "link.conf",   "a.conf"};
    registry_free(&registry);
    conf_problems_deinit(&problems);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static const struct provider *text(const char *id, const char *conf)
{
    registry_free(&registry);
    conf_problems_deinit(&problems);
    conf_problems_init(&problems);
    registry = registry_text(&options, id, str_of(conf), &problems);
    return registry_find(registry, id);
}

#define CREDENTIALS "client_id = id\nclient_secret = a-secret-of-some-length\n"

static void wrong(const char *id, const char *conf, const char *words)
{
    const struct provider *p = text(id, conf);
    ck_assert_ptr_nonnull(p);
    ck_assert_msg(!p->usable, "%s", conf);
    ck_assert_uint_gt(problems.n, 0);
    ck_assert_msg(p->reason && strstr(p->reason, words), "%s", p->reason);
    ck_assert_msg(strstr(problems.text.p, words) != NULL, "%s", problems.text.p);
}

START_TEST(files_make_providers)
{
    put("google.conf", CREDENTIALS "label = Work\nscopes = openid email\nlink = never\n");
    put("discord.conf", CREDENTIALS);
    put("note.txt", "not mine");
    load();
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
    ck_assert_uint_eq(registry_count(registry), 2);
    const struct provider *d = registry_at(registry, 0), *g = registry_find(registry, "google");
    ck_assert_str_eq(d->id, "discord");
    ck_assert_str_eq(d->label, "Discord");
    ck_assert(d->usable && !d->reason && !d->fake);
    ck_assert_str_eq(d->origins[0], "https://discord.com");
    ck_assert_ptr_null(d->origins[1]);
    ck_assert(d->common.client_secret.set);
    ck_assert(
        secret_eq(conf_secrets_get(d->secrets, "client_secret"), STR("a-secret-of-some-length")));
    ck_assert_str_eq(g->label, "Work");
    ck_assert_str_eq(g->plugin_label, "Google");
    ck_assert_int_eq(g->common.link, LINK_NEVER);
    ck_assert_str_eq(g->common.scopes[1], "email");
    ck_assert_ptr_nonnull(strstr(g->source, "google.conf"));
    ck_assert_ptr_null(registry_find(registry, "note"));
    ck_assert_ptr_null(registry_at(registry, 2));
    struct registry *again = registry_ref(registry);
    registry_free(&again);
    ck_assert_str_eq(registry_at(registry, 0)->id, "discord");
}
END_TEST

/* One broken provider harms nothing else. */
START_TEST(broken_providers_stay_alone)
{
    put("discord.conf", CREDENTIALS);
    put("broken.conf", "plugin = nowhere\nlabel = Broken\n" CREDENTIALS);
    put("corp.conf", "plugin = oidc\nissuer = ftp://x\n" CREDENTIALS);
    put("Bad Name.conf", CREDENTIALS);
    load();
    ck_assert_uint_eq(registry_count(registry), 3);
    ck_assert(registry_find(registry, "discord")->usable);
    const struct provider *b = registry_find(registry, "broken");
    ck_assert(!b->usable);
    ck_assert_ptr_null(b->plugin);
    ck_assert_str_eq(b->label, "Broken");
    ck_assert_ptr_nonnull(strstr(b->reason, "plugin nowhere: there is no nowhere.so in"));
    ck_assert(!registry_find(registry, "corp")->usable);
    ck_assert_uint_eq(problems.n, 3);
    ck_assert_ptr_nonnull(strstr(problems.text.p, "the file's name is the provider's id"));
    options.providers_dir = "/nonexistent/folder";
    load();
    ck_assert_uint_eq(problems.n, 1);
    ck_assert_uint_eq(registry_count(registry), 0);
}
END_TEST

START_TEST(unsafe_files_are_refused)
{
    char path[256], target[256];
    put("discord.conf", CREDENTIALS);
    snprintf(path, sizeof path, "%s/discord.conf", folder);
    snprintf(target, sizeof target, "%s/link.conf", folder);
    ck_assert_int_eq(symlink(path, target), 0);
    chmod(path, 0666);
    load();
    ck_assert_uint_eq(registry_count(registry), 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert(!registry_at(registry, i)->usable);
        ck_assert_ptr_nonnull(registry_at(registry, i)->reason);
    }
    ck_assert_uint_ge(problems.n, 2);
}
END_TEST

/* What is wrong says what to change. */
START_TEST(credentials_are_asked_for)
{
    wrong("discord", "client_secret = a-secret-of-some-length\n",
          "client_id is not set: register an application at https://discord.com/developers/");
    ck_assert_ptr_nonnull(strstr(problems.text.p, "USHER_PROVIDER_DISCORD_CLIENT_ID"));
    wrong("discord", "client_id =\nclient_secret = a-secret-of-some-length\n",
          "client_id is not set");
    wrong("discord", "client_id = x\n", "client_secret is not set: set client_secret_file in");
    wrong("discord", "client_id = a b\nclient_secret = a-secret-of-some-length\n", "no client id");
    const struct provider *p = text("discord", CREDENTIALS "enabled = no\n");
    ck_assert(!p->usable);
    ck_assert_uint_eq(problems.n, 0);
    ck_assert_str_eq(p->reason, "switched off by `enabled`");
}
END_TEST

START_TEST(settings_are_judged_together)
{
    wrong("discord", CREDENTIALS "guild = My Server\n", "guild is not the id of a server");
    wrong("discord", CREDENTIALS "required_roles = 1\n", "required_roles needs guild");
    wrong("discord", CREDENTIALS "gild = 1\n", "did you mean \"guild\"");
    wrong("google", CREDENTIALS "hosted_domains = example\n", "hosted_domains must be domains");
    wrong("google", CREDENTIALS "offline = yes\nprompt = none\n", "offline needs consent");
    wrong("x", "plugin = oidc\n" CREDENTIALS, "issuer is required");
    wrong("x", "plugin = oidc\nissuer = https://a.example\nclient_id = x\n",
          "client_secret is not set");
    wrong("x", "plugin = oidc\nissuer = https://a.example\nclient_auth = none\n" CREDENTIALS,
          "remove one of them");
    wrong("x", "plugin = oidc\nissuer = https://a.example\nextra_params = state=1\n" CREDENTIALS,
          "extra_params: state is usher's own");
    wrong("x", "plugin = oidc\nissuer = https://a.example\nextra_params = nonsense\n" CREDENTIALS,
          "is not name=value");
    wrong("x",
          "plugin = oidc\nissuer = https://a.example/organizations/v2.0\n"
          "issuer_template = https://a.example/{tenantid}/v2.0\n" CREDENTIALS,
          "put /tid into `subject`");
    wrong("x", "plugin = oidc\nissuer = https://a.example\nrequire = /hd\n" CREDENTIALS,
          "is not expression=value");
    wrong("discord", CREDENTIALS "allow_private = 10.0.0.0/8\n", "is no host name");
    wrong("discord", CREDENTIALS "scopes = caf\xc3\xa9\n", "is no scope");
    /* A line that was refused while reading counts as well. */
    wrong("discord", CREDENTIALS "scopes = \"identify\"\n", "without quotes");
}
END_TEST

START_TEST(addresses_are_judged)
{
    wrong("discord", CREDENTIALS "api_url = http://127.0.0.1:1/api\n",
          "api_url must begin with https");
    wrong("discord", CREDENTIALS "api_url = https://discord.com/api#x\n", "has a fragment");
    options.allow_http_loopback = true;
    wrong("discord", CREDENTIALS "api_url = http://10.0.0.1/api\n",
          "api_url must begin with https");
    const struct provider *p = text("discord", CREDENTIALS "api_url = http://127.0.0.1:1/api\n");
    ck_assert(p->usable && !p->fake); /* half of it is still the real one */
    ck_assert_str_eq(p->origins[0], "http://127.0.0.1:1");
    ck_assert_str_eq(p->origins[1], "https://discord.com");
    p = text("discord", CREDENTIALS "api_url = http://127.0.0.1:1/discord/api\n"
                                    "authorize_url = http://127.0.0.1:1/discord/authorize\n");
    ck_assert(p->usable && p->fake);
    ck_assert_ptr_null(p->origins[1]);
    p = text("google", CREDENTIALS "issuer = http://127.0.0.1:1/google\n");
    ck_assert(p->usable && p->fake);
}
END_TEST

START_TEST(insecure_settings_are_told)
{
    const struct provider *p =
        text("x", "plugin = oidc\nissuer = https://a.example\nnonce = skip\n" CREDENTIALS);
    ck_assert(p->usable);
    ck_assert_str_eq(p->insecure[0], "nonce");
    ck_assert_ptr_null(p->insecure[1]);
    p = text("x", "plugin = oidc\nissuer = https://a.example\n" CREDENTIALS);
    ck_assert_ptr_null(p->insecure[0]);
}
END_TEST

START_TEST(checking_again_needs_what_it_asks_with)
{
    const struct provider *p = text("discord", CREDENTIALS "keep_tokens = yes\nrecheck = 15m\n");
    ck_assert(p->usable && p->common.keep_tokens);
    ck_assert_int_eq(p->common.recheck, 900);
    p = text("discord", CREDENTIALS "recheck = 15m\n");
    ck_assert(!p->usable && strstr(p->reason, "keep_tokens = yes"));
    p = text("discord", CREDENTIALS "keep_tokens = yes\nrecheck = 5s\n");
    ck_assert(!p->usable && strstr(p->reason, "at least 60 seconds"));
    p = text("google", CREDENTIALS "keep_tokens = yes\nrecheck = 1h\n");
    ck_assert(!p->usable && strstr(p->reason, "offline = yes"));
    p = text("google", CREDENTIALS "keep_tokens = yes\nrecheck = 1h\noffline = yes\n");
    ck_assert(p->usable);
    p = text("google", CREDENTIALS);
    ck_assert(p->usable && !p->common.keep_tokens && p->common.recheck == 0);
}
END_TEST

START_TEST(the_environment_makes_and_changes_providers)
{
    setenv("USHER_PROVIDER_DISCORD_CLIENT_ID", "from-env", 1);
    setenv("USHER_PROVIDER_DISCORD_CLIENT_SECRET", "a-secret-of-some-length", 1);
    setenv("USHER_PROVIDER_MY_IDP_CLIENT_ID", "env2", 1);
    setenv("USHER_PROVIDER_MY_IDP_CLIENT_SECRET", "a-secret-of-some-length", 1);
    setenv("USHER_PROVIDER_MY_IDP_PLUGIN", "oidc", 1);
    setenv("USHER_PROVIDER_MY_IDP_ISSUER", "https://idp.example", 1);
    load(); /* not asked to look there */
    ck_assert_uint_eq(registry_count(registry), 0);
    options.environment = true;
    load();
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
    const struct provider *d = registry_find(registry, "discord");
    const struct provider *m = registry_find(registry, "my-idp");
    ck_assert(d && d->usable && m && m->usable);
    ck_assert_str_eq(d->source, "environment");
    ck_assert_str_eq(d->common.client_id, "from-env");
    ck_assert_str_eq(m->plugin->name, "oidc");
    put("discord.conf", "client_id = from-file\n"); /* PLUG-12: one provider, not two */
    load();
    ck_assert_uint_eq(registry_count(registry), 2);
    d = registry_find(registry, "discord");
    ck_assert(d->usable);
    ck_assert_str_eq(d->common.client_id, "from-env");
    unsetenv("USHER_PROVIDER_DISCORD_CLIENT_SECRET");
    unlink("discord.conf");
    load();
    ck_assert(!registry_find(registry, "discord")->usable);
    setenv("USHER_PROVIDER__CLIENT_ID", "x", 1);
    load();
    ck_assert_ptr_nonnull(strstr(problems.text.p, "no provider can have this name"));
}
END_TEST

/* ---- rows ------------------------------------------------------------------------------------ */

#define N(list) (sizeof(list) / sizeof *(list))
static const struct conf_pair row_pairs[] = {{"client_id", "row-id"}, {"guild", "4242"}};
static struct secret *kept[PROVIDER_SLOTS];
static struct provider_secret_in row_secrets[PROVIDER_SLOTS];
static struct provider_source row;

static void fill_row(void)
{
    for (int i = 0; i < PROVIDER_SLOTS; i++) {
        char text[32];
        const int n = snprintf(text, sizeof text, "a-secret-of-slot-%d", i);
        kept[i] = secret_new(text, (size_t)n);
        row_secrets[i] = (struct provider_secret_in){.key = "client_secret",
                                                     .slot = i,
                                                     .secret = kept[i],
                                                     .created = 1000 + i,
                                                     .expires = i == 1 ? 5000 : 0};
    }
    row = (struct provider_source){.id = "discord",
                                   .version = 7,
                                   .settings = row_pairs,
                                   .n = N(row_pairs),
                                   .secrets = row_secrets,
                                   .n_secrets = N(row_secrets)};
    options.rows = &row;
    options.n_rows = 1;
}

static void drop_row(void)
{
    for (int i = 0; i < PROVIDER_SLOTS; i++)
        secret_free(&kept[i]);
}

START_TEST(rows_make_providers)
{
    fill_row();
    put("google.conf", CREDENTIALS);
    load();
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
    ck_assert_uint_eq(registry_count(registry), 2);
    const struct provider *d = registry_at(registry, 0), *g = registry_at(registry, 1);
    ck_assert(d->usable && d->from_row && !d->faulty && !g->from_row);
    ck_assert_str_eq(d->id, "discord");
    ck_assert_str_eq(d->source, "database");
    ck_assert_int_eq(d->version, 7);
    ck_assert_str_eq(d->common.client_id, "row-id");
    ck_assert(d->common.client_secret.set);
    for (int i = 0; i < PROVIDER_SLOTS; i++) {
        ck_assert(d->slots->v[i].set);
        ck_assert_int_eq(d->slots->v[i].created, 1000 + i);
        ck_assert(secret_eq(provider_secret(d, "client_secret", (enum provider_slot)i),
                            secret_reveal(row_secrets[i].secret)));
    }
    ck_assert_int_eq(d->slots->v[PROVIDER_NEXT].expires, 5000);
    ck_assert(g->slots->v[PROVIDER_ACTIVE].set && !g->slots->v[PROVIDER_NEXT].set);
    ck_assert_ptr_null(provider_secret(g, "client_secret", PROVIDER_RETIRING));
    ck_assert_ptr_null(provider_secret(g, "nothing", PROVIDER_ACTIVE));
    drop_row();
}
END_TEST

/* PLUG-12: who claims a name that is taken is refused, whatever the order. */
START_TEST(files_win_over_rows)
{
    fill_row();
    put("discord.conf", CREDENTIALS);
    load();
    ck_assert_uint_eq(registry_count(registry), 1);
    const struct provider *d = registry_find(registry, "discord");
    ck_assert(d->usable && !d->from_row);
    ck_assert_str_eq(d->common.client_id, "id");
    ck_assert_uint_eq(problems.n, 1);
    ck_assert_ptr_nonnull(strstr(problems.text.p, "provider discord: "));
    ck_assert_ptr_nonnull(strstr(problems.text.p, "/discord.conf makes a provider of this name"));
    unlink(d->source);
    setenv("USHER_PROVIDER_DISCORD_CLIENT_ID", "from-env", 1);
    setenv("USHER_PROVIDER_DISCORD_CLIENT_SECRET", "a-secret-of-some-length", 1);
    options.environment = true;
    load();
    ck_assert_str_eq(registry_find(registry, "discord")->common.client_id, "from-env");
    ck_assert_ptr_nonnull(strstr(problems.text.p, "environment makes a provider of this name"));
    drop_row();
}
END_TEST

/* A row that is wrong harms nothing else, and says which of its fields it is. */
START_TEST(wrong_rows_stay_alone)
{
    static const struct conf_pair bad[] = {
        {"client_id", "a b"}, {"guild", "My Server"}, {"timeout", "soon"}, {"gild", "1"}};
    static const char *const keys[] = {"timeout", "gild", "client_id"};
    fill_row();
    row.settings = bad;
    row.n = N(bad);
    put("google.conf", CREDENTIALS);
    load();
    const struct provider *d = registry_find(registry, "discord");
    ck_assert(!d->usable && d->faulty);
    ck_assert_ptr_nonnull(strstr(d->reason, "timeout"));
    ck_assert(registry_find(registry, "google")->usable);
    ck_assert_uint_eq(conf_problems_n(&problems), N(keys));
    for (size_t i = 0; i < N(keys); i++) {
        ck_assert_str_eq(conf_problems_at(&problems, i)->key, keys[i]);
        ck_assert_str_eq(conf_problems_at(&problems, i)->file, "provider discord");
    }
    struct provider_secret_in odd[] = {{.key = "client_secret", .slot = 9},
                                       {.key = "no_secret", .secret = row_secrets[0].secret},
                                       {.key = "client_secret"}};
    row.settings = row_pairs;
    row.n = N(row_pairs);
    row.secrets = odd;
    row.n_secrets = N(odd);
    load();
    ck_assert_str_eq(problems.text.p,
                     "provider discord: client_secret: there is no such slot\n"
                     "provider discord: no_secret: plugin discord has no such secret\n"
                     "provider discord: client_secret cannot be opened with the keys of the key "
                     "file: set it again\n"
                     "provider discord: client_secret is not set: set it\n");
    row.id = "../x";
    load();
    ck_assert_uint_eq(registry_count(registry), 1);
    ck_assert_ptr_nonnull(strstr(problems.text.p, "a provider's id is at most 32"));
    drop_row();
}
END_TEST

START_TEST(drafts_are_judged_alone)
{
    fill_row();
    put("google.conf", CREDENTIALS);
    registry = registry_draft(&options, &row, &problems);
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
    ck_assert_uint_eq(registry_count(registry), 1);
    ck_assert(registry_at(registry, 0)->usable);
    registry_free(&registry);
    row.n = row.n_secrets = 0;
    registry = registry_draft(&options, &row, &problems);
    ck_assert(!registry_at(registry, 0)->usable);
    ck_assert_str_eq(conf_problems_at(&problems, 0)->key, "client_id");
    ck_assert_str_eq(conf_problems_at(&problems, 1)->key, "client_secret");
    registry_free(&registry);
    row.id = "";
    registry = registry_draft(&options, &row, &problems);
    ck_assert_uint_eq(registry_count(registry), 0);
    ck_assert_str_eq(conf_problems_at(&problems, 2)->key, "id");
    drop_row();
}
END_TEST

/* While files are broken, rows still change: what files made before is taken over as it was. */
START_TEST(files_are_taken_over)
{
    put("google.conf", CREDENTIALS);
    load();
    struct registry *before = registry;
    const struct provider *g = registry_find(before, "google");
    registry = NULL;
    put("google.conf", "client_id = \"broken\"\n");
    fill_row();
    options.files_of = before;
    load();
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
    ck_assert_uint_eq(registry_count(registry), 2);
    ck_assert_ptr_eq(registry_find(registry, "google"), g);
    registry_free(&before);
    ck_assert_str_eq(g->common.client_id, "id"); /* the last reference counts */
    options.files_of = registry;
    before = registry;
    registry = NULL;
    row.id = "google";
    load(); /* rows of the other registry are not taken over, and names are still taken */
    ck_assert_uint_eq(registry_count(registry), 1);
    ck_assert_ptr_nonnull(strstr(problems.text.p, "/google.conf makes a provider of this name"));
    registry_free(&before);
    drop_row();
}
END_TEST

/* A file that was removed between the listing and the reading was never there. */
START_TEST(files_may_go_meanwhile)
{
    struct arena *a = arena_new();
    struct provider p = {.id = NULL}, q = {.id = NULL};
    const struct configure_args args = {
        .options = &options, .id = "discord", .path = "/nonexistent/discord.conf", .arena = a};
    ck_assert(!provider_configure(&p, &args, &problems));
    setenv("USHER_PROVIDER_DISCORD_CLIENT_ID", "from-env", 1);
    setenv("USHER_PROVIDER_DISCORD_CLIENT_SECRET", "a-secret-of-some-length", 1);
    ck_assert(!provider_configure(&p, &args, &problems)); /* not asked to look there */
    options.environment = true;
    ck_assert(provider_configure(&q, &args, &problems));
    ck_assert(q.usable);
    ck_assert_str_eq(q.source, "environment");
    ck_assert_uint_eq(problems.n, 0);
    conf_secrets_free((struct conf_secrets **)(uintptr_t)&q.secrets);
    arena_free(&a);
}
END_TEST

START_TEST(files_have_a_next_secret)
{
    const struct provider *p =
        text("discord", CREDENTIALS "client_secret_next = another-of-some-length\n");
    ck_assert_msg(p->usable, "%s", p->reason);
    ck_assert(p->slots->v[PROVIDER_NEXT].set && !p->slots->v[PROVIDER_RETIRING].set);
    ck_assert(secret_eq(provider_secret(p, "client_secret", PROVIDER_NEXT),
                        STR("another-of-some-length")));
    wrong("discord", "client_id = x\nclient_secret_next = another-of-some-length\n",
          "client_secret is not set");
}
END_TEST

#define ES256 "eyJhbGciOiJFUzI1NiJ9." /* {"alg":"ES256"} */

/* Signed by nobody: only `exp` is looked at, 1900000000 and then "soon". */
START_TEST(a_secret_that_is_a_jwt_says_when_it_ends)
{
    const struct provider *p =
        text("discord", "client_id = id\nclient_secret = " ES256 "eyJleHAiOjE5MDAwMDAwMDB9.AQEB\n");
    ck_assert_int_eq(p->slots->v[PROVIDER_ACTIVE].expires, 1900000000);
    p = text("discord", CREDENTIALS "client_secret_next = " ES256 "eyJleHAiOiJzb29uIn0.AQEB\n");
    ck_assert_int_eq(p->slots->v[PROVIDER_ACTIVE].expires, 0);
    ck_assert_int_eq(p->slots->v[PROVIDER_NEXT].expires, 0);
}
END_TEST

Suite *suite_registry(void)
{
    Suite *s = suite_create("registry");
    TCase *tc = tcase_create("registry");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, files_make_providers);
    tcase_add_test(tc, broken_providers_stay_alone);
    tcase_add_test(tc, unsafe_files_are_refused);
    tcase_add_test(tc, credentials_are_asked_for);
    tcase_add_test(tc, settings_are_judged_together);
    tcase_add_test(tc, addresses_are_judged);
    tcase_add_test(tc, insecure_settings_are_told);
    tcase_add_test(tc, checking_again_needs_what_it_asks_with);
    tcase_add_test(tc, the_environment_makes_and_changes_providers);
    tcase_add_test(tc, rows_make_providers);
    tcase_add_test(tc, files_win_over_rows);
    tcase_add_test(tc, wrong_rows_stay_alone);
    tcase_add_test(tc, drafts_are_judged_alone);
    tcase_add_test(tc, files_are_taken_over);
    tcase_add_test(tc, files_may_go_meanwhile);
    tcase_add_test(tc, files_have_a_next_secret);
    tcase_add_test(tc, a_secret_that_is_a_jwt_says_when_it_ends);
    suite_add_tcase(s, tc);
    return s;
}
