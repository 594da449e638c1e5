/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: views, encodings and small judgements about bytes. Pure. A struct str may hold NUL bytes;
 * a const char * may not.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
static inline struct str str_of(const char *text)
{
    return (struct str){text ? text : "", text ? strlen(text) : 0};
}
static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_is(struct str a, const char *text)
{
    return str_eq(a, str_of(text));
}
bool str_is_nocase(struct str a, const char *text); /* ASCII */
bool str_starts(struct str a, const char *prefix);
bool str_ends(struct str a, const char *suffix);
struct str str_trim(struct str a); /* blanks and tabs */
/* The next piece up to `sep`, trimmed; false when there is none left. Empty pieces are pieces, so
 * "" holds one and "a," two. At the end rest->p is NULL. */
bool str_split(struct str *rest, char sep, struct str *piece);

/* Whole input or nothing: no sign on unsigned, no blanks, no trailing bytes, no overflow. */
bool text_int(struct str s, int64_t *out);
bool text_duration(struct str s, int64_t *seconds); /* 90, 90s, 10m, 12h, 30d */
bool text_size(struct str s, int64_t *bytes);       /* 4096, 64k, 1m, 2g; powers of 1024 */
bool text_bool(struct str s, bool *out);            /* true false yes no on off 1 0 */

bool text_utf8(struct str s);      /* well formed, no surrogates, no overlong forms, no NUL */
bool text_printable(struct str s); /* 0x21..0x7e only */
/* The first character of a non-empty text: bytes taken, at least 1. What is malformed gives
 * TEXT_MALFORMED for each longest piece that could have begun a character (as browsers do). */
#define TEXT_MALFORMED UINT32_MAX
size_t text_utf8_next(struct str s, uint32_t *code);
/* A copy fit for display, at most `max` bytes at a character boundary: control and malformed bytes,
 * line separators and bidi overrides become U+FFFD, blanks at both ends go. `out` has room for
 * max + 1. Returns length. */
size_t text_display(struct str s, char *out, size_t max);

/* base64url without padding (RFC 4648 section 5). Decoding refuses padding, other alphabets,
 * non-zero trailing bits, and n that does not fit. */
size_t text_b64url_len(size_t n);                     /* of the encoding, without NUL */
void text_b64url(const void *p, size_t n, char *out); /* NUL added */
bool text_b64url_decode(struct str s, void *out, size_t room, size_t *n);
void text_hex(const void *p, size_t n, char *out);                     /* lower case, NUL added */
bool text_hex_decode(struct str s, void *out, size_t room, size_t *n); /* either case */
int text_hex_digit(char c);                                            /* 0 to 15, or -1 */

/* Edits between two words; and the nearest of a NULL-ended list, or NULL if none is near. */
unsigned text_distance(const char *a, const char *b);
const char *text_nearest(const char *word, const char *const *list);

#endif
