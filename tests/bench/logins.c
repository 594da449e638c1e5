/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Browsers in a hurry: whole logins, a new browser (no cookies) for each, every thread with one
 * kept connection to the site and one to the provider, so that what is measured is the servers.
 * logins SITE_PORT START CALLBACK PROVIDER_PORT PEOPLE THREADS LOGINS signs guest-0 … in by turns
 * and prints "seconds logins reconnections". Anything unexpected ends it with a word on stderr.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define COOKIES_MAX 16
#define THREADS_MAX 256
#define HOPS_MAX 10

struct cookie {
    char name[256], value[4096];
};

/* A server, the connection to it, and the cookies it set. */
struct peer {
    char base[64]; /* http://127.0.0.1:PORT */
    int port, fd;
    struct cookie jar[COOKIES_MAX];
    size_t n_cookies;
};

/* What came: all of it in `in`, which is NUL-terminated. */
struct answer {
    char in[256 * 1024], location[8192];
    size_t have, body; /* bytes; where the body begins */
    long status, length;
    bool chunked, closes;
};

static const char *start, *callback;
static int site_port, provider_port;
static long n_people, n_logins;
static atomic_long next_login, reconnections;

#define die(...) (fprintf(stderr, "logins: " __VA_ARGS__), fputc('\n', stderr), exit(1))

/* ---- cookies */

/* `line` ends with the line. */
static void cookie_set(struct peer *p, const char *line)
{
    const size_t pair = strcspn(line, ";\r"), name = strcspn(line, "=");
    struct cookie *c = p->jar;
    if (name >= pair || name >= sizeof c->name || pair - name > sizeof c->value)
        die("a cookie of %zu bytes, %zu of them its name", pair, name);
    while (c < p->jar + p->n_cookies && (strncmp(c->name, line, name) != 0 || c->name[name] != 0))
        c++;
    const bool known = c < p->jar + p->n_cookies;
    for (const char *a = line + pair; *a == ';'; a += strcspn(a, ";\r")) {
        a += 1 + strspn(a + 1, " ");
        if (strncasecmp(a, "max-age=0", 9) == 0) {
            if (known)
                *c = p->jar[--p->n_cookies];
            return;
        }
    }
    if (!known && p->n_cookies++ == COOKIES_MAX)
        die("more than %d cookies", COOKIES_MAX);
    snprintf(c->name, sizeof c->name, "%.*s", (int)name, line);
    snprintf(c->value, sizeof c->value, "%.*s", (int)(pair - name - 1), line + name + 1);
}

/* ---- connections */

static void connect_to(struct peer *p)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    const struct timeval patience = {.tv_sec = 20};
    sa.sin_port = htons((unsigned short)p->port);
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&sa, sizeof sa) != 0)
        die("no connection to %s", p->base);
    setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static void hang_up(struct peer *p)
{
    close(p->fd);
    p->fd = -1;
}

/* 0: the peer closed. */
static size_t more(struct peer *p, struct answer *a)
{
    if (a->have == sizeof a->in - 1)
        die("an answer of %s is over %zu bytes", p->base, sizeof a->in);
    const ssize_t n = recv(p->fd, a->in + a->have, sizeof a->in - 1 - a->have, 0);
    if (n <= 0)
        return 0;
    a->have += (size_t)n;
    a->in[a->have] = 0;
    return (size_t)n;
}

/* ---- answers: RFC 9112 as far as these servers go */

static bool is(const char *line, const char *name, const char **value)
{
    const size_t n = strlen(name);
    if (strncasecmp(line, name, n) != 0)
        return false;
    *value = line + n + strspn(line + n, " ");
    return true;
}

/* `line` ends with the line. */
static void read_header(struct peer *p, struct answer *a, const char *line)
{
    const char *value;
    if (is(line, "Content-Length:", &value))
        a->length = strtol(value, NULL, 10);
    else if (is(line, "Transfer-Encoding: chunked", &value))
        a->chunked = true;
    else if (is(line, "Connection: close", &value))
        a->closes = true;
    else if (is(line, "Set-Cookie:", &value))
        cookie_set(p, value);
    else if (is(line, "Location:", &value) &&
             (size_t)snprintf(a->location, sizeof a->location, "%.*s", (int)strcspn(value, "\r"),
                              value) >= sizeof a->location)
        die("a Location over %zu bytes", sizeof a->location);
}

/* false: the connection was gone before anything came. */
static bool read_head(struct peer *p, struct answer *a)
{
    const char *end;
    a->have = 0;
    a->in[0] = a->location[0] = 0;
    a->length = -1;
    a->chunked = a->closes = false;
    while (!(end = strstr(a->in, "\r\n\r\n"))) {
        if (more(p, a) == 0) {
            if (a->have > 0)
                die("%s closed within a head", p->base);
            return false;
        }
    }
    a->body = (size_t)(end - a->in) + 4;
    if (a->have < 12 || strncmp(a->in, "HTTP/1.1 ", 9) != 0)
        die("no HTTP/1.1 from %s", p->base);
    a->status = strtol(a->in + 9, NULL, 10);
    for (const char *line = a->in; line < end; line = strstr(line, "\r\n") + 2)
        read_header(p, a, line);
    return true;
}

static void read_until(struct peer *p, struct answer *a, size_t n)
{
    while (a->have < n)
        if (more(p, a) == 0)
            die("%s closed within a body", p->base);
}

static void read_chunks(struct peer *p, struct answer *a)
{
    for (size_t at = a->body;;) {
        char *stop;
        while (!(stop = strstr(a->in + at, "\r\n")))
            read_until(p, a, a->have + 1);
        char *digits = a->in + at;
        const unsigned long size = strtoul(digits, &stop, 16);
        if (stop == digits || size > sizeof a->in)
            die("%s sent a bad chunk", p->base);
        at = (size_t)(strstr(stop, "\r\n") - a->in) + 2;
        read_until(p, a, at + size + 2); /* no trailers behind the last */
        at += size + 2;
        if (size == 0)
            return;
    }
}

static void read_body(struct peer *p, struct answer *a)
{
    if (a->chunked)
        read_chunks(p, a);
    else if (a->length >= 0)
        read_until(p, a, a->body + (size_t)a->length);
    else if (a->status != 204)
        die("%s answered without a length", p->base);
    if (a->closes)
        hang_up(p);
}

/* A kept connection may turn out to be closed when it is used again: once more, on a new one. */
static void get(struct peer *p, const char *path, struct answer *a)
{
    char request[COOKIES_MAX * sizeof(struct cookie) + 16384];
    size_t n = (size_t)snprintf(request, sizeof request,
                                "GET %.8192s HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\n"
                                "User-Agent: logins\r\n%s",
                                path, p->base + strlen("http://"), p->n_cookies ? "Cookie: " : "");
    for (size_t i = 0; i < p->n_cookies; i++)
        n += (size_t)snprintf(request + n, sizeof request - n, "%s%s=%s", i ? "; " : "",
                              p->jar[i].name, p->jar[i].value);
    n += (size_t)snprintf(request + n, sizeof request - n, p->n_cookies ? "\r\n\r\n" : "\r\n");
    for (bool kept = p->fd >= 0;; kept = false) {
        if (p->fd < 0)
            connect_to(p);
        if (send(p->fd, request, n, MSG_NOSIGNAL) == (ssize_t)n && read_head(p, a))
            break;
        hang_up(p);
        if (!kept)
            die("%s closed without an answer", p->base);
        atomic_fetch_add(&reconnections, 1);
    }
    read_body(p, a);
}

/* ---- logins */

static void redirected(const struct peer *p, const struct answer *a)
{
    if ((a->status != 302 && a->status != 303) || !a->location[0])
        die("%s answered %.400s", p->base, a->in);
}

static void login(struct peer *site, struct peer *provider, struct answer *a, long number)
{
    char target[sizeof a->location + 64], back[256];
    site->n_cookies = provider->n_cookies = 0;
    snprintf(back, sizeof back, "%s%s", site->base, callback);
    get(site, start, a);
    redirected(site, a);
    snprintf(target, sizeof target, "%s&login_hint=guest-%ld", a->location, number % n_people);
    for (int hops = 0; strncmp(target, back, strlen(back)) != 0; hops++) {
        const size_t base = strlen(provider->base);
        if (hops == HOPS_MAX || strncmp(target, provider->base, base) != 0 || target[base] != '/')
            die("sent to %s", target);
        get(provider, target + base, a);
        redirected(provider, a);
        snprintf(target, sizeof target, "%s", a->location);
    }
    get(site, target + strlen(site->base), a);
    redirected(site, a);
    if (site->n_cookies == 0)
        die("signed in without a cookie");
}

static void peer_init(struct peer *p, int port)
{
    p->port = port;
    p->fd = -1;
    snprintf(p->base, sizeof p->base, "http://127.0.0.1:%d", port);
}

static void *browse(void *unused)
{
    struct peer site, provider;
    struct answer a;
    long i;
    peer_init(&site, site_port);
    peer_init(&provider, provider_port);
    while ((i = atomic_fetch_add(&next_login, 1)) < n_logins)
        login(&site, &provider, &a, i);
    return unused;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    const int n = argc == 8 ? atoi(argv[6]) : 0;
    if (n < 1 || n > THREADS_MAX)
        return 2;
    site_port = atoi(argv[1]);
    start = argv[2];
    callback = argv[3];
    provider_port = atoi(argv[4]);
    n_people = atol(argv[5]);
    n_logins = atol(argv[7]);
    const double began = now();
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, browse, NULL) != 0)
            die("no thread");
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    printf("%.6f %ld %ld\n", now() - began, n_logins, (long)reconnections);
    return 0;
}
