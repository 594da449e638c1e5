/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>

#include "net/origin.h"

Suite *suite_origin(void);

static enum origin_class classify(const char *text)
{
    struct sockaddr_storage sa;

    ck_assert_msg(origin_parse(text, &sa), "%s", text);
    return origin_classify((struct sockaddr *)&sa, sizeof sa);
}

/* ADM-19 */
START_TEST(special_addresses_are_private)
{
    static const char *const list[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::2",
        "::7f00:1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fdff:ffff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "ffff::1",
    };

    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        ck_assert_msg(classify(list[i]) == ORIGIN_PRIVATE, "%s", list[i]);
}
END_TEST

START_TEST(loopback_is_its_own_class)
{
    ck_assert_int_eq(classify("127.0.0.1"), ORIGIN_LOOPBACK);
    ck_assert_int_eq(classify("127.255.255.255"), ORIGIN_LOOPBACK);
    ck_assert_int_eq(classify("::1"), ORIGIN_LOOPBACK);
    ck_assert_int_eq(classify("::ffff:127.0.0.1"), ORIGIN_LOOPBACK);
}
END_TEST

START_TEST(ordinary_addresses_are_public)
{
    static const char *const list[] = {
        "1.1.1.1",         "9.255.255.255",   "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",     "128.0.0.1",
        "126.255.255.255", "169.253.255.255", "172.15.255.255",
        "172.32.0.0",      "192.0.1.1",       "192.167.255.255",
        "198.17.255.255",  "198.20.0.0",      "223.255.255.255",
        "2606:4700::1111", "2a00::1",         "2001:4860:4860::8888",
        "2003::1",         "::ffff:8.8.8.8",  "64:ff9b::808:808",
    };

    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        ck_assert_msg(classify(list[i]) == ORIGIN_PUBLIC, "%s", list[i]);
}
END_TEST

START_TEST(what_is_no_address_is_private)
{
    struct sockaddr sa = {.sa_family = AF_UNIX};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x08080808)};

    ck_assert_int_eq(origin_classify(&sa, sizeof sa), ORIGIN_PRIVATE);
    ck_assert_int_eq(origin_classify((struct sockaddr *)&v4, 4), ORIGIN_PRIVATE);
    ck_assert_int_eq(origin_classify((struct sockaddr *)&v4, sizeof v4), ORIGIN_PUBLIC);
}
END_TEST

START_TEST(parse_takes_plain_forms_only)
{
    static const char *const bad[] = {"",           "127.1",     "0x7f.0.0.1", "0177.0.0.1",
                                      "2130706433", "localhost", "[::1]",      "::1%lo",
                                      "1.2.3.4 ",   "1.2.3.4.5", "1.2.3.256"};
    struct sockaddr_storage sa;
    char text[64];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!origin_parse(bad[i], &sa), "%s", bad[i]);
    ck_assert(origin_parse("2001:DB8:0::1", &sa));
    origin_text((struct sockaddr *)&sa, text);
    ck_assert_str_eq(text, "2001:db8::1");
    ck_assert(origin_parse("::ffff:192.0.2.1", &sa));
    origin_text((struct sockaddr *)&sa, text);
    ck_assert_str_eq(text, "192.0.2.1");
}
END_TEST

static bool has(const struct origin_nets *n, const char *text)
{
    struct sockaddr_storage sa;

    ck_assert(origin_parse(text, &sa));
    return origin_nets_has(n, (struct sockaddr *)&sa);
}

START_TEST(networks)
{
    static const char *const list[] = {"127.0.0.1", "10.0.0.0/8",    "192.168.4.0/22",
                                       "::1",       "2001:db8::/33", NULL};
    const char *bad = NULL;
    struct origin_nets *n = origin_nets_parse(list, &bad);

    ck_assert_ptr_nonnull(n);
    ck_assert(has(n, "127.0.0.1"));
    ck_assert(!has(n, "127.0.0.2"));
    ck_assert(has(n, "10.255.0.1"));
    ck_assert(has(n, "::ffff:10.1.2.3"));
    ck_assert(!has(n, "11.0.0.0"));
    ck_assert(has(n, "192.168.7.255"));
    ck_assert(!has(n, "192.168.8.0"));
    ck_assert(has(n, "::1"));
    ck_assert(has(n, "2001:db8:7fff::1"));
    ck_assert(!has(n, "2001:db8:8000::1"));
    origin_nets_free(&n);
    ck_assert_ptr_null(n);
}
END_TEST

START_TEST(everything_and_nothing)
{
    static const char *const all[] = {"0.0.0.0/0", NULL};
    static const char *const none[] = {NULL};
    const char *bad = NULL;
    struct origin_nets *n = origin_nets_parse(all, &bad);

    ck_assert(has(n, "8.8.8.8"));
    ck_assert(!has(n, "2001:db8::1"));
    origin_nets_free(&n);
    n = origin_nets_parse(none, &bad);
    ck_assert(!has(n, "127.0.0.1"));
    origin_nets_free(&n);
}
END_TEST

START_TEST(bad_networks_are_named)
{
    static const char *const list[] = {
        "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.1/8",  "x/8",
        "::1/129",     "",          "127.1/8",     "10.0.0.0/8/8"};

    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        const char *const one[] = {"127.0.0.1", list[i], NULL};
        const char *bad = NULL;

        ck_assert_msg(!origin_nets_parse(one, &bad), "%s", list[i]);
        ck_assert_ptr_eq(bad, list[i]);
    }
}
END_TEST

Suite *suite_origin(void)
{
    Suite *s = suite_create("origin");
    TCase *t = tcase_create("origin");

    tcase_add_test(t, special_addresses_are_private);
    tcase_add_test(t, loopback_is_its_own_class);
    tcase_add_test(t, ordinary_addresses_are_public);
    tcase_add_test(t, what_is_no_address_is_private);
    tcase_add_test(t, parse_takes_plain_forms_only);
    tcase_add_test(t, networks);
    tcase_add_test(t, everything_and_nothing);
    tcase_add_test(t, bad_networks_are_named);
    suite_add_tcase(s, t);
    return s;
}
