/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"

#define POINTER_SMALL 128 /* longer ones are copied to the heap */

/* A struct jval is a json_t under a name that does not need jansson's header. */
static json_t *json_of(const struct jval *v)
{
    return (json_t *)v;
}

static struct jval *jval_of(json_t *v)
{
    return (struct jval *)v;
}

static struct jval *jval_made(json_t *v)
{
    if (!v)
        abort(); /* out of memory */
    return jval_of(v);
}

/* Tokens and secrets come and go as JSON: what is freed is gone. */
struct piece {
    size_t n;
    _Alignas(max_align_t) char data[];
};

static void *piece_alloc(size_t n)
{
    struct piece *p = n < SIZE_MAX - sizeof *p ? malloc(sizeof *p + n) : NULL;
    if (!p)
        return NULL; /* jansson says so, and jval_made ends us */
    p->n = n;
    return p->data;
}

static void piece_free(void *data)
{
    struct piece *p = data ? (struct piece *)(void *)((char *)data - sizeof *p) : NULL;
    if (p)
        explicit_bzero(p->data, p->n);
    free(p);
}

__attribute__((constructor)) static void set_memory(void)
{
    json_set_alloc_funcs(piece_alloc, piece_free);
}

/* Depth and number of values, before memory is spent on any of it. Brackets that do not match are
 * left to the parser. */
static int json_measure(struct str text, unsigned max_depth, struct err *err)
{
    unsigned depth = 0, values = 1;
    bool quoted = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
            continue;
        }
        if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            values++;
            if (++depth > max_depth)
                return err_set(err, ERR_INVALID, "json: nested deeper than %u", max_depth);
        } else if (c == ']' || c == '}') {
            depth -= depth > 0;
        } else if (c == ',') {
            values++;
        }
        if (values > JSON_VALUES_MAX)
            return err_set(err, ERR_INVALID, "json: more than %u values", JSON_VALUES_MAX);
    }
    return 0;
}

/* jansson's own text quotes the input, which may be a token response. */
static const char *json_problem(const json_error_t *e)
{
    switch (json_error_code(e)) {
    case json_error_duplicate_key:
        return "duplicate key";
    case json_error_invalid_utf8:
        return "not UTF-8";
    case json_error_null_byte_in_key:
    case json_error_null_character:
        return "NUL in a string";
    case json_error_premature_end_of_input:
        return "ends too early";
    case json_error_end_of_input_expected:
        return "goes on after its end";
    case json_error_numeric_overflow:
        return "number out of range";
    case json_error_out_of_memory:
        abort();
    default:
        return "syntax error";
    }
}

struct jval *jval_parse(struct str text, size_t max_size, unsigned max_depth, struct err *err)
{
    if (text.n > max_size) {
        err_set(err, ERR_INVALID, "json: longer than %zu bytes", max_size);
        return NULL;
    }
    if (text.n && memchr(text.p, '\0', text.n)) { /* jansson passes over one behind a number */
        err_set(err, ERR_INVALID, "json: NUL byte");
        return NULL;
    }
    if (json_measure(text, max_depth, err))
        return NULL;
    json_error_t problem;
    json_t *v = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
                           &problem);
    if (!v)
        err_set(err, ERR_INVALID, "json: %s at byte %d", json_problem(&problem), problem.position);
    return jval_of(v);
}

struct jval *jval_ref(struct jval *v)
{
    return jval_of(json_incref(json_of(v)));
}

struct jval *jval_copy(const struct jval *v)
{
    return v ? jval_made(json_deep_copy(json_of(v))) : NULL;
}

void jval_free(struct jval **v)
{
    json_decref(json_of(*v));
    *v = NULL;
}

enum jval_type jval_type(const struct jval *v)
{
    if (!v)
        return JVAL_NONE;
    switch (json_typeof(json_of(v))) {
    case JSON_OBJECT:
        return JVAL_OBJECT;
    case JSON_ARRAY:
        return JVAL_ARRAY;
    case JSON_STRING:
        return JVAL_TEXT;
    case JSON_INTEGER:
    case JSON_REAL:
        return JVAL_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return JVAL_BOOL;
    case JSON_NULL:
        return JVAL_NULL;
    }
    return JVAL_NONE;
}

/* Undo ~0 and ~1 in place; false for any other '~'. */
static bool json_pointer_plain(char *token)
{
    char *to = token;
    for (const char *c = token; *c; c++) {
        if (*c != '~') {
            *to++ = *c;
            continue;
        }
        c++;
        if (*c != '0' && *c != '1')
            return false;
        *to++ = *c == '0' ? '~' : '/';
    }
    *to = '\0';
    return true;
}

/* An array index as RFC 6901 writes it: no leading zeros, and "-" is beyond the end. */
static const struct jval *json_pointer_item(const struct jval *array, const char *token)
{
    int64_t i;
    if (token[0] == '-' || (token[0] == '0' && token[1]) || !text_int(str_of(token), &i))
        return NULL;
    return jval_item(array, (size_t)i);
}

const struct jval *jval_at(const struct jval *v, const char *pointer)
{
    if (pointer[0] == '\0')
        return v;
    if (pointer[0] != '/')
        return NULL;
    if (jval_type(v) == JVAL_OBJECT && !strpbrk(pointer + 1, "~/")) /* a name as it is */
        return jval_get(v, pointer + 1);
    char small[POINTER_SMALL];
    const size_t n = strlen(pointer + 1);
    char *copy = n < sizeof small ? small : mem_alloc(n + 1);
    char *token = memcpy(copy, pointer + 1, n + 1);
    while (v && token) {
        char *slash = strchr(token, '/');
        if (slash)
            *slash = '\0';
        if (!json_pointer_plain(token))
            v = NULL;
        else if (jval_type(v) == JVAL_ARRAY)
            v = json_pointer_item(v, token);
        else
            v = jval_get(v, token);
        token = slash ? slash + 1 : NULL;
    }
    if (copy != small)
        free(copy);
    return v;
}

const struct jval *jval_get(const struct jval *object, const char *key)
{
    return jval_of(json_object_get(json_of(object), key));
}

const struct jval *jval_item(const struct jval *array, size_t i)
{
    return jval_of(json_array_get(json_of(array), i));
}

size_t jval_count(const struct jval *v)
{
    return jval_type(v) == JVAL_OBJECT ? json_object_size(json_of(v)) : json_array_size(json_of(v));
}

bool jval_next(const struct jval *object, void **iter, const char **key, const struct jval **value)
{
    json_t *o = json_of(object);
    *iter = *iter ? json_object_iter_next(o, *iter) : json_object_iter(o);
    if (!*iter)
        return false;
    *key = json_object_iter_key(*iter);
    *value = jval_of(json_object_iter_value(*iter));
    return true;
}

const char *jval_text(const struct jval *v)
{
    return json_string_value(json_of(v));
}

bool jval_int(const struct jval *v, int64_t *out)
{
    /* Reals are refused, whole or not: 1e300 has no place in an int64_t, and 1e3 is nobody's id. */
    if (!json_is_integer(json_of(v)))
        return false;
    *out = json_integer_value(json_of(v));
    return true;
}

bool jval_number(const struct jval *v, double *out)
{
    if (!json_is_number(json_of(v)))
        return false;
    *out = json_number_value(json_of(v));
    return true;
}

bool jval_bool(const struct jval *v, bool *out)
{
    if (!json_is_boolean(json_of(v)))
        return false;
    *out = json_is_true(json_of(v));
    return true;
}

struct jval *jval_list(const char *text)
{
    struct err why = ERR_INIT;
    struct jval *list = text ? jval_parse(str_of(text), JSON_SIZE_MAX, 4, &why) : NULL;
    if (jval_type(list) == JVAL_ARRAY)
        return list;
    jval_free(&list);
    return jval_new_array();
}

struct jval *jval_new_object(void)
{
    return jval_made(json_object());
}

struct jval *jval_new_array(void)
{
    return jval_made(json_array());
}

/* The same text with U+FFFD for what is not UTF-8; the caller frees it. */
static char *json_repaired(const char *text)
{
    struct str rest = str_of(text);
    char *fixed = mem_alloc(rest.n * 3 + 1);
    char *to = fixed;
    while (rest.n) {
        uint32_t code;
        size_t n = text_utf8_next(rest, &code);
        bool bad = code == TEXT_MALFORMED;
        memcpy(to, bad ? "\xef\xbf\xbd" : rest.p, bad ? 3 : n);
        to += bad ? 3 : n;
        rest.p += n;
        rest.n -= n;
    }
    return fixed;
}

struct jval *jval_new_text(const char *text)
{
    if (text_utf8(str_of(text)))
        return jval_made(json_string_nocheck(text));
    char *fixed = json_repaired(text);
    struct jval *v = jval_made(json_string_nocheck(fixed));
    free(fixed);
    return v;
}

struct jval *jval_new_int(int64_t n)
{
    return jval_made(json_integer(n));
}

struct jval *jval_new_bool(bool b)
{
    return jval_made(json_boolean(b));
}

struct jval *jval_new_null(void)
{
    return jval_made(json_null());
}

void jval_set(struct jval *object, const char *key, struct jval *take)
{
    char *fixed = text_utf8(str_of(key)) ? NULL : json_repaired(key);
    /* Fails when memory is short, object is none, or take is NULL or object itself. */
    if (json_object_set_new_nocheck(json_of(object), fixed ? fixed : key, json_of(take)))
        abort();
    free(fixed);
}

void jval_set_text(struct jval *object, const char *key, const char *text)
{
    jval_set(object, key, text ? jval_new_text(text) : jval_new_null());
}

void jval_set_int(struct jval *object, const char *key, int64_t n)
{
    jval_set(object, key, jval_new_int(n));
}

void jval_set_time(struct jval *object, const char *key, int64_t seconds)
{
    jval_set(object, key, seconds > 0 ? jval_new_int(seconds) : jval_new_null());
}

void jval_set_bool(struct jval *object, const char *key, bool b)
{
    jval_set(object, key, jval_new_bool(b));
}

void jval_remove(struct jval *object, const char *key)
{
    json_object_del(json_of(object), key); /* a key that is not there is as good as removed */
}

void jval_push(struct jval *array, struct jval *take)
{
    if (json_array_append_new(json_of(array), json_of(take)))
        abort();
}

static int json_write(const char *p, size_t n, void *out)
{
    struct buf *b = out;
    buf_add(b, p, n);
    return b->over ? -1 : 0;
}

void jval_render(const struct jval *v, struct buf *out)
{
    if (!v) {
        buf_text(out, "null");
        return;
    }
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    if (json_dump_callback(json_of(v), json_write, out, flags) && !out->over)
        abort(); /* out of memory, or a value that holds itself */
}

void json_quote(struct buf *out, const char *text)
{
    buf_byte(out, '"');
    for (size_t n; *text; text += n) {
        for (n = 0; (unsigned char)text[n] >= 0x20 && text[n] != '"' && text[n] != '\\'; n++)
            ;
        buf_add(out, text, n);
        if (text[n] == '\0')
            continue;
        if ((unsigned char)text[n] < 0x20)
            buf_printf(out, "\\u%04x", (unsigned)(unsigned char)text[n]);
        else
            buf_printf(out, "\\%c", text[n]);
        n++;
    }
    buf_byte(out, '"');
}
