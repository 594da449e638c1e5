/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/conf.h"

struct server {
    const char *listen, *name;
    const char *url;
    int64_t workers, idle, body;
    bool cache;
    int level;
    const char *const *hosts;
    struct usher_secret token;
};

static const char *const levels[] = {"debug", "info", "warn", NULL};
static const struct usher_setting rows[] = {
    USHER_SET_TEXT(struct server, listen, .value = "127.0.0.1:8080", .label = "Address",
                   .help = "Where to listen."),
    USHER_SET_TEXT(struct server, name, .label = "Name"),
    USHER_SET_URL(struct server, url, .label = "Public address", .example = "https://a.example"),
    USHER_SET_INT(struct server, workers, .value = "2", .min = 1, .max = 64, .label = "Workers"),
    USHER_SET_DURATION(struct server, idle, .value = "75s", .min = 1, .max = 3600, .label = "Idle"),
    USHER_SET_SIZE(struct server, body, .value = "64k", .label = "Body", .flags = USHER_ADVANCED),
    USHER_SET_BOOL(struct server, cache, .value = "yes", .label = "Cache"),
    USHER_SET_CHOICE(struct server, level, .value = "info", .choices = levels, .label = "Level"),
    USHER_SET_LIST(struct server, hosts, .value = "a.example b.example", .label = "Hosts"),
    USHER_SET_SECRET(struct server, token, .label = "Token", .help = "Who may read metrics."),
};
#define N_ROWS (sizeof rows / sizeof *rows)

static struct conf_problems problems;
static struct arena *arena;
static struct conf_secrets *secrets;
static struct server server;
static char folder[64], path[128];

static void setup(void)
{
    conf_problems_init(&problems);
    arena = arena_new();
    secrets = conf_secrets_new();
    memset(&server, 0, sizeof server);
    snprintf(folder, sizeof folder, "conf-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/usher.conf", folder);
}

static void teardown(void)
{
    static const char *const names[] = {"usher.conf", "secret", "link"};
    char name[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        unlink(name);
    }
    rmdir(folder);
    conf_problems_deinit(&problems);
    conf_secrets_free(&secrets);
    arena_free(&arena);
}

static void apply_file(const struct conf_file *f)
{
    const struct conf_table t = {"server", "CT_SERVER", rows, N_ROWS, &server};
    conf_apply(f, &t, 1, arena, secrets, &problems);
}

static void apply(const char *text)
{
    struct conf_file *f = conf_file_text("t.conf", str_of(text), false, &problems);
    if (f)
        apply_file(f);
    conf_file_free(&f);
}

/* Exactly these lines, joined by '\n'. */
static void expect(const char *lines)
{
    ck_assert_str_eq(problems.text.p, lines);
    unsigned n = 0;
    for (const char *c = lines; *c; c++)
        n += *c == '\n';
    ck_assert_uint_eq(problems.n, n);
}

static void write_file(const char *name, const void *p, size_t n, mode_t mode)
{
    char full[128];
    snprintf(full, sizeof full, "%s/%s", folder, name);
    unlink(full);
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void read_and_apply(void)
{
    struct conf_file *f = conf_file_read(path, false, &problems);
    if (f)
        apply_file(f);
    conf_file_free(&f);
}

static const char *token(void)
{
    const struct secret *s = conf_secrets_get(secrets, "token");
    return s ? secret_reveal(s).p : NULL;
}

/* ---- values ---------------------------------------------------------------------------------- */

START_TEST(every_type_is_read)
{
    apply("# a comment\n; another\n\n[server]\nlisten = unix:/run/x\nname=Ä B\n"
          "url = https://login.example/x?y\nworkers = 7\nidle = 10m\nbody = 1m\ncache = off\n"
          "level = warn\nhosts = x.example, y.example z.example\ntoken = s3cr=et\n");
    expect("");
    ck_assert_str_eq(server.listen, "unix:/run/x");
    ck_assert_str_eq(server.name, "\xc3\x84 B");
    ck_assert_str_eq(server.url, "https://login.example/x?y");
    ck_assert_int_eq(server.workers, 7);
    ck_assert_int_eq(server.idle, 600);
    ck_assert_int_eq(server.body, 1 << 20);
    ck_assert(!server.cache);
    ck_assert_int_eq(server.level, 2);
    ck_assert_str_eq(server.hosts[0], "x.example");
    ck_assert_str_eq(server.hosts[1], "y.example");
    ck_assert_str_eq(server.hosts[2], "z.example");
    ck_assert_ptr_null(server.hosts[3]);
    ck_assert(server.token.set);
    ck_assert_str_eq(token(), "s3cr=et");
}
END_TEST

START_TEST(defaults_fill_what_is_not_there)
{
    apply_file(NULL);
    expect("");
    ck_assert_str_eq(server.listen, "127.0.0.1:8080");
    ck_assert_ptr_null(server.name);
    ck_assert_ptr_null(server.url);
    ck_assert_int_eq(server.workers, 2);
    ck_assert_int_eq(server.idle, 75);
    ck_assert_int_eq(server.body, 65536);
    ck_assert(server.cache);
    ck_assert_int_eq(server.level, 1);
    ck_assert_str_eq(server.hosts[1], "b.example");
    ck_assert(!server.token.set);
    ck_assert_ptr_null(conf_secrets_get(secrets, "token"));
}
END_TEST

/* CONF-01: refused, naming key and line; nothing defaults silently. */
static const struct {
    const char *line, *problem;
} wrong_values[] = {
    {"workers = 300x", "\"300x\" is wrong; a whole number is wanted"},
    {"workers = 4 4", "\"4 4\" is wrong; a whole number is wanted"},
    {"workers = 0x10", "\"0x10\" is wrong; a whole number is wanted"},
    {"workers = +4", "\"+4\" is wrong; a whole number is wanted"},
    {"workers = 4.0", "\"4.0\" is wrong; a whole number is wanted"},
    {"workers =", "must not be empty; a whole number is wanted"},
    {"workers = 9223372036854775808", "\"9223372036854775808\" is wrong; a whole number is wanted"},
    {"workers = -9223372036854775809",
     "\"-9223372036854775809\" is wrong; a whole number is wanted"},
    {"workers = 0", "\"0\" is out of range; 1 to 64 is allowed"},
    {"workers = -1", "\"-1\" is out of range; 1 to 64 is allowed"},
    {"workers = 65", "\"65\" is out of range; 1 to 64 is allowed"},
    {"idle = 90x", "\"90x\" is wrong; a duration is wanted, like 30s, 10m, 12h or 7d"},
    {"idle = -5s", "\"-5s\" is wrong; a duration is wanted, like 30s, 10m, 12h or 7d"},
    {"idle = 5 s", "\"5 s\" is wrong; a duration is wanted, like 30s, 10m, 12h or 7d"},
    {"idle = 99999999999999999d",
     "\"99999999999999999d\" is wrong; a duration is wanted, like 30s, 10m, 12h or 7d"},
    {"idle =", "must not be empty; a duration is wanted, like 30s, 10m, 12h or 7d"},
    {"idle = 2h", "\"2h\" is out of range; 1s to 1h is allowed"},
    {"idle = 0", "\"0\" is out of range; 1s to 1h is allowed"},
    {"body = 1x", "\"1x\" is wrong; a size is wanted, like 4096, 64k, 1m or 2g"},
    {"body = 9999999999999g",
     "\"9999999999999g\" is wrong; a size is wanted, like 4096, 64k, 1m or 2g"},
    {"cache = maybe", "\"maybe\" is wrong; yes or no is wanted"},
    {"cache = truee", "\"truee\" is wrong; yes or no is wanted"},
    {"cache =", "must not be empty; yes or no is wanted"},
    {"level = inof",
     "\"inof\" is wrong; one of debug, info, warn is wanted; did you mean \"info\"?"},
    {"level = INFO", "\"INFO\" is wrong; one of debug, info, warn is wanted"},
    {"level = loudest", "\"loudest\" is wrong; one of debug, info, warn is wanted"},
    {"level =", "must not be empty; one of debug, info, warn is wanted"},
    {"hosts = a,,b", "the list has an empty entry"},
    {"hosts = ,a", "the list has an empty entry"},
    {"hosts = a, b,", "the list has an empty entry"},
    {"token =", "is empty"},
};

START_TEST(wrong_values_name_key_and_line)
{
    char text[256], problem[256];
    snprintf(text, sizeof text, "[server]\n\n%s\n", wrong_values[_i].line);
    snprintf(problem, sizeof problem, "t.conf:3: [server] %.*s: %s\n", (int)strcspn(text + 10, " "),
             text + 10, wrong_values[_i].problem);
    apply(text);
    expect(problem);
}
END_TEST

START_TEST(urls_are_strict_and_never_quoted)
{
    static const char *const urls[] = {"ftp://x.example",      "https://user:hunter2@x.example/",
                                       "//x.example",          "https:/x.example",
                                       "https://x.example\\y", ""};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct err err = ERR_INIT;
        ck_assert_int_eq(conf_set(&rows[2], &server, urls[i], arena, &err), -1);
        ck_assert_ptr_null(strstr(err.text, "hunter2"));
        ck_assert_int_gt((int)strlen(err.text), 0);
    }
    ck_assert_ptr_null(server.url);
}
END_TEST

START_TEST(an_empty_list_is_none)
{
    apply("[server]\nhosts =\n");
    expect("");
    ck_assert_ptr_nonnull(server.hosts);
    ck_assert_ptr_null(server.hosts[0]);
}
END_TEST

START_TEST(required_means_given_and_not_empty)
{
    static struct usher_setting required[N_ROWS];
    memcpy(required, rows, sizeof rows);
    for (size_t i = 0; i < N_ROWS; i++) {
        required[i].flags |= USHER_REQUIRED;
        required[i].value = NULL;
    }
    const struct conf_table t = {"server", "CT_SERVER", required, N_ROWS, &server};
    struct conf_file *f = conf_file_text("t.conf",
                                         STR("[server]\nlisten =\nurl=https://a.example\n"
                                             "workers=1\nidle=1\nbody=1\ncache=1\nlevel=info\n"
                                             "hosts =\n"),
                                         false, &problems);
    conf_apply(f, &t, 1, arena, secrets, &problems);
    conf_file_free(&f);
    expect("t.conf:2: [server] listen: must not be empty\n"
           "t.conf: [server] name is required: set it there or in the environment as "
           "CT_SERVER_NAME\n"
           "t.conf:9: [server] hosts: must not be empty\n"
           "t.conf: [server] token is required: set it there (or token_file) or in the environment "
           "as CT_SERVER_TOKEN\n");
}
END_TEST

/* ---- what a file may look like --------------------------------------------------------------- */

/* CONF-01, CONF-04: what inih would take silently in its own way. */
static const struct {
    const char *text, *problems;
} wrong_texts[] = {
    {"[server]\nlisten = a\nlisten = b\n", "t.conf:3: listen is there already, in line 2\n"},
    {"[server]\n[server]\nname = x\n", "t.conf:2: [server] is there already, in line 1\n"},
    {"name = x\n[server]\n", "t.conf:1: this key is before any [section]\n"},
    {"[server]\nname = x ; y\n", "t.conf:2: name: comments go on lines of their own\n"},
    {"[server]\nname = x\t# y\n", "t.conf:2: name: comments go on lines of their own\n"},
    {"[server]\nname = ; y\n", "t.conf:2: name: comments go on lines of their own\n"},
    {"[server]\nname = \"x\"\n", "t.conf:2: name: values are written without quotes\n"},
    {"[server]\nname = x \\\n", "t.conf:2: name: a value cannot go on in the next line\n"},
    {"[server]\nname = x\n  more\n",
     "t.conf:3: a line cannot begin with a blank, and a value has one line\n"},
    {"[server]\nname: x\n", "t.conf:2: this is neither [section] nor key = value nor a comment\n"},
    {"[server]\nname\n", "t.conf:2: this is neither [section] nor key = value nor a comment\n"},
    {"[server]\n = x\n", "t.conf:2: a line cannot begin with a blank, and a value has one line\n"},
    {"[server]\n=x\n",
     "t.conf:2: a line is key = value; keys are lower-case letters, digits and '_'\n"},
    {"[server]\nNAME = x\n",
     "t.conf:2: a line is key = value; keys are lower-case letters, digits and '_'\n"},
    {"[server]\nna me = x\n",
     "t.conf:2: a line is key = value; keys are lower-case letters, digits and '_'\n"},
    {"[server]\nname: a = x\n",
     "t.conf:2: a line is key = value; keys are lower-case letters, digits and '_'\n"},
    {"[server\nname = x\n", "t.conf:1: a section line is [name] and nothing else\n"},
    {"[server] x\nname = x\n", "t.conf:1: a section line is [name] and nothing else\n"},
    {"[server] # x\n", "t.conf:1: a section line is [name] and nothing else\n"},
    {"[Server]\n", "t.conf:1: section names are lower-case letters, digits, '_' and '-'\n"},
    {"[]\n", "t.conf:1: section names are lower-case letters, digits, '_' and '-'\n"},
    {"[", "t.conf:1: a section line is [name] and nothing else\n"},
    {"[server]\nname = \xff\n", "t.conf:2: the line is not UTF-8\n"},
    {"[server]\nname = a\x1b[0m\n", "t.conf:2: the line holds a control byte\n"},
    {"[server]\nname = a\rb\n", "t.conf:2: the line holds a control byte\n"},
    {"\xef\xbb\xbf[server]\n",
     "t.conf: begins with a byte order mark: save it as UTF-8 without one\n"},
    {"\xff\xfe[server]\n", "t.conf: is UTF-16: save it as UTF-8\n"},
};

START_TEST(what_inih_would_bend_is_refused)
{
    apply(wrong_texts[_i].text);
    expect(wrong_texts[_i].problems);
    ck_assert(server.name == NULL || strcmp(server.name, "x") == 0);
}
END_TEST

START_TEST(nul_bytes_are_refused) /* CONF-04 */
{
    struct conf_file *f =
        conf_file_text("t.conf", STR("[server]\nname = a\0b\n"), false, &problems);
    ck_assert_ptr_null(f);
    expect("t.conf: holds a NUL byte: it is no text file\n");
}
END_TEST

START_TEST(line_ends_of_windows_and_a_missing_last_one_are_fine)
{
    apply("[server]\r\nname = x\r\n\r\n# c\r\nworkers = 3");
    expect("");
    ck_assert_str_eq(server.name, "x");
    ck_assert_int_eq(server.workers, 3);
}
END_TEST

/* inih itself would cut at 200 bytes and read the rest as a line of its own. */
START_TEST(long_lines_are_whole_or_refused)
{
    static char text[20000], value[9000];
    for (size_t n = 150; n <= 8192 - 7; n = n < 300 ? n + 1 : n * 2) {
        memset(value, 'v', n);
        value[n] = 0;
        snprintf(text, sizeof text, "[server]\nname = %s\nworkers = 3\n", value);
        apply(text);
        expect("");
        ck_assert_str_eq(server.name, value);
        ck_assert_int_eq(server.workers, 3);
    }
    memset(value, 'v', 8186);
    value[8186] = 0;
    snprintf(text, sizeof text, "[server]\nname = %s\nworkers = 65\n", value);
    apply(text);
    expect("t.conf:2: the line is longer than 8 KiB; long values go into files\n"
           "t.conf:3: [server] workers: \"65\" is out of range; 1 to 64 is allowed\n");
}
END_TEST

START_TEST(names_are_bounded_before_inih_cuts_them)
{
    char text[256], name[64];
    memset(name, 'k', 49);
    name[49] = 0;
    snprintf(text, sizeof text, "[server]\n%s = 1\n", name);
    apply(text);
    expect("t.conf:2: a line is key = value; keys are lower-case letters, digits and '_'\n");
    name[48] = 0;
    snprintf(text, sizeof text, "[server]\n%s = 1\n[%s]\n", name, name);
    struct conf_file *f = conf_file_text("t.conf", str_of(text), false, &problems);
    int line = 0;
    ck_assert_str_eq(conf_file_get(f, "server", name, &line), "1");
    ck_assert_int_eq(line, 2);
    conf_file_free(&f);
    ck_assert_uint_eq(problems.n, 1);
}
END_TEST

START_TEST(sizes_are_bounded) /* CONF-02 */
{
    size_t n = 300 * 1024;
    char *text = malloc(n);
    memset(text, '\n', n);
    ck_assert_ptr_null(conf_file_text("t.conf", (struct str){text, n}, false, &problems));
    expect("t.conf: is larger than 256 KiB\n");
    conf_problems_deinit(&problems);
    conf_problems_init(&problems);
    struct buf b;
    buf_init(&b, 256 * 1024);
    for (int i = 0; i < 1100; i++)
        buf_printf(&b, "k%d = 1\n", i);
    struct conf_file *f = conf_file_text("t.conf", buf_view(&b), true, &problems);
    conf_file_free(&f);
    expect("t.conf:1001: too many keys; the rest of the file is not read\n");
    conf_problems_deinit(&problems);
    conf_problems_init(&problems);
    memset(text, '[', 200 * 1024); /* one problem a line, without end */
    for (size_t i = 1; i < 200 * 1024; i += 2)
        text[i] = '\n';
    f = conf_file_text("t.conf", (struct str){text, 200 * 1024}, false, &problems);
    conf_file_free(&f);
    ck_assert_uint_eq(problems.n, 100 * 1024);
    ck_assert_uint_lt(problems.text.n, 200 * 1024);
    buf_deinit(&b);
    free(text);
}
END_TEST

START_TEST(a_bare_file_has_keys_only)
{
    int line = 0;
    struct conf_file *f =
        conf_file_text("x.conf", STR("client_id = 1\n[server]\na = 1\n"), true, &problems);
    ck_assert_str_eq(conf_file_get(f, "", "client_id", &line), "1");
    ck_assert_int_eq(line, 1);
    ck_assert_ptr_null(conf_file_get(f, "server", "a", &line));
    ck_assert_str_eq(conf_file_name(f), "x.conf");
    conf_file_free(&f);
    expect("x.conf:2: this file has no sections: remove the line\n");
}
END_TEST

START_TEST(unknown_names_come_with_a_hint) /* CONF-01 */
{
    static const struct conf_table t[] = {{"server", "CT_SERVER", rows, N_ROWS, &server},
                                          {"session", "CT_SESSION", rows, 0, NULL}};
    struct conf_file *f = conf_file_text("t.conf",
                                         STR("[sever]\nlisten = x\n[server]\nlitsen = x\n"
                                             "token_fil = x\nquux = 1\nname_file = x\n"
                                             "[session]\nworkers = 1\n[quux]\n"),
                                         false, &problems);
    conf_apply(f, t, 2, arena, secrets, &problems);
    conf_file_free(&f);
    expect("t.conf:1: [sever] is no section; did you mean \"server\"?\n"
           "t.conf:10: [quux] is no section\n"
           "t.conf:4: [server] litsen: unknown key; did you mean \"listen\"?\n"
           "t.conf:5: [server] token_fil: unknown key; did you mean \"token_file\"?\n"
           "t.conf:6: [server] quux: unknown key\n"
           "t.conf:7: [server] name_file: unknown key\n"
           "t.conf:9: [session] workers: unknown key; it belongs in [server]\n");
}
END_TEST

START_TEST(problems_cannot_forge_lines)
{
    conf_problem(&problems, "f", 1, "a\nb\x1b[31m%s", "c\r");
    conf_problem(&problems, "f", 0, "d");
    expect("f:1: a\xef\xbf\xbd"
           "b\xef\xbf\xbd[31mc\xef\xbf\xbd\nf: d\n");
}
END_TEST

/* ---- the environment ------------------------------------------------------------------------- */

START_TEST(the_environment_wins_over_the_file)
{
    setenv("CT_SERVER_LISTEN", "env:1", 1);
    setenv("CT_SERVER_TOKEN", "from-env", 1);
    setenv("CT_SERVER_HOSTS", "", 1);
    apply("[server]\nlisten = file:1\nname = file\ntoken = from-file\n");
    expect("");
    ck_assert_str_eq(server.listen, "env:1");
    ck_assert_str_eq(server.name, "file");
    ck_assert_str_eq(token(), "from-env");
    ck_assert_ptr_null(server.hosts[0]);
}
END_TEST

START_TEST(wrong_values_in_the_environment_are_told)
{
    setenv("CT_SERVER_WORKERS", "300x", 1);
    setenv("CT_SERVER_TOKEN", "", 1);
    setenv("CT_SERVER_NAME", "a\x07", 1);
    apply_file(NULL);
    expect("environment: CT_SERVER_NAME: holds a control byte\n"
           "environment: CT_SERVER_WORKERS: \"300x\" is wrong; a whole number is wanted\n"
           "environment: CT_SERVER_TOKEN: is empty\n");
}
END_TEST

START_TEST(unknown_variables_are_told_when_they_look_like_a_slip)
{
    setenv("CT_SERVER_LISTN", "x", 1);
    setenv("CT_SERVER_TOKEN_FILES", "x", 1);
    setenv("CT_SERVER_SOMETHING_ELSE", "x", 1);
    setenv("CT_SERVERNAME", "x", 1);
    apply_file(NULL);
    ck_assert_uint_eq(problems.n, 2);
    ck_assert_ptr_nonnull(strstr(problems.text.p,
                                 "environment: CT_SERVER_LISTN: unknown variable; did you mean "
                                 "\"CT_SERVER_LISTEN\"?\n"));
    ck_assert_ptr_nonnull(strstr(problems.text.p,
                                 "environment: CT_SERVER_TOKEN_FILES: unknown variable; did you "
                                 "mean \"CT_SERVER_TOKEN_FILE\"?\n"));
}
END_TEST

START_TEST(a_prefix_does_not_claim_a_longer_one)
{
    static struct server a, ab;
    const struct conf_table one = {"", "CT_PROVIDER_A", rows, N_ROWS, &a},
                            other = {"", "CT_PROVIDER_A_B", rows, N_ROWS, &ab};
    setenv("CT_PROVIDER_A_B_NAME", "ab", 1);
    setenv("CT_PROVIDER_A_B_LISTEN", "x", 1);
    setenv("CT_PROVIDER_A_NAME", "a", 1);
    conf_apply(NULL, &one, 1, arena, secrets, &problems);
    conf_apply(NULL, &other, 1, arena, secrets, &problems);
    expect("");
    ck_assert_str_eq(a.name, "a");
    ck_assert_str_eq(ab.name, "ab");
    ck_assert_str_eq(a.listen, "127.0.0.1:8080");
    ck_assert_str_eq(ab.listen, "x");
    setenv("CT_PROVIDER_A_B_LISTN", "x", 1);
    conf_apply(NULL, &one, 1, arena, secrets, &problems);
    expect("");
    conf_apply(NULL, &other, 1, arena, secrets, &problems);
    ck_assert_uint_eq(problems.n, 1);
}
END_TEST

START_TEST(tables_may_share_a_section)
{
    struct more {
        const char *extra;
    } more = {0};
    const struct usher_setting more_rows[] = {
        USHER_SET_TEXT(struct more, extra, .value = "e"),
    };
    const struct conf_table t[] = {{"", "CT_X", rows, N_ROWS, &server},
                                   {"", "CT_X", more_rows, 1, &more}};
    setenv("CT_X_EXTRA", "1", 1);
    setenv("CT_X_EXTRAA", "1", 1);
    struct conf_file *f =
        conf_file_text("x.conf", STR("name = n\nextra = y\nextr = z\n"), true, &problems);
    conf_apply(f, t, 2, arena, secrets, &problems);
    conf_file_free(&f);
    expect("x.conf:3: extr: unknown key; did you mean \"extra\"?\n"
           "environment: CT_X_EXTRAA: unknown variable; did you mean \"CT_X_EXTRA\"?\n");
    ck_assert_str_eq(server.name, "n");
    ck_assert_str_eq(more.extra, "1");
}
END_TEST

/* ---- secrets --------------------------------------------------------------------------------- */

START_TEST(one_spelling_in_one_place) /* CONF-04 */
{
    write_file("secret", "x", 1, 0600);
    setenv("CT_OTHER", "y", 1);
    apply("[server]\ntoken = a\ntoken_file = b\ntoken_env = CT_OTHER\n");
    setenv("CT_SERVER_TOKEN", "a", 1);
    setenv("CT_SERVER_TOKEN_ENV", "CT_OTHER", 1);
    apply_file(NULL);
    expect("t.conf:3: [server] token_file: [server] token is set too; only one of them may be\n"
           "t.conf:4: [server] token_env: [server] token is set too; only one of them may be\n"
           "environment: CT_SERVER_TOKEN_ENV: CT_SERVER_TOKEN is set too; only one of them may "
           "be\n");
}
END_TEST

START_TEST(a_secret_from_another_variable)
{
    setenv("CT_OTHER", "other", 1);
    apply("[server]\ntoken_env = CT_OTHER\n");
    expect("");
    ck_assert_str_eq(token(), "other");
    unsetenv("CT_OTHER");
    apply("[server]\ntoken_env = CT_OTHER\n");
    expect("t.conf:2: [server] token_env: there is no environment variable of that name\n");
}
END_TEST

/* CONF-04: one newline goes, everything odd is refused. */
static const struct {
    const char *bytes;
    size_t n;
    const char *secret, *problem;
} secret_files[] = {
    {"abc", 3, "abc", NULL},
    {"abc\n", 4, "abc", NULL},
    {"abc\r\n", 5, "abc", NULL},
    {"a\nb\n", 4, "a\nb", NULL},
    {" abc ", 5, " abc ", NULL},
    {"abc\n\n", 5, NULL, "ends in more than one newline"},
    {"abc\n\r\n", 6, NULL, "ends in more than one newline"},
    {"", 0, NULL, "is empty"},
    {"\n", 1, NULL, "is empty"},
    {"a\0b", 3, NULL, "holds a NUL byte"},
    {"abc\0\n", 5, NULL, "holds a NUL byte"},
    {"\xef\xbb\xbf"
     "abc",
     6, NULL, "begins with a byte order mark"},
    {"\xff\xfe"
     "a",
     3, NULL, "is UTF-16; plain bytes are wanted"},
};

START_TEST(secret_files_are_trimmed_once_and_odd_ones_refused)
{
    write_file("secret", secret_files[_i].bytes, secret_files[_i].n, 0600);
    write_file("usher.conf", "[server]\ntoken_file = secret\n", 29, 0644);
    read_and_apply();
    if (secret_files[_i].secret) {
        expect("");
        ck_assert_str_eq(token(), secret_files[_i].secret);
        ck_assert(server.token.set);
        return;
    }
    char line[256];
    snprintf(line, sizeof line, "%s:2: [server] token_file: %s/secret: %s\n", path, folder,
             secret_files[_i].problem);
    expect(line);
    ck_assert_ptr_null(token());
    ck_assert(!server.token.set);
}
END_TEST

START_TEST(a_secret_has_a_limit) /* CONF-04 */
{
    size_t n = 1 << 20;
    char *big = malloc(n);
    memset(big, 'x', n);
    write_file("usher.conf", "[server]\ntoken_file = secret\n", 29, 0600);
    write_file("secret", big, 65536, 0600);
    read_and_apply();
    expect("");
    ck_assert_uint_eq(secret_len(conf_secrets_get(secrets, "token")), 65536);
    write_file("secret", big, 65537, 0600);
    read_and_apply();
    ck_assert_uint_eq(problems.n, 1);
    write_file("secret", big, n, 0600);
    read_and_apply();
    ck_assert_uint_eq(problems.n, 2);
    ck_assert_ptr_nonnull(strstr(problems.text.p, "/secret: is larger than 64 KiB\n"));
    big[70000] = 0;
    setenv("CT_SERVER_TOKEN", big, 1);
    apply_file(NULL);
    ck_assert_ptr_nonnull(strstr(problems.text.p, "CT_SERVER_TOKEN: is larger than 64 KiB\n"));
    free(big);
}
END_TEST

START_TEST(secret_paths_in_the_environment_are_absolute)
{
    char full[256], cwd[128];
    write_file("secret", "abc\n", 4, 0400);
    setenv("CT_SERVER_TOKEN_FILE", "secret", 1);
    apply_file(NULL);
    expect("environment: CT_SERVER_TOKEN_FILE: must be an absolute path\n");
    ck_assert_ptr_nonnull(getcwd(cwd, sizeof cwd));
    snprintf(full, sizeof full, "%s/%s/secret", cwd, folder);
    setenv("CT_SERVER_TOKEN_FILE", full, 1);
    apply_file(NULL);
    ck_assert_uint_eq(problems.n, 1);
    ck_assert_str_eq(token(), "abc");
    setenv("CT_SERVER_TOKEN_FILE", "", 1);
    apply_file(NULL);
    ck_assert_uint_eq(problems.n, 2);
}
END_TEST

/* CONF-03: the message says which mode is wanted. */
static const struct {
    mode_t mode;
    bool fine_for_root, fine;
} secret_modes[] = {
    {0600, true, true},   {0400, true, true},   {0640, true, false},
    {0440, true, false},  {0644, false, false}, {0604, false, false},
    {0660, false, false}, {0666, false, false}, {0650, false, false},
};

START_TEST(files_with_secrets_are_closed_to_others)
{
    bool fine = geteuid() == 0 ? secret_modes[_i].fine_for_root : secret_modes[_i].fine;
    write_file("secret", "abc\n", 4, secret_modes[_i].mode);
    write_file("usher.conf", "[server]\ntoken_file = secret\n", 29, 0644);
    read_and_apply();
    ck_assert_uint_eq(problems.n, fine ? 0 : 1);
    ck_assert(fine == (token() != NULL));
    if (!fine)
        ck_assert_ptr_nonnull(strstr(problems.text.p, "is wanted (chmod "));

    /* The same holds for a file with the secret in it. */
    conf_secrets_free(&secrets);
    secrets = conf_secrets_new();
    write_file("usher.conf", "[server]\ntoken = abc\n", 21, secret_modes[_i].mode);
    read_and_apply();
    ck_assert_uint_eq(problems.n, fine ? 0 : 2);
    ck_assert(fine == (token() != NULL));
    ck_assert_ptr_null(strstr(problems.text.p, "abc"));
}
END_TEST

START_TEST(files_are_regular_and_not_writable_by_others) /* CONF-02, CONF-03 */
{
    char full[128], line[256];
    write_file("usher.conf", "[server]\n", 9, 0664);
    read_and_apply();
    snprintf(line, sizeof line,
             "%s: mode 0664 lets others write to it, 0644 or less is wanted (chmod go-w)\n", path);
    expect(line);
    write_file("usher.conf", "[server]\n", 9, 0644);
    read_and_apply();
    ck_assert_uint_eq(problems.n, 1);

    snprintf(full, sizeof full, "%s/link", folder);
    ck_assert_int_eq(symlink("usher.conf", full), 0);
    ck_assert_ptr_null(conf_file_read(full, false, &problems));
    ck_assert_ptr_nonnull(strstr(problems.text.p, "/link: is a symbolic link"));

    ck_assert_int_eq(unlink(full), 0);
    ck_assert_int_eq(mkfifo(full, 0600), 0);
    ck_assert_ptr_null(conf_file_read(full, false, &problems));
    ck_assert_ptr_nonnull(strstr(problems.text.p, "/link: is not a regular file"));

    ck_assert_ptr_null(conf_file_read(folder, false, &problems));
    ck_assert_ptr_null(conf_file_read("/dev/zero", false, &problems));
    ck_assert_ptr_null(conf_file_read("/nonexistent/x.conf", false, &problems));
    ck_assert_ptr_nonnull(strstr(problems.text.p, "x.conf: cannot be opened: No such file"));
    ck_assert_uint_eq(problems.n, 6);

    ck_assert_int_eq(chmod(folder, 0777), 0);
    ck_assert_ptr_null(conf_file_read(path, false, &problems));
    ck_assert_ptr_nonnull(strstr(problems.text.p, "anybody can replace files in its folder"));
    ck_assert_int_eq(chmod(folder, 01777), 0); /* sticky, like the temporary folder: fine */
    struct conf_file *f = conf_file_read(path, false, &problems);
    ck_assert_ptr_nonnull(f);
    conf_file_free(&f);
}
END_TEST

START_TEST(files_of_other_users_are_refused) /* CONF-03 */
{
    if (geteuid() != 0)
        return; /* only root can give a file away */
    write_file("usher.conf", "[server]\n", 9, 0644);
    ck_assert_int_eq(chown(path, 12345, 0), 0);
    ck_assert_ptr_null(conf_file_read(path, false, &problems));
    ck_assert_ptr_nonnull(strstr(problems.text.p, "belongs to user 12345, who could change it"));
}
END_TEST

START_TEST(secrets_are_kept_by_key)
{
    conf_secrets_set(secrets, "a", secret_new("1", 1));
    conf_secrets_set(secrets, "b", secret_new("2", 1));
    conf_secrets_set(secrets, "a", secret_new("3", 1));
    ck_assert_str_eq(secret_reveal(conf_secrets_get(secrets, "a")).p, "3");
    ck_assert_str_eq(secret_reveal(conf_secrets_get(secrets, "b")).p, "2");
    ck_assert_ptr_null(conf_secrets_get(secrets, "c"));
}
END_TEST

/* ---- values as text -------------------------------------------------------------------------- */

START_TEST(text_is_what_an_admin_would_write)
{
    static const char *const expected[] = {
        "127.0.0.1:8080", NULL, NULL, "2", "75s", "64k", "yes", "info", "a.example b.example", NULL,
    };
    apply_file(NULL);
    for (size_t i = 0; i < N_ROWS; i++) {
        const char *text = conf_text(&rows[i], &server, arena);
        if (expected[i])
            ck_assert_str_eq(text, expected[i]);
        else
            ck_assert_ptr_null(text);
    }
    server = (struct server){.idle = 7200, .body = 3 << 20, .workers = -4, .level = 9};
    ck_assert_str_eq(conf_text(&rows[4], &server, arena), "2h");
    ck_assert_str_eq(conf_text(&rows[5], &server, arena), "3m");
    ck_assert_str_eq(conf_text(&rows[3], &server, arena), "-4");
    ck_assert_str_eq(conf_text(&rows[6], &server, arena), "false");
    ck_assert_ptr_null(conf_text(&rows[7], &server, arena));
    ck_assert_ptr_null(conf_text(&rows[8], &server, arena));
    server = (struct server){.idle = 61, .body = 1025};
    ck_assert_str_eq(conf_text(&rows[4], &server, arena), "61s");
    ck_assert_str_eq(conf_text(&rows[5], &server, arena), "1025");
    server.idle = server.body = 0;
    ck_assert_str_eq(conf_text(&rows[4], &server, arena), "0s");
    ck_assert_str_eq(conf_text(&rows[5], &server, arena), "0");
}
END_TEST

START_TEST(text_and_set_agree)
{
    static const struct {
        size_t row;
        const char *value;
    } values[] = {{0, "x y"},  {2, "https://b.example/"},
                  {3, "64"},   {4, "1h"},
                  {5, "2g"},   {6, "false"},
                  {7, "warn"}, {8, "p q r"}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct err err = ERR_INIT;
        const struct usher_setting *row = &rows[values[i].row];
        ck_assert_int_eq(conf_set(row, &server, values[i].value, arena, &err), 0);
        ck_assert_str_eq(conf_text(row, &server, arena), values[i].value);
    }
    struct err err = ERR_INIT; /* secrets never pass through a config struct */
    ck_assert_int_eq(conf_set(&rows[9], &server, "x", arena, &err), -1);
    ck_assert(!server.token.set);
}
END_TEST

START_TEST(the_sample_is_a_valid_file)
{
    static struct usher_setting all[N_ROWS];
    memcpy(all, rows, sizeof rows);
    all[1].help = "A very long help text that has to be wrapped because nobody likes lines that "
                  "run out of the window, l\xc3\xa4nger als der Bildschirm.\nAnd another line.";
    all[2].flags |= USHER_REQUIRED;
    const struct conf_table t = {"server", "CT_SERVER", all, N_ROWS, &server};
    struct buf b;
    buf_init(&b, 1 << 16);
    conf_sample(&t, &b);
    ck_assert(buf_ok(&b));
    for (const char *line = b.p, *end; (end = strchr(line, '\n')); line = end + 1)
        ck_assert_msg(end - line <= 92, "%.*s", (int)(end - line), line);
    ck_assert_ptr_nonnull(strstr(b.p, "[server]\n\n# Address. Where to listen.\n"
                                      "#listen = 127.0.0.1:8080\n"));
    ck_assert_ptr_nonnull(strstr(b.p, "# Workers. A whole number, 1 to 64.\n#workers = 2\n"));
    ck_assert_ptr_nonnull(strstr(b.p, "# Idle. A duration, 1s to 1h.\n#idle = 75s\n"));
    ck_assert_ptr_nonnull(strstr(b.p, "# Level. One of: debug, info, warn.\n#level = info\n"));
    ck_assert_ptr_nonnull(strstr(b.p, "Required.\nurl = https://a.example\n"));
    ck_assert_ptr_nonnull(strstr(b.p, "#token_file = "));
    ck_assert_ptr_nonnull(strstr(b.p, "\n# -- rarely needed --\n\n# Body. A size.\n"));
    struct conf_file *f = conf_file_text("sample", buf_view(&b), false, &problems);
    conf_apply(f, &t, 1, arena, secrets, &problems);
    conf_file_free(&f);
    expect("");
    /* And so it is with every line taken into use. */
    for (char *c = b.p; (c = strstr(c, "\n#")); c++)
        if (c[2] != ' ' && strncmp(c, "\n#token", 7) != 0 && strncmp(c, "\n#name", 6) != 0)
            memmove(c + 1, c + 2, strlen(c + 2) + 1);
    f = conf_file_text("sample", str_of(b.p), false, &problems);
    conf_apply(f, &t, 1, arena, secrets, &problems);
    conf_file_free(&f);
    expect("");
    buf_deinit(&b);
}
END_TEST

#define LOOP(t, name, table) tcase_add_loop_test(t, name, 0, (int)(sizeof table / sizeof *table))

static void add_files(TCase *t)
{
    LOOP(t, what_inih_would_bend_is_refused, wrong_texts);
    tcase_add_test(t, nul_bytes_are_refused);
    tcase_add_test(t, line_ends_of_windows_and_a_missing_last_one_are_fine);
    tcase_add_test(t, long_lines_are_whole_or_refused);
    tcase_add_test(t, names_are_bounded_before_inih_cuts_them);
    tcase_add_test(t, sizes_are_bounded);
    tcase_add_test(t, a_bare_file_has_keys_only);
    tcase_add_test(t, unknown_names_come_with_a_hint);
    tcase_add_test(t, problems_cannot_forge_lines);
    tcase_add_test(t, files_are_regular_and_not_writable_by_others);
    tcase_add_test(t, files_of_other_users_are_refused);
}

static void add_secrets(TCase *t)
{
    tcase_add_test(t, one_spelling_in_one_place);
    tcase_add_test(t, a_secret_from_another_variable);
    LOOP(t, secret_files_are_trimmed_once_and_odd_ones_refused, secret_files);
    tcase_add_test(t, a_secret_has_a_limit);
    tcase_add_test(t, secret_paths_in_the_environment_are_absolute);
    LOOP(t, files_with_secrets_are_closed_to_others, secret_modes);
    tcase_add_test(t, secrets_are_kept_by_key);
}

Suite *suite_conf(void);
Suite *suite_conf(void)
{
    Suite *s = suite_create("conf");
    TCase *t = tcase_create("conf");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_type_is_read);
    tcase_add_test(t, defaults_fill_what_is_not_there);
    LOOP(t, wrong_values_name_key_and_line, wrong_values);
    tcase_add_test(t, urls_are_strict_and_never_quoted);
    tcase_add_test(t, an_empty_list_is_none);
    tcase_add_test(t, required_means_given_and_not_empty);
    add_files(t);
    tcase_add_test(t, the_environment_wins_over_the_file);
    tcase_add_test(t, wrong_values_in_the_environment_are_told);
    tcase_add_test(t, unknown_variables_are_told_when_they_look_like_a_slip);
    tcase_add_test(t, a_prefix_does_not_claim_a_longer_one);
    tcase_add_test(t, tables_may_share_a_section);
    add_secrets(t);
    tcase_add_test(t, text_is_what_an_admin_would_write);
    tcase_add_test(t, text_and_set_agree);
    tcase_add_test(t, the_sample_is_a_valid_file);
    suite_add_tcase(s, t);
    return s;
}
