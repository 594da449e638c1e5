/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain form, big-endian: version (1), id (16), purpose (1), flags (1), started (8), max_age (8),
 * then six strings, each two bytes of length and its bytes; 0xffff stands for NULL.
 */
#include "login/state.h"

#include <stdlib.h>

#include "base/text.h"
#include "sys/random.h"

#define FORM_VERSION 1
#define ID_LEN 16
#define KEY_ID_LEN 4
#define SEALED_MAX (STATE_MAX / 4 * 3)
#define STRING_NULL 0xffffu
/* How far another replica's clock may be ahead of ours, seconds. */
#define AHEAD_MAX 60

enum flag { FLAG_ISS_REQUIRED = 1, FLAG_NONCE_SENT = 2, FLAG_PKCE_SENT = 4, FLAG_ALL = 7 };

static const char purpose_seal[] = "login state";
static const char purpose_verifier[] = "login verifier";
static const char purpose_nonce[] = "login nonce";

void flow_new_id(unsigned char id[16])
{
    rng_fill(id, ID_LEN);
}

static void put_number(struct buf *b, uint64_t n, unsigned bytes)
{
    while (bytes-- > 0)
        buf_byte(b, (char)(unsigned char)(n >> (8 * bytes)));
}

static void put_string(struct buf *b, const char *text)
{
    size_t n = text ? strlen(text) : STRING_NULL;
    put_number(b, n < STRING_NULL ? n : STRING_NULL, 2);
    if (text)
        buf_add(b, text, n);
}

static void encode(const struct flow *f, const char *return_to, struct buf *b)
{
    unsigned flags = (f->iss_required ? FLAG_ISS_REQUIRED : 0u) |
                     (f->nonce_sent ? FLAG_NONCE_SENT : 0u) | (f->pkce_sent ? FLAG_PKCE_SENT : 0u);
    put_number(b, FORM_VERSION, 1);
    buf_add(b, f->id, ID_LEN);
    put_number(b, f->purpose, 1);
    put_number(b, flags, 1);
    put_number(b, (uint64_t)f->started, 8);
    put_number(b, (uint64_t)f->max_age, 8);
    put_string(b, f->provider);
    put_string(b, return_to);
    put_string(b, f->account);
    put_string(b, f->pending);
    put_string(b, f->carry);
    put_string(b, f->issuer);
}

/* Reads from the front of *s; `bad` stays set once anything was missing. */
static uint64_t get_number(struct str *s, unsigned bytes, bool *bad)
{
    uint64_t n = 0;
    if (s->n < bytes) {
        *bad = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        n = n << 8 | (unsigned char)s->p[i];
    s->p += bytes;
    s->n -= bytes;
    return n;
}

static const char *get_string(struct str *s, struct arena *a, bool *bad)
{
    size_t n = (size_t)get_number(s, 2, bad);
    if (*bad || n == STRING_NULL)
        return NULL;
    if (n > s->n || memchr(s->p, '\0', n)) {
        *bad = true;
        return NULL;
    }
    const char *text = arena_dupn(a, s->p, n);
    s->p += n;
    s->n -= n;
    return text;
}

static int decode(struct str plain, struct arena *a, struct flow *out)
{
    bool bad = plain.n < 1 + ID_LEN || plain.p[0] != FORM_VERSION;
    if (bad)
        return -1;
    memcpy(out->id, plain.p + 1, ID_LEN);
    plain = (struct str){plain.p + 1 + ID_LEN, plain.n - 1 - ID_LEN};
    out->purpose = (uint32_t)get_number(&plain, 1, &bad);
    unsigned flags = (unsigned)get_number(&plain, 1, &bad);
    out->started = (int64_t)get_number(&plain, 8, &bad);
    out->max_age = (int64_t)get_number(&plain, 8, &bad);
    out->provider = get_string(&plain, a, &bad);
    out->return_to = get_string(&plain, a, &bad);
    out->account = get_string(&plain, a, &bad);
    out->pending = get_string(&plain, a, &bad);
    out->carry = get_string(&plain, a, &bad);
    out->issuer = get_string(&plain, a, &bad);
    out->iss_required = flags & FLAG_ISS_REQUIRED;
    out->nonce_sent = flags & FLAG_NONCE_SENT;
    out->pkce_sent = flags & FLAG_PKCE_SENT;
    if (bad || plain.n || (flags & ~(unsigned)FLAG_ALL) || !out->provider || !out->return_to ||
        !out->carry || out->started < 0 || out->max_age < -1)
        return -1;
    return 0;
}

/* Cut `text` to a shorter target that is as safe: first without query and fragment, then the front
 * page of the same origin, then our own. false: nothing left to cut. */
static bool shorten(char *text)
{
    size_t n = strcspn(text, "?#");
    if (text[n]) {
        text[n] = '\0';
        return true;
    }
    const char *authority = strstr(text, "://");
    char *path = authority ? strchr(authority + 3, '/') : strchr(text, '/');
    if (path && path[1]) {
        path[1] = '\0';
        return true;
    }
    if (!authority)
        return false;
    memcpy(text, "/", 2);
    return true;
}

static int seal_once(const struct keyring *k, struct str aad, const struct flow *f,
                     const char *return_to, struct buf *out)
{
    struct buf plain, sealed;
    int rc = -1;
    buf_init(&plain, SEALED_MAX);
    buf_init(&sealed, SEALED_MAX);
    encode(f, return_to, &plain);
    if (!buf_ok(&plain))
        goto out;
    keyring_seal(k, purpose_seal, aad, buf_view(&plain), &sealed);
    if (!buf_ok(&sealed))
        goto out;
    char *text = mem_alloc(text_b64url_len(sealed.n) + 1);
    text_b64url(sealed.p, sealed.n, text);
    buf_text(out, text);
    free(text);
    rc = buf_ok(out) ? 0 : -1;
out:
    buf_wipe(&plain);
    buf_deinit(&sealed);
    return rc;
}

int state_seal(const struct keyring *k, struct str bind, const struct flow *f, struct buf *out,
               struct err *err)
{
    unsigned char aad[32];
    if (bind.n == 0 || !f->provider || !f->return_to || f->purpose > 0xff)
        return err_set(err, ERR_INTERNAL,
                       "state: flow without binding, provider, purpose or target");
    seal_sha256(bind, aad);

    struct flow full = *f;
    if (!full.carry)
        full.carry = "";
    char *return_to = mem_dup(f->return_to);
    int rc = -1;
    do
        rc = seal_once(k, (struct str){(const char *)aad, sizeof aad}, &full, return_to, out);
    while (rc != 0 && shorten(return_to));
    free(return_to);
    return rc == 0 ? 0 : err_set(err, ERR_LIMITED, "state: longer than %d characters", STATE_MAX);
}

struct flow *state_unseal(const struct keyring *k, struct str bind, struct str state, int64_t now,
                          struct arena *a, struct err *err)
{
    unsigned char sealed[SEALED_MAX], aad[32];
    struct flow *f = arena_alloc(a, sizeof *f), *result = NULL;
    struct buf plain;
    size_t n = 0;

    buf_init(&plain, SEALED_MAX);
    if (bind.n == 0) {
        err_set(err, ERR_INVALID, "state: this browser has begun no sign-in");
        goto out;
    }
    if (state.n == 0 || state.n > STATE_MAX ||
        !text_b64url_decode(state, sealed, sizeof sealed, &n)) {
        err_set(err, ERR_INVALID, "state: not one of ours");
        goto out;
    }
    seal_sha256(bind, aad);
    if (keyring_unseal(k, purpose_seal, (struct str){(const char *)aad, sizeof aad},
                       (struct str){(const char *)sealed, n}, &plain, err) != 0) {
        err_context(err, "state");
        goto out;
    }
    if (decode(buf_view(&plain), a, f) != 0) {
        err_set(err, ERR_INVALID, "state: not in a form we know");
        goto out;
    }
    if (f->started > now + AHEAD_MAX || now - f->started > STATE_LIFETIME) {
        err_set(err, ERR_EXPIRED, "state: older than %d seconds, or from the future",
                STATE_LIFETIME);
        goto out;
    }
    result = f;
out:
    buf_wipe(&plain);
    return result;
}

/* 32 bytes that only the sealing key and the flow id lead to, as text. */
static int derive(const struct keyring *k, struct str state, const char *purpose,
                  const unsigned char id[16], char out[44])
{
    /* Eight characters are six bytes, of which the first four name the key. */
    unsigned char head[6], bytes[32];
    size_t n = 0;
    if (state.n < 8 || !text_b64url_decode((struct str){state.p, 8}, head, sizeof head, &n) ||
        n < KEY_ID_LEN)
        return -1;
    if (keyring_derive(k, head, purpose, (struct str){(const char *)id, ID_LEN}, bytes) != 0)
        return -1;
    text_b64url(bytes, sizeof bytes, out);
    seal_wipe(bytes, sizeof bytes);
    return 0;
}

int state_verifier(const struct keyring *k, struct str state, const unsigned char id[16],
                   char out[44])
{
    return derive(k, state, purpose_verifier, id, out);
}

int state_nonce(const struct keyring *k, struct str state, const unsigned char id[16], char out[44])
{
    return derive(k, state, purpose_nonce, id, out);
}

void state_challenge(const char *verifier, char out[44])
{
    unsigned char hash[32];
    seal_sha256(str_of(verifier), hash);
    text_b64url(hash, sizeof hash, out);
}
