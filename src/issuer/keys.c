/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/keys.h"

#include <stdlib.h>

#include "base/arena.h"
#include "issuer/key_parts.h"
#include "store/signing_key.h"
#include "sys/clock.h"
#include "sys/log.h"

#define DOCUMENT_MAX (64u * 1024)

const char *const jwt_typ[JWT_KINDS] = {"at+jwt", "JWT", "logout+jwt"};

const uint32_t issuer_key_algs[] = {JWS_RS256, JWS_ES256, JWS_EDDSA};
#define KNOWN ISSUER_KEY_ALGS
#define ROOM (2 * KNOWN) /* for keys to come */

/* What a tick found to write down. */
struct retiring {
    struct issuer_keys *keys;
    size_t n;
    char kid[JWKS_KEYS_MAX][17];
    int64_t at;
    int64_t forget; /* retired before then: goes */
};

static int64_t now_seconds(void)
{
    return wall_seconds(clock_wall());
}

int64_t issuer_keys_ahead(const struct issuer_keys *k)
{
    return k->o.lifetime / 2 < ISSUER_KEYS_AHEAD ? k->o.lifetime / 2 : ISSUER_KEYS_AHEAD;
}

/* ---- all of them ---- */

void issuer_keys_render(struct issuer_keys *k)
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
    struct jwks *good = jwks_parse(buf_view(&k->document), &err);
    if (!set || !good || !buf_ok(&text) || !buf_ok(&k->document)) /* ours, and never more than 64 */
        abort();
    jwks_free(&k->all);
    jwks_free(&k->good);
    k->all = set;
    k->good = good;
    k->changes++;
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

struct jwks *issuer_keys_published(const struct issuer_keys *k)
{
    return k->good;
}

uint64_t issuer_keys_changes(const struct issuer_keys *k)
{
    return k->changes;
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
    while (i < KNOWN && issuer_key_algs[i] != alg)
        i++;
    return i;
}

void issuer_keys_take(struct issuer_keys *k, struct key_making **m)
{
    struct signing_key *key = issuer_keys_hold((*m)->key);
    log_event(NULL, LOG_INFO, "issuer.key_made", LF_TEXT("kid", key->kid),
              LF_TEXT("alg", jws_alg_name(key->alg)), LF_INT("signs_from", key->active_from));
    put_in(k, key);
    issuer_key_end(m);
}

/* A key whose commit is unknown may lie in the store: the next start will find it, and the next
 * tick makes another. */
static void stored(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct key_making *m = arg;
    struct issuer_keys *k = m->keys;
    k->making[index_of(m->key->alg)] = NULL;
    if (outcome != STORE_DONE) {
        tell_late(err);
        issuer_key_end(&m);
        return;
    }
    issuer_keys_take(k, &m);
    issuer_keys_render(k);
}

static void made(void *arg)
{
    static const struct err busy = {.kind = ERR_LIMITED, .text = "the store's queue is full"};
    struct key_making *m = arg;
    if (m->err.kind != ERR_NONE)
        stored(m, STORE_FAILED, &m->err);
    else if (!store_write(m->keys->o.store, issuer_key_store, m->keys->o.loop, stored, m))
        stored(m, STORE_FAILED, &busy);
}

static void begin(struct issuer_keys *k, uint32_t alg, int64_t active_from)
{
    static const struct err busy = {.kind = ERR_LIMITED, .text = "the workers' queue is full"};
    static const struct err full = {.kind = ERR_LIMITED, .text = "there are too many keys"};
    const size_t i = index_of(alg);
    if (k->making[i] || k->rotation)
        return;
    if (k->n + KNOWN > JWKS_KEYS_MAX) {
        tell_late(&full);
        return;
    }
    k->making[i] = issuer_key_begin(k, alg, active_from);
    if (work_submit(k->o.work, issuer_key_make, k->o.loop, made, k->making[i]))
        return;
    issuer_key_end(&k->making[i]);
    tell_late(&busy);
}

/* At start there is nobody to wait for it elsewhere. */
static int make_now(struct issuer_keys *k, uint32_t alg, struct err *err)
{
    struct key_making *m = issuer_key_begin(k, alg, now_seconds());
    int rc = -1;
    issuer_key_make(m);
    if (m->err.kind != ERR_NONE)
        *err = m->err;
    else if (store_write_now(k->o.store, issuer_key_store, m, err) == STORE_DONE)
        rc = 0;
    if (rc == 0) {
        put_in(k, m->key);
        m->key = NULL;
    }
    issuer_key_end(&m);
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
            key->active_from <= by + issuer_keys_ahead(k))
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
    if (now < due - issuer_keys_ahead(k) || successor(k, cur, due))
        return;
    begin(k, alg, due > now + issuer_keys_ahead(k) ? due : now + issuer_keys_ahead(k));
}

static int write_retired(struct db *db, void *arg, struct err *err)
{
    const struct retiring *r = arg;
    for (size_t i = 0; i < r->n; i++)
        if (signing_key_retire(db, r->kid[i], r->at, err) < 0)
            return -1;
    return signing_key_drop(db, r->forget, err) < 0 ? -1 : 0;
}

void issuer_keys_mark_retired(struct issuer_keys *k, const char *kid, int64_t at)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->v[i]->kid, kid) == 0 && k->v[i]->retired_at == 0) {
            k->v[i]->retired_at = at;
            log_event(NULL, LOG_INFO, "issuer.key_retired", LF_TEXT("kid", kid),
                      LF_TEXT("alg", jws_alg_name(k->v[i]->alg)), LF_INT("published_until", at));
        }
}

/* Where many keys came one after the other, as long as that leaves room for new ones. */
int64_t issuer_keys_forget_time(const struct issuer_keys *k)
{
    const int64_t now = now_seconds();
    int64_t before = now - ISSUER_KEYS_REMEMBERED;
    for (;;) {
        int64_t oldest = now;
        size_t n = 0;
        for (size_t i = 0; i < k->n; i++) {
            const int64_t at = k->v[i]->retired_at;
            n += at == 0 || at >= before;
            oldest = at >= before && at != 0 && at < oldest ? at : oldest;
        }
        if (n + ROOM <= JWKS_KEYS_MAX || oldest >= now)
            return before;
        before = oldest + 1;
    }
}

void issuer_keys_forget(struct issuer_keys *k, int64_t before)
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
            issuer_keys_mark_retired(k, r->kid[i], r->at);
        issuer_keys_forget(k, r->forget);
    }
    issuer_keys_render(k);
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
        .keys = k, .at = now + ISSUER_KEYS_TOKEN_LIFE, .forget = issuer_keys_forget_time(k)};
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
        if (k->o.algs & issuer_key_algs[i])
            renew(k, issuer_key_algs[i]);
    if (!k->writing && !k->rotation)
        retire(k);
    issuer_keys_render(k);
}

/* ---- life ---- */

/* A key that does not open is left where it is: whoever finds the lost key file again has it. */
static int load_one(void *arg, const struct signing_key_row *row, struct err *err)
{
    struct issuer_keys *k = arg;
    struct err why = ERR_INIT;
    struct buf pem;
    const uint32_t alg = jws_alg_by_name(row->alg);
    if (index_of(alg) == KNOWN || strlen(row->kid) >= sizeof k->v[0]->kid || k->n == JWKS_KEYS_MAX)
        return err_set(err, ERR_INTERNAL, "the stored signing keys are not ours");
    struct signing_key *key = issuer_key_new(row->kid, alg);
    key->created = row->created;
    key->active_from = row->active_from;
    key->retired_at = row->retired_at;
    buf_init(&pem, SIGNING_KEY_SEALED_MAX);
    if (signing_key_open(k->o.ring, row, &pem, &why) < 0 ||
        !(key->key = jws_key_pem(buf_view(&pem), &why)) || issuer_key_prepare(key, &why) < 0) {
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
        if (k->o.algs & issuer_key_algs[i] && !issuer_keys_active(k, issuer_key_algs[i]))
            good = make_now(k, issuer_key_algs[i], err) == 0;
    if (good)
        issuer_keys_render(k);
    else
        issuer_keys_free(&k);
    return k;
}

bool issuer_keys_busy(const struct issuer_keys *k)
{
    bool busy = k->writing || k->rotation;
    for (size_t i = 0; i < KNOWN; i++)
        busy = busy || k->making[i];
    return busy;
}

void issuer_keys_free(struct issuer_keys **kp)
{
    struct issuer_keys *k = *kp;
    *kp = NULL;
    if (k == NULL)
        return;
    while (issuer_keys_busy(k))
        loop_once(k->o.loop, 10);
    let_go(k);
    jwks_free(&k->all);
    jwks_free(&k->good);
    buf_deinit(&k->document);
    free(k);
}
