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

Suite *suite_conf_doc(void);
Suite *suite_conf_doc(void)
{
    Suite *s = suite_create("conf_doc");
    TCase *t = tcase_create("conf_doc");
    tcase_add_test(t, a_row_as_json_says_all_there_is);
    tcase_add_test(t, flags_have_names);
    suite_add_tcase(s, t);
    return s;
}
