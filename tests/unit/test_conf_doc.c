/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/conf_doc.h"

#include <stdlib.h>

#include "conf_fixture.h"

static char *rendered(const struct jval *v)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    jval_render(v, &b);
    ck_assert(buf_ok(&b));
    return buf_take(&b);
}

START_TEST(a_row_as_json_says_all_there_is)
{
    static const char *const want[] = {
        [0] = "{\"key\":\"listen\",\"type\":\"text\",\"label\":\"Address\",\"help\":\"Where to "
              "listen.\",\"default\":\"127.0.0.1:8080\",\"example\":null,\"choices\":null,"
              "\"min\":null,\"max\":null,\"range\":null,\"flags\":[],"
              "\"environment\":\"CT_SERVER_LISTEN\",\"group\":\"usher\"}",
        [4] = "{\"key\":\"idle\",\"type\":\"duration\",\"label\":\"Idle\",\"help\":null,"
              "\"default\":\"75s\",\"example\":null,\"choices\":null,\"min\":1,\"max\":3600,"
              "\"range\":\"1s to 1h\",\"flags\":[],\"environment\":\"CT_SERVER_IDLE\","
              "\"group\":\"usher\"}",
        [7] = "{\"key\":\"level\",\"type\":\"choice\",\"label\":\"Level\",\"help\":null,"
              "\"default\":\"info\",\"example\":null,\"choices\":[\"debug\",\"info\",\"warn\"],"
              "\"min\":null,\"max\":null,\"range\":null,\"flags\":[],"
              "\"environment\":\"CT_SERVER_LEVEL\",\"group\":\"usher\"}",
        [9] = "{\"key\":\"token\",\"type\":\"secret\",\"label\":\"Token\",\"help\":\"Who may read "
              "metrics.\",\"default\":null,\"example\":null,\"choices\":null,\"min\":null,"
              "\"max\":null,\"range\":null,\"flags\":[\"secret\"],"
              "\"environment\":\"CT_SERVER_TOKEN\",\"group\":\"usher\"}",
    };
    const struct conf_table t = {"server", "CT_SERVER", cx_rows, CX_ROWS, NULL};
    struct jval *array = jval_new_array();
    conf_table_json(&t, "usher", array);
    ck_assert_uint_eq(jval_count(array), CX_ROWS);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        if (!want[i])
            continue;
        char *said = rendered(jval_item(array, i));
        ck_assert_str_eq(said, want[i]);
        free(said);
    }
    jval_free(&array);
}
END_TEST

START_TEST(flags_have_names)
{
    struct usher_setting row = cx_rows[2];
    const struct conf_table t = {"server", "CT_SERVER", &row, 1, NULL};
    struct jval *array = jval_new_array();
    row.flags = USHER_REQUIRED | USHER_ORIGIN | USHER_ADVANCED | USHER_INSECURE;
    conf_table_json(&t, "plugin", array);
    char *said = rendered(jval_at(array, "/0/flags"));
    ck_assert_str_eq(said, "[\"required\",\"origin\",\"advanced\",\"insecure\"]");
    free(said);
    jval_free(&array);
}
END_TEST

START_TEST(the_sample_is_a_valid_file)
{
    static struct usher_setting all[CX_ROWS];
    memcpy(all, cx_rows, sizeof cx_rows);
    all[1].help = "A very long help text that has to be wrapped because nobody likes lines that "
                  "run out of the window, l\xc3\xa4nger als der Bildschirm.\nAnd another line.";
    all[2].flags |= USHER_REQUIRED;
    const struct conf_table t = {"server", "CT_SERVER", all, CX_ROWS, &cx.server};
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
    struct conf_file *f = conf_file_text("sample", buf_view(&b), CONF_SECTIONS, &cx.problems);
    conf_apply(&(const struct conf_source){.file = f}, &t, 1, cx.arena, cx.secrets, &cx.problems);
    conf_file_free(&f);
    cx_expect("");
    /* And so it is with every line taken into use. */
    for (char *c = b.p; (c = strstr(c, "\n#")); c++)
        if (c[2] != ' ' && strncmp(c, "\n#token", 7) != 0 && strncmp(c, "\n#name", 6) != 0)
            memmove(c + 1, c + 2, strlen(c + 2) + 1);
    f = conf_file_text("sample", str_of(b.p), CONF_SECTIONS, &cx.problems);
    conf_apply(&(const struct conf_source){.file = f}, &t, 1, cx.arena, cx.secrets, &cx.problems);
    conf_file_free(&f);
    cx_expect("");
    buf_deinit(&b);
}
END_TEST

static char *told(const struct conf_table *t, bool man)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    if (man)
        conf_man(t, &b);
    else
        conf_markdown(t, "default", &b);
    ck_assert(buf_ok(&b));
    return buf_take(&b);
}

START_TEST(markdown_has_a_row_for_each_setting)
{
    const struct conf_table t = {"server", "CT_SERVER", cx_rows, CX_ROWS, NULL};
    char *said = told(&t, false);
    static const char *const want[] = {
        "## [server]\n\n| setting | default | |\n|---|---|---|\n| `listen`<br>",
        "| `listen`<br>`CT_SERVER_LISTEN` | `127.0.0.1:8080` | **Address.** Where to listen. |\n",
        "| `url`<br>`CT_SERVER_URL` |  | **Public address.** An address. Example: "
        "`https://a.example`. |\n",
        "| `idle`<br>`CT_SERVER_IDLE` | `75s` | **Idle.** A duration, 1s to 1h. |\n",
        "| `token`, `token_file`, `token_env`<br>`CT_SERVER_TOKEN`, `CT_SERVER_TOKEN_FILE`, "
        "`CT_SERVER_TOKEN_ENV` |  | **Token.** Who may read metrics. |\n",
        "\nRarely needed:\n\n| setting | default | |\n|---|---|---|\n| `body`<br>",
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        ck_assert_msg(strstr(said, want[i]) != NULL, "%s is not in %s", want[i], said);
    for (size_t i = 0; i < CX_ROWS; i++)
        ck_assert_ptr_nonnull(strstr(said, cx_rows[i].key));
    free(said);
}
END_TEST

START_TEST(markdown_cannot_break_out_of_its_cell)
{
    struct usher_setting row = cx_rows[0];
    const struct conf_table t = {"", "CT", &row, 1, NULL};
    row.label = "A|b";
    row.help = "x | *y* <b>\n`*|<`";
    row.value = "c|d";
    char *said = told(&t, false);
    ck_assert_str_eq(said, "| setting | default | |\n|---|---|---|\n| `listen`<br>`CT_LISTEN` | "
                           "`c\\|d` | **A\\|b.** x \\| \\*y\\* &lt;b> `*\\|<` |\n");
    free(said);
}
END_TEST

START_TEST(man_pages_keep_every_byte)
{
    struct usher_setting rows[2] = {cx_rows[0], cx_rows[9]};
    const struct conf_table t = {"", "CT", rows, 2, NULL};
    rows[0].label = ".so";
    rows[0].help = "a\\b --c\xe2\x80\xa6";
    rows[0].example = "'x";
    char *said = told(&t, true);
    ck_assert_str_eq(said, ".TP\n\\fBlisten\\fR = 127.0.0.1:8080\n\\&.so. a\\eb \\-\\-c\\[u2026]\n"
                           "Example:\n\\&'x\n.br\nEnvironment:\n\\fBCT_LISTEN\\fR\n"
                           ".TP\n\\fBtoken\\fR, \\fBtoken_file\\fR, \\fBtoken_env\\fR\n"
                           "Token. Who may read metrics.\n.br\nEnvironment:\n\\fBCT_TOKEN\\fR, "
                           "and this with _FILE or _ENV at its end\n");
    free(said);
}
END_TEST

Suite *suite_conf_doc(void);
Suite *suite_conf_doc(void)
{
    Suite *s = suite_create("conf_doc");
    TCase *t = tcase_create("conf_doc");
    tcase_add_checked_fixture(t, cx_setup, cx_teardown);
    tcase_add_test(t, a_row_as_json_says_all_there_is);
    tcase_add_test(t, flags_have_names);
    tcase_add_test(t, the_sample_is_a_valid_file);
    tcase_add_test(t, markdown_has_a_row_for_each_setting);
    tcase_add_test(t, markdown_cannot_break_out_of_its_cell);
    tcase_add_test(t, man_pages_keep_every_byte);
    suite_add_tcase(s, t);
    return s;
}
