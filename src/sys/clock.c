/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

/* The process's one clock; replaced only by tests. */
static atomic_bool clock_faked;
static _Atomic int64_t clock_fake_ns, clock_fake_us;

static struct timespec clock_read(clockid_t id)
{
    struct timespec t = {0};
    clock_gettime(id, &t); /* cannot fail for these two clocks */
    return t;
}

struct mono clock_mono(void)
{
    if (atomic_load_explicit(&clock_faked, memory_order_relaxed))
        return (struct mono){atomic_load(&clock_fake_ns)};
    struct timespec t = clock_read(CLOCK_MONOTONIC);
    return (struct mono){(int64_t)t.tv_sec * 1000000000 + t.tv_nsec};
}

struct wall clock_wall(void)
{
    if (atomic_load_explicit(&clock_faked, memory_order_relaxed))
        return (struct wall){atomic_load(&clock_fake_us)};
    struct timespec t = clock_read(CLOCK_REALTIME);
    return (struct wall){(int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000};
}

void clock_set_fake(const struct clock_fake *fake)
{
    if (fake) {
        atomic_store(&clock_fake_ns, fake->mono.ns);
        atomic_store(&clock_fake_us, fake->wall.us);
    }
    atomic_store(&clock_faked, fake != NULL);
}

void wall_text(struct wall w, char *out)
{
    const int64_t first = -62167219200, last = 253402300799; /* years 0000 to 9999 */
    int64_t seconds = w.us / 1000000, ms = w.us % 1000000;
    if (ms < 0) {
        ms += 1000000;
        seconds--;
    }
    ms /= 1000;
    if (seconds < first || seconds > last) {
        seconds = seconds < first ? first : last;
        ms = 0;
    }
    time_t t = (time_t)seconds;
    struct tm tm;
    gmtime_r(&t, &tm);
    snprintf(out, 32, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(tm.tm_year + 1900) % 10000u,
             (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_mday % 100u,
             (unsigned)tm.tm_hour % 100u, (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u,
             (unsigned)ms % 1000u);
}
