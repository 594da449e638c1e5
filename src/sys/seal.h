/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal: secrets in memory, and sealing with keys of our own. A `struct secret` cannot be printed
 * and is wiped when freed. A key ring holds one current key and older ones; what it seals is
 * key id (4 bytes) || nonce (12) || ciphertext || tag (16), AES-256-GCM, with the purpose and the
 * caller's associated data authenticated. Keys for different purposes are derived with HKDF-SHA256,
 * so one file (mode 0600, made on first start) is all there is to keep. Its format: sys/keyfile.h.
 * Nonces are random, so a key should be replaced before it has sealed 2^32 values.
 */
#ifndef SYS_SEAL_H
#define SYS_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

struct secret;
struct secret *secret_new(const void *p, size_t n);
struct secret *secret_dup(const struct secret *s);
void secret_free(struct secret **s);
bool secret_eq(const struct secret *a, struct str b); /* constant time for equal lengths */
size_t secret_len(const struct secret *s);
/* For the fetcher and the signer only: the bytes, NUL-terminated. */
struct str secret_reveal(const struct secret *s);

bool seal_equal(const void *a, const void *b, size_t n); /* constant time */
void seal_wipe(void *p, size_t n);

void seal_sha256(struct str in, unsigned char out[32]); /* hot path: no allocation */
/* The key must not be empty: that would authenticate nothing, and ends the process. */
void seal_hmac_sha256(struct str key, struct str in, unsigned char out[32]);

struct keyring;
/* Read the key file, or make it (0600) when it does not exist and `create`. Refuses files that
 * others can read or that are no regular file, and keys that are too short. */
struct keyring *keyring_open(const char *path, bool create, struct err *err)
    __attribute__((warn_unused_result));
/* A ring of one key from bytes: tests and the replay harness. */
struct keyring *keyring_fixed(const unsigned char key[32]);
void keyring_free(struct keyring **k);

/* Append the sealed form of `plain` to `out`. */
void keyring_seal(const struct keyring *k, const char *purpose, struct str aad, struct str plain,
                  struct buf *out);
/* Append the plain form. -1 with ERR_INVALID: not ours, altered, other purpose or other aad. */
int keyring_unseal(const struct keyring *k, const char *purpose, struct str aad, struct str sealed,
                   struct buf *out, struct err *err) __attribute__((warn_unused_result));
/* 32 bytes that depend on the key named by `key_id` (of a sealed value), the purpose and `info`. */
int keyring_derive(const struct keyring *k, const unsigned char key_id[4], const char *purpose,
                   struct str info, unsigned char out[32]) __attribute__((warn_unused_result));

/* ---- other keys. A ring may change while other threads use it. ---- */

#define KEYRING_KEYS_MAX 32
struct keyring_key {
    unsigned char id[4];
    int64_t made; /* seconds since 1970; 0: unknown */
    bool current; /* it seals; the others only open */
};
/* The id of the key that seals. */
void keyring_current(const struct keyring *k, unsigned char id[4]);
/* Oldest first; how many. */
size_t keyring_list(const struct keyring *k, struct keyring_key out[KEYRING_KEYS_MAX]);
/* A new key: durably into the file, then into use. Blocks on the disk, so never on a loop. -1: the
 * ring is as it was (a key that nobody uses may be in the file). ERR_CONFLICT: it is full. */
int keyring_rotate(struct keyring *k, int64_t now, struct err *err)
    __attribute__((warn_unused_result));
/* Out of the file, then out of memory; what only this key opens is lost. Never the current one. */
int keyring_retire(struct keyring *k, const unsigned char id[4], struct err *err)
    __attribute__((warn_unused_result));

#endif
