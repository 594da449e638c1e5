/* SPDX-License-Identifier: Apache-2.0 */
/* parts: the inside of an issuer, shared by the files of this room and nobody else. */
#ifndef ISSUER_PARTS_H
#define ISSUER_PARTS_H

#include "issuer/issuer.h"
#include "issuer/keys.h"
#include "issuer/sign.h"

struct issuer {
    struct issuer_options o;
    struct work *work; /* RSA */
    struct issuer_keys *keys;
    struct buf discovery;
    struct loop_timer *timer;
    size_t under_way; /* calls and signatures that somebody waits for */
};

/* metadata.c: into i->discovery, once. */
void metadata_render(struct issuer *i);

#endif
