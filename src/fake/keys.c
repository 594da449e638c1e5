/* SPDX-License-Identifier: Apache-2.0 */
#include "fake/keys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GENERATIONS_MAX 64

/* RS* and PS* share one RSA key. */
enum family { FAMILY_RSA = 0, FAMILY_P256, FAMILY_P384, FAMILY_P521, FAMILY_ED, FAMILIES };
static const uint32_t family_alg[FAMILIES] = {JWS_RS256, JWS_ES256, JWS_ES384, JWS_ES512,
                                              JWS_EDDSA};
static const char *const family_name[FAMILIES] = {"rsa", "p256", "p384", "p521", "ed"};

struct keys {
    pthread_mutex_t lock;
    unsigned generation;
    struct jws_key *current[GENERATIONS_MAX][FAMILIES]; /* old ones stay: somebody may be signing */
    struct jws_key *second, *attacker[FAMILIES];
};

static enum family family_of(uint32_t alg)
{
    switch (alg) {
    case JWS_ES256:
        return FAMILY_P256;
    case JWS_ES384:
        return FAMILY_P384;
    case JWS_ES512:
        return FAMILY_P521;
    case JWS_EDDSA:
        return FAMILY_ED;
    default:
        return FAMILY_RSA;
    }
}

struct keys *keys_new(void)
{
    struct keys *k = mem_alloc(sizeof *k);

    pthread_mutex_init(&k->lock, NULL);
    return k;
}

void keys_free(struct keys **kp)
{
    struct keys *k = *kp;

    for (size_t g = 0; g < GENERATIONS_MAX; g++)
        for (size_t i = 0; i < FAMILIES; i++)
            jws_key_free(&k->current[g][i]);
    for (size_t i = 0; i < FAMILIES; i++)
        jws_key_free(&k->attacker[i]);
    jws_key_free(&k->second);
    pthread_mutex_destroy(&k->lock);
    free(k);
    *kp = NULL;
}

void keys_reset(struct keys *k)
{
    pthread_mutex_lock(&k->lock);
    k->generation = 0;
    pthread_mutex_unlock(&k->lock);
}

static const struct jws_key *get_locked(struct keys *k, enum key_role role, enum family family,
                                        char *kid)
{
    struct jws_key **at = &k->current[k->generation][family];

    if (role == KEY_SECOND)
        at = &k->second;
    else if (role == KEY_ATTACKER)
        at = &k->attacker[family];
    if (!*at && !(*at = jws_key_make(family_alg[role == KEY_SECOND ? FAMILY_RSA : family])))
        abort();
    if (role == KEY_SECOND)
        snprintf(kid, 32, "fake-rsa-old");
    else if (role == KEY_ATTACKER)
        snprintf(kid, 32, "attacker-%s", family_name[family]);
    else
        snprintf(kid, 32, "fake-%s-%u", family_name[family], k->generation + 1);
    return *at;
}

void keys_make(struct keys *k)
{
    char kid[32];

    pthread_mutex_lock(&k->lock);
    for (enum key_role role = KEY_CURRENT; role <= KEY_ATTACKER; role++)
        (void)get_locked(k, role, FAMILY_RSA, kid);
    pthread_mutex_unlock(&k->lock);
}

void keys_rotate(struct keys *k)
{
    char kid[32];

    pthread_mutex_lock(&k->lock);
    k->generation = (k->generation + 1) % GENERATIONS_MAX;
    (void)get_locked(k, KEY_CURRENT, FAMILY_RSA, kid);
    pthread_mutex_unlock(&k->lock);
}

const struct jws_key *keys_get(struct keys *k, enum key_role role, uint32_t alg, char *kid)
{
    const struct jws_key *key;

    pthread_mutex_lock(&k->lock);
    key = get_locked(k, role, family_of(alg), kid);
    pthread_mutex_unlock(&k->lock);
    return key;
}

struct jval *keys_published(struct keys *k, bool all)
{
    struct jval *out = jval_new_object(), *list = jval_new_array();
    char kid[32];

    pthread_mutex_lock(&k->lock);
    for (enum family i = FAMILY_RSA; i < FAMILIES; i++) {
        const struct jws_key *key;

        if (i != FAMILY_RSA && !all)
            break;
        key = get_locked(k, KEY_CURRENT, i, kid);
        jval_push(list, jws_key_public(key, family_alg[i], kid));
    }
    if (!all)
        jval_push(list, jws_key_public(get_locked(k, KEY_SECOND, FAMILY_RSA, kid), JWS_RS256, kid));
    pthread_mutex_unlock(&k->lock);
    jval_set(out, "keys", list);
    return out;
}
