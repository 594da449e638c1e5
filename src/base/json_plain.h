/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_plain: reads the JSON that most peers send most of the time: strings without escapes, whole
 * numbers of up to 18 digits, keys of ordinary length. It takes a fifth of jansson's time, which
 * copies each byte by a call. It knows nothing of errors: whatever is not plain, broken JSON
 * included, is NULL, and jansson's to read or to refuse. Pure; only for json.c.
 */
#ifndef BASE_JSON_PLAIN_H
#define BASE_JSON_PLAIN_H

#include "base/text.h"

struct jval;

struct json_limits {
    unsigned depth, values; /* open brackets; values, counted as brackets and commas */
};
/* The caller's reference; NULL: ask jansson. What comes back is what jansson would have made. */
struct jval *json_plain(struct str text, struct json_limits limits)
    __attribute__((warn_unused_result));

#endif
