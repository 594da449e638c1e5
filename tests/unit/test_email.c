/* SPDX-License-Identifier: Apache-2.0 */
#include "base/email.h"

#include <check.h>

Suite *suite_email(void);

static void taken(const char *raw, const char *want, const char *domain)
{
    struct email e;
    ck_assert_msg(email_parse(str_of(raw), &e), "%s", raw);
    ck_assert_str_eq(e.text, want);
    ck_assert_str_eq(e.domain, domain);
}

static void refused(const char *raw)
{
    struct email e;
    ck_assert_msg(!email_parse(str_of(raw), &e), "%s", raw);
}

/* ACCT-10: the domain is folded, the local part is not. */
START_TEST(acct_10_case)
{
    taken("Foo.Bar+tag@Example.COM", "Foo.Bar+tag@example.com", "example.com");
    taken("a@b.example", "a@b.example", "b.example");
    taken("o'neil@xn--bcher-kva.example", "o'neil@xn--bcher-kva.example", "xn--bcher-kva.example");
    taken("odd..dots.@docomo.example", "odd..dots.@docomo.example", "docomo.example");
}
END_TEST

/* ACCT-12 */
START_TEST(acct_12_tricks)
{
    refused("");
    refused("@");
    refused("a@");
    refused("@example.com");
    refused("example.com");
    refused("a@evil.example@corp.example");
    refused("\"a@evil.example\"@corp.example");
    refused("\"a b\"@corp.example");
    refused("a@corp.example,b@evil.example");
    refused("a@corp.example, b@evil.example");
    refused("<a@corp.example>");
    refused("Ann <a@corp.example>");
    refused("a@corp.example.");
    refused("a@corp.example ");
    refused(" a@corp.example");
    refused("a@corp .example");
    refused("a@.corp.example");
    refused("a@corp..example");
    refused("a@-corp.example");
    refused("a@[127.0.0.1]");
    refused("a@[IPv6:::1]");
    refused("a@127.0.0.1");
    refused("a@corp.example(comment)");
    refused("(comment)a@corp.example");
    refused("a@corp.example\n");
    refused("a\r\nBcc:b@corp.example");
    refused("\xc3\xa4@corp.example");
    refused("a@b\xc3\xbc"
            "cher.example");
    refused("a@corp_x.example");
    struct email e;
    ck_assert(!email_parse(STR("a\0@corp.example"), &e));
    ck_assert(!email_parse(STR("a@corp.example\0"), &e));
}
END_TEST

START_TEST(lengths)
{
    char raw[400];
    struct email e;
    memset(raw, 'a', sizeof raw);
    memcpy(raw + 64, "@example.com", 12);
    ck_assert(email_parse((struct str){raw, 76}, &e));
    memcpy(raw + 65, "@example.com", 12);
    raw[64] = 'a';
    ck_assert(!email_parse((struct str){raw, 77}, &e));
    memset(raw, 'a', sizeof raw);
    raw[1] = '@';
    for (size_t i = 50; i < 254; i += 50)
        raw[i] = '.';
    ck_assert(email_parse((struct str){raw, 254}, &e));
    ck_assert(!email_parse((struct str){raw, 255}, &e));
}
END_TEST

Suite *suite_email(void)
{
    Suite *s = suite_create("email");
    TCase *tc = tcase_create("email");
    tcase_add_test(tc, acct_10_case);
    tcase_add_test(tc, acct_12_tricks);
    tcase_add_test(tc, lengths);
    suite_add_tcase(s, tc);
    return s;
}
