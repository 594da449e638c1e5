/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/handle.h"

#include "sys/random.h"
#include "sys/seal.h"

void handle_make(const char *prefix, char *out, unsigned char hash[32])
{
    unsigned char random[32];
    const size_t n = strlen(prefix);
    rng_fill(random, sizeof random);
    memcpy(out, prefix, n);
    text_b64url(random, sizeof random, out + n);
    seal_wipe(random, sizeof random);
    seal_sha256(str_of(out), hash);
}

bool handle_hash(const char *prefix, struct str text, unsigned char hash[32])
{
    if (text.n != HANDLE_LEN || !str_starts(text, prefix))
        return false;
    seal_sha256(text, hash);
    return true;
}
