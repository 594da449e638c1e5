/* SPDX-License-Identifier: Apache-2.0 */
#include "base/form.h"

/* The byte of a well-formed triplet at s, which is not NUL; -1 otherwise. */
static int form_triplet(struct str s)
{
    if (s.n < 3)
        return -1;
    int high = text_hex_digit(s.p[1]), low = text_hex_digit(s.p[2]);
    int byte = high < 0 || low < 0 ? -1 : high << 4 | low;
    return byte > 0 ? byte : -1;
}

/* Decode s to `out`, which has room for s.n + 1. `blank` is what '+' stands for. */
static int form_decode(struct str s, char blank, char *out, size_t *length)
{
    char *to = out;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c > '+') { /* most of them, and none of those below */
            *to++ = c;
            continue;
        }
        if (c == '%') {
            int byte = form_triplet((struct str){s.p + i, s.n - i});
            if (byte < 0)
                return -1;
            c = (char)byte;
            i += 2;
        } else if (c == '+') {
            c = blank;
        } else if (c == '\0') {
            return -1;
        }
        *to++ = c;
    }
    *to = '\0';
    *length = (size_t)(to - out);
    return 0;
}

/* The next piece between '&'s that is not empty. */
static bool form_piece(struct str *rest, struct str *piece)
{
    while (rest->n) {
        const char *end = memchr(rest->p, '&', rest->n);
        size_t n = end ? (size_t)(end - rest->p) : rest->n;
        *piece = (struct str){rest->p, n};
        rest->p += end ? n + 1 : n;
        rest->n -= end ? n + 1 : n;
        if (n)
            return true;
    }
    return false;
}

/* Decode one piece to `room`, which has piece.n + 2 bytes. */
static int form_field(struct str piece, char *room, struct field *f, struct err *err)
{
    const char *equals = memchr(piece.p, '=', piece.n);
    struct str name = {piece.p, equals ? (size_t)(equals - piece.p) : piece.n};
    struct str value = {"", 0};
    if (equals)
        value = (struct str){equals + 1, piece.n - name.n - 1};
    char *second = room + name.n + 1;
    if (form_decode(name, ' ', room, &f->name_len) ||
        form_decode(value, ' ', second, &f->value_len))
        return err_set(err, ERR_INVALID, "form: malformed percent escape or NUL");
    f->name = room;
    f->value = second;
    if (!text_utf8((struct str){f->name, f->name_len}) ||
        !text_utf8((struct str){f->value, f->value_len}))
        return err_set(err, ERR_INVALID, "form: not UTF-8");
    return 0;
}

int form_parse(struct arena *a, struct str text, size_t max, struct fields *out, struct err *err)
{
    struct str rest = text, piece;
    size_t n = 0;
    *out = (struct fields){NULL, 0};
    while (form_piece(&rest, &piece))
        if (++n > max)
            return err_set(err, ERR_INVALID, "form: more than %zu fields", max);
    if (n == 0)
        return 0;
    struct field *v = arena_alloc(a, n * sizeof(*v));
    char *room = arena_alloc(a, text.n + 2 * n);
    rest = text;
    for (size_t i = 0; form_piece(&rest, &piece); i++) {
        if (form_field(piece, room, &v[i], err))
            return -1;
        room += piece.n + 2;
    }
    *out = (struct fields){v, n};
    return 0;
}

int form_get(const struct fields *f, const char *name, const char **value)
{
    size_t n = strlen(name);
    const struct field *found = NULL;
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].name_len != n || memcmp(f->v[i].name, name, n) != 0)
            continue;
        if (found)
            return -1;
        found = &f->v[i];
    }
    if (!found)
        return 0;
    *value = found->value;
    return 1;
}

void form_add(struct buf *b, const char *name, const char *value)
{
    struct str before = buf_view(b);
    if (before.n && before.p[before.n - 1] != '?' && before.p[before.n - 1] != '&')
        buf_byte(b, '&');
    form_escape(b, str_of(name));
    buf_byte(b, '=');
    form_escape(b, str_of(value));
}

static bool form_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void form_escape(struct buf *b, struct str s)
{
    size_t done = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (form_unreserved(s.p[i]))
            continue;
        unsigned char c = (unsigned char)s.p[i];
        char triplet[3] = {'%', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
        buf_add(b, s.p + done, i - done);
        buf_add(b, triplet, sizeof(triplet));
        done = i + 1;
    }
    if (done < s.n)
        buf_add(b, s.p + done, s.n - done);
}

int form_unescape(struct arena *a, struct str s, const char **out, size_t *n)
{
    char *room = arena_alloc(a, s.n + 1);
    if (form_decode(s, '+', room, n))
        return -1;
    *out = room;
    return 0;
}
