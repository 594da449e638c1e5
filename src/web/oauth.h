/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oauth: between HTTP and the issuer room. The endpoints that programs use get a request as a
 * struct issuer_call and answer with JSON that nobody stores; metadata and keys are answers made
 * once. CORS: what is public may be read by any page, without cookies; nothing else here may.
 */
#ifndef WEB_OAUTH_H
#define WEB_OAUTH_H

#include "issuer/issuer.h"
#include "web/app.h"

struct oauth_kept *oauth_kept_new(void);
void oauth_kept_free(struct oauth_kept **k);

#endif
