/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: counters, gauges and histograms in Prometheus text format 0.0.4. Each metric is a static
 * `struct metric`; series come into being with their first label values and are bounded per metric
 * (further ones fold into "other"), so labels must not carry people or paths. Updates are atomic
 * and may come from any thread; the hot path keeps the series pointer.
 */
#ifndef SYS_METRICS_H
#define SYS_METRICS_H

#include <stdint.h>

#include "base/buf.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
#define METRIC_LABELS_MAX 3

struct metric {
    const char *name, *help;
    enum metric_type type;
    const char *labels[METRIC_LABELS_MAX]; /* names; NULL where there are fewer */
    const double *bounds;                  /* HISTOGRAM: upper bounds in seconds, 0-ended */
};

struct metrics;
struct metric_series;

struct metrics *metrics_new(void);
void metrics_free(struct metrics **m);
/* Find or make; never NULL. Values beyond the metric's labels are ignored. */
struct metric_series *metrics_series(struct metrics *m, const struct metric *metric, const char *v1,
                                     const char *v2, const char *v3);
void metric_add(struct metric_series *s, int64_t n);
void metric_set(struct metric_series *s, int64_t n);
void metric_observe(struct metric_series *s, double seconds);
int64_t metric_value(const struct metric_series *s);
void metrics_render(struct metrics *m, struct buf *out);
extern const double metrics_latency_bounds[];

#endif
