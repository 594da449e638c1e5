/* SPDX-License-Identifier: Apache-2.0 */
#include "main/options.h"

#include <check.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct options o;

/* The words of a command line behind "usherd"; what options_read says. */
static int read_words(const char *const *words)
{
    char *argv[8] = {(char[]){"usherd"}};
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    argv[argc] = NULL;
    o = (struct options){.config = "default"};
    optind = 0; /* glibc: begin anew */
    return options_read(argc, argv, &o);
}
#define READ(...) read_words((const char *const[]){__VA_ARGS__, NULL})

START_TEST(options_are_read)
{
    ck_assert_int_eq(READ("-c", "x.conf", "--check"), -1);
    ck_assert_str_eq(o.config, "x.conf");
    ck_assert(o.config_given && o.check && !o.describe);
    ck_assert_int_eq(READ("--config=y.conf", "--ready-file", "r"), -1);
    ck_assert_str_eq(o.config, "y.conf");
    ck_assert_str_eq(o.ready_file, "r");
    ck_assert(!o.check);
}
END_TEST

START_TEST(describe_takes_up_to_two_words)
{
    ck_assert_int_eq(READ("--describe"), -1);
    ck_assert(o.describe && !o.what && !o.form);
    ck_assert_int_eq(READ("--describe", "oidc", "markdown"), -1);
    ck_assert_str_eq(o.what, "oidc");
    ck_assert_str_eq(o.form, "markdown");
    ck_assert_int_eq(READ("--describe", "-c", "x", "oidc"), -1);
    ck_assert_str_eq(o.config, "x");
    ck_assert_str_eq(o.what, "oidc");
    ck_assert_int_eq(READ("--sample"), -1);
    ck_assert(o.describe);
    ck_assert_str_eq(o.what, "usher.conf");
}
END_TEST

START_TEST(what_is_not_expected_is_refused)
{
    ck_assert_int_eq(READ("--describe", "oidc", "markdown", "more"), EXIT_WRONG);
    ck_assert_int_eq(READ("more"), EXIT_WRONG);
    ck_assert_int_eq(READ("--nothing"), EXIT_WRONG);
    ck_assert_int_eq(READ("--config"), EXIT_WRONG);
    ck_assert_int_eq(READ("--help"), 0);
    ck_assert_int_eq(READ("-V"), 0);
}
END_TEST

/* Every option of --help is in the manual. */
START_TEST(the_manual_has_every_option)
{
    static const char *const names[] = {"config",       "check",   "describe", "sample",
                                        "ready\\-file", "version", "help"};
    struct buf b;
    buf_init(&b, 1 << 14);
    options_man(&b);
    ck_assert_ptr_eq(strstr(b.p, ".TP\n\\fB\\-c\\fR, \\fB\\-\\-config\\fR \\fIFILE\\fR\n"), b.p);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char want[64];
        snprintf(want, sizeof want, "\\fB\\-\\-%s\\fR", names[i]);
        ck_assert_msg(strstr(b.p, want) != NULL, "%s is not in %s", want, b.p);
    }
    buf_deinit(&b);
}
END_TEST

Suite *suite_options(void);
Suite *suite_options(void)
{
    Suite *s = suite_create("options");
    TCase *t = tcase_create("options");
    tcase_add_test(t, options_are_read);
    tcase_add_test(t, describe_takes_up_to_two_words);
    tcase_add_test(t, what_is_not_expected_is_refused);
    tcase_add_test(t, the_manual_has_every_option);
    suite_add_tcase(s, t);
    return s;
}
