/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms: what is taken holds well-formed triplets only, decodes to UTF-8 without NUL, and comes
 * back the same when written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS_MAX 50
#define ROOM (1u << 20)

static void must(int ok)
{
    if (!ok)
        abort();
}

static void triplets_well_formed(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '%')
            must(text.n - i > 2 && text_hex_digit(text.p[i + 1]) >= 0 &&
                 text_hex_digit(text.p[i + 2]) >= 0 && memcmp(text.p + i, "%00", 3) != 0);
}

static void look_up(const struct fields *f, const struct field *wanted)
{
    const char *value = NULL;
    size_t same = 0;
    for (size_t i = 0; i < f->n; i++)
        same += strcmp(f->v[i].name, wanted->name) == 0;
    int rc = form_get(f, wanted->name, &value);
    must(rc == (same == 1 ? 1 : -1));
    must(rc < 0 || value == wanted->value);
}

static void write_and_read(struct arena *a, const struct fields *f)
{
    struct buf b;
    struct fields again;
    buf_init(&b, ROOM);
    for (size_t i = 0; i < f->n; i++)
        form_add(&b, f->v[i].name, f->v[i].value);
    must(buf_ok(&b));
    for (size_t i = 0; i < b.n; i++)
        must(b.p[i] > 0x20 && b.p[i] < 0x7f && b.p[i] != '+');
    must(form_parse(a, buf_view(&b), FIELDS_MAX, &again, NULL) == 0 && again.n == f->n);
    for (size_t i = 0; i < f->n; i++)
        must(strcmp(again.v[i].name, f->v[i].name) == 0 &&
             strcmp(again.v[i].value, f->v[i].value) == 0);
    buf_deinit(&b);
}

static void unescape(struct arena *a, struct str text)
{
    const char *plain, *again = "";
    size_t n, m = 0;
    struct buf b;
    if (form_unescape(a, text, &plain, &n))
        return;
    triplets_well_formed(text);
    must(strlen(plain) == n && n <= text.n);
    buf_init(&b, ROOM);
    form_escape(&b, (struct str){plain, n});
    must(buf_ok(&b) && form_unescape(a, buf_view(&b), &again, &m) == 0);
    must(m == n && memcmp(plain, again, n) == 0);
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct arena *a = arena_new();
    struct err err = ERR_INIT;
    struct fields f;
    if (size > ROOM / 4)
        goto out;
    unescape(a, text);
    if (form_parse(a, text, FIELDS_MAX, &f, &err)) {
        must(err.kind == ERR_INVALID && f.n == 0);
        goto out;
    }
    triplets_well_formed(text);
    must(f.n <= FIELDS_MAX);
    for (size_t i = 0; i < f.n; i++) {
        const struct field *v = &f.v[i];
        must(strlen(v->name) == v->name_len && strlen(v->value) == v->value_len);
        must(text_utf8(str_of(v->name)) && text_utf8(str_of(v->value)));
        look_up(&f, v);
    }
    write_and_read(a, &f);
out:
    arena_free(&a);
    return 0;
}
