/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock: two clocks that cannot be mixed. `mono` measures intervals; `wall` is what tokens, rows
 * and logs carry. Tests and the replay harness set their own.
 */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdint.h>

struct mono {
    int64_t ns; /* since an arbitrary start; never goes back */
};
struct wall {
    int64_t us; /* since 1970-01-01T00:00:00Z */
};

struct mono clock_mono(void);
struct wall clock_wall(void);
static inline int64_t wall_seconds(struct wall w)
{
    return w.us / 1000000;
}
static inline int64_t mono_ms(struct mono from, struct mono to)
{
    return (to.ns - from.ns) / 1000000;
}
/* "2026-11-20T10:11:12.123Z"; out has 32 bytes. */
void wall_text(struct wall w, char *out);

/* Tests: replace both clocks (NULL: the real ones). Threads read them atomically. */
struct clock_fake {
    struct mono mono;
    struct wall wall;
};
void clock_set_fake(const struct clock_fake *fake);

#endif
