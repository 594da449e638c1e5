/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: values read and built. The one file behind it (json.c) is the only one that knows jansson.
 * Parsing refuses duplicate keys, bad UTF-8, NUL escapes, trailing bytes, and what is over the
 * limits; error texts never quote the input. Values are reference counted: getters borrow,
 * jval_set and jval_push take.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

struct jval; /* opaque; may be handed out as struct usher_json */

enum jval_type {
    JVAL_NONE = 0,
    JVAL_NULL = 1,
    JVAL_BOOL = 2,
    JVAL_NUMBER = 3,
    JVAL_TEXT = 4,
    JVAL_ARRAY = 5,
    JVAL_OBJECT = 6,
};

#define JSON_DEPTH_MAX 16
#define JSON_SIZE_MAX (512u * 1024)
#define JSON_VALUES_MAX 50000u /* a value of two bytes takes 150 of memory */

/* NULL with ERR_INVALID in err. Anything may be at the top; callers check the type. */
struct jval *jval_parse(struct str text, size_t max_size, unsigned max_depth, struct err *err)
    __attribute__((warn_unused_result));
struct jval *jval_ref(struct jval *v);
/* All of it again, the caller's: for showing a part of what is only borrowed. NULL of NULL. */
struct jval *jval_copy(const struct jval *v);
void jval_free(struct jval **v);

enum jval_type jval_type(const struct jval *v); /* NULL is JVAL_NONE */
/* RFC 6901 pointer; "" is v itself; NULL if there is nothing. Borrowed. */
const struct jval *jval_at(const struct jval *v, const char *pointer);
const struct jval *jval_get(const struct jval *object, const char *key);
const struct jval *jval_item(const struct jval *array, size_t i);
size_t jval_count(const struct jval *v);
/* Members of an object in order: start with *iter = NULL; false at the end. */
bool jval_next(const struct jval *object, void **iter, const char **key, const struct jval **value);
/* The string, NUL-terminated and without inner NUL; NULL if v is no string. */
const char *jval_text(const struct jval *v);
bool jval_int(const struct jval *v, int64_t *out);   /* integers only */
bool jval_number(const struct jval *v, double *out); /* integers and reals */
bool jval_bool(const struct jval *v, bool *out);

/* A list that was kept as text; what is none, or NULL, is an empty one. */
struct jval *jval_list(const char *text);
struct jval *jval_new_object(void);
struct jval *jval_new_array(void);
struct jval *jval_new_text(const char *text); /* bad UTF-8 becomes U+FFFD */
struct jval *jval_new_int(int64_t n);
struct jval *jval_new_bool(bool b);
struct jval *jval_new_null(void);
/* Setting on what is no object, or pushing on what is no array, is a mistake that aborts: check the
 * type of what you did not make yourself. */
void jval_set(struct jval *object, const char *key, struct jval *take);
void jval_set_text(struct jval *object, const char *key, const char *text); /* NULL: null */
void jval_set_int(struct jval *object, const char *key, int64_t n);
void jval_set_bool(struct jval *object, const char *key, bool b);
/* Seconds since 1970, as rows have it: 0 is no time, and null. */
void jval_set_time(struct jval *object, const char *key, int64_t seconds);
void jval_remove(struct jval *object, const char *key);
void jval_push(struct jval *array, struct jval *take);
/* Append a string as JSON, for what is written by hand because it is written often. Bytes that are
 * not UTF-8 are the caller's to keep out. */
void json_quote(struct buf *out, const char *text);
/* Compact, members in order of insertion, '/' not escaped. NULL is null. */
void jval_render(const struct jval *v, struct buf *out);

#endif
