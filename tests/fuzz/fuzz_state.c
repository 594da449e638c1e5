/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ways in: the bytes as a state somebody made up (never accepted), and the bytes as the plain
 * form under a genuine seal, which is what a bug in an older version could have left behind.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "login/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char key[32] = "0123456789abcdef0123456789abcdef";

static void as_plain_form(const struct keyring *keys, struct str bytes, struct arena *a)
{
    unsigned char aad[32];
    struct buf sealed;
    struct err err = ERR_INIT;
    seal_sha256(STR("bind"), aad);
    buf_init(&sealed, STATE_MAX);
    keyring_seal(keys, "login state", (struct str){(const char *)aad, sizeof aad}, bytes, &sealed);
    if (!buf_ok(&sealed) || text_b64url_len(sealed.n) > STATE_MAX)
        goto out;
    char *text = arena_alloc(a, text_b64url_len(sealed.n) + 1);
    text_b64url(sealed.p, sealed.n, text);
    const struct flow *f = state_unseal(keys, STR("bind"), str_of(text), 1800000000, a, &err);
    if (f) {
        if (!f->provider || !f->return_to || !f->carry || f->started < 0)
            abort();
        /* What was read can be written and read again. */
        struct buf again;
        buf_init(&again, STATE_MAX);
        if (state_seal(keys, STR("bind"), f, &again, &err) == 0) {
            const struct flow *g =
                state_unseal(keys, STR("bind"), buf_view(&again), f->started, a, &err);
            if (!g || strcmp(g->provider, f->provider) != 0 || strcmp(g->carry, f->carry) != 0)
                abort();
        }
        buf_deinit(&again);
    }
out:
    buf_deinit(&sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keyring *keys = keyring_fixed(key);
    struct arena *a = arena_new();
    struct str bytes = {(const char *)data, size};
    struct err err = ERR_INIT;
    char verifier[44];
    if (state_unseal(keys, STR("bind"), bytes, 1800000000, a, &err))
        abort();
    if (state_verifier(keys, bytes, key, verifier) == 0 && strlen(verifier) != 43)
        abort();
    as_plain_form(keys, bytes, a);
    arena_free(&a);
    keyring_free(&keys);
    return 0;
}
