/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registration: what an app says of itself when it registers (client metadata of RFC 7591 section
 * 2, OpenID Connect Dynamic Client Registration 1.0 section 2 and the logout specifications), and
 * the settings of an app that it stands for. One table serves both ways.
 *
 * Members that nobody here knows are ignored, as RFC 7591 section 2 wants; what we know and do not
 * do (signing with none, pairwise subjects, encryption, sectors) is refused, because an app that
 * asked for it would believe that it has it. null is as if it were absent.
 *
 * What an app may have of itself is bounded: grants and scopes that people decide about, and what
 * an admin gave it before. Nothing is fetched and nobody is asked. Pure; any thread.
 */
#ifndef ISSUER_REGISTRATION_H
#define ISSUER_REGISTRATION_H

#include "app/app.h"
#include "base/arena.h"
#include "base/json.h"

struct registration_rules {
    const char *const *algs;      /* [issuer] algs, beside RS256; NULL-ended */
    bool http_loopback;           /* http is fine on loopback addresses */
    const struct app_common *had; /* what the app has by now; NULL: it is new */
};

struct registration_problem {
    const char *error; /* invalid_client_metadata or invalid_redirect_uri */
    const char *text;  /* ASCII, one sentence, ours; names the member */
};

/* Settings as app/source.h has them, where null stands for the default; the caller's. What metadata
 * has no word for is not among them. NULL with *why, whose strings live in the arena. */
struct jval *registration_read(const struct jval *metadata, const struct registration_rules *rules,
                               struct arena *a, struct registration_problem *why)
    __attribute__((warn_unused_result));
/* The member that a setting came from, for what is found out later; NULL: none. */
const char *registration_member(const char *setting);
/* All that is registered of an app, as RFC 7591 section 3.2.1 tells it, without anything secret. */
void registration_tell(const struct app *app, struct jval *out);

#endif
