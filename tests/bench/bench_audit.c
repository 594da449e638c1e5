/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_audit FOLDER: what a row of the audit costs a login. The store's part of a login
 * (link_write: the identity refreshed, the flow spent, the session and its row of the audit added)
 * runs beside the same with one row more, 16 in flight, every commit synced: the difference is the
 * row. CPU of the whole process and of the kernel for it, where a page more of the write-ahead log
 * is paid for. Medians of rounds that take turns: "row_us 11.3  login_us 142.7".
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "login/link.h"
#include "store/audit.h"
#include "store/store.h"
#include "sys/loop.h"
#include "sys/random.h"

#define ROUNDS 9
#define LOGINS 4000
#define IN_FLIGHT 16
#define PEOPLE 500
#define NOW INT64_C(1800000000)

struct one {
    struct bench *bench;
    struct arena *arena;
    struct link link;
    unsigned char flow[16];
    char id[23], subject[24];
};

struct bench {
    struct store *store;
    struct loop *loop;
    struct one all[IN_FLIGHT];
    int begun, done;
    bool more;
};

static double cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)u.ru_utime.tv_usec +
           (double)u.ru_stime.tv_usec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int sign_in(struct db *db, void *arg, struct err *err)
{
    struct one *o = arg;
    if (link_write(db, &o->link, err) < 0)
        return -1;
    if (!o->bench->more)
        return 0;
    const struct audit_row row = {.at = NOW,
                                  .actor_kind = "account",
                                  .actor = o->link.account.id,
                                  .ip = o->link.row.ip,
                                  .request_id = "0123456789abcdef",
                                  .user_agent = o->link.row.user_agent,
                                  .action = "login.done",
                                  .object = o->link.row.id,
                                  .provider = "google",
                                  .outcome = "done"};
    return audit_add(db, &row, err) < 0 ? -1 : 0;
}

static void begin(struct one *o);

static void signed_in(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct one *o = arg;
    if (outcome != STORE_DONE) {
        fprintf(stderr, "bench_audit: %s\n", err ? err->text : "unknown");
        exit(1);
    }
    o->bench->done++;
    if (o->bench->begun < LOGINS)
        begin(o);
}

static void begin(struct one *o)
{
    arena_reset(o->arena);
    rng_fill(o->flow, sizeof o->flow);
    rng_id(o->id);
    snprintf(o->subject, sizeof o->subject, "11016948447438%07d", o->bench->begun % PEOPLE);
    const struct account_profile p = {.provider = "google",
                                      .subject = o->subject,
                                      .username = "person",
                                      .name = "Person Example",
                                      .email = "person@example.com",
                                      .email_evidence = 2,
                                      .picture = "https://lh3.example.com/a/ACg8ocKx2vJ0mQ7yTz4"};
    o->link =
        (struct link){.flow = o->flow, .flow_expires = NOW + 600, .request_id = "0123456789abcdef"};
    link_refill(&o->link, &p, "pwd", o->arena);
    rng_fill(o->link.row.hash, sizeof o->link.row.hash);
    o->link.row.id = o->id;
    o->link.row.ip = "203.0.113.77";
    o->link.row.user_agent =
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    o->link.row.created = o->link.row.seen = NOW;
    o->link.row.ends = NOW + 86400;
    o->bench->begun++;
    if (!store_write(o->bench->store, sign_in, o->bench->loop, signed_in, o))
        exit(1);
}

/* CPU microseconds a login. */
static double measure(struct bench *b, bool more)
{
    const double before = cpu_us();
    b->begun = b->done = 0;
    b->more = more;
    for (int i = 0; i < IN_FLIGHT; i++)
        begin(&b->all[i]);
    while (b->done < LOGINS)
        loop_once(b->loop, 100);
    return (cpu_us() - before) / LOGINS;
}

int main(int argc, char **argv)
{
    static struct bench b;
    double row[ROUNDS], login[ROUNDS];
    char url[300];
    struct err err = ERR_INIT;
    if (argc != 2 || snprintf(url, sizeof url, "sqlite:%s/bench.db", argv[1]) >= (int)sizeof url)
        return 2;
    b.loop = loop_new(&err);
    b.store = store_open(url, &err);
    if (!b.loop || !b.store) {
        fprintf(stderr, "bench_audit: %s\n", err.text);
        return 1;
    }
    for (int i = 0; i < IN_FLIGHT; i++) {
        b.all[i].bench = &b;
        b.all[i].arena = arena_new();
    }
    (void)measure(&b, false); /* accounts are made */
    for (int i = 0; i < ROUNDS; i++) {
        login[i] = measure(&b, false);
        row[i] = measure(&b, true) - login[i];
    }
    qsort(row, ROUNDS, sizeof *row, by_value);
    qsort(login, ROUNDS, sizeof *login, by_value);
    printf("row_us %.1f  login_us %.1f\n", row[ROUNDS / 2], login[ROUNDS / 2]);
    for (int i = 0; i < IN_FLIGHT; i++)
        arena_free(&b.all[i].arena);
    store_close(&b.store);
    loop_free(&b.loop);
    return 0;
}
