/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work: a small pool of threads for what may block or take long (store reads, RSA signatures). A
 * finished job's `done` runs on the loop that asked. The queue is bounded: work_submit refuses when
 * it is full, and the caller answers "busy".
 */
#ifndef SYS_WORK_H
#define SYS_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "sys/loop.h"

struct work;
typedef void work_fn(void *arg);

struct work *work_new(unsigned threads, size_t queue_max, struct err *err)
    __attribute__((warn_unused_result));
/* Waits for jobs under way and queued ones; their `done`s are posted. */
void work_free(struct work **w);
/* false: the queue is full, nothing will be called. `done` may be NULL. */
bool work_submit(struct work *w, work_fn *fn, struct loop *loop, loop_job_fn *done, void *arg)
    __attribute__((warn_unused_result));

#endif
