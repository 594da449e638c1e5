/* SPDX-License-Identifier: Apache-2.0 */
/*
 * email: the one parser for mail addresses. It takes the plain form that people have (RFC 5321
 * dot-string, any dots) and refuses what only confuses: quoted local parts, comments, lists, more
 * than one '@', 8-bit bytes, address literals, trailing dots. The domain is what stands behind the
 * only '@', folded to lower case; the local part keeps its case.
 */
#ifndef BASE_EMAIL_H
#define BASE_EMAIL_H

#include <stdbool.h>

#include "base/text.h"

#define EMAIL_MAX 254

struct email {
    char text[EMAIL_MAX + 1]; /* local@domain, the domain in lower case */
    const char *domain;       /* inside text */
};

bool email_parse(struct str raw, struct email *out) __attribute__((warn_unused_result));

#endif
