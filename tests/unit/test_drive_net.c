/* SPDX-License-Identifier: Apache-2.0 */
#include "login/drive_net.h"

#include "fetch_fixture.h"
#include "sys/jose.h"

Suite *suite_drive_net(void);

static struct drive_net *net;
static const struct drive_io *io;
static const struct provider one = {
    .id = "one", .allow_http_loopback = true, .common = {.timeout = 5, .user_agent = "one/1"}};
static const struct provider two = {
    .id = "two", .allow_http_loopback = true, .common = {.timeout = 5, .user_agent = "two/2"}};

static void setup(void)
{
    fixture_setup();
    fetch_fx.stub = stub_start(fixture_echo, &fetch_fx);
    net = drive_net_new(fetch_fx.loop, fetch_fx.fetch);
    io = drive_net_io(net);
}

static void teardown(void)
{
    drive_net_free(&net);
    ck_assert_ptr_null(net);
    fixture_teardown();
}

static void fetch_from(const struct provider *p)
{
    struct got g = {.done = false};
    const struct fetch_request rq = {.url = fixture_url("/x")};
    ck_assert_ptr_nonnull(io->fetch(io->ctx, p, &rq, fixture_keep, &g));
    ck_assert(!g.done);
    fixture_until(&g.done);
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_uint_eq(g.calls, 1);
}

/* One pool per provider, kept: its connection is there for the next request, its settings are its
 * own. */
START_TEST(pools_are_kept_by_provider)
{
    fetch_from(&one);
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "one/1"));
    fetch_from(&one);
    ck_assert_uint_eq(stub_connections(fetch_fx.stub), 1);
    fetch_from(&two);
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "two/2"));
    fetch_from(&one);
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "one/1"));
}
END_TEST

/* CONF-09: after a reload a provider's requests go out by its new settings, a leg that began before
 * goes on by the old ones. */
START_TEST(pools_follow_settings)
{
    struct provider changed = one;
    struct conf_problems problems;
    const struct registry_options none = {.plugin_dir = "/nonexistent"};
    changed.common.user_agent = "changed/3";
    fetch_from(&one);
    fetch_from(&two);
    fetch_from(&changed);
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "changed/3"));
    fetch_from(&one);
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "one/1"));

    struct got g = {.done = false};
    const struct fetch_request rq = {.url = fixture_url("/x")};
    (void)io->fetch(io->ctx, &one, &rq, fixture_keep, &g);
    conf_problems_init(&problems);
    struct registry *empty = registry_load(&none, &problems);
    drive_net_keep(net, empty); /* with a request under way */
    fixture_until(&g.done);
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    drive_net_keep(net, empty);
    ck_assert_uint_eq(drive_net_pools(net), 0);
    fetch_from(&two);
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "two/2"));
    registry_free(&empty);
    conf_problems_deinit(&problems);
}
END_TEST

/* What a draft fetched by authorities of its own is not handed to the provider in force. */
START_TEST(copies_belong_to_settings)
{
    static const char *const hosts[] = {"idp.internal", NULL};
    struct provider draft = one;
    const struct cache_request rq = {.url = fixture_url("/doc"), .ttl_seconds = 60};
    draft.common.allow_private = hosts;
    for (int i = 0; i < 4; i++) {
        struct got g = {.done = false};
        io->cached(io->ctx, i % 2 ? &one : &draft, &rq, fixture_keep, &g);
        fixture_until(&g.done);
        ck_assert_uint_eq(stub_requests(fetch_fx.stub), i == 0 ? 1 : 2);
    }
}
END_TEST

/* As many drafts as anybody likes. */
START_TEST(pools_are_bounded)
{
    struct provider draft = one;
    for (int i = 0; i < 2000; i++) {
        struct got g = {.done = false};
        const struct fetch_request rq = {.url = fixture_url("/x")};
        draft.common.timeout = 1 + i;
        void *call = io->fetch(io->ctx, &draft, &rq, fixture_keep, &g);
        io->cancel(io->ctx, call);
    }
    ck_assert_uint_eq(drive_net_pools(net), 512);
    fetch_from(&one);
    fetch_from(&two);
}
END_TEST

START_TEST(cached_answers_are_shared)
{
    struct got g = {.done = false}, h = {.done = false};
    const struct cache_request rq = {.url = fixture_url("/doc"), .ttl_seconds = 60};
    io->cached(io->ctx, &one, &rq, fixture_keep, &g);
    io->cached(io->ctx, &one, &rq, fixture_keep, &h);
    fixture_until(&g.done);
    fixture_until(&h.done);
    ck_assert_str_eq(g.body, h.body);
    ck_assert_uint_eq(stub_requests(fetch_fx.stub), 1);
    struct got again = {.done = false};
    io->cached(io->ctx, &one, &rq, fixture_keep, &again);
    fixture_until(&again.done);
    ck_assert_uint_eq(stub_requests(fetch_fx.stub), 1);
}
END_TEST

START_TEST(cancelled_calls_stay_silent)
{
    struct got g = {.done = false}, h = {.done = false};
    const struct fetch_request rq = {.url = fixture_url("/x")};
    const struct cache_request doc = {.url = fixture_url("/doc"), .ttl_seconds = 60};
    void *first = io->fetch(io->ctx, &one, &rq, fixture_keep, &g);
    void *second = io->cached(io->ctx, &one, &doc, fixture_keep, &h);
    io->cancel(io->ctx, first);
    io->cancel(io->ctx, second);
    fetch_from(&two);
    fixture_ms(50);
    ck_assert_uint_eq(g.calls, 0);
    ck_assert_uint_eq(h.calls, 0);
}
END_TEST

static const char *set_text(struct arena *a, const char *kid)
{
    struct jws_key *key = jws_key_make(JWS_ES256);
    struct jval *set = jval_new_object(), *list = jval_new_array();
    struct buf b;
    jval_push(list, jws_key_public(key, JWS_ES256, kid));
    jval_set(set, "keys", list);
    buf_init(&b, 4096);
    jval_render(set, &b);
    const char *text = arena_dup(a, b.p);
    buf_deinit(&b);
    jval_free(&set);
    jws_key_free(&key);
    return text;
}

/* Parsed once while the body stays the same; JWT-41: after a body that is no set, the last good one
 * is as good as before. */
START_TEST(jwt_41_key_sets_are_kept)
{
    static const char url[] = "https://op.example/keys";
    struct arena *a = arena_new();
    struct err err = ERR_INIT;
    const char *old = set_text(a, "old"), *new = set_text(a, "new");
    struct jwks *first = io->keys(io->ctx, url, str_of(old), &err);
    struct jwks *again = io->keys(io->ctx, url, str_of(old), &err);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_eq(first, again);
    ck_assert_ptr_null(io->keys(io->ctx, url, STR("{\"keys\":[]}"), &err));
    ck_assert_int_ne(err.kind, ERR_NONE);
    err_clear(&err);
    jwks_free(&again);
    again = io->keys(io->ctx, url, str_of(old), &err);
    ck_assert_ptr_nonnull(again);
    struct jwks *other = io->keys(io->ctx, url, str_of(new), &err);
    ck_assert_ptr_ne(first, other);
    jwks_free(&first);
    jwks_free(&again);
    jwks_free(&other);
    arena_free(&a);
}
END_TEST

/* The same for documents; what is malformed is none. */
START_TEST(documents_are_kept)
{
    static const char url[] = "https://op.example/doc";
    struct jval *first = io->json(io->ctx, url, STR("{\"a\":1}"));
    struct jval *again = io->json(io->ctx, url, STR("{\"a\":1}"));
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_eq(first, again);
    ck_assert_ptr_null(io->json(io->ctx, url, STR("{\"a\":1,\"a\":2}")));
    struct jval *other = io->json(io->ctx, url, STR("{\"a\":2}"));
    ck_assert_ptr_nonnull(other);
    ck_assert_ptr_ne(first, other);
    jval_free(&first);
    jval_free(&again);
    jval_free(&other);
}
END_TEST

Suite *suite_drive_net(void)
{
    Suite *s = suite_create("drive_net");
    TCase *tc = tcase_create("drive_net");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, pools_are_kept_by_provider);
    tcase_add_test(tc, pools_follow_settings);
    tcase_add_test(tc, copies_belong_to_settings);
    tcase_add_test(tc, pools_are_bounded);
    tcase_add_test(tc, cached_answers_are_shared);
    tcase_add_test(tc, cancelled_calls_stay_silent);
    tcase_add_test(tc, jwt_41_key_sets_are_kept);
    tcase_add_test(tc, documents_are_kept);
    suite_add_tcase(s, tc);
    return s;
}
