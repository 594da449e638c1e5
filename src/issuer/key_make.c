/* SPDX-License-Identifier: Apache-2.0 */
/* One signing key: made, sealed, stored; and held by whoever still signs with it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "issuer/key_parts.h"
#include "store/signing_key.h"
#include "sys/clock.h"
#include "sys/random.h"

struct signing_key *issuer_keys_hold(struct signing_key *key)
{
    key->refs++;
    return key;
}

void issuer_keys_drop(struct signing_key **keyp)
{
    struct signing_key *key = *keyp;
    *keyp = NULL;
    if (key == NULL || --key->refs > 0)
        return;
    for (int i = 0; i < JWT_KINDS; i++)
        jws_signer_free(&key->signer[i]);
    jws_key_free(&key->key);
    free(key);
}

struct signing_key *issuer_key_new(const char *kid, uint32_t alg)
{
    struct signing_key *key = mem_alloc(sizeof *key);
    (void)snprintf(key->kid, sizeof key->kid, "%s", kid);
    key->alg = alg;
    key->refs = 1;
    return key;
}

int issuer_key_prepare(struct signing_key *key, struct err *err)
{
    for (int i = 0; i < JWT_KINDS; i++) {
        const struct jws_head head = {key->alg, key->kid, jwt_typ[i]};
        if (!(key->signer[i] = jws_signer_new(key->key, &head, err)))
            return -1;
    }
    return 0;
}

struct key_making *issuer_key_begin(struct issuer_keys *k, uint32_t alg, int64_t active_from)
{
    struct key_making *m = mem_alloc(sizeof *m);
    unsigned char random[8];
    char kid[17];
    rng_fill(random, sizeof random);
    text_hex(random, sizeof random, kid);
    m->keys = k;
    m->key = issuer_key_new(kid, alg);
    m->key->created = wall_seconds(clock_wall());
    m->key->active_from = active_from;
    buf_init(&m->sealed, SIGNING_KEY_SEALED_MAX);
    return m;
}

void issuer_key_make(void *making)
{
    struct key_making *m = making;
    const char *alg = jws_alg_name(m->key->alg);
    struct buf pem;
    buf_init(&pem, SIGNING_KEY_SEALED_MAX);
    m->key->key = jws_key_make(m->key->alg);
    if (!m->key->key)
        err_set(&m->err, ERR_INTERNAL, "a key for %s cannot be made", alg);
    else if (jws_key_save(m->key->key, &pem, &m->err) == 0 &&
             issuer_key_prepare(m->key, &m->err) == 0)
        signing_key_seal(m->keys->o.ring, m->key->kid, alg, buf_view(&pem), &m->sealed);
    if (m->err.kind == ERR_NONE && !buf_ok(&m->sealed))
        err_set(&m->err, ERR_INTERNAL, "a key for %s is too long", alg);
    buf_wipe(&pem);
}

int issuer_key_store(struct db *db, void *making, struct err *err)
{
    const struct key_making *m = making;
    const struct signing_key_row row = {.kid = m->key->kid,
                                        .alg = jws_alg_name(m->key->alg),
                                        .sealed = buf_view(&m->sealed),
                                        .created = m->key->created,
                                        .active_from = m->key->active_from};
    return signing_key_add(db, &row, err);
}

void issuer_key_end(struct key_making **mp)
{
    struct key_making *m = *mp;
    *mp = NULL;
    if (m == NULL)
        return;
    issuer_keys_drop(&m->key);
    buf_deinit(&m->sealed);
    free(m);
}
