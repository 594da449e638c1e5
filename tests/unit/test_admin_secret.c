/* SPDX-License-Identifier: Apache-2.0 */
/* A secret changes without an outage: it waits, takes over, and the old one retires. */
#include <stdio.h>

#include "admin_fixture.h"

Suite *suite_admin_secret(void);

#define FIRST "first-secret-canary"
#define SECOND "second-secret-canary"
#define THIRD "third-secret-canary"

static struct admin_fixture f;

static void setup(void)
{
    admin_fixture_open(&f);
    admin_do(&f, admin_provider_add, NULL,
             "{\"id\":\"discord\",\"settings\":{\"client_id\":\"42\",\"client_secret\":\"" FIRST
             "\"}}");
}

static void teardown(void)
{
    ck_assert(!admin_stored(&f, "secret-canary"));
    admin_fixture_close(&f);
}

static bool holds(enum provider_slot slot, const char *secret)
{
    const struct provider *p = registry_find(live_registry(f.live), "discord");
    const struct secret *s = provider_secret(p, "client_secret", slot);
    return secret ? s && secret_eq(s, str_of(secret)) : s == NULL;
}

static bool slots_hold(const char *active, const char *next, const char *retiring)
{
    return holds(PROVIDER_ACTIVE, active) && holds(PROVIDER_NEXT, next) &&
           holds(PROVIDER_RETIRING, retiring);
}

START_TEST(a_secret_waits_and_takes_over)
{
    const int64_t ends = INT64_C(4000000000);
    admin_do(&f, admin_secret_rotate, "discord",
             "{\"secret\":\"" SECOND "\\n\",\"expires\":4000000000}");
    ck_assert_int_eq(admin_number(&f, "/secrets/client_secret/next/expires"), ends);
    ck_assert_str_eq(admin_said(&f, "/secrets/client_secret/using"), "active");
    ck_assert_ptr_null(strstr(f.text, "secret-canary"));
    ck_assert(slots_hold(FIRST, SECOND, NULL));
    admin_do(&f, admin_secret_promote, "discord", NULL);
    ck_assert_int_eq(admin_number(&f, "/secrets/client_secret/active/expires"), ends);
    ck_assert(slots_hold(SECOND, NULL, FIRST));
    ck_assert_int_eq(admin_call(&f, admin_secret_promote, "discord", NULL), ERR_CONFLICT);
    admin_do(&f, admin_secret_rotate, "discord", "{\"secret\":\"" THIRD "\"}");
    admin_do(&f, admin_secret_promote, "discord", "{\"key\":\"client_secret\"}");
    ck_assert(slots_hold(THIRD, NULL, SECOND));
    admin_do(&f, admin_secret_drop, "discord", "{\"slot\":\"retiring\"}");
    ck_assert(slots_hold(THIRD, NULL, NULL));
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    ck_assert(slots_hold(THIRD, NULL, NULL));
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_ptr_null(strstr(f.text, "secret-canary"));
    ck_assert_str_eq(admin_said(&f, "/audit/0/action"), "provider.drop");
    ck_assert_str_eq(admin_said(&f, "/audit/1/action"), "provider.promote");
    ck_assert_str_eq(admin_said(&f, "/audit/2/action"), "provider.rotate");
    ck_assert_str_eq(admin_said(&f, "/audit/2/after/client_secret"), "next set");
}
END_TEST

START_TEST(the_active_one_goes_only_by_force)
{
    ck_assert_int_eq(admin_call(&f, admin_secret_drop, "discord", "{\"slot\":\"active\"}"),
                     ERR_CONFLICT);
    ck_assert_int_eq(admin_call(&f, admin_secret_drop, "discord", "{\"slot\":\"next\"}"),
                     ERR_NOT_FOUND);
    ck_assert(slots_hold(FIRST, NULL, NULL));
    admin_do(&f, admin_secret_drop, "discord", "{\"slot\":\"active\",\"force\":true}");
    ck_assert_ptr_nonnull(strstr(f.text, "\"usable\":false"));
    admin_do(&f, admin_secret_rotate, "discord", "{\"secret\":\"" SECOND "\"}");
    ck_assert(slots_hold(SECOND, NULL, NULL)); /* nothing to wait for */
    ck_assert_ptr_nonnull(strstr(f.text, "\"usable\":true"));
}
END_TEST

START_TEST(requests_are_judged)
{
    static const struct {
        admin_op_fn *op;
        const char *id, *body;
        enum err_kind kind;
    } wrong[] = {
        {admin_secret_rotate, "nobody", "{\"secret\":\"x\"}", ERR_NOT_FOUND},
        {admin_secret_rotate, NULL, "{\"secret\":\"x\"}", ERR_NOT_FOUND},
        {admin_secret_rotate, "discord", NULL, ERR_INVALID},
        {admin_secret_rotate, "discord", "{\"secret\":\"\"}", ERR_INVALID},
        {admin_secret_rotate, "discord", "{\"secret\":\"\\n\"}", ERR_INVALID},
        {admin_secret_rotate, "discord", "{\"secret\":\"a\\u0008b\"}", ERR_INVALID},
        {admin_secret_rotate, "discord", "{\"secret\":null}", ERR_INVALID},
        {admin_secret_rotate, "discord", "{\"secret\":\"x\",\"key\":\"client_id\"}", ERR_INVALID},
        {admin_secret_rotate, "discord", "{\"secret\":\"x\",\"key\":\"../../etc\"}", ERR_INVALID},
        {admin_secret_rotate, "discord", "{\"secret\":\"x\",\"expires\":5}", ERR_INVALID},
        {admin_secret_promote, "discord", "{\"slot\":\"next\"}", ERR_INVALID},
        {admin_secret_drop, "discord", "{\"slot\":\"first\"}", ERR_INVALID},
        {admin_secret_drop, "discord", "{}", ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(admin_call(&f, wrong[i].op, wrong[i].id, wrong[i].body) == wrong[i].kind,
                      "%s: %s", wrong[i].body, f.err.text);
    f.if_match = "\"99\"";
    ck_assert_int_eq(admin_call(&f, admin_secret_rotate, "discord", "{\"secret\":\"x\"}"),
                     ERR_STALE);
    f.actor.scopes = ADMIN_READ | ADMIN_WRITE;
    ck_assert_int_eq(admin_call(&f, admin_secret_rotate, "discord", "{\"secret\":\"x\"}"),
                     ERR_NOT_ALLOWED);
    ck_assert(slots_hold(FIRST, NULL, NULL));
}
END_TEST

static const char *wanted;

static bool active_is_wanted(struct admin_fixture *fx)
{
    (void)fx;
    return holds(PROVIDER_ACTIVE, wanted);
}

/* As a login finds it out that began when this was in force. */
static void fall_over_to(struct registry *r, enum provider_slot slot)
{
    const struct provider *p = registry_find(r, "discord");
    ck_assert(slots_fell_over(f.slots, p, slot));
    admin_on_fallover(f.admin, p->id, PROVIDER_ACTIVE, slot);
}

/* What logins found out is kept, in both directions. */
START_TEST(a_fall_over_is_kept)
{
    admin_do(&f, admin_secret_rotate, "discord", "{\"secret\":\"" SECOND "\"}");
    fall_over_to(live_registry(f.live), PROVIDER_NEXT);
    wanted = SECOND;
    admin_until(&f, active_is_wanted);
    ck_assert(slots_hold(SECOND, NULL, FIRST));
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/audit/0/action"), "provider.promote");
    ck_assert_str_eq(admin_said(&f, "/audit/0/actor_kind"), "system");

    fall_over_to(live_registry(f.live), PROVIDER_RETIRING);
    wanted = FIRST;
    admin_until(&f, active_is_wanted);
    ck_assert(slots_hold(FIRST, SECOND, NULL));
    admin_on_fallover(f.admin, "nobody", PROVIDER_ACTIVE, PROVIDER_NEXT);
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    ck_assert(slots_hold(FIRST, SECOND, NULL));
}
END_TEST

/* A login tells what it found out of slots that have moved since, or of another provider that had
 * the id before: what lies in the slot of that name now is not what worked. */
START_TEST(a_fall_over_of_before_moves_nothing)
{
    admin_do(&f, admin_secret_rotate, "discord", "{\"secret\":\"" SECOND "\"}");
    struct registry *before = registry_ref(live_registry(f.live));
    admin_do(&f, admin_secret_promote, "discord", NULL);
    admin_do(&f, admin_secret_rotate, "discord", "{\"secret\":\"" THIRD "\"}");
    ck_assert(slots_hold(SECOND, THIRD, FIRST));
    fall_over_to(before, PROVIDER_NEXT);
    admin_do(&f, admin_config_reload, NULL, NULL); /* has its turn after it */
    ck_assert(slots_hold(SECOND, THIRD, FIRST));
    registry_free(&before);

    before = registry_ref(live_registry(f.live));
    admin_do(&f, admin_provider_show, "discord", NULL);
    char etag[sizeof f.etag];
    snprintf(etag, sizeof etag, "%s", f.etag);
    f.if_match = etag;
    admin_do(&f, admin_provider_delete, "discord", "{\"force\":true}");
    f.if_match = NULL;
    admin_do(&f, admin_provider_add, NULL,
             "{\"id\":\"discord\",\"settings\":{\"client_id\":\"43\",\"client_secret\":\"" FIRST
             "\"}}");
    admin_do(&f, admin_secret_rotate, "discord", "{\"secret\":\"" SECOND "\"}");
    fall_over_to(before, PROVIDER_NEXT);
    admin_do(&f, admin_config_reload, NULL, NULL);
    ck_assert(slots_hold(FIRST, SECOND, NULL));
    registry_free(&before);
}
END_TEST

/* What is of a file only an admin can move, so it is said until that was done. */
START_TEST(status_says_what_is_to_be_done)
{
    char body[100];
    const int64_t now = admin_number(&f, "/secrets/client_secret/active/since");
    admin_do(&f, admin_status, NULL, NULL);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/notes")), 0);
    snprintf(body, sizeof body, "{\"secret\":\"" SECOND "\",\"expires\":%lld}",
             (long long)(now + 3 * 86400 + 3600));
    admin_do(&f, admin_secret_rotate, "discord", body);
    admin_do(&f, admin_status, NULL, NULL);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/notes")), 0); /* it only waits */
    admin_do(&f, admin_secret_promote, "discord", NULL);
    admin_do(&f, admin_status, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/notes/0"),
                     "The client secret of provider discord expires in 3 days.");

    admin_file(&f, "google.conf",
               "client_id = g.apps.googleusercontent.com\nclient_secret = gs-1\n"
               "client_secret_next = gs-2\n");
    admin_do(&f, admin_config_reload, NULL, NULL);
    const struct provider *p = registry_find(live_registry(f.live), "google");
    ck_assert(slots_fell_over(f.slots, p, PROVIDER_NEXT));
    admin_on_fallover(f.admin, "google", PROVIDER_ACTIVE, PROVIDER_NEXT);
    admin_do(&f, admin_status, NULL, NULL);
    ck_assert_ptr_nonnull(strstr(admin_said(&f, "/notes/1"), "Provider google signs in with its "
                                                             "next secret"));
    ck_assert_ptr_nonnull(strstr(admin_said(&f, "/notes/1"), "google.conf"));
    admin_do(&f, admin_provider_show, "google", NULL);
    ck_assert_str_eq(admin_said(&f, "/secrets/client_secret/using"), "next");
    admin_file(&f, "google.conf", NULL);
}
END_TEST

/* A provider whose row cannot be read stands for itself only. */
START_TEST(a_row_that_makes_no_sense_can_be_deleted)
{
    store_fixture_sql(&f.store, "INSERT INTO provider (id, settings, version, created, changed) "
                                "VALUES ('odd', '[7', 900, 1, 1)");
    admin_do(&f, admin_provider_list, NULL, NULL);
    ck_assert_ptr_nonnull(strstr(f.text, "\"id\":\"odd\""));
    admin_do(&f, admin_provider_show, "odd", NULL);
    ck_assert_str_eq(f.etag, "\"900\"");
    f.if_match = "\"900\"";
    admin_do(&f, admin_provider_delete, "odd", NULL);
    admin_do(&f, admin_provider_list, NULL, NULL);
    ck_assert_ptr_null(strstr(f.text, "\"id\":\"odd\""));
}
END_TEST

/* Keys change while providers do. */
START_TEST(a_new_key_changes_nothing_for_providers)
{
    for (int i = 0; i < 3; i++) {
        admin_do(&f, admin_key_rotate, NULL, NULL);
        admin_do(&f, admin_secret_rotate, "discord", "{\"secret\":\"" SECOND "\"}");
        ck_assert(slots_hold(FIRST, SECOND, NULL));
    }
    admin_do(&f, admin_config_reload, NULL, NULL);
    ck_assert(slots_hold(FIRST, SECOND, NULL));
}
END_TEST

Suite *suite_admin_secret(void)
{
    Suite *s = suite_create("admin_secret");
    TCase *tc = tcase_create("slots");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_secret_waits_and_takes_over);
    tcase_add_test(tc, the_active_one_goes_only_by_force);
    tcase_add_test(tc, requests_are_judged);
    tcase_add_test(tc, a_fall_over_is_kept);
    tcase_add_test(tc, a_fall_over_of_before_moves_nothing);
    tcase_add_test(tc, status_says_what_is_to_be_done);
    tcase_add_test(tc, a_row_that_makes_no_sense_can_be_deleted);
    tcase_add_test(tc, a_new_key_changes_nothing_for_providers);
    suite_add_tcase(s, tc);
    return s;
}
