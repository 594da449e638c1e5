/* SPDX-License-Identifier: Apache-2.0 */
#include "login/probe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "login_fixture.h"

Suite *suite_probe(void);

#define UPSTREAM_SAYS "c4nary-of-the-upstream"

static unsigned times;
static enum err_kind kind;
static struct jval *report;
static char text[16384];

/* What the network does to one address: every row of the big table below is one of these. */
static struct {
    const char *where; /* part of the URL */
    uint32_t transport;
    int status; /* 0: as it would be */
    const char *body, *type;
    const char *date;
} bent;

static void bend(const char *url, struct fetch_result *r)
{
    static struct field date = {.name = "date"};
    if (strstr(url, "/token") && !(bent.where && strstr(url, bent.where))) {
        r->status = 400; /* what a good upstream says to a made-up code */
        r->body = STR("{\"error\":\"invalid_grant\",\"error_description\":\"" UPSTREAM_SAYS "\"}");
    }
    if (!bent.where || !strstr(url, bent.where))
        return;
    r->transport = bent.transport;
    if (bent.transport)
        err_set(&r->err, ERR_UPSTREAM_DOWN, "a word of ours about it");
    if (bent.status)
        r->status = bent.status;
    if (bent.body)
        r->body = str_of(bent.body);
    if (bent.type)
        r->content_type = bent.type;
    if (bent.date) {
        date.value = bent.date;
        r->headers = &date;
        r->n_headers = 1;
    }
}

static void setup(void)
{
    login_fixture_open();
    lfx.bend = bend;
    times = 0;
    report = NULL;
    memset(&bent, 0, sizeof bent);
}

static void teardown(void)
{
    jval_free(&report);
    login_fixture_close();
}

static void on_done(void *arg, const struct jval *r, const struct err *err)
{
    struct buf b;
    ck_assert_ptr_eq(arg, &times);
    ck_assert_int_eq(!r, err != NULL);
    times++;
    kind = err ? err->kind : ERR_NONE;
    jval_free(&report);
    report = r ? jval_ref((struct jval *)(uintptr_t)r) : NULL;
    buf_init(&b, sizeof text - 1);
    jval_render(report, &b);
    strcpy(text, b.p);
    buf_deinit(&b);
}

static void run(struct registry *r, int slot)
{
    times = 0;
    probe_start(lfx.login, r, "toy", slot, on_done, &times);
    login_fixture_pump();
    ck_assert_uint_eq(times, 1);
    ck_assert_ptr_null(strstr(text, UPSTREAM_SAYS));
    ck_assert_ptr_null(strstr(text, "s3cret"));
}

static const char *member(const char *check, const char *name)
{
    const struct jval *list = jval_get(report, "findings");
    for (size_t i = 0; i < jval_count(list); i++)
        if (strcmp(jval_text(jval_get(jval_item(list, i), "check")), check) == 0)
            return jval_text(jval_get(jval_item(list, i), name));
    ck_abort_msg("no finding about %s", check);
    return NULL;
}

static bool passed(void)
{
    bool ok = false;
    ck_assert(jval_bool(jval_get(report, "ok"), &ok));
    return ok;
}

START_TEST(good_settings)
{
    bent.where = "openid-configuration";
    bent.date = "Fri, 15 Jan 2027 08:00:02 GMT";
    run(lfx.registry, PROBE_ANY_SLOT);
    ck_assert_msg(passed(), "%s", text);
    static const char *const checks[] = {"settings", "discovery", "keys", "token", "clock"};
    ck_assert_uint_eq(jval_count(jval_get(report, "findings")), 6);
    for (size_t i = 0; i < 5; i++)
        ck_assert_msg(strcmp(member(checks[i], "result"), "ok") == 0, "%s", text);
    ck_assert_str_eq(member("callback_url", "result"), "skipped");
    ck_assert_ptr_nonnull(
        strstr(member("callback_url", "text"), "https://usher.test/callback/toy"));
    /* Nothing is left: no row, no login counted, no flow used up. */
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM account"), 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM spent"), 0);
    ck_assert_int_eq(login_fixture_outcomes("done") + login_fixture_outcomes("expired"), 0);
    ck_assert_uint_eq(login_in_flight(lfx.login), 0);
}
END_TEST

struct expected {
    const char *where;
    uint32_t transport;
    int status;
    const char *body, *type, *date;
    const char *check, *result, *words;
};

static const struct expected failures[] = {
    {"configuration", USHER_TRANSPORT_UNREACHABLE, 0, NULL, NULL, NULL, "discovery", "fail",
     "a word of ours about it"},
    {"configuration", USHER_TRANSPORT_REFUSED, 0, NULL, NULL, NULL, "discovery", "fail",
     "does not talk to that address"},
    {"configuration", 0, 404, "{}", NULL, NULL, "discovery", "fail", "There is no metadata"},
    {"configuration", 0, 503, "{}", NULL, NULL, "discovery", "fail", "out of order or overloaded"},
    {"configuration", 0, 0, "<h1>" UPSTREAM_SAYS, "text/html", NULL, "discovery", "fail",
     "perhaps a page"},
    {"configuration", 0, 0, "{\"issuer\":\"https://" UPSTREAM_SAYS "\"}", NULL, NULL, "discovery",
     "fail", "of another issuer"},
    {"configuration", 0, 0, "{\"issuer\":\"https://toy.example\",\"token_endpoint\":\"http://x\"}",
     NULL, NULL, "discovery", "fail", "lacks an address"},
    {"/keys", USHER_TRANSPORT_TIMEOUT, 0, NULL, NULL, NULL, "keys", "fail", "key set could not be"},
    {"/keys", 0, 404, "{}", NULL, NULL, "keys", "fail", "There is no key set"},
    {"/keys", 0, 0, "<h1>" UPSTREAM_SAYS, NULL, NULL, "keys", "fail", "There is no key set"},
    {"/keys", 0, 0, "{\"keys\":[]}", NULL, NULL, "keys", "fail", "no key that usher accepts"},
    {"/token", USHER_TRANSPORT_TIMEOUT, 0, NULL, NULL, NULL, "token", "fail", "could not be asked"},
    {"/token", USHER_TRANSPORT_LIMITED, 0, NULL, NULL, NULL, "token", "fail", "fewer requests"},
    {"/token", 0, 401, "{\"error\":\"invalid_client\"}", NULL, NULL, "token", "fail",
     "does not accept client_id with this client secret"},
    {"/token", 0, 200, "{\"error\":\"incorrect_client_credentials\"}", NULL, NULL, "token", "fail",
     "does not accept client_id"},
    {"/token", 0, 401, UPSTREAM_SAYS, "text/html", NULL, "token", "fail",
     "does not accept client_id"},
    {"/token", 0, 400, "{\"error\":\"unauthorized_client\"}", NULL, NULL, "token", "fail",
     "does not allow this application"},
    {"/token", 0, 400, "{\"error\":\"redirect_uri_mismatch\"}", NULL, NULL, "token", "fail",
     "does not know usher's callback URL"},
    {"/token", 0, 200, "<h1>" UPSTREAM_SAYS, "text/html", NULL, "token", "fail", "is no JSON"},
    {"/token", 0, 500, "{}", NULL, NULL, "token", "fail", "out of order"},
    {"/token", 0, 429, "{}", NULL, NULL, "token", "fail", "overloaded"},
    {"/token", 0, 400, "{\"error\":\"" UPSTREAM_SAYS "\"}", NULL, NULL, "token", "warn",
     "not in the usual words"},
    {"/token", 0, 200, "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\"}", NULL, NULL, "token",
     "fail", "took a made-up code"},
    {"configuration", 0, 0, NULL, NULL, "Fri, 15 Jan 2027 08:00:30 GMT", "clock", "warn",
     "30 seconds apart: this machine is behind"},
    {"configuration", 0, 0, NULL, NULL, "Fri, 15 Jan 2027 07:50:00 GMT", "clock", "fail",
     "600 seconds apart: this machine is ahead"},
    {"/token", 0, 0, NULL, NULL, UPSTREAM_SAYS, "clock", "skipped", "No answer said"},
};

START_TEST(each_failure_in_words)
{
    const struct expected *e = &failures[_i];
    bent.where = e->where;
    bent.transport = e->transport;
    bent.status = e->status;
    bent.body = e->body;
    bent.type = e->type;
    bent.date = e->date;
    run(lfx.registry, PROBE_ANY_SLOT);
    ck_assert_msg(strcmp(member(e->check, "result"), e->result) == 0, "%s", text);
    ck_assert_msg(strstr(member(e->check, "text"), e->words) != NULL, "%s", text);
    ck_assert(strcmp(e->result, "skipped") == 0 || *member(e->check, "advice"));
    ck_assert_uint_eq(jval_count(jval_get(report, "findings")), 6);
    if (strcmp(e->result, "fail") == 0)
        ck_assert(!passed());
    if (strcmp(e->check, "discovery") == 0)
        ck_assert_str_eq(member("token", "result"), "skipped");
}
END_TEST

START_TEST(a_mismatch_names_the_url)
{
    bent.where = "/token";
    bent.status = 400;
    bent.body = "{\"error\":\"redirect_uri_mismatch\"}";
    run(lfx.registry, PROBE_ANY_SLOT);
    ck_assert_ptr_nonnull(
        strstr(member("token", "advice"), "exactly https://usher.test/callback/toy there"));
}
END_TEST

START_TEST(a_draft_and_its_slots)
{
    struct registry *r = login_fixture_draft(
        "toy", "client_id = app\nclient_secret = s3cret\n"
               "client_secret_next = s3cret-next\nissuer = https://toy.example\n");
    run(r, PROVIDER_NEXT);
    ck_assert(passed());
    run(r, PROVIDER_RETIRING);
    ck_assert_int_eq(kind, ERR_INVALID);
    run(r, 7);
    ck_assert_int_eq(kind, ERR_INVALID);
    run(lfx.registry, PROVIDER_NEXT);
    ck_assert_int_eq(kind, ERR_INVALID);
    registry_free(&r);

    r = login_fixture_draft("toy", "client_id = app\nissuer = https://toy.example\n");
    run(r, PROBE_ANY_SLOT); /* wrong settings: nobody is asked */
    ck_assert_str_eq(member("settings", "result"), "fail");
    ck_assert_ptr_nonnull(strstr(member("settings", "text"), "client_secret is not set"));
    ck_assert_str_eq(member("token", "result"), "skipped");
    ck_assert(!passed());
    registry_free(&r);

    r = login_fixture_draft(
        "toy", "client_id = app\nclient_secret = s3cret\nissuer = https://toy.example\n"
               "enabled = no\n");
    run(r, PROBE_ANY_SLOT); /* switched off can be tested all the same */
    ck_assert_str_eq(member("settings", "result"), "warn");
    ck_assert(passed());
    registry_free(&r);
}
END_TEST

START_TEST(adm_21_so_many_a_minute)
{
    unsigned limited = 0;
    for (int i = 0; i < 40; i++) {
        run(lfx.registry, PROBE_ANY_SLOT);
        limited += kind == ERR_LIMITED;
    }
    ck_assert_uint_eq(limited, 20);
    times = 0;
    probe_start(lfx.login, lfx.registry, "nobody", PROBE_ANY_SLOT, on_done, &times);
    ck_assert_int_eq(kind, ERR_NOT_FOUND);
}
END_TEST

START_TEST(the_end_comes_first)
{
    probe_start(lfx.login, lfx.registry, "toy", PROBE_ANY_SLOT, on_done, &times);
    ck_assert_uint_eq(lfx.n_waiting, 1);
    login_free(&lfx.login);
    ck_assert(!lfx.waiting[0].open);
    ck_assert_uint_eq(times, 0);
    struct err err = ERR_INIT;
    lfx.login = login_new(&lfx.options, &err);
}
END_TEST

Suite *suite_probe(void)
{
    Suite *s = suite_create("probe");
    TCase *tc = tcase_create("probe");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, good_settings);
    tcase_add_loop_test(tc, each_failure_in_words, 0, sizeof failures / sizeof *failures);
    tcase_add_test(tc, a_mismatch_names_the_url);
    tcase_add_test(tc, a_draft_and_its_slots);
    tcase_add_test(tc, adm_21_so_many_a_minute);
    tcase_add_test(tc, the_end_comes_first);
    suite_add_tcase(s, tc);
    return s;
}
