/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session check costs beyond the HTTP around it, with 1,000 and 1,000,000 sessions, and what
 * a live session takes in memory; what a second of sweeping costs the loop, and a session that
 * makes way for another in a full table. Tokens are asked for in random order, so that a large
 * table misses the processor's caches as it would in life. Medians of several rounds; one line a
 * table size: "sessions 1000000  check_ns 412  sha_ns 95  bytes 371  sweep_us 310  way_us 4".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "session/session.h"
#include "sys/random.h"

#define ROUNDS 5
#define CHECKS 200000

static const char picture[] =
    "https://lh3.example.com/a/ACg8ocKx2vJ0mQ7yTz4nB1sLwP9dR3hF6gE8kU5cV0aNqWiY=s96-c";

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t random_below(size_t n)
{
    uint64_t r;
    rng_fill(&r, sizeof r);
    return (size_t)(r % n);
}

static int fill(struct sessions *t, char (*tokens)[SESSION_TOKEN_LEN + 1], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char id[23], account[23], subject[24], name[32], email[48];
        rng_id(id);
        rng_id(account);
        snprintf(subject, sizeof subject, "11016948447438%07zu", i);
        snprintf(name, sizeof name, "Person Nr %zu", i);
        snprintf(email, sizeof email, "person.%zu@example.com", i);
        struct session_row row = {
            .id = id,
            .account = account,
            .provider = "google",
            .subject = subject,
            .name = name,
            .username = "person",
            .email = email,
            .picture = picture,
            .created = 1000,
            .seen = 1000,
            .ends = 1000000,
        };
        struct err err = ERR_INIT;
        session_token_make(tokens[i], row.hash);
        if (sessions_add(t, &row, &err) < 0) {
            fprintf(stderr, "bench_session: %s\n", err.text);
            return -1;
        }
    }
    return 0;
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

/* As often as main/keep does in a second of the daemon. */
static double sweep_us(struct sessions *t)
{
    double v[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        const double t0 = now_ns();
        (void)sessions_sweep(t, 2000, 16384);
        v[round] = (now_ns() - t0) / 1000;
    }
    return median(v, ROUNDS);
}

static void forget(void *arg, const unsigned char hash[32], int64_t seen)
{
    (void)arg, (void)hash, (void)seen;
}

/* The table is full. */
static double way_us(struct sessions *t, size_t max)
{
    enum { NEW = 1000 };
    static char tokens[NEW][SESSION_TOKEN_LEN + 1];
    while (sessions_take_seen(t, forget, NULL, 100000) > 0)
        ;
    const double t0 = now_ns();
    if (fill(t, tokens, NEW) < 0 || sessions_count(t) != max)
        return -1;
    return (now_ns() - t0) / NEW / 1000;
}

static int measure(size_t n)
{
    struct sessions_options o = {.idle_seconds = 3600, .absolute_seconds = 86400, .max = n};
    struct sessions *t = sessions_new(&o);
    char(*tokens)[SESSION_TOKEN_LEN + 1] = malloc(n * sizeof *tokens);
    size_t *order = malloc(CHECKS * sizeof *order);
    double check[ROUNDS], sha[ROUNDS];
    size_t found = 0;
    int rc = -1;

    if (!tokens || !order || fill(t, tokens, n) < 0)
        goto out;
    double bytes = (double)sessions_bytes(t) / (double)n;
    for (size_t round = 0; round < ROUNDS; round++) {
        /* The order is the caller's memory, read ahead by the processor; the tokens are copied
         * close together, as a request's cookie is in the cache when it is looked at. */
        static char asked[CHECKS][SESSION_TOKEN_LEN + 1];
        for (size_t i = 0; i < CHECKS; i++)
            memcpy(asked[i], tokens[random_below(n)], sizeof asked[i]);
        unsigned char hash[32];
        double t0 = now_ns();
        for (size_t i = 0; i < CHECKS; i++)
            session_token_hash((struct str){asked[i], SESSION_TOKEN_LEN}, hash);
        double t1 = now_ns();
        for (size_t i = 0; i < CHECKS; i++) {
            struct session_view v;
            if (sessions_check(t, (struct str){asked[i], SESSION_TOKEN_LEN}, 2000, &v) == 1 &&
                v.header_user[0] && v.header_email[0] && v.header_name[0])
                found++;
        }
        double t2 = now_ns();
        sha[round] = (t1 - t0) / CHECKS;
        check[round] = (t2 - t1) / CHECKS;
    }
    if (found != (size_t)ROUNDS * CHECKS)
        goto out;
    const double sweep = sweep_us(t);
    printf("sessions %zu  check_ns %.0f  sha_ns %.0f  bytes %.0f  sweep_us %.0f  way_us %.1f\n", n,
           median(check, ROUNDS), median(sha, ROUNDS), bytes, sweep, way_us(t, n));
    rc = 0;
out:
    free(order);
    free(tokens);
    sessions_free(&t);
    return rc;
}

int main(void)
{
    return measure(1000) == 0 && measure(1000000) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
