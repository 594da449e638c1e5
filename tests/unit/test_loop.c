/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/loop.h"
#include "sys/random.h"

static struct loop *loop;

static void setup(void)
{
    struct err err = ERR_INIT;
    loop = loop_new(&err);
    ck_assert_ptr_nonnull(loop);
}

static void teardown(void)
{
    clock_set_fake(NULL);
    loop_free(&loop);
    ck_assert_ptr_null(loop);
}

static void make_pair(int pair[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
}

static void advance(int64_t ms)
{
    struct clock_fake f = {{clock_mono().ns + ms * 1000000}, {0}};
    clock_set_fake(&f);
}

/* ---- descriptors ---- */

struct seen {
    unsigned events;
    int calls, fd;
};

static void note_events(void *arg, int fd, unsigned events)
{
    struct seen *s = arg;
    s->events = events;
    s->fd = fd;
    s->calls++;
}

START_TEST(watch_is_level_triggered)
{
    int pair[2];
    char c;
    struct seen seen = {0};
    make_pair(pair);
    struct loop_watch *w = loop_watch_add(loop, pair[0], LOOP_READ, note_events, &seen);
    loop_once(loop, 0);
    ck_assert_int_eq(seen.calls, 0);
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    loop_once(loop, -1);
    loop_once(loop, -1);
    ck_assert_int_eq(seen.calls, 2);
    ck_assert_int_eq(seen.fd, pair[0]);
    ck_assert_uint_eq(seen.events, LOOP_READ);
    ck_assert_int_eq(read(pair[0], &c, 1), 1);
    loop_once(loop, 0);
    ck_assert_int_eq(seen.calls, 2);
    loop_watch_set(w, LOOP_WRITE);
    loop_once(loop, -1);
    ck_assert_uint_eq(seen.events, LOOP_WRITE);
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    loop_watch_set(w, LOOP_READ | LOOP_WRITE);
    loop_once(loop, -1);
    ck_assert_uint_eq(seen.events, LOOP_READ | LOOP_WRITE);
    loop_watch_del(&w);
    ck_assert_ptr_null(w);
    loop_watch_del(&w);
    loop_once(loop, 0);
    ck_assert_int_eq(seen.calls, 4);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

START_TEST(hang_up_reports_as_both_but_not_when_nothing_is_wanted)
{
    int pair[2];
    struct seen seen = {0};
    make_pair(pair);
    struct loop_watch *w = loop_watch_add(loop, pair[0], 0, note_events, &seen);
    close(pair[1]);
    loop_once(loop, 5);
    ck_assert_int_eq(seen.calls, 0);
    loop_watch_set(w, LOOP_READ);
    loop_once(loop, -1);
    ck_assert_uint_eq(seen.events, LOOP_READ | LOOP_WRITE);
    loop_watch_set(w, 0);
    loop_once(loop, 5);
    ck_assert_int_eq(seen.calls, 1);
    loop_watch_del(&w);
    close(pair[0]);
}
END_TEST

START_TEST(what_cannot_be_watched_is_refused)
{
    struct seen seen = {0};
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_ptr_null(loop_watch_add(loop, fd, LOOP_READ, note_events, &seen));
    close(fd);
    ck_assert_ptr_null(loop_watch_add(loop, fd, LOOP_READ, note_events, &seen));
}
END_TEST

START_TEST(descriptor_reopened_under_the_same_number_is_watched)
{
    int pair[2], again[2];
    struct seen seen = {0};
    make_pair(pair);
    struct loop_watch *w = loop_watch_add(loop, pair[0], LOOP_READ, note_events, &seen);
    make_pair(again);
    ck_assert_int_eq(dup2(again[0], pair[0]), pair[0]);
    loop_watch_set(w, LOOP_READ | LOOP_WRITE);
    loop_once(loop, 0);
    ck_assert_uint_eq(seen.events, LOOP_WRITE);
    loop_watch_del(&w);
    close(pair[0]);
    close(pair[1]);
    close(again[0]);
    close(again[1]);
}
END_TEST

#define CROWD 40
struct crowd {
    struct loop_watch *w[CROWD];
    int fds[CROWD][2], calls;
};

/* The first one called deletes all and closes all, and opens new ones under the same numbers. */
static void delete_all(void *arg, int fd, unsigned events)
{
    struct crowd *c = arg;
    (void)fd, (void)events;
    c->calls++;
    for (int i = 0; i < CROWD; i++) {
        loop_watch_del(&c->w[i]);
        close(c->fds[i][0]);
        close(c->fds[i][1]);
    }
    for (int i = 0; i < CROWD; i++) {
        make_pair(c->fds[i]);
        c->w[i] = loop_watch_add(loop, c->fds[i][0], LOOP_READ, delete_all, c);
    }
}

START_TEST(watches_deleted_in_a_round_are_not_called_in_it)
{
    struct crowd c = {.calls = 0};
    for (int i = 0; i < CROWD; i++) {
        make_pair(c.fds[i]);
        ck_assert_int_eq(write(c.fds[i][1], "x", 1), 1);
        c.w[i] = loop_watch_add(loop, c.fds[i][0], LOOP_READ, delete_all, &c);
    }
    loop_once(loop, -1);
    ck_assert_int_eq(c.calls, 1);
    loop_once(loop, 0);
    ck_assert_int_eq(c.calls, 1);
    for (int i = 0; i < CROWD; i++) {
        loop_watch_del(&c.w[i]);
        close(c.fds[i][0]);
        close(c.fds[i][1]);
    }
}
END_TEST

/* ---- timers ---- */

struct order {
    int n, ids[64];
};
struct timer_arg {
    struct order *order;
    int id;
    struct loop_timer *timer, **del;
    int64_t again;
};

static void note_timer(void *arg)
{
    struct timer_arg *a = arg;
    a->order->ids[a->order->n++ % 64] = a->id;
    if (a->del)
        loop_timer_del(a->del);
    else if (a->again >= 0)
        loop_timer_set(a->timer, a->again);
}

START_TEST(timers_fire_in_order_once)
{
    static const int64_t due[] = {30, 10, 20, 10, 0};
    static const int expect[] = {4, 1, 3, 2, 0};
    struct order order = {0};
    struct timer_arg args[5];
    advance(1000);
    for (int i = 0; i < 5; i++) {
        args[i] = (struct timer_arg){&order, i, NULL, NULL, -1};
        args[i].timer = loop_timer_add(loop, note_timer, &args[i]);
        loop_timer_set(args[i].timer, due[i]);
    }
    loop_once(loop, 0);
    ck_assert_int_eq(order.n, 1);
    advance(9);
    loop_once(loop, 0);
    ck_assert_int_eq(order.n, 1);
    advance(21);
    loop_once(loop, 0);
    loop_once(loop, 0);
    ck_assert_int_eq(order.n, 5);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(order.ids[i], expect[i]);
        loop_timer_del(&args[i].timer);
    }
}
END_TEST

START_TEST(timer_rearmed_in_its_callback_waits_for_the_next_round)
{
    struct order order = {0};
    struct timer_arg a = {&order, 1, NULL, NULL, 0};
    advance(1);
    a.timer = loop_timer_add(loop, note_timer, &a);
    loop_timer_set(a.timer, 0);
    for (int i = 1; i <= 3; i++) {
        loop_once(loop, -1);
        ck_assert_int_eq(order.n, i);
    }
    loop_timer_set(a.timer, -1);
    loop_once(loop, 0);
    ck_assert_int_eq(order.n, 3);
    loop_timer_set(a.timer, INT64_MAX); /* no overflow: simply never */
    loop_once(loop, 0);
    ck_assert_int_eq(order.n, 3);
    loop_timer_del(&a.timer);
}
END_TEST

START_TEST(timers_may_delete_themselves_and_each_other)
{
    struct order order = {0};
    struct timer_arg a = {&order, 1, NULL, NULL, -1}, b = a, c = a;
    b.id = 2;
    c.id = 3;
    a.timer = loop_timer_add(loop, note_timer, &a);
    b.timer = loop_timer_add(loop, note_timer, &b);
    c.timer = loop_timer_add(loop, note_timer, &c);
    a.del = &b.timer;
    c.del = &c.timer;
    advance(1);
    loop_timer_set(a.timer, 0);
    loop_timer_set(b.timer, 0);
    loop_timer_set(c.timer, 0);
    loop_once(loop, 0);
    ck_assert_int_eq(order.n, 2);
    ck_assert_int_eq(order.ids[0], 1);
    ck_assert_int_eq(order.ids[1], 3);
    ck_assert_ptr_null(b.timer);
    ck_assert_ptr_null(c.timer);
    loop_timer_del(&a.timer);
}
END_TEST

#define MANY 500
struct heap_check {
    struct loop_timer *t[MANY];
    int64_t due[MANY]; /* -1: disarmed */
    int64_t at;
};
struct heap_arg {
    struct heap_check *h;
    int i;
};

static void check_due(void *arg)
{
    struct heap_arg *a = arg;
    ck_assert_int_ge(a->h->due[a->i], 0);
    ck_assert_int_le(a->h->due[a->i], a->h->at);
    a->h->due[a->i] = -1;
}

START_TEST(heap_agrees_with_a_plain_list)
{
    struct heap_check h = {.at = 0};
    struct heap_arg args[MANY];
    advance(1);
    for (int i = 0; i < MANY; i++) {
        args[i] = (struct heap_arg){&h, i};
        h.t[i] = loop_timer_add(loop, check_due, &args[i]);
        h.due[i] = -1;
    }
    for (int round = 0; round < 400; round++) {
        for (int k = 0; k < 20; k++) {
            uint16_t r[2];
            rng_fill(r, sizeof r);
            int i = r[0] % MANY;
            int64_t ms = r[1] % 50 == 0 ? -1 : r[1] % 300;
            loop_timer_set(h.t[i], ms);
            h.due[i] = ms < 0 ? -1 : h.at + ms;
        }
        h.at += 7;
        advance(7);
        loop_once(loop, 0);
        for (int i = 0; i < MANY; i++)
            ck_assert(h.due[i] < 0 || h.due[i] > h.at);
    }
    for (int i = 0; i < MANY; i++)
        loop_timer_del(&h.t[i]);
}
END_TEST

START_TEST(a_timer_ends_the_wait_and_not_too_early)
{
    struct order order = {0};
    struct timer_arg a = {&order, 1, NULL, NULL, -1};
    a.timer = loop_timer_add(loop, note_timer, &a);
    struct mono from = clock_mono();
    loop_timer_set(a.timer, 20);
    while (order.n == 0)
        loop_once(loop, -1);
    ck_assert_int_ge(mono_ms(from, clock_mono()), 20);
    ck_assert_int_ge(loop_now(loop).ns, from.ns + 20 * 1000000);
    loop_timer_del(&a.timer);
}
END_TEST

/* ---- prepares ---- */

struct prep {
    int calls;
    int64_t say;
    struct loop_prepare *self, **del;
};

static int64_t note_prepare(void *arg)
{
    struct prep *p = arg;
    p->calls++;
    if (p->del)
        loop_prepare_del(p->del);
    return p->say;
}

START_TEST(prepares_bound_the_sleep)
{
    struct prep none = {.say = -1}, zero = {.say = 0}, ten = {.say = 10};
    none.self = loop_prepare_add(loop, note_prepare, &none);
    ten.self = loop_prepare_add(loop, note_prepare, &ten);
    struct mono from = clock_mono();
    loop_once(loop, -1);
    ck_assert_int_ge(mono_ms(from, clock_mono()), 10);
    zero.self = loop_prepare_add(loop, note_prepare, &zero);
    for (int i = 0; i < 100; i++)
        loop_once(loop, -1);
    ck_assert_int_eq(zero.calls, 100);
    ck_assert_int_eq(none.calls, 101);
    ck_assert_int_eq(ten.calls, 101);
    zero.del = &none.self; /* a later one deletes an earlier one, then itself */
    loop_once(loop, -1);
    ck_assert_int_eq(none.calls, 102);
    zero.del = &zero.self;
    loop_once(loop, -1);
    ck_assert_int_eq(none.calls, 102);
    loop_once(loop, 0);
    ck_assert_int_eq(zero.calls, 102);
    ck_assert_int_eq(ten.calls, 104);
    loop_prepare_del(&ten.self);
}
END_TEST

/* ---- jobs ---- */

struct post {
    struct loop *to;
    int thread, n;
    struct posts *all;
};
struct posts {
    int done, last[4];
    bool stop_at_end;
};

#define JOBS 20000

static void run_post(void *arg)
{
    struct post *p = arg;
    ck_assert_int_eq(p->all->last[p->thread] + 1, p->n); /* the order of each thread holds */
    p->all->last[p->thread] = p->n;
    if (++p->all->done == 2 * JOBS)
        loop_stop(p->to);
    free(p);
}

static void *poster(void *arg)
{
    struct post *from = arg;
    for (int i = 1; i <= JOBS; i++) {
        struct post *p = malloc(sizeof *p);
        *p = *from;
        p->n = i;
        loop_post(p->to, run_post, p);
    }
    return NULL;
}

START_TEST(jobs_of_two_threads_all_run_in_order)
{
    struct posts all = {0};
    struct post from[2] = {{loop, 0, 0, &all}, {loop, 1, 0, &all}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, poster, &from[i]), 0);
    loop_run(loop);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(all.done, 2 * JOBS);
}
END_TEST

struct chain {
    struct loop *loop;
    int n;
};

static void post_again(void *arg)
{
    struct chain *c = arg;
    if (++c->n < 5)
        loop_post(c->loop, post_again, c);
}

START_TEST(a_job_posted_by_a_job_runs_in_the_next_round)
{
    struct chain c = {loop, 0};
    ck_assert(!loop_pending(loop));
    loop_post(loop, post_again, &c);
    for (int i = 1; i <= 3; i++) {
        ck_assert(loop_pending(loop));
        loop_once(loop, -1);
        ck_assert_int_eq(c.n, i);
    }
    loop_free(&loop); /* the rest of the chain runs here */
    ck_assert_int_eq(c.n, 5);
}
END_TEST

/* ---- rounds that take long ---- */

static int slow_calls;

static void slow_job(void *arg)
{
    ck_assert_int_eq(*(int *)arg, slow_calls); /* in order, put back or not */
    slow_calls++;
    usleep(700);
}

START_TEST(slow_jobs_are_spread_over_rounds)
{
    int numbers[12];
    slow_calls = 0;
    for (int i = 0; i < 12; i++)
        numbers[i] = i;
    for (int i = 0; i < 10; i++)
        loop_post(loop, slow_job, &numbers[i]);
    loop_once(loop, -1);
    ck_assert_int_ge(slow_calls, 2);
    ck_assert_int_le(slow_calls, 3);
    ck_assert(loop_late(loop));
    for (int i = 10; i < 12; i++) /* behind what was put back */
        loop_post(loop, slow_job, &numbers[i]);
    for (int i = 0; i < 20 && slow_calls < 12; i++)
        loop_once(loop, 1000);
    ck_assert_int_eq(slow_calls, 12);
}
END_TEST

static void slow_read(void *arg, int fd, unsigned events)
{
    char byte;
    (void)arg, (void)events;
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    slow_calls++;
    usleep(700);
}

START_TEST(slow_watches_are_spread_over_rounds)
{
    int pair[8][2];
    struct loop_watch *w[8];
    const uint64_t before = loop_rounds(loop);
    slow_calls = 0;
    for (int i = 0; i < 8; i++) {
        make_pair(pair[i]);
        w[i] = loop_watch_add(loop, pair[i][0], LOOP_READ, slow_read, NULL);
        ck_assert_int_eq(write(pair[i][1], "x", 1), 1);
    }
    loop_once(loop, -1);
    ck_assert_int_ge(slow_calls, 2);
    ck_assert_int_le(slow_calls, 3);
    for (int i = 0; i < 20 && slow_calls < 8; i++) /* nobody is forgotten */
        loop_once(loop, 1000);
    ck_assert_int_eq(slow_calls, 8);
    ck_assert_uint_ge(loop_rounds(loop), before + 3);
    for (int i = 0; i < 8; i++) {
        loop_watch_del(&w[i]);
        close(pair[i][0]);
        close(pair[i][1]);
    }
}
END_TEST

START_TEST(stop_before_run_is_honoured_once_and_jobs_still_run)
{
    struct chain c = {loop, 4};
    loop_post(loop, post_again, &c);
    loop_stop(loop);
    loop_run(loop);
    ck_assert_int_eq(c.n, 5);
    struct order order = {0};
    struct timer_arg a = {&order, 1, NULL, NULL, -1};
    a.timer = loop_timer_add(loop, note_timer, &a);
    a.del = &a.timer;
    loop_timer_set(a.timer, 1);
    loop_once(loop, 50); /* takes the leftover wake-up */
    loop_once(loop, 50);
    ck_assert_int_eq(order.n, 1);
}
END_TEST

static struct loop *signalled;
static void on_signal(int number)
{
    (void)number;
    loop_stop(signalled);
}

START_TEST(stop_works_from_a_signal_handler)
{
    struct sigaction act = {.sa_handler = on_signal}, before;
    signalled = loop;
    sigaction(SIGALRM, &act, &before);
    alarm(1);
    loop_run(loop);
    sigaction(SIGALRM, &before, NULL);
}
END_TEST

Suite *suite_loop(void);
Suite *suite_loop(void)
{
    Suite *s = suite_create("loop");
    TCase *t = tcase_create("loop");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, watch_is_level_triggered);
    tcase_add_test(t, hang_up_reports_as_both_but_not_when_nothing_is_wanted);
    tcase_add_test(t, what_cannot_be_watched_is_refused);
    tcase_add_test(t, descriptor_reopened_under_the_same_number_is_watched);
    tcase_add_test(t, watches_deleted_in_a_round_are_not_called_in_it);
    tcase_add_test(t, timers_fire_in_order_once);
    tcase_add_test(t, timer_rearmed_in_its_callback_waits_for_the_next_round);
    tcase_add_test(t, timers_may_delete_themselves_and_each_other);
    tcase_add_test(t, heap_agrees_with_a_plain_list);
    tcase_add_test(t, a_timer_ends_the_wait_and_not_too_early);
    tcase_add_test(t, prepares_bound_the_sleep);
    tcase_add_test(t, jobs_of_two_threads_all_run_in_order);
    tcase_add_test(t, a_job_posted_by_a_job_runs_in_the_next_round);
    tcase_add_test(t, slow_jobs_are_spread_over_rounds);
    tcase_add_test(t, slow_watches_are_spread_over_rounds);
    tcase_add_test(t, stop_before_run_is_honoured_once_and_jobs_still_run);
    tcase_add_test(t, stop_works_from_a_signal_handler);
    suite_add_tcase(s, t);
    return s;
}
