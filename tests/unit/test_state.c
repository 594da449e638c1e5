/* SPDX-License-Identifier: Apache-2.0 */
#include "login/state.h"

#include <check.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/random.h"

Suite *suite_state(void);

#define NOW 1800000000
static const unsigned char key_a[32] = "0123456789abcdef0123456789abcdef";
static const unsigned char key_b[32] = "fedcba9876543210fedcba9876543210";
static const struct str bind_a = {"bind-of-browser-a", 17}, bind_b = {"bind-of-browser-b", 17};

static struct arena *arena;
static struct keyring *keys;

static void setup(void)
{
    arena = arena_new();
    keys = keyring_fixed(key_a);
}

static void teardown(void)
{
    keyring_free(&keys);
    arena_free(&arena);
}

static struct flow some_flow(void)
{
    struct flow f = {.provider = "discord",
                     .purpose = 1,
                     .started = NOW,
                     .return_to = "/x?y=z",
                     .carry = "c",
                     .account = "acct",
                     .issuer = "https://op.example",
                     .max_age = 300,
                     .iss_required = true,
                     .pkce_sent = true};
    flow_new_id(f.id);
    return f;
}

static char *seal(const struct flow *f)
{
    struct buf b;
    struct err err = ERR_INIT;
    buf_init(&b, STATE_MAX);
    ck_assert_int_eq(state_seal(keys, bind_a, f, &b, &err), 0);
    char *text = arena_str(arena, buf_view(&b));
    buf_deinit(&b);
    return text;
}

static enum err_kind unseal(struct str bind, struct str state, int64_t now, struct flow *out)
{
    struct err err = ERR_INIT;
    const struct flow *f = state_unseal(keys, bind, state, now, arena, &err);
    ck_assert(!f == (err.kind != ERR_NONE));
    if (f && out)
        *out = *f;
    return err.kind;
}

START_TEST(what_goes_in_comes_out)
{
    struct flow f = some_flow(), g;
    ck_assert_int_eq(unseal(bind_a, str_of(seal(&f)), NOW + 5, &g), ERR_NONE);
    ck_assert_mem_eq(g.id, f.id, 16);
    ck_assert_str_eq(g.provider, "discord");
    ck_assert_str_eq(g.return_to, "/x?y=z");
    ck_assert_str_eq(g.carry, "c");
    ck_assert_str_eq(g.account, "acct");
    ck_assert_str_eq(g.issuer, "https://op.example");
    ck_assert_ptr_null(g.pending);
    ck_assert_int_eq(g.purpose, 1);
    ck_assert_int_eq(g.started, NOW);
    ck_assert_int_eq(g.max_age, 300);
    ck_assert(g.iss_required && g.pkce_sent && !g.nonce_sent);
}
END_TEST

/* STATE-02, STATE-03: empty, blank, unknown but well formed. */
START_TEST(not_ours_is_invalid)
{
    char random[200], text[300];
    ck_assert_int_eq(unseal(bind_a, STR(""), NOW, NULL), ERR_INVALID);
    ck_assert_int_eq(unseal(bind_a, STR("   "), NOW, NULL), ERR_INVALID);
    rng_fill(random, sizeof random);
    text_b64url(random, sizeof random, text);
    ck_assert_int_eq(unseal(bind_a, str_of(text), NOW, NULL), ERR_INVALID);
    static char long_text[STATE_MAX + 5];
    memset(long_text, 'A', sizeof long_text - 1);
    ck_assert_int_eq(unseal(bind_a, str_of(long_text), NOW, NULL), ERR_INVALID);
}
END_TEST

/* STATE-04: one character cut, added, NUL appended, or any one changed. */
START_TEST(altered_is_invalid)
{
    struct flow f = some_flow();
    char *s = seal(&f);
    size_t n = strlen(s);
    ck_assert_int_eq(unseal(bind_a, (struct str){s, n - 1}, NOW, NULL), ERR_INVALID);
    ck_assert_int_eq(unseal(bind_a, (struct str){s + 1, n - 1}, NOW, NULL), ERR_INVALID);
    ck_assert_int_eq(unseal(bind_a, (struct str){s, n + 1}, NOW, NULL), ERR_INVALID);
    ck_assert_int_eq(unseal(bind_a, str_of(arena_printf(arena, "%sA", s)), NOW, NULL), ERR_INVALID);
    ck_assert_int_eq(unseal(bind_a, str_of(arena_printf(arena, "A%s", s)), NOW, NULL), ERR_INVALID);
    ck_assert_int_eq(unseal(bind_a, str_of(arena_printf(arena, "%s=", s)), NOW, NULL), ERR_INVALID);
    for (size_t i = 0; i < n; i++) {
        char was = s[i];
        s[i] = was == 'A' ? 'B' : 'A';
        ck_assert_int_eq(unseal(bind_a, (struct str){s, n}, NOW, NULL), ERR_INVALID);
        s[i] = was;
    }
    ck_assert_int_eq(unseal(bind_a, (struct str){s, n}, NOW, NULL), ERR_NONE);
}
END_TEST

/* STATE-05: byte-exact. */
START_TEST(letter_case_counts)
{
    struct flow f = some_flow();
    char *s = seal(&f);
    for (char *p = s; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    ck_assert_int_eq(unseal(bind_a, str_of(s), NOW, NULL), ERR_INVALID);
}
END_TEST

/* STATE-08: lifetime, and a clock set back. */
START_TEST(age_is_judged)
{
    struct flow f = some_flow();
    struct str s = str_of(seal(&f));
    ck_assert_int_eq(unseal(bind_a, s, NOW + STATE_LIFETIME, NULL), ERR_NONE);
    ck_assert_int_eq(unseal(bind_a, s, NOW + STATE_LIFETIME + 1, NULL), ERR_EXPIRED);
    ck_assert_int_eq(unseal(bind_a, s, NOW - 3600, NULL), ERR_EXPIRED);
    ck_assert_int_eq(unseal(bind_a, s, NOW - 5, NULL), ERR_NONE);
}
END_TEST

/* STATE-09, STATE-12: another browser, or one without the cookie. */
START_TEST(another_browser_is_refused)
{
    struct flow f = some_flow();
    struct str s = str_of(seal(&f));
    ck_assert_int_eq(unseal(bind_b, s, NOW, NULL), ERR_INVALID);
    ck_assert_int_eq(unseal(STR(""), s, NOW, NULL), ERR_INVALID);
    ck_assert_int_eq(unseal((struct str){bind_a.p, bind_a.n - 1}, s, NOW, NULL), ERR_INVALID);

    struct buf b;
    struct err err = ERR_INIT;
    buf_init(&b, STATE_MAX);
    ck_assert_int_eq(state_seal(keys, STR(""), &f, &b, &err), -1);
    buf_deinit(&b);
}
END_TEST

/* STATE-14: any number of flows in one browser, in any order. STATE-19: purpose and account travel.
 */
START_TEST(flows_are_independent)
{
    char *s[3];
    for (int i = 0; i < 3; i++) {
        struct flow f = some_flow();
        f.purpose = (uint32_t)i + 1;
        s[i] = seal(&f);
    }
    for (int i = 2; i >= 0; i--) {
        struct flow g;
        ck_assert_int_eq(unseal(bind_a, str_of(s[i]), NOW, &g), ERR_NONE);
        ck_assert_int_eq(g.purpose, i + 1);
    }
}
END_TEST

START_TEST(another_key_is_refused)
{
    struct flow f = some_flow();
    struct str s = str_of(seal(&f));
    keyring_free(&keys);
    keys = keyring_fixed(key_b);
    ck_assert_int_eq(unseal(bind_a, s, NOW, NULL), ERR_INVALID);
}
END_TEST

static char *target(const char *front, size_t path, size_t query)
{
    char *t = arena_alloc(arena, strlen(front) + path + query + 3);
    strcpy(t, front);
    memset(t + strlen(t), 'p', path);
    if (query) {
        strcat(t, "?");
        memset(t + strlen(t), 'q', query);
    }
    return t;
}

static void sealed_target_is(const char *return_to, const char *carry, const char *want)
{
    struct flow f = some_flow(), g;
    f.return_to = return_to;
    f.carry = carry;
    char *s = seal(&f);
    ck_assert_uint_le(strlen(s), STATE_MAX);
    ck_assert_int_eq(unseal(bind_a, str_of(s), NOW, &g), ERR_NONE);
    ck_assert_str_eq(g.return_to, want);
    ck_assert_str_eq(g.carry, carry);
}

START_TEST(return_to_gives_way)
{
    sealed_target_is(target("/", 200, 300), "", target("/", 200, 300));
    sealed_target_is(target("/", 200, 1700), "", target("/", 200, 0));
    sealed_target_is(target("/", 1900, 0), "", "/");
    sealed_target_is(target("https://app.example/", 100, 1700), "",
                     target("https://app.example/", 100, 0));
    sealed_target_is(target("https://app.example/", 1900, 10), "", "https://app.example/");
    sealed_target_is(target("/", 500, 0), target("", 1024, 0), "/");
    sealed_target_is(target("/", 10, 0), target("", 1024, 0), target("/", 10, 0));
}
END_TEST

START_TEST(what_never_fits_is_limited)
{
    struct flow f = some_flow();
    struct buf b;
    struct err err = ERR_INIT;
    f.carry = target("", 1400, 0);
    buf_init(&b, STATE_MAX);
    ck_assert_int_eq(state_seal(keys, bind_a, &f, &b, &err), -1);
    ck_assert_int_eq(err.kind, ERR_LIMITED);
    buf_deinit(&b);
}
END_TEST

/* LOGIN-29: verifier and nonce are found again from the state alone, and share nothing. */
START_TEST(verifier_and_nonce)
{
    struct flow f = some_flow(), g = some_flow();
    struct str s = str_of(seal(&f)), t = str_of(seal(&g));
    char v1[44], v2[44], n1[44], n2[44], c[44];
    ck_assert_int_eq(state_verifier(keys, s, f.id, v1), 0);
    ck_assert_int_eq(state_verifier(keys, s, f.id, v2), 0);
    ck_assert_str_eq(v1, v2);
    ck_assert_uint_eq(strlen(v1), 43);
    ck_assert_int_eq(state_nonce(keys, s, f.id, n1), 0);
    ck_assert_uint_eq(strlen(n1), 43);
    ck_assert_str_ne(v1, n1);
    ck_assert_int_eq(state_verifier(keys, t, g.id, v2), 0);
    ck_assert_int_eq(state_nonce(keys, t, g.id, n2), 0);
    ck_assert_str_ne(v1, v2);
    ck_assert_str_ne(n1, n2);
    ck_assert_ptr_null(strstr(s.p, v1));
    ck_assert_int_eq(state_verifier(keys, STR("AAAA"), f.id, v1), -1);
    ck_assert_int_eq(state_verifier(keys, STR("AAAAAAAAAAAAAAAA"), f.id, v1), -1);
    state_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", c); /* RFC 7636 appendix B */
    ck_assert_str_eq(c, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}
END_TEST

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 43);
}

/* LOGIN-29: many starts, no repeats. */
START_TEST(many_flows_do_not_repeat)
{
    enum { N = 20000 };
    static char seen[N * 2][44];
    struct flow f = some_flow();
    struct str s = str_of(seal(&f));
    for (size_t i = 0; i < N; i++) {
        flow_new_id(f.id);
        ck_assert_int_eq(state_verifier(keys, s, f.id, seen[2 * i]), 0);
        ck_assert_int_eq(state_nonce(keys, s, f.id, seen[2 * i + 1]), 0);
    }
    qsort(seen, N * 2, sizeof seen[0], compare);
    for (size_t i = 1; i < N * 2; i++)
        ck_assert_str_ne(seen[i], seen[i - 1]);
}
END_TEST

Suite *suite_state(void)
{
    Suite *s = suite_create("state");
    TCase *tc = tcase_create("state");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_goes_in_comes_out);
    tcase_add_test(tc, not_ours_is_invalid);
    tcase_add_test(tc, altered_is_invalid);
    tcase_add_test(tc, letter_case_counts);
    tcase_add_test(tc, age_is_judged);
    tcase_add_test(tc, another_browser_is_refused);
    tcase_add_test(tc, flows_are_independent);
    tcase_add_test(tc, another_key_is_refused);
    tcase_add_test(tc, return_to_gives_way);
    tcase_add_test(tc, what_never_fits_is_limited);
    tcase_add_test(tc, verifier_and_nonce);
    tcase_add_test(tc, many_flows_do_not_repeat);
    suite_add_tcase(s, tc);
    return s;
}
