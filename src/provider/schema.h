/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema: the rules of a plugin's settings table, and of values beyond one row. sys/conf parses by
 * the table; this judges the table itself (a foreign shared object wrote it) and what only makes
 * sense with the provider in view: schemes, and which origins may be sent secrets.
 */
#ifndef PROVIDER_SCHEMA_H
#define PROVIDER_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "usher/provider.h"

#define SCHEMA_ROWS_MAX 128
#define SCHEMA_CONFIG_MAX 65536

/* A copy of a foreign table with our stride, checked: keys, types, offsets inside config_size and
 * not overlapping, defaults that parse, texts that can be shown; no key that is the core's. */
const struct usher_setting *schema_copy(const struct usher_setting *raw, size_t n,
                                        size_t config_size, struct arena *a, struct err *err)
    __attribute__((warn_unused_result));

/* An absolute URL whose scheme may be used: https, or http to loopback when allowed. Its origin
 * into *origin unless NULL. -1 ERR_MISCONFIGURED. */
int schema_url(const char *url, bool allow_http_loopback, struct arena *a, const char **origin,
               bool *loopback_http, struct err *err) __attribute__((warn_unused_result));
/* Exactly an https origin, nothing behind the host: for descriptors. */
bool schema_is_origin(const char *text);
/* Space separated scope tokens, RFC 6749 section 3.3; "" is fine. */
bool schema_scopes_valid(const char *text);
/* The member of a TEXT or URL row in a config struct. */
const char *schema_text(const struct usher_setting *row, const void *config);

#endif
