/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/schema.h"

#include <string.h>

#include "base/text.h"
#include "base/url.h"
#include "provider/registry.h"
#include "sys/conf.h"

#define KEY_MAX 48
#define URL_MAX 2048

/* Size and alignment of the member a row writes. */
static size_t member_size(uint32_t type)
{
    switch (type) {
    case USHER_TEXT:
    case USHER_URL:
    case USHER_LIST:
        return sizeof(const char *);
    case USHER_INT:
    case USHER_DURATION:
    case USHER_SIZE:
        return sizeof(int64_t);
    case USHER_BOOL:
        return sizeof(bool);
    case USHER_CHOICE:
        return sizeof(int);
    case USHER_SECRET:
        return sizeof(struct usher_secret);
    default:
        return 0;
    }
}

static bool key_valid(const char *key)
{
    size_t n = key ? strnlen(key, KEY_MAX + 1) : 0;
    if (n == 0 || n > KEY_MAX || key[0] < 'a' || key[0] > 'z')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!((key[i] >= 'a' && key[i] <= 'z') || (key[i] >= '0' && key[i] <= '9') ||
              key[i] == '_'))
            return false;
    return true;
}

/* Text of a table: may be absent, is bounded, can be shown. */
static bool words_valid(const char *text, size_t max)
{
    if (!text)
        return true;
    size_t n = strnlen(text, max + 1);
    return n <= max && text_utf8((struct str){text, n}) && !memchr(text, '\n', n) &&
           !memchr(text, '\r', n);
}

static int check_choices(const struct usher_setting *r, struct err *err)
{
    size_t n = 0;
    if ((r->choices != NULL) != (r->type == USHER_CHOICE))
        return err_set(err, ERR_MISCONFIGURED,
                       "setting %s: choices belong to CHOICE, and only there", r->key);
    for (; r->choices && r->choices[n]; n++)
        if (n >= 32 || !r->choices[n][0] || !words_valid(r->choices[n], KEY_MAX))
            return err_set(err, ERR_MISCONFIGURED, "setting %s: its choices are not usable",
                           r->key);
    return r->choices && n < 2
               ? err_set(err, ERR_MISCONFIGURED, "setting %s: one choice is none", r->key)
               : 0;
}

static int check_row(const struct usher_setting *r, size_t config_size, struct err *err)
{
    if (!key_valid(r->key))
        return err_set(err, ERR_MISCONFIGURED,
                       "a setting has no valid key (lower case, digits, underscore)");
    size_t size = member_size(r->type);
    if (size == 0)
        return err_set(err, ERR_MISCONFIGURED, "setting %s: type %u is not known to this usher",
                       r->key, (unsigned)r->type);
    if (r->offset > config_size || size > config_size - r->offset || r->offset % size != 0)
        return err_set(err, ERR_MISCONFIGURED, "setting %s lies outside the config struct", r->key);
    if ((r->flags & USHER_ORIGIN) && r->type != USHER_URL)
        return err_set(err, ERR_MISCONFIGURED, "setting %s: only a URL can be an origin", r->key);
    if (r->min > r->max)
        return err_set(err, ERR_MISCONFIGURED, "setting %s: min is above max", r->key);
    if (r->type == USHER_SECRET && r->value)
        return err_set(err, ERR_MISCONFIGURED, "setting %s: a secret has no default", r->key);
    if (!r->label || !words_valid(r->label, 80) || !words_valid(r->help, 800) ||
        !words_valid(r->example, 400) || !words_valid(r->value, 1024))
        return err_set(err, ERR_MISCONFIGURED,
                       "setting %s: label, help, example or default is not usable", r->key);
    return check_choices(r, err);
}

/* Keys are one name space: with the core's, and with the _file and _env spellings of secrets. */
static bool keys_clash(const struct usher_setting *x, const struct usher_setting *y)
{
    size_t n = strlen(x->key);
    if (strcmp(x->key, y->key) == 0)
        return true;
    return x->type == USHER_SECRET && strncmp(x->key, y->key, n) == 0 &&
           (strcmp(y->key + n, "_file") == 0 || strcmp(y->key + n, "_env") == 0);
}

static bool members_overlap(const struct usher_setting *x, const struct usher_setting *y)
{
    return x->offset < y->offset + member_size(y->type) &&
           y->offset < x->offset + member_size(x->type);
}

static int check_pairs(const struct usher_setting *rows, size_t n, struct err *err)
{
    const struct usher_setting *core = provider_common_settings;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < provider_common_n; k++)
            if (keys_clash(&rows[i], &core[k]) || keys_clash(&core[k], &rows[i]))
                return err_set(err, ERR_MISCONFIGURED, "setting %s: the name is usher's own",
                               rows[i].key);
        for (size_t k = 0; k < i; k++) {
            if (keys_clash(&rows[i], &rows[k]) || keys_clash(&rows[k], &rows[i]))
                return err_set(err, ERR_MISCONFIGURED, "settings %s and %s clash", rows[k].key,
                               rows[i].key);
            if (members_overlap(&rows[i], &rows[k]))
                return err_set(err, ERR_MISCONFIGURED, "settings %s and %s share memory",
                               rows[k].key, rows[i].key);
        }
    }
    return 0;
}

const struct usher_setting *schema_copy(const struct usher_setting *raw, size_t n,
                                        size_t config_size, struct arena *a, struct err *err)
{
    /* What abi_minor 0 had; a table of an older minor is never shorter. */
    const size_t least = offsetof(struct usher_setting, max) + sizeof(int64_t);
    if (n > SCHEMA_ROWS_MAX || config_size > SCHEMA_CONFIG_MAX) {
        err_set(err, ERR_MISCONFIGURED, "its settings table is too large");
        return NULL;
    }
    struct usher_setting *rows = arena_alloc(a, (n + 1) * sizeof *rows);
    if (n == 0)
        return rows;
    if (!raw || raw->size < least || raw->size > 4096 || raw->size % sizeof(void *) != 0) {
        err_set(err, ERR_MISCONFIGURED, "its settings table has rows of impossible size");
        return NULL;
    }
    size_t stride = raw->size;
    void *scratch = arena_alloc(a, config_size + sizeof(int64_t));
    for (size_t i = 0; i < n; i++) {
        memcpy(&rows[i], (const char *)raw + i * stride,
               stride < sizeof *rows ? stride : sizeof *rows);
        rows[i].size = sizeof *rows;
        if (check_row(&rows[i], config_size, err) < 0)
            return NULL;
        struct err why = ERR_INIT;
        if (rows[i].value && conf_set(&rows[i], scratch, rows[i].value, a, &why) < 0) {
            err_set(err, ERR_MISCONFIGURED, "setting %s: its own default is wrong: %s", rows[i].key,
                    why.text);
            return NULL;
        }
    }
    return check_pairs(rows, n, err) < 0 ? NULL : rows;
}

int schema_url(const char *url, bool allow_http_loopback, struct arena *a, const char **origin,
               bool *loopback_http, struct err *err)
{
    struct url u;
    size_t n = strnlen(url, URL_MAX + 1);
    if (n > URL_MAX)
        return err_set(err, ERR_MISCONFIGURED, "is longer than %d bytes", URL_MAX);
    struct err why = ERR_INIT;
    if (url_parse(a, (struct str){url, n}, &u, &why) < 0)
        return err_set(err, ERR_MISCONFIGURED, "is no absolute URL (%.120s)", why.text);
    if (u.fragment)
        return err_set(err, ERR_MISCONFIGURED, "has a fragment (#): leave it out");
    bool http = strcmp(u.scheme, "http") == 0;
    if (http && !(url_is_loopback(&u) && allow_http_loopback))
        return err_set(err, ERR_MISCONFIGURED,
                       "must begin with https:// (http is for loopback, in development)");
    if (loopback_http)
        *loopback_http = http;
    if (origin) {
        struct buf b;
        buf_init(&b, URL_MAX);
        url_origin(&u, &b);
        *origin = arena_str(a, buf_view(&b));
        buf_deinit(&b);
    }
    return 0;
}

bool schema_is_origin(const char *text)
{
    struct arena *a = arena_new();
    struct err err = ERR_INIT;
    const char *origin = NULL;
    bool ok = schema_url(text, false, a, &origin, NULL, &err) == 0 && strcmp(origin, text) == 0;
    arena_free(&a);
    return ok;
}

bool schema_scopes_valid(const char *text)
{
    size_t n = strnlen(text, 2049);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == ' ' ? i == 0 || text[i - 1] == ' ' || i + 1 == n
                     : c < 0x21 || c > 0x7e || c == '"' || c == '\\')
            return false;
    }
    return n <= 2048;
}

const char *schema_text(const struct usher_setting *row, const void *config)
{
    const char *value;
    memcpy(&value, (const char *)config + row->offset, sizeof value);
    return value;
}
