/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/slots.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

Suite *suite_slots(void);

static struct slots *slots;
static struct conf_secrets *secrets;
static struct provider p;

static void put(const char *key, const char *value)
{
    conf_secrets_set(secrets, key, secret_new(value, strlen(value)));
}

static void setup(void)
{
    slots = slots_new();
    secrets = conf_secrets_new();
    p = (struct provider){.id = "test", .secrets = secrets};
    put("client_secret", "one");
}

static void teardown(void)
{
    slots_free(&slots);
    conf_secrets_free(&secrets);
}

START_TEST(the_active_one_comes_first)
{
    enum provider_slot other;
    ck_assert_int_eq(slots_first(slots, &p), PROVIDER_ACTIVE);
    ck_assert_int_eq(slots_first(NULL, &p), PROVIDER_ACTIVE);
    ck_assert(!slots_other(&p, 1u << PROVIDER_ACTIVE, &other));
    put("client_secret_next", "two");
    ck_assert_int_eq(slots_first(slots, &p), PROVIDER_ACTIVE);
    ck_assert(slots_other(&p, 1u << PROVIDER_ACTIVE, &other));
    ck_assert_int_eq(other, PROVIDER_NEXT);
    ck_assert(!slots_other(&p, 1u << PROVIDER_ACTIVE | 1u << PROVIDER_NEXT, &other));
    put("client_secret_retiring", "three");
    ck_assert(slots_other(&p, 1u << PROVIDER_ACTIVE | 1u << PROVIDER_NEXT, &other));
    ck_assert_int_eq(other, PROVIDER_RETIRING);
}
END_TEST

/* The same bytes in another slot would only be refused once more. */
START_TEST(equal_secrets_are_one)
{
    enum provider_slot other;
    put("client_secret_next", "one");
    ck_assert(!slots_other(&p, 1u << PROVIDER_ACTIVE, &other));
    put("client_secret_retiring", "three");
    ck_assert(slots_other(&p, 1u << PROVIDER_ACTIVE, &other));
    ck_assert_int_eq(other, PROVIDER_RETIRING);
}
END_TEST

/* Single flight: of many that find it out, one hears it; in both directions. */
START_TEST(a_change_is_told_once)
{
    put("client_secret_next", "two");
    ck_assert(slots_fell_over(slots, &p, PROVIDER_NEXT));
    for (int i = 0; i < 100; i++)
        ck_assert(!slots_fell_over(slots, &p, PROVIDER_NEXT));
    ck_assert_int_eq(slots_first(slots, &p), PROVIDER_NEXT);
    ck_assert(slots_fell_over(slots, &p, PROVIDER_ACTIVE));
    ck_assert(!slots_fell_over(slots, &p, PROVIDER_ACTIVE));
    ck_assert_int_eq(slots_first(slots, &p), PROVIDER_ACTIVE);
    ck_assert(!slots_fell_over(NULL, &p, PROVIDER_NEXT));
    ck_assert(!slots_fell_over(slots, &p, PROVIDER_RETIRING)); /* there is none */
}
END_TEST

/* A promotion moves the secret to another slot: still the same secret, for logins on the new
 * registry and for those that hold the old one. */
START_TEST(what_is_remembered_is_the_secret)
{
    put("client_secret_next", "two");
    ck_assert(slots_fell_over(slots, &p, PROVIDER_NEXT));
    struct conf_secrets *after = conf_secrets_new();
    const struct provider promoted = {.id = "test", .secrets = after};
    conf_secrets_set(after, "client_secret", secret_new("two", 3));
    conf_secrets_set(after, "client_secret_next", secret_new("four", 4));
    conf_secrets_set(after, "client_secret_retiring", secret_new("one", 3));
    ck_assert_int_eq(slots_first(slots, &promoted), PROVIDER_ACTIVE);
    ck_assert_int_eq(slots_first(slots, &p), PROVIDER_NEXT);
    ck_assert(!slots_fell_over(slots, &p, PROVIDER_NEXT)); /* a late login on the old one */
    conf_secrets_set(after, "client_secret", secret_new("five", 4));
    ck_assert_int_eq(slots_first(slots, &promoted), PROVIDER_ACTIVE); /* forgotten by itself */
    conf_secrets_free(&after);
}
END_TEST

START_TEST(providers_do_not_share)
{
    put("client_secret_next", "two");
    struct provider other = p;
    other.id = "other";
    ck_assert(slots_fell_over(slots, &p, PROVIDER_NEXT));
    ck_assert_int_eq(slots_first(slots, &other), PROVIDER_ACTIVE);
    ck_assert(slots_fell_over(slots, &other, PROVIDER_NEXT));
}
END_TEST

START_TEST(memory_is_bounded)
{
    put("client_secret_next", "two");
    ck_assert(slots_fell_over(slots, &p, PROVIDER_NEXT));
    for (int i = 0; i < 600; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%d", i);
        const struct provider many = {.id = id, .secrets = secrets};
        ck_assert(slots_fell_over(slots, &many, PROVIDER_NEXT));
        ck_assert_int_eq(slots_first(slots, &many), PROVIDER_NEXT);
    }
    ck_assert_int_eq(slots_first(slots, &p), PROVIDER_ACTIVE); /* forgotten: found out again */
}
END_TEST

Suite *suite_slots(void)
{
    Suite *s = suite_create("slots");
    TCase *tc = tcase_create("slots");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_active_one_comes_first);
    tcase_add_test(tc, equal_secrets_are_one);
    tcase_add_test(tc, a_change_is_told_once);
    tcase_add_test(tc, what_is_remembered_is_the_secret);
    tcase_add_test(tc, providers_do_not_share);
    tcase_add_test(tc, memory_is_bounded);
    suite_add_tcase(s, tc);
    return s;
}
