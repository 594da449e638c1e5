/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyfile: the file behind a key ring, and the ring as a list of keys. For seal.c only; everybody
 * else uses sys/seal.h.
 *
 * The file is text, one key a line, the newest last: eight hex digits of key id, a blank, 64 hex
 * digits of key, and perhaps a blank and when it was made in seconds since 1970. Empty lines and
 * lines that start with '#' are skipped. keyring_rotate appends a line, keyring_retire deletes one;
 * by hand the same is done before a start. The file must be regular, no symbolic link, owned by us
 * or root, and closed to everybody else.
 *
 * Keys are copied out under a lock, so that a ring may change while others use it; wipe the copy.
 */
#ifndef SYS_KEYFILE_H
#define SYS_KEYFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define KEYFILE_ID 4
#define KEYFILE_KEY 32

struct keyring;

struct keyfile_key {
    unsigned char id[KEYFILE_ID];
    unsigned char prk[32]; /* HKDF-Extract of the key: all that is needed of it */
    int64_t made;          /* seconds since 1970; 0: the file does not say */
};

/* The key that seals: the newest. */
void keyfile_current(const struct keyring *k, struct keyfile_key *out);
/* The key of that id, if there is one. */
bool keyfile_find(const struct keyring *k, const unsigned char id[KEYFILE_ID],
                  struct keyfile_key *out);

#endif
