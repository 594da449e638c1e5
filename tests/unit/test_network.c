/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/network.h"

#include <check.h>
#include <stddef.h>

Suite *suite_network(void);

START_TEST(addresses_become_networks)
{
    static const struct {
        const char *ip, *network;
    } all[] = {
        {"203.0.113.77", "203.0.113.0/24"},
        {"255.255.255.255", "255.255.255.0/24"},
        {"::ffff:198.51.100.9", "198.51.100.0/24"},
        {"2001:db8:1:2:3::4", "2001:db8:1::/48"},
        {"::1", "::/48"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff::/48"},
        {"", NULL},
        {"203.0.113", NULL},
        {"203.0.113.77:80", NULL},
        {"fe80::1%eth0", NULL},
        {"unix:", NULL},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char out[NETWORK_TEXT];
        const char *network = network_of(all[i].ip, out);
        if (all[i].network)
            ck_assert_str_eq(network, all[i].network);
        else
            ck_assert_ptr_null(network);
    }
}
END_TEST

Suite *suite_network(void)
{
    Suite *s = suite_create("network");
    TCase *tc = tcase_create("network");
    tcase_add_test(tc, addresses_become_networks);
    suite_add_tcase(s, tc);
    return s;
}
