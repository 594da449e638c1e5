/* SPDX-License-Identifier: Apache-2.0 */
/* basic: the Authorization header of apps that show an id and a secret (RFC 6749 section 2.3.1). */
#ifndef BASE_BASIC_H
#define BASE_BASIC_H

#include "base/arena.h"

/* Both halves into the arena, form-decoded. false: it is another scheme, or makes no sense. */
bool basic_read(const char *header, struct arena *a, const char **id, const char **secret);

#endif
