/* SPDX-License-Identifier: Apache-2.0 */
/* usher/claims.h and the host's JSON functions under it: values by expression. */
#include "usher/claims.h"

#include <check.h>

#include "plugin_fixture.h"
#include "provider/host.h"

Suite *suite_claims(void);

static struct fixture f;
static struct host host;
static struct usher_call *call;
static struct arena *arena;
static struct usher_sources sources;

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
    host_init(&host, &f.provider, USHER_FLOW_LOGIN, arena, 1u << 20);
    call = &host.call;
    sources.v[0] =
        fixture_json(&f, "{\"sub\":\"s\",\"email\":null,\"n\":7,\"email_verified\":\"true\","
                         "\"a/b\":\"slash\",\"cognito:groups\":[\"x\",\"/y\",3,null,{}],"
                         "\"realm\":{\"roles\":[{\"name\":\"r1\"},{\"name\":\"r2\"},{}]}}");
    sources.v[1] =
        fixture_json(&f, "{\"email\":\"a@example.com\",\"sub\":\"other\",\"id\":12345678901}");
    sources.v[2] = fixture_json(
        &f, "[{\"email\":\"old@x.y\",\"primary\":false,\"verified\":true},"
            "{\"email\":\"new@x.y\",\"primary\":true,\"verified\":true},{\"email\":5}]");
}

static void teardown(void)
{
    arena_free(&arena);
    fixture_deinit(&f);
}

static const char *value(const char *expr)
{
    const char *text = usher_claim_text(call, &sources, expr);
    return text ? text : "(none)";
}

START_TEST(expressions_find_values)
{
    ck_assert_str_eq(value("/sub"), "s");
    ck_assert_str_eq(value("2:[]/primary"), "(none)"); /* no name or subject is "true" */
    ck_assert_str_eq(value("1:/sub"), "other");
    ck_assert_str_eq(value("/email"), "a@example.com"); /* null is not there */
    ck_assert_str_eq(value("0:/email"), "(none)");
    ck_assert_str_eq(value("/n"), "7");
    ck_assert_str_eq(value("/id"), "12345678901");
    ck_assert_str_eq(value("/a~1b"), "slash");
    ck_assert_str_eq(value("2:[primary=true&verified=true]/email"), "new@x.y");
    ck_assert_str_eq(value("2:[primary=false]/email"), "old@x.y");
    ck_assert_str_eq(value("2:[]/email"), "old@x.y");
    ck_assert_str_eq(value("/realm/roles[name=r2]/name"), "r2");
    static const char *const none[] = {"",
                                       "sub",
                                       "/",
                                       "/sub/x",
                                       "3:/sub",
                                       "9:/sub",
                                       "2:[primary]/email",
                                       "2:[primary=true/email",
                                       "2:[x=y]/email",
                                       "/realm",
                                       "2:",
                                       "]["};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_str_eq(value(none[i]), "(none)");
    ck_assert_ptr_null(usher_claim_text(call, &sources, NULL));
}
END_TEST

START_TEST(booleans_come_as_they_like)
{
    ck_assert_int_eq(usher_claim_bool(call, &sources, "/email_verified"), 1);
    ck_assert_int_eq(usher_claim_bool(call, &sources, "2:[]/primary"), 0);
    ck_assert_int_eq(usher_claim_bool(call, &sources, "/n"), -1);
    ck_assert_int_eq(usher_claim_bool(call, &sources, "/nothing"), -1);
}
END_TEST

START_TEST(lists_hold_texts)
{
    const char *const *l = usher_claim_list(call, &sources, "/cognito:groups", "/");
    ck_assert_str_eq(l[0], "x");
    ck_assert_str_eq(l[1], "y");
    ck_assert_str_eq(l[2], "3");
    ck_assert_ptr_null(l[3]);
    l = usher_claim_list(call, &sources, "/realm/roles[]/name", NULL);
    ck_assert_str_eq(l[0], "r1");
    ck_assert_str_eq(l[1], "r2");
    ck_assert_ptr_null(l[2]);
    l = usher_claim_list(call, &sources, "2:[]/email", NULL);
    ck_assert_str_eq(l[1], "new@x.y");
    l = usher_claim_list(call, &sources, "/sub", NULL);
    ck_assert_str_eq(l[0], "s");
    ck_assert_ptr_null(l[1]);
    ck_assert_ptr_null(usher_claim_list(call, &sources, "/nothing", NULL));
    ck_assert_ptr_null(usher_claim_list(call, &sources, NULL, NULL));
}
END_TEST

START_TEST(templates_are_filled_or_dropped)
{
    ck_assert_str_eq(usher_claim_fill(call, &sources, "https://c/{/id}/{/sub}.png"),
                     "https://c/12345678901/s.png");
    ck_assert_str_eq(usher_claim_fill(call, &sources, "https://c/x.png"), "https://c/x.png");
    ck_assert_ptr_null(usher_claim_fill(call, &sources, "https://c/{/avatar}.png"));
    ck_assert_ptr_null(usher_claim_fill(call, &sources, "https://c/{/email}.png")); /* '@' */
    ck_assert_ptr_null(usher_claim_fill(call, &sources, "https://c/{/id"));
}
END_TEST

static struct usher_action map(const struct usher_map *m)
{
    struct usher_action a = {.size = sizeof a};
    usher_map_identity(call, m, USHER_MAP_NUMBERS, &sources, &a);
    return a;
}

START_TEST(maps_make_identities)
{
    static const char *const subject[] = {"/sub", "1:/id", NULL}, *const none[] = {"/nothing",
                                                                                   NULL};
    static const char *const colon[] = {"/sub", "1:/email", NULL};
    struct usher_map m = {.subject = subject,
                          .email = "/email",
                          .email_verified = "/email_verified",
                          .picture = "https://c/{/id}.png",
                          .groups = "/cognito:groups"};
    struct usher_action a = map(&m);
    ck_assert_uint_eq(a.kind, USHER_DONE);
    ck_assert_str_eq(a.identity->subject, "s:12345678901");
    ck_assert_uint_eq(a.identity->email_evidence, USHER_EVIDENCE_PROVIDER_ASSERTED);
    ck_assert_str_eq(a.identity->picture, "https://c/12345678901.png");
    static const uint32_t evidence[] = {USHER_EVIDENCE_PROVIDER_ASSERTED, USHER_EVIDENCE_NONE,
                                        USHER_EVIDENCE_PROVIDER_ASSERTED,
                                        USHER_EVIDENCE_PRIMARY_VERIFIED, USHER_EVIDENCE_NONE};
    for (int trust = 0; trust < 5; trust++) {
        m.email_trust = trust;
        ck_assert_uint_eq(map(&m).identity->email_evidence, evidence[trust]);
    }
    m.email_trust = USHER_TRUST_CLAIM;
    m.email_verified = "/nothing"; /* absent is not true */
    ck_assert_uint_eq(map(&m).identity->email_evidence, USHER_EVIDENCE_NONE);
    m.subject = none;
    ck_assert_uint_eq(map(&m).fail, USHER_UPSTREAM_BAD);
    m.subject = colon; /* no part holds a ':' */
    ck_assert_str_eq(map(&m).identity->subject, "s:a@example.com");
    m.subject = NULL;
    ck_assert_uint_eq(map(&m).fail, USHER_UPSTREAM_BAD);
    static const char *const number[] = {"1:/id", NULL};
    struct usher_action strict = {.size = sizeof strict};
    m.subject = number; /* CB-24: in OpenID Connect a subject is a text */
    ck_assert_uint_eq(map(&m).kind, USHER_DONE);
    usher_map_identity(call, &m, 0, &sources, &strict);
    ck_assert_uint_eq(strict.fail, USHER_UPSTREAM_BAD);
}
END_TEST

START_TEST(rules_decide_who_may_come)
{
    static const char *const subject[] = {"/sub", NULL};
    static const struct {
        const char *rules[4];
        bool holds;
    } cases[] = {
        {{NULL}, true},
        {{"/sub=s"}, true},
        {{"/sub=t"}, false},
        {{"/sub=t", "/sub=s"}, true}, /* one of several */
        {{"/sub=s", "/n=8"}, false},  /* each expression */
        {{"/sub=s", "/n=7"}, true},
        {{"/cognito:groups=x"}, true},
        {{"/cognito:groups=z"}, false},
        {{"/nothing=*"}, false},
        {{"/sub=*"}, true},
        {{"2:[primary=true]/email=new@x.y"}, true},
        {{"nonsense"}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct usher_map m = {.subject = subject, .require = cases[i].rules};
        struct usher_action a = map(&m);
        ck_assert_msg(a.kind == (cases[i].holds ? USHER_DONE : USHER_FAIL), "case %zu", i);
        if (!cases[i].holds)
            ck_assert_uint_eq(a.fail, USHER_NOT_ALLOWED);
    }
}
END_TEST

START_TEST(long_lists_are_noticed)
{
    struct buf b;
    buf_init(&b, 65536);
    buf_text(&b, "{\"g\":[");
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, "%s\"g%d\"", i ? "," : "", i);
    buf_text(&b, "]}");
    sources.v[0] = fixture_json(&f, b.p);
    buf_deinit(&b);
    const char *const *l = usher_claim_list(call, &sources, "/g", NULL);
    size_t n = 0;
    while (l[n])
        n++;
    ck_assert_uint_eq(n, USHER_LIST_MAX + 1); /* one too many, for the core to refuse */
}
END_TEST

Suite *suite_claims(void)
{
    Suite *s = suite_create("claims");
    TCase *tc = tcase_create("claims");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, expressions_find_values);
    tcase_add_test(tc, booleans_come_as_they_like);
    tcase_add_test(tc, lists_hold_texts);
    tcase_add_test(tc, templates_are_filled_or_dropped);
    tcase_add_test(tc, maps_make_identities);
    tcase_add_test(tc, rules_decide_who_may_come);
    tcase_add_test(tc, long_lists_are_noticed);
    suite_add_tcase(s, tc);
    return s;
}
