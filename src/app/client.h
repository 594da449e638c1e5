/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: an app as a client of OpenID Connect and OAuth 2: which of its settings go together, and
 * what follows from them. Pure; any thread.
 */
#ifndef APP_CLIENT_H
#define APP_CLIENT_H

#include "app/app.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

/* Grants as settings write them, NULL-ended; and the grant_type each stands for. */
extern const char *const client_grants[];
extern const char *const client_grant_types[];

/* Names of enum client_alg, NULL-ended. */
extern const char *const client_algs[];

/* 0; or -1, *key says which setting is wrong and err why. An app with such a setting lets nobody
 * in, so nothing below is asked of it. */
int client_check(const struct app_common *c, const char **key, struct err *err)
    __attribute__((warn_unused_result));

bool client_is_public(const struct app_common *c);
/* Whether the app has to prove that who comes for the tokens is who asked (RFC 7636). */
bool client_needs_pkce(const struct app_common *c);
/* By grant_type. */
bool client_may(const struct app_common *c, const char *grant_type);
/* "" to the end of a NULL-ended list, which may be NULL. */
bool client_lists(const char *const *list, struct str text);

/* RFC 6749 3.3: %x21 / %x23-5B / %x5D-7E. */
bool client_scope_valid(struct str scope);
/* RFC 8707 2: an absolute URI without fragment. */
bool client_resource_valid(struct str uri);
/* Where people may be sent: https, http on a loopback address, or for public clients a scheme of
 * their own with a dot in it (RFC 8252 7.1). */
int client_redirect_check(const char *uri, bool public, struct err *err)
    __attribute__((warn_unused_result));

/* What a page sends as Origin, as usher writes it: scheme://host[:port], https, or http on a
 * loopback address. */
int client_origin_check(const char *origin, struct err *err) __attribute__((warn_unused_result));
/* Pages that may read what the app is told: its setting; else, of a public client, those its https
 * redirect URIs are on. NULL-ended, in the arena. */
const char *const *client_origins(const struct app_common *c, struct arena *a);

#endif
