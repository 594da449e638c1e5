/* SPDX-License-Identifier: Apache-2.0 */
/* Roles, who has them, and sessions that know of them, on every backend. */
#include <stdio.h>
#include <string.h>

#include "kit.h"
#include "store/account_role.h"
#include "store/role.h"
#include "store/session_row.h"

static struct arena *arena;
static struct kit_login login[3];

static void setup(void)
{
    kit_setup();
    arena = arena_new();
    for (int i = 0; i < 3; i++) {
        kit_login_init(&login[i], i + 1);
        kit_write(kit_login_fn, &login[i]);
    }
}

static void teardown(void)
{
    arena_free(&arena);
    kit_teardown();
}

/* One call, and what came of it. */
struct act {
    struct role_row row, out;
    const char *account, *role;
    int64_t at, is;
    char text[400];
    unsigned char hash[32];
};

static int tell_role(void *arg, const struct role_row *row, int64_t holders, struct err *err)
{
    struct act *a = arg;
    (void)err;
    snprintf(a->text + strlen(a->text), sizeof a->text - strlen(a->text), "%s %s %s %d %d %d %d;",
             row->name, row->permissions, row->description, (int)row->version,
             (int)(row->created - NOW), (int)(row->changed - NOW), (int)holders);
    return 0;
}

static int tell_holder(void *arg, const struct role_holder *h, struct err *err)
{
    struct act *a = arg;
    (void)err;
    snprintf(a->text + strlen(a->text), sizeof a->text - strlen(a->text), "%s %d %s %s;",
             h->account, (int)(h->since - NOW), h->provider ? h->provider : "-",
             h->name ? h->name : "-");
    return 0;
}

static int stop(void *arg, const struct role_holder *h, struct err *err)
{
    (void)arg, (void)h;
    return err_set(err, ERR_LIMITED, "enough");
}

static int roles_text(struct db *db, struct act *a, struct err *err)
{
    const char *roles;
    if (account_roles(db, a->account, arena, &roles, err) < 0)
        return -1;
    snprintf(a->text, sizeof a->text, "%s", roles ? roles : "none");
    return 0;
}

static int permissions_text(struct db *db, struct act *a, struct err *err)
{
    const char *all;
    if (account_permissions(db, a->account, arena, &all, err) < 0)
        return -1;
    snprintf(a->text, sizeof a->text, "%s", all ? all : "none");
    return 0;
}

static int session_text(struct db *db, struct act *a, struct err *err)
{
    struct session_row row;
    int rc = session_row_get(db, a->hash, arena, &row, err);
    snprintf(a->text, sizeof a->text, "%s", rc == 1 && row.roles ? row.roles : "none");
    return rc;
}

#define ACT_FN(name, call)                                                                         \
    static int name(struct db *db, void *arg, struct err *err)                                     \
    {                                                                                              \
        struct act *a = arg;                                                                       \
        a->text[0] = '\0';                                                                         \
        a->is = (call);                                                                            \
        return a->is < 0 ? -1 : 0;                                                                 \
    }
ACT_FN(do_put, role_put(db, &a->row, err))
ACT_FN(do_get, role_get(db, a->role, arena, &a->out, err))
ACT_FN(do_drop, role_drop(db, a->role, err))
ACT_FN(do_take_from_all, role_take_from_all(db, a->role, err))
ACT_FN(do_count, role_count(db, err))
ACT_FN(do_holder_count, role_holder_count(db, a->role, err))
ACT_FN(do_each, role_each(db, tell_role, a, err))
ACT_FN(do_holders, role_each_holder(db, a->role, 2, tell_holder, a, err))
ACT_FN(do_stop, role_each_holder(db, a->role, 2, stop, a, err))
ACT_FN(do_grant,
       account_role_grant(db, &(struct account_role_row){a->account, a->role, a->at}, err))
ACT_FN(do_revoke, account_role_revoke(db, a->account, a->role, err))
ACT_FN(do_roles, roles_text(db, a, err))
ACT_FN(do_permissions, permissions_text(db, a, err))
static int known(struct db *db, struct act *a, struct err *err)
{
    struct account found;
    const struct account_profile p = {.provider = "google", .subject = login[0].subject};
    int rc = account_known(db, &p, NOW, &found, err);
    snprintf(a->text, sizeof a->text, "%s", found.no_roles ? "none" : "some");
    return rc;
}
ACT_FN(do_known, known(db, a, err))
ACT_FN(do_session, session_text(db, a, err))

static void grant(unsigned who, const char *role, int64_t at)
{
    struct act a = {.account = login[who].account.id, .role = role, .at = at};
    kit_write(do_grant, &a);
    ck_assert_int_eq(a.is, 1);
}

static void put(const char *name, const char *permissions, const char *description, int64_t at)
{
    struct act a = {.row = {name, permissions, description, at - NOW + 100, at, at}};
    kit_write(do_put, &a);
}

START_TEST(granted_once_and_gone_with_the_account)
{
    struct act a = {.account = login[0].account.id, .role = ROLE_ADMIN, .at = NOW};
    kit_write(do_grant, &a);
    ck_assert_int_eq(a.is, 1);
    a.at = NOW + 5;
    kit_write(do_grant, &a);
    ck_assert_int_eq(a.is, 0);
    ck_assert_int_eq(kit_number("SELECT since FROM account_role"), NOW);
    kit_write(do_revoke, &a);
    ck_assert_int_eq(a.is, 1);
    kit_write(do_revoke, &a);
    ck_assert_int_eq(a.is, 0);
    kit_write(do_grant, &a);
    kit_sql("DELETE FROM account");
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account_role"), 0);
    kit_write_fails(do_grant, &a); /* nobody to have it */
}
END_TEST

START_TEST(what_a_role_is)
{
    struct act a = {.role = "wiki"};
    kit_read(do_get, &a);
    ck_assert_int_eq(a.is, 0);
    put("wiki", "[\"read\"]", "", NOW);
    put("ops", "[]", "Zoë's \"ops\"", NOW + 1);
    put("wiki", "[\"edit\",\"read\"]", "The wiki", NOW + 2); /* created stays */
    grant(0, "wiki", NOW);
    grant(1, "wiki", NOW);
    grant(1, "unheard-of", NOW);
    kit_read(do_each, &a);
    ck_assert_str_eq(a.text, "ops [] Zoë's \"ops\" 101 1 1 0;"
                             "wiki [\"edit\",\"read\"] The wiki 102 0 2 2;");
    kit_read(do_get, &a);
    ck_assert_int_eq(a.is, 1);
    ck_assert_str_eq(a.out.permissions, "[\"edit\",\"read\"]");
    ck_assert_int_eq(a.out.version, 102);
    kit_read(do_count, &a);
    ck_assert_int_eq(a.is, 2);

    kit_write(do_drop, &a);
    ck_assert_int_eq(a.is, 1);
    kit_write(do_drop, &a);
    ck_assert_int_eq(a.is, 0);
    kit_read(do_holder_count, &a);
    ck_assert_int_eq(a.is, 2);
    kit_write(do_take_from_all, &a);
    ck_assert_int_eq(a.is, 2);
    kit_read(do_holder_count, &a);
    ck_assert_int_eq(a.is, 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account_role"), 1);
}
END_TEST

START_TEST(what_all_roles_of_one_allow)
{
    struct act a = {.account = login[0].account.id};
    put("wiki", "[\"wiki:read\",\"both\"]", "", NOW);
    put("ops", "[\"both\",\"ops\"]", "", NOW);
    put("nobodys", "[\"nothing\"]", "", NOW);
    put("empty", "[]", "", NOW);
    kit_read(do_permissions, &a);
    ck_assert_str_eq(a.text, "none");
    grant(0, "empty", NOW);
    grant(0, "unheard-of", NOW);
    kit_read(do_permissions, &a);
    ck_assert_str_eq(a.text, "none");
    grant(0, "wiki", NOW);
    grant(0, "ops", NOW);
    grant(1, "nobodys", NOW);
    kit_read(do_permissions, &a);
    ck_assert_str_eq(a.text, "[\"both\",\"ops\",\"wiki:read\"]");
}
END_TEST

START_TEST(who_has_it)
{
    struct act a = {.role = "wiki"};
    char expected[400];
    grant(2, "wiki", NOW);
    grant(0, "wiki", NOW + 1);
    grant(1, "wiki", NOW + 2); /* the third of two */
    grant(1, "other", NOW);
    kit_sql("DELETE FROM session");
    kit_sql("DELETE FROM identity WHERE account <> (SELECT account FROM account_role "
            "ORDER BY since, role DESC LIMIT 1)"); /* of the first holder */
    kit_sql("INSERT INTO identity (provider, subject, account, name, email_evidence, first_seen, "
            "last_seen) SELECT 'newer', '1', account, 'Newer', 0, 0, last_seen + 1 FROM identity");
    kit_read(do_holders, &a);
    snprintf(expected, sizeof expected, "%s 0 newer Newer;%s 1 - -;", login[2].account.id,
             login[0].account.id);
    ck_assert_str_eq(a.text, expected);
    a.role = "nobodys";
    kit_read(do_holders, &a);
    ck_assert_str_eq(a.text, "");
    a.role = "wiki";
    ck_assert_int_eq(kit_write_fails(do_stop, &a).kind, ERR_LIMITED);
}
END_TEST

/* In whatever order the database has them. */
static void is_either(const char *text, const char *one, const char *other)
{
    char plain[100] = "";
    for (size_t n = 0; *text && n + 1 < sizeof plain; text++)
        if (*text != ' ')
            plain[n++] = *text;
    ck_assert_msg(strcmp(plain, one) == 0 || strcmp(plain, other) == 0, "%s", plain);
}

START_TEST(rows_of_sessions_bring_roles)
{
    struct act a = {.account = login[0].account.id};
    memcpy(a.hash, login[0].hash, sizeof a.hash);
    kit_read(do_roles, &a);
    ck_assert_str_eq(a.text, "none");
    kit_read(do_session, &a);
    ck_assert_int_eq(a.is, 1);
    ck_assert(strcmp(a.text, "none") == 0 || strcmp(a.text, "[]") == 0);
    kit_write(do_known, &a);
    ck_assert_str_eq(a.text, "none");
    grant(1, "other", NOW);
    kit_write(do_known, &a);
    ck_assert_str_eq(a.text, "none");
    grant(0, "wiki", NOW);
    kit_write(do_known, &a);
    ck_assert_int_eq(a.is, 1);
    ck_assert_str_eq(a.text, "some");
    kit_read(do_session, &a);
    is_either(a.text, "[\"wiki\"]", "");
    grant(0, "ops", NOW);
    kit_read(do_roles, &a);
    is_either(a.text, "[\"ops\",\"wiki\"]", "[\"wiki\",\"ops\"]");
    kit_read(do_session, &a);
    is_either(a.text, "[\"ops\",\"wiki\"]", "[\"wiki\",\"ops\"]");
}
END_TEST

Suite *suite_roles(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("roles");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, granted_once_and_gone_with_the_account);
    tcase_add_test(tc, what_a_role_is);
    tcase_add_test(tc, what_all_roles_of_one_allow);
    tcase_add_test(tc, who_has_it);
    tcase_add_test(tc, rows_of_sessions_bring_roles);
    suite_add_tcase(s, tc);
    return s;
}
