/* SPDX-License-Identifier: Apache-2.0 */
/* provider/step: order of events and actions, budgets, what a leg keeps. */
#include "provider/step.h"

#include <check.h>
#include <pthread.h>
#include <string.h>

#include "plugin_fixture.h"
#include "sys/conf.h"

Suite *suite_step(void);

#define REFUSED(rc, f, what_kind, words)                                                           \
    do {                                                                                           \
        ck_assert_int_eq((rc), -1);                                                                \
        ck_assert_msg((f)->err.kind == (what_kind) && strstr((f)->err.text, (words)), "%d: %s",    \
                      (f)->err.kind, (f)->err.text);                                               \
    } while (0)

static void exchange(struct usher_action *a)
{
    a->kind = USHER_EXCHANGE;
    a->url = "https://idp.example/token";
    a->client_auth = USHER_AUTH_BASIC;
}

static void done(struct usher_call *call, struct usher_action *a)
{
    struct usher_identity *id = call->host->alloc(call, sizeof *id);
    id->size = sizeof *id;
    id->subject = "42";
    a->kind = USHER_DONE;
    a->identity = id;
}

static void fetch(struct usher_call *call, struct usher_action *a, size_t n)
{
    struct usher_request *rq = call->host->alloc(call, n * sizeof *rq);
    for (size_t i = 0; i < n; i++)
        rq[i] = (struct usher_request){.size = sizeof *rq, .url = "https://idp.example/me"};
    a->kind = USHER_FETCH;
    a->requests = rq;
    a->n_requests = n;
}

/* ---- a whole login -------------------------------------------------------------------------- */

struct my_leg {
    const struct usher_json *claims;
    int steps;
};

static void well_behaved(struct usher_call *call, const struct usher_event *ev,
                         struct usher_action *a)
{
    static const char *const issuers[] = {"https://idp.example", NULL};
    static const struct usher_verify verify = {
        .size = sizeof verify, .issuers = issuers, .jwks_uri = "https://idp.example/keys"};
    struct my_leg *leg = call->leg;
    leg->steps++;
    switch (ev->kind) {
    case USHER_START:
        a->kind = USHER_REDIRECT;
        a->url = "https://idp.example/authorize";
        a->redirect_flags = USHER_SEND_PKCE | USHER_SEND_NONCE;
        a->scope = call->host->setting(call, "scopes");
        a->carry = "for later";
        break;
    case USHER_CALLBACK:
        exchange(a);
        break;
    case USHER_TOKENS:
        a->kind = USHER_VERIFY;
        a->verify = &verify;
        break;
    case USHER_CLAIMS:
        leg->claims = ev->claims->claims;
        fetch(call, a, 1);
        break;
    default:
        done(call, a);
        /* JSON of an earlier event is still there. */
        ((struct usher_identity *)(uintptr_t)a->identity)->name =
            call->host->json_text(call, leg->claims, "/name");
    }
}

START_TEST(a_login_goes_through)
{
    struct fixture f;
    fixture_init(&f, well_behaved);
    f.plugin.leg_size = sizeof(struct my_leg);
    fixture_leg(&f, NULL);
    ck_assert_int_eq(fixture_start(&f), 0);
    ck_assert_uint_eq(f.out.kind, USHER_REDIRECT);
    ck_assert_uint_eq(f.out.redirect_flags, USHER_SEND_PKCE | USHER_SEND_NONCE);
    ck_assert_str_eq(f.out.scope, "openid");
    ck_assert_str_eq(f.out.carry, "for later");

    fixture_leg(&f, NULL);
    ck_assert_int_eq(fixture_signed_in(&f), 0);
    ck_assert_uint_eq(f.out.kind, USHER_VERIFY);
    ck_assert_str_eq(f.out.verify->issuers[0], "https://idp.example");
    struct fixture other = f; /* its JSON goes before the leg ends */
    other.n_json = 0;
    ck_assert_int_eq(fixture_claims(&other, "{\"sub\":\"42\",\"name\":\"Ada\"}"), 0);
    ck_assert_uint_eq(other.out.kind, USHER_FETCH);
    for (size_t i = 0; i < other.n_json; i++)
        jval_free(&other.json[i]);
    ck_assert_int_eq(fixture_response(&f, 200, "{}"), 0);
    ck_assert_uint_eq(f.out.kind, USHER_DONE);
    ck_assert_str_eq(f.out.identity->subject, "42");
    ck_assert_str_eq(f.out.identity->name, "Ada");
    ck_assert_int_eq(fixture_callback(&f), -1); /* it has ended */
    fixture_deinit(&f);
}
END_TEST

/* ---- order ---------------------------------------------------------------------------------- */

static void redirect_always(struct usher_call *call, const struct usher_event *ev,
                            struct usher_action *a)
{
    (void)call;
    (void)ev;
    a->kind = USHER_REDIRECT;
    a->url = "https://idp.example/authorize";
}

static void done_always(struct usher_call *call, const struct usher_event *ev,
                        struct usher_action *a)
{
    (void)ev;
    done(call, a);
}

static void exchange_always(struct usher_call *call, const struct usher_event *ev,
                            struct usher_action *a)
{
    (void)call;
    (void)ev;
    exchange(a);
}

static void exchange_then_done(struct usher_call *call, const struct usher_event *ev,
                               struct usher_action *a)
{
    if (ev->kind == USHER_CALLBACK)
        exchange(a);
    else
        done(call, a);
}

static void exchange_then_verify(struct usher_call *call, const struct usher_event *ev,
                                 struct usher_action *a)
{
    if (ev->kind == USHER_CALLBACK)
        exchange(a);
    else
        well_behaved(call, ev, a);
}

START_TEST(actions_out_of_order_are_refused)
{
    struct fixture f;
    fixture_init(&f, redirect_always);
    REFUSED(fixture_callback(&f), &f, ERR_INTERNAL, "redirects in the second leg");
    f.plugin.step = done_always; /* nobody upstream was asked */
    fixture_leg(&f, NULL);
    REFUSED(fixture_start(&f), &f, ERR_INTERNAL, "before the upstream confirmed");
    fixture_leg(&f, NULL);
    REFUSED(fixture_callback(&f), &f, ERR_INTERNAL, "before the upstream confirmed");
    f.plugin.step = exchange_always;
    fixture_leg(&f, NULL);
    REFUSED(fixture_start(&f), &f, ERR_INTERNAL, "without a callback, or twice");
    fixture_leg(&f, NULL);
    REFUSED(fixture_signed_in(&f), &f, ERR_INTERNAL, "without a callback, or twice");
    f.plugin.step = exchange_then_done;
    fixture_leg(&f, NULL);
    ck_assert_int_eq(fixture_callback(&f), 0);
    REFUSED(fixture_tokens(&f, false, false), &f, ERR_INTERNAL, "before the upstream confirmed");
    fixture_leg(&f, NULL);
    ck_assert_int_eq(fixture_signed_in(&f), 0);
    f.plugin.step = exchange_then_verify;
    f.plugin.leg_size = sizeof(struct my_leg);
    fixture_leg(&f, NULL);
    ck_assert_int_eq(fixture_callback(&f), 0);
    REFUSED(fixture_tokens(&f, true, false), &f, ERR_UPSTREAM_BAD, "no ID token");
    fixture_deinit(&f);
}
END_TEST

/* The core's own mistakes do not reach a plugin (PLUG-11: called again after the end). */
START_TEST(events_out_of_order_are_refused)
{
    struct fixture f;
    fixture_init(&f, exchange_then_done);
    REFUSED(fixture_tokens(&f, true, true), &f, ERR_INTERNAL, "does not belong");
    fixture_leg(&f, NULL);
    ck_assert_int_eq(fixture_callback(&f), 0);
    REFUSED(fixture_claims(&f, "{}"), &f, ERR_INTERNAL, "does not belong");
    REFUSED(fixture_tokens(&f, true, true), &f, ERR_INTERNAL, "does not belong"); /* broken: over */
    fixture_leg(&f, NULL);
    ck_assert_int_eq(fixture_signed_in(&f), 0);
    REFUSED(fixture_callback(&f), &f, ERR_INTERNAL, "does not belong");
    const struct usher_event empty = {.size = sizeof empty, .kind = USHER_CALLBACK};
    fixture_leg(&f, NULL);
    ck_assert_int_eq(leg_step(f.leg, &empty, &f.out, &f.err), -1);
    fixture_deinit(&f);
}
END_TEST

/* ---- budgets (PLUG-08: what spins is ended) ---------------------------------------------------
 */

static void fetch_for_ever(struct usher_call *call, const struct usher_event *ev,
                           struct usher_action *a)
{
    (void)ev;
    fetch(call, a, 1);
}

static void fetch_four(struct usher_call *call, const struct usher_event *ev,
                       struct usher_action *a)
{
    (void)ev;
    fetch(call, a, 4);
}

static void eat_memory(struct usher_call *call, const struct usher_event *ev,
                       struct usher_action *a)
{
    for (;;)
        memset(call->host->alloc(call, 1000), 1, 1000);
    (void)ev;
    (void)a;
}

static void ask_for_everything(struct usher_call *call, const struct usher_event *ev,
                               struct usher_action *a)
{
    (void)ev;
    done(call, a);
    *(char *)call->host->alloc(call, SIZE_MAX) = 1;
}

START_TEST(budgets_end_a_leg)
{
    struct fixture f;
    fixture_init(&f, fetch_for_ever);
    ck_assert_int_eq(fixture_callback(&f), 0);
    for (unsigned i = 1; i < leg_budget_default.requests; i++)
        ck_assert_msg(fixture_response(&f, 200, NULL) == 0, "%s", f.err.text);
    REFUSED(fixture_response(&f, 200, NULL), &f, ERR_INTERNAL, "too many requests");

    const struct leg_budget steps = {.steps = 3, .requests = 100, .memory = 100000};
    fixture_leg(&f, &steps);
    ck_assert_int_eq(fixture_callback(&f), 0);
    ck_assert_int_eq(fixture_response(&f, 200, NULL), 0);
    ck_assert_int_eq(fixture_response(&f, 200, NULL), 0);
    REFUSED(fixture_response(&f, 200, NULL), &f, ERR_INTERNAL, "too many steps");

    const struct leg_budget few = {.steps = 3, .requests = 3, .memory = 100000};
    f.plugin.step = fetch_four;
    fixture_leg(&f, &few);
    REFUSED(fixture_callback(&f), &f, ERR_INTERNAL, "too many requests");
    f.plugin.step = eat_memory;
    fixture_leg(&f, NULL);
    REFUSED(fixture_callback(&f), &f, ERR_INTERNAL, "used up its memory");
    ck_assert_uint_lt(arena_used(leg_arena(f.leg)), 2u << 20);
    f.plugin.step = ask_for_everything;
    fixture_leg(&f, NULL);
    REFUSED(fixture_callback(&f), &f, ERR_INTERNAL, "used up its memory");
    fixture_deinit(&f);
}
END_TEST

/* ---- values and origins -----------------------------------------------------------------------
 */

START_TEST(values_are_resolved_by_the_leg_alone)
{
    struct fixture f;
    fixture_init(&f, done_always);
    struct secret *token = secret_new("at", 2);
    const char *text = NULL;
    const struct usher_param plain = {sizeof plain, "a", USHER_VALUE_TEXT, "b"};
    const struct usher_param id = {sizeof id, "a", USHER_VALUE_SETTING, "client_id"};
    const struct usher_param secret = {sizeof secret, "a", USHER_VALUE_SETTING, "client_secret"};
    const struct usher_param bearer = {sizeof bearer, "a", USHER_VALUE_ACCESS_TOKEN, "Bearer "};
    ck_assert_ptr_null(leg_value(f.leg, &plain, &text));
    ck_assert_str_eq(text, "b");
    ck_assert_ptr_null(leg_value(f.leg, &id, &text));
    ck_assert_str_eq(text, "client");
    const struct secret *found = leg_value(f.leg, &secret, &text);
    ck_assert(found && secret_eq(found, STR("s3cret")));
    ck_assert_str_eq(text, "");
    ck_assert_ptr_null(leg_value(f.leg, &bearer, &text));
    leg_set_access_token(f.leg, token);
    ck_assert_ptr_eq(leg_value(f.leg, &bearer, &text), token);
    ck_assert_str_eq(text, "Bearer ");
    secret_free(&token);
    fixture_deinit(&f);
}
END_TEST

START_TEST(origins_are_whole)
{
    struct fixture f;
    fixture_init(&f, done_always);
    ck_assert(leg_origin_declared(f.leg, "https://idp.example/token"));
    ck_assert(leg_origin_declared(f.leg, "https://IDP.example:443/token?x"));
    ck_assert(!leg_origin_declared(f.leg, "https://idp.example:8443/token"));
    ck_assert(!leg_origin_declared(f.leg, "http://idp.example/token"));
    ck_assert(!leg_origin_declared(f.leg, "https://idp.example.evil/token"));
    ck_assert(!leg_origin_declared(f.leg, "https://idp.example@evil/token"));
    ck_assert(!leg_origin_declared(f.leg, "https://api.example/"));
    leg_declare_origin(f.leg, "https://api.example");
    ck_assert(leg_origin_declared(f.leg, "https://api.example/x"));
    fixture_deinit(&f);
}
END_TEST

/* PLUG-11: one plugin, many threads. TSan watches. */
static void *run_logins(void *arg)
{
    const struct provider *p = arg;
    for (int i = 0; i < 200; i++) {
        const struct usher_start start = {.size = sizeof start, .flow = USHER_FLOW_LOGIN};
        const struct usher_event ev = {.size = sizeof ev, .kind = USHER_START, .start = &start};
        struct err err = ERR_INIT;
        struct usher_action out;
        struct leg *leg = leg_new(p, USHER_FLOW_LOGIN, NULL, NULL);
        if (leg_step(leg, &ev, &out, &err) < 0)
            arg = NULL;
        leg_free(&leg);
    }
    return arg;
}

START_TEST(threads_share_a_plugin)
{
    struct fixture f;
    pthread_t threads[4];
    fixture_init(&f, well_behaved);
    f.plugin.leg_size = sizeof(struct my_leg);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_logins, &f.provider), 0);
    for (int i = 0; i < 4; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        ck_assert_ptr_nonnull(result);
    }
    fixture_deinit(&f);
}
END_TEST

Suite *suite_step(void)
{
    Suite *s = suite_create("step");
    TCase *tc = tcase_create("step");
    tcase_add_test(tc, a_login_goes_through);
    tcase_add_test(tc, actions_out_of_order_are_refused);
    tcase_add_test(tc, events_out_of_order_are_refused);
    tcase_add_test(tc, budgets_end_a_leg);
    tcase_add_test(tc, values_are_resolved_by_the_leg_alone);
    tcase_add_test(tc, origins_are_whole);
    tcase_add_test(tc, threads_share_a_plugin);
    suite_add_tcase(s, tc);
    return s;
}
