/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rule.h"

#include <check.h>
#include <string.h>

#include "usher/provider.h"

Suite *suite_rule(void);

static struct arena *a;
static struct app_subject ann, nobody;

static void setup(void)
{
    a = arena_new();
    nobody = app_nobody("192.0.2.7");
    ann = (struct app_subject){.signed_in = true,
                               .account = "acct1",
                               .provider = "discord",
                               .email = "Ann@example.com",
                               .email_evidence = USHER_EVIDENCE_PRIMARY_VERIFIED,
                               .groups = "discord:1,discord:the crew,discord:a%2Cb,discord:%C3%AB",
                               .roles = "editor,wiki.reader",
                               .permissions = "wiki:read",
                               .client = "192.0.2.7"};
}

static void teardown(void)
{
    arena_free(&a);
}

static const struct rule *parsed(const char *text)
{
    struct err err = ERR_INIT;
    const struct rule *r = NULL;
    ck_assert_msg(rule_parse(str_of(text), a, &r, &err) == 0, "%s: %s", text, err.text);
    return r;
}

static void asked(const char *text, const struct app_subject *s, enum rule_truth want)
{
    const enum rule_truth t = rule_ask(parsed(text), s);
    ck_assert_msg(t == want, "%s: %s", text, rule_truth_name(t));
}

static void refused(const char *text, const char *want)
{
    struct err err = ERR_INIT;
    const struct rule *r = NULL;
    ck_assert_msg(rule_parse(str_of(text), a, &r, &err) == -1, "%s", text);
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_msg(strncmp(err.text, want, strlen(want)) == 0, "%s: %s", text, err.text);
}

START_TEST(terms)
{
    asked("anyone", &ann, RULE_YES);
    asked("signed_in", &ann, RULE_YES);
    asked("nobody", &ann, RULE_NO);
    asked("provider:discord", &ann, RULE_YES);
    asked("provider:disc", &ann, RULE_NO);
    asked("account:acct1", &ann, RULE_YES);
    asked("account:acct", &ann, RULE_NO);
    asked("role:editor", &ann, RULE_YES);
    asked("role:wiki.reader", &ann, RULE_YES);
    asked("role:wiki", &ann, RULE_NO);
    asked("permission:wiki:read", &ann, RULE_YES);
    asked("permission:wiki:rea", &ann, RULE_NO);
    asked("network:192.0.2.0/24", &ann, RULE_YES);
    asked("network:192.0.2.7", &ann, RULE_YES);
    asked("network:192.0.2.8", &ann, RULE_NO);
    asked("network:2001:db8::/32", &ann, RULE_NO);
    asked("group:discord:1", &ann, RULE_YES);
    asked("group:discord:2", &ann, RULE_NO);
    asked("group:\"discord:the crew\"", &ann, RULE_YES);
    asked("group:discord:a,b", &ann, RULE_YES);
    asked("group:discord:a", &ann, RULE_NO);
    asked("group:discord:\xc3\xab", &ann, RULE_YES);
    asked("email:Ann@EXAMPLE.com", &ann, RULE_YES);
    asked("email:ann@example.com", &ann, RULE_NO);
    asked("email_domain:Example.COM", &ann, RULE_YES);
}
END_TEST

/* ACCT-13: only the whole domain, and not what somebody put behind a second '@'. */
START_TEST(domains_are_exact)
{
    asked("email_domain:ample.com", &ann, RULE_NO);
    asked("email_domain:sub.example.com", &ann, RULE_NO);
    ann.email = "ann@example.com.evil.example";
    asked("email_domain:example.com", &ann, RULE_NO);
    ann.email = "ann@evilexample.com";
    asked("email_domain:example.com", &ann, RULE_NO);
    ann.email = "ann@sub.example.com";
    asked("email_domain:example.com", &ann, RULE_NO);
}
END_TEST

START_TEST(weak_evidence_is_no_address)
{
    for (int e = USHER_EVIDENCE_NONE; e <= USHER_EVIDENCE_AUTHORITATIVE; e++) {
        const bool proven = e > USHER_EVIDENCE_PROVIDER_ASSERTED;
        ann.email_evidence = e;
        asked("email_domain:example.com", &ann, proven ? RULE_YES : RULE_UNKNOWN);
        asked("email:Ann@example.com", &ann, proven ? RULE_YES : RULE_UNKNOWN);
        asked("not email_domain:contractor.example", &ann, proven ? RULE_YES : RULE_UNKNOWN);
    }
    ann.email = "";
    asked("email_domain:example.com", &ann, RULE_UNKNOWN);
}
END_TEST

/* FWD-20: what a rule is about and nobody said does not open anything, negated neither. */
START_TEST(fwd_20_missing_facts)
{
    ann.groups = ann.roles = ann.permissions = "";
    asked("group:discord:1", &ann, RULE_NO);
    asked("role:editor", &ann, RULE_NO);
    asked("permission:wiki:read", &ann, RULE_NO);
    ann.provider = "google";
    asked("group:discord:1", &ann, RULE_UNKNOWN);
    asked("not group:discord:banned", &ann, RULE_UNKNOWN);
    asked("signed_in and not group:discord:banned", &ann, RULE_UNKNOWN);
    asked("provider:google and (group:discord:x or role:editor)", &ann, RULE_UNKNOWN);
}
END_TEST

/* FWD-20, DOS-09: of somebody with more groups than are kept, a group that is not among them may
 * be one that was left out, unless it would have found room. */
START_TEST(groups_left_out_are_not_known)
{
    struct buf list;
    buf_init(&list, 4096);
    buf_printf(&list, "discord:first");
    for (int i = 0; i < 66; i++) /* 45 each of 3,000 */
        buf_printf(&list, ",discord:%%C3%%AB%011d", i);
    ann.groups = list.p;
    asked("group:discord:first", &ann, RULE_YES);
    asked("group:discord:banned", &ann, RULE_UNKNOWN);
    asked("not group:discord:banned", &ann, RULE_UNKNOWN);
    asked("signed_in and not group:discord:banned", &ann, RULE_UNKNOWN);
    struct jval *trace = rule_trace(parsed("not group:discord:banned"), &ann);
    const char *why = jval_text(jval_get(jval_item(trace, 0), "why"));
    ck_assert_ptr_nonnull(why);
    ck_assert_ptr_nonnull(strstr(why, "left out"));
    jval_free(&trace);
    *strrchr(list.p, ',') = '\0'; /* now it would have found room */
    asked("group:discord:banned", &ann, RULE_NO);
    asked("not group:discord:banned", &ann, RULE_YES);
    buf_deinit(&list);
}
END_TEST

START_TEST(signed_out)
{
    asked("anyone", &nobody, RULE_YES);
    asked("nobody", &nobody, RULE_NO);
    asked("signed_in", &nobody, RULE_UNKNOWN);
    asked("not signed_in", &nobody, RULE_UNKNOWN);
    asked("not role:banned", &nobody, RULE_UNKNOWN);
    asked("not provider:discord", &nobody, RULE_UNKNOWN);
    asked("not email:a@example.com", &nobody, RULE_UNKNOWN);
    asked("not account:a", &nobody, RULE_UNKNOWN);
    asked("network:192.0.2.7 or role:editor", &nobody, RULE_YES);
    asked("network:10.0.0.0/8", &nobody, RULE_NO);
    asked("network:10.0.0.0/8 and role:editor", &nobody, RULE_NO);
    asked("network:10.0.0.0/8 or role:editor", &nobody, RULE_UNKNOWN);
}
END_TEST

/* FWD-08 */
START_TEST(fwd_08_unreadable_client)
{
    static const char *const odd[] = {NULL, "", "unknown", "192.0.2.7:80", "192.0.2.07", "::1%lo"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        ann.client = odd[i];
        asked("network:0.0.0.0/0", &ann, RULE_UNKNOWN);
        asked("not network:10.0.0.0/8", &ann, RULE_UNKNOWN);
    }
    ann.client = "::ffff:192.0.2.7"; /* the same address */
    asked("network:192.0.2.0/24", &ann, RULE_YES);
}
END_TEST

START_TEST(logic)
{
    static const struct {
        const char *text;
        enum rule_truth want;
    } v[] = {
        {"anyone and nobody", RULE_NO},
        {"anyone or nobody", RULE_YES},
        {"not nobody", RULE_YES},
        {"not not anyone", RULE_YES},
        {"anyone or anyone and nobody", RULE_YES},
        {"(anyone or anyone) and nobody", RULE_NO},
        {"not nobody and nobody", RULE_NO},
        {"not (nobody and nobody)", RULE_YES},
        {"  ( anyone )\tand(anyone)and not(nobody)", RULE_YES},
        {"nobody or nobody or anyone", RULE_YES},
        {"anyone and anyone and nobody", RULE_NO},
        {"group:google:x and nobody", RULE_NO},
        {"group:google:x or anyone", RULE_YES},
        {"group:google:x and anyone", RULE_UNKNOWN},
        {"group:google:x or nobody", RULE_UNKNOWN},
        {"not group:google:x", RULE_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        asked(v[i].text, &ann, v[i].want);
}
END_TEST

START_TEST(errors_say_where)
{
    static const struct {
        const char *text, *want;
    } v[] = {
        {"", "column 1: anyone, signed_in"},
        {"   ", "column 4: anyone"},
        {"signed_on", "column 1: did you mean \"signed_in\"?"},
        {"anyone rolle:x", "column 8: and, or or the end"},
        {"rolle:x", "column 1: did you mean \"role\"?"},
        {"role", "column 5: \":\" and a value"},
        {"role:", "column 6: the value is empty"},
        {"role: x", "column 6: the value is empty"},
        {"role:\"\"", "column 6: the value is empty"},
        {"role:Admin", "column 6: a role's name"},
        {"anyone:x", "column 7: this word has no value"},
        {"anyone and", "column 11: anyone"},
        {"or anyone", "column 1: anyone"},
        {"anyone and or anyone", "column 12: anyone"},
        {"(anyone", "column 8: \")\""},
        {"anyone)", "column 7: this \")\" closes nothing"},
        {"()", "column 2: anyone"},
        {"not", "column 4: anyone"},
        {"not:x", "column 1: anyone"},
        {"role:a\"b\"", "column 7: quotes go around"},
        {"role:\"a\"b", "column 9: a blank"},
        {"role:\"a", "column 6: this quote has no end"},
        {"role:\"a\\", "column 6: this quote has no end"},
        {"role:\"a\\n\"", "column 8: in quotes"},
        {"group:discord", "column 7: a group is"},
        {"group:discord:", "column 7: a group is"},
        {"group::x", "column 7: a group is"},
        {"group:Discord:x", "column 7: a group is"},
        {"email:ann", "column 7: an e-mail address"},
        {"email_domain:@example.com", "column 14: a domain"},
        {"email_domain:*.example.com", "column 14: a domain"},
        {"email_domain:com", "column 14: a domain"},
        {"email_domain:example.com.", "column 14: a domain"},
        {"network:10.0.0.1/8", "column 9: a network"},
        {"network:10.0.0.0/33", "column 9: a network"},
        {"network:example.com", "column 9: a network"},
        {"provider:Google", "column 10: a provider's id"},
        {"a\x01", "column 2: a control byte"},
        {"role:\xff", "not UTF-8"},
        {"ANYONE", "column 1: "},
        {"anyone && anyone", "column 8: and, or"},
    };
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        refused(v[i].text, v[i].want);
}
END_TEST

static const char *repeated(const char *piece, size_t n, const char *end)
{
    struct buf b;
    buf_init(&b, 100000);
    for (size_t i = 0; i < n; i++)
        buf_text(&b, piece);
    buf_text(&b, end);
    const char *text = arena_str(a, buf_view(&b));
    buf_deinit(&b);
    return text;
}

START_TEST(bounds)
{
    asked(repeated("not ", RULE_DEPTH_MAX, "anyone"), &ann, RULE_YES);
    refused(repeated("not ", RULE_DEPTH_MAX + 1, "anyone"), "column 65: too many");
    refused(repeated("(", RULE_DEPTH_MAX + 1, "anyone"), "column 17: too many");
    refused(repeated("(", 4000, ""), "column 17: too many");
    asked(repeated("(anyone) or ", RULE_TERMS_MAX - 1, "anyone"), &ann, RULE_YES);
    refused(repeated("anyone or ", RULE_TERMS_MAX, "anyone"), "column 1001: more terms");
    refused(repeated("          ", 410, "anyone"), "longer than 4096 bytes");
}
END_TEST

START_TEST(traced)
{
    struct jval *list = rule_trace(parsed("role:editor and not (group:google:x or nobody)"), &ann);
    struct buf b;
    buf_init(&b, 1000);
    jval_render(list, &b);
    ck_assert_str_eq(b.p, "[{\"term\":\"role:editor\",\"result\":\"yes\",\"why\":null},"
                          "{\"term\":\"group:google:x\",\"result\":\"unknown\","
                          "\"why\":\"signed in by another provider\"},"
                          "{\"term\":\"nobody\",\"result\":\"no\",\"why\":null}]");
    buf_deinit(&b);
    jval_free(&list);
}
END_TEST

Suite *suite_rule(void)
{
    Suite *s = suite_create("rule");
    TCase *t = tcase_create("rule");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, terms);
    tcase_add_test(t, domains_are_exact);
    tcase_add_test(t, weak_evidence_is_no_address);
    tcase_add_test(t, fwd_20_missing_facts);
    tcase_add_test(t, groups_left_out_are_not_known);
    tcase_add_test(t, signed_out);
    tcase_add_test(t, fwd_08_unreadable_client);
    tcase_add_test(t, logic);
    tcase_add_test(t, errors_say_where);
    tcase_add_test(t, bounds);
    tcase_add_test(t, traced);
    suite_add_tcase(s, t);
    return s;
}
