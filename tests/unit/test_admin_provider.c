/* SPDX-License-Identifier: Apache-2.0 */
/* Providers made, changed and deleted by admins, as they are in force a moment later. */
#include <stdio.h>

#include "admin_fixture.h"

Suite *suite_admin_provider(void);

#define CANARY "canary-5c0ffee-secret"
#define DISCORD                                                                                    \
    "{\"id\":\"discord\",\"settings\":{\"client_id\":\"42\",\"client_secret\":\"" CANARY "\"}}"
#define KEYCLOAK(host)                                                                             \
    "\"settings\":{\"plugin\":\"oidc\",\"issuer\":\"https://" host "\",\"client_id\":\"u\","       \
    "\"client_secret\":\"s3cret-s3cret\"}"

static struct admin_fixture f;

static void setup(void)
{
    admin_fixture_open(&f);
}

static void teardown(void)
{
    admin_fixture_close(&f);
}

static const struct provider *in_force(const char *id)
{
    return registry_find(live_registry(f.live), id);
}

static enum err_kind call_as(admin_op_fn *op, const char *id, const char *body, const char *etag)
{
    f.if_match = etag;
    return admin_call(&f, op, id, body);
}

/* A copy of the last answer's etag: what is kept in `f` changes with the next call. */
static const char *etag(void)
{
    static char kept[40];
    snprintf(kept, sizeof kept, "%s", f.etag);
    return kept;
}

/* The etag of a provider as it is now. */
static const char *look(const char *id)
{
    admin_do(&f, admin_provider_show, id, NULL);
    return etag();
}

START_TEST(a_provider_is_in_force_when_the_answer_comes)
{
    admin_do(&f, admin_provider_add, NULL, DISCORD);
    ck_assert(f.created);
    ck_assert_str_eq(admin_said(&f, "/id"), "discord");
    ck_assert_str_eq(admin_said(&f, "/plugin"), "discord");
    ck_assert_str_eq(admin_said(&f, "/label"), "Discord");
    ck_assert_str_eq(admin_said(&f, "/source/kind"), "row");
    ck_assert_str_eq(admin_said(&f, "/callback_url"), "https://usher.example/callback/discord");
    ck_assert_str_eq(admin_said(&f, "/settings/client_id"), "42");
    ck_assert_str_eq(admin_said(&f, "/secrets/client_secret/using"), "active");
    ck_assert_int_gt(admin_number(&f, "/secrets/client_secret/active/since"), 0);
    ck_assert_ptr_nonnull(strstr(f.text, "\"usable\":true"));
    ck_assert_ptr_nonnull(strstr(f.text, "\"read_only\":false"));
    ck_assert_str_eq(f.etag, "\"1\"");

    const struct provider *p = in_force("discord");
    ck_assert(p != NULL && p->usable && p->from_row);
    ck_assert(secret_eq(provider_secret(p, "client_secret", PROVIDER_ACTIVE), str_of(CANARY)));
    admin_do(&f, admin_provider_list, NULL, NULL);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/providers")), 1);
    ck_assert_str_eq(admin_said(&f, "/providers/0/id"), "discord");
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    ck_assert(in_force("discord") != NULL && in_force("discord")->usable);
    ck_assert_int_eq(admin_call(&f, admin_provider_show, "nobody", NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(admin_call(&f, admin_provider_show, NULL, NULL), ERR_NOT_FOUND);
}
END_TEST

/* ADM-13: whatever is asked, a secret never comes out, nor is it kept in the clear. */
START_TEST(a_secret_never_comes_out)
{
    static const char *const bodies[] = {
        "{\"settings\":{\"client_id\":\"" CANARY "\\u0001\"}}",
        "{\"settings\":{\"client_secret\":\"" CANARY "\\u0001\"}}",
        "{\"settings\":{\"client_secret\":[\"" CANARY "\"]}}",
        "{\"settings\":{\"client_secret\":{\"x\":\"" CANARY "\"}}}",
        "{\"settings\":{\"client_secret_next\":\"" CANARY "\"}}",
        "{\"settings\":{\"timeout\":\"" CANARY "x\"},\"" CANARY "\":1}",
        "{\"secret\":\"" CANARY "\"}",
    };
    admin_do(&f, admin_provider_add, NULL, DISCORD);
    const char *tag = etag();
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        ck_assert_int_ne(call_as(admin_provider_edit, "discord", bodies[i], tag), ERR_NONE);
        if (i != 5) { /* where the name itself is the canary, it is no secret */
            ck_assert_msg(!strstr(f.err.text, CANARY), "%s", f.err.text);
            ck_assert_msg(!strstr(f.fields, CANARY), "%s", f.fields);
        }
    }
    static admin_op_fn *const ops[] = {admin_provider_show, admin_provider_list, admin_overview,
                                       admin_status,        admin_audit_list,    admin_key_list,
                                       admin_config_diff,   admin_secret_promote};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        admin_call(&f, ops[i], "discord", NULL);
        ck_assert_ptr_null(strstr(f.text, CANARY));
        ck_assert_ptr_null(strstr(f.err.text, CANARY));
    }
    ck_assert(!admin_stored(&f, CANARY));
    ck_assert(admin_stored(&f, "client_secret"));
}
END_TEST

START_TEST(what_is_wrong_is_said_by_setting)
{
    static const struct {
        const char *body, *field;
        enum err_kind kind;
    } wrong[] = {
        {"{}", "id", ERR_INVALID},
        {"{\"id\":\"discord\"}", "settings", ERR_INVALID},
        {"{\"id\":\"Discord\",\"settings\":{}}", "id", ERR_INVALID},
        {"{\"id\":\"-a\",\"settings\":{}}", "id", ERR_INVALID},
        {"{\"id\":\"../etc\",\"settings\":{}}", "id", ERR_INVALID},
        {"{\"id\":\"123456789012345678901234567890123\",\"settings\":{}}", "id", ERR_INVALID},
        {"{\"id\":\"nosuch\",\"settings\":{}}", "plugin", ERR_INVALID},
        {"{\"id\":\"x\",\"settings\":{\"plugin\":\"../evil\"}}", "plugin", ERR_INVALID},
        {"{\"id\":\"discord\",\"settings\":{}}", "client_id", ERR_MISCONFIGURED},
        {"{\"id\":\"discord\",\"settings\":{\"client_id\":\"1\",\"client_secret\":\"s\","
         "\"colour\":\"red\"}}",
         "colour", ERR_MISCONFIGURED},
        {"{\"id\":\"discord\",\"settings\":{\"client_id\":\"1\",\"client_secret\":\"s\","
         "\"timeout\":\"soon\"}}",
         "timeout", ERR_MISCONFIGURED},
        {"{\"id\":\"discord\",\"settings\":{\"client_id\":\"a\\nb\",\"client_secret\":\"s\"}}",
         "client_id", ERR_INVALID},
        {"{\"id\":\"discord\",\"settings\":{\"client_id\":1.5,\"client_secret\":\"s\"}}",
         "client_id", ERR_INVALID},
        {"{\"id\":\"discord\",\"settings\":{\"client_id\":\"1\",\"client_secret\":\"\"}}",
         "client_secret", ERR_INVALID},
        {"{\"id\":\"discord\",\"settings\":{\"client_id\":\"1\",\"client_secret\":\"s\","
         "\"scopes\":[\"a b\"]}}",
         "scopes", ERR_INVALID},
        {"{\"id\":\"discord\",\"settings\":{},\"secret\":1}", "secret", ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        enum err_kind kind = admin_call(&f, admin_provider_add, NULL, wrong[i].body);
        ck_assert_msg(kind == wrong[i].kind, "%s: %s %s", wrong[i].body, err_kind_name(kind),
                      f.err.text);
        ck_assert_msg(strstr(f.fields, wrong[i].field) != NULL, "%s: %s", wrong[i].body, f.fields);
    }
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM provider"), 0);
    ck_assert_ptr_null(in_force("discord"));
}
END_TEST

START_TEST(values_may_be_texts_numbers_truths_and_lists)
{
    admin_do(
        &f, admin_provider_add, NULL,
        "{\"id\":\"discord\",\"settings\":{\"client_id\":42,\"client_secret\":\"a b\\nc\\n\","
        "\"enabled\":true,\"timeout\":20,\"scopes\":[\"identify\",\"email\"],\"label\":\"\"}}");
    const struct provider *p = in_force("discord");
    ck_assert_str_eq(p->common.client_id, "42");
    ck_assert_int_eq(p->common.timeout, 20);
    ck_assert_str_eq(p->common.scopes[1], "email");
    ck_assert_str_eq(p->label, "Discord");
    ck_assert(secret_eq(provider_secret(p, "client_secret", PROVIDER_ACTIVE), STR("a b\nc")));
    ck_assert_str_eq(admin_said(&f, "/settings/scopes"), "identify email");
}
END_TEST

START_TEST(replacing_and_editing)
{
    admin_do(&f, admin_provider_add, NULL, DISCORD);
    ck_assert_int_eq(call_as(admin_provider_edit, "discord",
                             "{\"settings\":{\"label\":\"Guild\",\"timeout\":\"20s\"}}", etag()),
                     ERR_NONE);
    ck_assert_str_eq(in_force("discord")->label, "Guild");
    ck_assert_str_eq(in_force("discord")->common.client_id, "42");
    ck_assert_int_eq(
        call_as(admin_provider_edit, "discord", "{\"settings\":{\"label\":null}}", etag()),
        ERR_NONE);
    ck_assert_str_eq(in_force("discord")->label, "Discord");
    ck_assert_int_eq(in_force("discord")->common.timeout, 20);
    /* What is absent is default again, but the secret stays. */
    ck_assert_int_eq(
        call_as(admin_provider_replace, "discord", "{\"settings\":{\"client_id\":\"43\"}}", etag()),
        ERR_NONE);
    const struct provider *p = in_force("discord");
    ck_assert_str_eq(p->common.client_id, "43");
    ck_assert_int_eq(p->common.timeout, 10);
    ck_assert(secret_eq(provider_secret(p, "client_secret", PROVIDER_ACTIVE), str_of(CANARY)));
    ck_assert_int_eq(call_as(admin_provider_edit, "discord",
                             "{\"settings\":{\"client_secret\":\"another\"}}", etag()),
                     ERR_NONE);
    ck_assert(secret_eq(provider_secret(in_force("discord"), "client_secret", PROVIDER_ACTIVE),
                        STR("another")));
    /* A required one cannot be taken away. */
    ck_assert_int_eq(
        call_as(admin_provider_edit, "discord", "{\"settings\":{\"client_secret\":null}}", etag()),
        ERR_MISCONFIGURED);
    ck_assert_ptr_nonnull(strstr(f.fields, "client_secret"));
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/audit/0/after/secrets/client_secret"), "changed");
    ck_assert_str_eq(admin_said(&f, "/audit/1/before/settings/timeout"), "20s");
    ck_assert_str_eq(admin_said(&f, "/audit/1/after/settings/client_id"), "43");
}
END_TEST

/* Nobody's change is lost: a change says what it was made from. */
START_TEST(lost_updates_are_refused)
{
    char first[40];
    static admin_op_fn *const ops[] = {admin_provider_edit, admin_provider_replace};
    admin_do(&f, admin_provider_add, NULL, DISCORD);
    snprintf(first, sizeof first, "%s", f.etag);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(call_as(ops[i], "discord", "{\"settings\":{\"client_id\":\"9\"}}", NULL),
                         ERR_STALE);
        ck_assert_str_eq(f.err.text, "send If-Match");
    }
    ck_assert_int_eq(call_as(admin_provider_delete, "discord", NULL, NULL), ERR_STALE);
    ck_assert_int_eq(
        call_as(admin_provider_edit, "discord", "{\"settings\":{\"label\":\"A\"}}", first),
        ERR_NONE);
    static const char *const stale[] = {"\"1\"", "*", "1", "W/\"2\"", "\"\"", ""};
    for (size_t i = 0; i < sizeof stale / sizeof *stale; i++) {
        ck_assert_int_eq(
            call_as(admin_provider_edit, "discord", "{\"settings\":{\"label\":\"B\"}}", stale[i]),
            ERR_STALE);
        ck_assert_int_eq(call_as(admin_provider_delete, "discord", "{\"force\":true}", stale[i]),
                         ERR_STALE);
    }
    ck_assert_str_eq(in_force("discord")->label, "A");
    /* Deleted and made again, it is another one, even for who remembers the first. */
    const char *tag = look("discord");
    ck_assert_int_eq(call_as(admin_provider_delete, "discord", "{\"force\":true}", tag), ERR_NONE);
    ck_assert_ptr_null(in_force("discord"));
    admin_do(&f, admin_provider_add, NULL, DISCORD);
    ck_assert_int_eq(
        call_as(admin_provider_edit, "discord", "{\"settings\":{\"label\":\"B\"}}", first),
        ERR_STALE);
    ck_assert_int_eq(admin_call(&f, admin_provider_add, NULL, DISCORD), ERR_CONFLICT);
}
END_TEST

START_TEST(files_are_read_only_and_named)
{
    admin_file(&f, "google.conf",
               "client_id = g.apps.googleusercontent.com\nclient_secret = gs-1\n");
    admin_do(&f, admin_config_reload, NULL, NULL);
    ck_assert(in_force("google") != NULL);
    admin_do(&f, admin_provider_show, "google", NULL);
    ck_assert_str_eq(admin_said(&f, "/source/kind"), "file");
    ck_assert_ptr_nonnull(strstr(admin_said(&f, "/source/file"), "providers.d/google.conf"));
    ck_assert_ptr_nonnull(strstr(f.text, "\"read_only\":true"));
    ck_assert_str_eq(admin_said(&f, "/settings/client_id"), "g.apps.googleusercontent.com");
    ck_assert_str_eq(f.etag, "");
    static const struct {
        admin_op_fn *op;
        const char *body;
    } changes[] = {
        {admin_provider_edit, "{\"settings\":{\"label\":\"x\"}}"},
        {admin_provider_replace, "{\"settings\":{\"client_id\":\"x\"}}"},
        {admin_provider_delete, "{\"force\":true}"},
        {admin_secret_rotate, "{\"secret\":\"new-one\"}"},
        {admin_secret_promote, NULL},
        {admin_secret_drop, "{\"slot\":\"next\"}"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        ck_assert_int_eq(call_as(changes[i].op, "google", changes[i].body, "\"1\""), ERR_CONFLICT);
        ck_assert_ptr_nonnull(strstr(f.err.text, "google.conf"));
    }
    ck_assert_int_eq(admin_call(&f, admin_provider_add, NULL,
                                "{\"id\":\"google\",\"settings\":{\"client_id\":\"x\"}}"),
                     ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(f.err.text, "google.conf"));
    admin_file(&f, "google.conf", NULL);
}
END_TEST

/* ADM-15 */
START_TEST(nobody_is_locked_out_by_accident)
{
    const char *off = "{\"settings\":{\"enabled\":false}}";
    admin_do(&f, admin_provider_add, NULL, DISCORD);
    const char *tag = etag();
    ck_assert_int_eq(call_as(admin_provider_delete, "discord", NULL, tag), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(f.err.text, "last usable"));
    ck_assert_int_eq(call_as(admin_provider_edit, "discord", off, tag), ERR_CONFLICT);
    ck_assert_int_eq(call_as(admin_provider_replace, "discord",
                             "{\"settings\":{\"client_id\":\"42\",\"enabled\":false}}", tag),
                     ERR_CONFLICT);
    admin_do(&f, admin_provider_add, NULL, "{\"id\":\"idp\"," KEYCLOAK("a.example") "}");
    f.actor.provider = "discord";
    ck_assert_int_eq(call_as(admin_provider_edit, "discord", off, tag), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(f.err.text, "yourself"));
    f.actor.provider = "idp";
    ck_assert_int_eq(call_as(admin_provider_edit, "discord", off, tag), ERR_NONE);
    ck_assert(!in_force("discord")->usable);
    const char *idp = look("idp");
    f.actor.provider = NULL;
    ck_assert_int_eq(call_as(admin_provider_delete, "idp", NULL, idp), ERR_CONFLICT);
    ck_assert_int_eq(call_as(admin_provider_delete, "idp", "{\"force\":true}", idp), ERR_NONE);
    ck_assert_ptr_null(in_force("idp"));
    /* What is not usable may go. */
    ck_assert_int_eq(call_as(admin_provider_delete, "discord", NULL, look("discord")), ERR_NONE);
}
END_TEST

struct told {
    int n, refused;
};

static void tell(void *arg, const struct admin_answer *a)
{
    struct told *t = arg;
    t->n++;
    t->refused += a->err && a->err->kind == ERR_CONFLICT;
}

/* Two admins, each of whom switches off one of the last two. */
START_TEST(nobody_is_locked_out_by_two_at_once)
{
    struct err err = ERR_INIT;
    struct told t = {0, 0};
    struct jval *off = jval_parse(STR("{\"settings\":{\"enabled\":false}}"), 100, 8, &err);
    char tags[2][40];
    admin_do(&f, admin_provider_add, NULL, DISCORD);
    admin_do(&f, admin_provider_add, NULL, "{\"id\":\"idp\"," KEYCLOAK("a.example") "}");
    snprintf(tags[0], sizeof tags[0], "%s", look("discord"));
    snprintf(tags[1], sizeof tags[1], "%s", look("idp"));
    for (int i = 0; i < 2; i++) {
        const struct admin_request rq = {
            .id = i ? "idp" : "discord", .body = off, .if_match = tags[i], .actor = &f.actor};
        admin_provider_edit(f.admin, &rq, tell, &t);
    }
    jval_free(&off);
    while (t.n < 2)
        loop_once(f.loop, 10);
    ck_assert_int_eq(t.refused, 1);
    ck_assert(!in_force("discord")->usable && in_force("idp")->usable);
}
END_TEST

/* Whoever waits for his turn hears of the end. */
START_TEST(changes_end_with_the_admin)
{
    struct told t = {0, 0};
    struct err err = ERR_INIT;
    struct jval *body = jval_parse(STR(DISCORD), 1000, 8, &err);
    const struct admin_request rq = {.body = body, .actor = &f.actor};
    for (int i = 0; i < 3; i++)
        admin_provider_add(f.admin, &rq, tell, &t);
    ck_assert_int_eq(t.n, 0);
    admin_fixture_stop(&f);
    ck_assert_int_eq(t.n, 3);
    jval_free(&body);
    admin_fixture_start(&f);
}
END_TEST

/* Accounts belong to an upstream, not to a name. */
START_TEST(accounts_are_not_inherited_silently)
{
    char token[48];
    store_fixture_session(&f.store, "1", 1, 2, token); /* somebody came through "fake" */
    ck_assert_int_eq(
        admin_call(&f, admin_provider_add, NULL, "{\"id\":\"fake\"," KEYCLOAK("a.example") "}"),
        ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(f.err.text, "1 accounts"));
    ck_assert_ptr_null(in_force("fake"));
    admin_do(&f, admin_provider_add, NULL,
             "{\"id\":\"fake\",\"adopt\":true," KEYCLOAK("a.example") "}");
    const char *tag = etag();
    ck_assert_int_eq(call_as(admin_provider_edit, "fake",
                             "{\"settings\":{\"issuer\":\"https://evil.example\"}}", tag),
                     ERR_CONFLICT);
    ck_assert_int_eq(
        call_as(admin_provider_edit, "fake", "{\"settings\":{\"label\":\"ours\"}}", tag),
        ERR_NONE); /* the same upstream */
    ck_assert_int_eq(call_as(admin_provider_edit, "fake",
                             "{\"settings\":{\"issuer\":\"https://b.example\"},\"adopt\":true}",
                             etag()),
                     ERR_NONE);
}
END_TEST

START_TEST(there_is_a_most)
{
    store_fixture_sql(&f.store,
                      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 256) "
                      "INSERT INTO provider (id, settings, version, created, changed) "
                      "SELECT 'p' || i, '{\"plugin\":\"discord\"}', 1000 + i, 1, 1 FROM n");
    admin_do(&f, admin_config_reload, NULL, NULL);
    ck_assert_int_eq(admin_call(&f, admin_provider_add, NULL, DISCORD), ERR_LIMITED);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM provider"), 256);
    ck_assert_int_eq(call_as(admin_provider_delete, "p7", NULL, "\"1007\""), ERR_NONE);
    admin_do(&f, admin_provider_add, NULL, DISCORD);
}
END_TEST

START_TEST(scopes_of_providers)
{
    f.actor.scopes = ADMIN_READ | ADMIN_WRITE;
    ck_assert_int_eq(admin_call(&f, admin_provider_add, NULL, DISCORD), ERR_NOT_ALLOWED);
    f.actor.scopes = ADMIN_ALL_SCOPES;
    admin_do(&f, admin_provider_add, NULL, DISCORD);
    const char *tag = etag();
    f.actor.scopes = ADMIN_READ | ADMIN_WRITE;
    ck_assert_int_eq(
        call_as(admin_provider_edit, "discord", "{\"settings\":{\"client_secret\":\"x\"}}", tag),
        ERR_NOT_ALLOWED);
    ck_assert_int_eq(admin_call(&f, admin_secret_rotate, "discord", "{\"secret\":\"x\"}"),
                     ERR_NOT_ALLOWED);
    ck_assert_int_eq(
        call_as(admin_provider_edit, "discord", "{\"settings\":{\"label\":\"x\"}}", tag), ERR_NONE);
    f.actor.scopes = ADMIN_READ;
    ck_assert_int_eq(
        call_as(admin_provider_edit, "discord", "{\"settings\":{\"label\":\"y\"}}", etag()),
        ERR_NOT_ALLOWED);
    ck_assert_str_eq(in_force("discord")->label, "x");
}
END_TEST

/* A broken file does not stand in the way of admins. */
START_TEST(rows_work_while_a_file_is_broken)
{
    static const char good[] = "client_id = g.apps.googleusercontent.com\nclient_secret = gs-1\n";
    admin_file(&f, "google.conf", good);
    admin_do(&f, admin_config_reload, NULL, NULL);
    ck_assert_int_gt(admin_number(&f, "/generation"), 1);
    admin_file(&f, "google.conf", "this is no setting\n");
    ck_assert_int_eq(admin_call(&f, admin_config_reload, NULL, NULL), ERR_MISCONFIGURED);
    ck_assert_ptr_nonnull(strstr(f.fields, "google.conf"));
    admin_do(&f, admin_provider_add, NULL, DISCORD);
    ck_assert(in_force("discord") != NULL && in_force("discord")->usable);
    ck_assert(in_force("google") != NULL && in_force("google")->usable);
    admin_do(&f, admin_status, NULL, NULL);
    ck_assert_ptr_nonnull(strstr(f.text, "\"ok\":false"));
    ck_assert_ptr_nonnull(strstr(admin_said(&f, "/config/problems/0/file"), "google.conf"));
    ck_assert_int_eq(admin_number(&f, "/providers/usable"), 2);
    admin_file(&f, "google.conf", NULL);
    admin_do(&f, admin_config_reload, NULL, NULL);
    admin_do(&f, admin_status, NULL, NULL);
    ck_assert_ptr_nonnull(strstr(f.text, "\"ok\":true"));
    ck_assert_int_eq(admin_number(&f, "/providers/usable"), 1);
}
END_TEST

START_TEST(a_diff_tells_what_a_reload_would_do)
{
    admin_file(&f, "google.conf",
               "client_id = g.apps.googleusercontent.com\nclient_secret = gs-1\n");
    admin_do(&f, admin_config_diff, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/changes/0/id"), "google");
    ck_assert_str_eq(admin_said(&f, "/changes/0/change"), "added");
    ck_assert_ptr_null(in_force("google"));
    ck_assert_ptr_null(strstr(f.text, "gs-1"));
    admin_file(&f, "google.conf", NULL);
}
END_TEST

START_TEST(plugins_are_told)
{
    admin_do(&f, admin_plugin_list, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/plugins/0/name"), "discord");
    ck_assert_str_eq(admin_said(&f, "/plugins/0/label"), "Discord");
    admin_do(&f, admin_plugin_show, "discord", NULL);
    ck_assert_str_eq(admin_said(&f, "/name"), "discord");
    ck_assert_uint_gt(jval_count(jval_at(f.body, "/settings")), 5);
    static const char *const none[] = {"nosuch", "../discord", "", NULL};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_int_eq(admin_call(&f, admin_plugin_show, none[i], NULL), ERR_NOT_FOUND);
}
END_TEST

Suite *suite_admin_provider(void)
{
    Suite *s = suite_create("admin_provider");
    TCase *tc = tcase_create("providers");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_provider_is_in_force_when_the_answer_comes);
    tcase_add_test(tc, a_secret_never_comes_out);
    tcase_add_test(tc, what_is_wrong_is_said_by_setting);
    tcase_add_test(tc, values_may_be_texts_numbers_truths_and_lists);
    tcase_add_test(tc, replacing_and_editing);
    tcase_add_test(tc, lost_updates_are_refused);
    tcase_add_test(tc, files_are_read_only_and_named);
    tcase_add_test(tc, nobody_is_locked_out_by_accident);
    tcase_add_test(tc, nobody_is_locked_out_by_two_at_once);
    tcase_add_test(tc, changes_end_with_the_admin);
    tcase_add_test(tc, accounts_are_not_inherited_silently);
    tcase_add_test(tc, there_is_a_most);
    tcase_add_test(tc, scopes_of_providers);
    tcase_add_test(tc, rows_work_while_a_file_is_broken);
    tcase_add_test(tc, a_diff_tells_what_a_reload_would_do);
    tcase_add_test(tc, plugins_are_told);
    suite_add_tcase(s, tc);
    return s;
}
