/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report: what became of builds, told to log, metrics, status and whoever asks for a diff. What was
 * wrong is logged when it begins, not again on every reload.
 */
#ifndef LIVE_REPORT_H
#define LIVE_REPORT_H

#include "base/json.h"
#include "live/build.h"
#include "live/live.h"

struct report {
    struct metrics *metrics; /* or NULL */
    struct live_status status;
    struct conf_problems problems;
    struct arena *arena; /* of what status points to, of the last build */
};

void report_init(struct report *r, struct metrics *metrics);
void report_deinit(struct report *r);
void report_unwatched(struct report *r, const char *what);

struct report_args {
    struct build *build;       /* about to be put in force; its problems are taken */
    struct config *config;     /* in force so far */
    struct registry *registry; /* NULL: this is the first */
    struct apps *apps;         /* with it */
    const char *why;
    int64_t ms;
};
void report_build(struct report *r, const struct report_args *args);
/* There was nothing to put in force. */
void report_failed(struct report *r, const char *why, const struct err *err);
void report_status(const struct report *r, struct live_status *out);
/* What live_diff answers, without who is touched; the caller's. */
struct jval *report_diff(const struct build *b, const struct config *config,
                         const struct registry *registry, const struct apps *apps);

#endif
