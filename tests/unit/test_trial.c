/* SPDX-License-Identifier: Apache-2.0 */
#include "login/trial.h"

#include <check.h>
#include <string.h>

#include "login/trial_parts.h"

Suite *suite_trial(void);

#define CANARY "c4nary-7f31"

static struct trial *trial;
static fetch_done_fn *asked_done;
static void *asked_arg;
static unsigned cancelled;

static void *io_fetch(void *ctx, const struct provider *p, const struct fetch_request *rq,
                      fetch_done_fn *done, void *arg)
{
    (void)ctx;
    (void)p;
    (void)rq;
    asked_done = done;
    asked_arg = arg;
    return &asked_arg;
}

static void *io_cached(void *ctx, const struct provider *p, const struct cache_request *rq,
                       fetch_done_fn *done, void *arg)
{
    (void)rq;
    return io_fetch(ctx, p, NULL, done, arg);
}

static void io_cancel(void *ctx, void *call)
{
    (void)ctx;
    ck_assert_ptr_eq(call, &asked_arg);
    cancelled++;
}

static const struct drive_io io = {.fetch = io_fetch, .cached = io_cached, .cancel = io_cancel};

static void setup(void)
{
    const struct trial_options o = {.io = &io, .keep_claims = true};
    trial = trial_new(&o);
    cancelled = 0;
}

static void teardown(void)
{
    trial_free(&trial);
}

static void on_done(void *arg, const struct fetch_result *r)
{
    (void)r;
    ++*(unsigned *)arg;
}

static const char *rendered(struct jval *take)
{
    static char text[16384];
    struct buf b;
    buf_init(&b, sizeof text - 1);
    jval_render(take, &b);
    ck_assert(buf_ok(&b));
    strcpy(text, b.p);
    buf_deinit(&b);
    jval_free(&take);
    return text;
}

static void answer(int status, const char *body)
{
    static const struct field headers[] = {
        {.name = "date", .value = "Fri, 15 Jan 2027 08:00:00 GMT"}};
    const struct fetch_result r = {.status = status,
                                   .headers = headers,
                                   .n_headers = 1,
                                   .content_type = "application/json",
                                   .charset = "",
                                   .body = str_of(body)};
    asked_done(asked_arg, &r);
}

static void ask_token(unsigned *done)
{
    struct secret *code = secret_new("c0de-" CANARY, 16), *key = secret_new("s3c-" CANARY, 15);
    const struct fetch_part form[] = {{.name = "grant_type", .before = "authorization_code"},
                                      {.name = "code", .secret = code},
                                      {.name = "client_assertion", .before = "ey." CANARY},
                                      {.name = "redirect_uri", .before = "https://usher.test/x"}};
    const struct fetch_part header = {.name = "x-api-key", .before = "Key ", .secret = key};
    const struct fetch_request rq = {.url = "https://op.example/token?k=" CANARY,
                                     .headers = &header,
                                     .n_headers = 1,
                                     .body_kind = FETCH_BODY_FORM,
                                     .form = form,
                                     .n_form = 4,
                                     .basic_user = "app",
                                     .basic_password = key};
    trial_io(trial)->fetch(trial_io(trial)->ctx, NULL, &rq, on_done, done);
    secret_free(&code);
    secret_free(&key);
}

static void ask_profile(unsigned *done)
{
    const struct fetch_request rq = {.url = "https://op.example/me?fields=id"};
    trial_io(trial)->fetch(trial_io(trial)->ctx, NULL, &rq, on_done, done);
}

START_TEST(no_secret_in_what_is_shown)
{
    unsigned done = 0;
    ask_token(&done);
    answer(200, "{\"access_token\":\"at-" CANARY "\",\"token_type\":\"Bearer\","
                "\"id_token\":\"it-" CANARY "\"}");
    ask_profile(&done);
    answer(200, "{\"sub\":\"1\",\"echo\":[{\"a\":\"Bearer at-" CANARY "\"}],\"name\":\"Ada\","
                "\"secret\":\"other\",\"Access_Token\":7,\"s\":\"s3c-" CANARY "\"}");
    ck_assert_uint_eq(done, 2);
    const char *text = rendered(trial_requests(trial));
    ck_assert_ptr_null(strstr(text, CANARY));
    ck_assert_ptr_nonnull(strstr(text, "\"url\":\"https://op.example/token\""));
    ck_assert_ptr_nonnull(strstr(text, "{\"name\":\"k\",\"value\":\"[k]\"}"));
    ck_assert_ptr_nonnull(strstr(text, "{\"name\":\"code\",\"value\":\"[code]\"}"));
    ck_assert_ptr_nonnull(strstr(text, "\"value\":\"[client_assertion]\""));
    ck_assert_ptr_nonnull(strstr(text, "\"value\":\"[authorization]\""));
    ck_assert_ptr_nonnull(strstr(text, "\"value\":\"https://usher.test/x\""));
    text = rendered(trial_claims(trial));
    ck_assert_ptr_null(strstr(text, CANARY));
    ck_assert_ptr_null(strstr(text, "other"));
    ck_assert_ptr_nonnull(
        strstr(text, "{\"source\":\"https://op.example/me\",\"claims\":{\"sub\":"));
    ck_assert_ptr_nonnull(strstr(text, "\"name\":\"Ada\""));
    ck_assert_ptr_nonnull(strstr(text, "\"echo\":[{\"a\":\"[masked]\"}]"));
}
END_TEST

START_TEST(what_is_noticed)
{
    static const struct {
        int status;
        const char *body, *error;
        bool refused, mismatch, other;
    } rows[] = {
        {400, "{\"error\":\"invalid_grant\"}", "invalid_grant", false, false, false},
        {401, "{\"error\":\"invalid_client\"}", "invalid_client", true, false, false},
        {401, "<h1>", "", true, false, false},
        {400, "{\"error\":\"redirect_uri_mismatch\"}", "redirect_uri_mismatch", false, true, false},
        {400, "{\"error\":\"invalid_request\",\"error_description\":\"bad redirect_uri\"}",
         "invalid_request", false, true, false},
        {400, "{\"error\":\"brand_new\"}", "", false, false, true},
        {400, "{\"error\":{\"code\":1}}", "", false, false, true},
        {200, "{\"error\":\"\"}", "", false, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned done = 0;
        ask_token(&done);
        answer(rows[i].status, rows[i].body);
        const struct trial_call *c = trial_last(trial, TRIAL_TOKEN);
        ck_assert_str_eq(c->error, rows[i].error);
        ck_assert(c->client_refused == rows[i].refused && c->mismatch == rows[i].mismatch);
        ck_assert(c->error_other == rows[i].other && c->answered && c->dated);
    }
    ck_assert_uint_eq(trial_count(trial), 8);
    ck_assert_ptr_null(trial_last(trial, TRIAL_KEYS));
}
END_TEST

START_TEST(what_is_under_way_is_cancelled)
{
    unsigned done = 0;
    ask_token(&done);
    trial_free(&trial);
    ck_assert_uint_eq(cancelled, 1);
    ck_assert_uint_eq(done, 0);
}
END_TEST

START_TEST(dates)
{
    ck_assert_int_eq(trial_date("Fri, 15 Jan 2027 08:00:00 GMT"), 1800000000);
    ck_assert_int_eq(trial_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    ck_assert_int_eq(trial_date("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
    ck_assert_int_eq(trial_date("Thu, 29 Feb 2024 23:59:60 GMT"), 1709251200);
    ck_assert_int_eq(trial_date("Fri, 01 Mar 2024 00:00:00 GMT"), 1709251200);
    static const char *const odd[] = {"",
                                      "now",
                                      "Sunday, 06-Nov-94 08:49:37 GMT",
                                      "Sun Nov  6 08:49:37 1994",
                                      "Sun, 06 Nox 1994 08:49:37 GMT",
                                      "Sun, 06 ovD 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 25:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37 GMTx",
                                      "Sun, 06 Nov 0000 08:49:37 GMT",
                                      "Sun, -6 Nov 1994 08:49:37 GMT"};
    ck_assert_int_eq(trial_date(NULL), -1);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        ck_assert_msg(trial_date(odd[i]) == -1, "%s", odd[i]);
}
END_TEST

Suite *suite_trial(void)
{
    Suite *s = suite_create("trial");
    TCase *tc = tcase_create("trial");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, no_secret_in_what_is_shown);
    tcase_add_test(tc, what_is_noticed);
    tcase_add_test(tc, what_is_under_way_is_cancelled);
    tcase_add_test(tc, dates);
    suite_add_tcase(s, tc);
    return s;
}
