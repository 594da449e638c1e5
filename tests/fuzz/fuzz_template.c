/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates. The input is a template and, behind a line of "---", maybe JSON data. Quotes and angle
 * brackets are taken out of the template first: any that are in the page then came out of the data
 * unescaped.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char stock[] = "{\"a\":\"<script>\",\"b\":{\"c\":\"\\\"'&\",\"a\":\"<\"},\"l\":[\"<\","
                            "{\"a\":\">\"},[1,\"'\"]],"
                            "\"t\":true,\"f\":false,\"n\":-1.5,\"z\":null,\"<\":1}";

static void must(int ok)
{
    if (!ok)
        abort();
}

struct files {
    struct str whole;
};

/* "whole" includes the template itself, anything else that begins with p a part of it. */
static struct str find(void *ctx, const char *name)
{
    const struct files *f = ctx;
    if (strcmp(name, "whole") == 0)
        return f->whole;
    if (name[0] == 'p')
        return (struct str){f->whole.p, f->whole.n / 2};
    return (struct str){NULL, 0};
}

static struct str cleaned(struct arena *a, struct str text)
{
    char *copy = arena_str(a, text);
    for (size_t i = 0; i < text.n; i++)
        if (memchr("<\"'", copy[i], 3) || (copy[i] == '>' && (i < 2 || copy[i - 1] != '{')))
            copy[i] = ' ';
    return (struct str){copy, text.n};
}

/* Lists in lists multiply; the limit on that has a unit test and only makes fuzzing slow. */
static bool too_slow(struct str text)
{
    size_t sections = 0;
    for (size_t i = 0; i < text.n; i++)
        sections += text.p[i] == '#';
    return sections > 8;
}

static void escape(struct str text)
{
    struct buf b;
    size_t plus = 0;
    buf_init(&b, text.n * 6 + 1);
    template_escape(&b, text);
    must(buf_ok(&b));
    for (size_t i = 0; i < b.n; i++)
        plus += b.p[i] == '&';
    for (size_t i = 0; i < text.n; i++)
        plus -= memchr("&<>\"'", text.p[i], 5) != NULL;
    must(plus == 0 && !memchr(b.p, '<', b.n) && !memchr(b.p, '"', b.n));
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct err err = ERR_INIT;
    struct str text = {(const char *)data, size}, json = STR(stock);
    const char *line = size ? memmem(data, size, "\n---\n", 5) : NULL;
    if (line) {
        text.n = (size_t)(line - text.p);
        json = (struct str){line + 5, size - text.n - 5};
    }
    if (too_slow(text))
        goto out;
    struct jval *v = jval_parse(json, JSON_SIZE_MAX, JSON_DEPTH_MAX, NULL);
    struct files files = {cleaned(a, text)};
    struct buf out;
    buf_init(&out, 100000);
    if (template_render(files.whole, v, find, &files, &out, &err) == 0) {
        must(buf_ok(&out));
        for (size_t i = 0; i < out.n; i++)
            must(!memchr("<\"'", out.p[i], 3));
    } else {
        must(err.kind == ERR_INTERNAL || err.kind == ERR_LIMITED);
    }
    escape(text);
    buf_deinit(&out);
    jval_free(&v);
out:
    arena_free(&a);
    return 0;
}
