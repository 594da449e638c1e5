/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Sections of any name, several of one name, each read by itself with its own lines. */
START_TEST(parts_of_a_file)
{
    static const char text[] = "label = x\n[/admin/*]\nrequire = a\n[/admin/*]\nrequire = b\n"
                               "require = c\n[/\xc3\xa9 and more]\n";
    struct conf_file *f = conf_file_text("p.conf", str_of(text), CONF_PARTS, &cx.problems);
    int line;
    ck_assert_ptr_nonnull(f);
    cx_expect("p.conf:6: require is there already, in line 5\n");
    ck_assert_str_eq(conf_file_part(f, 0, &line), "");
    ck_assert_str_eq(conf_file_part(f, 2, &line), "/admin/*");
    ck_assert_int_eq(line, 4);
    ck_assert_str_eq(conf_file_part(f, 3, &line), "/\xc3\xa9 and more");
    ck_assert_ptr_null(conf_file_part(f, 4, &line));
    struct conf_file *part = conf_file_part_take(f, 2);
    ck_assert_str_eq(conf_file_get(part, "", "require", &line), "b");
    ck_assert_int_eq(line, 5);
    ck_assert_ptr_null(conf_file_get(part, "", "label", &line));
    conf_file_free(&part);
    part = conf_file_part_take(f, 0);
    ck_assert_str_eq(conf_file_get(part, "", "label", &line), "x");
    ck_assert_ptr_null(conf_file_get(part, "", "require", &line));
    conf_file_free(&part);
    conf_file_free(&f);
}
END_TEST

START_TEST(what_inih_would_bend_is_refused)
{
    cx_apply(wrong_texts[_i].text);
    cx_expect(wrong_texts[_i].problems);
    ck_assert(cx.server.name == NULL || strcmp(cx.server.name, "x") == 0);
}
END_TEST

START_TEST(nul_bytes_are_refused) /* CONF-04 */
{
    struct conf_file *f =
        conf_file_text("t.conf", STR("[server]\nname = a\0b\n"), CONF_SECTIONS, &cx.problems);
    ck_assert_ptr_null(f);
    cx_expect("t.conf: holds a NUL byte: it is no text file\n");
}
END_TEST

START_TEST(line_ends_of_windows_and_a_missing_last_one_are_fine)
{
    cx_apply("[server]\r\nname = x\r\n\r\n# c\r\nworkers = 3");
    cx_expect("");
    ck_assert_str_eq(cx.server.name, "x");
    ck_assert_int_eq(cx.server.workers, 3);
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
        cx_apply(text);
        cx_expect("");
        ck_assert_str_eq(cx.server.name, value);
        ck_assert_int_eq(cx.server.workers, 3);
    }
    memset(value, 'v', 8186);
    value[8186] = 0;
    snprintf(text, sizeof text, "[server]\nname = %s\nworkers = 65\n", value);
    cx_apply(text);
    cx_expect("t.conf:2: the line is longer than 8 KiB; long values go into files\n"
              "t.conf:3: [server] workers: \"65\" is out of range; 1 to 64 is allowed\n");
}
END_TEST

START_TEST(names_are_bounded_before_inih_cuts_them)
{
    char text[256], name[64];
    memset(name, 'k', 49);
    name[49] = 0;
    snprintf(text, sizeof text, "[server]\n%s = 1\n", name);
    cx_apply(text);
    cx_expect("t.conf:2: a line is key = value; keys are lower-case letters, digits and '_'\n");
    name[48] = 0;
    snprintf(text, sizeof text, "[server]\n%s = 1\n[%s]\n", name, name);
    struct conf_file *f = conf_file_text("t.conf", str_of(text), CONF_SECTIONS, &cx.problems);
    int line = 0;
    ck_assert_str_eq(conf_file_get(f, "server", name, &line), "1");
    ck_assert_int_eq(line, 2);
    conf_file_free(&f);
    ck_assert_uint_eq(cx.problems.n, 1);
}
END_TEST

START_TEST(sizes_are_bounded) /* CONF-02 */
{
    size_t n = 300 * 1024;
    char *text = malloc(n);
    memset(text, '\n', n);
    ck_assert_ptr_null(
        conf_file_text("t.conf", (struct str){text, n}, CONF_SECTIONS, &cx.problems));
    cx_expect("t.conf: is larger than 256 KiB\n");
    conf_problems_deinit(&cx.problems);
    conf_problems_init(&cx.problems);
    struct buf b;
    buf_init(&b, 256 * 1024);
    for (int i = 0; i < 1100; i++)
        buf_printf(&b, "k%d = 1\n", i);
    struct conf_file *f = conf_file_text("t.conf", buf_view(&b), CONF_BARE, &cx.problems);
    conf_file_free(&f);
    cx_expect("t.conf:1001: too many keys; the rest of the file is not read\n");
    conf_problems_deinit(&cx.problems);
    conf_problems_init(&cx.problems);
    memset(text, '[', 200 * 1024); /* one problem a line, without end */
    for (size_t i = 1; i < 200 * 1024; i += 2)
        text[i] = '\n';
    f = conf_file_text("t.conf", (struct str){text, 200 * 1024}, CONF_SECTIONS, &cx.problems);
    conf_file_free(&f);
    ck_assert_uint_eq(cx.problems.n, 100 * 1024);
    ck_assert_uint_lt(cx.problems.text.n, 200 * 1024);
    buf_deinit(&b);
    free(text);
}
END_TEST

START_TEST(a_bare_file_has_keys_only)
{
    int line = 0;
    struct conf_file *f =
        conf_file_text("x.conf", STR("client_id = 1\n[server]\na = 1\n"), CONF_BARE, &cx.problems);
    ck_assert_str_eq(conf_file_get(f, "", "client_id", &line), "1");
    ck_assert_int_eq(line, 1);
    ck_assert_ptr_null(conf_file_get(f, "server", "a", &line));
    ck_assert_str_eq(conf_file_name(f), "x.conf");
    conf_file_free(&f);
    cx_expect("x.conf:2: this file has no sections: remove the line\n");
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
    cx_write_file("secret", secret_files[_i].bytes, secret_files[_i].n, 0600);
    cx_write_file("usher.conf", "[server]\ntoken_file = secret\n", 29, 0644);
    cx_read_and_apply();
    if (secret_files[_i].secret) {
        cx_expect("");
        ck_assert_str_eq(cx_token(), secret_files[_i].secret);
        ck_assert(cx.server.token.set);
        return;
    }
    char line[256];
    snprintf(line, sizeof line, "%s:2: [server] token_file: %s/secret: %s\n", cx.path, cx.folder,
             secret_files[_i].problem);
    cx_expect(line);
    ck_assert_ptr_null(cx_token());
    ck_assert(!cx.server.token.set);
}
END_TEST

START_TEST(a_secret_has_a_limit) /* CONF-04 */
{
    size_t n = 1 << 20;
    char *big = malloc(n);
    memset(big, 'x', n);
    cx_write_file("usher.conf", "[server]\ntoken_file = secret\n", 29, 0600);
    cx_write_file("secret", big, 65536, 0600);
    cx_read_and_apply();
    cx_expect("");
    ck_assert_uint_eq(secret_len(conf_secrets_get(cx.secrets, "token")), 65536);
    cx_write_file("secret", big, 65537, 0600);
    cx_read_and_apply();
    ck_assert_uint_eq(cx.problems.n, 1);
    cx_write_file("secret", big, n, 0600);
    cx_read_and_apply();
    ck_assert_uint_eq(cx.problems.n, 2);
    ck_assert_ptr_nonnull(strstr(cx.problems.text.p, "/secret: is larger than 64 KiB\n"));
    big[70000] = 0;
    setenv("CT_SERVER_TOKEN", big, 1);
    cx_apply_file(NULL);
    ck_assert_ptr_nonnull(strstr(cx.problems.text.p, "CT_SERVER_TOKEN: is larger than 64 KiB\n"));
    free(big);
}
END_TEST

START_TEST(secret_paths_in_the_environment_are_absolute)
{
    char full[256], cwd[128];
    cx_write_file("secret", "abc\n", 4, 0400);
    setenv("CT_SERVER_TOKEN_FILE", "secret", 1);
    cx_apply_file(NULL);
    cx_expect("environment: CT_SERVER_TOKEN_FILE: must be an absolute path\n");
    ck_assert_ptr_nonnull(getcwd(cwd, sizeof cwd));
    snprintf(full, sizeof full, "%s/%s/secret", cwd, cx.folder);
    setenv("CT_SERVER_TOKEN_FILE", full, 1);
    cx_apply_file(NULL);
    ck_assert_uint_eq(cx.problems.n, 1);
    ck_assert_str_eq(cx_token(), "abc");
    setenv("CT_SERVER_TOKEN_FILE", "", 1);
    cx_apply_file(NULL);
    ck_assert_uint_eq(cx.problems.n, 2);
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
    cx_write_file("secret", "abc\n", 4, secret_modes[_i].mode);
    cx_write_file("usher.conf", "[server]\ntoken_file = secret\n", 29, 0644);
    cx_read_and_apply();
    ck_assert_uint_eq(cx.problems.n, fine ? 0 : 1);
    ck_assert(fine == (cx_token() != NULL));
    if (!fine)
        ck_assert_ptr_nonnull(strstr(cx.problems.text.p, "is wanted (chmod "));

    /* The same holds for a file with the secret in it. */
    conf_secrets_free(&cx.secrets);
    cx.secrets = conf_secrets_new();
    cx_write_file("usher.conf", "[server]\ntoken = abc\n", 21, secret_modes[_i].mode);
    cx_read_and_apply();
    ck_assert_uint_eq(cx.problems.n, fine ? 0 : 2);
    ck_assert(fine == (cx_token() != NULL));
    ck_assert_ptr_null(strstr(cx.problems.text.p, "abc"));
}
END_TEST

START_TEST(files_are_regular_and_not_writable_by_others) /* CONF-02, CONF-03 */
{
    char full[128], line[256];
    cx_write_file("usher.conf", "[server]\n", 9, 0664);
    cx_read_and_apply();
    snprintf(line, sizeof line,
             "%s: mode 0664 lets others write to it, 0644 or less is wanted (chmod go-w)\n",
             cx.path);
    cx_expect(line);
    cx_write_file("usher.conf", "[server]\n", 9, 0644);
    cx_read_and_apply();
    ck_assert_uint_eq(cx.problems.n, 1);

    snprintf(full, sizeof full, "%s/link", cx.folder);
    ck_assert_int_eq(symlink("usher.conf", full), 0);
    ck_assert_ptr_null(conf_file_read(full, CONF_SECTIONS, &cx.problems));
    ck_assert_ptr_nonnull(strstr(cx.problems.text.p, "/link: is a symbolic link"));

    ck_assert_int_eq(unlink(full), 0);
    ck_assert_int_eq(mkfifo(full, 0600), 0);
    ck_assert_ptr_null(conf_file_read(full, CONF_SECTIONS, &cx.problems));
    ck_assert_ptr_nonnull(strstr(cx.problems.text.p, "/link: is not a regular file"));

    ck_assert_ptr_null(conf_file_read(cx.folder, CONF_SECTIONS, &cx.problems));
    ck_assert_ptr_null(conf_file_read("/dev/zero", CONF_SECTIONS, &cx.problems));
    ck_assert_ptr_null(conf_file_read("/nonexistent/x.conf", CONF_SECTIONS, &cx.problems));
    ck_assert_ptr_nonnull(strstr(cx.problems.text.p, "x.conf: cannot be opened: No such file"));
    ck_assert_uint_eq(cx.problems.n, 6);

    ck_assert_int_eq(chmod(cx.folder, 0777), 0);
    ck_assert_ptr_null(conf_file_read(cx.path, CONF_SECTIONS, &cx.problems));
    ck_assert_ptr_nonnull(strstr(cx.problems.text.p, "anybody can replace files in its folder"));
    ck_assert_int_eq(chmod(cx.folder, 01777), 0); /* sticky, like the temporary folder: fine */
    struct conf_file *f = conf_file_read(cx.path, CONF_SECTIONS, &cx.problems);
    ck_assert_ptr_nonnull(f);
    conf_file_free(&f);
}
END_TEST

START_TEST(files_of_other_users_are_refused) /* CONF-03 */
{
    if (geteuid() != 0)
        return; /* only root can give a file away */
    cx_write_file("usher.conf", "[server]\n", 9, 0644);
    ck_assert_int_eq(chown(cx.path, 12345, 0), 0);
    ck_assert_ptr_null(conf_file_read(cx.path, CONF_SECTIONS, &cx.problems));
    ck_assert_ptr_nonnull(strstr(cx.problems.text.p, "belongs to user 12345, who could change it"));
}
END_TEST

Suite *suite_conf_file(void);
Suite *suite_conf_file(void)
{
    Suite *s = suite_create("conf_file");
    TCase *t = tcase_create("conf_file");
    tcase_add_checked_fixture(t, cx_setup, cx_teardown);
    CX_LOOP(t, what_inih_would_bend_is_refused, wrong_texts);
    tcase_add_test(t, parts_of_a_file);
    tcase_add_test(t, nul_bytes_are_refused);
    tcase_add_test(t, line_ends_of_windows_and_a_missing_last_one_are_fine);
    tcase_add_test(t, long_lines_are_whole_or_refused);
    tcase_add_test(t, names_are_bounded_before_inih_cuts_them);
    tcase_add_test(t, sizes_are_bounded);
    tcase_add_test(t, a_bare_file_has_keys_only);
    CX_LOOP(t, secret_files_are_trimmed_once_and_odd_ones_refused, secret_files);
    tcase_add_test(t, a_secret_has_a_limit);
    tcase_add_test(t, secret_paths_in_the_environment_are_absolute);
    CX_LOOP(t, files_with_secrets_are_closed_to_others, secret_modes);
    tcase_add_test(t, files_are_regular_and_not_writable_by_others);
    tcase_add_test(t, files_of_other_users_are_refused);
    suite_add_tcase(s, t);
    return s;
}
