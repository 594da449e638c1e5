/* SPDX-License-Identifier: Apache-2.0 */
#include "app/path.h"

#include <string.h>

/* The bytes of a percent triplet at `i`, or -1. */
static int triplet(struct str s, size_t i)
{
    if (s.n - i < 3 || s.p[i] != '%')
        return -1;
    const int high = text_hex_digit(s.p[i + 1]), low = text_hex_digit(s.p[i + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool odd(int byte)
{
    return byte < 0x20 || byte == 0x7f || byte == '\\' || byte == ';';
}

/* Whoever decodes this once more gets something else. */
static bool encoded_twice(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (triplet(text, i) >= 0)
            return true;
    return false;
}

/* No empty and no dot segments. `text` begins with '/' and has lost the slash at its end. */
static bool segments_plain(struct str text)
{
    while (text.n > 0) {
        const char *end = memchr(text.p + 1, '/', text.n - 1);
        const size_t n = end ? (size_t)(end - text.p) : text.n;
        const struct str seg = {text.p + 1, n - 1};
        if (seg.n == 0 || str_is(seg, ".") || str_is(seg, ".."))
            return false;
        text = (struct str){text.p + n, text.n - n};
    }
    return true;
}

bool path_read(struct str raw, struct path *out)
{
    int seen = 0; /* bits of all bytes; most paths are plain and need no second look */
    bool percent = false;
    out->n = 0;
    if (raw.n == 0 || raw.p[0] != '/' || raw.n > PATH_MAX_LEN)
        return false;
    for (size_t i = 0; i < raw.n; i++) {
        int byte = (unsigned char)raw.p[i];
        if (byte == '%') {
            byte = triplet(raw, i);
            if (byte == '/')
                return false;
            percent = percent || byte == '%';
            i += 2;
        } else if (byte == '?' || byte == '#') {
            return false;
        }
        if (odd(byte))
            return false;
        seen |= byte;
        out->text[out->n++] = (char)byte;
    }
    if (out->text[out->n - 1] == '/')
        out->n--;
    out->text[out->n] = 0;
    const struct str text = {out->text, out->n};
    return (seen < 0x80 || text_utf8(text)) && !(percent && encoded_twice(text)) &&
           segments_plain(text);
}

int path_pattern_read(const char *text, struct path_pattern *out, struct err *err)
{
    const struct str s = str_of(text);
    *out = (struct path_pattern){.text = text, .n = s.n};
    if (s.n == 0 || s.p[0] != '/')
        return err_set(err, ERR_INVALID, "a path begins with \"/\"");
    if (s.n > 1024)
        return err_set(err, ERR_INVALID, "a path of a rule has at most 1024 bytes");
    if (strcspn(text, "%?#;\\") != s.n)
        return err_set(err, ERR_INVALID,
                       "a path is written as people read it, without \"%%\", \"?\", \"#\", \";\" "
                       "and \"\\\": what stands behind \"?\" is not judged");
    out->prefix = str_ends(s, "/*");
    out->n -= out->prefix ? 2 : s.p[s.n - 1] == '/';
    if (memchr(text, '*', out->n))
        return err_set(err, ERR_INVALID, "a star is only for \"/*\" at the end of a path");
    for (size_t i = 0; i < s.n; i++)
        if (odd((unsigned char)s.p[i]))
            return err_set(err, ERR_INVALID, "a control byte");
    if (!text_utf8(s) || !segments_plain((struct str){text, out->n}))
        return err_set(err, ERR_INVALID,
                       "segments of a path are neither empty nor \".\" nor \"..\", and UTF-8");
    return 0;
}

bool path_matches(const struct path_pattern *p, const struct path *path)
{
    if (path->n < p->n || (p->n > 0 && path->text[p->n - 1] != p->text[p->n - 1]))
        return false; /* as most do, for less than the rest costs */
    return memcmp(path->text, p->text, p->n) == 0 &&
           (path->n == p->n || (p->prefix && path->text[p->n] == '/'));
}

bool path_before(const struct path_pattern *a, const struct path_pattern *b)
{
    return a->prefix != b->prefix ? b->prefix : a->n > b->n;
}

bool path_same(const struct path_pattern *a, const struct path_pattern *b)
{
    return a->prefix == b->prefix && a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}
