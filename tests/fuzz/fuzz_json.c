/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON: what is taken keeps to the limits, holds no NUL and no bad UTF-8, is found again by its
 * pointers, and renders to text that means the same. What is refused is not quoted in the error.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok)
        abort();
}

struct walk {
    const struct jval *root;
    unsigned values;
    int pointers; /* to look up; quadratic, so not all of them */
};

static void scalar(const struct jval *v)
{
    int64_t n;
    double d;
    bool b;
    const char *text = jval_text(v);
    must((text != NULL) == (jval_type(v) == JVAL_TEXT));
    must(!text || text_utf8(str_of(text)));
    must(jval_bool(v, &b) == (jval_type(v) == JVAL_BOOL));
    must(jval_number(v, &d) == (jval_type(v) == JVAL_NUMBER));
    must(!jval_int(v, &n) || jval_type(v) == JVAL_NUMBER);
    must(jval_count(v) == 0 && !jval_get(v, "a") && !jval_item(v, 0));
}

static void look_up(struct walk *w, struct buf *pointer, const struct jval *v)
{
    if (buf_ok(pointer) && w->pointers-- > 0)
        must(jval_at(w->root, pointer->p) == v);
}

static void pointer_add(struct buf *pointer, const char *token)
{
    buf_byte(pointer, '/');
    for (; *token; token++) {
        if (*token == '~' || *token == '/')
            buf_text(pointer, *token == '~' ? "~0" : "~1");
        else
            buf_byte(pointer, *token);
    }
}

static void pointer_cut(struct buf *pointer, size_t n)
{
    if (buf_ok(pointer)) {
        pointer->n = n;
        pointer->p[n] = '\0';
    }
}

static void value(struct walk *w, const struct jval *v, unsigned depth, struct buf *pointer)
{
    size_t here = pointer->n, count = 0;
    must(v && depth <= JSON_DEPTH_MAX && ++w->values <= JSON_VALUES_MAX);
    look_up(w, pointer, v);
    if (jval_type(v) == JVAL_OBJECT) {
        void *iter = NULL;
        const char *key;
        const struct jval *member;
        must(depth < JSON_DEPTH_MAX);
        while (jval_next(v, &iter, &key, &member)) {
            must(text_utf8(str_of(key)) && jval_get(v, key) == member);
            pointer_add(pointer, key);
            value(w, member, depth + 1, pointer);
            pointer_cut(pointer, here);
            count++;
        }
        must(jval_count(v) == count);
    } else if (jval_type(v) == JVAL_ARRAY) {
        must(depth < JSON_DEPTH_MAX);
        for (; count < jval_count(v); count++) {
            buf_printf(pointer, "/%zu", count);
            value(w, jval_item(v, count), depth + 1, pointer);
            pointer_cut(pointer, here);
        }
        must(!jval_item(v, count));
    } else {
        scalar(v);
    }
}

static void render_and_parse(const struct jval *v)
{
    struct buf first, second;
    buf_init(&first, 8 * JSON_SIZE_MAX);
    buf_init(&second, 8 * JSON_SIZE_MAX);
    jval_render(v, &first);
    must(buf_ok(&first) && text_utf8(buf_view(&first)));
    struct jval *again = jval_parse(buf_view(&first), 8 * JSON_SIZE_MAX, JSON_DEPTH_MAX, NULL);
    must(again != NULL);
    jval_render(again, &second);
    must(str_eq(buf_view(&first), buf_view(&second)));
    jval_free(&again);
    buf_deinit(&first);
    buf_deinit(&second);
}

/* The input as a text of ours, and as a pointer into itself. */
static void other_uses(struct arena *a, struct str text, const struct jval *parsed)
{
    const char *plain = arena_str(a, text), *key = NULL;
    const struct jval *member = NULL;
    struct jval *made = jval_new_object();
    void *iter = NULL;
    jval_set_text(made, plain, plain);
    must(jval_next(made, &iter, &key, &member) && strcmp(key, jval_text(member)) == 0);
    must(text_utf8(str_of(key)) && (strcmp(key, plain) == 0) == text_utf8(str_of(plain)));
    render_and_parse(made);
    jval_free(&made);
    (void)jval_at(parsed, plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct err err = ERR_INIT;
    struct arena *a = arena_new();
    struct jval *v = jval_parse(text, JSON_SIZE_MAX, JSON_DEPTH_MAX, &err);
    must((v == NULL) == (err.kind == ERR_INVALID));
    if (v) {
        struct walk w = {.root = v, .pointers = 100};
        struct buf pointer;
        must(size <= JSON_SIZE_MAX && text_utf8(text));
        buf_init(&pointer, 4096);
        value(&w, v, 0, &pointer);
        buf_deinit(&pointer);
        render_and_parse(v);
    } else {
        must(strncmp(err.text, "json: ", 6) == 0 && strlen(err.text) < 50);
    }
    other_uses(a, text, v);
    jval_free(&v);
    arena_free(&a);
    return 0;
}
