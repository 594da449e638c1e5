/* SPDX-License-Identifier: Apache-2.0 */
#include "live/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_fixture.h"
#include "sys/conf_doc.h"

/* Every rule between settings, with its message (CONF-01, CONF-06, CONF-07, CONF-11). */
static const struct {
    const char *text, *said; /* said: behind the path; NULL: fine */
} rules[] = {
    {"", NULL},
    {"[server]\nlisten = 127.0.0.1:9000\n", NULL},
    {"[server]\nlisten = [::1]:9000\n", NULL},
    {"[server]\nlisten = unix:/run/usher.sock\npublic_url = https://a.example\n", NULL},
    {"[server]\nlisten = 0.0.0.0:80\npublic_url = https://a.example\n", NULL},
    {"[server]\nlisten = 8080\n",
     ":2: [server] listen: \"8080\" is neither a numeric ADDRESS:PORT nor unix:/path\n"},
    {"[server]\nlisten = localhost:8080\n",
     ":2: [server] listen: \"localhost:8080\" is neither a numeric ADDRESS:PORT nor unix:/path\n"},
    {"[server]\nlisten = ::1:8080\n",
     ":2: [server] listen: \"::1:8080\" is neither a numeric ADDRESS:PORT nor unix:/path\n"},
    {"[server]\nlisten = [127.0.0.1]:8080\n",
     ":2: [server] listen: \"[127.0.0.1]:8080\" is neither a numeric ADDRESS:PORT nor "
     "unix:/path\n"},
    {"[server]\nlisten = 127.0.0.1:99999\n",
     ":2: [server] listen: \"127.0.0.1:99999\" is neither a numeric ADDRESS:PORT nor unix:/path\n"},
    {"[server]\nlisten = []:80\n",
     ":2: [server] listen: \"[]:80\" is neither a numeric ADDRESS:PORT nor unix:/path\n"},
    {"[server]\nlisten = unix:usher.sock\n",
     ":2: [server] listen: \"unix:usher.sock\" is neither a numeric ADDRESS:PORT nor unix:/path\n"},
    {"[server]\nlisten = unix:/run/usher.sock\n",
     ": [server] public_url: is needed when listening on a socket file\n"},
    {"[server]\nlisten = 0.0.0.0:8080\n",
     ": [server] public_url: is needed when listening on other addresses than 127.0.0.1\n"},

    {"[server]\npublic_url = https://a.example:8443\n", NULL},
    {"[server]\npublic_url = https://a.example/\n", NULL},
    {"[server]\npublic_url = http://localhost:8080\n", NULL},
    {"[server]\npublic_url = http://a.example\n",
     ":2: [server] public_url: must be https; plain http is for 127.0.0.1 only\n"},
    {"[server]\npublic_url = https://a.example/login\n",
     ":2: [server] public_url: only https://host[:port], without path, query or fragment\n"},
    {"[server]\npublic_url = https://a.example/?a\n",
     ":2: [server] public_url: only https://host[:port], without path, query or fragment\n"},
    {"[server]\npublic_url = https://a.example/#a\n",
     ":2: [server] public_url: only https://host[:port], without path, query or fragment\n"},

    {"[server]\ntrusted_proxies =\n", NULL},
    {"[server]\ntrusted_proxies = 10.0.0.0/8, 2001:db8::/32\n", NULL},
    {"[server]\ntrusted_proxies = 10.0.0.0/8 proxy.example\n",
     ":2: [server] trusted_proxies: \"proxy.example\" is no address or network\n"},
    {"[server]\ntrusted_proxies = *\n",
     ":2: [server] trusted_proxies: \"*\" is no address or network\n"},

    {"[login]\nreturn_hosts = a.example .b.example c.example:8443\n", NULL},
    {"[login]\nreturn_hosts =\n", NULL},
#define NO_HOST(h)                                                                                 \
    ":2: [login] return_hosts: \"" h "\" is not a host; write app.example.com or .example.com, "   \
    "in lower case, without scheme, path or \"*\"\n"
    {"[login]\nreturn_hosts = *\n", NO_HOST("*")},
    {"[login]\nreturn_hosts = *.a.example\n", NO_HOST("*.a.example")},
    {"[login]\nreturn_hosts = https://a.example\n", NO_HOST("https://a.example")},
    {"[login]\nreturn_hosts = a.example/x\n", NO_HOST("a.example/x")},
    {"[login]\nreturn_hosts = .\n", NO_HOST(".")},
    {"[login]\nreturn_hosts = ..a.example\n", NO_HOST("..a.example")},
    {"[login]\nreturn_hosts = A.example\n", NO_HOST("A.example")},
    {"[login]\nreturn_hosts = a.example:0\n", NO_HOST("a.example:0")},
    {"[login]\nreturn_hosts = a.example:\n", NO_HOST("a.example:")},
    {"[login]\nreturn_hosts = a.example:99999\n", NO_HOST("a.example:99999")},
    {"[login]\nreturn_hosts = a.example@b\n", NO_HOST("a.example@b")},
    {"[login]\nreturn_hosts = a.example *\n", NO_HOST("*")},

    {"[login]\ndefault_return = /start?a=b\n", NULL},
    {"[login]\nreturn_hosts = a.example\ndefault_return = https://a.example/start\n", NULL},
#define NO_PLACE(line)                                                                             \
    ":" line ": [login] default_return: must be a path of a page on this site, like /, or an "     \
    "address on one of return_hosts\n"
    {"[login]\ndefault_return = start\n", NO_PLACE("2")},
    {"[login]\ndefault_return = //evil.example\n", NO_PLACE("2")},
    {"[login]\ndefault_return = /\\evil.example\n", NO_PLACE("2")},
    {"[login]\ndefault_return = https://evil.example/\n", NO_PLACE("2")},
    {"[login]\ndefault_return = /login\n", NO_PLACE("2")},
    {"[login]\ndefault_return = /logout\n", NO_PLACE("2")},
    {"[login]\nreturn_hosts = a.example\ndefault_return = https://b.example/\n", NO_PLACE("3")},

    {"[session]\nidle = 1h\nabsolute = 1h\n", NULL},
    {"[session]\nidle = 2h\nabsolute = 1h\n",
     ":2: [session] idle: longer than absolute, so it would never matter\n"},
    {"[session]\nidle = 8d\n",
     ":2: [session] idle: longer than absolute, so it would never matter\n"},
    {"[server]\npublic_url = https://login.a.example\n[session]\ndomain = a.example\n", NULL},
    {"[server]\npublic_url = https://login.a.example\n[session]\ndomain = .a.example\n",
     ":4: [session] domain: the cookie domain is written without the leading dot\n"},
    {"[server]\npublic_url = https://login.a.example\n[session]\ndomain = b.example\n",
     ":4: [session] domain: the public URL's host does not lie in the cookie domain\n"},
    {"[server]\npublic_url = https://login.a.example\n[session]\ndomain = example\n",
     ":4: [session] domain: the cookie domain is a public suffix: it needs a dot within\n"},
    {"[session]\ndomain = a.example\n",
     ":2: [session] domain: a cookie domain needs a public URL with a host name, not an "
     "address\n"},
    {"[server]\npublic_url = http://localhost\n[session]\ndomain = localhost\n",
     ":4: [session] domain: the cookie domain is a public suffix: it needs a dot within\n"},

    {"[store]\nurl = sqlite:/var/lib/usher/usher.db\n", NULL},
    {"[store]\nurl = postgresql://usher:pw@db/usher\n", NULL},
    {"[store]\nurl = sqlite:usher.db\n",
     ":2: [store] url: must be sqlite:/absolute/path or postgresql://...\n"},
    {"[store]\nurl = mysql://usher:pw@db/usher\n",
     ":2: [store] url: must be sqlite:/absolute/path or postgresql://...\n"},

    {"[providers]\nallow_http_loopback = yes\n", NULL},
    {"[server]\nlisten = 0.0.0.0:80\npublic_url = https://a.example\n"
     "[providers]\nallow_http_loopback = yes\n",
     ":5: [providers] allow_http_loopback: is for development and needs [server] listen on "
     "127.0.0.1\n"},

    {"[metrics]\ntoken = 0123456789abcdef\n", NULL},
    {"[admin]\nsocket = /run/usher/admin.sock\n", NULL},
    {"[admin]\nsocket = admin.sock\n", ":2: [admin] socket: must be an absolute path\n"},
    {"[admin]\nsocket = /run/usher/\n", ":2: [admin] socket: must be an absolute path\n"},
    {"[admin]\nsocket = /"
     "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012"
     "3"
     "45678901234567\n",
     ":2: [admin] socket: longer than the 107 bytes of a socket's path\n"},
    {"[server]\nlisten = unix:/run/usher/x\npublic_url = https://a.example\n[admin]\n"
     "socket = /run/usher/x\n",
     ":5: [admin] socket: is what [server] listen opens to everybody\n"},
    {"[metrics]\ntoken = 0123456789abcde\n", ":2: [metrics] token: shorter than 16 characters\n"},

    /* Several at once are all told. */
    {"[server]\ntrusted_proxies = a\n[login]\nreturn_hosts = *\n[session]\nidle = 8d\n",
     ":4: [login] return_hosts: \"*\" is not a host; write app.example.com or .example.com, in "
     "lower case, without scheme, path or \"*\"\n"
     "PATH:2: [server] trusted_proxies: \"a\" is no address or network\n"
     "PATH:6: [session] idle: longer than absolute, so it would never matter\n"},
};

static struct config *load_text(const char *text)
{
    cx_write_file("usher.conf", text, strlen(text), 0600);
    return config_load(cx.path, true, NULL, &cx.problems);
}

START_TEST(rule)
{
    struct config *c = load_text(rules[_i].text);
    if (rules[_i].said == NULL) {
        cx_expect("");
        ck_assert_ptr_nonnull(c);
        ck_assert_ptr_nonnull(c->origin);
        ck_assert_ptr_nonnull(c->host);
        config_free(&c);
        ck_assert_ptr_null(c);
        return;
    }
    ck_assert_ptr_null(c);
    char said[2048];
    size_t n = (size_t)snprintf(said, sizeof said, "%s", cx.path);
    for (const char *p = rules[_i].said; *p; p++) {
        if (strncmp(p, "PATH", 4) == 0) {
            n += (size_t)snprintf(said + n, sizeof said - n, "%s", cx.path);
            p += 3;
        } else {
            said[n++] = *p;
        }
    }
    said[n] = 0;
    cx_expect(said);
}
END_TEST

/* CONF-01 at the door: the table's own rules hold for each section. */
START_TEST(unknown_and_odd_settings)
{
    static const char *const odd[] = {
        "[sever]\nlisten = 127.0.0.1:80\n",
        "[server]\nlistne = 127.0.0.1:80\n",
        "[server]\nmax_connections = 300x\n",
        "[server]\nmax_connections = 0\n",
        "[server]\nidle_timeout = -1\n",
        "[server]\nidle_timeout = 99999999999999999999\n",
        "[login]\ndeadline = 0\n",
        "[session]\nabsolute = 401d\n",
        "[session]\nidle = 59\n",
        "[log]\nlevel = loud\n",
        "[log]\nlevel = info\nlevel = info\n",
        "[store]\nurl =\n",
        "[store]\nkey_file =\n",
        "[server]\nlisten =\n",
        "[server]\nsite_name =\n",
        "[login]\ndefault_return =\n",
        "[providers]\nplugin_dir =\n",
        "[providers]\nallow_http_loopback = perhaps\n",
        "listen = 127.0.0.1:80\n",
    };
    struct config *c = load_text(odd[_i]);
    ck_assert_ptr_null(c);
    ck_assert_uint_eq(cx.problems.n, 1);
    ck_assert_ptr_nonnull(strstr(cx.problems.text.p, "usher.conf:"));
}
END_TEST

START_TEST(defaults)
{
    struct config *c = load_text("");
    ck_assert_ptr_nonnull(c);
    ck_assert_str_eq(c->server.listen, "127.0.0.1:8080");
    ck_assert_str_eq(c->server.public_url, "http://127.0.0.1:8080");
    ck_assert_str_eq(c->origin, "http://127.0.0.1:8080");
    ck_assert_str_eq(c->host, "127.0.0.1:8080");
    ck_assert(!c->https);
    ck_assert_str_eq(c->server.trusted_proxies[0], "127.0.0.1");
    ck_assert_str_eq(c->server.trusted_proxies[1], "::1");
    ck_assert_ptr_null(c->login.return_hosts);
    ck_assert_str_eq(c->login.default_return, "/");
    ck_assert_int_eq(c->session.idle, 12 * 3600);
    ck_assert_int_eq(c->session.absolute, 7 * 86400);
    ck_assert(!c->providers.allow_http_loopback);
    ck_assert_ptr_null(conf_secrets_get(c->secrets, "token"));
    config_free(&c);
}
END_TEST

START_TEST(public_address_is_normalised)
{
    struct config *c = load_text("[server]\npublic_url = https://A.example:443/\n");
    ck_assert_ptr_nonnull(c);
    ck_assert_str_eq(c->server.public_url, "https://a.example");
    ck_assert_str_eq(c->host, "a.example");
    ck_assert(c->https);
    config_free(&c);
    c = load_text("[server]\npublic_url = http://localhost:8080\n");
    ck_assert_str_eq(c->host, "localhost:8080");
    config_free(&c);
}
END_TEST

START_TEST(missing_file)
{
    char path[160];
    struct config *c = config_load("conf-test-nowhere/usher.conf", false, NULL, &cx.problems);
    cx_expect("");
    ck_assert_ptr_nonnull(c); /* nobody asked for it: defaults */
    config_free(&c);
    ck_assert_ptr_null(config_load("conf-test-nowhere/usher.conf", true, NULL, &cx.problems));
    ck_assert_uint_eq(cx.problems.n, 1);

    /* A loop of links is no missing file; nothing defaults in silence. */
    conf_problems_deinit(&cx.problems);
    conf_problems_init(&cx.problems);
    snprintf(path, sizeof path, "%s/link", cx.folder);
    ck_assert_int_eq(symlink("link", path), 0);
    ck_assert_ptr_null(config_load(path, false, NULL, &cx.problems));
    ck_assert_uint_eq(cx.problems.n, 1);
}
END_TEST

START_TEST(environment)
{
    setenv("USHER_SERVER_LISTEN", "127.0.0.1:9001", 1);
    setenv("USHER_LOGIN_RETURN_HOSTS", "*", 1);
    struct config *c = load_text("[server]\nlisten = 127.0.0.1:9000\n");
    ck_assert_ptr_null(c);
    ck_assert_ptr_nonnull(strstr(cx.problems.text.p, ": [login] return_hosts: \"*\" is not"));
    setenv("USHER_LOGIN_RETURN_HOSTS", "a.example", 1);
    conf_problems_deinit(&cx.problems);
    conf_problems_init(&cx.problems);
    c = load_text("[server]\nlisten = 127.0.0.1:9000\n");
    cx_expect("");
    ck_assert_str_eq(c->server.listen, "127.0.0.1:9001");
    ck_assert_str_eq(c->login.return_hosts[0], "a.example");
    config_free(&c);
    unsetenv("USHER_SERVER_LISTEN");
    unsetenv("USHER_LOGIN_RETURN_HOSTS");
}
END_TEST

static void add_sample(const struct conf_table *table, void *out)
{
    conf_sample(table, out);
}

/* The sample names every setting, and says nothing but defaults. */
START_TEST(sample)
{
    struct buf out;
    buf_init(&out, 256 * 1024);
    config_tables(add_sample, &out);
    ck_assert(buf_ok(&out));
    static const char *const named[] = {"[server]", "listen",      "[login]", "[session]",
                                        "[store]",  "[providers]", "[log]",   "[metrics]",
                                        "token",    "[admin]"};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        ck_assert_ptr_nonnull(strstr(out.p, named[i]));
    struct config *c = load_text(out.p);
    cx_expect("");
    ck_assert_str_eq(c->server.listen, "127.0.0.1:8080");
    config_free(&c);
    buf_deinit(&out);
}
END_TEST

Suite *suite_config(void);
Suite *suite_config(void)
{
    Suite *s = suite_create("config");
    TCase *tc = tcase_create("config");
    tcase_add_checked_fixture(tc, cx_setup, cx_teardown);
    CX_LOOP(tc, rule, rules);
    tcase_add_loop_test(tc, unknown_and_odd_settings, 0, 19);
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, public_address_is_normalised);
    tcase_add_test(tc, missing_file);
    tcase_add_test(tc, environment);
    tcase_add_test(tc, sample);
    suite_add_tcase(s, tc);
    return s;
}
