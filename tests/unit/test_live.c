/* SPDX-License-Identifier: Apache-2.0 */
/* live, build and report: the halves of a configuration, one reload after the other. */
#include "live/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live_fixture.h"

Suite *suite_live(void);

static struct live_status status(void)
{
    struct live_status s;
    live_status(lx.live, &s);
    return s;
}

/* ---- what is in force ------------------------------------------------------------------------ */

START_TEST(starts_with_files_and_rows)
{
    live_fixture_put("discord.conf", LIVE_CREDENTIALS);
    live_fixture_row("google", LIVE_ROW, 3);
    live_fixture_start();
    ck_assert_uint_eq(registry_count(live_registry(lx.live)), 2);
    ck_assert_str_eq(live_fixture_client("discord"), "id");
    ck_assert_str_eq(live_fixture_client("google"), "row");
    ck_assert(registry_find(live_registry(lx.live), "google")->usable);
    ck_assert_ptr_eq(live_config(lx.live), lx.config);
    ck_assert_uint_eq(status().generation, 1);
    ck_assert_uint_eq(status().problems->n, 0);
    ck_assert_int_eq(status().problems_since, 0);
    ck_assert_ptr_null(status().unwatched);
    ck_assert_ptr_null(status().restart[0]);
    ck_assert_int_eq(live_fixture_metric("usher_config_ok", NULL), 1);
    ck_assert_uint_eq(lx.changes, 0);
}
END_TEST

START_TEST(files_and_rows_change)
{
    struct live_came c;
    live_fixture_start();
    struct registry *before = registry_ref(live_registry(lx.live));
    live_fixture_put("discord.conf", LIVE_CREDENTIALS);
    live_fixture_row("google", LIVE_ROW, 3);
    live_fixture_reload(&c);
    ck_assert(!c.failed && c.rows);
    ck_assert_uint_eq(c.generation, 2);
    ck_assert_uint_eq(lx.changes, 1);
    ck_assert_uint_eq(registry_count(live_registry(lx.live)), 2);
    ck_assert_uint_eq(registry_count(before), 0); /* who kept the old one has the old one */
    registry_free(&before);
    live_fixture_put("discord.conf", NULL);
    live_fixture_row("google", "{\"client_id\":\"other\"}", 4);
    live_fixture_reload(&c);
    ck_assert_ptr_null(live_fixture_client("discord"));
    ck_assert_str_eq(live_fixture_client("google"), "other");
    ck_assert_int_eq(registry_find(live_registry(lx.live), "google")->version, 4);
    ck_assert_int_eq(live_fixture_metric("usher_config_reloads_total", "done"), 2);
    ck_assert_int_eq(live_fixture_metric("usher_config_generation", NULL), 3);
    ck_assert_str_eq(status().why, "test");
}
END_TEST

/* CONF-09: nothing of a set with one broken file counts, and it is said until it is mended. */
START_TEST(conf_09_a_broken_file_keeps_all_files)
{
    struct live_came c;
    live_fixture_put("discord.conf", LIVE_CREDENTIALS);
    live_fixture_put("google.conf", LIVE_CREDENTIALS);
    live_fixture_start();
    live_fixture_put("discord.conf", LIVE_CREDENTIALS "gild = 1\n");
    live_fixture_put("google.conf", "client_id = new\nclient_secret = a-secret-of-some-length\n");
    live_fixture_put("extra.conf", "plugin = discord\n" LIVE_CREDENTIALS);
    live_fixture_conf("[server]\nsite_name = New\n");
    live_fixture_reload(&c);
    ck_assert(c.failed && c.rows);
    ck_assert_int_eq(c.kind, ERR_MISCONFIGURED);
    ck_assert_uint_eq(c.problems, 1);
    ck_assert_str_eq(live_fixture_client("google"), "id");
    ck_assert_ptr_null(live_fixture_client("extra"));
    ck_assert(registry_find(live_registry(lx.live), "discord")->usable);
    ck_assert_str_eq(live_config(lx.live)->server.site_name, "usher");
    ck_assert_uint_eq(status().generation, 1);
    ck_assert(status().refused);
    ck_assert_str_eq(conf_problems_at(status().problems, 0)->key, "gild");
    const int64_t since = status().problems_since;
    ck_assert_int_gt(since, 0);
    ck_assert_int_eq(live_fixture_metric("usher_config_ok", NULL), 0);
    ck_assert_int_eq(live_fixture_metric("usher_config_reloads_total", "refused"), 1);
    live_fixture_reload(&c);
    ck_assert(c.failed);
    ck_assert_int_eq(status().problems_since, since);
    live_fixture_put("discord.conf", LIVE_CREDENTIALS "guild = 1\n");
    live_fixture_reload(&c);
    ck_assert(!c.failed);
    ck_assert_str_eq(live_fixture_client("google"), "new");
    ck_assert_ptr_nonnull(live_fixture_client("extra"));
    ck_assert_str_eq(live_config(lx.live)->server.site_name, "New");
    ck_assert(!status().refused);
    ck_assert_int_eq(status().problems_since, 0);
    ck_assert_int_eq(live_fixture_metric("usher_config_ok", NULL), 1);
}
END_TEST

/* An admin can act while a file is broken, as often as it takes. */
START_TEST(rows_change_while_a_file_is_broken)
{
    struct live_came c;
    live_fixture_put("discord.conf", LIVE_CREDENTIALS);
    live_fixture_start();
    live_fixture_put("discord.conf", "client_id = \"quoted\"\n");
    for (int i = 1; i <= 20; i++) {
        char settings[64], id[16];
        snprintf(id, sizeof id, "row-%d", i);
        snprintf(settings, sizeof settings, "{\"client_id\":\"%s\"}", id);
        live_fixture_row("google", settings, i);
        live_fixture_reload(&c);
        ck_assert(c.failed && c.rows);
        ck_assert_str_eq(live_fixture_client("google"), id);
        ck_assert(registry_find(live_registry(lx.live), "discord")->usable);
    }
    ck_assert_uint_eq(status().generation, 21);
    live_fixture_reload(&c); /* nothing new at all */
    ck_assert_uint_eq(status().generation, 21);
}
END_TEST

/* What was wrong at the start is not made worse by a reload, and keeps nothing else back. */
START_TEST(what_was_broken_before_harms_nobody)
{
    struct live_came c;
    live_fixture_put("discord.conf", "client_id = x\n");
    live_fixture_start();
    ck_assert(registry_find(live_registry(lx.live), "discord")->faulty);
    ck_assert_int_eq(live_fixture_metric("usher_config_ok", NULL), 0);
    live_fixture_put("google.conf", LIVE_CREDENTIALS);
    live_fixture_put("another.conf", "plugin = nowhere\n");
    live_fixture_reload(&c);
    ck_assert(!c.failed);
    ck_assert(registry_find(live_registry(lx.live), "google")->usable);
    ck_assert(!registry_find(live_registry(lx.live), "another")->usable);
    ck_assert_uint_gt(status().problems->n, 1);
    ck_assert_int_eq(live_fixture_metric("usher_config_ok", NULL), 0);
}
END_TEST

/* PLUG-12: a file of the same name wins, at the start and later, and gives the name back. */
START_TEST(plug_12_a_file_takes_a_row_s_name)
{
    struct live_came c;
    live_fixture_row("discord", LIVE_ROW, 1);
    live_fixture_start();
    live_fixture_put("discord.conf", LIVE_CREDENTIALS);
    live_fixture_reload(&c);
    ck_assert(!c.failed);
    ck_assert_uint_eq(c.problems, 1);
    ck_assert_ptr_nonnull(strstr(status().problems->text.p, "discord.conf makes a provider"));
    ck_assert_str_eq(live_fixture_client("discord"), "id");
    live_fixture_put("discord.conf", NULL);
    live_fixture_reload(&c);
    ck_assert_uint_eq(c.problems, 0);
    ck_assert_str_eq(live_fixture_client("discord"), "row");
}
END_TEST

START_TEST(what_takes_a_restart_is_said)
{
    struct live_came c;
    live_fixture_start();
    live_fixture_conf("[server]\nsite_name = New\nidle_timeout = 9s\n[session]\nidle = 2h\n");
    live_fixture_reload(&c);
    ck_assert(!c.failed);
    const struct config *now = live_config(lx.live);
    ck_assert_str_eq(now->server.site_name, "New");
    ck_assert_int_eq(now->server.idle_timeout, lx.config->server.idle_timeout);
    ck_assert_str_eq(status().restart[0], "server.idle_timeout");
    ck_assert_str_eq(status().restart[1], "session.idle");
    ck_assert_ptr_null(status().restart[2]);
    live_fixture_conf("");
    live_fixture_reload(&c);
    ck_assert_ptr_null(status().restart[0]);
}
END_TEST

START_TEST(another_folder_of_providers)
{
    struct live_came c;
    char text[1024];
    live_fixture_put("discord.conf", LIVE_CREDENTIALS);
    live_fixture_start();
    snprintf(text, sizeof text, "[providers]\ndir = %s/nowhere\nplugin_dir = %s\n",
             lx.sx.folder, lx.plugins);
    live_fixture_write(lx.conf, text);
    live_fixture_reload(&c);
    ck_assert(c.failed); /* out of reach is not the same as empty */
    ck_assert_ptr_nonnull(live_fixture_client("discord"));
    ck_assert_str_eq(live_config(lx.live)->providers.dir, lx.dir);
    unlink(lx.conf);
    live_fixture_reload(&c);
    ck_assert(c.failed); /* it was asked for by name */
}
END_TEST

/* ---- one after the other --------------------------------------------------------------------- */

START_TEST(calls_in_between_share_a_build)
{
    struct live_came c[10];
    live_fixture_start();
    for (size_t i = 0; i < 10; i++)
        live_fixture_ask(&c[i]);
    live_fixture_put("discord.conf", LIVE_CREDENTIALS); /* the first may have missed it */
    for (size_t i = 0; i < 10; i++)
        live_fixture_wait(&c[i]);
    ck_assert_uint_eq(c[0].generation, 2);
    for (size_t i = 1; i < 10; i++)
        ck_assert_uint_eq(c[i].generation, 3);
    ck_assert_uint_eq(lx.changes, 2);
    ck_assert_ptr_nonnull(live_fixture_client("discord"));
}
END_TEST

START_TEST(nobody_waits)
{
    live_fixture_start();
    live_fixture_put("discord.conf", LIVE_CREDENTIALS);
    live_reload(lx.live, "test", NULL, NULL);
    while (lx.changes == 0)
        loop_once(lx.loop, 1000);
    ck_assert_ptr_nonnull(live_fixture_client("discord"));
}
END_TEST

START_TEST(a_changed_file_reloads_by_itself)
{
    live_fixture_start();
    live_fixture_put("discord.conf", LIVE_CREDENTIALS);
    while (lx.changes == 0)
        loop_once(lx.loop, 1000);
    ck_assert_ptr_nonnull(live_fixture_client("discord"));
    ck_assert_str_eq(status().why, "file");
}
END_TEST

START_TEST(rows_that_cannot_be_read)
{
    struct live_came c;
    live_fixture_row("google", LIVE_ROW, 1);
    live_fixture_start();
    store_fixture_sql(&lx.sx, "ALTER TABLE provider RENAME TO elsewhere");
    live_fixture_put("discord.conf", LIVE_CREDENTIALS);
    live_fixture_reload(&c);
    ck_assert(c.failed && !c.rows);
    ck_assert_int_eq(c.kind, ERR_INTERNAL);
    ck_assert_str_eq(live_fixture_client("google"), "row");
    ck_assert_ptr_null(live_fixture_client("discord"));
    ck_assert_int_eq(live_fixture_metric("usher_config_reloads_total", "failed"), 1);
    live_fixture_diff(&c);
    ck_assert(c.failed);
    store_fixture_sql(&lx.sx, "ALTER TABLE elsewhere RENAME TO provider");
    live_fixture_reload(&c);
    ck_assert(!c.failed);
    ck_assert_ptr_nonnull(live_fixture_client("discord"));
}
END_TEST

/* Freed with the job at the store, at the worker, and on its way back. */
START_TEST(freed_under_way)
{
    struct live_came c;
    for (int rounds = 0; rounds < 3; rounds++) {
        live_fixture_start();
        live_fixture_ask(&c);
        for (int i = 0; i < rounds; i++)
            loop_once(lx.loop, 20);
        const unsigned before = c.times;
        live_free(&lx.live);
        for (int i = 0; i < 5; i++)
            loop_once(lx.loop, 20);
        ck_assert_uint_eq(c.times, before);
        config_free(&lx.config);
    }
}
END_TEST

/* ---- what would change ----------------------------------------------------------------------- */

START_TEST(a_diff_changes_nothing)
{
    struct live_came c;
    char token[44];
    live_fixture_put("discord.conf", LIVE_CREDENTIALS);
    live_fixture_put("google.conf", LIVE_CREDENTIALS);
    live_fixture_start();
    store_fixture_session(&lx.sx, "1", 1000, 2000, token); /* of a provider called "fake" */
    store_fixture_sql(&lx.sx, "UPDATE identity SET provider = 'google'");
    store_fixture_sql(&lx.sx, "UPDATE session SET provider = 'google'");
    live_fixture_put("google.conf", NULL);
    live_fixture_put("discord.conf", "client_id = id\nclient_secret = canary-of-some-length\n");
    live_fixture_put("x.conf", "plugin = discord\n" LIVE_CREDENTIALS);
    live_fixture_conf("[server]\nsite_name = New\nuser = somebody\n");
    live_fixture_diff(&c);
    ck_assert(!c.failed);
    ck_assert_str_eq(
        c.diff,
        "{\"changes\":[{\"what\":\"setting\",\"id\":\"server.site_name\",\"change\":\"changed\","
        "\"fields\":[{\"key\":\"site_name\",\"before\":\"usher\",\"after\":\"New\"}]},"
        "{\"what\":\"provider\",\"id\":\"discord\",\"change\":\"changed\",\"fields\":[{\"key\":"
        "\"client_secret\",\"before\":\"set\",\"after\":\"changed\"}],\"label\":\"Discord\","
        "\"plugin\":\"discord\",\"accounts\":0,\"sessions\":0},"
        "{\"what\":\"provider\",\"id\":\"google\",\"change\":\"removed\",\"fields\":[],\"label\":"
        "\"Google\",\"plugin\":\"google\",\"accounts\":1,\"sessions\":1},"
        "{\"what\":\"provider\",\"id\":\"x\",\"change\":\"added\",\"fields\":[],\"label\":"
        "\"Discord\",\"plugin\":\"discord\"}],\"problems\":[],\"restart\":[\"server.user\"],"
        "\"refused\":false}");
    ck_assert_uint_eq(lx.changes, 0);
    ck_assert_ptr_nonnull(live_fixture_client("google"));
    ck_assert_uint_eq(status().generation, 1);
    ck_assert_ptr_null(status().restart[0]);
}
END_TEST

START_TEST(a_diff_tells_what_is_broken)
{
    struct live_came c;
    live_fixture_put("discord.conf", LIVE_CREDENTIALS);
    live_fixture_start();
    live_fixture_put("discord.conf", LIVE_CREDENTIALS "gild = 1\n");
    live_fixture_row("google", LIVE_ROW, 1);
    live_fixture_diff(&c);
    ck_assert_ptr_nonnull(strstr(c.diff, "\"line\":3,\"key\":\"gild\",\"text\":\"gild: unknown"));
    ck_assert_ptr_nonnull(strstr(c.diff, "\"refused\":true"));
    ck_assert_ptr_nonnull(strstr(c.diff, "\"id\":\"google\",\"change\":\"added\""));
    ck_assert_uint_eq(status().problems->n, 0); /* nobody asked for it to count */
    ck_assert_int_eq(live_fixture_metric("usher_config_ok", NULL), 1);
}
END_TEST

/* Drafts are judged by the rules in force, on any thread. */
START_TEST(drafts_have_options)
{
    struct config *hold = NULL;
    struct conf_problems problems;
    setenv("USHER_PROVIDER_DISCORD_GUILD", "1", 1);
    live_fixture_start();
    unsetenv("USHER_PROVIDER_DISCORD_GUILD"); /* as after the wiping */
    const struct registry_options o = live_draft_options(lx.live, &hold);
    conf_problems_init(&problems);
    const struct provider_source s = {.id = "discord"};
    struct registry *r = registry_draft(&o, &s, &problems);
    ck_assert_str_eq(registry_at(r, 0)->label, "Discord");
    ck_assert_str_eq(conf_problems_at(&problems, 0)->file, "environment");
    ck_assert_str_eq(conf_problems_at(&problems, 0)->key, "guild");
    ck_assert_str_eq(conf_problems_at(&problems, 1)->key, "client_id");
    registry_free(&r);
    config_free(&hold);
    conf_problems_deinit(&problems);
}
END_TEST

Suite *suite_live(void)
{
    Suite *s = suite_create("live");
    TCase *tc = tcase_create("live");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, live_fixture_open, live_fixture_close);
    tcase_add_test(tc, starts_with_files_and_rows);
    tcase_add_test(tc, files_and_rows_change);
    tcase_add_test(tc, conf_09_a_broken_file_keeps_all_files);
    tcase_add_test(tc, rows_change_while_a_file_is_broken);
    tcase_add_test(tc, what_was_broken_before_harms_nobody);
    tcase_add_test(tc, plug_12_a_file_takes_a_row_s_name);
    tcase_add_test(tc, what_takes_a_restart_is_said);
    tcase_add_test(tc, another_folder_of_providers);
    tcase_add_test(tc, calls_in_between_share_a_build);
    tcase_add_test(tc, nobody_waits);
    tcase_add_test(tc, a_changed_file_reloads_by_itself);
    tcase_add_test(tc, rows_that_cannot_be_read);
    tcase_add_test(tc, freed_under_way);
    tcase_add_test(tc, a_diff_changes_nothing);
    tcase_add_test(tc, a_diff_tells_what_is_broken);
    tcase_add_test(tc, drafts_have_options);
    suite_add_tcase(s, tc);
    return s;
}
