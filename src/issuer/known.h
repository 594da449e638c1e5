/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known: what the store said of grants and of the people behind them, in memory for as long as the
 * store is what it was then, so that userinfo reads it once and not with every question. Beside it
 * lies what was told of it last, for the next who is to be told the same; whether they may hear it
 * is asked each time.
 *
 * Facts are good while nothing that counts was written (store_changes, as it was before they were
 * asked for) and until a second of their own, in which the grant ends or the session that it goes
 * with. Only of a store that nobody else writes to: of a shared one nothing may be kept.
 *
 * Bounded: of as many grants as there are places, and facts that are long are not kept; the one
 * that was asked for longest ago makes room. What nobody asks for any more goes, too: it is about
 * people. One loop thread owns a table.
 */
#ifndef ISSUER_KNOWN_H
#define ISSUER_KNOWN_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct known;
struct known_one; /* grant */
struct standing;

struct known_at {
    uint64_t changes; /* of the store */
    int64_t now;
};

struct known *known_new(void);
void known_free(struct known **t);
/* NULL: nothing that is still good. Borrowed until the table changes. Of the grant there is what
 * is answered and judged: id, app, account, provider, claims and ip. */
struct known_one *known_find(struct known *t, const char *grant, const struct known_at *at);
const struct standing *known_standing(const struct known_one *one);
/* What was read of a grant that stands, asked for at `at`; copied. NULL: it is too long. */
struct known_one *known_keep(struct known *t, const struct known_at *at, const struct standing *of);

/* Whom it is told to: which of it, and how it is put, depends on this and nothing else. */
struct known_hearer {
    const char *app, *scopes; /* of the token, as the app may still have them */
    uint64_t apps;            /* how often the apps were replaced */
};
/* What was told last, if the same hearer heard it: 1 and *text, borrowed as well; 0. */
int known_told(const struct known_one *one, const struct known_hearer *to, struct str *text);
/* Copied. Too long to be kept: it is not. */
void known_tell(struct known_one *one, const struct known_hearer *to, struct str text);

/* Drops what is not good any more, and what nobody asked for of late; how many went. */
size_t known_sweep(struct known *t, const struct known_at *at);

#endif
