/* SPDX-License-Identifier: Apache-2.0 */
#include "login/return_to.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

Suite *suite_return_to(void);

static const char *const hosts[] = {"app.example", "other.example:8443", ".wild.example",
                                    "192.0.2.7",   "[2001:db8::1]:444",  NULL};
static const struct return_rules https_rules = {.public_url = "https://auth.example",
                                                .hosts = hosts};

static struct arena *arena;

static void setup(void)
{
    arena = arena_new();
}
static void teardown(void)
{
    arena_free(&arena);
}

static const char *judge_n(const struct return_rules *r, struct str raw)
{
    struct err err = ERR_INIT;
    const char *out = NULL;
    int rc = return_to_judge(r, raw, arena, &out, &err);
    ck_assert_int_eq(rc, err.kind == ERR_NONE ? 0 : -1);
    if (rc != 0)
        ck_assert_int_eq(err.kind, ERR_INVALID);
    return rc == 0 ? out : NULL;
}

static void refused(const char *raw)
{
    const char *out = judge_n(&https_rules, str_of(raw));
    ck_assert_msg(!out, "accepted: %s -> %s", raw, out);
}

static void accepted_as(const char *raw, const char *want)
{
    const char *out = judge_n(&https_rules, str_of(raw));
    ck_assert_msg(out != NULL, "refused: %s", raw);
    ck_assert_str_eq(out, want);
}

static void accepted(const char *raw)
{
    accepted_as(raw, raw);
}

START_TEST(plain_targets_pass)
{
    accepted("/");
    accepted("/a/b?c=d&e=%20#f");
    accepted("/account");
    accepted("/a//b");
    accepted("/a%2fb/c%20d");
    accepted("/?next=//evil.example");
    accepted("https://app.example");
    accepted("https://app.example/x?y=%0d%0a#z");
    accepted("https://other.example:8443/");
    accepted("https://[2001:db8::1]:444/a");
    accepted_as("https://auth.example", "/");
    accepted_as("https://auth.example?a=b", "/?a=b");
    accepted_as("https://auth.example:443/x/y?z", "/x/y?z");
    refused("");
    refused("relative/path");
    refused("?a=b");
    refused("#a");
    refused("/a%2");
    refused("/a?b=%zz");
}
END_TEST

/* LOGIN-01 */
START_TEST(login_01_leading_slashes)
{
    refused("//evil.example");
    refused("///evil.example");
    refused("////evil.example/%2f..");
    refused("https://auth.example//evil.example");
    refused("/%2fevil.example");
    refused("/%2Fevil.example");
}
END_TEST

/* LOGIN-02 */
START_TEST(login_02_backslashes)
{
    refused("/\\evil.example");
    refused("\\\\evil");
    refused("/\\/evil");
    refused("\\/\\/evil");
    refused("/%5cevil.example");
    refused("/a/%5C..");
    refused("https://app.example\\@evil.example/");
}
END_TEST

/* LOGIN-03 */
START_TEST(login_03_scheme_shapes)
{
    refused("https:evil.example");
    refused("https:/evil");
    refused("https:///evil");
    refused("HTTPS://evil.example");
    refused("HTTPS://app.example");
    accepted("/https://evil");
}
END_TEST

/* LOGIN-05 */
START_TEST(login_05_blanks_and_control_bytes)
{
    static const char bytes[] = {'\t', '\v', '\f', '\r', '\n', ' ', '\b', 0x1f, 0x7f};
    char raw[32];
    for (size_t i = 0; i < sizeof bytes; i++) {
        snprintf(raw, sizeof raw, "/%c/evil", bytes[i]);
        refused(raw);
        snprintf(raw, sizeof raw, "%c//evil", bytes[i]);
        refused(raw);
        snprintf(raw, sizeof raw, "/a%c", bytes[i]);
        refused(raw);
        snprintf(raw, sizeof raw, "%chttps://evil", bytes[i]);
        refused(raw);
        snprintf(raw, sizeof raw, "/%%%02x/evil", (unsigned)bytes[i]);
        if (bytes[i] != ' ') /* an encoded blank in a path is no trick */
            refused(raw);
    }
    refused("/\n\\evil");
}
END_TEST

/* LOGIN-06 */
START_TEST(login_06_header_injection)
{
    refused("/a\r\nSet-Cookie:x=1");
    refused("/a%0d%0aSet-Cookie:x=1");
    refused("https://app.example/a\r\nSet-Cookie:x=1");
}
END_TEST

/* LOGIN-07 */
START_TEST(login_07_other_schemes)
{
    refused("javascript:alert(1)");
    refused("JaVaScRiPt://auth.example/%0aalert(1)");
    refused("java\tscript:alert(1)");
    refused("data:text/html,x");
    refused("vbscript:x");
    refused("blob:https://auth.example/x");
    refused("ftp://app.example/");
    refused("file:///etc/passwd");
}
END_TEST

/* LOGIN-08 */
START_TEST(login_08_userinfo)
{
    refused("https://app.example@evil.example/");
    refused("https://app.example:pw@evil.example/");
    refused("https://evil.example@app.example/");
    refused("//app.example:pw@evil");
    refused("https://@app.example/");
}
END_TEST

/* LOGIN-09 */
START_TEST(login_09_nul_bom_bidi)
{
    ck_assert_ptr_null(judge_n(&https_rules, STR("/a\0b")));
    ck_assert_ptr_null(judge_n(&https_rules, STR("/\0")));
    refused("/a%00");
    refused("/a?b=%00");
    refused("/a#%00");
    refused("\xef\xbb\xbf/a");
    refused("/\xe2\x80\xae"
            "evil");
    refused("/\xe2\x81\xa6"
            "evil");
}
END_TEST

/* LOGIN-11 */
START_TEST(login_11_host_boundaries)
{
    refused("https://evil-app.example/");
    refused("https://app.example.evil.example/");
    refused("https://app.exampleevil/");
    refused("https://.app.example/");
    refused("https://appxexample/");
    refused("https://sub.app.example/");
    accepted("https://a.wild.example/");
    accepted("https://a.b.wild.example/");
    refused("https://wild.example/");
    refused("https://evilwild.example/");
    refused("https://.wild.example/");
    refused("https://wild.example.evil.example/");
}
END_TEST

/* LOGIN-12 */
START_TEST(login_12_host_spelling)
{
    accepted("https://APP.Example/");
    accepted("https://app.example:443/");
    refused("https://app.example./");
    refused("https://a.wild.example./");
    refused("https://app.example:80/");
    refused("https://app.example:8443/");
    refused("https://app.example:/");
    refused("https://app.example:0/");
    refused("https://app.example:99999/");
    refused("https://app.example:0443/");
    refused("https://other.example/");
    refused("https://other.example:443/");
}
END_TEST

/* LOGIN-14 */
START_TEST(login_14_numeric_hosts)
{
    refused("https://2130706433/");
    refused("https://0177.1/");
    refused("https://0x7f.1/");
    refused("https://127.1/");
    refused("https://127.0.0.1/");
    refused("https://[::ffff:127.0.0.1]/");
    refused("https://[::]/");
    refused("https://[fe80::1%25eth0]/");
    refused("https://192.0.2.7.wild.example.1/");
    accepted("https://192.0.2.7/");
}
END_TEST

/* LOGIN-15 */
START_TEST(login_15_dot_segments)
{
    refused("/./\\evil");
    refused("/x/../../\\evil");
    refused("/..//evil");
    refused("/.");
    refused("/..");
    refused("/a/..");
    refused("/a/./b");
    refused("/%2e%2e//evil");
    refused("/.%2E//evil");
    refused("/%2e//evil");
    refused("https://auth.example/..//evil");
    refused("https://app.example/../x");
    accepted("/.well-known/x");
    accepted("/...");
    accepted("/a?b=/../c");
}
END_TEST

/* LOGIN-16 */
START_TEST(login_16_scheme_downgrade)
{
    static const char *const local_hosts[] = {"127.0.0.1:9090", "localhost:9091", NULL};
    const struct return_rules local = {.public_url = "http://127.0.0.1:8080", .hosts = local_hosts};
    refused("http://app.example/");
    refused("http://app.example:443/");
    refused("http://auth.example/");
    ck_assert_str_eq(judge_n(&local, STR("http://127.0.0.1:9090/x")), "http://127.0.0.1:9090/x");
    ck_assert_str_eq(judge_n(&local, STR("http://127.0.0.1:8080/x")), "/x");
    /* https is never a downgrade, and plain http leads no further than this machine. */
    static const char *const far_hosts[] = {"app.example", NULL};
    const struct return_rules far = {.public_url = "http://127.0.0.1:8080", .hosts = far_hosts};
    ck_assert_ptr_nonnull(judge_n(&local, STR("https://127.0.0.1:9090/x")));
    ck_assert_ptr_nonnull(judge_n(&far, STR("https://app.example/x")));
    ck_assert_ptr_null(judge_n(&far, STR("http://app.example/x")));
    ck_assert_ptr_null(judge_n(&local, STR("http://localhost:8080/x")));
    ck_assert_ptr_null(judge_n(&local, STR("http://127.0.0.2:9090/x")));
}
END_TEST

/* LOGIN-17 */
START_TEST(login_17_nothing_is_added)
{
    /* What an allowed host does with its own query is its business; it gets nothing from us. */
    accepted("https://app.example/redirect?to=https://evil.example/");
}
END_TEST

/* LOGIN-18 */
START_TEST(login_18_length)
{
    static char raw[65537];
    memset(raw, 'a', sizeof raw - 1);
    raw[0] = '/';
    refused(raw);
    raw[RETURN_TO_MAX + 1] = '\0';
    refused(raw);
    raw[RETURN_TO_MAX] = '\0';
    accepted(raw);
}
END_TEST

/* LOGIN-20 */
START_TEST(login_20_hostile_target_link_uri)
{
    refused("https://evil.example/target");
    refused("//evil.example/target");
}
END_TEST

/* LOGIN-21 */
START_TEST(login_21_own_doors)
{
    refused("/logout");
    refused("/logout?x");
    refused("/login");
    refused("/login/discord");
    refused("/login;x=1");
    refused("/callback/discord?code=a&state=b");
    refused("/LOGOUT");
    refused("/log%6fut");
    refused("/%6Cogin/x");
    refused("https://auth.example/logout");
    accepted("/oauth2/authorize?client_id=x");
    accepted("/login-help");
    accepted("/a/logout");
    accepted("https://app.example/logout");
}
END_TEST

START_TEST(broken_rules_match_nothing)
{
    static const char *const odd[] = {
        "", ".", ":443", "app.example:x", "app.example:", "[", "*", NULL};
    const struct return_rules r = {.public_url = "https://auth.example", .hosts = odd};
    const struct return_rules none = {.public_url = "https://auth.example", .hosts = NULL};
    ck_assert_ptr_null(judge_n(&r, STR("https://app.example/")));
    ck_assert_ptr_null(judge_n(&r, STR("https://a.b/")));
    ck_assert_ptr_null(judge_n(&none, STR("https://app.example/")));
    ck_assert_str_eq(judge_n(&none, STR("/a")), "/a");
}
END_TEST

Suite *suite_return_to(void)
{
    Suite *s = suite_create("return_to");
    TCase *tc = tcase_create("return_to");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, plain_targets_pass);
    tcase_add_test(tc, login_01_leading_slashes);
    tcase_add_test(tc, login_02_backslashes);
    tcase_add_test(tc, login_03_scheme_shapes);
    tcase_add_test(tc, login_05_blanks_and_control_bytes);
    tcase_add_test(tc, login_06_header_injection);
    tcase_add_test(tc, login_07_other_schemes);
    tcase_add_test(tc, login_08_userinfo);
    tcase_add_test(tc, login_09_nul_bom_bidi);
    tcase_add_test(tc, login_11_host_boundaries);
    tcase_add_test(tc, login_12_host_spelling);
    tcase_add_test(tc, login_14_numeric_hosts);
    tcase_add_test(tc, login_15_dot_segments);
    tcase_add_test(tc, login_16_scheme_downgrade);
    tcase_add_test(tc, login_17_nothing_is_added);
    tcase_add_test(tc, login_18_length);
    tcase_add_test(tc, login_20_hostile_target_link_uri);
    tcase_add_test(tc, login_21_own_doors);
    tcase_add_test(tc, broken_rules_match_nothing);
    suite_add_tcase(s, tc);
    return s;
}
