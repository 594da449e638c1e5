/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyfile: the file behind a key ring, and the ring as a list of keys. For seal.c only; everybody
 * else uses sys/seal.h.
 *
 * The file is text, one key a line, the newest last: eight hex digits of key id, a blank, 64 hex
 * digits of key. Empty lines and lines that start with '#' are skipped. To rotate, append a line
 * and restart; to retire a key, delete its line once nothing sealed with it matters any more.
 * The file must be regular, no symbolic link, owned by us or root, and closed to everybody else.
 */
#ifndef SYS_KEYFILE_H
#define SYS_KEYFILE_H

#include "base/err.h"

#define KEYFILE_ID 4
#define KEYFILE_KEY 32
#define KEYFILE_KEYS_MAX 32

struct keyring;

struct keyfile_key {
    unsigned char id[KEYFILE_ID];
    unsigned char prk[32]; /* HKDF-Extract of the key: all that is needed of it */
};

/* The key that seals: the newest. Borrowed. */
const struct keyfile_key *keyfile_current(const struct keyring *k);
/* The key of that id, NULL if there is none. Borrowed. */
const struct keyfile_key *keyfile_find(const struct keyring *k, const unsigned char id[KEYFILE_ID]);

#endif
