/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_code: what a device shows and a person types elsewhere (RFC 8628 section 6.1): eight letters
 * out of twenty, which spell no word and are not taken for digits, as BCDF-GHJK. However it is
 * typed, in small letters, with blanks or without the hyphen, it is the same code. Pure.
 */
#ifndef ISSUER_USER_CODE_H
#define ISSUER_USER_CODE_H

#include <stdbool.h>

#include "base/text.h"

#define USER_CODE_LEN 9

/* A new one; `out` has room for USER_CODE_LEN + 1. */
void user_code_make(char *out);
/* As it is shown. false: it cannot be one. */
bool user_code_read(const char *typed, char *out);
/* Of one as it is shown. */
void user_code_hash(const char *code, unsigned char hash[32]);

#endif
