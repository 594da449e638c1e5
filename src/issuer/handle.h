/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle: random values that usher hands out and knows again by their SHA-256: codes, handles of
 * requests that wait, refresh tokens, device codes. Each begins with its kind, so that none is ever
 * taken for another.
 */
#ifndef ISSUER_HANDLE_H
#define ISSUER_HANDLE_H

#include <stdbool.h>

#include "base/text.h"

#define HANDLE_LEN 47 /* a prefix of four, and base64url of 32 random bytes */

#define HANDLE_CODE "uac_"
#define HANDLE_WAITING "uwr_"
#define HANDLE_PUSHED "upr_"
#define HANDLE_REFRESH "urt_"
#define HANDLE_DEVICE "udc_"

/* A new one; `out` has room for HANDLE_LEN + 1. */
void handle_make(const char *prefix, char *out, unsigned char hash[32]);
/* false: it cannot be one of that kind. */
bool handle_hash(const char *prefix, struct str text, unsigned char hash[32]);

#endif
