/* SPDX-License-Identifier: Apache-2.0 */
/* scope: what scopes mean, in words for the person who is asked, or who looks what they agreed to.
 */
#ifndef WEB_SCOPE_H
#define WEB_SCOPE_H

#include "base/arena.h"
#include "base/json.h"

/* {"name", "text", "fixed": it makes no sense without} of one scope. */
struct jval *scope_entry(struct arena *a, struct str scope);
/* The same of scopes parted by blanks, as an array. */
struct jval *scope_list(struct arena *a, const char *scopes);
/* Scopes parted by blanks, as one line. */
const char *scope_words(struct arena *a, const char *scopes);

#endif
