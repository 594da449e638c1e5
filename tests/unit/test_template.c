/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/template.h"

Suite *suite_template(void);

static const char data_text[] =
    "{\"name\":\"Ada\",\"html\":\"<b>\\\"&'</"
    "b>\",\"n\":42,\"r\":2.5,\"zero\":0,\"yes\":true,\"no\":false,"
    "\"nothing\":null,\"empty\":\"\",\"none\":[],\"blank\":{},\"user\":{\"name\":\"Eve\",\"id\":{"
    "\"n\":7}},"
    "\"list\":[\"a\",\"b\",\"c\"],\"rows\":[{\"k\":\"1\",\"name\":\"x\"},{\"k\":\"2\"},null,3],"
    "\"grid\":[[\"a\",\"b\"],[\"c\"]],\"tag\":\"{{name}}\"}";

static struct str find(void *ctx, const char *name)
{
    (void)ctx;
    if (strcmp(name, "foot.html") == 0)
        return STR("<i>{{name}}</i>");
    if (strcmp(name, "self") == 0)
        return STR("{{>self}}");
    if (strcmp(name, "mutual/a") == 0)
        return STR("{{#yes}}{{>mutual/b}}{{/yes}}");
    if (strcmp(name, "mutual/b") == 0)
        return STR("{{>mutual/a}}");
    if (strcmp(name, "open") == 0)
        return STR("{{#yes}}");
    if (strcmp(name, "close") == 0)
        return STR("{{/yes}}");
    if (strcmp(name, "empty") == 0)
        return STR("");
    return (struct str){NULL, 0};
}

static int render(const char *text, size_t limit, struct buf *out, struct err *err)
{
    struct jval *data = jval_parse(str_of(data_text), JSON_SIZE_MAX, JSON_DEPTH_MAX, err);
    ck_assert_ptr_nonnull(data);
    buf_init(out, limit);
    int rc = template_render(str_of(text), data, find, NULL, out, err);
    jval_free(&data);
    return rc;
}

static const char *const good[][2] = {
    {"", ""},
    {"plain { } {x} }} text", "plain { } {x} }} text"},
    {"Hi {{name}}!", "Hi Ada!"},
    {"{{ name }}{{\tname\t}}", "AdaAda"},
    {"{{n}} {{r}} {{yes}} {{no}}", "42 2.5 true false"},
    {"[{{missing}}{{nothing}}{{empty}}{{list}}{{user}}]", "[]"},
    /* ADM-17, CB-33: there is no way around this */
    {"{{html}}", "&lt;b&gt;&quot;&amp;&#39;&lt;/b&gt;"},
    {"<a title=\"{{html}}\">", "<a title=\"&lt;b&gt;&quot;&amp;&#39;&lt;/b&gt;\">"},
    {"{{tag}}", "{{name}}"}, /* data is not template */
    {"{{user.name}} {{user.id.n}} {{user.id.x.y}}", "Eve 7 "},
    {"{{name.x}}", ""},
    {"{{! any {thing} \" here }}x", "x"},
    {"{{!}}x", "x"},
    {"{{#yes}}a{{/yes}}{{^yes}}b{{/yes}}", "a"},
    {"{{#no}}a{{/no}}{{^no}}b{{/no}}", "b"},
    {"{{#missing}}a{{/missing}}{{^missing}}b{{/missing}}", "b"},
    {"{{#zero}}a{{/zero}}{{#empty}}a{{/empty}}{{#none}}a{{/none}}{{#nothing}}a{{/nothing}}", ""},
    {"{{^zero}}a{{/zero}}{{^empty}}b{{/empty}}{{^none}}c{{/none}}{{^nothing}}d{{/nothing}}",
     "abcd"},
    {"{{#n}}a{{/n}}{{#r}}b{{/r}}{{#name}}{{name}}{{/name}}{{#blank}}c{{/blank}}", "abAdac"},
    {"{{#list}}<{{.}}>{{/list}}", "<a><b><c>"},
    {"{{^list}}x{{/list}}", ""},
    {"{{#rows}}{{k}}:{{name}};{{/rows}}", "1:x;2:Ada;:Ada;:Ada;"},
    {"{{#user}}{{name}}{{n}}{{id.n}}{{/user}}{{name}}", "Eve427Ada"},
    {"{{#user.id}}{{n}}{{/user.id}}", "7"},
    {"{{#grid}}({{#.}}{{.}}{{/.}}){{/grid}}", "(ab)(c)"},
    {"{{#list}}{{#rows}}{{k}}{{/rows}}{{.}}{{/list}}", "12a12b12c"},
    {"{{#no}}{{#list}}{{name}}{{/list}}{{>none such}}{{/no}}", NULL},
    {"{{#no}}{{#list}}{{name}}{{>foot.html}}{{/list}}{{/no}}x", "x"},
    {"{{#no}}{{#no}}a{{/no}}b{{/no}}c", "c"},
    {"{{>foot.html}} {{> foot.html }} {{#user}}{{>foot.html}}{{/user}}",
     "<i>Ada</i> <i>Ada</i> <i>Eve</i>"},
    {"{{#list}}{{>empty}}{{/list}}", ""},
    {"{{#no}}{{>self}}{{/no}}x", "x"},
    {"{{.}}", ""},
    {"{ {name} }{{name}}}", "{ {name} }Ada}"},
};

START_TEST(test_good)
{
    struct buf out;
    struct err e = ERR_INIT;
    int rc = render(good[_i][0], 1000, &out, &e);
    if (good[_i][1]) {
        ck_assert_msg(rc == 0, "%s: %s", good[_i][0], e.text);
        ck_assert_str_eq(out.p, good[_i][1]);
    } else {
        ck_assert_int_eq(rc, -1);
    }
    buf_deinit(&out);
}
END_TEST

static const char *const bad[] = {
    "{{",
    "{{name",
    "{{name}",
    "{{}}",
    "{{ }}",
    "{{{name}}}",
    "{{&name}}",
    "{{=<% %>=}}",
    "{{#}}x{{/}}",
    "{{#yes}}",
    "{{^no}}x",
    "{{#yes}}{{#yes}}{{/yes}}",
    "{{/yes}}",
    "{{#yes}}{{/no}}",
    "{{#yes}}{{#list}}{{/yes}}{{/list}}",
    "{{#no}}{{#list}}{{/no}}{{/list}}",
    "{{#no}}{{/list}}{{/no}}",
    "{{#no}}{{{name}}}{{/no}}",
    "{{#none}}{{na me}}{{/none}}",
    "{{na me}}",
    "{{na\"me}}",
    "{{a/b}}",
    "{{na<b>me}}",
    "{{>}}",
    "{{>missing}}",
    "{{>self}}",
    "{{>mutual/a}}",
    "{{>open}}",
    "{{>close}}",
    "{{#yes}}{{>close}}",
    "{{n\xc3\xa9}}",
    "{{#}}",
    "{{!",
    "{{name}}{{",
    "{{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}",
};

START_TEST(test_bad)
{
    struct buf out;
    struct err e = ERR_INIT;
    ck_assert_msg(render(bad[_i], 1000, &out, &e) == -1, "'%s' was rendered", bad[_i]);
    ck_assert_int_eq(e.kind, ERR_INTERNAL);
    buf_deinit(&out);
}
END_TEST

START_TEST(test_error_says_where)
{
    struct buf out;
    struct err e = ERR_INIT;
    ck_assert_int_eq(render("a\nb\n{{#yes}}\n{{&x}}", 1000, &out, &e), -1);
    ck_assert_str_eq(e.text, "template: a bad tag in line 4");
    buf_deinit(&out);
    err_clear(&e);
    ck_assert_int_eq(render("\n{{>open}}", 1000, &out, &e), -1);
    ck_assert_str_eq(e.text, "open: template: a section without end in line 1");
    buf_deinit(&out);
}
END_TEST

START_TEST(test_limit)
{
    struct buf out;
    struct err e = ERR_INIT;
    ck_assert_int_eq(render("{{#list}}12345{{/list}}", 15, &out, &e), 0);
    buf_deinit(&out);
    ck_assert_int_eq(render("{{#list}}12345{{/list}}", 14, &out, &e), -1);
    ck_assert_int_eq(e.kind, ERR_LIMITED);
    buf_deinit(&out);
    err_clear(&e);
    ck_assert_int_eq(render("0123456789", 9, &out, &e), -1);
    ck_assert_int_eq(e.kind, ERR_LIMITED);
    buf_deinit(&out);
}
END_TEST

START_TEST(test_nesting)
{
    struct buf out;
    char text[2000];
    for (int depth = 1; depth < 60; depth++) {
        text[0] = '\0';
        for (int i = 0; i < depth; i++)
            strcat(text, "{{#yes}}");
        strcat(text, "x");
        for (int i = 0; i < depth; i++)
            strcat(text, "{{/yes}}");
        struct err e = ERR_INIT;
        int rc = render(text, 1000, &out, &e);
        if (depth <= 20)
            ck_assert_str_eq(out.p, "x");
        ck_assert_int_eq(rc, depth < 24 ? 0 : -1);
        buf_deinit(&out);
    }
}
END_TEST

/* Three items in each of 20 levels are 3^20 turns, and not a byte of output. */
START_TEST(test_work)
{
    struct buf out;
    struct err e = ERR_INIT;
    char text[1000] = "";
    for (int i = 0; i < 20; i++)
        strcat(text, "{{#list}}");
    for (int i = 0; i < 20; i++)
        strcat(text, "{{/list}}");
    ck_assert_int_eq(render(text, 1000, &out, &e), -1);
    ck_assert_int_eq(e.kind, ERR_LIMITED);
    buf_deinit(&out);
}
END_TEST

START_TEST(test_without_data_or_finder)
{
    struct buf out;
    struct err e = ERR_INIT;
    buf_init(&out, 100);
    ck_assert_int_eq(template_render(STR("a{{b}}{{.}}{{#c}}d{{/c}}"), NULL, NULL, NULL, &out, &e),
                     0);
    ck_assert_str_eq(out.p, "a");
    ck_assert_int_eq(template_render((struct str){NULL, 0}, NULL, NULL, NULL, &out, &e), 0);
    ck_assert_int_eq(template_render(STR("{{>x}}"), NULL, NULL, NULL, &out, &e), -1);
    ck_assert_int_eq(template_render(STR("{{\0}}"), NULL, NULL, NULL, &out, NULL), -1);
    buf_deinit(&out);
}
END_TEST

START_TEST(test_escape_every_byte)
{
    for (int c = 0; c < 256; c++) {
        struct buf b;
        char byte = (char)c;
        buf_init(&b, 10);
        template_escape(&b, (struct str){&byte, 1});
        ck_assert_int_eq(b.n == 1 && b.p[0] == byte, !(c && strchr("&<>\"'", c)));
        ck_assert_ptr_null(strpbrk(b.p, "<>\"'"));
        buf_deinit(&b);
    }
    struct buf b;
    buf_init(&b, 10);
    template_escape(&b, (struct str){NULL, 0});
    ck_assert_str_eq(b.p, "");
    buf_deinit(&b);
}
END_TEST

Suite *suite_template(void)
{
    Suite *s = suite_create("template");
    TCase *t = tcase_create("template");
    tcase_add_loop_test(t, test_good, 0, (int)(sizeof(good) / sizeof(good[0])));
    tcase_add_loop_test(t, test_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_test(t, test_error_says_where);
    tcase_add_test(t, test_limit);
    tcase_add_test(t, test_nesting);
    tcase_add_test(t, test_work);
    tcase_add_test(t, test_without_data_or_finder);
    tcase_add_test(t, test_escape_every_byte);
    suite_add_tcase(s, t);
    return s;
}
