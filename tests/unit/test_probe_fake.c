/* SPDX-License-Identifier: Apache-2.0 */
/* Tests and rehearsals of providers over a real network: every failure the look-alikes can make, in
 * words, and what a whole sign-in shows. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_kit.h"
#include "login/probe.h"
#include "login/rehearsal.h"
#include "sys/clock.h"

Suite *suite_probe_fake(void);

#define PATIENCE_MS 30000

static char folder[64];
static struct arena *arena;
static struct loop *loop;
static struct fetch *net;
static struct store *store;
static struct sessions *sessions;
static struct keyring *keys;
static struct registry *registry;
static struct login *login;
static struct jval *report;
static const char *text;
static unsigned times;

static void configure(const char *plugin, const char *more)
{
    const char *top = getenv("top_builddir");
    struct conf_problems problems;
    const struct registry_options o = {.plugin_dir =
                                           arena_printf(arena, "%s/plugins/.libs", top ? top : "."),
                                       .allow_http_loopback = true};
    const char *base = kit_fake->base;
    const char *where = strcmp(plugin, "discord") == 0
                            ? arena_printf(arena,
                                           "authorize_url = %s/discord/oauth2/authorize\n"
                                           "api_url = %s/discord/api/v10\n",
                                           base, base)
                            : arena_printf(arena, "issuer = %s/%s\n", base, plugin);
    const char *conf = arena_printf(arena, "plugin = %s\n%s%s", plugin, where, more);
    conf_problems_init(&problems);
    registry_free(&registry);
    registry = registry_text(&o, "trial", str_of(conf), &problems);
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
    conf_problems_deinit(&problems);
}

#define GOOD "client_id = usher-dev\nclient_secret = usher-dev-secret\n"

static void setup(void)
{
    struct err err = ERR_INIT;
    const struct fetch_options fo = {.allow_http_loopback = true};
    const struct sessions_options so = {.idle_seconds = 60, .absolute_seconds = 60, .max = 10};
    kit_start();
    arena = arena_new();
    strcpy(folder, "/tmp/usher-probe-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    loop = loop_new(&err);
    net = fetch_new(loop, &fo, &err);
    store = store_open(arena_printf(arena, "sqlite:%s/usher.db", folder), &err);
    ck_assert_msg(net && store, "%s", err.text);
    sessions = sessions_new(&so);
    keys = keyring_fixed((const unsigned char *)"0123456789abcdef0123456789abcdef");
    configure("oidc", GOOD);
    const struct login_options o = {.loop = loop,
                                    .registry = registry,
                                    .store = store,
                                    .sessions = sessions,
                                    .keys = keys,
                                    .fetch = net,
                                    .public_url = "https://usher.test",
                                    .deadline_ms = 20000,
                                    .session_seconds = 60};
    login = login_new(&o, &err);
    ck_assert_msg(login != NULL, "%s", err.text);
}

static void teardown(void)
{
    static const char *const left[] = {"usher.db", "usher.db-lock", "usher.db-wal", "usher.db-shm"};
    login_free(&login);
    store_close(&store);
    fetch_free(&net);
    registry_free(&registry);
    sessions_free(&sessions);
    loop_free(&loop);
    keyring_free(&keys);
    jval_free(&report);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        unlink(arena_printf(arena, "%s/%s", folder, left[i]));
    ck_assert_int_eq(rmdir(folder), 0);
    arena_free(&arena);
    kit_stop();
}

static void on_done(void *arg, const struct jval *r, const struct err *err)
{
    struct buf b;
    (void)arg;
    ck_assert_msg(r != NULL, "%s", err ? err->text : "");
    report = jval_ref((struct jval *)(uintptr_t)r);
    buf_init(&b, 16384);
    jval_render(r, &b);
    text = arena_dup(arena, b.p);
    buf_deinit(&b);
    times++;
}

static void run(void)
{
    const struct mono begun = clock_mono();
    jval_free(&report);
    times = 0;
    probe_start(login, registry, "trial", PROBE_ANY_SLOT, on_done, NULL);
    while (times == 0 && mono_ms(begun, clock_mono()) < PATIENCE_MS)
        loop_once(loop, 50);
    ck_assert_uint_eq(times, 1);
    loop_once(loop, 0); /* what it leaves to be freed */
    /* Neither what we keep secret nor what the look-alike says. */
    ck_assert_ptr_null(strstr(text, "secret-"));
    ck_assert_ptr_null(strstr(text, "-dev"));
    ck_assert_ptr_null(strstr(text, "look-alike"));
    ck_assert_ptr_null(strstr(text, "Wi-Fi"));
}

static const char *result(const char *check, const char *name)
{
    const struct jval *list = jval_get(report, "findings");
    for (size_t i = 0; i < jval_count(list); i++)
        if (strcmp(jval_text(jval_get(jval_item(list, i), "check")), check) == 0)
            return jval_text(jval_get(jval_item(list, i), name));
    ck_abort_msg("no finding about %s", check);
    return NULL;
}

static void expect(const char *check, const char *how, const char *words)
{
    ck_assert_msg(strcmp(result(check, "result"), how) == 0, "%s: %s", check, text);
    ck_assert_msg(strstr(result(check, "text"), words) != NULL, "%s: %s", check, text);
}

START_TEST(every_plugin_with_good_settings)
{
    static const char *const plugins[] = {"discord", "google", "oidc"};
    for (size_t i = 0; i < 3; i++) {
        bool ok = false;
        const bool oidc = i > 0;
        configure(plugins[i], GOOD);
        run();
        ck_assert_msg(jval_bool(jval_get(report, "ok"), &ok) && ok, "%s", text);
        expect("settings", "ok", "complete");
        expect("discovery", oidc ? "ok" : "skipped", oidc ? "is there" : "addresses are fixed");
        expect("keys", oidc ? "ok" : "skipped", oidc ? "usable key" : "signs nothing");
        expect("token", "ok", "refused a made-up code");
        expect("clock", "ok", "agree");
    }
}
END_TEST

START_TEST(wrong_id_and_wrong_secret)
{
    static const char *const plugins[] = {"discord", "google", "oidc"};
    for (size_t i = 0; i < 3; i++) {
        configure(plugins[i], "client_id = usher-dev\nclient_secret = another-one\n");
        run();
        expect("token", "fail", "does not accept client_id with this client secret");
        configure(plugins[i], "client_id = nobody\nclient_secret = usher-dev-secret\n");
        run();
        expect("token", "fail", "does not accept client_id with this client secret");
    }
}
END_TEST

/* A fault of the look-alike, and what is said of it. */
static const struct {
    const char *fault, *check, *how, *words;
} rows[] = {
    {"path=/oidc/.well-known/openid-configuration&fault=close", "discovery", "fail",
     "could not be asked"},
    {"path=/oidc/.well-known/openid-configuration&fault=reset", "discovery", "fail",
     "could not be asked"},
    {"path=/oidc/.well-known/openid-configuration&fault=slow&ms=3000", "discovery", "fail",
     "could not be asked"},
    {"path=/oidc/.well-known/openid-configuration&fault=html", "discovery", "fail",
     "perhaps a page"},
    {"path=/oidc/.well-known/openid-configuration&fault=http503", "discovery", "fail",
     "out of order"},
    {"path=/oidc/.well-known/openid-configuration&fault=http404", "discovery", "fail",
     "There is no metadata"},
    {"path=/oidc/.well-known/openid-configuration&fault=discovery&variant=issuer-host", "discovery",
     "fail", "of another issuer"},
    {"path=/oidc/.well-known/openid-configuration&fault=discovery&variant=issuer-slash",
     "discovery", "fail", "of another issuer"},
    {"path=/oidc/.well-known/openid-configuration&fault=discovery&variant=javascript", "discovery",
     "fail", "one that may not be used"},
    {"path=/oidc/jwks&fault=http500", "keys", "fail", "out of order"},
    {"path=/oidc/jwks&fault=html", "keys", "fail", "There is no key set"},
    {"path=/oidc/jwks&fault=jwks&variant=empty", "keys", "fail", "no key that usher accepts"},
    {"path=/oidc/jwks&fault=jwks&variant=no-keys", "keys", "fail", "no key that usher accepts"},
    {"path=/oidc/jwks&fault=silent&ms=3000", "keys", "fail", "could not be asked"},
    {"path=/oidc/token&fault=slow&ms=3000", "token", "fail", "could not be asked"},
    {"path=/oidc/token&fault=html", "token", "fail", "is no JSON"},
    {"path=/oidc/token&fault=html&status=401", "token", "fail", "does not accept client_id"},
    {"path=/oidc/token&fault=http500", "token", "fail", "out of order"},
    {"path=/oidc/token&fault=http429", "token", "fail", "overloaded"},
    {"path=/oidc/token&fault=half-json", "token", "fail", "is no JSON"},
    {"path=/oidc/token&fault=huge", "token", "fail", "could not be asked"},
    {"path=/oidc/token&fault=truncated", "token", "fail", "could not be asked"},
    {"path=/oidc/token&fault=redirect", "token", "fail", ""},
    {"path=*&fault=date&n=30", "clock", "warn", "this machine is behind"},
    {"path=*&fault=date&n=3600", "clock", "fail", "this machine is behind"},
    {"path=*&fault=date&n=-3600", "clock", "fail", "this machine is ahead"},
};

START_TEST(each_failure_in_words)
{
    bool ok = true;
    if (strstr(rows[_i].fault, "ms="))
        configure("oidc", GOOD "timeout = 1s\n");
    kit_fault(rows[_i].fault);
    run();
    expect(rows[_i].check, rows[_i].how, rows[_i].words);
    ck_assert(jval_bool(jval_get(report, "ok"), &ok));
    ck_assert(ok == (strcmp(rows[_i].how, "warn") == 0));
    ck_assert(*result(rows[_i].check, "advice"));
}
END_TEST

START_TEST(nobody_is_there)
{
    fake_free(&kit_fake);
    run();
    expect("discovery", "fail", "could not be asked");
    expect("token", "skipped", "Not tried");
    expect("clock", "skipped", "No answer");
}
END_TEST

/* What a test finds out stays with it: the next one asks afresh, and so do logins. */
START_TEST(nothing_is_remembered)
{
    kit_fault("path=/oidc/.well-known/openid-configuration&fault=http503");
    run();
    expect("discovery", "fail", "out of order");
    fake_reset(kit_fake);
    run();
    expect("discovery", "ok", "is there");
    expect("token", "ok", "refused a made-up code");
}
END_TEST

/* ---- rehearsals over the same network -------------------------------------------------------- */

#define BIND "bind-of-this-browser"

static char id[64], url[8192], came_back[64];
static unsigned begun, finished;

static void on_begun(void *arg, const char *rehearsal, const char *to, const struct err *err)
{
    (void)arg;
    ck_assert_msg(to != NULL, "%s", err ? err->text : "");
    snprintf(id, sizeof id, "%s", rehearsal);
    snprintf(url, sizeof url, "%s", to);
    begun++;
}

static void on_finished(void *arg, const struct login_result *r, const struct err *err)
{
    (void)arg;
    ck_assert_msg(r != NULL, "%s", err ? err->text : "");
    ck_assert_ptr_null(r->token);
    snprintf(came_back, sizeof came_back, "%s", r->rehearsal ? r->rehearsal : "");
    finished++;
}

static void wait_until(const unsigned *once)
{
    const struct mono from = clock_mono();
    while (*once == 0 && mono_ms(from, clock_mono()) < PATIENCE_MS)
        loop_once(loop, 50);
    ck_assert_uint_eq(*once, 1);
}

/* What the browser does between the two legs. */
static const char *through_the_upstream(void)
{
    const char *path = url + strlen(kit_fake->base);
    const struct reply r = kit_get(arena_printf(arena, "%s&fake_person=ada", path));
    ck_assert_int_eq(r.status, 302);
    const char *location = kit_header(&r, "Location");
    ck_assert_ptr_nonnull(strchr(location, '?'));
    return arena_dup(arena, strchr(location, '?') + 1);
}

/* Every secret that went to the look-alike or came from it, as it wrote them down itself. */
static void no_secret_in(const char *shown)
{
    struct jval *seen = faults_report(kit_fake->faults);
    const struct jval *last = jval_get(seen, "last");
    unsigned codes = 0;
    ck_assert_uint_gt(jval_count(last), 0);
    for (size_t i = 0; i < jval_count(last); i++) {
        struct fields f;
        struct err err = ERR_INIT;
        const struct jval *one = jval_item(last, i);
        const char *auth = jval_text(jval_at(one, "/headers/authorization"));
        const char *body = jval_text(jval_get(one, "body")), *value;
        if (auth && strncmp(auth, "Bearer ", 7) == 0) {
            ck_assert_ptr_null(strstr(shown, auth + 7));
        } else if (auth) {
            ck_assert_ptr_null(strstr(shown, strchr(auth, ' ') + 1));
        }
        if (!*body)
            continue;
        ck_assert_int_eq(form_parse(arena, str_of(body), 32, &f, &err), 0);
        ck_assert(form_get(&f, "code", &value) == 1 && !strstr(shown, value));
        codes++;
        ck_assert(form_get(&f, "code_verifier", &value) != 1 || !strstr(shown, value));
    }
    ck_assert_uint_eq(codes, 1);
    ck_assert_ptr_null(strstr(shown, "usher-dev-secret"));
    ck_assert_ptr_null(strstr(shown, "\"eyJ"));
    jval_free(&seen);
}

static int count_rows(struct db *db, void *arg, struct err *err)
{
    struct db_stmt *st = db_query(db, "SELECT (SELECT count(*) FROM account) + (SELECT count(*) "
                                      "FROM identity) + (SELECT count(*) FROM session) + "
                                      "(SELECT count(*) FROM spent)");
    if (db_step(st, err) != 1)
        return -1;
    *(int64_t *)arg = db_col_int(st, 0);
    db_end(st);
    return 0;
}

START_TEST(a_rehearsal_of_each_plugin)
{
    static const char *const plugins[] = {"discord", "google", "oidc"};
    static const char *const evidence[] = {"provider_asserted", "authoritative",
                                           "provider_asserted"};
    struct err err = ERR_INIT;
    struct fields f;
    struct buf b;
    int64_t n_rows = -1;
    configure(plugins[_i], GOOD);
    const struct rehearsal_start s = {
        .registry = registry, .provider = "trial", .owner = "me", .bind = STR(BIND)};
    rehearsal_begin(login, &s, on_begun, NULL);
    wait_until(&begun);
    ck_assert_int_eq(form_parse(arena, str_of(through_the_upstream()), 32, &f, &err), 0);
    const struct login_callback c = {.provider = "trial", .fields = &f, .bind = STR(BIND)};
    login_finish_flow(login, &c, on_finished, NULL);
    wait_until(&finished);
    ck_assert_str_eq(came_back, id);

    struct jval *v = rehearsal_report(login, id, "me");
    buf_init(&b, 65536);
    jval_render(v, &b);
    ck_assert_msg(strcmp(jval_text(jval_get(v, "state")), "done") == 0, "%s", b.p);
    ck_assert_msg(strcmp(jval_text(jval_at(v, "/email_evidence/value")), evidence[_i]) == 0, "%s",
                  b.p);
    ck_assert_str_eq(jval_text(jval_at(v, "/linking/decision")), "new");
    ck_assert_uint_gt(jval_count(jval_get(v, "claims")), 0);
    ck_assert_uint_ge(jval_count(jval_get(v, "requests")), 3);
    ck_assert_ptr_nonnull(jval_text(jval_at(v, "/identity/subject")));
    no_secret_in(b.p);
    buf_deinit(&b);
    jval_free(&v);
    ck_assert_int_eq(store_read_now(store, count_rows, &n_rows, &err), STORE_DONE);
    ck_assert_int_eq(n_rows, 0);
}
END_TEST

Suite *suite_probe_fake(void)
{
    Suite *s = suite_create("probe_fake");
    TCase *tc = tcase_create("probe_fake");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_plugin_with_good_settings);
    tcase_add_test(tc, wrong_id_and_wrong_secret);
    tcase_add_loop_test(tc, each_failure_in_words, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, nobody_is_there);
    tcase_add_test(tc, nothing_is_remembered);
    tcase_add_loop_test(tc, a_rehearsal_of_each_plugin, 0, 3);
    suite_add_tcase(s, tc);
    return s;
}
