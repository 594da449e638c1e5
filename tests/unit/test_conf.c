/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_fixture.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- values ---------------------------------------------------------------------------------- */

START_TEST(every_type_is_read)
{
    cx_apply("# a comment\n; another\n\n[server]\nlisten = unix:/run/x\nname=Ä B\n"
             "url = https://login.example/x?y\nworkers = 7\nidle = 10m\nbody = 1m\ncache = off\n"
             "level = warn\nhosts = x.example, y.example z.example\ntoken = s3cr=et\n");
    cx_expect("");
    ck_assert_str_eq(cx.server.listen, "unix:/run/x");
    ck_assert_str_eq(cx.server.name, "\xc3\x84 B");
    ck_assert_str_eq(cx.server.url, "https://login.example/x?y");
    ck_assert_int_eq(cx.server.workers, 7);
    ck_assert_int_eq(cx.server.idle, 600);
    ck_assert_int_eq(cx.server.body, 1 << 20);
    ck_assert(!cx.server.cache);
    ck_assert_int_eq(cx.server.level, 2);
    ck_assert_str_eq(cx.server.hosts[0], "x.example");
    ck_assert_str_eq(cx.server.hosts[1], "y.example");
    ck_assert_str_eq(cx.server.hosts[2], "z.example");
    ck_assert_ptr_null(cx.server.hosts[3]);
    ck_assert(cx.server.token.set);
    ck_assert_str_eq(cx_token(), "s3cr=et");
}
END_TEST

START_TEST(defaults_fill_what_is_not_there)
{
    cx_apply_file(NULL);
    cx_expect("");
    ck_assert_str_eq(cx.server.listen, "127.0.0.1:8080");
    ck_assert_ptr_null(cx.server.name);
    ck_assert_ptr_null(cx.server.url);
    ck_assert_int_eq(cx.server.workers, 2);
    ck_assert_int_eq(cx.server.idle, 75);
    ck_assert_int_eq(cx.server.body, 65536);
    ck_assert(cx.server.cache);
    ck_assert_int_eq(cx.server.level, 1);
    ck_assert_str_eq(cx.server.hosts[1], "b.example");
    ck_assert(!cx.server.token.set);
    ck_assert_ptr_null(conf_secrets_get(cx.secrets, "token"));
}
END_TEST

START_TEST(required_means_given_and_not_empty)
{
    static struct usher_setting required[CX_ROWS];
    memcpy(required, cx_rows, sizeof cx_rows);
    for (size_t i = 0; i < CX_ROWS; i++) {
        required[i].flags |= USHER_REQUIRED;
        required[i].value = NULL;
    }
    const struct conf_table t = {"server", "CT_SERVER", required, CX_ROWS, &cx.server};
    struct conf_file *f = conf_file_text("t.conf",
                                         STR("[server]\nlisten =\nurl=https://a.example\n"
                                             "workers=1\nidle=1\nbody=1\ncache=1\nlevel=info\n"
                                             "hosts =\n"),
                                         false, &cx.problems);
    conf_apply(&(const struct conf_source){.file = f}, &t, 1, cx.arena, cx.secrets, &cx.problems);
    conf_file_free(&f);
    cx_expect(
        "t.conf:2: [server] listen: must not be empty\n"
        "t.conf: [server] name is required: set it there or in the environment as "
        "CT_SERVER_NAME\n"
        "t.conf:9: [server] hosts: must not be empty\n"
        "t.conf: [server] token is required: set it there (or token_file) or in the environment "
        "as CT_SERVER_TOKEN\n");
}
END_TEST

START_TEST(unknown_names_come_with_a_hint) /* CONF-01 */
{
    static const struct conf_table t[] = {{"server", "CT_SERVER", cx_rows, CX_ROWS, &cx.server},
                                          {"session", "CT_SESSION", cx_rows, 0, NULL}};
    struct conf_file *f = conf_file_text("t.conf",
                                         STR("[sever]\nlisten = x\n[server]\nlitsen = x\n"
                                             "token_fil = x\nquux = 1\nname_file = x\n"
                                             "[session]\nworkers = 1\n[quux]\n"),
                                         false, &cx.problems);
    conf_apply(&(const struct conf_source){.file = f}, t, 2, cx.arena, cx.secrets, &cx.problems);
    conf_file_free(&f);
    cx_expect("t.conf:1: [sever] is no section; did you mean \"server\"?\n"
              "t.conf:10: [quux] is no section\n"
              "t.conf:4: [server] litsen: unknown key; did you mean \"listen\"?\n"
              "t.conf:5: [server] token_fil: unknown key; did you mean \"token_file\"?\n"
              "t.conf:6: [server] quux: unknown key\n"
              "t.conf:7: [server] name_file: unknown key\n"
              "t.conf:9: [session] workers: unknown key; it belongs in [server]\n");
}
END_TEST

/* Forms find the field by it. */
START_TEST(problems_name_their_setting)
{
    static const char *const keys[] = {"server.url", "server.workers", "server.token_file",
                                       "server.litsen"};
    cx_apply("[server]\nurl = \"x\"\nworkers = 300x\ntoken_file =\nlitsen = x\n");
    ck_assert_uint_eq(conf_problems_n(&cx.problems), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(conf_problems_at(&cx.problems, i)->key, keys[i]);
    const struct conf_fault *f = conf_problems_at(&cx.problems, 1);
    ck_assert_str_eq(f->file, "t.conf");
    ck_assert_int_eq(f->line, 3);
    ck_assert_str_eq(f->text, "[server] workers: \"300x\" is wrong; a whole number is wanted");
    ck_assert_ptr_null(conf_problems_at(&cx.problems, 4));
}
END_TEST

START_TEST(problems_are_bounded)
{
    for (int i = 0; i < 5000; i++)
        conf_problem_key(&cx.problems, "f", i, "k", "%d", i);
    ck_assert_uint_eq(cx.problems.n, 5000);
    ck_assert_uint_lt(conf_problems_n(&cx.problems), 2000);
    ck_assert_str_eq(conf_problems_at(&cx.problems, 0)->text, "0");
}
END_TEST

START_TEST(problems_cannot_forge_lines)
{
    conf_problem(&cx.problems, "f", 1, "a\nb\x1b[31m%s", "c\r");
    conf_problem(&cx.problems, "f", 0, "d");
    cx_expect("f:1: a\xef\xbf\xbd"
              "b\xef\xbf\xbd[31mc\xef\xbf\xbd\nf: d\n");
}
END_TEST

/* ---- rows ------------------------------------------------------------------------------------ */

static void apply_pairs(const struct conf_pair *pairs, size_t n, const char *secret)
{
    struct conf_table t = {"", "CT_ROW", cx_rows, CX_ROWS, &cx.server};
    struct secret *s = secret ? secret_new(secret, strlen(secret)) : NULL;
    const struct conf_given given = {"token", s};
    struct conf_file *f = conf_file_pairs("provider x", pairs, n, &cx.problems);
    const struct conf_source from = {.file = f, .secrets = &given, .n_secrets = secret ? 1 : 0};
    conf_apply(&from, &t, 1, cx.arena, cx.secrets, &cx.problems);
    conf_file_free(&f);
    secret_free(&s);
}

START_TEST(rows_go_through_the_same_table)
{
    const struct conf_pair good[] = {{"name", "  from a row "}, {"workers", "7"}, {"hosts", "a b"}};
    apply_pairs(good, 3, "given");
    cx_expect("");
    ck_assert_str_eq(cx.server.name, "from a row");
    ck_assert_int_eq(cx.server.workers, 7);
    ck_assert_str_eq(cx.server.hosts[1], "b");
    ck_assert_str_eq(cx.server.listen, "127.0.0.1:8080");
    ck_assert(cx.server.token.set);
    ck_assert_str_eq(cx_token(), "given");
}
END_TEST

START_TEST(wrong_rows_are_told) /* CONF-01 */
{
    const struct conf_pair bad[] = {
        {"workers", "300x"}, {"name", "a\nb"},    {"url", "caf\xe9"},
        {"quux", "1"},       {"Level", "info"},   {"idle", "1"},
        {"idle", "2"},       {"token", "inline"}, {"token_file", "/etc/pass"}};
    apply_pairs(bad, sizeof bad / sizeof *bad, "a\n");
    cx_expect("provider x: name: holds a control byte\n"
              "provider x: url: is not UTF-8\n"
              "provider x: Level: keys are lower-case letters, digits and '_'\n"
              "provider x: idle is there already\n"
              "provider x: workers: is wrong; a whole number is wanted\n"
              "provider x: token_file: token is set too; only one of them may be\n"
              "provider x: token: secrets are not among the settings here; they are set on their "
              "own\n"
              "provider x: token ends in more than one newline\n"
              "provider x: quux: unknown key\n");
    ck_assert_ptr_null(cx_token());
    ck_assert_str_eq(conf_problems_at(&cx.problems, 4)->key, "workers");
    ck_assert_int_eq(conf_problems_at(&cx.problems, 4)->line, 0);
}
END_TEST

/* What a form shows is what is used: a variable neither changes a row nor is it passed over. */
START_TEST(the_environment_has_no_say_in_rows)
{
    const struct conf_pair name = {"name", "row"};
    setenv("CT_ROW_NAME", "env", 1);
    setenv("CT_ROW_TOKEN_FILE", "/nonexistent", 1);
    apply_pairs(&name, 1, NULL);
    ck_assert_str_eq(cx.server.name, "row");
    cx_expect("environment: CT_ROW_NAME: provider x is kept in the database, and variables do not "
              "change it; remove this one\n"
              "environment: CT_ROW_TOKEN_FILE: provider x is kept in the database, and variables "
              "do not change it; remove this one\n");
}
END_TEST

/* ---- the environment ------------------------------------------------------------------------- */

/* A reload finds what the process was started with, though its environment was wiped since. */
START_TEST(a_copy_of_the_environment_stays)
{
    const struct conf_table t = {"server", "CT_SERVER", cx_rows, CX_ROWS, &cx.server};
    setenv("CT_SERVER_NAME", "at start", 1);
    setenv("CT_SERVER_TOKEN_ENV", "CT_ELSEWHERE", 1);
    setenv("CT_ELSEWHERE", "secret", 1);
    setenv("CT_SERVER_LISTN", "slip", 1);
    struct conf_env *env = conf_env_copy();
    unsetenv("CT_SERVER_NAME");
    unsetenv("CT_ELSEWHERE");
    unsetenv("CT_SERVER_LISTN");
    setenv("CT_SERVER_WORKERS", "9", 1);
    const struct conf_source from = {.env = env};
    conf_apply(&from, &t, 1, cx.arena, cx.secrets, &cx.problems);
    cx_expect("environment: CT_SERVER_LISTN: unknown variable; did you mean "
              "\"CT_SERVER_LISTEN\"?\n");
    ck_assert_str_eq(cx.server.name, "at start");
    ck_assert_str_eq(cx_token(), "secret");
    ck_assert_int_eq(cx.server.workers, 2);
    ck_assert_ptr_null(conf_env_get(env, "CT_SERVER_NAM"));
    conf_env_free(&env);
    ck_assert_str_eq(conf_env_get(NULL, "CT_SERVER_WORKERS"), "9");
}
END_TEST

START_TEST(the_environment_wins_over_the_file)
{
    setenv("CT_SERVER_LISTEN", "env:1", 1);
    setenv("CT_SERVER_TOKEN", "from-env", 1);
    setenv("CT_SERVER_HOSTS", "", 1);
    cx_apply("[server]\nlisten = file:1\nname = file\ntoken = from-file\n");
    cx_expect("");
    ck_assert_str_eq(cx.server.listen, "env:1");
    ck_assert_str_eq(cx.server.name, "file");
    ck_assert_str_eq(cx_token(), "from-env");
    ck_assert_ptr_null(cx.server.hosts[0]);
}
END_TEST

START_TEST(wrong_values_in_the_environment_are_told)
{
    setenv("CT_SERVER_WORKERS", "300x", 1);
    setenv("CT_SERVER_TOKEN", "", 1);
    setenv("CT_SERVER_NAME", "a\x07", 1);
    cx_apply_file(NULL);
    cx_expect("environment: CT_SERVER_NAME: holds a control byte\n"
              "environment: CT_SERVER_WORKERS: \"300x\" is wrong; a whole number is wanted\n"
              "environment: CT_SERVER_TOKEN: is empty\n");
}
END_TEST

START_TEST(unknown_variables_are_told_when_they_look_like_a_slip)
{
    setenv("CT_SERVER_LISTN", "x", 1);
    setenv("CT_SERVER_TOKEN_FILES", "x", 1);
    setenv("CT_SERVER_SOMETHING_ELSE", "x", 1);
    setenv("CT_SERVERNAME", "x", 1);
    cx_apply_file(NULL);
    ck_assert_uint_eq(cx.problems.n, 2);
    ck_assert_ptr_nonnull(strstr(cx.problems.text.p,
                                 "environment: CT_SERVER_LISTN: unknown variable; did you mean "
                                 "\"CT_SERVER_LISTEN\"?\n"));
    ck_assert_ptr_nonnull(strstr(cx.problems.text.p,
                                 "environment: CT_SERVER_TOKEN_FILES: unknown variable; did you "
                                 "mean \"CT_SERVER_TOKEN_FILE\"?\n"));
}
END_TEST

START_TEST(a_prefix_does_not_claim_a_longer_one)
{
    const struct conf_source environment = {.file = NULL};
    static struct cx_server a, ab;
    const struct conf_table one = {"", "CT_PROVIDER_A", cx_rows, CX_ROWS, &a},
                            other = {"", "CT_PROVIDER_A_B", cx_rows, CX_ROWS, &ab};
    setenv("CT_PROVIDER_A_B_NAME", "ab", 1);
    setenv("CT_PROVIDER_A_B_LISTEN", "x", 1);
    setenv("CT_PROVIDER_A_NAME", "a", 1);
    conf_apply(&environment, &one, 1, cx.arena, cx.secrets, &cx.problems);
    conf_apply(&environment, &other, 1, cx.arena, cx.secrets, &cx.problems);
    cx_expect("");
    ck_assert_str_eq(a.name, "a");
    ck_assert_str_eq(ab.name, "ab");
    ck_assert_str_eq(a.listen, "127.0.0.1:8080");
    ck_assert_str_eq(ab.listen, "x");
    setenv("CT_PROVIDER_A_B_LISTN", "x", 1);
    conf_apply(&environment, &one, 1, cx.arena, cx.secrets, &cx.problems);
    cx_expect("");
    conf_apply(&environment, &other, 1, cx.arena, cx.secrets, &cx.problems);
    ck_assert_uint_eq(cx.problems.n, 1);
}
END_TEST

START_TEST(tables_may_share_a_section)
{
    struct more {
        const char *extra;
    } more = {0};
    const struct usher_setting more_rows[] = {
        USHER_SET_TEXT(struct more, extra, .value = "e"),
    };
    const struct conf_table t[] = {{"", "CT_X", cx_rows, CX_ROWS, &cx.server},
                                   {"", "CT_X", more_rows, 1, &more}};
    setenv("CT_X_EXTRA", "1", 1);
    setenv("CT_X_EXTRAA", "1", 1);
    struct conf_file *f =
        conf_file_text("x.conf", STR("name = n\nextra = y\nextr = z\n"), CONF_BARE, &cx.problems);
    conf_apply(&(const struct conf_source){.file = f}, t, 2, cx.arena, cx.secrets, &cx.problems);
    conf_file_free(&f);
    cx_expect("x.conf:3: extr: unknown key; did you mean \"extra\"?\n"
              "environment: CT_X_EXTRAA: unknown variable; did you mean \"CT_X_EXTRA\"?\n");
    ck_assert_str_eq(cx.server.name, "n");
    ck_assert_str_eq(more.extra, "1");
}
END_TEST

/* ---- cx.secrets ---------------------------------------------------------------------------------
 */

START_TEST(one_spelling_in_one_place) /* CONF-04 */
{
    cx_write_file("secret", "x", 1, 0600);
    setenv("CT_OTHER", "y", 1);
    cx_apply("[server]\ntoken = a\ntoken_file = b\ntoken_env = CT_OTHER\n");
    setenv("CT_SERVER_TOKEN", "a", 1);
    setenv("CT_SERVER_TOKEN_ENV", "CT_OTHER", 1);
    cx_apply_file(NULL);
    cx_expect("t.conf:3: [server] token_file: [server] token is set too; only one of them may be\n"
              "t.conf:4: [server] token_env: [server] token is set too; only one of them may be\n"
              "environment: CT_SERVER_TOKEN_ENV: CT_SERVER_TOKEN is set too; only one of them may "
              "be\n");
}
END_TEST

START_TEST(a_secret_from_another_variable)
{
    setenv("CT_OTHER", "other", 1);
    cx_apply("[server]\ntoken_env = CT_OTHER\n");
    cx_expect("");
    ck_assert_str_eq(cx_token(), "other");
    unsetenv("CT_OTHER");
    cx_apply("[server]\ntoken_env = CT_OTHER\n");
    cx_expect("t.conf:2: [server] token_env: there is no environment variable of that name\n");
}
END_TEST

START_TEST(secrets_are_kept_by_key)
{
    conf_secrets_set(cx.secrets, "a", secret_new("1", 1));
    conf_secrets_set(cx.secrets, "b", secret_new("2", 1));
    conf_secrets_set(cx.secrets, "a", secret_new("3", 1));
    ck_assert_str_eq(secret_reveal(conf_secrets_get(cx.secrets, "a")).p, "3");
    ck_assert_str_eq(secret_reveal(conf_secrets_get(cx.secrets, "b")).p, "2");
    ck_assert_ptr_null(conf_secrets_get(cx.secrets, "c"));
}
END_TEST

Suite *suite_conf(void);
Suite *suite_conf(void)
{
    Suite *s = suite_create("conf");
    TCase *t = tcase_create("conf");
    tcase_add_checked_fixture(t, cx_setup, cx_teardown);
    tcase_add_test(t, every_type_is_read);
    tcase_add_test(t, defaults_fill_what_is_not_there);
    tcase_add_test(t, required_means_given_and_not_empty);
    tcase_add_test(t, unknown_names_come_with_a_hint);
    tcase_add_test(t, problems_name_their_setting);
    tcase_add_test(t, problems_are_bounded);
    tcase_add_test(t, problems_cannot_forge_lines);
    tcase_add_test(t, rows_go_through_the_same_table);
    tcase_add_test(t, wrong_rows_are_told);
    tcase_add_test(t, the_environment_has_no_say_in_rows);
    tcase_add_test(t, a_copy_of_the_environment_stays);
    tcase_add_test(t, the_environment_wins_over_the_file);
    tcase_add_test(t, wrong_values_in_the_environment_are_told);
    tcase_add_test(t, unknown_variables_are_told_when_they_look_like_a_slip);
    tcase_add_test(t, a_prefix_does_not_claim_a_longer_one);
    tcase_add_test(t, tables_may_share_a_section);
    tcase_add_test(t, one_spelling_in_one_place);
    tcase_add_test(t, a_secret_from_another_variable);
    tcase_add_test(t, secrets_are_kept_by_key);
    suite_add_tcase(s, t);
    return s;
}
