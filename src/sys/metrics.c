/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

#define METRICS_SERIES_MAX 400u /* of one metric, "other" not counted */
#define METRICS_VALUE_MAX 120u
#define METRICS_BOUNDS_MAX 32u

const double metrics_latency_bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                         0.5,   1,      2.5,   5,    10,    30,   0};

struct metric_series {
    const struct metric *metric;
    char *values[METRIC_LABELS_MAX]; /* NULL beyond the metric's labels */
    _Atomic int64_t value;           /* of a histogram: the sum in nanoseconds */
    _Atomic uint64_t *buckets;       /* of a histogram: n_bounds + 1, not cumulative */
    size_t n_bounds;
    struct metric_series *next;
};

/* One metric and its series in the order they came. */
struct metric_family {
    const struct metric *metric;
    struct metric_series *first, **end, *other;
    size_t n;
    struct metric_family *next;
};

struct metrics {
    pthread_mutex_t lock; /* the lists; values are atomic */
    struct metric_family *first, **end;
};

struct metrics *metrics_new(void)
{
    struct metrics *m = mem_alloc(sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    m->end = &m->first;
    return m;
}

static void series_free(struct metric_series *s)
{
    for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
        free(s->values[i]);
    free(s->buckets);
    free(s);
}

void metrics_free(struct metrics **metrics)
{
    struct metrics *m = *metrics;
    if (!m)
        return;
    *metrics = NULL;
    while (m->first) {
        struct metric_family *f = m->first;
        m->first = f->next;
        while (f->first) {
            struct metric_series *s = f->first;
            f->first = s->next;
            series_free(s);
        }
        free(f);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* ---- finding and making --------------------------------------------------------------------- */

/* The same name in two files is one metric. */
static struct metric_family *family_get(struct metrics *m, const struct metric *metric)
{
    for (struct metric_family *f = m->first; f; f = f->next)
        if (f->metric == metric || strcmp(f->metric->name, metric->name) == 0)
            return f;
    struct metric_family *f = mem_alloc(sizeof *f);
    f->metric = metric;
    f->end = &f->first;
    *m->end = f;
    m->end = &f->next;
    return f;
}

static struct metric_series *series_find(const struct metric_family *f, const char *const *values)
{
    for (struct metric_series *s = f->first; s; s = s->next) {
        size_t i = 0;
        while (i < METRIC_LABELS_MAX && s->values[i] && strcmp(s->values[i], values[i]) == 0)
            i++;
        if (i == METRIC_LABELS_MAX || !s->values[i])
            return s;
    }
    return NULL;
}

static struct metric_series *series_new(struct metric_family *f, const char *const *values)
{
    struct metric_series *s = mem_alloc(sizeof *s);
    s->metric = f->metric;
    for (size_t i = 0; i < METRIC_LABELS_MAX && f->metric->labels[i]; i++)
        s->values[i] = mem_dup(values[i]);
    if (f->metric->type == METRIC_HISTOGRAM) {
        while (s->n_bounds < METRICS_BOUNDS_MAX && f->metric->bounds[s->n_bounds] > 0)
            s->n_bounds++;
        s->buckets = mem_alloc((s->n_bounds + 1) * sizeof *s->buckets);
    }
    *f->end = s;
    f->end = &s->next;
    return s;
}

struct metric_series *metrics_series(struct metrics *m, const struct metric *metric, const char *v1,
                                     const char *v2, const char *v3)
{
    static const char *const other[METRIC_LABELS_MAX] = {"other", "other", "other"};
    char clean[METRIC_LABELS_MAX][METRICS_VALUE_MAX + 1];
    const char *given[METRIC_LABELS_MAX] = {v1, v2, v3}, *values[METRIC_LABELS_MAX];
    for (size_t i = 0; i < METRIC_LABELS_MAX; i++) {
        (void)text_display(str_of(given[i]), clean[i], METRICS_VALUE_MAX);
        values[i] = clean[i];
    }
    pthread_mutex_lock(&m->lock);
    struct metric_family *f = family_get(m, metric);
    struct metric_series *s = series_find(f, values);
    if (!s && f->n < METRICS_SERIES_MAX) {
        s = series_new(f, values);
        f->n++;
    } else if (!s) {
        s = f->other ? f->other : series_find(f, other);
        f->other = s ? s : series_new(f, other);
        s = f->other;
    }
    pthread_mutex_unlock(&m->lock);
    return s;
}

/* ---- updates -------------------------------------------------------------------------------- */

void metric_add(struct metric_series *s, int64_t n)
{
    if (n > 0 || s->metric->type == METRIC_GAUGE) /* counters never go down */
        atomic_fetch_add_explicit(&s->value, n, memory_order_relaxed);
}

void metric_set(struct metric_series *s, int64_t n)
{
    atomic_store_explicit(&s->value, n, memory_order_relaxed);
}

void metric_observe(struct metric_series *s, double seconds)
{
    if (!s->buckets)
        return;
    if (!(seconds > 0)) /* NaN too */
        seconds = 0;
    if (seconds > 1e6)
        seconds = 1e6;
    size_t i = 0;
    while (i < s->n_bounds && seconds > s->metric->bounds[i])
        i++;
    atomic_fetch_add_explicit(&s->value, (int64_t)(seconds * 1e9), memory_order_relaxed);
    atomic_fetch_add_explicit(&s->buckets[i], 1, memory_order_relaxed);
}

int64_t metric_value(const struct metric_series *s)
{
    if (!s->buckets)
        return atomic_load_explicit(&s->value, memory_order_relaxed);
    uint64_t count = 0;
    for (size_t i = 0; i <= s->n_bounds; i++)
        count += atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
    return (int64_t)count;
}

/* ---- text format 0.0.4 ---------------------------------------------------------------------- */

static void render_escaped(struct buf *out, const char *text, bool quotes)
{
    for (; *text; text++) {
        if (*text == '\n')
            buf_text(out, "\\n");
        else {
            if (*text == '\\' || (quotes && *text == '"'))
                buf_byte(out, '\\');
            buf_byte(out, *text);
        }
    }
}

/* name_suffix{a="1",b="2",le="0.5"}, then a blank. */
static void render_head(struct buf *out, const struct metric_series *s, const char *suffix,
                        const char *le)
{
    const struct metric *m = s->metric;
    char sep = '{';
    buf_text(out, m->name);
    buf_text(out, suffix);
    for (size_t i = 0; i < METRIC_LABELS_MAX && m->labels[i]; i++, sep = ',') {
        buf_byte(out, sep);
        buf_text(out, m->labels[i]);
        buf_text(out, "=\"");
        render_escaped(out, s->values[i], true);
        buf_byte(out, '"');
    }
    if (le) {
        buf_printf(out, "%cle=\"%s\"", sep, le);
        sep = ',';
    }
    buf_text(out, sep == ',' ? "} " : " ");
}

static void render_histogram(struct buf *out, const struct metric_series *s)
{
    /* Adds and counts of other threads may fall between; the next scrape has them. */
    int64_t sum = atomic_load(&s->value);
    uint64_t count = 0;
    for (size_t i = 0; i <= s->n_bounds; i++) {
        struct buf le;
        buf_init(&le, 64);
        if (i < s->n_bounds)
            buf_printf(&le, "%g", s->metric->bounds[i]);
        else
            buf_text(&le, "+Inf");
        count += atomic_load_explicit(&s->buckets[i], memory_order_relaxed);
        render_head(out, s, "_bucket", le.p);
        buf_printf(out, "%llu\n", (unsigned long long)count);
        buf_deinit(&le);
    }
    render_head(out, s, "_sum", NULL);
    buf_printf(out, "%lld.%09lld\n", (long long)(sum / 1000000000), (long long)(sum % 1000000000));
    render_head(out, s, "_count", NULL);
    buf_printf(out, "%llu\n", (unsigned long long)count);
}

void metrics_render(struct metrics *m, struct buf *out)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    pthread_mutex_lock(&m->lock);
    for (const struct metric_family *f = m->first; f; f = f->next) {
        buf_printf(out, "# HELP %s ", f->metric->name);
        render_escaped(out, f->metric->help, false);
        buf_printf(out, "\n# TYPE %s %s\n", f->metric->name, types[f->metric->type]);
        for (const struct metric_series *s = f->first; s; s = s->next) {
            if (f->metric->type == METRIC_HISTOGRAM) {
                render_histogram(out, s);
                continue;
            }
            render_head(out, s, "", NULL);
            buf_printf(out, "%lld\n", (long long)metric_value(s));
        }
    }
    pthread_mutex_unlock(&m->lock);
}
