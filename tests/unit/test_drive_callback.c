/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "login/drive.h"

Suite *suite_drive_callback(void);

static const struct flow plain = {.provider = "test", .carry = "", .max_age = -1};
static const struct flow known = {
    .provider = "test", .carry = "", .max_age = -1, .issuer = "https://op.example"};
static const struct flow announced = {.provider = "test",
                                      .carry = "",
                                      .max_age = -1,
                                      .issuer = "https://op.example",
                                      .iss_required = true};

/* ERR_NONE: there is a code to exchange. */
static enum err_kind judge(const struct flow *f, const char *query)
{
    struct arena *a = arena_new();
    struct fields fields;
    struct err err = ERR_INIT, parse = ERR_INIT;
    ck_assert_int_eq(form_parse(a, str_of(query), 64, &fields, &parse), 0);
    int rc = drive_callback_judge(f, &fields, "https://usher.test/callback/test", &err);
    ck_assert_int_eq(rc, err.kind == ERR_NONE ? 0 : -1);
    /* Nothing of the browser's text gets into the log. */
    ck_assert_ptr_null(strstr(err.text, "evil"));
    arena_free(&a);
    return err.kind;
}

/* CB-01, CB-03: the issuer, exactly, once. */
START_TEST(cb_01_issuer)
{
    ck_assert_int_eq(judge(&known, "code=c&state=s&iss=https://op.example"), ERR_NONE);
    ck_assert_int_eq(judge(&known, "code=c&state=s"), ERR_NONE);
    ck_assert_int_eq(judge(&announced, "code=c&state=s"), ERR_INVALID);
    ck_assert_int_eq(judge(&announced, "code=c&state=s&iss=https://op.example"), ERR_NONE);
    static const char *const wrong[] = {"",
                                        "https://evil.example",
                                        "https://op.example/",
                                        "https://OP.example",
                                        "http://op.example",
                                        "https://op.exampl",
                                        "https://op.example%20"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char query[200];
        snprintf(query, sizeof query, "code=c&state=s&iss=%s", wrong[i]);
        ck_assert_int_eq(judge(&known, query), ERR_INVALID);
        ck_assert_int_eq(judge(&announced, query), ERR_INVALID);
        snprintf(query, sizeof query, "error=access_denied&state=s&iss=%s", wrong[i]);
        ck_assert_int_eq(judge(&announced, query), ERR_INVALID);
    }
    ck_assert_int_eq(judge(&announced, "error=access_denied&state=s"), ERR_INVALID);
    ck_assert_int_eq(judge(&plain, "code=c&state=s&iss=https://whoever.example"), ERR_NONE);

    static char query[11000];
    strcpy(query, "code=c&state=s&iss=");
    memset(query + strlen(query), 'a', 10240);
    ck_assert_int_eq(judge(&known, query), ERR_INVALID);
}
END_TEST

/* CB-05, CB-10: what the upstream says instead of a code. */
START_TEST(cb_05_errors)
{
    ck_assert_int_eq(judge(&plain, "error=access_denied&state=s"), ERR_DENIED);
    ck_assert_int_eq(judge(&plain, "error=consent_required&state=s"), ERR_DENIED);
    ck_assert_int_eq(judge(&plain, "error=user_cancelled_login&state=s"), ERR_DENIED);
    ck_assert_int_eq(judge(&plain, "error=invalid_scope&state=s"), ERR_MISCONFIGURED);
    ck_assert_int_eq(judge(&plain, "error=unauthorized_client&state=s"), ERR_MISCONFIGURED);
    ck_assert_int_eq(judge(&plain, "error=server_error&state=s"), ERR_UPSTREAM_DOWN);
    ck_assert_int_eq(judge(&plain, "error=temporarily_unavailable&state=s"), ERR_UPSTREAM_DOWN);
    ck_assert_int_eq(judge(&plain, "error=&state=s"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(judge(&plain, "error=evil_words&state=s"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(judge(&plain, "error=%C3%A9vil&state=s"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(judge(&plain, "error=ACCESS_DENIED&state=s"), ERR_UPSTREAM_BAD);
}
END_TEST

/* The words of a mismatch, whoever says them; the exact URL is in the log, nothing of theirs. */
START_TEST(a_callback_url_nobody_registered)
{
    ck_assert_int_eq(judge(&plain, "error=redirect_uri_mismatch&state=s"), ERR_MISCONFIGURED);
    ck_assert_int_eq(judge(&plain, "error=redirect_uri_mismatch&state=s&error_description=evil"),
                     ERR_MISCONFIGURED);
    struct fields fields;
    struct err err = ERR_INIT;
    struct arena *a = arena_new();
    ck_assert_int_eq(form_parse(a,
                                STR("error=invalid_request&state=s&error_description="
                                    "The%20Redirect%20URI%20is%20evil"),
                                64, &fields, &err),
                     0);
    ck_assert_int_eq(drive_callback_judge(&plain, &fields, "https://usher.test/callback/x", &err),
                     -1);
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
    ck_assert_ptr_nonnull(strstr(err.text, "register exactly https://usher.test/callback/x there"));
    ck_assert_ptr_null(strstr(err.text, "evil"));
    arena_free(&a);
}
END_TEST

/* CB-09: descriptions are ignored, however evil. */
START_TEST(cb_09_descriptions)
{
    ck_assert_int_eq(judge(&plain, "error=access_denied&state=s&error_description=%3Cscript%3Eevil"
                                   "&error_uri=javascript:evil"),
                     ERR_DENIED);
}
END_TEST

/* CB-07, CB-08 */
START_TEST(cb_07_code_or_error)
{
    ck_assert_int_eq(judge(&plain, "code=c&error=access_denied&state=s"), ERR_INVALID);
    ck_assert_int_eq(judge(&plain, "state=s"), ERR_INVALID);
    ck_assert_int_eq(judge(&plain, "code=&state=s"), ERR_INVALID);
    ck_assert_int_eq(judge(&plain, ""), ERR_INVALID);
}
END_TEST

/* CB-11: each parameter once, known or not. */
START_TEST(cb_11_duplicates)
{
    ck_assert_int_eq(judge(&plain, "code=c&code=c&state=s"), ERR_INVALID);
    ck_assert_int_eq(judge(&plain, "code=c&state=s&state=s"), ERR_INVALID);
    ck_assert_int_eq(judge(&known, "code=c&state=s&iss=https://op.example&iss=https://op.example"),
                     ERR_INVALID);
    ck_assert_int_eq(judge(&plain, "error=access_denied&error=x&state=s"), ERR_INVALID);
    ck_assert_int_eq(judge(&plain, "code=c&state=s&x=1&x=2"), ERR_INVALID);
}
END_TEST

/* CB-12: bytes and length of a code. */
START_TEST(cb_12_codes)
{
    static char query[17000];
    ck_assert_int_eq(judge(&plain, "code=a%26b%3Dc%25%2F.~-_&state=s"), ERR_NONE);
    ck_assert_int_eq(judge(&plain, "code=a%0d%0ab&state=s"), ERR_INVALID);
    ck_assert_int_eq(judge(&plain, "code=a%20b&state=s"), ERR_INVALID);
    ck_assert_int_eq(judge(&plain, "code=%C3%A9&state=s"), ERR_INVALID);
    strcpy(query, "state=s&code=");
    memset(query + strlen(query), 'a', 4096);
    ck_assert_int_eq(judge(&plain, query), ERR_NONE);
    strcat(query, "a");
    ck_assert_int_eq(judge(&plain, query), ERR_INVALID);
    memset(query + strlen("state=s&code="), 'a', 16384);
    ck_assert_int_eq(judge(&plain, query), ERR_INVALID);
}
END_TEST

Suite *suite_drive_callback(void)
{
    Suite *s = suite_create("drive_callback");
    TCase *tc = tcase_create("drive_callback");
    tcase_add_test(tc, cb_01_issuer);
    tcase_add_test(tc, cb_05_errors);
    tcase_add_test(tc, cb_09_descriptions);
    tcase_add_test(tc, a_callback_url_nobody_registered);
    tcase_add_test(tc, cb_07_code_or_error);
    tcase_add_test(tc, cb_11_duplicates);
    tcase_add_test(tc, cb_12_codes);
    suite_add_tcase(s, tc);
    return s;
}
