/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done to accounts that are there, and looking for them, on every backend: linked,
 * unlinked, merged, disabled, deleted. ACCT-10, ACCT-14 to ACCT-18.
 */
#include <stdio.h>
#include <string.h>

#include "kit.h"
#include "store/account_change.h"
#include "store/account_list.h"
#include "store/account_role.h"
#include "store/api_token.h"

static struct arena *arena;

static void setup(void)
{
    kit_setup();
    arena = arena_new();
    kit_sql("DELETE FROM barred_identity");
    kit_sql("DELETE FROM api_token");
}

static void teardown(void)
{
    arena_free(&arena);
    kit_teardown();
}

/* One call, and what came of it. */
struct act {
    struct account_profile profile;
    const char *account, *other, *role, *reason;
    const unsigned char *but;
    bool bar;
    int64_t at, until;
    int is;
    struct account out;
};

#define ACT_FN(name, call)                                                                         \
    static int name(struct db *db, void *arg, struct err *err)                                     \
    {                                                                                              \
        struct act *a = arg;                                                                       \
        a->is = (int)(call);                                                                       \
        return a->is < 0 ? -1 : 0;                                                                 \
    }
ACT_FN(do_sign_in, account_sign_in(db, &a->profile, a->at, &a->out, err))
ACT_FN(do_make, account_make(db, &a->profile, a->at, &a->out, err))
ACT_FN(do_attach, account_attach(db, a->account, &a->profile, a->at, err))
ACT_FN(do_merge, account_merge(db, a->account, a->other, a->at, err))
ACT_FN(do_delete, account_delete(db, a->account, a->bar, a->at, err))
ACT_FN(do_enable, account_enable(db, a->account, err))
ACT_FN(do_barred, account_barred(db, a->profile.provider, a->profile.subject, err))
ACT_FN(do_last_admin, account_last_admin(db, a->account, a->at, err))
ACT_FN(do_unlink, account_unlink(db,
                                 &(struct account_identity_key){a->account, a->profile.provider,
                                                                a->profile.subject},
                                 a->but, err))
ACT_FN(do_disable, account_disable(db, a->account,
                                   &(struct account_disabling){a->at, a->until, a->reason}, err))
ACT_FN(do_grant,
       account_role_grant(db, &(struct account_role_row){a->account, a->role, a->at}, err))

static struct account_profile person(const char *provider, const char *subject, const char *email,
                                     int evidence)
{
    return (struct account_profile){
        .provider = provider, .subject = subject, .email = email, .email_evidence = evidence};
}

static const char *made(const char *provider, const char *subject, const char *email, int evidence)
{
    struct act a = {.profile = person(provider, subject, email, evidence), .at = NOW};
    kit_write(do_sign_in, &a);
    return arena_dup(arena, a.out.id);
}

static int done(store_fn *fn, struct act a)
{
    if (a.at == 0)
        a.at = NOW;
    kit_write(fn, &a);
    return a.is;
}

static enum err_kind refused(store_fn *fn, struct act a)
{
    if (a.at == 0)
        a.at = NOW;
    return kit_write_fails(fn, &a).kind;
}

static int add_session(struct db *db, void *arg, struct err *err)
{
    return session_row_add(db, arg, err);
}

static void session(const char *account, const char *provider, const char *subject, int n)
{
    struct session_row row = {.id = arena_printf(arena, "session-%d", n),
                              .account = account,
                              .provider = provider,
                              .subject = subject,
                              .created = NOW,
                              .seen = NOW,
                              .ends = NOW + 3600};
    memset(row.hash, n, sizeof row.hash);
    kit_write(add_session, &row);
}

static int add_token(struct db *db, void *arg, struct err *err)
{
    const struct api_token_row row = {
        .id = "t", .hash = {7}, .name = "n", .scopes = "read", .owner = arg, .created = NOW};
    return api_token_add(db, &row, err);
}

/* ---- linking */

/* ACCT-15: what is somebody's stays theirs; nothing moves silently. */
START_TEST(a_new_identity_joins_an_account_once)
{
    const char *ada = made("google", "1", NULL, 0), *eve = made("discord", "7", NULL, 0);
    const struct account_profile p = person("discord", "9", "ada@example.com", 1);
    ck_assert_int_eq(done(do_attach, (struct act){.account = ada, .profile = p}), 1);
    ck_assert_int_eq(kit_number("SELECT linked FROM identity WHERE subject = '9'"), NOW);
    ck_assert_int_eq(done(do_attach, (struct act){.account = ada, .profile = p}), 0);
    ck_assert_int_eq(done(do_attach, (struct act){.account = eve, .profile = p}), 0);
    ck_assert_str_eq(made("discord", "9", NULL, 0), ada);
    ck_assert_str_eq(made("discord", "7", NULL, 0), eve);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM identity WHERE linked IS NULL"), 2);
}
END_TEST

START_TEST(nobody_joins_what_is_not_there_or_disabled)
{
    const struct account_profile p = person("discord", "9", NULL, 0);
    ck_assert_int_eq(refused(do_attach, (struct act){.account = "nobody", .profile = p}),
                     ERR_NOT_FOUND);
    const char *ada = made("google", "1", NULL, 0);
    ck_assert_int_eq(done(do_disable, (struct act){.account = ada}), 1);
    ck_assert_int_eq(refused(do_attach, (struct act){.account = ada, .profile = p}),
                     ERR_NOT_ALLOWED);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM identity"), 1);
}
END_TEST

/* Since when the address is what it is: of the first sign-in, then of the last change. */
START_TEST(addresses_have_an_age)
{
    made("google", "1", "a@example.com", 2);
    struct act a = {.profile = person("google", "1", "a@example.com", 2), .at = NOW + 50};
    kit_write(do_sign_in, &a);
    ck_assert_int_eq(kit_number("SELECT email_since FROM identity"), NOW);
    ck_assert_int_eq(kit_number("SELECT last_seen FROM identity"), NOW + 50);
    a.profile.email_evidence = 4;
    a.at = NOW + 60;
    kit_write(do_sign_in, &a);
    ck_assert_int_eq(kit_number("SELECT email_since FROM identity"), NOW + 60);
    ck_assert_int_eq(kit_number("SELECT email_evidence FROM identity"), 4);
    a.profile.email = NULL;
    a.at = NOW + 70;
    kit_write(do_sign_in, &a);
    ck_assert_int_eq(kit_number("SELECT email_since FROM identity WHERE email IS NULL"), NOW + 70);
}
END_TEST

struct holding {
    const char *email;
    struct account_holder v[ACCOUNT_HOLDERS_MAX];
    int n;
};

static int do_holders(struct db *db, void *arg, struct err *err)
{
    struct holding *h = arg;
    h->n = account_holders(db, h->email, NOW, arena, h->v, err);
    return h->n < 0 ? -1 : 0;
}

static struct holding holders(const char *email)
{
    struct holding h = {.email = email};
    kit_read(do_holders, &h);
    return h;
}

/* ACCT-01, ACCT-10: exact text; unverified addresses are nobody's. */
START_TEST(who_has_an_address)
{
    const char *ada = made("google", "1", "ada@example.com", 4);
    const char *two = made("discord", "2", "ada@example.com", 1);
    made("discord", "3", "ada@example.com", 0);
    made("discord", "4", "Ada@example.com", 4);
    made("discord", "5", NULL, 0);
    struct holding h = holders("ada@example.com");
    ck_assert_int_eq(h.n, 2);
    const struct account_holder *a = &h.v[strcmp(h.v[0].account, ada) != 0];
    ck_assert_str_eq(a->account, ada);
    ck_assert_str_eq(a->provider, "google");
    ck_assert_int_eq(a->email_evidence, 4);
    ck_assert_int_eq(a->last_seen, NOW);
    ck_assert(!a->disabled);
    ck_assert_int_eq(done(do_disable, (struct act){.account = two, .until = NOW + 1}), 1);
    h = holders("ada@example.com");
    ck_assert_int_eq(h.v[0].disabled + h.v[1].disabled, 1);
    ck_assert_int_eq(holders("ADA@example.com").n, 0);
    ck_assert_int_eq(holders("").n, 0);
    for (int i = 0; i < ACCOUNT_HOLDERS_MAX; i++)
        made("discord", arena_printf(arena, "many-%d", i), "many@example.com", 1);
    made("discord", "one more", "many@example.com", 1);
    ck_assert_int_eq(holders("many@example.com").n, ACCOUNT_HOLDERS_MAX);
}
END_TEST

/* ---- unlinking */

/* ACCT-16: never the last one, never somebody else's. */
START_TEST(unlinking_ends_what_came_through_it)
{
    const char *ada = made("google", "1", NULL, 0), *eve = made("google", "2", NULL, 0);
    const struct account_profile p = person("discord", "9", NULL, 0);
    ck_assert_int_eq(done(do_attach, (struct act){.account = ada, .profile = p}), 1);
    session(ada, "google", "1", 1);
    session(ada, "discord", "9", 2);
    session(ada, "discord", "9", 3);
    session(eve, "google", "2", 4);
    unsigned char but[32];
    memset(but, 3, sizeof but);
    ck_assert_int_eq(done(do_unlink, (struct act){.account = eve, .profile = p}), 0);
    ck_assert_int_eq(done(do_unlink, (struct act){.account = ada, .profile = p, .but = but}), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 3);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session WHERE id = 'session-2'"), 0);
    ck_assert_int_eq(done(do_unlink, (struct act){.account = ada, .profile = p}), 0);
    const struct account_profile last = person("google", "1", NULL, 0);
    ck_assert_int_eq(refused(do_unlink, (struct act){.account = ada, .profile = last}),
                     ERR_CONFLICT);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM identity"), 2);
    /* Free again: it would be a new account. */
    ck_assert_str_ne(made("discord", "9", NULL, 0), ada);
}
END_TEST

struct unlinking {
    struct kit_answers *answers;
    struct act act;
};

static int race(struct db *db, void *arg, struct err *err)
{
    return do_unlink(db, &((struct unlinking *)arg)->act, err);
}

static void raced(void *arg, enum store_outcome outcome, const struct err *err)
{
    kit_answer(((struct unlinking *)arg)->answers, outcome, err);
}

/* Both at the same instant, from two replicas where there can be two: one identity stays. */
START_TEST(two_unlinkings_at_once_leave_one)
{
    struct store *second = kit_cluster ? kit_open() : NULL;
    for (int i = 0; i < 10; i++) {
        const char *subject = arena_printf(arena, "s%d", i);
        const char *ada = made("google", subject, NULL, 0);
        const struct account_profile p = person("discord", subject, NULL, 0);
        ck_assert_int_eq(done(do_attach, (struct act){.account = ada, .profile = p}), 1);
        struct kit_answers answers = {.n = 0};
        struct unlinking both[2];
        for (int k = 0; k < 2; k++) {
            both[k] = (struct unlinking){.answers = &answers};
            both[k].act.account = ada;
            both[k].act.profile = k ? p : person("google", subject, NULL, 0);
            ck_assert(
                store_write(second && k ? second : kit_store, race, kit_loop, raced, &both[k]));
        }
        kit_wait(&answers.n, 2);
        ck_assert_int_eq(answers.by[STORE_DONE], 1);
        ck_assert_int_eq(answers.by[STORE_FAILED], 1);
        ck_assert_int_eq(kit_number("SELECT count(*) FROM identity"), i + 1);
    }
    store_close(&second);
}
END_TEST

/* ---- merging */

START_TEST(merging_moves_everything)
{
    const char *ada = made("google", "1", NULL, 0), *old = made("discord", "9", NULL, 0);
    ck_assert_int_eq(done(do_grant, (struct act){.account = old, .role = "admin"}), 1);
    ck_assert_int_eq(done(do_grant, (struct act){.account = old, .role = "editor"}), 1);
    ck_assert_int_eq(done(do_grant, (struct act){.account = ada, .role = "editor", .at = 5}), 1);
    session(ada, "google", "1", 1);
    session(old, "discord", "9", 2);
    kit_write(add_token, (void *)old);
    ck_assert_int_eq(done(do_merge, (struct act){.account = ada, .other = old, .at = NOW + 9}), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 1);
    ck_assert_str_eq(made("discord", "9", NULL, 0), ada);
    ck_assert_int_eq(kit_number("SELECT linked FROM identity WHERE subject = '9'"), NOW + 9);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM identity WHERE linked IS NULL"), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account_role"), 2);
    ck_assert_int_eq(kit_number("SELECT since FROM account_role WHERE role = 'editor'"), 5);
    ck_assert_int_eq(
        kit_number(arena_printf(arena, "SELECT count(*) FROM api_token WHERE owner = '%s'", ada)),
        1);
}
END_TEST

START_TEST(merging_is_refused)
{
    const char *ada = made("google", "1", NULL, 0), *old = made("discord", "9", NULL, 0);
    ck_assert_int_eq(refused(do_merge, (struct act){.account = ada, .other = ada}), ERR_INVALID);
    ck_assert_int_eq(done(do_merge, (struct act){.account = ada, .other = "nobody"}), 0);
    ck_assert_int_eq(done(do_merge, (struct act){.account = "nobody", .other = ada}), 0);
    ck_assert_int_eq(done(do_disable, (struct act){.account = old, .until = NOW + 5}), 1);
    ck_assert_int_eq(refused(do_merge, (struct act){.account = ada, .other = old}),
                     ERR_NOT_ALLOWED);
    ck_assert_int_eq(refused(do_merge, (struct act){.account = old, .other = ada}),
                     ERR_NOT_ALLOWED);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 2);
    ck_assert_int_eq(done(do_merge, (struct act){.account = ada, .other = old, .at = NOW + 5}), 1);
}
END_TEST

/* ---- disabling and deleting */

/* ACCT-18 */
START_TEST(disabling_ends_access_until_it_is_over)
{
    const char *ada = made("google", "1", NULL, 0), *eve = made("google", "2", NULL, 0);
    session(ada, "google", "1", 1);
    session(eve, "google", "2", 2);
    struct act a = {.account = ada, .until = NOW + 60, .reason = "spam"};
    ck_assert_int_eq(done(do_disable, a), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 1);
    a = (struct act){.profile = person("google", "1", "new@example.com", 4), .at = NOW + 59};
    kit_write(do_sign_in, &a);
    ck_assert(a.out.disabled);
    /* Nothing of somebody who may not come in is refreshed. */
    ck_assert_int_eq(kit_number("SELECT count(*) FROM identity WHERE email IS NOT NULL"), 0);
    a.at = NOW + 60;
    kit_write(do_sign_in, &a);
    ck_assert(!a.out.disabled);
    ck_assert_int_eq(done(do_enable, (struct act){.account = ada}), 1);
    ck_assert_int_eq(done(do_enable, (struct act){.account = ada}), 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account WHERE disabled_reason IS NULL"), 2);
    ck_assert_int_eq(done(do_disable, (struct act){.account = "nobody"}), 0);
    ck_assert_int_eq(done(do_enable, (struct act){.account = "nobody"}), 0);
}
END_TEST

/* ACCT-14, ACCT-18 */
START_TEST(deleting_leaves_nothing)
{
    const char *ada = made("google", "1", "a@example.com", 4), *eve = made("google", "2", NULL, 0);
    const struct account_profile p = person("discord", "9", NULL, 0);
    ck_assert_int_eq(done(do_attach, (struct act){.account = ada, .profile = p}), 1);
    ck_assert_int_eq(done(do_grant, (struct act){.account = ada, .role = "admin"}), 1);
    session(ada, "google", "1", 1);
    session(eve, "google", "2", 2);
    ck_assert_int_eq(done(do_delete, (struct act){.account = ada}), 1);
    ck_assert_int_eq(done(do_delete, (struct act){.account = ada}), 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM identity"), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account_role"), 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM barred_identity"), 0);
    ck_assert_str_ne(made("google", "1", NULL, 0), ada);
}
END_TEST

START_TEST(barred_identities_do_not_come_back)
{
    const char *ada = made("google", "1", NULL, 0), *eve = made("google", "2", NULL, 0);
    const struct account_profile g = person("google", "1", NULL, 0),
                                 d = person("discord", "9", NULL, 0);
    ck_assert_int_eq(done(do_attach, (struct act){.account = ada, .profile = d}), 1);
    ck_assert_int_eq(done(do_delete, (struct act){.account = ada, .bar = true}), 1);
    ck_assert_int_eq(done(do_barred, (struct act){.profile = g}), 1);
    ck_assert_int_eq(done(do_barred, (struct act){.profile = d}), 1);
    ck_assert_int_eq(done(do_barred, (struct act){.profile = person("google", "2", NULL, 0)}), 0);
    /* Both parts are in the hash, each with its end. */
    ck_assert_int_eq(done(do_barred, (struct act){.profile = person("googl", "e1", NULL, 0)}), 0);
    ck_assert_int_eq(refused(do_sign_in, (struct act){.profile = g}), ERR_NOT_ALLOWED);
    ck_assert_int_eq(refused(do_make, (struct act){.profile = g}), ERR_NOT_ALLOWED);
    ck_assert_int_eq(refused(do_attach, (struct act){.account = eve, .profile = d}),
                     ERR_NOT_ALLOWED);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 1);
}
END_TEST

START_TEST(the_only_admin_is_known)
{
    const char *ada = made("google", "1", NULL, 0), *eve = made("google", "2", NULL, 0);
    ck_assert_int_eq(done(do_last_admin, (struct act){.account = ada}), 0);
    ck_assert_int_eq(done(do_grant, (struct act){.account = ada, .role = "admin"}), 1);
    ck_assert_int_eq(done(do_grant, (struct act){.account = eve, .role = "editor"}), 1);
    ck_assert_int_eq(done(do_last_admin, (struct act){.account = ada}), 1);
    ck_assert_int_eq(done(do_last_admin, (struct act){.account = eve}), 0);
    ck_assert_int_eq(done(do_grant, (struct act){.account = eve, .role = "admin"}), 1);
    ck_assert_int_eq(done(do_last_admin, (struct act){.account = ada}), 0);
    ck_assert_int_eq(done(do_disable, (struct act){.account = eve, .until = NOW + 9}), 1);
    ck_assert_int_eq(done(do_last_admin, (struct act){.account = ada}), 1);
    ck_assert_int_eq(done(do_last_admin, (struct act){.account = ada, .at = NOW + 9}), 0);
}
END_TEST

/* ---- looking */

struct search {
    struct account_filter f;
    struct account_row *rows;
    size_t n;
};

static int do_search(struct db *db, void *arg, struct err *err)
{
    struct search *s = arg;
    return account_search(db, &s->f, arena, &s->rows, &s->n, err);
}

static struct search found(struct account_filter f)
{
    struct search s = {.f = f};
    s.f.now = NOW;
    kit_read(do_search, &s);
    return s;
}

static size_t like(const char *text)
{
    return found((struct account_filter){.text = text}).n;
}

START_TEST(people_are_found_by_what_is_known_of_them)
{
    struct act a = {.profile = person("google", "1", "Ada@example.com", 4), .at = NOW};
    a.profile.name = "Ada Lovelace 100%";
    a.profile.username = "ada_l";
    kit_write(do_sign_in, &a);
    const char *ada = arena_dup(arena, a.out.id), *eve = made("discord", "adax", NULL, 0);
    ck_assert_uint_eq(like(NULL), 2);
    ck_assert_uint_eq(like(""), 2);
    ck_assert_uint_eq(like("LOVELACE"), 1);
    ck_assert_uint_eq(like("ada@EXAMPLE"), 1);
    ck_assert_uint_eq(like("adax"), 1);
    ck_assert_uint_eq(like("adaxx"), 0);
    ck_assert_uint_eq(like("da_"), 1);
    /* Signs are signs: none of them finds everybody. */
    ck_assert_uint_eq(like("%"), 1);
    ck_assert_uint_eq(like("_"), 1);
    ck_assert_uint_eq(like("\\"), 0);
    ck_assert_uint_eq(like("a%l"), 0);
    ck_assert_uint_eq(like("' OR 1=1 --"), 0);
    struct search s = found((struct account_filter){.text = eve});
    ck_assert_uint_eq(s.n, 1);
    ck_assert_str_eq(s.rows[0].id, eve);
    ck_assert_uint_eq(s.rows[0].n, 1);
    ck_assert_str_eq(s.rows[0].identities[0].subject, "adax");
    ck_assert_uint_eq(found((struct account_filter){.provider = "google"}).n, 1);
    ck_assert_uint_eq(found((struct account_filter){.provider = "goog"}).n, 0);
    ck_assert_uint_eq(found((struct account_filter){.text = "ada", .provider = "discord"}).n, 0);
    ck_assert_int_eq(done(do_grant, (struct act){.account = ada, .role = "admin"}), 1);
    ck_assert_uint_eq(found((struct account_filter){.role = "admin"}).n, 1);
    ck_assert_int_eq(done(do_disable, (struct act){.account = ada, .until = NOW + 1}), 1);
    s = found((struct account_filter){.state = ACCOUNT_DISABLED});
    ck_assert_uint_eq(s.n, 1);
    ck_assert(s.rows[0].disabled && s.rows[0].disabled_until == NOW + 1);
    s = found((struct account_filter){.state = ACCOUNT_ENABLED});
    ck_assert_uint_eq(s.n, 1);
    ck_assert_str_eq(s.rows[0].id, eve);
}
END_TEST

START_TEST(pages_hold_everybody_once)
{
    enum { MANY = 23 };
    for (int i = 0; i < MANY; i++)
        made("google", arena_printf(arena, "%d", i), NULL, 0);
    char last[ACCOUNT_ID_MAX + 1] = "";
    size_t n = 0, pages = 0;
    for (size_t got = 5; got == 5; pages++) {
        struct search s = found((struct account_filter){.limit = 5, .after = last});
        got = s.n;
        n += s.n;
        for (size_t i = 0; i < s.n; i++)
            memcpy(last, s.rows[i].id, strlen(s.rows[i].id) + 1);
    }
    ck_assert_uint_eq(n, MANY);
    ck_assert_uint_eq(pages, 5);
    static char text[300];
    memset(text, 'x', sizeof text - 1);
    struct search s = {.f = {.text = text}};
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_read_now(kit_store, do_search, &s, &err), STORE_FAILED);
    ck_assert_int_eq(err.kind, ERR_INVALID);
}
END_TEST

struct getting {
    const char *id;
    struct account_row row;
    int is;
};

static int do_get(struct db *db, void *arg, struct err *err)
{
    struct getting *g = arg;
    g->is = account_get(db, g->id, NOW, arena, &g->row, err);
    return g->is < 0 ? -1 : 0;
}

START_TEST(an_account_with_all_its_identities)
{
    struct act a = {.profile = person("google", "1", "a@example.com", 4), .at = NOW - 100};
    a.profile.groups = "[\"google:x\"]";
    a.profile.picture = "https://p.example/1.png";
    kit_write(do_sign_in, &a);
    const char *ada = arena_dup(arena, a.out.id);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(
            done(do_attach,
                 (struct act){.account = ada,
                              .profile = person("discord", arena_printf(arena, "%d", i), NULL, 0)}),
            1);
    struct getting g = {.id = ada};
    kit_read(do_get, &g);
    ck_assert_int_eq(g.is, 1);
    ck_assert_uint_eq(g.row.n, 7);
    ck_assert(!g.row.disabled && g.row.created == NOW - 100);
    const struct account_identity *first = &g.row.identities[6]; /* seen longest ago */
    ck_assert_str_eq(first->provider, "google");
    ck_assert_str_eq(first->email, "a@example.com");
    ck_assert_str_eq(first->groups, "[\"google:x\"]");
    ck_assert_str_eq(first->picture, "https://p.example/1.png");
    ck_assert_int_eq(first->linked, 0);
    ck_assert_int_eq(first->email_since, NOW - 100);
    ck_assert_int_eq(g.row.identities[0].linked, NOW);
    char handle[23];
    account_handle("google", "1", handle);
    ck_assert_ptr_eq(account_identity_of(&g.row, handle), first);
    account_handle("google", "2", handle);
    ck_assert_ptr_null(account_identity_of(&g.row, handle));
    g.id = "nobody";
    kit_read(do_get, &g);
    ck_assert_int_eq(g.is, 0);
}
END_TEST

Suite *suite_people(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("people");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_new_identity_joins_an_account_once);
    tcase_add_test(tc, nobody_joins_what_is_not_there_or_disabled);
    tcase_add_test(tc, addresses_have_an_age);
    tcase_add_test(tc, who_has_an_address);
    tcase_add_test(tc, unlinking_ends_what_came_through_it);
    tcase_add_test(tc, two_unlinkings_at_once_leave_one);
    tcase_add_test(tc, merging_moves_everything);
    tcase_add_test(tc, merging_is_refused);
    tcase_add_test(tc, disabling_ends_access_until_it_is_over);
    tcase_add_test(tc, deleting_leaves_nothing);
    tcase_add_test(tc, barred_identities_do_not_come_back);
    tcase_add_test(tc, the_only_admin_is_known);
    tcase_add_test(tc, people_are_found_by_what_is_known_of_them);
    tcase_add_test(tc, pages_hold_everybody_once);
    tcase_add_test(tc, an_account_with_all_its_identities);
    suite_add_tcase(s, tc);
    return s;
}
