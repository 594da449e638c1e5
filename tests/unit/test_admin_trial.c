/* SPDX-License-Identifier: Apache-2.0 */
/* Tests and rehearsals, asked for by an admin; what they find: test_probe.c, test_rehearsal.c. */
#include <stdio.h>
#include <stdlib.h>

#include "admin_fixture.h"
#include "login_fixture.h"

Suite *suite_admin_trial(void);

#define DRAFT(secret)                                                                              \
    "{\"id\":\"toy\",\"settings\":{\"issuer\":\"https://toy.example\",\"client_id\":\"app\","      \
    "\"client_secret\":" secret "}}"

static struct admin_fixture f;

static void bend(const char *url, struct fetch_result *r)
{
    if (!strstr(url, "/token"))
        return;
    r->status = 400; /* what a good upstream says to a made-up code */
    r->body = STR("{\"error\":\"invalid_grant\"}");
}

static void setup(void)
{
    struct err err = ERR_INIT;
    char plugins[400];
    const char *build = getenv("top_builddir");
    login_fixture_open();
    lfx.bend = bend;
    snprintf(plugins, sizeof plugins, "%s/tests/plugins/.libs", build ? build : ".");
    f = (struct admin_fixture){.loop = lfx.loop, .idle = login_fixture_answer_upstream};
    f.actor = (struct admin_actor){
        .kind = "account", .id = "ada", .request_id = "r", .scopes = ADMIN_ALL_SCOPES};
    f.live = admin_live(&(struct admin_live_args){.loop = lfx.loop,
                                                  .store = lfx.store,
                                                  .keys = lfx.keys,
                                                  .public_url = "https://usher.test",
                                                  .dir = lfx.folder,
                                                  .plugin_dir = plugins});
    const struct admin_options o = {
        .loop = lfx.loop, .store = lfx.store, .keys = lfx.keys, .live = f.live, .login = lfx.login};
    f.admin = admin_new(&o, &err);
    ck_assert_msg(f.admin != NULL, "%s", err.text);
}

static void teardown(void)
{
    admin_set_login(f.admin, NULL);
    admin_free(&f.admin);
    live_free(&f.live);
    jval_free(&f.body);
    login_fixture_close();
}

START_TEST(a_draft_is_tested_and_not_kept)
{
    admin_do(&f, admin_provider_test_draft, NULL, DRAFT("\"s3cret\""));
    ck_assert_ptr_nonnull(strstr(f.text, "\"ok\":true"));
    ck_assert_uint_gt(jval_count(jval_at(f.body, "/findings")), 3);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM provider"), 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM audit"), 0);
    ck_assert_int_eq(admin_call(&f, admin_provider_test_draft, NULL, DRAFT("7.5")), ERR_INVALID);
    ck_assert_int_eq(
        admin_call(&f, admin_provider_test_draft, NULL, "{\"id\":\"toy\",\"settings\":{}}"),
        ERR_MISCONFIGURED);
    ck_assert_ptr_nonnull(strstr(f.fields, "client_secret"));
    f.actor.scopes = ADMIN_READ;
    ck_assert_int_eq(admin_call(&f, admin_provider_test_draft, NULL, DRAFT("\"s\"")),
                     ERR_NOT_ALLOWED);
}
END_TEST

START_TEST(a_provider_is_tested_by_slot)
{
    ck_assert_int_eq(admin_call(&f, admin_provider_test, "toy", NULL), ERR_NOT_FOUND);
    admin_do(&f, admin_provider_add, NULL, DRAFT("\"s3cret\""));
    admin_do(&f, admin_provider_test, "toy", NULL);
    ck_assert_ptr_nonnull(strstr(f.text, "\"ok\":true"));
    admin_do(&f, admin_provider_test, "toy", "{\"slot\":\"active\"}");
    ck_assert_int_eq(admin_call(&f, admin_provider_test, "toy", "{\"slot\":\"next\"}"),
                     ERR_INVALID);
    ck_assert_int_eq(admin_call(&f, admin_provider_test, "toy", "{\"slot\":\"best\"}"),
                     ERR_INVALID);
}
END_TEST

/* Of a provider that is there, stored secrets count; but who may not see to secrets cannot have
 * them sent elsewhere. */
START_TEST(a_stored_secret_stays_with_its_upstream)
{
    static const char other[] = "{\"id\":\"toy\",\"settings\":{\"issuer\":\"https://evil.example\","
                                "\"client_id\":\"app\"}}";
    static const char same[] = "{\"id\":\"toy\",\"settings\":{\"issuer\":\"https://toy.example\","
                               "\"client_id\":\"app2\"}}";
    admin_do(&f, admin_provider_add, NULL, DRAFT("\"s3cret\""));
    admin_do(&f, admin_provider_test_draft, NULL, same);
    f.actor.scopes = ADMIN_READ | ADMIN_WRITE;
    admin_do(&f, admin_provider_test_draft, NULL, same);
    ck_assert_int_eq(admin_call(&f, admin_provider_test_draft, NULL, other), ERR_NOT_ALLOWED);
    f.if_match = "\"1\"";
    ck_assert_int_eq(
        admin_call(&f, admin_provider_edit, "toy",
                   "{\"settings\":{\"issuer\":\"https://evil.example\"},\"adopt\":true}"),
        ERR_NOT_ALLOWED);
    /* Nor to somebody who is taken for it. */
    static const char *const ways[] = {"{\"settings\":{\"ca_file\":\"/tmp/evil.pem\"}}",
                                       "{\"settings\":{\"allow_private\":\"toy.example\"}}"};
    for (size_t i = 0; i < 2; i++) {
        f.if_match = "\"1\"";
        ck_assert_int_eq(admin_call(&f, admin_provider_edit, "toy", ways[i]), ERR_NOT_ALLOWED);
    }
}
END_TEST

START_TEST(a_rehearsal_belongs_to_who_began_it)
{
    char id[64];
    ck_assert_int_eq(admin_call(&f, admin_provider_rehearse_draft, NULL, DRAFT("\"s3cret\"")),
                     ERR_INVALID); /* no browser */
    f.bind = STR(LOGIN_BIND);
    admin_do(&f, admin_provider_rehearse_draft, NULL, DRAFT("\"s3cret\""));
    ck_assert(f.created);
    ck_assert_int_eq(strncmp(admin_said(&f, "/url"), "https://toy.example", 19), 0);
    snprintf(id, sizeof id, "%s", admin_said(&f, "/id"));
    admin_do(&f, admin_rehearsal_show, id, NULL);
    ck_assert_str_eq(admin_said(&f, "/state"), "waiting");
    f.actor.id = "eve";
    ck_assert_int_eq(admin_call(&f, admin_rehearsal_show, id, NULL), ERR_NOT_FOUND);
    f.actor.id = "ada";
    ck_assert_int_eq(admin_call(&f, admin_rehearsal_show, "x", NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(admin_call(&f, admin_rehearsal_show, NULL, NULL), ERR_NOT_FOUND);
    f.bind = STR(LOGIN_BIND);
    ck_assert_int_eq(admin_call(&f, admin_provider_rehearse, "toy", NULL), ERR_NOT_FOUND);
    admin_do(&f, admin_provider_add, NULL, DRAFT("\"s3cret\""));
    f.bind = STR(LOGIN_BIND);
    admin_do(&f, admin_provider_rehearse, "toy", NULL);
}
END_TEST

static void count(void *arg, const struct admin_answer *a)
{
    int *n = arg;
    ck_assert(a->err != NULL && a->err->kind == ERR_LIMITED);
    (*n)++;
}

/* Whoever waits for a test hears of the end, once: what the upstream says later is nobody's. */
START_TEST(tests_end_with_logins)
{
    int n = 0;
    admin_do(&f, admin_provider_add, NULL, DRAFT("\"s3cret\""));
    const struct admin_request rq = {.id = "toy", .actor = &f.actor};
    admin_provider_test(f.admin, &rq, count, &n);
    ck_assert_int_eq(n, 0);
    admin_set_login(f.admin, NULL);
    ck_assert_int_eq(n, 1);
    login_fixture_answer_upstream();
    login_fixture_pump();
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(admin_call(&f, admin_provider_test, "toy", NULL), ERR_LIMITED);
}
END_TEST

/* A draft is made on a thread; logins may end before it is ready. */
START_TEST(a_draft_that_is_ready_too_late)
{
    int n = 0;
    struct err err = ERR_INIT;
    struct jval *body = jval_parse(STR(DRAFT("\"s3cret\"")), JSON_SIZE_MAX, 8, &err);
    const struct admin_request rq = {.body = body, .actor = &f.actor, .bind = STR(LOGIN_BIND)};
    admin_provider_test_draft(f.admin, &rq, count, &n);
    admin_provider_rehearse_draft(f.admin, &rq, count, &n);
    admin_set_login(f.admin, NULL);
    ck_assert_int_eq(n, 0);
    while (n < 2)
        loop_once(f.loop, 10);
    jval_free(&body);
}
END_TEST

Suite *suite_admin_trial(void)
{
    Suite *s = suite_create("admin_trial");
    TCase *tc = tcase_create("trials");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_draft_is_tested_and_not_kept);
    tcase_add_test(tc, a_provider_is_tested_by_slot);
    tcase_add_test(tc, a_stored_secret_stays_with_its_upstream);
    tcase_add_test(tc, a_rehearsal_belongs_to_who_began_it);
    tcase_add_test(tc, tests_end_with_logins);
    tcase_add_test(tc, a_draft_that_is_ready_too_late);
    suite_add_tcase(s, tc);
    return s;
}
