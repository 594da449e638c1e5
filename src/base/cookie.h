/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cookie: reading a Cookie header the way browsers write it (RFC 6265 section 4.2): no unquoting,
 * ';' always separates, names compare byte by byte.
 */
#ifndef BASE_COOKIE_H
#define BASE_COOKIE_H

#include "base/text.h"

/* How often `name` occurs in `header`; the first value goes to *value. Call it for every Cookie
 * header and add up: more than one is an attack or a mistake, and the caller refuses it. */
unsigned cookie_find(struct str header, struct str name, struct str *value);

#endif
