/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standing: what a grant about a person, and an access token of any kind, is still worth. Whatever
 * is made of a grant or told about a token asks here and nowhere else, each time:
 *
 * - the app is there and in use, and may still have what was granted: scopes, resources, and, for a
 *   token about nobody, client_credentials; for one that was exchanged the same goes for the app
 *   that was granted it and for all on the way, and each may still exchange what it got;
 * - the grant was not ended, by nobody and nothing, and is not over; taking back a consent, a used
 *   code or refresh token that comes again, and disabling an account end it in the transaction that
 *   decides so, which is why none of these is asked for here;
 * - the session stands that the grant goes with; one with offline_access goes with none;
 * - the person is there and not disabled, and whom the token speaks of;
 * - the apps concerned would let them in today, by providers and rules.
 *
 * The first is known in memory (standing_find, standing_scopes, standing_resources); grant, session
 * and person are in the store (standing_read, standing_still); the last takes both
 * (standing_admits), and the loop's thread. Everything lives in the call's arena.
 */
#ifndef ISSUER_STANDING_H
#define ISSUER_STANDING_H

#include "issuer/parts.h"
#include "issuer/person.h"
#include "store/oauth_grant.h"

struct standing {
    bool good;     /* grant, session and person; false: nothing else counts */
    int64_t until; /* not any more from that second on, whatever happens */
    struct oauth_grant_row grant;
    struct claims_person person;
};

/* Of a grant, by its id. -1: the store failed. */
int standing_read(struct db *db, const struct call *c, const char *grant, struct standing *out,
                  struct err *err) __attribute__((warn_unused_result));
/* Of the grant that a person's token hangs on: it has to be theirs. */
int standing_read_token(struct db *db, const struct call *c, const struct access_token_row *token,
                        struct standing *out, struct err *err) __attribute__((warn_unused_result));
bool standing_is_of(const struct standing *s, const struct access_token_row *token);
/* Again, in the transaction in which something is made to hang on it: sets `good`. */
int standing_still(struct db *db, const struct call *c, struct standing *s, struct err *err)
    __attribute__((warn_unused_result));

/* Whether the app (NULL: there is none) would let the person in, seen from `client`, an address as
 * rules go by; NULL: unknown. No goes on record. */
bool standing_admits(const struct call *c, const struct standing *s, const struct app *app,
                     const char *client);
/* The same of the app that was granted it and the one that holds a token of it, which is another
 * where it was exchanged: seen from where the person was, because apps ask from anywhere. */
bool standing_admits_both(const struct call *c, const struct standing *s, const struct app *holder);

/* Any access token of ours: good now, of an app that is in use; `found` as with mint_find. The
 * row's scopes and resources are those that its app may still have; a token that has lost all of
 * either is none. Whether its grant stands is not looked at: what ends grants ends their tokens. */
void standing_find(struct call *c, struct str token, struct access_token_row *row,
                   mint_found_fn *found, void *arg);

/* Of scopes parted by blanks, those the app may still have; "": none. */
const char *standing_scopes(struct arena *a, const struct app *app, const char *scopes);
/* Of resources, as rows have them, those the app may still have, and `usher`, the issuer's own,
 * where it is not NULL. NULL-ended; with room for two more. */
const char **standing_resources(struct arena *a, const struct app *app, const char *resource,
                                const char *usher);

#endif
