/* SPDX-License-Identifier: Apache-2.0 */
#include "login/link.h"

#include <stdio.h>

#include "base/json.h"
#include "provider/registry.h"
#include "store_fixture.h"

#define NOW 1800000000

static struct store_fixture sx;
static struct arena *arena;

static void setup(void)
{
    store_fixture_open(&sx);
    arena = arena_new();
}

static void teardown(void)
{
    arena_free(&arena);
    store_fixture_close(&sx);
}

static const struct drive_identity ada = {.subject = "42",
                                          .email = "ada@a.example",
                                          .username = "ada",
                                          .name = "Ada",
                                          .picture = "https://a.example/ada.png",
                                          .locale = "en",
                                          .email_evidence = USHER_EVIDENCE_PROVIDER_ASSERTED};

static struct link filled(const char *provider, const struct drive_identity *id)
{
    static unsigned char next;
    static unsigned char flow[16];
    struct link l = {.flow = flow, .flow_expires = NOW + 600};
    link_fill(&l, provider, id, arena);
    memset(flow, ++next, sizeof flow);
    memset(l.row.hash, next, sizeof l.row.hash);
    l.row.id = arena_printf(arena, "session-%d", next);
    l.row.created = l.row.seen = NOW;
    l.row.ends = NOW + 3600;
    return l;
}

static int write_one(struct db *db, void *arg, struct err *err)
{
    return link_write(db, arg, err);
}

static void write_well(struct link *l)
{
    struct err err = ERR_INIT;
    ck_assert_msg(store_write_now(sx.store, write_one, l, &err) == STORE_DONE, "%s", err.text);
}

static int64_t rows(const char *table)
{
    return store_fixture_number(&sx, arena_printf(arena, "SELECT count(*) FROM %s", table));
}

/* ---- filling ---- */

START_TEST(fills_profile_and_row)
{
    static const char *const groups[] = {"staff", "a \"b\"", NULL}, *const amr[] = {"pwd", "otp",
                                                                                    NULL};
    struct drive_identity id = ada;
    id.groups = groups;
    id.amr = amr;
    const struct link l = filled("fake", &id);
    ck_assert_str_eq(l.profile.provider, "fake");
    ck_assert_str_eq(l.profile.subject, "42");
    ck_assert_str_eq(l.profile.locale, "en");
    ck_assert_int_eq(l.profile.email_evidence, USHER_EVIDENCE_PROVIDER_ASSERTED);
    ck_assert_str_eq(l.row.subject, "42");
    ck_assert_str_eq(l.row.name, "Ada");
    ck_assert_str_eq(l.row.groups, "[\"fake:staff\",\"fake:a \\\"b\\\"\"]");
    ck_assert_str_eq(l.profile.groups, l.row.groups);
    ck_assert_str_eq(l.row.amr, "pwd otp");
    ck_assert_uint_eq(l.groups_left_out, 0);
}
END_TEST

START_TEST(nothing_known_is_nothing)
{
    static const char *const none[] = {NULL};
    struct drive_identity id = {.subject = "42"};
    struct link l = filled("fake", &id);
    ck_assert_ptr_null(l.row.groups);
    ck_assert_ptr_null(l.row.amr);
    ck_assert_ptr_null(l.row.email);
    id.groups = id.amr = none;
    l = filled("fake", &id);
    ck_assert_ptr_null(l.row.groups);
    ck_assert_ptr_null(l.row.amr);
    write_well(&l);
}
END_TEST

/* DOS-09: what does not fit is left out and counted; what is there is whole. */
START_TEST(groups_beyond_the_limit)
{
    const char *groups[601];
    struct err err = ERR_INIT;
    struct drive_identity id = ada;
    for (int i = 0; i < 600; i++)
        groups[i] = arena_printf(arena, "\"group\\%03d", i);
    groups[600] = NULL;
    id.groups = groups;
    struct link l = filled("fake", &id);
    ck_assert_uint_gt(l.groups_left_out, 0);
    ck_assert_uint_le(strlen(l.row.groups), LINK_GROUPS_MAX);
    struct jval *list = jval_parse(str_of(l.row.groups), JSON_SIZE_MAX, 4, &err);
    ck_assert_ptr_nonnull(list);
    ck_assert_uint_eq(jval_count(list) + l.groups_left_out, 600);
    ck_assert_str_eq(jval_text(jval_item(list, 0)), "fake:\"group\\000");
    jval_free(&list);

    /* Rules tell from what was kept that any of the others may have been left out. */
    const char *kept = header_list(arena, l.row.groups);
    for (int i = 0; i < 600; i++) {
        const struct str one = str_of(arena_printf(arena, "fake:%s", groups[i]));
        ck_assert(header_has(kept, one) || !header_has_room(kept, one));
    }

    char *longest = arena_alloc(arena, LINK_GROUPS_MAX + 1);
    memset(longest, 'x', LINK_GROUPS_MAX);
    const char *const one[] = {longest, NULL};
    id.groups = one;
    l = filled("fake", &id);
    ck_assert_ptr_null(l.row.groups);
    ck_assert_uint_eq(l.groups_left_out, 1);
}
END_TEST

/* ---- writing ---- */

START_TEST(writes_all_of_it)
{
    struct link l = filled("fake", &ada), again = filled("fake", &ada);
    write_well(&l);
    ck_assert(l.account.created);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("identity"), 1);
    ck_assert_int_eq(rows("session"), 1);
    ck_assert_int_eq(rows("spent"), 1);
    again.profile.name = "Ada L.";
    write_well(&again);
    ck_assert(!again.account.created);
    ck_assert_str_eq(again.account.id, l.account.id);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("session"), 2);
    ck_assert_int_eq(rows("identity WHERE name = 'Ada L.'"), 1);
}
END_TEST

/* ACCT-03, ACCT-05: provider and subject, both exact, and nothing else. */
START_TEST(who_is_who)
{
    struct drive_identity other = ada, number = ada;
    other.subject = "43";
    number.subject = "042";
    struct link l[] = {filled("fake", &ada), filled("fake", &other), filled("fake", &number),
                       filled("toy", &ada)};
    for (size_t i = 0; i < 4; i++)
        write_well(&l[i]);
    ck_assert_int_eq(rows("account"), 4);
}
END_TEST

START_TEST(replaces_the_old_session)
{
    struct link old = filled("fake", &ada), next = filled("fake", &ada);
    write_well(&old);
    next.ends_session = old.row.hash;
    write_well(&next);
    ck_assert_int_eq(rows("session"), 1);
    next.ends_session = old.row.hash; /* gone already: no reason to fail */
    memset(next.row.hash, 99, sizeof next.row.hash);
    write_well(&next);
}
END_TEST

/* Refused or broken half way, nothing of it stays. */
START_TEST(all_or_nothing)
{
    struct err err = ERR_INIT;
    struct drive_identity other = ada;
    other.subject = "43";
    struct link first = filled("fake", &ada), clash = filled("fake", &other);
    write_well(&first);
    memcpy(clash.row.hash, first.row.hash, sizeof clash.row.hash);
    ck_assert_int_eq(store_write_now(sx.store, write_one, &clash, &err), STORE_FAILED);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("spent"), 1);

    store_fixture_sql(&sx, "UPDATE account SET disabled_since = 1");
    struct link refused = filled("fake", &ada);
    refused.ends_session = first.row.hash;
    err_clear(&err);
    ck_assert_int_eq(store_write_now(sx.store, write_one, &refused, &err), STORE_FAILED);
    ck_assert_int_eq(err.kind, ERR_NOT_ALLOWED);
    ck_assert_int_eq(rows("session"), 1);
    ck_assert_int_eq(rows("spent"), 1);
}
END_TEST

/* ---- somebody has the address ---- */

#define ASSERTED USHER_EVIDENCE_PROVIDER_ASSERTED
#define PRIMARY USHER_EVIDENCE_PRIMARY_VERIFIED
#define OWNED USHER_EVIDENCE_AUTHORITATIVE
#define DAY 86400

/* One row a rule; holders: account, provider, evidence, last seen, disabled. */
static const struct {
    const char *what;
    int policy, evidence;
    struct account_holder holders[2];
    int n;
    enum link_outcome is;
} rules[] = {
    {"never", LINK_NEVER, OWNED, {{"a", "b", OWNED, NOW, false}}, 1, LINK_IS_NEW},
    {"nobody", LINK_VERIFIED, OWNED, {{.account = ""}}, 0, LINK_IS_NEW},
    {"ask", LINK_ASK, OWNED, {{"a", "b", OWNED, NOW, false}}, 1, LINK_IS_ASKED},
    {"both strong", LINK_VERIFIED, OWNED, {{"a", "b", OWNED, NOW, false}}, 1, LINK_IS_JOINED},
    {"least strong", LINK_VERIFIED, PRIMARY, {{"a", "b", PRIMARY, NOW, false}}, 1, LINK_IS_JOINED},
    {"weak here", LINK_VERIFIED, ASSERTED, {{"a", "b", OWNED, NOW, false}}, 1, LINK_IS_ASKED},
    {"weak there", LINK_VERIFIED, OWNED, {{"a", "b", ASSERTED, NOW, false}}, 1, LINK_IS_ASKED},
    {"fresh", LINK_VERIFIED, OWNED, {{"a", "b", OWNED, NOW - 90 * DAY, false}}, 1, LINK_IS_JOINED},
    {"stale",
     LINK_VERIFIED,
     OWNED,
     {{"a", "b", OWNED, NOW - 90 * DAY - 1, false}},
     1,
     LINK_IS_ASKED},
    {"same provider", LINK_VERIFIED, OWNED, {{"a", "fake", OWNED, NOW, false}}, 1, LINK_IS_ASKED},
    {"same provider, too",
     LINK_VERIFIED,
     OWNED,
     {{"a", "b", OWNED, NOW, false}, {"a", "fake", ASSERTED, 0, false}},
     2,
     LINK_IS_ASKED},
    {"two accounts",
     LINK_VERIFIED,
     OWNED,
     {{"a", "b", OWNED, NOW, false}, {"c", "d", ASSERTED, NOW, false}},
     2,
     LINK_IS_ASKED},
    {"one account twice",
     LINK_VERIFIED,
     OWNED,
     {{"a", "b", ASSERTED, NOW, false}, {"a", "d", OWNED, NOW, false}},
     2,
     LINK_IS_JOINED},
    {"strong but stale, fresh but weak",
     LINK_VERIFIED,
     OWNED,
     {{"a", "b", ASSERTED, NOW, false}, {"a", "d", OWNED, 0, false}},
     2,
     LINK_IS_ASKED},
};

START_TEST(the_rule)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct account_profile p = {.provider = "fake",
                                          .subject = "42",
                                          .email = "ada@a.example",
                                          .email_evidence = rules[i].evidence};
        ck_assert_msg(link_judge(rules[i].policy, &p, rules[i].holders, rules[i].n, NOW) ==
                          rules[i].is,
                      "%s", rules[i].what);
    }
    struct account_holder many[ACCOUNT_HOLDERS_MAX];
    for (int i = 0; i < ACCOUNT_HOLDERS_MAX; i++)
        many[i] = (struct account_holder){"a", "b", OWNED, NOW, false};
    const struct account_profile p = {.provider = "fake", .email_evidence = OWNED};
    ck_assert_int_eq(link_judge(LINK_VERIFIED, &p, many, ACCOUNT_HOLDERS_MAX, NOW), LINK_IS_ASKED);
}
END_TEST

/* A copy of what came out. The row of the session borrows the account's id from the link itself,
 * and would outlive it: it is looked at here. */
static struct link written(const char *provider, const struct drive_identity *id, int policy)
{
    struct link l = filled(provider, id);
    l.policy = policy;
    write_well(&l);
    if (l.row.account)
        ck_assert_str_eq(l.row.account, l.account.id);
    l.row.account = NULL;
    return l;
}

static struct drive_identity with(const char *subject, const char *email, uint32_t evidence)
{
    struct drive_identity id = ada;
    id.subject = subject;
    id.email = email;
    id.email_evidence = evidence;
    return id;
}

/* ACCT-01, ACCT-10, ACCT-26: who only claims the address hears nothing, and gets an account. */
START_TEST(unproven_addresses_are_not_looked_at)
{
    const struct drive_identity owner = with("1", "ada@a.example", OWNED),
                                claims = with("2", "ada@a.example", USHER_EVIDENCE_NONE),
                                without = with("3", NULL, USHER_EVIDENCE_NONE),
                                other_case = with("4", "Ada@a.example", OWNED);
    written("fake", &owner, LINK_VERIFIED);
    ck_assert_int_eq(written("toy", &claims, LINK_VERIFIED).outcome, LINK_IS_NEW);
    ck_assert_int_eq(written("toy", &without, LINK_VERIFIED).outcome, LINK_IS_NEW);
    ck_assert_int_eq(written("toy", &other_case, LINK_VERIFIED).outcome, LINK_IS_NEW);
    ck_assert_int_eq(rows("account"), 4);
    ck_assert_int_eq(rows("session"), 4);
}
END_TEST

START_TEST(joined_by_an_address_both_sides_verified)
{
    const struct drive_identity owner = with("1", "ada@a.example", OWNED),
                                again = with("2", "ada@a.example", PRIMARY);
    const struct link first = written("fake", &owner, LINK_VERIFIED);
    const struct link second = written("toy", &again, LINK_VERIFIED);
    ck_assert_int_eq(second.outcome, LINK_IS_JOINED);
    ck_assert(!second.account.created);
    ck_assert_str_eq(second.account.id, first.account.id);
    ck_assert_int_eq(rows("session WHERE account = (SELECT id FROM account)"), 2);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("session"), 2);
    ck_assert_int_eq(rows("identity WHERE linked IS NOT NULL AND provider = 'toy'"), 1);
    ck_assert_int_eq(rows("audit WHERE action = 'identity.link'"), 1);
    /* PRIV-11: by id and handle, not by name. */
    ck_assert_int_eq(rows("audit WHERE action = 'identity.link' AND became LIKE '%ada%'"), 0);
    ck_assert_int_eq(written("toy", &again, LINK_VERIFIED).outcome, LINK_IS_KNOWN);
}
END_TEST

/* Nobody is signed in, nothing is made, and the flow is used up. */
START_TEST(asked_writes_no_more_than_the_flow)
{
    const struct drive_identity owner = with("1", "ada@a.example", ASSERTED),
                                again = with("2", "ada@a.example", ASSERTED);
    struct link first = written("fake", &owner, LINK_ASK);
    struct link second = filled("toy", &again);
    second.policy = LINK_ASK;
    second.ends_session = first.row.hash;
    write_well(&second);
    ck_assert_int_eq(second.outcome, LINK_IS_ASKED);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("identity"), 1);
    ck_assert_int_eq(rows("session"), 1);
    ck_assert_int_eq(rows("spent"), 2);
    ck_assert_int_eq(written("toy", &again, LINK_NEVER).outcome, LINK_IS_NEW);
}
END_TEST

START_TEST(a_proof_makes_nothing)
{
    const struct drive_identity owner = with("1", "ada@a.example", ASSERTED),
                                other = with("2", NULL, USHER_EVIDENCE_NONE);
    written("fake", &owner, LINK_ASK);
    struct link known = filled("fake", &owner), unknown = filled("fake", &other);
    known.proof = unknown.proof = true;
    write_well(&known);
    write_well(&unknown);
    ck_assert_int_eq(known.outcome, LINK_IS_KNOWN);
    ck_assert_int_eq(unknown.outcome, LINK_IS_UNKNOWN);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("session"), 2);
}
END_TEST

static int bar(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    return account_bar(db, "toy", "2", NOW, err);
}

/* ACCT-18, ACCT-14: an address leads nobody around a closed door. */
START_TEST(no_way_around_a_closed_door)
{
    struct err err = ERR_INIT;
    const struct drive_identity owner = with("1", "ada@a.example", OWNED),
                                again = with("2", "ada@a.example", OWNED);
    written("fake", &owner, LINK_VERIFIED);
    store_fixture_sql(&sx, "UPDATE account SET disabled_since = 1");
    struct link l = filled("toy", &again);
    l.policy = LINK_VERIFIED;
    ck_assert_int_eq(store_write_now(sx.store, write_one, &l, &err), STORE_FAILED);
    ck_assert_int_eq(err.kind, ERR_NOT_ALLOWED);
    ck_assert_int_eq(rows("identity"), 1);
    ck_assert_int_eq(rows("audit WHERE action = 'identity.link'"), 0);
    store_fixture_sql(&sx, "UPDATE account SET disabled_since = NULL");
    err_clear(&err);
    ck_assert_int_eq(store_write_now(sx.store, bar, NULL, &err), STORE_DONE);
    for (int policy = LINK_NEVER; policy <= LINK_VERIFIED; policy++) {
        struct link barred = filled("toy", &again);
        barred.policy = policy;
        err_clear(&err);
        ck_assert_int_eq(store_write_now(sx.store, write_one, &barred, &err), STORE_FAILED);
        ck_assert_int_eq(err.kind, ERR_NOT_ALLOWED);
    }
    ck_assert_int_eq(rows("account"), 1);
}
END_TEST

struct foreseeing {
    const struct link *l;
    struct account account;
    int is;
};

static int foresee(struct db *db, void *arg, struct err *err)
{
    struct foreseeing *f = arg;
    f->is = link_foresee(db, f->l, NOW, &f->account, err);
    return f->is < 0 ? -1 : 0;
}

/* Foretold is what happens, and foretelling changes nothing. */
START_TEST(what_would_become_of_it)
{
    static const struct {
        const char *provider, *subject;
        int policy;
        enum link_outcome is;
    } all[] = {{"toy", "2", LINK_VERIFIED, LINK_IS_JOINED},
               {"dex", "3", LINK_ASK, LINK_IS_ASKED},
               {"dex", "3", LINK_NEVER, LINK_IS_NEW},
               {"fake", "1", LINK_ASK, LINK_IS_KNOWN}};
    const struct drive_identity owner = with("1", "ada@a.example", OWNED);
    written("fake", &owner, LINK_VERIFIED);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct err err = ERR_INIT;
        const struct drive_identity id = with(all[i].subject, "ada@a.example", OWNED);
        struct link l = filled(all[i].provider, &id);
        struct foreseeing f = {.l = &l};
        l.policy = all[i].policy;
        const int64_t before = rows("identity");
        ck_assert_msg(store_read_now(sx.store, foresee, &f, &err) == STORE_DONE, "%s", err.text);
        ck_assert_int_eq(f.is, all[i].is);
        ck_assert_int_eq(rows("identity"), before);
        write_well(&l);
        ck_assert_int_eq(l.outcome, all[i].is);
    }
}
END_TEST

Suite *suite_link(void);
Suite *suite_link(void)
{
    Suite *s = suite_create("link");
    TCase *tc = tcase_create("link");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, fills_profile_and_row);
    tcase_add_test(tc, nothing_known_is_nothing);
    tcase_add_test(tc, groups_beyond_the_limit);
    tcase_add_test(tc, writes_all_of_it);
    tcase_add_test(tc, who_is_who);
    tcase_add_test(tc, replaces_the_old_session);
    tcase_add_test(tc, all_or_nothing);
    tcase_add_test(tc, the_rule);
    tcase_add_test(tc, unproven_addresses_are_not_looked_at);
    tcase_add_test(tc, joined_by_an_address_both_sides_verified);
    tcase_add_test(tc, asked_writes_no_more_than_the_flow);
    tcase_add_test(tc, a_proof_makes_nothing);
    tcase_add_test(tc, no_way_around_a_closed_door);
    tcase_add_test(tc, what_would_become_of_it);
    suite_add_tcase(s, tc);
    return s;
}
