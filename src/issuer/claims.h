/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims: what is said of a person, in ID tokens and by userinfo (OpenID Connect Core 5.1, 5.4,
 * 5.5). `sub` is the account's id and never changes. What upstreams said is passed on as it was
 * judged at sign-in; nothing a provider claims can name another subject, another time of
 * authentication or a role.
 *
 * Scopes: profile (name, preferred_username, picture, locale, updated_at), email (email,
 * email_verified), groups, roles (roles, permissions). openid alone says `sub` and nothing else. A
 * claim that is asked for one by one needs the scope it belongs to: granted, or, of an app of the
 * house, among those it may ask for.
 *
 * Pure.
 */
#ifndef ISSUER_CLAIMS_H
#define ISSUER_CLAIMS_H

#include "app/app.h"
#include "base/json.h"

struct claims_person {
    const char *account;
    const char *provider;                                   /* who says the rest; NULL: nobody */
    const char *username, *name, *picture, *locale, *email; /* NULL: not known */
    int email_evidence;                                     /* enum usher_evidence */
    const char *groups, *roles, *permissions;               /* JSON arrays of strings; NULL: none */
    int64_t updated;                                        /* seconds since 1970; 0: not known */
};

enum claims_part { CLAIMS_USERINFO = 0, CLAIMS_ID_TOKEN = 1 };
struct claims_asked {
    const struct app *app;
    enum claims_part part;
    const char *scopes; /* granted, parted by blanks */
    const char *claims; /* the claims parameter as JSON; NULL: none */
};
/* Into an object, `sub` among them. An ID token has only what was asked for one by one: userinfo
 * says the rest (OpenID Connect Core 5.4), unless the app wants it there as well. */
void claims_say(const struct claims_asked *asked, const struct claims_person *p, struct jval *out);
/* The scopes and claims there are, for metadata: NULL-ended. */
extern const char *const claims_scopes[];
extern const char *const claims_names[];

#endif
