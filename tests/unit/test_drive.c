/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "drive_fixture.h"

Suite *suite_drive(void);

#define JSON "application/json"
#define GOOD "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\"}"

static uint32_t fail_kind;
static const char *fail_hint;
static uint32_t odd_kind; /* an action no plugin may answer with */
static unsigned steps;
static char seen_carry[32], seen_fields[200];

static void step(struct usher_call *c, const struct usher_event *ev, struct usher_action *act)
{
    (void)c;
    steps++;
    if (odd_kind) {
        act->kind = odd_kind;
    } else if (fail_kind) {
        act->kind = USHER_FAIL;
        act->fail = fail_kind;
        act->fail_text = "because";
        act->fail_hint = fail_hint;
    } else if (ev->kind == USHER_START) {
        drive_fixture_redirect(act);
        act->carry = "carried";
    } else if (ev->kind == USHER_CALLBACK) {
        strcpy(seen_carry, ev->callback->carry);
        seen_fields[0] = '\0';
        for (size_t i = 0; i < ev->callback->n_fields; i++) {
            strcat(seen_fields, ev->callback->fields[i].name);
            strcat(seen_fields, "=");
            strcat(seen_fields, ev->callback->fields[i].value);
            strcat(seen_fields, ";");
        }
        drive_fixture_exchange(act);
    } else {
        drive_fixture_done(act);
    }
}

static void setup(void)
{
    drive_fixture_open(step);
    fail_kind = odd_kind = 0;
    fail_hint = NULL;
    steps = 0;
}

START_TEST(both_legs)
{
    drive_fixture_begin();
    ck_assert_uint_eq(dfx.ends, 1);
    drive_fixture_finish("code=c0de&user=%7B%7D&scope=x&iss=https://whoever.example");
    ck_assert_str_eq(seen_carry, "carried");
    ck_assert_str_eq(seen_fields, "user={};scope=x;");
    drive_fixture_answer(0, 200, JSON, GOOD);
    ck_assert_uint_eq(dfx.ends, 1);
    ck_assert_str_eq(dfx.subject, "42");
    ck_assert(!dfx.claims);
}
END_TEST

START_TEST(failures_keep_their_kind)
{
    for (uint32_t k = USHER_DENIED; k <= USHER_INTERNAL; k++) {
        fail_kind = k;
        drive_fixture_begin();
        ck_assert_int_eq(dfx.err.kind, (enum err_kind)k);
        ck_assert_ptr_nonnull(strstr(dfx.err.text, "because"));
        drive_free(&dfx.drive);
        dfx.err = (struct err)ERR_INIT;
    }
    fail_kind = USHER_MISCONFIGURED;
    fail_hint = "do this";
    drive_fixture_begin();
    ck_assert_ptr_nonnull(strstr(dfx.err.text, "do this"));
}
END_TEST

START_TEST(odd_actions_are_our_fault_or_the_plugins)
{
    static const uint32_t odd[] = {77, USHER_DONE, USHER_VERIFY, USHER_EXCHANGE};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        odd_kind = odd[i];
        drive_fixture_begin();
        ck_assert_uint_eq(dfx.ends, 1);
        ck_assert_int_ne(dfx.err.kind, ERR_NONE);
        ck_assert_uint_eq(dfx.n_asked, 0);
        drive_free(&dfx.drive);
        dfx.err = (struct err)ERR_INIT;
    }
}
END_TEST

/* CB-05, CB-07: what makes no sense, or is a refusal, never reaches the plugin. */
START_TEST(cb_05_refusals_do_not_reach_the_plugin)
{
    drive_fixture_finish("error=access_denied&error_description=no");
    ck_assert_int_eq(dfx.err.kind, ERR_DENIED);
    drive_fixture_finish("code=a&error=access_denied");
    ck_assert_int_eq(dfx.err.kind, ERR_INVALID);
    drive_fixture_finish("user=x");
    ck_assert_int_eq(dfx.err.kind, ERR_INVALID);
    ck_assert_uint_eq(steps, 0);
    ck_assert_uint_eq(dfx.n_asked, 0);
}
END_TEST

START_TEST(freeing_cancels)
{
    drive_fixture_finish("code=c0de");
    ck_assert_uint_eq(dfx.n_asked, 1);
    drive_free(&dfx.drive);
    ck_assert_ptr_null(dfx.drive);
    ck_assert_uint_eq(dfx.n_cancelled, 1);
    ck_assert_uint_eq(dfx.ends, 0);
    drive_free(&dfx.drive);
}
END_TEST

/* CB-19: the whole leg has a deadline, whatever single requests do. */
START_TEST(cb_19_deadline)
{
    struct err err = ERR_INIT;
    struct loop *loop = loop_new(&err);
    ck_assert_ptr_nonnull(loop);
    clock_set_fake(NULL);
    dfx.args.loop = loop;
    dfx.args.deadline_ms = 20;
    drive_fixture_finish("code=c0de");
    ck_assert_uint_eq(dfx.ends, 0);
    for (int i = 0; i < 100 && dfx.ends == 0; i++)
        loop_once(loop, 20);
    ck_assert_uint_eq(dfx.ends, 1);
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_DOWN);
    ck_assert_uint_eq(dfx.n_cancelled, 1);
    drive_free(&dfx.drive);
    loop_free(&loop);
}
END_TEST

Suite *suite_drive(void)
{
    Suite *s = suite_create("drive");
    TCase *tc = tcase_create("drive");
    tcase_add_checked_fixture(tc, setup, drive_fixture_close);
    tcase_add_test(tc, both_legs);
    tcase_add_test(tc, failures_keep_their_kind);
    tcase_add_test(tc, odd_actions_are_our_fault_or_the_plugins);
    tcase_add_test(tc, cb_05_refusals_do_not_reach_the_plugin);
    tcase_add_test(tc, freeing_cancels);
    tcase_add_test(tc, cb_19_deadline);
    suite_add_tcase(s, tc);
    return s;
}
