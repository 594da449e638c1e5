/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/user_code.h"

#include <check.h>

#include "sys/random.h"

Suite *suite_user_code(void);

static unsigned char next;

static void counting(void *ctx, void *out, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)out)[i] = next++;
}

START_TEST(a_code_is_eight_letters_and_a_hyphen)
{
    char code[USER_CODE_LEN + 1], again[USER_CODE_LEN + 1];
    for (int n = 0; n < 1000; n++) {
        user_code_make(code);
        ck_assert_uint_eq(strlen(code), USER_CODE_LEN);
        for (size_t i = 0; i < USER_CODE_LEN; i++)
            ck_assert(i == 4 ? code[i] == '-' : strchr("BCDFGHJKLMNPQRSTVWXZ", code[i]) != NULL);
        ck_assert(user_code_read(code, again));
        ck_assert_str_eq(code, again);
    }
}
END_TEST

/* 256 is no multiple of 20: the bytes beyond 240 are thrown away, so no letter comes more often. */
START_TEST(every_letter_is_as_likely)
{
    char code[USER_CODE_LEN + 1];
    unsigned count[256] = {0};
    next = 0;
    rng_set_source(counting, NULL);
    for (int n = 0; n < 30; n++) {
        user_code_make(code);
        for (size_t i = 0; i < USER_CODE_LEN; i++)
            count[(unsigned char)code[i]]++;
    }
    rng_set_source(NULL, NULL);
    for (const char *ch = "BCDFGHJKLMNPQRSTVWXZ"; *ch; ch++)
        ck_assert_uint_eq(count[(unsigned char)*ch], 12);
    /* The next one reaches those bytes first. */
    rng_set_source(counting, NULL);
    user_code_make(code);
    rng_set_source(NULL, NULL);
    ck_assert_str_eq(code, "BCDF-GHJK");
}
END_TEST

START_TEST(it_may_be_typed_in_many_ways)
{
    static const char *const ways[] = {"WDJB-MJHT",       "wdjbmjht",      " wdjb mjht ",
                                       "W-D-J-B-M-J-H-T", "wDjB - mJhT\t", "WDJBMJHT--",
                                       "-WDJBMJHT"};
    static const char *const wrong[] = {"",          "WDJB-MJH",  "WDJB-MJHTB",       "WDJB-MJHA",
                                        "WDJB-MJH0", "WDJB_MJHT", "WDJB-MJH\xc3\x84", "--------"};
    unsigned char hash[32], first[32];
    char code[USER_CODE_LEN + 1];
    user_code_hash("WDJB-MJHT", first);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        ck_assert_msg(user_code_read(ways[i], code), "%s", ways[i]);
        user_code_hash(code, hash);
        ck_assert_mem_eq(hash, first, sizeof hash);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!user_code_read(wrong[i], code), "%s", wrong[i]);
}
END_TEST

Suite *suite_user_code(void)
{
    Suite *s = suite_create("user_code");
    TCase *tc = tcase_create("user_code");
    tcase_add_test(tc, a_code_is_eight_letters_and_a_hyphen);
    tcase_add_test(tc, every_letter_is_as_likely);
    tcase_add_test(tc, it_may_be_typed_in_many_ways);
    suite_add_tcase(s, tc);
    return s;
}
