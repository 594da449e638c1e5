/* SPDX-License-Identifier: Apache-2.0 */
#include "live/settle.h"

#include <stdio.h>

#include "conf_fixture.h"

Suite *suite_settle(void);

static struct config *load(const char *text)
{
    cx_write_file("usher.conf", text, strlen(text), 0600);
    struct config *c = config_load(cx.path, true, NULL, &cx.problems);
    cx_expect("");
    return c;
}

struct seen {
    char text[4096];
};

static void note(void *arg, const struct settle_change *c)
{
    struct seen *s = arg;
    const size_t n = strlen(s->text);
    snprintf(s->text + n, sizeof s->text - n, "%s.%s: %s -> %s%s\n", c->section, c->key,
             c->before ? c->before : "none", c->after ? c->after : "none",
             c->at_once ? "" : " (restart)");
}

START_TEST(differences_are_told)
{
    struct seen s = {""};
    struct config *a = load("[server]\nsite_name = A\n[log]\nlevel = info\n");
    struct config *b = load("[server]\nsite_name = B\nlisten = 127.0.0.1:99\n"
                            "trusted_proxies = 10.0.0.0/8 ::1\nidle_timeout = 90s\n"
                            "[login]\nreturn_hosts = a.example\n"
                            "[providers]\nallow_http_loopback = yes\n[log]\nlevel = debug\n");
    settle_compare(a, a, note, &s);
    ck_assert_str_eq(s.text, "");
    settle_compare(a, b, note, &s);
    ck_assert_str_eq(s.text, "server.listen: 127.0.0.1:8080 -> 127.0.0.1:99 (restart)\n"
                             "server.public_url: http://127.0.0.1:8080 -> http://127.0.0.1:99 "
                             "(restart)\n"
                             "server.site_name: A -> B\n"
                             "server.trusted_proxies: 127.0.0.1 ::1 -> 10.0.0.0/8 ::1 (restart)\n"
                             "server.idle_timeout: 75s -> 90s (restart)\n"
                             "login.return_hosts: none -> a.example\n"
                             "providers.allow_http_loopback: no -> true (restart)\n"
                             "log.level: info -> debug\n");
    config_free(&a);
    config_free(&b);
}
END_TEST

/* No value of a secret, nor a database's address, which may hold a password. */
START_TEST(secrets_are_not_told)
{
    struct seen s = {""};
    struct config *a = load("[metrics]\ntoken = first-token-of-some-length\n"
                            "[store]\nurl = postgresql://u:canary-one@db/x\n");
    struct config *b = load("[metrics]\ntoken = other-token-of-some-length\n"
                            "[store]\nurl = postgresql://u:canary-two@db/x\n");
    struct config *c = load("[store]\nurl = postgresql://u:canary-two@db/x\n");
    settle_compare(a, b, note, &s);
    settle_compare(b, c, note, &s);
    settle_compare(c, b, note, &s);
    ck_assert_str_eq(s.text, "store.url: set -> changed (restart)\nmetrics.token: set -> changed\n"
                             "metrics.token: set -> none\nmetrics.token: none -> set\n");
    config_free(&a);
    config_free(&b);
    config_free(&c);
}
END_TEST

/* What takes a restart is as it was, in memory of its own; the rest is new. */
START_TEST(what_takes_a_restart_stays)
{
    struct seen s = {""};
    struct config *a = load("[server]\nlisten = 127.0.0.1:98\nmax_connections = 99\n"
                            "trusted_proxies = 10.0.0.1\n[session]\nidle = 2h\n");
    struct config *b = load("[server]\nlisten = [::1]:97\nsite_name = B\ntrusted_proxies =\n"
                            "[log]\nformat = json\nlevel = warn\n");
    settle_keep(b, a);
    settle_compare(a, b, note, &s);
    ck_assert_str_eq(s.text, "server.site_name: usher -> B\nlog.level: info -> warn\n");
    config_free(&a);
    ck_assert_str_eq(b->server.listen, "127.0.0.1:98");
    ck_assert_str_eq(b->server.trusted_proxies[0], "10.0.0.1");
    ck_assert_ptr_null(b->server.user);
    ck_assert_int_eq(b->server.max_connections, 99);
    ck_assert_int_eq(b->session.idle, 7200);
    ck_assert_str_eq(b->origin, "http://127.0.0.1:98");
    ck_assert_str_eq(b->host, "127.0.0.1:98");
    config_free(&b);
}
END_TEST

Suite *suite_settle(void)
{
    Suite *s = suite_create("settle");
    TCase *tc = tcase_create("settle");
    tcase_add_checked_fixture(tc, cx_setup, cx_teardown);
    tcase_add_test(tc, differences_are_told);
    tcase_add_test(tc, secrets_are_not_told);
    tcase_add_test(tc, what_takes_a_restart_stays);
    suite_add_tcase(s, tc);
    return s;
}
