/* SPDX-License-Identifier: Apache-2.0 */
#include "login/rehearsal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "login_fixture.h"
#include "sys/clock.h"

Suite *suite_rehearsal(void);

#define TOKEN "t0k-c4nary-51"

/* How a beginning ended. */
static struct {
    unsigned times;
    char id[64], url[8192];
    enum err_kind kind;
} began;

/* How a callback ended. */
static struct {
    unsigned times;
    char rehearsal[64], token[64];
    enum err_kind kind;
} ended;

static char text[65536];
static const char *token_body;

static void bend(const char *url, struct fetch_result *r)
{
    if (strstr(url, "/token") && token_body) {
        r->status = 400;
        r->body = str_of(token_body);
    } else if (strstr(url, "/token")) { /* a token that would be noticed */
        const char *at = strstr(r->body.p, "\"t0k\"");
        ck_assert_ptr_nonnull(at);
        r->body = str_of(arena_printf(lfx.arena, "%.*s\"" TOKEN "\"%s", (int)(at - r->body.p),
                                      r->body.p, at + 5));
    } else if (strstr(url, "/me")) {
        r->body = str_of(arena_printf(lfx.arena,
                                      "{\"sub\":\"%s\",\"name\":\"Ada\",\"email\":"
                                      "\"ada@example.org\",\"odd\":\"s3cret and " TOKEN "\"}",
                                      lfx.subject));
    }
}

static void setup(void)
{
    login_fixture_open();
    lfx.bend = bend;
    token_body = NULL;
}

static void on_started(void *arg, const char *id, const char *url, const struct err *err)
{
    (void)arg;
    ck_assert_int_eq(!url, err != NULL);
    began.times++;
    began.kind = err ? err->kind : ERR_NONE;
    snprintf(began.id, sizeof began.id, "%s", id ? id : "");
    snprintf(began.url, sizeof began.url, "%s", url ? url : "");
}

static void begin(struct registry *r, const char *provider, const char *owner)
{
    const struct rehearsal_start s = {
        .registry = r, .provider = provider, .owner = owner, .bind = STR(LOGIN_BIND)};
    memset(&began, 0, sizeof began);
    rehearsal_begin(lfx.login, &s, on_started, NULL);
    login_fixture_pump();
    ck_assert_uint_eq(began.times, 1);
}

static const char *query_of(const char *url)
{
    struct came started = {.times = 1};
    snprintf(started.url, sizeof started.url, "%s", url);
    return login_fixture_callback(&started);
}

static void on_ended(void *arg, const struct login_result *r, const struct err *err)
{
    (void)arg;
    ck_assert_int_eq(!r, err != NULL);
    ended.times++;
    ended.kind = err ? err->kind : ERR_NONE;
    snprintf(ended.rehearsal, sizeof ended.rehearsal, "%s", r && r->rehearsal ? r->rehearsal : "");
    snprintf(ended.token, sizeof ended.token, "%s", r && r->token ? r->token : "");
    /* One or the other, never both. */
    ck_assert(!r || !r->rehearsal || (!r->token && !r->return_to));
}

static void call_back(const char *provider, const char *query, const char *bind)
{
    struct fields f;
    struct err err = ERR_INIT;
    struct arena *request = arena_new(); /* gone before the answer comes */
    ck_assert_int_eq(form_parse(request, str_of(query), 64, &f, &err), 0);
    const struct login_callback c = {.provider = provider, .fields = &f, .bind = str_of(bind)};
    memset(&ended, 0, sizeof ended);
    login_finish_flow(lfx.login, &c, on_ended, NULL);
    arena_free(&request);
    login_fixture_pump();
    ck_assert_uint_eq(ended.times, 1);
}

static struct jval *report(const char *owner)
{
    struct buf b;
    struct jval *v = rehearsal_report(lfx.login, began.id, owner);
    *text = '\0';
    if (!v)
        return NULL;
    buf_init(&b, sizeof text - 1);
    jval_render(v, &b);
    ck_assert(buf_ok(&b));
    strcpy(text, b.p);
    buf_deinit(&b);
    static const char *const secrets[] = {"s3cret", TOKEN, "c0de", "eyJ"};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        ck_assert_msg(!strstr(text, secrets[i]), "%s in %s", secrets[i], text);
    return v;
}

static const char *at(struct jval *v, const char *pointer)
{
    const char *found = jval_text(jval_at(v, pointer));
    ck_assert_msg(found != NULL, "%s in %s", pointer, text);
    return found;
}

static void expect_text(const char *owner, const char *pointer, const char *value)
{
    struct jval *v = report(owner);
    ck_assert_ptr_nonnull(v);
    ck_assert_msg(strcmp(at(v, pointer), value) == 0, "%s is %s", pointer, at(v, pointer));
    jval_free(&v);
}

static int64_t rows(void)
{
    return login_fixture_sql("SELECT (SELECT count(*) FROM account) + "
                             "(SELECT count(*) FROM identity) + (SELECT count(*) FROM session) + "
                             "(SELECT count(*) FROM spent)");
}

START_TEST(creates_nothing_and_shows_all)
{
    begin(lfx.registry, "toy", "ada");
    ck_assert_int_eq(began.kind, ERR_NONE);
    ck_assert_ptr_nonnull(strstr(began.url, "https://toy.example/authorize?"));
    expect_text("ada", "/state", "waiting");
    call_back("toy", query_of(began.url), LOGIN_BIND);
    ck_assert_int_eq(ended.kind, ERR_NONE);
    ck_assert_str_eq(ended.rehearsal, began.id);
    ck_assert_int_eq(rows(), 0);
    ck_assert_uint_eq(sessions_count(lfx.sessions), 0);
    ck_assert_int_eq(login_fixture_outcomes("done"), 0);

    struct jval *v = report("ada");
    ck_assert_ptr_nonnull(v);
    ck_assert_str_eq(at(v, "/state"), "done");
    ck_assert_str_eq(at(v, "/callback_url"), "https://usher.test/callback/toy");
    ck_assert_str_eq(at(v, "/requests/0/step"), "metadata");
    ck_assert_str_eq(at(v, "/requests/1/step"), "authorize");
    ck_assert_str_eq(at(v, "/requests/1/url"), "https://toy.example/authorize");
    ck_assert_ptr_nonnull(strstr(text, "{\"name\":\"state\",\"value\":\"[state]\"}"));
    ck_assert_ptr_nonnull(strstr(text, "{\"name\":\"code\",\"value\":\"[code]\"}"));
    ck_assert_ptr_nonnull(strstr(text, "\"step\":\"token\""));
    ck_assert_str_eq(at(v, "/claims/0/source"), "id_token");
    ck_assert_str_eq(at(v, "/claims/0/claims/iss"), "https://toy.example");
    ck_assert_str_eq(at(v, "/claims/1/claims/name"), "Ada");
    ck_assert_str_eq(at(v, "/claims/1/claims/odd"), "[masked]");
    ck_assert_str_eq(at(v, "/identity/subject"), "1234");
    ck_assert_str_eq(at(v, "/identity/email"), "ada@example.org");
    ck_assert_str_eq(at(v, "/identity/groups/0"), "staff");
    ck_assert_ptr_nonnull(strstr(at(v, "/email_evidence/text"), "verified"));
    ck_assert_str_eq(at(v, "/linking/decision"), "new");
    ck_assert_int_eq(jval_type(jval_get(v, "failure")), JVAL_NULL);
    jval_free(&v);

    /* The back button: the same report, and nothing is asked again. */
    const unsigned asked = lfx.token_requests;
    call_back("toy", query_of(began.url), LOGIN_BIND);
    ck_assert_str_eq(ended.rehearsal, began.id);
    ck_assert_uint_eq(lfx.token_requests, asked);
    ck_assert_int_eq(rows(), 0);
}
END_TEST

START_TEST(what_it_would_be_linked_to)
{
    struct came c;
    login_fixture_sign_in(&c);
    const int64_t before = rows(), seen = login_fixture_sql("SELECT last_seen FROM identity");
    begin(lfx.registry, "toy", "ada");
    call_back("toy", query_of(began.url), LOGIN_BIND);
    expect_text("ada", "/linking/decision", "existing");
    login_fixture_sql("UPDATE account SET disabled_since = 1 RETURNING 1");
    begin(lfx.registry, "toy", "ada");
    call_back("toy", query_of(began.url), LOGIN_BIND);
    ck_assert_int_eq(ended.kind, ERR_NONE);
    expect_text("ada", "/linking/decision", "disabled");
    ck_assert_int_eq(rows(), before);
    ck_assert_int_eq(login_fixture_sql("SELECT last_seen FROM identity"), seen);
}
END_TEST

/* The default is to ask, which needs an address that the provider vouches for. */
START_TEST(what_an_address_would_lead_to)
{
    struct came c;
    lfx.bend = NULL;
    lfx.subject = "somebody else";
    lfx.verified = true;
    login_fixture_sign_in(&c);
    const int64_t before = rows();
    lfx.subject = "1234";
    begin(lfx.registry, "toy", "ada");
    call_back("toy", query_of(began.url), LOGIN_BIND);
    expect_text("ada", "/linking/decision", "asked");
    lfx.verified = false;
    begin(lfx.registry, "toy", "ada");
    call_back("toy", query_of(began.url), LOGIN_BIND);
    expect_text("ada", "/linking/decision", "new");
    ck_assert_int_eq(rows(), before);
}
END_TEST

START_TEST(only_for_its_owner)
{
    begin(lfx.registry, "toy", "ada");
    ck_assert_ptr_null(report("grace"));
    ck_assert_ptr_null(report(""));
    ck_assert_ptr_null(rehearsal_report(lfx.login, "AAAAAAAAAAAAAAAAAAAAAA", "ada"));
    call_back("toy", query_of(began.url), LOGIN_BIND);
    ck_assert_ptr_null(report("grace"));
    expect_text("ada", "/state", "done");
}
END_TEST

/* A rehearsal's state is no login's, however it is brought; a login's is no rehearsal's. */
START_TEST(states_are_not_exchanged)
{
    struct came login;
    const char *query;
    begin(lfx.registry, "toy", "ada");
    query = query_of(began.url);
    call_back("toy", query, "another-browser");
    ck_assert_int_eq(ended.kind, ERR_INVALID);
    call_back("other", query, LOGIN_BIND);
    ck_assert_int_eq(ended.kind, ERR_INVALID);
    expect_text("ada", "/state", "waiting");

    /* To a daemon that remembers no rehearsal it is a state of another kind. */
    login_fixture_restart();
    call_back("toy", query, LOGIN_BIND);
    ck_assert_int_eq(ended.kind, ERR_INVALID);
    begin(lfx.registry, "toy", "ada"); /* or remembers another one */
    call_back("toy", query, LOGIN_BIND);
    ck_assert_int_eq(ended.kind, ERR_EXPIRED);
    ck_assert_str_eq(ended.token, "");
    ck_assert_int_eq(rows(), 0);
    ck_assert_uint_eq(lfx.token_requests, 0);
    expect_text("ada", "/state", "waiting");

    /* A login while a rehearsal waits is a login, and the rehearsal goes on waiting. */
    login_fixture_start("/home", &login);
    call_back("toy", login_fixture_callback(&login), LOGIN_BIND);
    ck_assert_int_eq(ended.kind, ERR_NONE);
    ck_assert_str_eq(ended.rehearsal, "");
    ck_assert_uint_eq(strlen(ended.token), 43);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 1);
    expect_text("ada", "/state", "waiting");
}
END_TEST

START_TEST(failures_are_told)
{
    begin(lfx.registry, "toy", "ada");
    const char *query = query_of(began.url);
    const char *refused = arena_printf(lfx.arena, "%.*s&error=access_denied",
                                       (int)(strstr(query, "&code") - query), query);
    call_back("toy", arena_printf(lfx.arena, "%s&error=x", query), LOGIN_BIND);
    ck_assert_int_eq(ended.kind, ERR_INVALID); /* makes no sense, uses nothing up */
    call_back("toy", refused, LOGIN_BIND);
    ck_assert_str_eq(ended.rehearsal, began.id);
    expect_text("ada", "/state", "failed");
    expect_text("ada", "/failure/kind", "denied");

    token_body = "{\"error\":\"redirect_uri_mismatch\"}";
    begin(lfx.registry, "toy", "ada");
    call_back("toy", query_of(began.url), LOGIN_BIND);
    ck_assert_str_eq(ended.rehearsal, began.id);
    expect_text("ada", "/failure/kind", "misconfigured");
    ck_assert_ptr_nonnull(strstr(text, "register exactly https://usher.test/callback/toy there"));

    token_body = NULL;
    begin(lfx.registry, "toy", "ada");
    query = query_of(began.url);
    lfx.nonce = "another";
    call_back("toy", query, LOGIN_BIND);
    expect_text("ada", "/failure/kind", "upstream_bad");
    ck_assert_ptr_nonnull(strstr(text, "\"identity\":null"));
    ck_assert_int_eq(rows(), 0);
}
END_TEST

#define DRAFT "plugin = toy\nclient_id = app\nissuer = https://toy.example\n"

START_TEST(a_draft_that_nobody_else_knows)
{
    struct registry *r = login_fixture_draft("draft", DRAFT "client_secret = s3cret-draft\n");
    begin(r, "draft", "ada");
    registry_free(&r);
    ck_assert_int_eq(began.kind, ERR_NONE);
    ck_assert(rehearsal_expected(lfx.login, "draft"));
    ck_assert(!rehearsal_expected(lfx.login, "toy"));
    call_back("draft", query_of(began.url), LOGIN_BIND);
    ck_assert_str_eq(ended.rehearsal, began.id);
    expect_text("ada", "/state", "done");
    ck_assert(!rehearsal_expected(lfx.login, "draft"));

    r = login_fixture_draft("draft", DRAFT);
    begin(r, "draft", "ada");
    ck_assert_int_eq(began.kind, ERR_MISCONFIGURED);
    ck_assert_str_eq(began.id, "");
    begin(r, "toy", "ada");
    ck_assert_int_eq(began.kind, ERR_NOT_FOUND);
    registry_free(&r);
}
END_TEST

static void stand_at(int64_t seconds)
{
    const struct clock_fake clock = {.wall = {(LOGIN_NOW + seconds) * 1000000LL},
                                     .mono = {1 + seconds * 1000000000LL}};
    clock_set_fake(&clock);
}

START_TEST(gone_after_ten_minutes)
{
    begin(lfx.registry, "toy", "ada");
    stand_at(599);
    expect_text("ada", "/state", "waiting");
    stand_at(601);
    ck_assert_ptr_null(report("ada"));
    call_back("toy", query_of(began.url), LOGIN_BIND);
    ck_assert(ended.kind == ERR_EXPIRED || ended.kind == ERR_INVALID);
    ck_assert_str_eq(ended.token, "");
    ck_assert_int_eq(rows(), 0);
}
END_TEST

START_TEST(so_many_and_no_more)
{
    char first[64];
    begin(lfx.registry, "toy", "ada");
    strcpy(first, began.id);
    for (int i = 0; i < 8; i++)
        begin(lfx.registry, "toy", "ada");
    ck_assert_int_eq(began.kind, ERR_NONE);
    ck_assert_ptr_null(rehearsal_report(lfx.login, first, "ada")); /* the oldest made way */
    for (int i = 0; i < 12; i++)
        begin(lfx.registry, "toy", "grace");
    ck_assert_int_eq(began.kind, ERR_LIMITED);
    stand_at(61);
    begin(lfx.registry, "toy", "grace");
    ck_assert_int_eq(began.kind, ERR_NONE);
}
END_TEST

/* Whatever is under way when usherd ends is given up, and nobody is told. */
START_TEST(the_end_comes_first)
{
    struct err err = ERR_INIT;
    const struct rehearsal_start s = {
        .registry = lfx.registry, .provider = "toy", .owner = "ada", .bind = STR(LOGIN_BIND)};
    memset(&began, 0, sizeof began);
    rehearsal_begin(lfx.login, &s, on_started, NULL);
    ck_assert_uint_eq(lfx.n_waiting, 1);
    login_free(&lfx.login);
    ck_assert(!lfx.waiting[0].open);
    ck_assert_uint_eq(began.times, 0);
    lfx.login = login_new(&lfx.options, &err);
}
END_TEST

START_TEST(the_end_comes_while_the_store_reads)
{
    struct err err = ERR_INIT;
    struct fields f;
    begin(lfx.registry, "toy", "ada");
    ck_assert_int_eq(form_parse(lfx.arena, str_of(query_of(began.url)), 64, &f, &err), 0);
    const struct login_callback c = {.provider = "toy", .fields = &f, .bind = STR(LOGIN_BIND)};
    memset(&ended, 0, sizeof ended);
    login_finish_flow(lfx.login, &c, on_ended, NULL);
    login_fixture_answer_upstream();
    login_free(&lfx.login);
    lfx.login = login_new(&lfx.options, &err);
    login_fixture_pump();
    ck_assert_uint_eq(ended.times, 0);
    ck_assert_int_eq(rows(), 0);
}
END_TEST

Suite *suite_rehearsal(void)
{
    Suite *s = suite_create("rehearsal");
    TCase *tc = tcase_create("rehearsal");
    tcase_add_checked_fixture(tc, setup, login_fixture_close);
    tcase_add_test(tc, creates_nothing_and_shows_all);
    tcase_add_test(tc, what_it_would_be_linked_to);
    tcase_add_test(tc, what_an_address_would_lead_to);
    tcase_add_test(tc, only_for_its_owner);
    tcase_add_test(tc, states_are_not_exchanged);
    tcase_add_test(tc, failures_are_told);
    tcase_add_test(tc, a_draft_that_nobody_else_knows);
    tcase_add_test(tc, gone_after_ten_minutes);
    tcase_add_test(tc, so_many_and_no_more);
    tcase_add_test(tc, the_end_comes_first);
    tcase_add_test(tc, the_end_comes_while_the_store_reads);
    suite_add_tcase(s, tc);
    return s;
}
