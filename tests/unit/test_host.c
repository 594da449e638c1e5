/* SPDX-License-Identifier: Apache-2.0 */
/* provider/host: what a plugin may call, and what it gets. */
#include "provider/host.h"

#include <check.h>
#include <dirent.h>
#include <string.h>

#include "plugin_fixture.h"
#include "provider/load.h"
#include "sys/conf.h"
#include "token_kit.h"

Suite *suite_host(void);

static struct fixture f;
static struct host host;
static struct arena *arena;
static struct usher_call *call;

static void nothing(struct usher_call *c, const struct usher_event *ev, struct usher_action *a)
{
    (void)c;
    (void)ev;
    a->kind = USHER_FAIL;
}

static void setup(void)
{
    fixture_init(&f, nothing);
    arena = arena_new();
    host_init(&host, &f.provider, USHER_FLOW_LOGIN, arena, 100000);
    call = &host.call;
}

static void teardown(void)
{
    arena_free(&arena);
    fixture_deinit(&f);
}

static int run(void (*fn)(struct host *h, void *arg), void *arg, struct err *err)
{
    err_clear(err);
    host_init(&host, &f.provider, USHER_FLOW_LOGIN, arena, 100000);
    return host_run(&host, fn, arg, err);
}

START_TEST(json_is_read_leniently_and_safely)
{
    const struct usher_host *h = call->host;
    const struct usher_json *j = fixture_json(
        &f, "{\"t\":\"x\",\"n\":5,\"s\":\"12\",\"r\":1.5,\"big\":1e300,\"b\":true,\"bs\":\"false\","
            "\"one\":1,\"z\":null,\"a\":[1,2],\"o\":{\"k\":\"v\"},\"neg\":\"-3\"}");
    int64_t n = 0;
    ck_assert_str_eq(h->json_text(call, j, "/t"), "x");
    ck_assert_ptr_null(h->json_text(call, j, "/n"));
    ck_assert_ptr_null(h->json_text(call, NULL, "/t"));
    ck_assert_ptr_null(h->json_text(call, j, NULL));
    ck_assert(h->json_int(call, j, "/n", &n) && n == 5);
    ck_assert(h->json_int(call, j, "/s", &n) && n == 12);
    ck_assert(h->json_int(call, j, "/neg", &n) && n == -3);
    ck_assert(!h->json_int(call, j, "/r", &n) && !h->json_int(call, j, "/big", &n));
    ck_assert(!h->json_int(call, j, "/t", &n) && !h->json_int(call, NULL, "", &n));
    ck_assert_int_eq(h->json_bool(call, j, "/b"), 1);
    ck_assert_int_eq(h->json_bool(call, j, "/bs"), 0);
    ck_assert_int_eq(h->json_bool(call, j, "/one"), 1);
    ck_assert_int_eq(h->json_bool(call, j, "/n"), -1);
    ck_assert_int_eq(h->json_bool(call, j, "/z"), -1);
    ck_assert_uint_eq(h->json_type(call, j, "/z"), USHER_JSON_NULL);
    ck_assert_uint_eq(h->json_type(call, j, "/none"), USHER_JSON_NONE);
    ck_assert_uint_eq(h->json_type(call, j, ""), USHER_JSON_OBJECT);
    ck_assert_uint_eq(h->json_count(call, j, "/a"), 2);
    ck_assert_uint_eq(h->json_count(call, j, "/o"), 1);
    ck_assert_uint_eq(h->json_count(call, j, "/t"), 0);
    ck_assert_str_eq(h->json_text(call, h->json_at(call, j, "/o"), "/k"), "v");
    ck_assert_ptr_null(h->json_at(call, j, "/none"));
}
END_TEST

START_TEST(settings_never_give_secrets)
{
    const struct usher_host *h = call->host;
    ck_assert_str_eq(h->setting(call, "client_id"), "client");
    ck_assert_str_eq(h->setting(call, "client_secret"), "");
    f.provider.common.client_secret.set = false;
    ck_assert_ptr_null(h->setting(call, "client_secret"));
    ck_assert_str_eq(h->setting(call, "scopes"), "openid"); /* the plugin's */
    const char *const own[] = {"a", "b", NULL};
    f.provider.common.scopes = own;
    ck_assert_str_eq(h->setting(call, "scopes"), "a b");
    ck_assert_ptr_null(h->setting(call, "ca_file"));
    ck_assert_ptr_null(h->setting(call, "nothing"));
    ck_assert_ptr_null(h->setting(call, NULL));
}
END_TEST

static void long_text(struct host *h, void *arg)
{
    (void)arg;
    for (;;)
        h->call.host->text(&h->call, "%s", "0123456789");
}

static void wide_text(struct host *h, void *arg)
{
    (void)arg;
    h->call.host->text(&h->call, "%*s", 1 << 30, "");
}

START_TEST(memory_is_counted)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(run(long_text, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "used up its memory"));
    ck_assert_int_eq(run(wide_text, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "more than 65536 bytes"));
    ck_assert_str_eq(call->host->text(call, "%s-%d", "a", 5), "a-5");
    char *p = call->host->alloc(call, 16);
    for (int i = 0; i < 16; i++)
        ck_assert_int_eq(p[i], 0);
    ck_assert_ptr_nonnull(call->host->alloc(call, 0));
}
END_TEST

/* `check` has no flow: clock, randomness and the rest are not for it. */
static void ask_the_time(struct host *h, void *arg)
{
    (void)arg;
    h->checking = true;
    h->call.host->now(&h->call);
}
static void ask_for_luck(struct host *h, void *arg)
{
    h->checking = true;
    h->call.host->random(&h->call, arg, 4);
}

START_TEST(check_may_call_little)
{
    struct err err = ERR_INIT;
    unsigned char luck[4];
    ck_assert_int_eq(run(ask_the_time, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "host function now"));
    ck_assert_int_eq(run(ask_for_luck, luck, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "host function random"));
}
END_TEST

START_TEST(proofs_need_both_halves)
{
    struct secret *token = secret_new("what do ya want for nothing?", 28);
    conf_secrets_set(f.secrets, "jefe", secret_new("Jefe", 4));
    ck_assert_ptr_null(call->host->token_proof(call, "jefe"));
    host.token = token;
    ck_assert_ptr_null(call->host->token_proof(call, "nothing"));
    ck_assert_ptr_null(call->host->token_proof(call, NULL));
    /* RFC 4231, test case 2 */
    ck_assert_str_eq(call->host->token_proof(call, "jefe"),
                     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    secret_free(&token);
}
END_TEST

struct signing {
    const char *setting, *alg, *claims;
    const char *token;
};

static void sign(struct host *h, void *arg)
{
    struct signing *s = arg;
    s->token = h->call.host->jws_sign(&h->call, s->setting, s->alg, "kid-1", s->claims);
}

static void add_key(void)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem = NULL;
    ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    long n = BIO_get_mem_data(bio, &pem);
    conf_secrets_set(f.secrets, "key", secret_new(pem, (size_t)n));
    BIO_free(bio);
    EVP_PKEY_free(pkey);
}

START_TEST(signing_works_or_ends_the_leg)
{
    struct err err = ERR_INIT;
    struct jws jws;
    struct signing good = {"key", "ES256", "{\"iss\":\"client\"}", NULL};
    add_key();
    ck_assert_msg(run(sign, &good, &err) == 0, "%s", err.text);
    ck_assert_int_eq(jws_decode(str_of(good.token), &jws, &err), 0);
    ck_assert_str_eq(jval_text(jval_get(jws.payload, "iss")), "client");
    ck_assert_str_eq(jval_text(jval_get(jws.header, "kid")), "kid-1");
    jws_deinit(&jws);
    struct signing bad[] = {{"client_secret", "ES256", "{}", NULL},
                            {"nothing", "ES256", "{}", NULL},
                            {"key", "none", "{}", NULL},
                            {"key", "HS256", "{}", NULL},
                            {"key", "RS256", "{}", NULL},
                            {"key", "ES256", "[]", NULL},
                            {"key", "ES256", "{", NULL},
                            {"key", NULL, "{}", NULL},
                            {NULL, "ES256", "{}", NULL},
                            {"key", "ES256", NULL, NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(run(sign, &bad[i], &err), -1);
        ck_assert_ptr_null(bad[i].token);
        ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
    }
}
END_TEST

/* ---- PLUG-09: nothing is left behind --------------------------------------------------------- */

static unsigned open_files(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

START_TEST(ten_thousand_logins_leave_nothing)
{
    const char *build = getenv("top_builddir");
    char dir[512];
    struct err err = ERR_INIT;
    snprintf(dir, sizeof dir, "%s/plugins/.libs", build ? build : ".");
    const struct usher_provider *first = plugin_load(dir, "discord", &err);
    ck_assert_msg(first != NULL, "%s", err.text);
    unsigned before = open_files();
    for (int i = 0; i < 200; i++) {
        ck_assert_ptr_eq(plugin_load(dir, "discord", &err), first);
        err_clear(&err);
        ck_assert_ptr_null(plugin_load(dir, "nowhere", &err));
        err_clear(&err);
    }
    for (int i = 0; i < 10000; i++) { /* leaks of memory are the sanitizer's to tell */
        fixture_leg(&f, NULL);
        ck_assert_int_eq(fixture_start(&f), 0);
    }
    ck_assert_uint_eq(open_files(), before);
}
END_TEST

Suite *suite_host(void)
{
    Suite *s = suite_create("host");
    TCase *tc = tcase_create("host");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, json_is_read_leniently_and_safely);
    tcase_add_test(tc, settings_never_give_secrets);
    tcase_add_test(tc, memory_is_counted);
    tcase_add_test(tc, check_may_call_little);
    tcase_add_test(tc, proofs_need_both_halves);
    tcase_add_test(tc, signing_works_or_ends_the_leg);
    tcase_add_test(tc, ten_thousand_logins_leave_nothing);
    suite_add_tcase(s, tc);
    return s;
}
