/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins' part is in tests/docs/generated.sh, where there are shared objects. */
#include "main/manual.h"

#include <check.h>
#include <string.h>

#include "base/json.h"
#include "provider/registry.h"

static struct buf out;
static struct err err;

static void setup(void)
{
    buf_init(&out, 1 << 20);
    err_clear(&err);
}

static void teardown(void)
{
    buf_deinit(&out);
}

static int print(const char *what, const char *form)
{
    buf_clear(&out);
    err_clear(&err);
    return manual_print(what, form, "/nowhere", &out, &err);
}

static void begins(const char *with)
{
    ck_assert_msg(strncmp(out.p, with, strlen(with)) == 0, "%.80s", out.p);
}

static struct jval *parsed(void)
{
    struct jval *v = jval_parse(buf_view(&out), JSON_SIZE_MAX, JSON_DEPTH_MAX, &err);
    ck_assert_ptr_nonnull(v);
    return v;
}

START_TEST(usher_conf_has_every_form)
{
    static const char *const sections[] = {"server",    "login", "session", "store",
                                           "providers", "log",   "metrics"};
    ck_assert_int_eq(print(NULL, NULL), 0);
    begins("# usher.conf: ");
    ck_assert_ptr_nonnull(strstr(out.p, "\n\n[server]\n\n# Address to listen on. "));
    ck_assert_int_eq(print("usher.conf", "markdown"), 0);
    begins("## [server]\n\n| setting | default | |\n");
    ck_assert_int_eq(print("usher.conf", "man"), 0);
    begins(".SS [server]\n.TP\n\\fBlisten\\fR = 127.0.0.1:8080\n");
    ck_assert_int_eq(print("usher.conf", "json"), 0);
    struct jval *v = parsed();
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const struct jval *list = jval_get(v, "sections");
        bool found = false;
        for (size_t k = 0; k < jval_count(list); k++)
            found |= strcmp(jval_text(jval_get(jval_item(list, k), "name")), sections[i]) == 0;
        ck_assert_msg(found, "no section %s", sections[i]);
    }
    ck_assert_str_eq(jval_text(jval_at(v, "/sections/0/settings/0/environment")),
                     "USHER_SERVER_LISTEN");
    jval_free(&v);
}
END_TEST

START_TEST(what_every_provider_has)
{
    ck_assert_int_eq(print("provider", "markdown"), 0);
    ck_assert_ptr_nonnull(strstr(out.p, "| `client_id`<br>`USHER_PROVIDER_{ID}_CLIENT_ID` |"));
    ck_assert_int_eq(print("provider", "json"), 0);
    struct jval *v = parsed();
    ck_assert_uint_eq(jval_count(v), provider_common_n);
    jval_free(&v);
}
END_TEST

START_TEST(upstreams_need_no_plugin_but_for_their_page)
{
    ck_assert_int_eq(print("upstreams", "markdown"), 0);
    ck_assert_ptr_nonnull(strstr(out.p, "\n| [GitHub](github.md) | [oauth2](oauth2.md) | "
                                        "`providers.d/github.conf.sample` |\n"));
    ck_assert_int_eq(print("github", "sample"), 0);
    ck_assert_ptr_nonnull(strstr(out.p, "\nplugin = oauth2\n"));
    ck_assert_int_eq(print("github", "json"), 0);
    struct jval *v = parsed();
    ck_assert_str_eq(jval_text(jval_get(v, "plugin")), "oauth2");
    jval_free(&v);
    ck_assert_int_eq(print("github", "markdown"), -1);
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
}
END_TEST

START_TEST(what_there_is_not_is_refused)
{
    static const struct {
        const char *what, *form, *text;
    } cases[] = {
        {"usher.conf", "html", "\"html\" is no form: sample, markdown, man or json"},
        {"usherd", NULL, "there is no form sample of usherd"},
        {"upstreams", "man", "there is no form man of upstreams"},
        {"provider", "sample", "there is no form sample of provider"},
        {"github", "man", "there is no form man of github"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(print(cases[i].what, cases[i].form), -1);
        ck_assert_int_eq(err.kind, ERR_INVALID);
        ck_assert_str_eq(err.text, cases[i].text);
    }
    ck_assert_int_eq(print("../x", "json"), -1);
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
    ck_assert(manual_needs_plugin("discord") && manual_needs_plugin("github"));
    ck_assert(!manual_needs_plugin(NULL) && !manual_needs_plugin("usher.conf"));
}
END_TEST

Suite *suite_manual(void);
Suite *suite_manual(void)
{
    Suite *s = suite_create("manual");
    TCase *t = tcase_create("manual");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, usher_conf_has_every_form);
    tcase_add_test(t, what_every_provider_has);
    tcase_add_test(t, upstreams_need_no_plugin_but_for_their_page);
    tcase_add_test(t, what_there_is_not_is_refused);
    suite_add_tcase(s, t);
    return s;
}
