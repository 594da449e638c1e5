/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena: memory that goes away all at once. What a request or a leg touches comes from its arena.
 * Not for growing buffers (buf) and not for secrets (sys/seal). Sizes are bounded where input
 * enters; out of memory aborts, so nothing here returns NULL. One thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/text.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena **a);
/* Forget everything, keep the first block for the next user. */
void arena_reset(struct arena *a);
/* The same, and nothing of what was kept can be found in memory. */
void arena_wipe(struct arena *a);
/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc, returns_nonnull));
/* Copies; dupn and str add a NUL. */
char *arena_dup(struct arena *a, const char *text) __attribute__((returns_nonnull));
char *arena_dupn(struct arena *a, const char *p, size_t n) __attribute__((returns_nonnull));
char *arena_str(struct arena *a, struct str s) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));
char *arena_vprintf(struct arena *a, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0), returns_nonnull));

/* Heap helpers with the same rule: abort instead of NULL. */
void *mem_alloc(size_t n) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *mem_grow(void *p, size_t n) __attribute__((returns_nonnull));
char *mem_dup(const char *text) __attribute__((returns_nonnull));
char *mem_dupn(const char *p, size_t n) __attribute__((returns_nonnull));

#endif
