/* SPDX-License-Identifier: Apache-2.0 */
#include "main/archive.h"

#include <stdlib.h>

#include "base/arena.h"
#include "store/audit_chain.h"
#include "sys/clock.h"
#include "sys/log.h"

#define STEP_MS 60000
#define AGAIN_MS 1000 /* while there is more to let go */
#define ROWS_A_STEP 2000
#define TELL_EVERY_MS ((int64_t)86400 * 1000)

struct archive {
    struct loop *loop;
    struct store *store;
    const struct keep *keep;
    struct loop_timer *timer;
    struct job *trim, *tell; /* under way, or NULL */
    int64_t seconds;
    struct mono told;
    bool told_ever;
};

/* Belongs to the store until it is answered, which may be after the archive is gone. */
struct job {
    struct archive *archive; /* NULL: nobody waits any more */
    int64_t before, now, gone;
    struct audit_head head;
};

static struct job *job_new(struct archive *a)
{
    struct job *j = mem_alloc(sizeof *j);
    j->archive = a;
    j->now = wall_seconds(clock_wall());
    j->before = j->now - a->seconds;
    return j;
}

static bool hand_over(struct job *j, bool queued, const char *what)
{
    if (queued)
        return true;
    log_event(NULL, LOG_WARN, "store.busy", LF_TEXT("job", what));
    free(j);
    return false;
}

/* ---- letting go ------------------------------------------------------------------------------
 */

static int trim_rows(struct db *db, void *arg, struct err *err)
{
    struct job *j = arg;
    j->gone = audit_trim(db, j->before, j->now, ROWS_A_STEP, err);
    return j->gone < 0 ? -1 : 0;
}

static void trimmed(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct job *j = arg;
    if (outcome != STORE_DONE)
        log_error(NULL, LOG_ERROR, "store.sweep_failed", err);
    if (j->archive) {
        j->archive->trim = NULL;
        if (outcome == STORE_DONE && j->gone >= ROWS_A_STEP)
            loop_timer_set(j->archive->timer, AGAIN_MS);
    }
    free(j);
}

static void start_trim(struct archive *a)
{
    struct job *j = job_new(a);
    if (hand_over(j, store_write(a->store, trim_rows, a->loop, trimmed, j), "archive"))
        a->trim = j;
}

/* ---- telling ---------------------------------------------------------------------------------
 */

static int read_head(struct db *db, void *arg, struct err *err)
{
    struct job *j = arg;
    return audit_head_get(db, &j->head, err) < 0 ? -1 : 0;
}

static void head_read(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct job *j = arg;
    char hash[2 * sizeof j->head.hash + 1];
    (void)err; /* the store's error hook has told it */
    if (outcome == STORE_DONE && j->head.n > 0) {
        text_hex(j->head.hash, sizeof j->head.hash, hash);
        log_event(NULL, LOG_INFO, "audit.head", LF_INT("n", j->head.n), LF_TEXT("hash", hash));
    }
    if (j->archive) {
        j->archive->tell = NULL;
        j->archive->told_ever = j->archive->told_ever || outcome == STORE_DONE;
        j->archive->told = loop_now(j->archive->loop);
    }
    free(j);
}

static void start_tell(struct archive *a)
{
    struct job *j = job_new(a);
    if (hand_over(j, store_read(a->store, read_head, a->loop, head_read, j), "archive"))
        a->tell = j;
}

/* ---- life ------------------------------------------------------------------------------------
 */

static void on_step(void *arg)
{
    struct archive *a = arg;
    loop_timer_set(a->timer, STEP_MS);
    if (!a->tell && (!a->told_ever || mono_ms(a->told, loop_now(a->loop)) >= TELL_EVERY_MS))
        start_tell(a);
    if (!a->trim && a->seconds > 0 && !keep_doubts_clock(a->keep))
        start_trim(a);
}

struct archive *archive_new(struct loop *l, struct store *s, const struct keep *k)
{
    struct archive *a = mem_alloc(sizeof *a);
    *a = (struct archive){.loop = l, .store = s, .keep = k};
    a->timer = loop_timer_add(l, on_step, a);
    return a;
}

void archive_start(struct archive *a)
{
    start_tell(a);
    loop_timer_set(a->timer, STEP_MS);
}

void archive_set_keep(struct archive *a, int64_t seconds)
{
    a->seconds = seconds;
}

void archive_stop(struct archive *a)
{
    if (a->trim)
        a->trim->archive = NULL;
    if (a->tell)
        a->tell->archive = NULL;
    a->trim = NULL;
    a->tell = NULL;
    loop_timer_del(&a->timer);
}

void archive_free(struct archive **ap)
{
    if (!*ap)
        return;
    archive_stop(*ap);
    free(*ap);
    *ap = NULL;
}
