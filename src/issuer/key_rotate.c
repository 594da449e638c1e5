/* SPDX-License-Identifier: Apache-2.0 */
/* New signing keys because somebody says so, not the clock. */
#include <stdlib.h>

#include "base/arena.h"
#include "issuer/key_parts.h"
#include "store/signing_key.h"
#include "sys/clock.h"

struct issuer_rotation {
    struct issuer_keys *keys;
    bool at_once;
    int64_t now, from;
    struct key_making *making[ISSUER_KEY_ALGS];
    size_t n;
    struct {
        char kid[17];
        int64_t at;
    } retired[JWKS_KEYS_MAX];
    size_t n_retired;
    int64_t forget;
};

/* Published, and to sign later. */
static bool waits(const struct issuer_rotation *r, const struct signing_key *key)
{
    return key->retired_at == 0 && key->active_from > r->now;
}

static bool is_on_its_way(const struct issuer_rotation *r, uint32_t alg)
{
    for (size_t i = 0; i < r->keys->n; i++)
        if (r->keys->v[i]->alg == alg && waits(r, r->keys->v[i]))
            return true;
    return false;
}

/* What signs now stays published for as long as what it signed; what never signed goes at once: if
 * the others are in wrong hands, so is that one. */
static void retire_all(struct issuer_rotation *r)
{
    for (size_t i = 0; i < r->keys->n; i++) {
        const struct signing_key *key = r->keys->v[i];
        if (key->retired_at != 0)
            continue;
        memcpy(r->retired[r->n_retired].kid, key->kid, sizeof key->kid);
        r->retired[r->n_retired++].at = waits(r, key) ? r->now : r->now + ISSUER_KEYS_TOKEN_LIFE;
    }
}

/* How many stay if those retired before `forget` go. */
static size_t count_kept(const struct issuer_rotation *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->keys->n; i++)
        n += r->keys->v[i]->retired_at == 0 || r->keys->v[i]->retired_at >= r->forget;
    return n;
}

static int judge(struct issuer_keys *k, struct err *err)
{
    return issuer_keys_busy(k)
               ? err_set(err, ERR_CONFLICT, "keys are being made: ask again in a moment")
               : 0;
}

struct issuer_rotation *issuer_keys_rotate(struct issuer_keys *k, bool at_once, struct err *err)
{
    if (judge(k, err) < 0)
        return NULL;
    struct issuer_rotation *r = mem_alloc(sizeof *r);
    r->keys = k;
    r->at_once = at_once;
    r->now = wall_seconds(clock_wall());
    r->from = r->now + (at_once ? 0 : issuer_keys_ahead(k));
    r->forget = issuer_keys_forget_time(k);
    for (size_t i = 0; i < ISSUER_KEY_ALGS; i++) {
        const uint32_t alg = issuer_key_algs[i];
        if (k->o.algs & alg && (at_once || !is_on_its_way(r, alg)))
            r->making[r->n++] = issuer_key_begin(k, alg, r->from);
    }
    if (at_once)
        retire_all(r);
    k->rotation = r;
    if (r->n == 0)
        err_set(err, ERR_CONFLICT, "new keys are published already, and sign within a day");
    else if (count_kept(r) + r->n > JWKS_KEYS_MAX)
        err_set(err, ERR_LIMITED, "%d keys are still published: wait until they have retired",
                JWKS_KEYS_MAX);
    else
        return r;
    issuer_rotation_end(&r, false);
    return NULL;
}

int issuer_rotation_make(struct issuer_rotation *r, struct err *err)
{
    for (size_t i = 0; i < r->n; i++) {
        issuer_key_make(r->making[i]);
        if (r->making[i]->err.kind != ERR_NONE) {
            *err = r->making[i]->err;
            return -1;
        }
    }
    return 0;
}

int issuer_rotation_store(struct db *db, struct issuer_rotation *r, struct err *err)
{
    for (size_t i = 0; i < r->n_retired; i++)
        if (signing_key_retire(db, r->retired[i].kid, r->retired[i].at, err) < 0)
            return -1;
    if (signing_key_drop(db, r->forget, err) < 0)
        return -1;
    for (size_t i = 0; i < r->n; i++)
        if (issuer_key_store(db, r->making[i], err) < 0)
            return -1;
    return 0;
}

int64_t issuer_rotation_from(const struct issuer_rotation *r)
{
    return r->from;
}

const struct signing_key *issuer_rotation_at(const struct issuer_rotation *r, size_t i)
{
    return i < r->n ? r->making[i]->key : NULL;
}

void issuer_rotation_end(struct issuer_rotation **rp, bool stored)
{
    struct issuer_rotation *r = *rp;
    *rp = NULL;
    if (r == NULL)
        return;
    struct issuer_keys *k = r->keys;
    if (stored) {
        for (size_t i = 0; i < r->n_retired; i++)
            issuer_keys_mark_retired(k, r->retired[i].kid, r->retired[i].at);
        issuer_keys_forget(k, r->forget);
    }
    for (size_t i = 0; i < r->n; i++) {
        if (stored)
            issuer_keys_take(k, &r->making[i]);
        else
            issuer_key_end(&r->making[i]);
    }
    k->rotation = NULL;
    issuer_keys_render(k);
    free(r);
}
