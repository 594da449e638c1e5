/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form: application/x-www-form-urlencoded, as strict as can be (WHATWG URL, RFC 6749 appendix B).
 * Malformed percent triplets, NUL, and bytes that are not UTF-8 are errors, never guessed at.
 * Used for query strings and bodies alike.
 */
#ifndef BASE_FORM_H
#define BASE_FORM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

struct field {
    const char *name;  /* decoded, NUL-terminated, holds no NUL */
    const char *value; /* likewise; "" for a key without '=' */
    size_t name_len, value_len;
};

struct fields {
    const struct field *v;
    size_t n;
};

/* At most `max` fields, all in `a`. "" gives none, and so does nothing between two '&'. -1 with
 * ERR_INVALID. */
int form_parse(struct arena *a, struct str text, size_t max, struct fields *out, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *value when `name` occurs once, 0 when it does not occur, -1 when it occurs more often. */
int form_get(const struct fields *f, const char *name, const char **value)
    __attribute__((warn_unused_result));

/* Append name=value, with '&' in front unless b is empty or ends in '?' or '&'. A blank becomes
 * %20. */
void form_add(struct buf *b, const char *name, const char *value);
/* Percent-encode everything but RFC 3986 unreserved characters. */
void form_escape(struct buf *b, struct str s);
/* Decode %XX (not '+'). -1 on malformed triplets or NUL. */
int form_unescape(struct arena *a, struct str s, const char **out, size_t *n)
    __attribute__((warn_unused_result));

#endif
