/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

#define FIRST 256 /* bytes: most of what is put together for a request, without growing */

/* What an empty buffer points to. Never written: cap 0 says that nothing is owned. */
static char *buf_nothing(void)
{
    return (char *)"";
}

void buf_init(struct buf *b, size_t limit)
{
    /* One byte is for the NUL, and growing doubles: sizes stay far away from overflow. */
    *b = (struct buf){.p = buf_nothing(), .limit = limit < SIZE_MAX / 4 ? limit : SIZE_MAX / 4};
}

void buf_deinit(struct buf *b)
{
    if (b->cap)
        free(b->p);
    buf_init(b, b->limit);
}

void buf_wipe(struct buf *b)
{
    if (b->cap)
        explicit_bzero(b->p, b->cap);
    buf_deinit(b);
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->over = false;
    if (b->cap)
        b->p[0] = '\0';
}

/* Room for `more` bytes and a NUL; false when that is over the limit. */
static bool buf_reserve(struct buf *b, size_t more)
{
    if (b->over || more > b->limit - b->n) {
        b->over = true;
        return false;
    }
    size_t need = b->n + more + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap * 2 : FIRST;
    if (cap < need)
        cap = need;
    if (cap > b->limit + 1)
        cap = b->limit + 1;
    /* Not realloc: it may leave a copy behind that buf_wipe cannot reach. */
    char *p = mem_grow(NULL, cap);
    memcpy(p, b->p, b->n + 1);
    if (b->cap) {
        explicit_bzero(b->p, b->cap);
        free(b->p);
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0 || !buf_reserve(b, n))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

void buf_byte(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_room(struct buf *b, size_t more)
{
    if (more <= b->limit - b->n) /* else whoever adds that much is told */
        (void)buf_reserve(b, more);
}

void buf_int(struct buf *b, int64_t n)
{
    char text[20], *p = text + sizeof text;
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
    do
        *--p = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (n < 0)
        *--p = '-';
    buf_add(b, p, (size_t)(text + sizeof text - p));
}

void buf_b64url(struct buf *b, const void *p, size_t n)
{
    const size_t length = text_b64url_len(n);
    if (!buf_reserve(b, length))
        return;
    text_b64url(p, n, b->p + b->n); /* with its NUL, for which there is room */
    b->n += length;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    char small[256];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(small, sizeof(small), format, ap);
    va_end(ap);
    if (n < 0) { /* longer than INT_MAX */
        b->over = true;
    } else if ((size_t)n < sizeof(small)) {
        buf_add(b, small, (size_t)n);
    } else if (buf_reserve(b, (size_t)n)) {
        va_start(ap, format);
        vsnprintf(b->p + b->n, (size_t)n + 1, format, ap);
        va_end(ap);
        b->n += (size_t)n;
    }
}

bool buf_ok(const struct buf *b)
{
    return !b->over;
}

struct str buf_view(const struct buf *b)
{
    return (struct str){b->p, b->n};
}

char *buf_take(struct buf *b)
{
    char *p = b->cap ? b->p : mem_dup("");
    buf_init(b, b->limit);
    return p;
}
