/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_plain.h"

#include <jansson.h>

#define KEY_MAX 128
#define DIGITS_MAX 18 /* fit into 63 bits, whatever they are */

struct reader {
    const char *p, *end;
    struct json_limits left;
};

/* As deep as the caller's limit allows, no further. */
static json_t *read_value(struct reader *r);

static void skip_blanks(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
        r->p++;
}

/* Behind blanks. true: it was there, and is behind us. */
static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

/* Eight bytes of a string that goes on: ASCII, no control byte, neither quote nor backslash. What
 * borrows from its neighbour is none of these, and its own highest bit says so. */
static bool goes_on8(const char *p)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t v;
    memcpy(&v, p, sizeof v);
    const uint64_t quote = v ^ ones * '"', backslash = v ^ ones * '\\';
    return ((v | (v - ones * 0x20) | (quote - ones) | (backslash - ones)) & ones << 7) == 0;
}

/* What is between two quotes, if it stands for itself and is UTF-8. */
static bool take_quoted(struct reader *r, struct str *out)
{
    unsigned char all = 0;
    if (!take(r, '"'))
        return false;
    const char *from = r->p;
    while (r->end - r->p >= 8 && goes_on8(r->p))
        r->p += 8;
    for (; r->p < r->end && *r->p != '"'; r->p++) {
        const unsigned char c = (unsigned char)*r->p;
        if (c < 0x20 || c == '\\')
            return false;
        all |= c;
    }
    *out = (struct str){from, (size_t)(r->p - from)};
    return take(r, '"') && (all < 0x80 || text_utf8(*out));
}

static json_t *read_text(struct reader *r)
{
    struct str text;
    return take_quoted(r, &text) ? json_stringn_nocheck(text.p, text.n) : NULL;
}

/* A number that goes on behind its digits is found out by whoever looks for a comma there. */
static json_t *read_whole(struct reader *r)
{
    const bool minus = take(r, '-');
    const char *from = r->p;
    json_int_t n = 0;
    for (; r->p < r->end && *r->p >= '0' && *r->p <= '9' && r->p - from < DIGITS_MAX; r->p++)
        n = n * 10 + (*r->p - '0');
    if (r->p == from || (r->p - from > 1 && *from == '0'))
        return NULL;
    return json_integer(minus ? -n : n);
}

static json_t *read_word(struct reader *r)
{
    const struct str rest = {r->p, (size_t)(r->end - r->p)};
    if (str_starts(rest, "true")) {
        r->p += 4;
        return json_true();
    }
    if (str_starts(rest, "null")) {
        r->p += 4;
        return json_null();
    }
    if (str_starts(rest, "false")) {
        r->p += 5;
        return json_false();
    }
    return NULL;
}

static bool count_value(struct reader *r)
{
    return r->left.values > 0 && r->left.values-- > 0;
}

static bool read_member(struct reader *r, json_t *object)
{
    char name[KEY_MAX + 1];
    struct str key;
    if (!take_quoted(r, &key) || key.n > KEY_MAX || !take(r, ':'))
        return false;
    memcpy(name, key.p, key.n);
    name[key.n] = '\0';
    json_t *value = read_value(r);
    const size_t n = json_object_size(object);
    /* A key that was there already does not make it larger. */
    return value && json_object_set_new_nocheck(object, name, value) == 0 &&
           json_object_size(object) > n;
}

static bool read_item(struct reader *r, json_t *array)
{
    json_t *value = read_value(r);
    return value && json_array_append_new(array, value) == 0;
}

/* Behind the bracket that opens `container`, up to its end. Takes it, too: NULL when it fails. */
static json_t *read_inside(struct reader *r, json_t *container, char close,
                           bool (*read_one)(struct reader *r, json_t *container))
{
    bool good = container && r->left.depth > 0 && count_value(r);
    if (good && !take(r, close)) {
        r->left.depth--;
        do
            good = read_one(r, container);
        while (good && take(r, ',') && (good = count_value(r)));
        good = good && take(r, close);
        r->left.depth++;
    }
    if (!good)
        json_decref(container);
    return good ? container : NULL;
}

static json_t *read_value(struct reader *r)
{
    skip_blanks(r);
    if (r->p == r->end)
        return NULL;
    switch (*r->p) {
    case '{':
        r->p++;
        return read_inside(r, json_object(), '}', read_member);
    case '[':
        r->p++;
        return read_inside(r, json_array(), ']', read_item);
    case '"':
        return read_text(r);
    case 't':
    case 'f':
    case 'n':
        return read_word(r);
    default:
        return read_whole(r);
    }
}

struct jval *json_plain(struct str text, struct json_limits limits)
{
    struct reader r = {text.p, text.p + text.n, limits};
    if (text.n == 0 || !count_value(&r))
        return NULL;
    json_t *v = read_value(&r);
    skip_blanks(&r);
    if (v && r.p != r.end) {
        json_decref(v);
        return NULL;
    }
    return (struct jval *)v;
}
