/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>

#include "sys/work.h"

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t open;
    bool is_open;
};

struct job {
    struct gate *gate;
    pthread_t ran_on, done_on;
    int ran, done;
    atomic_int *left;
    struct loop *loop;
};

static void run(void *arg)
{
    struct job *j = arg;
    if (j->gate) {
        pthread_mutex_lock(&j->gate->lock);
        while (!j->gate->is_open)
            pthread_cond_wait(&j->gate->open, &j->gate->lock);
        pthread_mutex_unlock(&j->gate->lock);
    }
    j->ran_on = pthread_self();
    j->ran++;
}

static void done(void *arg)
{
    struct job *j = arg;
    ck_assert_int_eq(j->ran, 1);
    j->done_on = pthread_self();
    j->done++;
    if (j->left && atomic_fetch_sub(j->left, 1) == 1)
        loop_stop(j->loop);
}

static void open_gate(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->is_open = true;
    pthread_cond_broadcast(&g->open);
    pthread_mutex_unlock(&g->lock);
}

START_TEST(done_runs_on_the_loop_that_asked)
{
    enum { N = 2000 };
    static struct job jobs[N];
    struct err err = ERR_INIT;
    struct loop *loop = loop_new(&err);
    struct work *work = work_new(3, N, &err);
    ck_assert_ptr_nonnull(loop);
    ck_assert_ptr_nonnull(work);
    atomic_int left = N;
    for (int i = 0; i < N; i++) {
        jobs[i] = (struct job){.left = &left, .loop = loop};
        ck_assert(work_submit(work, run, loop, done, &jobs[i]));
    }
    loop_run(loop);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(jobs[i].done, 1);
        ck_assert(!pthread_equal(jobs[i].ran_on, pthread_self()));
        ck_assert(pthread_equal(jobs[i].done_on, pthread_self()));
    }
    work_free(&work);
    loop_free(&loop);
}
END_TEST

START_TEST(a_full_queue_refuses_and_nothing_is_called)
{
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct job jobs[8] = {{0}};
    struct err err = ERR_INIT;
    struct loop *loop = loop_new(&err);
    struct work *work = work_new(1, 3, &err);
    ck_assert_ptr_nonnull(loop);
    ck_assert_ptr_nonnull(work);
    int taken = 0;
    for (int i = 0; i < 8; i++) {
        jobs[i].gate = &gate;
        taken += work_submit(work, run, loop, done, &jobs[i]);
    }
    /* Three wait; a fourth is under way if the thread was quick enough to take one. */
    ck_assert_int_ge(taken, 3);
    ck_assert_int_le(taken, 4);
    open_gate(&gate);
    work_free(&work); /* waits for all of them and posts their `done`s */
    ck_assert_ptr_null(work);
    int ran = 0, finished = 0;
    for (int i = 0; i < 8; i++) {
        ran += jobs[i].ran;
        finished += jobs[i].done;
    }
    ck_assert_int_eq(ran, taken);
    ck_assert_int_eq(finished, 0);
    loop_once(loop, 0);
    for (int i = 0; i < 8; i++)
        finished += jobs[i].done;
    ck_assert_int_eq(finished, taken);
    loop_free(&loop);
}
END_TEST

START_TEST(a_job_without_done_is_fine)
{
    struct err err = ERR_INIT;
    struct job job = {0};
    struct work *work = work_new(0, 0, &err); /* at least one of each */
    ck_assert_ptr_nonnull(work);
    ck_assert(work_submit(work, run, NULL, NULL, &job));
    work_free(&work);
    ck_assert_int_eq(job.ran, 1);
    work_free(&work);
}
END_TEST

Suite *suite_work(void);
Suite *suite_work(void)
{
    Suite *s = suite_create("work");
    TCase *t = tcase_create("work");
    tcase_add_test(t, done_runs_on_the_loop_that_asked);
    tcase_add_test(t, a_full_queue_refuses_and_nothing_is_called);
    tcase_add_test(t, a_job_without_done_is_fine);
    suite_add_tcase(s, t);
    return s;
}
