/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: one event, one line: a name from docs/log-events.md and typed fields, on a context that
 * chains request, flow and step. logfmt on a terminal, JSON otherwise. Values are escaped and cut
 * at 512 bytes, so a line can neither be forged nor explode; there is no field type for secrets.
 * Lines go to standard error through a bounded queue and a thread of their own: a slow reader never
 * blocks a loop; what does not fit is counted and the count is logged. Libraries never log; the top
 * of a flow logs once.
 */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_DEBUG = 0, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_AUTO = 0, LOG_LOGFMT, LOG_JSON };

struct log_field {
    const char *name;
    enum { LOG_F_TEXT, LOG_F_INT, LOG_F_BOOL } type;
    const char *text;
    int64_t number;
};
#define LF_TEXT(n, v) ((struct log_field){.name = (n), .type = LOG_F_TEXT, .text = (v)})
#define LF_INT(n, v) ((struct log_field){.name = (n), .type = LOG_F_INT, .number = (int64_t)(v)})
#define LF_BOOL(n, v) ((struct log_field){.name = (n), .type = LOG_F_BOOL, .number = (v) ? 1 : 0})

/* Fields every line below this point carries; lives on the caller's stack or in an arena. */
struct log_ctx {
    const struct log_ctx *parent;
    const struct log_field *fields;
    size_t n;
};

/* Start and stop the writer thread; before log_open and after log_close lines go out directly. */
int log_open(int fd, enum log_format format, enum log_level least, struct err *err)
    __attribute__((warn_unused_result));
void log_close(void);
void log_set_level(enum log_level least); /* any thread */
bool log_wanted(enum log_level level);
void log_write(const struct log_ctx *ctx, enum log_level level, const char *event,
               const struct log_field *fields, size_t n);
/* log_event(ctx, LOG_INFO, "login.done", LF_TEXT("provider", id), LF_INT("ms", ms)); */
#define log_event(ctx, level, event, ...)                                                          \
    do {                                                                                           \
        if (log_wanted(level)) {                                                                   \
            const struct log_field log_f_[] = {__VA_ARGS__};                                       \
            log_write((ctx), (level), (event), log_f_, sizeof log_f_ / sizeof *log_f_);            \
        }                                                                                          \
    } while (0)
/* The same with what an error says: kind and text. */
void log_error(const struct log_ctx *ctx, enum log_level level, const char *event,
               const struct err *e);
/* Lines dropped because the queue was full. */
uint64_t log_dropped(void);

#endif
