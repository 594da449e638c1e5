/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "store/signing_key.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/random.h"

#define DOCUMENT_MAX (64u * 1024)

const char *const jwt_typ[JWT_KINDS] = {"at+jwt", "JWT", "logout+jwt"};

static const uint32_t known[] = {JWS_RS256, JWS_ES256, JWS_EDDSA};
#define KNOWN (sizeof known / sizeof *known)

/* A key on its way: made on a thread, stored, then used. */
struct making {
    struct issuer_keys *keys;
    struct signing_key *key;
    struct buf sealed;
    struct err err;
    bool retire; /* what came before signs no more from then on */
};

/* What a tick found to write down. */
struct retiring {
    struct issuer_keys *keys;
    size_t n;
    char kid[JWKS_KEYS_MAX][17];
    int64_t at;
    int64_t forget; /* retired before then: goes */
};

struct issuer_keys {
    struct issuer_keys_options o;
    struct signing_key *v[JWKS_KEYS_MAX]; /* oldest first */
    size_t n;
    struct buf document;
    struct jwks *all;
    struct making *making[KNOWN];
    bool writing; /* a struct retiring is with the store */
};

static int64_t now_seconds(void)
{
    return wall_seconds(clock_wall());
}

static int64_t ahead_of(const struct issuer_keys *k)
{
    return k->o.lifetime / 2 < ISSUER_KEYS_AHEAD ? k->o.lifetime / 2 : ISSUER_KEYS_AHEAD;
}

/* ---- one key ---- */

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

static struct signing_key *key_new(const char *kid, uint32_t alg)
{
    struct signing_key *key = mem_alloc(sizeof *key);
    (void)snprintf(key->kid, sizeof key->kid, "%s", kid);
    key->alg = alg;
    key->refs = 1;
    return key;
}

static int key_prepare(struct signing_key *key, struct err *err)
{
    for (int i = 0; i < JWT_KINDS; i++) {
        const struct jws_head head = {key->alg, key->kid, jwt_typ[i]};
        if (!(key->signer[i] = jws_signer_new(key->key, &head, err)))
            return -1;
    }
    return 0;
}

/* On a thread of its own: an RSA key takes a tenth of a second or more. */
static void make(void *arg)
{
    struct making *m = arg;
    const char *alg = jws_alg_name(m->key->alg);
    struct buf pem;
    buf_init(&pem, SIGNING_KEY_SEALED_MAX);
    m->key->key = jws_key_make(m->key->alg);
    if (!m->key->key)
        err_set(&m->err, ERR_INTERNAL, "a key for %s cannot be made", alg);
    else if (jws_key_save(m->key->key, &pem, &m->err) == 0 && key_prepare(m->key, &m->err) == 0)
        signing_key_seal(m->keys->o.ring, m->key->kid, alg, buf_view(&pem), &m->sealed);
    if (m->err.kind == ERR_NONE && !buf_ok(&m->sealed))
        err_set(&m->err, ERR_INTERNAL, "a key for %s is too long", alg);
    buf_wipe(&pem);
}

static int store_key(struct db *db, void *arg, struct err *err)
{
    const struct making *m = arg;
    const struct signing_key_row row = {.kid = m->key->kid,
                                        .alg = jws_alg_name(m->key->alg),
                                        .sealed = buf_view(&m->sealed),
                                        .created = m->key->created,
                                        .active_from = m->key->active_from};
    return signing_key_add(db, &row, err);
}

static struct making *making_new(struct issuer_keys *k, uint32_t alg, int64_t active_from)
{
    struct making *m = mem_alloc(sizeof *m);
    unsigned char random[8];
    char kid[17];
    rng_fill(random, sizeof random);
    text_hex(random, sizeof random, kid);
    m->keys = k;
    m->key = key_new(kid, alg);
    m->key->created = now_seconds();
    m->key->active_from = active_from;
    buf_init(&m->sealed, SIGNING_KEY_SEALED_MAX);
    return m;
}

static void making_free(struct making *m)
{
    issuer_keys_drop(&m->key);
    buf_deinit(&m->sealed);
    free(m);
}

/* ---- all of them ---- */

static void render(struct issuer_keys *k)
{
    const int64_t now = now_seconds();
    struct err err = ERR_INIT;
    struct buf text;
    struct jval *published = jval_new_object(), *all = jval_new_object();
    struct jval *some = jval_new_array(), *every = jval_new_array();
    for (size_t i = 0; i < k->n; i++) {
        const struct signing_key *key = k->v[i];
        jval_push(every, jws_key_public(key->key, key->alg, key->kid));
        if (key->retired_at == 0 || key->retired_at > now)
            jval_push(some, jws_key_public(key->key, key->alg, key->kid));
    }
    jval_set(published, "keys", some);
    jval_set(all, "keys", every);
    buf_init(&text, DOCUMENT_MAX);
    jval_render(all, &text);
    struct jwks *set = jwks_parse(buf_view(&text), &err);
    buf_clear(&k->document);
    jval_render(published, &k->document);
    if (!set || !buf_ok(&text) || !buf_ok(&k->document)) /* ours, and never more than 64 */
        abort();
    jwks_free(&k->all);
    k->all = set;
    buf_deinit(&text);
    jval_free(&published);
    jval_free(&all);
}

/* By when they begin; of two that begin at once the later made comes later. */
static void put_in(struct issuer_keys *k, struct signing_key *key)
{
    size_t i = k->n++;
    for (; i > 0 && k->v[i - 1]->active_from > key->active_from; i--)
        k->v[i] = k->v[i - 1];
    k->v[i] = key;
}

struct signing_key *issuer_keys_active(struct issuer_keys *k, uint32_t alg)
{
    const int64_t now = now_seconds();
    struct signing_key *first = NULL;
    for (size_t i = k->n; i > 0; i--) {
        struct signing_key *key = k->v[i - 1];
        if (key->alg != alg || key->retired_at != 0)
            continue;
        if (key->active_from <= now)
            return key;
        first = key; /* a clock that went back: better a young key than none */
    }
    return first;
}

uint32_t issuer_keys_algs(const struct issuer_keys *k)
{
    return k->o.algs;
}

struct str issuer_keys_document(const struct issuer_keys *k)
{
    return buf_view(&k->document);
}

struct jwks *issuer_keys_public(const struct issuer_keys *k)
{
    return k->all;
}

const struct signing_key *issuer_keys_at(const struct issuer_keys *k, size_t i)
{
    return i < k->n ? k->v[i] : NULL;
}

/* ---- a new one ---- */

static void tell_late(const struct err *err)
{
    log_error(NULL, LOG_ERROR, "issuer.key_late", err);
}

static size_t index_of(uint32_t alg)
{
    size_t i = 0;
    while (i < KNOWN && known[i] != alg)
        i++;
    return i;
}

/* A key whose commit is unknown may lie in the store: the next start will find it, and the next
 * tick makes another. */
static void stored(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct making *m = arg;
    struct issuer_keys *k = m->keys;
    k->making[index_of(m->key->alg)] = NULL;
    if (outcome != STORE_DONE) {
        tell_late(err);
    } else {
        log_event(NULL, LOG_INFO, "issuer.key_made", LF_TEXT("kid", m->key->kid),
                  LF_TEXT("alg", jws_alg_name(m->key->alg)),
                  LF_INT("signs_from", m->key->active_from));
        put_in(k, m->key);
        m->key = NULL;
        render(k);
    }
    making_free(m);
}

static void made(void *arg)
{
    static const struct err busy = {.kind = ERR_LIMITED, .text = "the store's queue is full"};
    struct making *m = arg;
    if (m->err.kind != ERR_NONE)
        stored(m, STORE_FAILED, &m->err);
    else if (!store_write(m->keys->o.store, store_key, m->keys->o.loop, stored, m))
        stored(m, STORE_FAILED, &busy);
}

static void begin(struct issuer_keys *k, uint32_t alg, int64_t active_from)
{
    static const struct err busy = {.kind = ERR_LIMITED, .text = "the workers' queue is full"};
    static const struct err full = {.kind = ERR_LIMITED, .text = "there are too many keys"};
    const size_t i = index_of(alg);
    if (k->making[i])
        return;
    if (k->n + KNOWN > JWKS_KEYS_MAX) {
        tell_late(&full);
        return;
    }
    k->making[i] = making_new(k, alg, active_from);
    if (work_submit(k->o.work, make, k->o.loop, made, k->making[i]))
        return;
    making_free(k->making[i]);
    k->making[i] = NULL;
    tell_late(&busy);
}

/* At start there is nobody to wait for it elsewhere. */
static int make_now(struct issuer_keys *k, uint32_t alg, struct err *err)
{
    struct making *m = making_new(k, alg, now_seconds());
    int rc = -1;
    make(m);
    if (m->err.kind != ERR_NONE)
        *err = m->err;
    else if (store_write_now(k->o.store, store_key, m, err) == STORE_DONE)
        rc = 0;
    if (rc == 0) {
        put_in(k, m->key);
        m->key = NULL;
    }
    making_free(m);
    return rc;
}

/* ---- what the clock asks for ---- */

/* The next one, if there will be one in time. */
static const struct signing_key *successor(const struct issuer_keys *k,
                                           const struct signing_key *cur, int64_t due)
{
    const int64_t by = due > now_seconds() ? due : now_seconds();
    for (size_t i = 0; i < k->n; i++) {
        const struct signing_key *key = k->v[i];
        if (key->alg == cur->alg && key->retired_at == 0 && key->active_from > cur->active_from &&
            key->active_from <= by + ahead_of(k))
            return key;
    }
    return NULL;
}

static void renew(struct issuer_keys *k, uint32_t alg)
{
    const int64_t now = now_seconds();
    const struct signing_key *cur = issuer_keys_active(k, alg);
    if (!cur) {
        begin(k, alg, now);
        return;
    }
    const int64_t due = cur->active_from + k->o.lifetime;
    if (now < due - ahead_of(k) || successor(k, cur, due))
        return;
    begin(k, alg, due > now + ahead_of(k) ? due : now + ahead_of(k));
}

static int write_retired(struct db *db, void *arg, struct err *err)
{
    const struct retiring *r = arg;
    for (size_t i = 0; i < r->n; i++)
        if (signing_key_retire(db, r->kid[i], r->at, err) < 0)
            return -1;
    return signing_key_drop(db, r->forget, err) < 0 ? -1 : 0;
}

static void mark_retired(struct issuer_keys *k, const char *kid, int64_t at)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->v[i]->kid, kid) == 0) {
            k->v[i]->retired_at = at;
            log_event(NULL, LOG_INFO, "issuer.key_retired", LF_TEXT("kid", kid),
                      LF_TEXT("alg", jws_alg_name(k->v[i]->alg)), LF_INT("published_until", at));
        }
}

static void forget_before(struct issuer_keys *k, int64_t before)
{
    size_t n = 0;
    for (size_t i = 0; i < k->n; i++) {
        if (k->v[i]->retired_at != 0 && k->v[i]->retired_at < before)
            issuer_keys_drop(&k->v[i]);
        else
            k->v[n++] = k->v[i];
    }
    k->n = n;
}

static void wrote_retired(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct retiring *r = arg;
    struct issuer_keys *k = r->keys;
    k->writing = false;
    if (outcome != STORE_DONE) { /* the next tick finds the same */
        tell_late(err);
    } else {
        for (size_t i = 0; i < r->n; i++)
            mark_retired(k, r->kid[i], r->at);
        forget_before(k, r->forget);
    }
    render(k);
    free(r);
}

/* Signs no more: a younger one does, or nobody wants its algorithm. */
static bool is_over(struct issuer_keys *k, const struct signing_key *key)
{
    const struct signing_key *cur = issuer_keys_active(k, key->alg);
    if (key->retired_at != 0)
        return false;
    return !(k->o.algs & key->alg) || (cur != key && key->active_from <= cur->active_from);
}

static void retire(struct issuer_keys *k)
{
    const int64_t now = now_seconds();
    struct retiring *r = mem_alloc(sizeof *r);
    bool old = false;
    *r = (struct retiring){
        .keys = k, .at = now + ISSUER_KEYS_TOKEN_LIFE, .forget = now - ISSUER_KEYS_REMEMBERED};
    for (size_t i = 0; i < k->n; i++) {
        old |= k->v[i]->retired_at != 0 && k->v[i]->retired_at < r->forget;
        if (is_over(k, k->v[i]))
            memcpy(r->kid[r->n++], k->v[i]->kid, sizeof k->v[i]->kid);
    }
    k->writing =
        (r->n > 0 || old) && store_write(k->o.store, write_retired, k->o.loop, wrote_retired, r);
    if (!k->writing)
        free(r);
}

void issuer_keys_tick(struct issuer_keys *k)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (k->o.algs & known[i])
            renew(k, known[i]);
    if (!k->writing)
        retire(k);
    render(k);
}

bool issuer_keys_rotate(struct issuer_keys *k, bool at_once)
{
    const int64_t from = now_seconds() + (at_once ? 0 : ahead_of(k));
    for (size_t i = 0; i < KNOWN; i++)
        if (k->making[i])
            return false;
    for (size_t i = 0; i < KNOWN; i++)
        if (k->o.algs & known[i])
            begin(k, known[i], from);
    return true;
}

/* ---- life ---- */

/* A key that does not open is left where it is: whoever finds the lost key file again has it. */
static int load_one(void *arg, const struct signing_key_row *row, struct err *err)
{
    struct issuer_keys *k = arg;
    struct err why = ERR_INIT;
    struct buf pem;
    const uint32_t alg = jws_alg_by_name(row->alg);
    if (index_of(alg) == KNOWN || strlen(row->kid) >= sizeof k->v[0]->kid ||
        k->n + KNOWN > JWKS_KEYS_MAX)
        return err_set(err, ERR_INTERNAL, "the stored signing keys are not ours");
    struct signing_key *key = key_new(row->kid, alg);
    key->created = row->created;
    key->active_from = row->active_from;
    key->retired_at = row->retired_at;
    buf_init(&pem, SIGNING_KEY_SEALED_MAX);
    if (signing_key_open(k->o.ring, row, &pem, &why) < 0 ||
        !(key->key = jws_key_pem(buf_view(&pem), &why)) || key_prepare(key, &why) < 0) {
        log_error(NULL, LOG_ERROR, "issuer.key_lost", &why);
        issuer_keys_drop(&key);
    } else {
        put_in(k, key);
    }
    buf_wipe(&pem);
    return 0;
}

static void let_go(struct issuer_keys *k)
{
    for (size_t i = 0; i < k->n; i++)
        issuer_keys_drop(&k->v[i]);
    k->n = 0;
}

/* May run again: begins afresh. */
static int load_all(struct db *db, void *arg, struct err *err)
{
    struct issuer_keys *k = arg;
    let_go(k);
    return signing_key_each(db, load_one, k, err);
}

struct issuer_keys *issuer_keys_new(const struct issuer_keys_options *o, struct err *err)
{
    struct issuer_keys *k = mem_alloc(sizeof *k);
    k->o = *o;
    k->o.algs |= JWS_RS256;
    buf_init(&k->document, DOCUMENT_MAX);
    bool good = store_read_now(o->store, load_all, k, err) == STORE_DONE;
    for (size_t i = 0; i < KNOWN && good; i++)
        if (k->o.algs & known[i] && !issuer_keys_active(k, known[i]))
            good = make_now(k, known[i], err) == 0;
    if (good)
        render(k);
    else
        issuer_keys_free(&k);
    return k;
}

void issuer_keys_free(struct issuer_keys **kp)
{
    struct issuer_keys *k = *kp;
    *kp = NULL;
    if (k == NULL)
        return;
    for (size_t i = 0; i < KNOWN; i++)
        while (k->making[i])
            loop_once(k->o.loop, 10);
    while (k->writing)
        loop_once(k->o.loop, 10);
    let_go(k);
    jwks_free(&k->all);
    buf_deinit(&k->document);
    free(k);
}
