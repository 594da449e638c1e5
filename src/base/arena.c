/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Under AddressSanitizer what was not handed out is poisoned, so overruns are seen here too. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_GUARD 16
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_GUARD 16
#endif
#ifdef ARENA_GUARD
#include <sanitizer/asan_interface.h>
#else
#define ARENA_GUARD 0
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

/* A request that signs nobody in fits in the first block, so a reset arena never calls malloc. */
#define FIRST_BLOCK 4096u
#define LARGEST_STEP (64u * 1024)
#define ALIGN _Alignof(max_align_t)

struct block {
    struct block *next; /* older */
    size_t size, used;
    _Alignas(max_align_t) char data[];
};

struct arena {
    struct block *top;
    struct block *first;
    size_t given;
};

void *mem_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    if (!p)
        abort();
    return p;
}

void *mem_grow(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p)
        abort();
    return p;
}

char *mem_dup(const char *text)
{
    return mem_dupn(text, strlen(text));
}

char *mem_dupn(const char *p, size_t n)
{
    if (n == SIZE_MAX)
        abort();
    char *copy = malloc(n + 1);
    if (!copy)
        abort();
    if (n)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

static struct block *block_new(size_t size, struct block *next)
{
    struct block *b = malloc(sizeof(*b) + size);
    if (!b)
        abort();
    b->next = next;
    b->size = size;
    b->used = 0;
    ASAN_POISON_MEMORY_REGION(b->data, b->size);
    return b;
}

static void block_free(struct block *b)
{
    ASAN_UNPOISON_MEMORY_REGION(b->data, b->size);
    free(b);
}

struct arena *arena_new(void)
{
    struct arena *a = mem_alloc(sizeof(*a));
    a->first = a->top = block_new(FIRST_BLOCK - sizeof(struct block), NULL);
    return a;
}

static void arena_drop(struct arena *a)
{
    while (a->top != a->first) {
        struct block *next = a->top->next;
        block_free(a->top);
        a->top = next;
    }
}

void arena_free(struct arena **a)
{
    if (!*a)
        return;
    arena_drop(*a);
    block_free((*a)->first);
    free(*a);
    *a = NULL;
}

void arena_reset(struct arena *a)
{
    arena_drop(a);
    a->first->used = 0;
    a->given = 0;
    ASAN_POISON_MEMORY_REGION(a->first->data, a->first->size);
}

void arena_wipe(struct arena *a)
{
    for (struct block *b = a->top; b; b = b->next) {
        ASAN_UNPOISON_MEMORY_REGION(b->data, b->size);
        explicit_bzero(b->data, b->used);
    }
    arena_reset(a);
}

size_t arena_used(const struct arena *a)
{
    return a->given;
}

/* A block of its own for what is large: it goes below the top, whose rest stays in use. */
static char *arena_take_large(struct arena *a, size_t need)
{
    struct block *b = block_new(need, a->top->next);
    if (a->top == a->first) { /* the first block stays at the bottom */
        b->next = a->top;
        a->top = b;
    } else {
        a->top->next = b;
    }
    b->used = need;
    return b->data;
}

static char *arena_take(struct arena *a, size_t n)
{
    if (n > SIZE_MAX / 4)
        abort();
    size_t need = (n + ARENA_GUARD + ALIGN - 1) & ~(ALIGN - 1);
    struct block *b = a->top;
    char *p;
    if (need <= b->size - b->used) {
        p = b->data + b->used;
        b->used += need;
    } else if (need > LARGEST_STEP / 4) {
        p = arena_take_large(a, need);
    } else {
        size_t step = b->size * 2 < LARGEST_STEP ? b->size * 2 : LARGEST_STEP;
        a->top = block_new(step > need ? step : need, a->top);
        a->top->used = need;
        p = a->top->data;
    }
    a->given += n;
    ASAN_UNPOISON_MEMORY_REGION(p, n);
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    char *p = arena_take(a, n);
    memset(p, 0, n);
    return p;
}

char *arena_dup(struct arena *a, const char *text)
{
    return arena_dupn(a, text, strlen(text));
}

char *arena_dupn(struct arena *a, const char *p, size_t n)
{
    if (n == SIZE_MAX)
        abort();
    char *copy = arena_take(a, n + 1);
    if (n)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

char *arena_str(struct arena *a, struct str s)
{
    return arena_dupn(a, s.p, s.n);
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *text = arena_vprintf(a, format, ap);
    va_end(ap);
    return text;
}

char *arena_vprintf(struct arena *a, const char *format, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    char small[256];
    int n = vsnprintf(small, sizeof(small), format, ap);
    if (n < 0)
        abort(); /* longer than INT_MAX: no caller means that */
    char *text = arena_take(a, (size_t)n + 1);
    if ((size_t)n < sizeof(small))
        memcpy(text, small, (size_t)n + 1);
    else
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}
