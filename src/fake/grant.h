/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grant: authorization codes and tokens that were given out, with what they stand for. Thread safe;
 * what is handed back is a copy in the caller's arena. Old ones go when their time is over.
 */
#ifndef FAKE_GRANT_H
#define FAKE_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "fake/people.h"

enum grant_kind { GRANT_CODE = 0, GRANT_ACCESS, GRANT_REFRESH };

#define GRANT_CODE_SECONDS 600

struct grant {
    enum grant_kind kind;
    const struct person *person;
    const char *realm, *client, *scope;
    const char *redirect_uri, *challenge, *nonce; /* CODE; "" for none */
    bool offline;                                 /* a refresh token was asked for */
    uint64_t family;                              /* what came of one code */
    int64_t made, auth_time;                      /* seconds */
};

struct grants;
struct grants *grants_new(void);
void grants_free(struct grants **g);
void grants_clear(struct grants *g);
/* Remember, under a new random key of 43 characters. Family 0: a new one. */
void grants_add(struct grants *g, const struct grant *in, char key[44]);
/* 1 and a copy; 0: unknown, ended or too old. */
int grants_find(struct grants *g, enum grant_kind kind, const char *key, struct arena *a,
                struct grant *out);
/* The same, and it cannot be taken again. -1: it was taken before; its whole family has ended. */
int grants_take(struct grants *g, enum grant_kind kind, const char *key, struct arena *a,
                struct grant *out);
/* End every token of this person at this realm and client (Discord's rule for revocation). */
void grants_revoke(struct grants *g, const struct grant *like);

#endif
