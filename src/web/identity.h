/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity: the headers that tell an app who is signed in. All seven are in every answer, with a
 * value or empty. For sessions that are asked about again and again the whole answer is kept, by
 * hash, for as long as the stamp says that nothing changed; whether a session lives is asked anew
 * each time.
 */
#ifndef WEB_IDENTITY_H
#define WEB_IDENTITY_H

#include "session/session.h"
#include "web/serve.h"

struct identities;
struct identities *identities_new(void);
void identities_free(struct identities **c);

/* 200 for this session. */
void identity_reply(struct identities *c, struct request *rq, const struct session_view *v);
/* The seven headers, empty, on an answer to come. */
void identity_clear(struct request *rq);

#endif
