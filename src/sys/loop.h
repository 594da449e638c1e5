/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: one thread's epoll loop: descriptors, timers, and jobs posted from other threads. It drives
 * libmicrohttpd (external epoll), curl_multi and everything else that happens on that thread.
 * Callbacks run on the loop's thread and must not block. Only loop_post and loop_stop may be called
 * from other threads (loop_stop also from a signal handler).
 */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/clock.h"

struct loop;
struct loop_watch;
struct loop_timer;

#define LOOP_READ 1u
#define LOOP_WRITE 2u

struct loop *loop_new(struct err *err) __attribute__((warn_unused_result));
/* Runs the jobs that are left first. Watches and timers must be deleted before; threads that post
 * must have ended. */
void loop_free(struct loop **l);
/* Until loop_stop. Runs posted jobs that are already there before it returns. */
void loop_run(struct loop *l);
/* One round, waiting at most `ms` (-1: until something happens). For tests. */
void loop_once(struct loop *l, int ms);
void loop_stop(struct loop *l);

/* Level-triggered. `events` is what is ready; errors and hang-ups report as both. With no events
 * wanted nothing is reported, hang-ups neither. Delete a watch before closing its descriptor. */
typedef void loop_watch_fn(void *arg, int fd, unsigned events);
/* NULL when the kernel will not watch it (a regular file, a closed descriptor). */
struct loop_watch *loop_watch_add(struct loop *l, int fd, unsigned events, loop_watch_fn *fn,
                                  void *arg);
void loop_watch_set(struct loop_watch *w, unsigned events);
void loop_watch_del(struct loop_watch **w); /* allowed inside any callback */

/* One-shot, made disarmed; (re-)arm with loop_timer_set, ms < 0 disarms. */
typedef void loop_timer_fn(void *arg);
struct loop_timer *loop_timer_add(struct loop *l, loop_timer_fn *fn, void *arg);
void loop_timer_set(struct loop_timer *t, int64_t ms);
void loop_timer_del(struct loop_timer **t); /* allowed inside any callback */

/* Before every wait: returns how long the loop may sleep in ms at most (-1: no opinion); 0 means
 * "call me again at once". libmicrohttpd's MHD_run and MHD_get_timeout live here. */
typedef int64_t loop_prepare_fn(void *arg);
struct loop_prepare;
struct loop_prepare *loop_prepare_add(struct loop *l, loop_prepare_fn *fn, void *arg);
void loop_prepare_del(struct loop_prepare **p);

/* Run fn(arg) on the loop's thread, soon. Any thread. Jobs keep their order; one that posts another
 * does not run it in the same round. */
typedef void loop_job_fn(void *arg);
void loop_post(struct loop *l, loop_job_fn *fn, void *arg);
/* From within a job: it is run once more in the next round, with this `arg`, still before whatever
 * was posted after it. */
void loop_again(struct loop *l, void *arg);
/* Whether jobs wait for their round. Any thread. */
bool loop_pending(struct loop *l);
/* The time this round began; cheap. */
struct mono loop_now(const struct loop *l);
/* Whether this round has taken so long that what can wait should: others are served between
 * rounds. Whoever puts work off for it still does a little, or nothing would ever be done. */
bool loop_late(const struct loop *l);
/* Rounds so far: for whoever does only so much in one. */
uint64_t loop_rounds(const struct loop *l);

#endif
