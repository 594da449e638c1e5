/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: a growing byte buffer that cannot exist without a limit. Going over it sets `over`, keeps
 * what fitted before, and makes every later add a no-op: check once at the end with buf_ok.
 * Always NUL-terminated. Out of memory aborts.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct buf {
    char *p; /* owned; "" when empty */
    size_t n, cap, limit;
    bool over;
};

void buf_init(struct buf *b, size_t limit);
void buf_deinit(struct buf *b);
void buf_wipe(struct buf *b); /* zeroise, then deinit */
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_text(struct buf *b, const char *text);
void buf_str(struct buf *b, struct str s);
void buf_byte(struct buf *b, char c);
void buf_int(struct buf *b, int64_t n);
void buf_b64url(struct buf *b, const void *p, size_t n); /* without padding */
/* Room for so many more, taken at once where they are known to come. */
void buf_room(struct buf *b, size_t more);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buf_ok(const struct buf *b) __attribute__((warn_unused_result));
struct str buf_view(const struct buf *b);
char *buf_take(struct buf *b); /* the bytes are the caller's; the buffer is empty again */

#endif
