/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/upstream.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"

struct own {
    const char *authorize_url;
};

static struct jval *must(const char *name)
{
    struct jval *one = upstream_json(name, NULL);
    ck_assert_msg(one != NULL, "%s is not known", name);
    return one;
}

/* Each sample has its steps, each steps file its sample; the list is sorted by name. */
START_TEST(samples_and_steps_go_together)
{
    struct jval *list = upstream_list();
    const char *before = "";
    size_t samples = 0;
    for (const struct embedded *e = embedded_samples; e->name; e++)
        samples++;
    ck_assert_uint_eq(jval_count(list), samples);
    ck_assert_uint_gt(samples, 15);
    for (size_t i = 0; i < jval_count(list); i++) {
        const char *name = jval_text(jval_get(jval_item(list, i), "name"));
        ck_assert_ptr_nonnull(upstream_sample(name));
        ck_assert_int_lt(strcmp(before, name), 0);
        ck_assert_uint_gt(strlen(jval_text(jval_get(jval_item(list, i), "label"))), 0);
        ck_assert_uint_gt(strlen(jval_text(jval_get(jval_item(list, i), "plugin"))), 0);
        ck_assert_uint_eq(jval_count(jval_item(list, i)), 3);
        before = name;
    }
    jval_free(&list);
}
END_TEST

/* Everybody is told where the callback URL goes, and how to change the secret. */
START_TEST(every_upstream_says_what_to_do)
{
    struct jval *list = upstream_list();
    for (size_t i = 0; i < jval_count(list); i++) {
        const char *name = jval_text(jval_get(jval_item(list, i), "name"));
        struct jval *one = must(name);
        const struct jval *steps = jval_at(one, "/steps/register");
        bool told = false;
        ck_assert_uint_ge(jval_count(steps), 2);
        ck_assert_uint_ge(jval_count(jval_at(one, "/steps/rotate")), 2);
        for (size_t k = 0; k < jval_count(steps); k++) {
            const char *step = jval_text(jval_item(steps, k));
            ck_assert_uint_lt(strlen(step), 1000);
            told |= strstr(step, "{callback}") != NULL;
        }
        ck_assert_msg(told, "%s: nobody says where {callback} goes", name);
        jval_free(&one);
    }
    jval_free(&list);
}
END_TEST

START_TEST(the_callback_url_is_filled_in)
{
    struct jval *one = upstream_json("github", "https://login.example.com/callback/gh");
    const char *step = jval_text(jval_at(one, "/steps/register/1"));
    ck_assert_str_eq(step, "Homepage URL is your site's address. Authorization callback URL is "
                           "https://login.example.com/callback/gh. An OAuth app has one callback "
                           "URL. Leave Device Flow off.");
    ck_assert_ptr_null(strstr(step, "{callback}"));
    jval_free(&one);
}
END_TEST

START_TEST(settings_are_those_of_the_sample)
{
    struct jval *one = must("github");
    const struct jval *settings = jval_get(one, "settings");
    ck_assert_str_eq(jval_text(jval_get(one, "name")), "github");
    ck_assert_str_eq(jval_text(jval_get(one, "label")), "GitHub");
    ck_assert_str_eq(jval_text(jval_get(one, "plugin")), "oauth2");
    ck_assert_str_eq(jval_text(jval_get(settings, "subject")), "1:/id");
    ck_assert_ptr_null(jval_get(settings, "plugin"));
    ck_assert_ptr_null(jval_get(settings, "client_id"));
    ck_assert_ptr_null(jval_get(settings, "client_secret"));
    jval_free(&one);
}
END_TEST

START_TEST(who_is_not_known_is_nobody)
{
    static const char *const names[] = {"", "hub", "githu", "github.conf", "../x", "GitHub"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct err err = ERR_INIT;
        struct buf b;
        const struct usher_provider p = {.name = "oauth2"};
        buf_init(&b, 1 << 16);
        ck_assert_ptr_null(upstream_json(names[i], NULL));
        ck_assert_ptr_null(upstream_steps(names[i], NULL));
        ck_assert_ptr_null(upstream_sample(names[i]));
        ck_assert_int_eq(upstream_markdown(names[i], &p, &b, &err), -1);
        ck_assert_int_eq(err.kind, ERR_INVALID);
        buf_deinit(&b);
    }
}
END_TEST

START_TEST(a_page_needs_the_right_plugin)
{
    static const struct usher_setting rows[] = {
        USHER_SET_TEXT(struct own, authorize_url, .label = "Authorization endpoint",
                       .flags = USHER_ADVANCED, .value = "x", .help = "Where people sign in."),
    };
    const struct usher_provider p = {
        .name = "oauth2", .label = "OAuth", .settings = rows, .n_settings = 1};
    struct err err = ERR_INIT;
    struct buf b;
    buf_init(&b, 1 << 16);
    ck_assert_int_eq(upstream_markdown("github", &p, &b, &err), -1);
    ck_assert_str_eq(err.text, "its sample sets token_url, which its plugin does not know");
    ck_assert_ptr_eq(strstr(b.p, "## Register an application\n\n1. Open https://github.com/"), b.p);
    ck_assert_ptr_nonnull(strstr(b.p, " `https://YOUR-HOST/callback/github`. "));
    ck_assert_ptr_nonnull(strstr(b.p, "\n\n## Change the secret\n\n1. "));
    buf_deinit(&b);
}
END_TEST

Suite *suite_upstream(void);
Suite *suite_upstream(void)
{
    Suite *s = suite_create("upstream");
    TCase *t = tcase_create("upstream");
    tcase_add_test(t, samples_and_steps_go_together);
    tcase_add_test(t, every_upstream_says_what_to_do);
    tcase_add_test(t, the_callback_url_is_filled_in);
    tcase_add_test(t, settings_are_those_of_the_sample);
    tcase_add_test(t, who_is_not_known_is_nobody);
    tcase_add_test(t, a_page_needs_the_right_plugin);
    suite_add_tcase(s, t);
    return s;
}
