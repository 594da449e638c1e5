/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random: bytes nobody can guess, from OpenSSL's generator. There is no failure to ignore: if the
 * generator fails the process ends, because nothing here can be right without it.
 */
#ifndef SYS_RANDOM_H
#define SYS_RANDOM_H

#include <stddef.h>

void rng_fill(void *out, size_t n);
/* 16 random bytes as 22 characters of base64url; out has 23. For ids. */
void rng_id(char *out);
/* Tests and the replay harness: another source (NULL: the real one). */
void rng_set_source(void (*fill)(void *ctx, void *out, size_t n), void *ctx);

#endif
