/* SPDX-License-Identifier: Apache-2.0 */
#include "login/join.h"

#include <check.h>
#include <stdio.h>

#include "login_fixture.h"
#include "store/account.h"
#include "sys/clock.h"

Suite *suite_join(void);

#define OTHER_BIND "bind-of-another-browser"

static struct arena *arena;

static void setup(void)
{
    login_fixture_open();
    arena = arena_new();
}

static void teardown(void)
{
    arena_free(&arena);
    login_fixture_close();
}

static void set_clock(int64_t seconds)
{
    static struct clock_fake clock;
    clock = (struct clock_fake){.wall = {(LOGIN_NOW + seconds) * 1000000LL},
                                .mono = {1 + seconds * 1000000000LL}};
    clock_set_fake(&clock);
}

/* ---- what the tests do */

struct somebody {
    const char *provider, *subject, *email;
    int evidence;
    struct account account;
};

static int make_somebody(struct db *db, void *arg, struct err *err)
{
    struct somebody *s = arg;
    const struct account_profile p = {.provider = s->provider,
                                      .subject = s->subject,
                                      .email = s->email,
                                      .email_evidence = s->evidence};
    return account_sign_in(db, &p, LOGIN_NOW, &s->account, err);
}

/* An account that somebody made through another provider. */
static const char *made(const char *provider, const char *subject, const char *email)
{
    struct err err = ERR_INIT;
    struct somebody s = {.provider = provider, .subject = subject, .email = email, .evidence = 1};
    ck_assert_msg(store_write_now(lfx.store, make_somebody, &s, &err) == STORE_DONE, "%s",
                  err.text);
    return arena_dup(arena, s.account.id);
}

static struct session_view session_of(const char *token)
{
    struct session_view v;
    ck_assert_int_eq(sessions_check(lfx.sessions, str_of(token), wall_seconds(clock_wall()), &v),
                     1);
    return v;
}

/* From a start to where it leads; `session`: the cookie on the way back. */
static struct came gone(const struct login_start *s, const char *session)
{
    struct came started, c;
    login_fixture_start_with(s, &started);
    ck_assert_int_eq(started.kind, ERR_NONE);
    const struct finish_args f = {.query = login_fixture_callback(&started), .session = session};
    login_fixture_finish(&f, &c);
    login_fixture_pump();
    ck_assert_uint_eq(c.times, 1);
    return c;
}

static struct login_start login_start_of(const char *return_to)
{
    return (struct login_start){.provider = "toy",
                                .purpose = USHER_FLOW_LOGIN,
                                .return_to = return_to,
                                .bind = STR(LOGIN_BIND)};
}

static struct came signed_in_as(const char *subject)
{
    const struct login_start s = login_start_of("/home");
    lfx.subject = subject;
    return gone(&s, NULL);
}

/* Somebody signed in asks to link the identity `subject`. */
static struct came linking(const char *token, const char *subject)
{
    struct session_view v = session_of(token);
    struct login_start s = login_start_of("/account");
    s.purpose = USHER_FLOW_LINK;
    s.session = &v;
    lfx.subject = subject;
    return gone(&s, token);
}

/* Somebody comes for the first time with an address that is known here. */
static struct came asked(const char *subject)
{
    lfx.verified = true;
    struct came c = signed_in_as(subject);
    lfx.verified = false;
    ck_assert_int_eq(c.kind, ERR_NONE);
    ck_assert(!c.has_token);
    ck_assert_uint_eq(strlen(c.join), 22);
    return c;
}

static struct join_caller caller(const char *id, struct session_view *v, const char *token)
{
    if (token)
        *v = session_of(token);
    return (struct join_caller){.id = id,
                                .bind = STR(LOGIN_BIND),
                                .session = token ? v : NULL,
                                .ip = "192.0.2.7",
                                .user_agent = "Test/1.0"};
}

static int shown(const char *id, const char *token, struct join_view *view)
{
    struct session_view v;
    const struct join_caller c = caller(id, &v, token);
    return join_show(lfx.login, &c, view);
}

static struct came decided(void (*how)(struct login *, const struct join_caller *, login_done_fn *,
                                       void *),
                           const char *id, const char *token)
{
    struct came c = {.kind = ERR_NONE};
    struct session_view v;
    const struct join_caller who = caller(id, &v, token);
    how(lfx.login, &who, login_fixture_done, &c);
    login_fixture_pump();
    ck_assert_uint_eq(c.times, 1);
    return c;
}

static int64_t rows(const char *what)
{
    return login_fixture_sql(arena_printf(arena, "SELECT count(*) FROM %s", what));
}

/* ---- ask */

/* ACCT-03: an address is a reason to ask, never to let in. */
START_TEST(the_same_address_is_asked_about)
{
    struct join_view v;
    made("other", "9", "ada@example.org");
    const struct came c = asked("1234");
    ck_assert_int_eq(rows("session"), 0);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("spent"), 1);
    ck_assert_int_eq(shown(c.join, NULL, &v), 1);
    ck_assert_int_eq(v.kind, JOIN_ASK);
    ck_assert_str_eq(v.provider, "toy");
    ck_assert_str_eq(v.subject, "1234");
    ck_assert_str_eq(v.email, "ada@example.org");
    ck_assert_str_eq(v.return_to, "/home");
    /* ACCT-26: nothing of whoever has the address. */
    ck_assert_ptr_null(v.account);
    ck_assert_ptr_null(v.other);
    ck_assert(!v.tried);
    ck_assert_int_eq(v.expires, LOGIN_NOW + JOIN_SECONDS);
    ck_assert_int_eq(login_fixture_outcomes("proven"), 1);
    ck_assert_int_eq(login_fixture_outcomes("done"), 0);
}
END_TEST

/* ACCT-01: an address the provider does not vouch for is no reason even to ask. */
START_TEST(an_unverified_address_is_not)
{
    made("other", "9", "ada@example.org");
    const struct came c = signed_in_as("1234");
    ck_assert(c.has_token);
    ck_assert_str_eq(c.join, "");
    ck_assert_int_eq(rows("account"), 2);
}
END_TEST

START_TEST(only_its_browser_finds_it)
{
    struct join_view v;
    struct session_view s;
    made("other", "9", "ada@example.org");
    const struct came c = asked("1234");
    struct join_caller who = caller(c.join, &s, NULL);
    who.bind = STR(OTHER_BIND);
    ck_assert_int_eq(join_show(lfx.login, &who, &v), 0);
    who.bind = (struct str){"", 0};
    ck_assert_int_eq(join_show(lfx.login, &who, &v), 0);
    ck_assert_int_eq(shown("AAAAAAAAAAAAAAAAAAAAAA", NULL, &v), 0);
    ck_assert_int_eq(shown("", NULL, &v), 0);
    set_clock(JOIN_SECONDS - 1);
    ck_assert_int_eq(shown(c.join, NULL, &v), 1);
    set_clock(JOIN_SECONDS);
    ck_assert_int_eq(shown(c.join, NULL, &v), 0);
    ck_assert_int_eq(decided(join_new_account, c.join, NULL).kind, ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_new_account_when_asked_for)
{
    struct join_view v;
    made("other", "9", "ada@example.org");
    const struct came c = asked("1234");
    /* Nobody proved anything. */
    ck_assert_int_eq(decided(join_accept, c.join, NULL).kind, ERR_INVALID);
    struct came done = decided(join_new_account, c.join, NULL);
    ck_assert_int_eq(done.kind, ERR_NONE);
    ck_assert_str_eq(done.return_to, "/home");
    ck_assert(done.has_token);
    const struct session_view s = session_of(done.token);
    ck_assert_str_eq(s.subject, "1234");
    ck_assert_str_eq(s.groups, "[\"toy:staff\"]");
    ck_assert_int_eq(rows("account"), 2);
    ck_assert_int_eq(rows("session WHERE ip = '192.0.2.7' AND user_agent = 'Test/1.0'"), 1);
    ck_assert_int_eq(shown(c.join, NULL, &v), 0);
    ck_assert_int_eq(decided(join_new_account, c.join, NULL).kind, ERR_NOT_FOUND);
    ck_assert_int_eq(rows("account"), 2);
}
END_TEST

/* ACCT-27: proving it opens one's session; the link still needs the click that names both. */
START_TEST(proven_by_signing_in_as_before)
{
    struct join_view v;
    const char *ada = made("toy", "old", "ada@example.org");
    const struct came c = asked("1234");
    struct login_start s = login_start_of("/elsewhere");
    s.join = c.join;
    lfx.subject = "old";
    const struct came proof = gone(&s, NULL);
    ck_assert(proof.has_token);
    ck_assert_str_eq(proof.join, c.join);
    ck_assert_str_eq(proof.return_to, "/home"); /* where all of it was to lead */
    ck_assert_str_eq(session_of(proof.token).account, ada);
    ck_assert_int_eq(rows("identity"), 1);

    ck_assert_int_eq(shown(c.join, NULL, &v), 0); /* it is that session's now */
    ck_assert_int_eq(shown(c.join, proof.token, &v), 1);
    ck_assert_int_eq(v.kind, JOIN_LINK);
    ck_assert_str_eq(v.account, ada);
    ck_assert_str_eq(v.subject, "1234");
    ck_assert_int_eq(decided(join_new_account, c.join, proof.token).kind, ERR_INVALID);
    const struct came done = decided(join_accept, c.join, proof.token);
    ck_assert_int_eq(done.kind, ERR_NONE);
    ck_assert(!done.has_token);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("identity WHERE linked IS NOT NULL AND subject = '1234'"), 1);
    ck_assert_int_eq(rows("audit WHERE action = 'identity.link' AND ip = '192.0.2.7'"), 1);
    ck_assert_str_eq(session_of(signed_in_as("1234").token).account, ada);
    ck_assert_int_eq(decided(join_accept, c.join, proof.token).kind, ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_proof_that_is_none)
{
    struct join_view v;
    made("other", "9", "ada@example.org");
    const struct came c = asked("1234");
    struct login_start s = login_start_of("/");
    s.join = c.join;
    lfx.subject = "nobody";
    const struct came proof = gone(&s, NULL);
    ck_assert(!proof.has_token);
    ck_assert_str_eq(proof.join, c.join);
    ck_assert_int_eq(rows("account"), 1); /* none was made by the way */
    ck_assert_int_eq(shown(c.join, NULL, &v), 1);
    ck_assert(v.kind == JOIN_ASK && v.tried);
    /* The join is over before the proof comes back: a sign-in like any other. */
    struct came started, back;
    login_fixture_start_with(&s, &started);
    ck_assert_int_eq(decided(join_new_account, c.join, NULL).kind, ERR_NONE);
    const struct finish_args f = {.query = login_fixture_callback(&started)};
    login_fixture_finish(&f, &back);
    login_fixture_pump();
    ck_assert(back.has_token);
    ck_assert_str_eq(back.join, "");
}
END_TEST

/* ---- linking */

START_TEST(linked_by_a_click)
{
    struct join_view v;
    const struct came me = signed_in_as("me");
    const struct came c = linking(me.token, "more");
    ck_assert_int_eq(c.kind, ERR_NONE);
    ck_assert(!c.has_token);
    ck_assert_str_eq(c.return_to, "/account");
    ck_assert_int_eq(rows("identity"), 1);
    ck_assert_int_eq(shown(c.join, NULL, &v), 0);
    ck_assert_int_eq(shown(c.join, me.token, &v), 1);
    ck_assert_int_eq(v.kind, JOIN_LINK);
    ck_assert_str_eq(v.account, session_of(me.token).account);
    const struct came done = decided(join_accept, c.join, me.token);
    ck_assert_int_eq(done.kind, ERR_NONE);
    ck_assert_str_eq(done.return_to, "/account");
    ck_assert_int_eq(rows("identity"), 2);
    ck_assert_str_eq(session_of(signed_in_as("more").token).account, session_of(me.token).account);
    /* What is theirs already needs no page. */
    const struct came again = linking(me.token, "more");
    ck_assert_int_eq(again.kind, ERR_NONE);
    ck_assert_str_eq(again.join, "");
    ck_assert_str_eq(again.return_to, "/account");
}
END_TEST

/* ACCT-09: what was proven for one session is no other's, neither on the way back nor after. */
START_TEST(bound_to_the_session_that_asked)
{
    struct join_view view;
    struct came started, c;
    const struct came me = signed_in_as("me"), again = signed_in_as("me"),
                      eve = signed_in_as("eve");
    struct session_view v = session_of(me.token);
    struct login_start s = login_start_of("/account");
    s.purpose = USHER_FLOW_LINK;
    s.session = &v;
    const char *const sessions[] = {NULL, eve.token, again.token};
    for (size_t i = 0; i < 3; i++) {
        login_fixture_start_with(&s, &started);
        const struct finish_args f = {.query = login_fixture_callback(&started),
                                      .session = sessions[i]};
        login_fixture_finish(&f, &c);
        login_fixture_pump();
        ck_assert_int_eq(c.kind, ERR_EXPIRED);
    }
    c = linking(me.token, "more");
    ck_assert_int_eq(shown(c.join, eve.token, &view), 0);
    ck_assert_int_eq(decided(join_accept, c.join, eve.token).kind, ERR_NOT_FOUND);
    ck_assert_int_eq(decided(join_accept, c.join, NULL).kind, ERR_NOT_FOUND);
    /* Another session of the same person did not see the page either. */
    ck_assert_int_eq(decided(join_accept, c.join, again.token).kind, ERR_NOT_FOUND);
    ck_assert_int_eq(rows("identity"), 2);
    ck_assert_int_eq(decided(join_accept, c.join, me.token).kind, ERR_NONE);
}
END_TEST

/* ACCT-15 */
START_TEST(somebody_else_was_faster)
{
    const struct came me = signed_in_as("me");
    const struct came c = linking(me.token, "more");
    const char *theirs = made("toy", "more", NULL);
    ck_assert_int_eq(decided(join_accept, c.join, me.token).kind, ERR_CONFLICT);
    ck_assert_str_eq(session_of(signed_in_as("more").token).account, theirs);
    ck_assert_int_eq(rows("audit WHERE action = 'identity.link'"), 0);
}
END_TEST

static int bar(struct db *db, void *arg, struct err *err)
{
    return account_bar(db, "toy", arg, LOGIN_NOW, err);
}

/* Nor is linked what was proven before the rules changed: those of the click count. */
START_TEST(who_may_not_link)
{
    static const char *const rules[] = {"link = never", "enabled = no"};
    struct err err = ERR_INIT;
    struct came c;
    struct login_start s = login_start_of("/account");
    s.purpose = USHER_FLOW_LINK;
    login_fixture_start_with(&s, &c);
    ck_assert_int_eq(c.kind, ERR_INVALID); /* nobody is signed in */
    const struct came me = signed_in_as("me"), link = linking(me.token, "more");
    made("else", "9", "ada@example.org");
    const struct came ask = asked("1234");
    struct session_view v = session_of(me.token);
    s.session = &v;
    char barred[] = "barred"; /* its account was deleted for good */
    ck_assert_int_eq(store_write_now(lfx.store, bar, barred, &err), STORE_DONE);
    ck_assert_int_eq(linking(me.token, barred).kind, ERR_NOT_ALLOWED);
    login_fixture_in_force(rules[_i]);
    login_fixture_start_with(&s, &c);
    ck_assert_int_eq(c.kind, _i == 0 ? ERR_NOT_ALLOWED : ERR_INVALID);
    ck_assert_int_eq(decided(join_accept, link.join, me.token).kind, ERR_NOT_ALLOWED);
    c = decided(join_new_account, ask.join, NULL);
    ck_assert_int_eq(c.kind, _i == 0 ? ERR_NONE : ERR_NOT_ALLOWED);
    ck_assert_int_eq(rows("identity"), _i == 0 ? 3 : 2);
}
END_TEST

START_TEST(a_no_forgets_it)
{
    struct join_view view;
    struct session_view v;
    const char *to;
    const struct came me = signed_in_as("me");
    const struct came c = linking(me.token, "more");
    struct join_caller who = caller(c.join, &v, NULL);
    join_drop(lfx.login, &who, arena, &to); /* not theirs */
    ck_assert_str_eq(to, "/");
    ck_assert_int_eq(shown(c.join, me.token, &view), 1);
    who = caller(c.join, &v, me.token);
    join_drop(lfx.login, &who, arena, &to);
    ck_assert_str_eq(to, "/account");
    ck_assert_int_eq(shown(c.join, me.token, &view), 0);
}
END_TEST

/* ---- merging */

static char gone_account[24], gone_into[24];

static void note_gone(void *arg, const char *account, const char *into)
{
    (void)arg;
    snprintf(gone_account, sizeof gone_account, "%s", account);
    snprintf(gone_into, sizeof gone_into, "%s", into);
}

START_TEST(two_accounts_become_one)
{
    struct join_view v;
    lfx.options.on_gone = note_gone;
    login_fixture_restart();
    const struct came other = signed_in_as("other"), me = signed_in_as("me");
    const char *mine = arena_dup(arena, session_of(me.token).account);
    const char *theirs = arena_dup(arena, session_of(other.token).account);
    login_fixture_sql(arena_printf(arena,
                                   "INSERT INTO account_role (account, role, since) "
                                   "VALUES ('%s', 'editor', 1)",
                                   theirs));
    const struct came c = linking(me.token, "other");
    ck_assert_int_eq(shown(c.join, me.token, &v), 1);
    ck_assert_int_eq(v.kind, JOIN_MERGE);
    ck_assert_str_eq(v.account, mine);
    ck_assert_str_eq(v.other, theirs);
    const struct came done = decided(join_accept, c.join, me.token);
    ck_assert_int_eq(done.kind, ERR_NONE);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("identity"), 2);
    ck_assert_int_eq(rows("session"), 1);
    ck_assert_int_eq(rows("audit WHERE action = 'account.merge'"), 2);
    ck_assert_str_eq(gone_account, theirs);
    ck_assert_str_eq(gone_into, mine);
    /* More rights, so another cookie; the sessions of both from before are over. */
    struct session_view s;
    ck_assert(done.has_token);
    ck_assert_int_eq(sessions_check(lfx.sessions, str_of(other.token), LOGIN_NOW, &s), 0);
    ck_assert_int_eq(sessions_check(lfx.sessions, str_of(me.token), LOGIN_NOW, &s), 0);
    ck_assert_str_eq(session_of(done.token).account, mine);
    ck_assert_str_eq(session_of(done.token).roles, "editor");
    ck_assert_str_eq(session_of(signed_in_as("other").token).account, mine);
}
END_TEST

/* ACCT-18, and what was true on the page may not be any more. */
START_TEST(merging_looks_again)
{
    const struct came other = signed_in_as("other"), me = signed_in_as("me");
    (void)other;
    struct came c = linking(me.token, "other");
    const char *third = made("third", "3", NULL);
    login_fixture_sql(
        arena_printf(arena, "UPDATE identity SET account = '%s' WHERE subject = 'other'", third));
    ck_assert_int_eq(decided(join_accept, c.join, me.token).kind, ERR_CONFLICT);
    c = linking(me.token, "other");
    login_fixture_sql(
        arena_printf(arena, "UPDATE account SET disabled_since = 1 WHERE id = '%s'", third));
    ck_assert_int_eq(decided(join_accept, c.join, me.token).kind, ERR_NOT_ALLOWED);
    ck_assert_int_eq(linking(me.token, "other").kind, ERR_NOT_ALLOWED);
    ck_assert_int_eq(rows("account"), 3);
}
END_TEST

/* The session that asked ended between the click and the transaction: the store knows, memory not
 * yet. Nothing is joined for whoever is not signed in any more. */
START_TEST(nobody_joins_for_a_session_that_is_over)
{
    static const char *const ends[] = {"DELETE FROM session WHERE subject = 'me'",
                                       "UPDATE session SET ends = 1800000000 WHERE subject = 'me'",
                                       "UPDATE session SET account = (SELECT account FROM identity "
                                       "WHERE subject = 'other') WHERE subject = 'me'"};
    (void)signed_in_as("other");
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const struct came me = signed_in_as("me");
        const char *account = arena_dup(arena, session_of(me.token).account);
        const char *const joined[] = {"other", "more"};
        char joins[2][24];
        for (int n = 0; n < 2; n++)
            memcpy(joins[n], linking(me.token, joined[n]).join, sizeof joins[n]);
        login_fixture_sql(ends[i]);
        for (int n = 0; n < 2; n++)
            ck_assert_int_eq(decided(join_accept, joins[n], me.token).kind, ERR_EXPIRED);
        ck_assert_int_eq(rows("account"), 2);
        ck_assert_int_eq(rows("identity"), 2);
        ck_assert_int_eq(rows("audit WHERE action IN ('account.merge', 'identity.link')"), 0);
        ck_assert_str_eq(session_of(me.token).account, account);
        login_fixture_sql("DELETE FROM session WHERE subject = 'me'");
    }
}
END_TEST

/* Nobody is let into an account with more roles than one may have. */
START_TEST(merging_too_many_roles)
{
    const struct came other = signed_in_as("other"), me = signed_in_as("me");
    const char *accounts[] = {arena_dup(arena, session_of(other.token).account),
                              arena_dup(arena, session_of(me.token).account)};
    for (int i = 0; i < 33; i++)
        login_fixture_sql(arena_printf(arena,
                                       "INSERT INTO account_role (account, role, since) "
                                       "VALUES ('%s', 'role-%d', 1)",
                                       accounts[i % 2], i));
    const struct came c = linking(me.token, "other");
    ck_assert_int_eq(decided(join_accept, c.join, me.token).kind, ERR_CONFLICT);
    ck_assert_int_eq(rows("account"), 2);
    login_fixture_sql("DELETE FROM account_role WHERE role = 'role-32'");
    const struct came again = linking(me.token, "other");
    ck_assert_int_eq(decided(join_accept, again.join, me.token).kind, ERR_NONE);
    ck_assert_int_eq(rows("account_role"), 32);
}
END_TEST

/* ---- bounds and ends */

START_TEST(one_browser_holds_only_so_many)
{
    enum { MANY = 9 };
    char ids[MANY][24];
    struct join_view v;
    made("other", "9", "ada@example.org");
    for (int i = 0; i < MANY; i++) {
        const struct came c = asked(arena_printf(arena, "new-%d", i));
        memcpy(ids[i], c.join, sizeof ids[i]);
    }
    ck_assert_int_eq(shown(ids[0], NULL, &v), 0);
    for (int i = 1; i < MANY; i++)
        ck_assert_int_eq(shown(ids[i], NULL, &v), 1);
    /* The same identity again: one question, the newest. */
    const struct came c = asked("new-5");
    ck_assert_int_eq(shown(ids[5], NULL, &v), 0);
    ck_assert_int_eq(shown(c.join, NULL, &v), 1);
    ck_assert_int_eq(shown(ids[1], NULL, &v), 1);
}
END_TEST

START_TEST(freed_while_the_store_writes)
{
    struct came c = {.kind = ERR_NONE};
    struct session_view v;
    const struct came me = signed_in_as("me");
    const struct came join = linking(me.token, "more");
    const struct join_caller who = caller(join.join, &v, me.token);
    join_accept(lfx.login, &who, login_fixture_done, &c);
    login_fixture_restart();
    login_fixture_pump();
    ck_assert_uint_eq(c.times, 0);
    ck_assert_int_eq(rows("identity"), 2); /* it was agreed to */
}
END_TEST

Suite *suite_join(void)
{
    Suite *s = suite_create("join");
    TCase *tc = tcase_create("join");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_same_address_is_asked_about);
    tcase_add_test(tc, an_unverified_address_is_not);
    tcase_add_test(tc, only_its_browser_finds_it);
    tcase_add_test(tc, a_new_account_when_asked_for);
    tcase_add_test(tc, proven_by_signing_in_as_before);
    tcase_add_test(tc, a_proof_that_is_none);
    tcase_add_test(tc, linked_by_a_click);
    tcase_add_test(tc, bound_to_the_session_that_asked);
    tcase_add_test(tc, somebody_else_was_faster);
    tcase_add_loop_test(tc, who_may_not_link, 0, 2);
    tcase_add_test(tc, a_no_forgets_it);
    tcase_add_test(tc, two_accounts_become_one);
    tcase_add_test(tc, merging_looks_again);
    tcase_add_test(tc, nobody_joins_for_a_session_that_is_over);
    tcase_add_test(tc, merging_too_many_roles);
    tcase_add_test(tc, one_browser_holds_only_so_many);
    tcase_add_test(tc, freed_while_the_store_writes);
    suite_add_tcase(s, tc);
    return s;
}
