/* SPDX-License-Identifier: Apache-2.0 */
#include "session/record.h"

#include <check.h>
#include <stdlib.h>

#include "base/form.h"

Suite *suite_record(void);

static struct session_row a_row(void)
{
    return (struct session_row){
        .hash = "0123456789abcdef0123456789abcde",
        .id = "public-id",
        .account = "AbCdEfGhIjKlMnOpQrStUv",
        .provider = "google",
        .subject = "110169484474386276334",
        .username = "alice",
        .name = "Alice Example",
        .email = "alice@example.com",
        .picture = "https://pictures.example/a.png",
        .groups = "[\"google:staff\",\"google:ops\"]",
        .amr = "pwd mfa",
        .email_evidence = 2,
        .created = 1,
        .seen = 2,
        .ends = 3,
    };
}

static struct record *make(const struct session_row *row)
{
    struct err err = ERR_INIT;
    struct record *r = record_new(row, &err);
    ck_assert_msg(r != NULL, "%s", err.text);
    return r;
}

START_TEST(keeps_every_string)
{
    struct session_row row = a_row();
    struct record *r = make(&row);
    ck_assert_mem_eq(r->hash, row.hash, 32);
    ck_assert_str_eq(record_string(r, RECORD_ID), row.id);
    ck_assert_str_eq(record_string(r, RECORD_ACCOUNT), row.account);
    ck_assert_str_eq(record_string(r, RECORD_HEADER_USER), row.account);
    ck_assert_str_eq(record_string(r, RECORD_SUBJECT), row.subject);
    ck_assert_str_eq(record_string(r, RECORD_USERNAME), row.username);
    ck_assert_str_eq(record_string(r, RECORD_NAME), row.name);
    ck_assert_str_eq(record_string(r, RECORD_EMAIL), row.email);
    ck_assert_str_eq(record_string(r, RECORD_PICTURE), row.picture);
    ck_assert_str_eq(record_string(r, RECORD_GROUPS), row.groups);
    ck_assert_str_eq(record_string(r, RECORD_AMR), row.amr);
    ck_assert_str_eq(record_string(r, RECORD_HEADER_GROUPS), "google:staff,google:ops");
    /* The same text is kept once. */
    ck_assert_ptr_eq(record_string(r, RECORD_NAME), record_string(r, RECORD_HEADER_NAME));
    ck_assert_uint_ge(record_bytes(r), sizeof *r);
    free(r);
}
END_TEST

START_TEST(unknown_is_empty)
{
    struct session_row row = {.account = "a", .provider = "p"};
    struct record *r = make(&row);
    for (int i = 0; i < RECORD_STRINGS; i++)
        if (i != RECORD_ACCOUNT && i != RECORD_HEADER_USER)
            ck_assert_str_eq(record_string(r, (enum record_string)i), "");
    free(r);
}
END_TEST

/* ACCT-21, FWD-12: whatever a name holds, the header value is clean and decodes to the name. */
START_TEST(header_values_are_always_valid)
{
    static const struct {
        const char *name, *header;
    } cases[] = {
        {"Alice Example", "Alice Example"},
        {"Zo\xc3\xab 100%", "Zo%C3%AB 100%25"},
        {"a\r\nX-Usher-User: admin", "a%0D%0AX-Usher-User: admin"},
        {"\x1b[31m\x7f", "%1B[31m%7F"},
        {" blanks ", "%20blanks%20"},
        {" ", "%20"},
        {"a, b", "a, b"},
        {"%41", "%2541"},
        {"\xf0\x9f\x8e\xab", "%F0%9F%8E%AB"},
        {"\xe2\x80\xae"
         "evil",
         "%E2%80%AEevil"},
        {"tab\there", "tab%09here"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session_row row = a_row();
        row.name = cases[i].name;
        row.email = cases[i].name;
        struct record *r = make(&row);
        ck_assert_str_eq(record_string(r, RECORD_NAME), cases[i].name);
        ck_assert_str_eq(record_string(r, RECORD_HEADER_NAME), cases[i].header);
        ck_assert_str_eq(record_string(r, RECORD_HEADER_EMAIL), cases[i].header);

        struct arena *a = arena_new();
        const char *back = NULL;
        size_t n = 0;
        ck_assert_int_eq(form_unescape(a, str_of(cases[i].header), &back, &n), 0);
        ck_assert_str_eq(back, cases[i].name);
        arena_free(&a);
        free(r);
    }
}
END_TEST

/* ACCT-25 */
START_TEST(groups_cannot_forge_a_separator)
{
    static const struct {
        const char *json, *header;
    } cases[] = {
        {NULL, ""},
        {"[]", ""},
        {"[\"a\"]", "a"},
        {"[\"a,admin\",\"b\"]", "a%2Cadmin,b"},
        {"[\"\\u00e9quipe\",\" x\"]", "%C3%A9quipe,%20x"},
        {"[\"%2C\"]", "%252C"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session_row row = a_row();
        row.groups = cases[i].json;
        struct record *r = make(&row);
        ck_assert_str_eq(record_string(r, RECORD_HEADER_GROUPS), cases[i].header);
        free(r);
    }
    static const char *const wrong[] = {"{}",    "[1]", "[[\"a\"]]", "[null]",
                                        "\"a\"", "[",   "[\"a\",]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct session_row row = a_row();
        struct err err = ERR_INIT;
        row.groups = wrong[i];
        ck_assert_ptr_null(record_new(&row, &err));
        ck_assert_int_ne(err.kind, ERR_NONE);
    }
}
END_TEST

START_TEST(too_large_is_an_error)
{
    static char name[RECORD_MAX + 1];
    struct session_row row = a_row();
    struct err err = ERR_INIT;
    memset(name, 'x', RECORD_MAX);
    row.name = name;
    ck_assert_ptr_null(record_new(&row, &err));
    ck_assert_int_eq(err.kind, ERR_LIMITED);

    /* Every byte triples: it is the header form that does not fit. */
    memset(name, '%', 8000);
    name[8000] = '\0';
    err_clear(&err);
    ck_assert_ptr_null(record_new(&row, &err));
    ck_assert_int_eq(err.kind, ERR_LIMITED);

    row = a_row();
    row.account = "";
    err_clear(&err);
    ck_assert_ptr_null(record_new(&row, &err));
    ck_assert_int_eq(err.kind, ERR_INTERNAL);
}
END_TEST

Suite *suite_record(void)
{
    Suite *s = suite_create("record");
    TCase *tc = tcase_create("record");
    tcase_add_test(tc, keeps_every_string);
    tcase_add_test(tc, unknown_is_empty);
    tcase_add_test(tc, header_values_are_always_valid);
    tcase_add_test(tc, groups_cannot_forge_a_separator);
    tcase_add_test(tc, too_large_is_an_error);
    suite_add_tcase(s, tc);
    return s;
}
