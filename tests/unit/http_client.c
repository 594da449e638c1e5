/* SPDX-License-Identifier: Apache-2.0 */
#include "http_client.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 5

void (*http_idle)(void);

static struct http_conn *open_fd(struct loop *l, int fd, const struct sockaddr *sa, socklen_t n)
{
    struct http_conn *c = calloc(1, sizeof *c);
    ck_assert_int_ge(fd, 0);
    c->fd = fd;
    c->loop = l;
    ck_assert_int_eq(connect(fd, sa, n), 0); /* the backlog takes it without anybody accepting */
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return c;
}

struct http_conn *http_open(struct loop *l, int port)
{
    const struct sockaddr_in sa = {.sin_family = AF_INET,
                                   .sin_port = htons((unsigned short)port),
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* bytes leave when they are sent */
    return open_fd(l, fd, (const struct sockaddr *)&sa, sizeof sa);
}

struct http_conn *http_open_unix(struct loop *l, const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    ck_assert_uint_lt(strlen(path), sizeof sa.sun_path);
    memcpy(sa.sun_path, path, strlen(path) + 1);
    return open_fd(l, socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&sa, sizeof sa);
}

void http_close(struct http_conn **c)
{
    if (*c == NULL)
        return;
    close((*c)->fd);
    free(*c);
    *c = NULL;
}

/* ---- waiting ---- */

static time_t seconds(void)
{
    struct timespec ts; /* not sys/clock: tests stop that one */
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

/* Takes what is there. true: something came, or the end. */
static bool take(struct http_conn *c)
{
    if (c->ended)
        return false;
    ck_assert_uint_lt(c->n, sizeof c->bytes);
    const ssize_t got = recv(c->fd, c->bytes + c->n, sizeof c->bytes - c->n, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got > 0)
        c->n += (size_t)got;
    else
        c->ended = true;
    return true;
}

void http_spin(struct loop *l, int rounds)
{
    while (rounds-- > 0)
        loop_once(l, 1);
}

void http_sendn(struct http_conn *c, const void *p, size_t n)
{
    const char *bytes = p;
    const time_t until = seconds() + PATIENCE_S;
    while (n > 0 && seconds() < until) {
        const ssize_t done = send(c->fd, bytes, n, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN)
            return; /* closed: reading will tell */
        if (done > 0) {
            bytes += done;
            n -= (size_t)done;
        } else {
            loop_once(c->loop, 1);
        }
    }
}

void http_send(struct http_conn *c, const char *text) { http_sendn(c, text, strlen(text)); }

bool http_wait_end(struct http_conn *c)
{
    const time_t until = seconds() + PATIENCE_S;
    while (!c->ended && seconds() < until) {
        loop_once(c->loop, 1);
        while (take(c) && !c->ended)
            continue;
    }
    return c->ended;
}

/* ---- answers ---- */

static const char *find_header(const char *from, const char *name, size_t *n)
{
    const size_t len = strlen(name);
    for (const char *line = strstr(from, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, len) != 0 || line[2 + len] != ':')
            continue;
        const char *value = line + 3 + len;
        value += strspn(value, " \t");
        *n = strcspn(value, "\r");
        while (*n > 0 && value[*n - 1] == ' ')
            --*n;
        return value;
    }
    return NULL;
}

const char *http_header(const struct http_answer *a, const char *name)
{
    static char text[16 * 1024];
    size_t n;
    const char *value = find_header(a->head, name, &n);
    if (value == NULL)
        return NULL;
    ck_assert_uint_lt(n, sizeof text);
    memcpy(text, value, n);
    text[n] = 0;
    return text;
}

unsigned http_header_count(const struct http_answer *a, const char *name)
{
    unsigned count = 0;
    size_t n;
    for (const char *p = find_header(a->head, name, &n); p; p = find_header(p, name, &n))
        count++;
    return count;
}

/* Bytes of the answer that c->bytes begins with; 0: it is not whole yet. */
static size_t whole(struct http_conn *c, bool head, struct http_answer *out)
{
    char *end = memmem(c->bytes, c->n, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    const size_t n = (size_t)(end - c->bytes) + 4;
    ck_assert_uint_lt(n, sizeof out->head);
    memcpy(out->head, c->bytes, n);
    out->head[n] = 0;
    ck_assert_int_eq(strncmp(out->head, "HTTP/1.1 ", 9), 0);
    out->status = (int)strtol(out->head + 9, NULL, 10);
    const char *length = http_header(out, "Content-Length");
    out->body_n = head || length == NULL ? 0 : strtoul(length, NULL, 10);
    if (out->status == 100)
        out->body_n = 0;
    ck_assert_uint_lt(out->body_n, sizeof out->body);
    if (c->n < n + out->body_n)
        return 0;
    memcpy(out->body, c->bytes + n, out->body_n);
    out->body[out->body_n] = 0;
    return n + out->body_n;
}

bool http_read(struct http_conn *c, bool head, struct http_answer *out)
{
    const time_t until = seconds() + PATIENCE_S;
    size_t n;
    while ((n = whole(c, head, out)) == 0) {
        if (c->ended || seconds() >= until) {
            out->status = 0;
            return false;
        }
        loop_once(c->loop, 1);
        if (http_idle)
            http_idle();
        while (take(c) && !c->ended)
            continue;
    }
    memmove(c->bytes, c->bytes + n, c->n - n);
    c->n -= n;
    return true;
}

void http_ask(struct http_conn *c, const char *request, struct http_answer *out)
{
    http_send(c, request);
    ck_assert_msg(http_read(c, strncmp(request, "HEAD ", 5) == 0, out), "no answer to %.60s",
                  request);
}

void http_once(struct loop *l, int port, const char *request, struct http_answer *out)
{
    struct http_conn *c = http_open(l, port);
    http_ask(c, request, out);
    http_close(&c);
}
