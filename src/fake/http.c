/* SPDX-License-Identifier: Apache-2.0 */
#include "fake/http.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/origin.h"
#include "sys/clock.h"

#define IDLE_MS 120000
#define STACK (256u * 1024)
#define BACKLOG 4096

struct http_server {
    int fd, stop; /* stop: an eventfd that becomes readable */
    char base[100];
    http_handler *handler;
    void *ctx;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock;
    pthread_cond_t gone;
    unsigned live;
    struct http_conn *done; /* their threads are to be joined */
};

struct http_conn {
    struct http_server *s;
    struct http_conn *next; /* in s->done */
    pthread_t thread;
    int fd;
    char *in; /* what was read and not used yet */
    size_t n, cap;
};

static const char *field_of(const struct fields *f, const char *name)
{
    const char *value = NULL;

    return form_get(f, name, &value) == 1 ? value : NULL;
}

const char *http_query(const struct http_request *rq, const char *name)
{
    return field_of(&rq->fields, name);
}

const char *http_form(const struct http_request *rq, const char *name)
{
    return rq->has_form ? field_of(&rq->form, name) : NULL;
}

const char *http_request_header(const struct http_request *rq, const char *name)
{
    for (size_t i = 0; i < rq->n_headers; i++)
        if (strcmp(rq->headers[i].name, name) == 0)
            return rq->headers[i].value;
    return NULL;
}

/* ---- answering ------------------------------------------------------------------------------ */

void http_reply_init(struct http_reply *r)
{
    *r = (struct http_reply){.status = 200};
    buf_init(&r->headers, 1u << 20);
    buf_init(&r->body, 64u << 20);
}

void http_reply_deinit(struct http_reply *r)
{
    buf_deinit(&r->headers);
    buf_deinit(&r->body);
}

void http_reply_header(struct http_reply *r, const char *name, const char *value)
{
    buf_printf(&r->headers, "%s: %s\r\n", name, value);
}

const char *http_reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 302:
        return "Found";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 415:
        return "Unsupported Media Type";
    case 429:
        return "Too Many Requests";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    default:
        return "Status";
    }
}

void http_head(const struct http_reply *r, int64_t length, struct buf *out)
{
    buf_printf(out, "HTTP/1.1 %d %s\r\n", r->status, http_reason(r->status));
    if (r->type)
        buf_printf(out, "Content-Type: %s\r\n", r->type);
    if (length >= 0)
        buf_printf(out, "Content-Length: %lld\r\n", (long long)length);
    if (r->close)
        buf_text(out, "Connection: close\r\n");
    buf_str(out, buf_view(&r->headers));
    buf_text(out, "\r\n");
}

bool http_reply_send(struct http_conn *c, const struct http_request *rq, const struct http_reply *r)
{
    struct buf out;
    bool sent;

    buf_init(&out, 66u << 20);
    http_head(r, (int64_t)r->body.n, &out);
    if (strcmp(rq->method, "HEAD") != 0)
        buf_str(&out, buf_view(&r->body));
    sent = buf_ok(&out) && http_write(c, out.p, out.n);
    buf_deinit(&out);
    return sent && !r->close;
}

bool http_write(struct http_conn *c, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        struct pollfd wait[2] = {{.fd = c->fd, .events = POLLOUT},
                                 {.fd = c->s->stop, .events = POLLIN}};
        ssize_t k = send(c->fd, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (k > 0) {
            at += k;
            n -= (size_t)k;
        } else if (k < 0 && errno != EAGAIN && errno != EINTR) {
            return false;
        } else if (poll(wait, 2, IDLE_MS) <= 0 || wait[1].revents) {
            return false;
        }
    }
    return true;
}

bool http_sleep(struct http_conn *c, int64_t ms)
{
    const struct mono start = clock_mono();

    for (;;) {
        struct pollfd wait[2] = {{.fd = c->fd, .events = POLLRDHUP},
                                 {.fd = c->s->stop, .events = POLLIN}};
        const int64_t left = ms < 0 ? 600000 : ms - mono_ms(start, clock_mono());

        if (left <= 0)
            return true;
        if (poll(wait, 2, (int)(left < 600000 ? left : 600000)) > 0 &&
            (wait[0].revents || wait[1].revents))
            return false;
    }
}

void http_reset(struct http_conn *c)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool receive(struct http_conn *c)
{
    struct pollfd wait[2] = {{.fd = c->fd, .events = POLLIN}, {.fd = c->s->stop, .events = POLLIN}};
    ssize_t k;

    if (c->n + 4096 > c->cap) {
        c->cap = c->cap ? c->cap * 2 : 8192;
        c->in = mem_grow(c->in, c->cap);
    }
    do {
        k = recv(c->fd, c->in + c->n, c->cap - c->n, MSG_DONTWAIT);
        if (k > 0) {
            c->n += (size_t)k;
            return true;
        }
        if (k == 0 || (errno != EAGAIN && errno != EINTR))
            return false;
    } while (poll(wait, 2, IDLE_MS) > 0 && !wait[1].revents);
    return false;
}

/* -1: this is no HTTP/1.1 that we understand. */
static int parse_head(struct http_request *rq, struct str head)
{
    struct field *h = arena_alloc(rq->arena, HTTP_FIELDS_MAX * sizeof *h);
    struct str line, method, target;
    const char *path;
    const char *mark;
    size_t n = 0;

    if (!str_split(&head, '\n', &line) || !str_split(&line, ' ', &method) ||
        !str_split(&line, ' ', &target) || !str_starts(line, "HTTP/1."))
        return -1;
    rq->method = arena_str(rq->arena, method);
    mark = memchr(target.p, '?', target.n);
    if (mark) {
        rq->query = (struct str){mark + 1, target.n - (size_t)(mark + 1 - target.p)};
        target.n = (size_t)(mark - target.p);
    }
    if (form_unescape(rq->arena, target, &path, &n) < 0)
        return -1;
    rq->path = path;
    rq->headers = h;
    while (str_split(&head, '\n', &line)) {
        struct str name;

        line = str_trim(
            (struct str){line.p, line.n > 0 && line.p[line.n - 1] == '\r' ? line.n - 1 : line.n});
        if (line.n == 0)
            continue;
        if (rq->n_headers == HTTP_FIELDS_MAX || !str_split(&line, ':', &name))
            return -1;
        line = str_trim(line);
        char *low = arena_str(rq->arena, name);
        for (char *p = low; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        h[rq->n_headers++] = (struct field){low, arena_str(rq->arena, line), name.n, line.n};
    }
    return 0;
}

static bool read_body(struct http_conn *c, struct http_request *rq, size_t used, int64_t length)
{
    while (c->n < used + (size_t)length)
        if (!receive(c))
            return false;
    rq->body.p = arena_dupn(rq->arena, c->in + used, (size_t)length);
    rq->body.n = (size_t)length;
    return true;
}

static int parse_body(struct http_request *rq)
{
    const char *type = http_request_header(rq, "content-type");
    struct str rest = str_of(type), kind = {0};

    if (form_parse(rq->arena, rq->query, HTTP_FIELDS_MAX, &rq->fields, &(struct err)ERR_INIT) < 0)
        return -1;
    if (type && str_split(&rest, ';', &kind) &&
        str_is_nocase(kind, "application/x-www-form-urlencoded"))
        rq->has_form =
            form_parse(rq->arena, rq->body, HTTP_FIELDS_MAX, &rq->form, &(struct err)ERR_INIT) == 0;
    return 0;
}

static bool refuse(struct http_conn *c, int status)
{
    char text[100];
    const int n = snprintf(text, sizeof text,
                           "HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                           status, http_reason(status));

    (void)!http_write(c, text, (size_t)n);
    return false;
}

/* Read one request and have it answered. false: the connection is done with. */
static bool serve_one(struct http_conn *c, struct arena *a)
{
    struct http_request rq = {.arena = a, .query = STR(""), .body = STR("")};
    int64_t length = 0;
    const char *end, *text;
    size_t used;
    bool go_on;

    while (!(end = c->n ? memmem(c->in, c->n, "\r\n\r\n", 4) : NULL))
        if (c->n > HTTP_HEAD_MAX || !receive(c))
            return c->n > HTTP_HEAD_MAX ? refuse(c, 431) : false;
    used = (size_t)(end + 4 - c->in);
    /* The head is parsed from a copy: reading the body may move the buffer. */
    if (parse_head(&rq, (struct str){arena_dupn(a, c->in, used), used}) < 0)
        return refuse(c, 400);
    if (http_request_header(&rq, "transfer-encoding"))
        return refuse(c, 411);
    text = http_request_header(&rq, "content-length");
    if (text && (!text_int(str_of(text), &length) || length < 0))
        return refuse(c, 400);
    if (length > (int64_t)HTTP_BODY_MAX)
        return refuse(c, 413);
    text = http_request_header(&rq, "expect");
    if (text && str_is_nocase(str_of(text), "100-continue") &&
        !http_write(c, "HTTP/1.1 100 Continue\r\n\r\n", 25))
        return false;
    if (!read_body(c, &rq, used, length))
        return false;
    if (parse_body(&rq) < 0)
        return refuse(c, 400);
    go_on = c->s->handler(c->s->ctx, c, &rq);
    text = http_request_header(&rq, "connection");
    used += (size_t)length;
    memmove(c->in, c->in + used, c->n - used);
    c->n -= used;
    return go_on && !(text && str_is_nocase(str_of(text), "close"));
}

static void *serve(void *arg)
{
    struct http_conn *c = arg;
    struct http_server *s = c->s;
    struct arena *a = arena_new();

    while (serve_one(c, a))
        arena_reset(a);
    arena_free(&a);
    close(c->fd);
    free(c->in);
    pthread_mutex_lock(&s->lock);
    c->next = s->done;
    s->done = c;
    if (--s->live == 0)
        pthread_cond_signal(&s->gone);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- listening ------------------------------------------------------------------------------ */

/* Threads are joined, not detached: what libraries keep for them is gone before the process ends.
 */
static void reap(struct http_server *s)
{
    struct http_conn *c;

    pthread_mutex_lock(&s->lock);
    c = s->done;
    s->done = NULL;
    pthread_mutex_unlock(&s->lock);
    while (c) {
        struct http_conn *next = c->next;

        pthread_join(c->thread, NULL);
        free(c);
        c = next;
    }
}

static void start_thread(struct http_server *s, int fd, const pthread_attr_t *small)
{
    struct http_conn *c = mem_alloc(sizeof *c);
    const int on = 1;
    int failed;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->s = s;
    c->fd = fd;
    /* Locked until `thread` is written: the new thread reads it last. */
    pthread_mutex_lock(&s->lock);
    failed = pthread_create(&c->thread, small, serve, c);
    if (!failed)
        s->live++;
    pthread_mutex_unlock(&s->lock);
    if (failed) {
        close(fd);
        free(c);
    }
}

static void *accept_all(void *arg)
{
    struct http_server *s = arg;
    pthread_attr_t small;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    for (;;) {
        struct pollfd wait[2] = {{.fd = s->fd, .events = POLLIN},
                                 {.fd = s->stop, .events = POLLIN}};
        int fd;

        if (poll(wait, 2, -1) > 0 && wait[1].revents)
            break;
        reap(s);
        fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            start_thread(s, fd, &small);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            poll(NULL, 0, 10);
    }
    pthread_attr_destroy(&small);
    return NULL;
}

/* "127.0.0.1:80", "[::1]:80". */
static int parse_address(const char *text, struct sockaddr_storage *sa, struct err *err)
{
    const char *colon = strrchr(text, ':');
    struct str host = {text, colon ? (size_t)(colon - text) : 0};
    char name[64];
    int64_t port;

    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (struct str){host.p + 1, host.n - 2};
    if (host.n == 0 || host.n >= sizeof name || !text_int(str_of(colon + 1), &port) || port < 0 ||
        port > 65535)
        return err_set(err, ERR_MISCONFIGURED, "%s is not ADDRESS:PORT", text);
    memcpy(name, host.p, host.n);
    name[host.n] = 0;
    if (!origin_parse(name, sa) ||
        origin_classify((struct sockaddr *)sa, sizeof *sa) != ORIGIN_LOOPBACK)
        return err_set(err, ERR_MISCONFIGURED,
                       "%s is no loopback address; this program is for development only", text);
    if (sa->ss_family == AF_INET)
        ((struct sockaddr_in *)(void *)sa)->sin_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in6 *)(void *)sa)->sin6_port = htons((uint16_t)port);
    return 0;
}

static void note_base(struct http_server *s)
{
    struct sockaddr_storage sa;
    socklen_t n = sizeof sa;
    char host[64];
    const bool v6 = getsockname(s->fd, (struct sockaddr *)&sa, &n) == 0 && sa.ss_family == AF_INET6;
    const int port = ntohs(v6 ? ((struct sockaddr_in6 *)(void *)&sa)->sin6_port
                              : ((struct sockaddr_in *)(void *)&sa)->sin_port);

    origin_text((struct sockaddr *)&sa, host);
    snprintf(s->base, sizeof s->base, v6 ? "http://[%s]:%d" : "http://%s:%d", host, port);
}

struct http_server *http_listen(const char *address, struct err *err)
{
    struct http_server *s;
    struct sockaddr_storage sa;
    const int on = 1;

    if (parse_address(address, &sa, err) < 0)
        return NULL;
    s = mem_alloc(sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->gone, NULL);
    s->stop = eventfd(0, EFD_CLOEXEC);
    s->fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->stop < 0 || s->fd < 0 ||
        setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(s->fd, (struct sockaddr *)&sa,
             sa.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) <
            0 ||
        listen(s->fd, BACKLOG) < 0) {
        err_set(err, ERR_MISCONFIGURED, "cannot listen on %s: %s", address, strerrordesc_np(errno));
        goto bad;
    }
    note_base(s);
    return s;
bad:
    if (s->fd >= 0)
        close(s->fd);
    if (s->stop >= 0)
        close(s->stop);
    free(s);
    return NULL;
}

void http_run(struct http_server *s, http_handler *handler, void *ctx)
{
    s->handler = handler;
    s->ctx = ctx;
    if (pthread_create(&s->thread, NULL, accept_all, s) != 0)
        abort();
    s->running = true;
}

const char *http_base(const struct http_server *s)
{
    return s->base;
}

void http_stop(struct http_server **sp)
{
    struct http_server *s = *sp;
    const uint64_t one = 1;

    if (!s)
        return;
    while (write(s->stop, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    if (s->running)
        pthread_join(s->thread, NULL);
    pthread_mutex_lock(&s->lock);
    while (s->live > 0)
        pthread_cond_wait(&s->gone, &s->lock);
    pthread_mutex_unlock(&s->lock);
    reap(s);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->gone);
    close(s->fd);
    close(s->stop);
    free(s);
    *sp = NULL;
}
