/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "sys/clock.h"

#define LOG_QUEUE (1024u * 1024) /* bytes waiting for the writer */
#define LOG_LINE 8192u           /* longest line; further fields are left out */
#define LOG_VALUE 512u
#define LOG_FIELDS 48u
#define LOG_CHAIN 16u
#define LOG_PIECE                                                                                  \
    4096u /* PIPE_BUF: a pipe that polls writable takes this much without blocking                 \
           */
#define LOG_WAIT_MS 100
#define LOG_CLOSE_WAITS 10 /* log_close gives a stuck reader this many waits in all */

/* The process's one log. Lines are made on the caller's thread and copied to `fill`; the writer
 * swaps the two buffers, so a slow reader holds up nothing but itself. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    char *fill, *flush; /* LOG_QUEUE bytes each */
    size_t fill_n;
    int fd;
    bool open, closing;
    pthread_t thread;
    atomic_int least;
    atomic_int json; /* -1: ask the terminal; while closed */
    _Atomic uint64_t dropped;
    atomic_bool hurry; /* log_close waits */
    /* the writer's own */
    uint64_t dropped_told;
    int waits;
} log_state = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .more = PTHREAD_COND_INITIALIZER,
    .fd = STDERR_FILENO,
    .least = LOG_INFO,
    .json = -1,
};

static const char *const log_level_names[] = {"debug", "info", "warn", "error"};

/* ---- one line ------------------------------------------------------------------------------- */

struct log_line {
    char p[LOG_LINE];
    size_t n;
    bool over;
};

static void line_add(struct log_line *l, const char *p, size_t n)
{
    if (l->over || n > sizeof l->p - l->n) {
        l->over = true;
        return;
    }
    memcpy(l->p + l->n, p, n);
    l->n += n;
}

static void line_text(struct log_line *l, const char *text)
{
    line_add(l, text, strlen(text));
}

/* What a terminal, a pager or an eye could be fooled by: controls, bidi marks, invisible breaks. */
static bool log_must_escape(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static void line_escape(struct log_line *l, uint32_t c)
{
    char out[16];
    const char *at = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;
    if (!at) {
        if (c < 0x10000)
            snprintf(out, sizeof out, "\\u%04x", (unsigned)c);
        else /* RFC 8259 section 7: a surrogate pair */
            snprintf(out, sizeof out, "\\u%04x\\u%04x", 0xd800u + (unsigned)((c - 0x10000) >> 10),
                     0xdc00u + (unsigned)(c & 0x3ff));
        at = out;
    }
    line_text(l, at);
}

/* A JSON string (RFC 8259 section 7), also what logfmt puts between quotes. */
static void line_quote(struct log_line *l, const char *text)
{
    struct str left = str_of(text);
    size_t used = 0;
    line_text(l, "\"");
    while (left.n > 0) {
        uint32_t c;
        size_t n = text_utf8_next(left, &c);
        if (used + n > LOG_VALUE) {
            line_text(l, "\xe2\x80\xa6"); /* … */
            break;
        }
        if (c == TEXT_MALFORMED)
            line_text(l, "\xef\xbf\xbd"); /* U+FFFD */
        else if (log_must_escape(c))
            line_escape(l, c);
        else {
            if (c == '"' || c == '\\')
                line_text(l, "\\");
            line_add(l, left.p, n);
        }
        left.p += n;
        left.n -= n;
        used += n;
    }
    line_text(l, "\"");
}

/* logfmt leaves plain words without quotes. */
static bool log_plain(const char *text)
{
    size_t n = 0;
    for (; text[n]; n++)
        if (text[n] <= ' ' || text[n] > '~' || strchr("\"=\\", text[n]))
            return false;
    return n > 0 && n <= LOG_VALUE;
}

static void line_field(struct log_line *l, const struct log_field *f, bool json)
{
    char number[32];
    size_t before = l->n;
    if (json) {
        line_text(l, ",\"");
        line_text(l, f->name);
        line_text(l, "\":");
    } else {
        line_text(l, " ");
        line_text(l, f->name);
        line_text(l, "=");
    }
    if (f->type == LOG_F_BOOL)
        line_text(l, f->number ? "true" : "false");
    else if (f->type == LOG_F_INT) {
        snprintf(number, sizeof number, "%lld", (long long)f->number);
        line_text(l, number);
    } else if (!f->text)
        line_text(l, "null");
    else if (!json && log_plain(f->text))
        line_text(l, f->text);
    else
        line_quote(l, f->text);
    if (l->over || l->n > sizeof l->p - 64) { /* leave out the whole field, keep room for the end */
        l->n = before;
        l->over = true;
    }
}

/* A field of an outer context is hidden by one of the same name further in: members are unique. */
static bool log_hidden(const struct log_field *const *all, size_t i, size_t n)
{
    for (size_t k = i + 1; k < n; k++)
        if (strcmp(all[k]->name, all[i]->name) == 0)
            return true;
    return false;
}

static size_t log_collect(const struct log_ctx *ctx, const struct log_field *fields, size_t n,
                          const struct log_field **all)
{
    const struct log_ctx *chain[LOG_CHAIN];
    size_t depth = 0, count = 0;
    for (; ctx && depth < LOG_CHAIN; ctx = ctx->parent)
        chain[depth++] = ctx;
    while (depth-- > 0)
        for (size_t i = 0; i < chain[depth]->n && count < LOG_FIELDS; i++)
            all[count++] = &chain[depth]->fields[i];
    for (size_t i = 0; i < n && count < LOG_FIELDS; i++)
        all[count++] = &fields[i];
    return count;
}

static void line_make(struct log_line *l, bool json, enum log_level level, const char *event,
                      const struct log_field *const *all, size_t count)
{
    char time[32];
    wall_text(clock_wall(), time);
    l->n = 0;
    l->over = false;
    line_text(l, json ? "{\"time\":\"" : "time=");
    line_text(l, time);
    line_text(l, json ? "\",\"level\":\"" : " level=");
    line_text(l, log_level_names[level]);
    line_text(l, json ? "\",\"event\":" : " event=");
    if (json || !log_plain(event))
        line_quote(l, event);
    else
        line_text(l, event);
    for (size_t i = 0; i < count && !l->over; i++)
        if (!log_hidden(all, i, count))
            line_field(l, all[i], json);
    if (l->over) {
        l->over = false;
        line_text(l, json ? ",\"cut\":true" : " cut=true");
    }
    line_text(l, json ? "}\n" : "\n");
}

/* ---- the writer ----------------------------------------------------------------------------- */

/* Waits until fd takes more; once log_close waits too, only for so long. */
static bool log_wait_writable(int fd)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (poll(&p, 1, LOG_WAIT_MS) > 0)
            return true;
        if (atomic_load(&log_state.hurry) && ++log_state.waits > LOG_CLOSE_WAITS)
            return false;
    }
}

static uint64_t count_lines(const char *p, size_t n)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < n; i++)
        lines += p[i] == '\n';
    return lines;
}

/* Whole lines where possible, so that other writers to the same pipe do not split them. Returns how
 * many lines are lost because nobody reads or the disk is full. */
static uint64_t log_put(int fd, const char *p, size_t n)
{
    while (n > 0) {
        size_t piece = n;
        if (piece > LOG_PIECE) {
            const char *end = memrchr(p, '\n', LOG_PIECE);
            piece = end ? (size_t)(end - p) + 1 : LOG_PIECE;
        }
        ssize_t done = log_wait_writable(fd) ? write(fd, p, piece) : -2;
        if (done == -1 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (done < 0)
            return count_lines(p, n);
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static void log_tell_dropped(int fd)
{
    uint64_t dropped = atomic_load(&log_state.dropped);
    if (dropped == log_state.dropped_told)
        return;
    const struct log_field f = LF_INT("lines", dropped - log_state.dropped_told), *all = &f;
    struct log_line l;
    line_make(&l, atomic_load(&log_state.json) == 1, LOG_WARN, "log.dropped", &all, 1);
    if (log_put(fd, l.p, l.n) == 0)
        log_state.dropped_told = dropped;
}

static void *log_main(void *arg)
{
    (void)arg;
    for (;;) {
        pthread_mutex_lock(&log_state.lock);
        while (log_state.fill_n == 0 && !log_state.closing)
            pthread_cond_wait(&log_state.more, &log_state.lock);
        size_t n = log_state.fill_n;
        char *p = log_state.fill;
        log_state.fill = log_state.flush;
        log_state.flush = p;
        log_state.fill_n = 0;
        int fd = log_state.fd;
        pthread_mutex_unlock(&log_state.lock);
        if (n == 0)
            return NULL;
        atomic_fetch_add(&log_state.dropped, log_put(fd, p, n));
        log_tell_dropped(fd);
    }
}

static bool log_is_json(int fd, enum log_format format)
{
    return format == LOG_JSON || (format == LOG_AUTO && !isatty(fd));
}

int log_open(int fd, enum log_format format, enum log_level least, struct err *err)
{
    int r = -1;
    pthread_mutex_lock(&log_state.lock);
    if (log_state.open) {
        (void)err_set(err, ERR_INTERNAL, "the log is open already");
        goto out;
    }
    log_state.fill = mem_alloc(LOG_QUEUE);
    log_state.flush = mem_alloc(LOG_QUEUE);
    log_state.fill_n = 0;
    log_state.fd = fd;
    log_state.closing = false;
    log_state.dropped_told = atomic_load(&log_state.dropped);
    log_state.waits = 0;
    atomic_store(&log_state.hurry, false);
    atomic_store(&log_state.json, log_is_json(fd, format));
    atomic_store(&log_state.least, (int)least);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&log_state.thread, NULL, log_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        (void)err_set(err, ERR_INTERNAL, "cannot start the log's thread: %s", strerror(failed));
        free(log_state.fill);
        free(log_state.flush);
        goto out;
    }
    log_state.open = true;
    r = 0;
out:
    pthread_mutex_unlock(&log_state.lock);
    return r;
}

void log_close(void)
{
    pthread_mutex_lock(&log_state.lock);
    bool was_open = log_state.open;
    log_state.open = false; /* later lines go out directly */
    log_state.closing = true;
    atomic_store(&log_state.hurry, true);
    pthread_cond_signal(&log_state.more);
    pthread_mutex_unlock(&log_state.lock);
    if (!was_open)
        return;
    pthread_join(log_state.thread, NULL);
    atomic_store(&log_state.json, -1);
    free(log_state.fill);
    free(log_state.flush);
    log_state.fill = log_state.flush = NULL;
}

/* ---- writing -------------------------------------------------------------------------------- */

void log_set_level(enum log_level least)
{
    atomic_store(&log_state.least, (int)least);
}

bool log_wanted(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&log_state.least, memory_order_relaxed);
}

void log_write(const struct log_ctx *ctx, enum log_level level, const char *event,
               const struct log_field *fields, size_t n)
{
    if (!log_wanted(level))
        return;
    const struct log_field *all[LOG_FIELDS];
    size_t count = log_collect(ctx, fields, n, all);
    int json = atomic_load_explicit(&log_state.json, memory_order_relaxed);
    struct log_line l;
    line_make(&l, json < 0 ? log_is_json(STDERR_FILENO, LOG_AUTO) : json == 1, level, event, all,
              count);

    pthread_mutex_lock(&log_state.lock);
    if (!log_state.open) {
        pthread_mutex_unlock(&log_state.lock);
        ssize_t done = write(STDERR_FILENO, l.p, l.n);
        if (done < 0)
            atomic_fetch_add(&log_state.dropped, 1);
        return;
    }
    bool wake = log_state.fill_n == 0;
    if (l.n > LOG_QUEUE - log_state.fill_n)
        atomic_fetch_add(&log_state.dropped, 1);
    else {
        memcpy(log_state.fill + log_state.fill_n, l.p, l.n);
        log_state.fill_n += l.n;
    }
    if (wake)
        pthread_cond_signal(&log_state.more);
    pthread_mutex_unlock(&log_state.lock);
}

void log_error(const struct log_ctx *ctx, enum log_level level, const char *event,
               const struct err *e)
{
    if (!log_wanted(level))
        return;
    char where[64] = "";
    if (e->file) {
        const char *slash = strrchr(e->file, '/');
        snprintf(where, sizeof where, "%.40s:%d", slash ? slash + 1 : e->file, e->line);
    }
    const struct log_field fields[] = {
        LF_TEXT("kind", err_kind_name(e->kind)),
        LF_TEXT("error", e->text),
        LF_TEXT("where", where),
    };
    log_write(ctx, level, event, fields, where[0] ? 3 : 2);
}

uint64_t log_dropped(void)
{
    return atomic_load(&log_state.dropped);
}
