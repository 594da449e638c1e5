/* SPDX-License-Identifier: Apache-2.0 */
#include "fake/fault.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define FAULTS_MAX 64
#define PATHS_MAX 256
#define LAST_MAX 200
#define BODY_KEPT 4096

struct faults {
    pthread_mutex_t lock;
    struct fault v[FAULTS_MAX];
    size_t n;
    struct jval *paths; /* object: path → requests */
    size_t n_paths;
    struct jval *last[LAST_MAX]; /* a ring */
    size_t at;
    uint64_t releases;
};

static const char *const kinds[] = {
    /* how the bytes come */
    "slow", "held", "hang", "silent", "close", "reset", "drip", "truncated", "huge", "endless",
    "gzip-bomb", "many-headers", "long-header", "1xx-flood", "continue", "set-cookie", "no-length",
    "http09", "date",
    /* another answer altogether */
    "http", "html", "redirect",
    /* the right answer, bent */
    "half-json", "type", "form", "duplicate-keys", "nul", "deep", "set", "remove", "bom",
    "trailing", "bad-utf8", "body",
    /* what the protocol says */
    "jwt", "jwks", "discovery", "alg", "param", "param-remove", "param-add", "no-pkce-check",
    "userinfo", NULL};

struct faults *faults_new(void)
{
    struct faults *f = mem_alloc(sizeof *f);

    pthread_mutex_init(&f->lock, NULL);
    f->paths = jval_new_object();
    return f;
}

static void clear(struct faults *f)
{
    f->n = f->n_paths = f->at = 0;
    jval_free(&f->paths);
    for (size_t i = 0; i < LAST_MAX; i++)
        jval_free(&f->last[i]);
}

void faults_free(struct faults **f)
{
    clear(*f);
    pthread_mutex_destroy(&(*f)->lock);
    free(*f);
    *f = NULL;
}

void faults_reset(struct faults *f)
{
    pthread_mutex_lock(&f->lock);
    clear(f);
    f->releases++;
    f->paths = jval_new_object();
    pthread_mutex_unlock(&f->lock);
}

void faults_release(struct faults *f)
{
    pthread_mutex_lock(&f->lock);
    f->releases++;
    pthread_mutex_unlock(&f->lock);
}

bool faults_held(struct faults *f, const struct fault_hits *h)
{
    pthread_mutex_lock(&f->lock);
    const bool held = f->releases == h->releases;
    pthread_mutex_unlock(&f->lock);
    return held;
}

static int take_text(const struct fields *spec, const char *name, char *out, size_t room,
                     struct err *err)
{
    const char *value = NULL;

    if (form_get(spec, name, &value) < 0 || (value && strlen(value) >= room))
        return err_set(err, ERR_INVALID, "%s occurs twice or is too long", name);
    snprintf(out, room, "%s", value ? value : "");
    return 0;
}

static int take_number(const struct fields *spec, const char *name, int64_t otherwise, int64_t *out,
                       struct err *err)
{
    const char *value = NULL;
    const int found = form_get(spec, name, &value);

    *out = otherwise;
    if (found < 0 || (found > 0 && !text_int(str_of(value), out)))
        return err_set(err, ERR_INVALID, "%s is no number", name);
    return 0;
}

/* http500 is short for http with status=500. */
static void spell_out(struct fault *f)
{
    int64_t status;

    if (str_starts(str_of(f->kind), "http") && text_int(str_of(f->kind + 4), &status) &&
        status >= 100) {
        f->status = status;
        snprintf(f->kind, sizeof f->kind, "http");
    }
}

int faults_add(struct faults *f, const struct fields *spec, struct err *err)
{
    struct fault in = {0};
    const char *near;
    bool known = false;

    if (take_text(spec, "path", in.path, sizeof in.path, err) < 0 ||
        take_text(spec, "fault", in.kind, sizeof in.kind, err) < 0 ||
        take_text(spec, "variant", in.variant, sizeof in.variant, err) < 0 ||
        take_text(spec, "name", in.name, sizeof in.name, err) < 0 ||
        take_text(spec, "value", in.value, sizeof in.value, err) < 0 ||
        take_number(spec, "ms", -1, &in.ms, err) < 0 ||
        take_number(spec, "n", -1, &in.n, err) < 0 ||
        take_number(spec, "status", -1, &in.status, err) < 0 ||
        take_number(spec, "retry_after", -1, &in.retry_after, err) < 0 ||
        take_number(spec, "times", 0, &in.times, err) < 0)
        return -1;
    if (!*in.path)
        snprintf(in.path, sizeof in.path, "*");
    spell_out(&in);
    for (size_t i = 0; kinds[i]; i++)
        known = known || strcmp(kinds[i], in.kind) == 0;
    if (!known) {
        near = text_nearest(in.kind, kinds);
        return err_set(err, ERR_INVALID, "there is no fault \"%s\"%s%s", in.kind,
                       near ? "; did you mean " : "", near ? near : "");
    }
    pthread_mutex_lock(&f->lock);
    if (f->n < FAULTS_MAX)
        f->v[f->n++] = in;
    else
        err_set(err, ERR_LIMITED, "too many faults");
    pthread_mutex_unlock(&f->lock);
    return err->kind == ERR_NONE ? 0 : -1;
}

static bool matches(const char *pattern, const char *path)
{
    const size_t n = strlen(pattern);

    if (n > 0 && pattern[n - 1] == '*')
        return strncmp(pattern, path, n - 1) == 0;
    return strcmp(pattern, path) == 0;
}

static struct jval *record(const struct http_request *rq)
{
    struct jval *r = jval_new_object(), *h = jval_new_object();
    char *text;

    jval_set_text(r, "method", rq->method);
    jval_set_text(r, "path", rq->path);
    text = mem_dupn(rq->query.p, rq->query.n);
    jval_set_text(r, "query", text);
    free(text);
    for (size_t i = 0; i < rq->n_headers; i++)
        jval_set_text(h, rq->headers[i].name, rq->headers[i].value);
    jval_set(r, "headers", h);
    text = mem_dupn(rq->body.p, rq->body.n < BODY_KEPT ? rq->body.n : BODY_KEPT);
    jval_set_text(r, "body", text);
    free(text);
    return r;
}

static void count(struct faults *f, const char *path)
{
    int64_t n = 0;

    if (!jval_int(jval_get(f->paths, path), &n) && ++f->n_paths > PATHS_MAX)
        return;
    jval_set_int(f->paths, path, n + 1);
}

void faults_note(struct faults *f, const struct http_request *rq, struct fault_hits *hits)
{
    struct jval *r = record(rq);

    hits->n = 0;
    pthread_mutex_lock(&f->lock);
    hits->releases = f->releases;
    count(f, rq->path);
    jval_free(&f->last[f->at % LAST_MAX]);
    f->last[f->at++ % LAST_MAX] = r;
    for (size_t i = 0; i < f->n && hits->n < FAULT_HITS_MAX;) {
        if (!matches(f->v[i].path, rq->path)) {
            i++;
            continue;
        }
        hits->v[hits->n++] = f->v[i];
        if (f->v[i].times > 0 && --f->v[i].times == 0) {
            memmove(&f->v[i], &f->v[i + 1], (f->n - i - 1) * sizeof f->v[0]);
            f->n--;
        } else {
            i++;
        }
    }
    pthread_mutex_unlock(&f->lock);
}

struct jval *faults_report(struct faults *f)
{
    struct jval *out = jval_new_object(), *last = jval_new_array(), *list = jval_new_array();
    struct jval *paths = jval_new_object();
    void *iter = NULL;
    const char *key;
    const struct jval *value;

    pthread_mutex_lock(&f->lock);
    while (jval_next(f->paths, &iter, &key, &value)) {
        int64_t n = 0;
        (void)jval_int(value, &n);
        jval_set_int(paths, key, n);
    }
    for (size_t i = f->at > LAST_MAX ? f->at - LAST_MAX : 0; i < f->at; i++)
        jval_push(last, jval_ref(f->last[i % LAST_MAX]));
    for (size_t i = 0; i < f->n; i++) {
        struct jval *one = jval_new_object();
        jval_set_text(one, "path", f->v[i].path);
        jval_set_text(one, "fault", f->v[i].kind);
        jval_set_text(one, "variant", f->v[i].variant);
        jval_set_int(one, "times", f->v[i].times);
        jval_push(list, one);
    }
    pthread_mutex_unlock(&f->lock);
    jval_set(out, "paths", paths);
    jval_set(out, "last", last);
    jval_set(out, "faults", list);
    return out;
}

const struct fault *fault_hit(const struct fault_hits *h, const char *kind)
{
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->v[i].kind, kind) == 0)
            return &h->v[i];
    return NULL;
}
