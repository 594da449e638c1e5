/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/health.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define PROVIDERS_MAX 256
#define FAILURES_MAX 8
#define ID_MAX 32
#define DAY 86400

struct failure {
    enum err_kind kind;
    char text[240];
    int64_t count, last;
};

struct entry {
    struct entry *next;
    char id[ID_MAX + 1];
    int64_t last_success, day;
    bool failing; /* the latest one did */
    struct health_day today;
    struct failure failures[FAILURES_MAX]; /* count 0: none */
};

struct health {
    struct entry *first; /* the latest heard of first */
    size_t n;
};

struct health *health_new(void)
{
    return mem_alloc(sizeof(struct health));
}

void health_free(struct health **hp)
{
    struct health *h = *hp;
    if (!h)
        return;
    while (h->first) {
        struct entry *e = h->first;
        h->first = e->next;
        free(e);
    }
    free(h);
    *hp = NULL;
}

static struct entry *find(const struct health *h, const char *id)
{
    struct entry *e = h->first;
    while (e && strcmp(e->id, id) != 0)
        e = e->next;
    return e;
}

/* Taken out of the list: that of `id`, or a new one, or the one nobody heard of for the longest. */
static struct entry *take(struct health *h, const char *id)
{
    struct entry **at = &h->first;
    while (*at && strcmp((*at)->id, id) != 0 && ((*at)->next || h->n < PROVIDERS_MAX))
        at = &(*at)->next;
    struct entry *e = *at;
    if (e) {
        *at = e->next;
    } else {
        e = mem_alloc(sizeof *e);
        h->n++;
    }
    if (strcmp(e->id, id) != 0) {
        memset(e, 0, sizeof *e);
        memcpy(e->id, id, strlen(id) + 1);
    }
    return e;
}

static bool counts(enum err_kind kind)
{
    return kind == ERR_MISCONFIGURED || kind == ERR_UPSTREAM_DOWN || kind == ERR_UPSTREAM_BAD ||
           kind == ERR_INTERNAL;
}

static void add_failure(struct entry *e, const struct err *err, int64_t now)
{
    struct failure *f = &e->failures[0];
    for (size_t i = 0; i < FAILURES_MAX; i++) {
        struct failure *one = &e->failures[i];
        if (one->count > 0 && one->kind == err->kind && strcmp(one->text, err->text) == 0) {
            one->count++;
            one->last = now;
            return;
        }
        if (one->last < f->last)
            f = one;
    }
    *f = (struct failure){.kind = err->kind, .count = 1, .last = now};
    memcpy(f->text, err->text, sizeof f->text);
}

void health_note(struct health *h, const char *provider, const struct err *err, int64_t now)
{
    if (strlen(provider) > ID_MAX || (err && !counts(err->kind)))
        return;
    struct entry *e = take(h, provider);
    e->next = h->first;
    h->first = e;
    if (e->day != now / DAY) {
        e->day = now / DAY;
        e->today = (struct health_day){.signed_in = 0};
    }
    e->failing = err != NULL;
    if (err) {
        e->today.failed++;
        add_failure(e, err, now);
    } else {
        e->today.signed_in++;
        e->last_success = now;
    }
}

static struct health_day day_of(const struct entry *e, int64_t now)
{
    return e && e->day == now / DAY ? e->today : (struct health_day){.signed_in = 0};
}

struct health_day health_today(const struct health *h, const char *provider, int64_t now)
{
    struct health_day all = {.signed_in = 0};
    for (const struct entry *e = h->first; e; e = e->next) {
        if (provider && strcmp(provider, e->id) != 0)
            continue;
        const struct health_day one = day_of(e, now);
        all.signed_in += one.signed_in;
        all.failed += one.failed;
    }
    return all;
}

static const char *state_of(const struct entry *e)
{
    if (!e)
        return "unknown";
    return e->failing ? "failing" : "ok";
}

/* Newest first. */
static struct jval *failures_json(const struct entry *e)
{
    struct jval *all = jval_new_array();
    bool told[FAILURES_MAX] = {false};
    for (size_t n = 0; e && n < FAILURES_MAX; n++) {
        size_t best = FAILURES_MAX;
        for (size_t i = 0; i < FAILURES_MAX; i++)
            if (!told[i] && e->failures[i].count > 0 &&
                (best == FAILURES_MAX || e->failures[i].last > e->failures[best].last))
                best = i;
        if (best == FAILURES_MAX)
            break;
        told[best] = true;
        struct jval *o = jval_new_object();
        jval_set_text(o, "kind", err_kind_name(e->failures[best].kind));
        jval_set_text(o, "text", e->failures[best].text);
        jval_set_int(o, "count", e->failures[best].count);
        jval_set_int(o, "last", e->failures[best].last);
        jval_push(all, o);
    }
    return all;
}

struct jval *health_json(const struct health *h, const char *provider, int64_t now)
{
    const struct entry *e = find(h, provider);
    const struct health_day today = day_of(e, now);
    struct jval *o = jval_new_object();
    jval_set_text(o, "state", state_of(e));
    jval_set(o, "last_success",
             e && e->last_success > 0 ? jval_new_int(e->last_success) : jval_new_null());
    jval_set_int(o, "signed_in_today", today.signed_in);
    jval_set_int(o, "failed_today", today.failed);
    jval_set(o, "failures", failures_json(e));
    return o;
}
