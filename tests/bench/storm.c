/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everybody at once, and a provider that takes its time: one epoll loop that plays both, so that no
 * thread of ours stands in the way of what is measured.
 *
 * storm SITE_PORT UPSTREAM_PORT MS < requests: listens on UPSTREAM_PORT as a Discord whose token
 * endpoint answers after MS; every sign-in is somebody else. Each line "COOKIE PATH" of standard
 * input is a browser with a connection of its own to the site; an empty line lets them all go at
 * once. Prints "seconds lost" when all are answered; what is not a 303 is lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16384
#define GIVE_UP_MS 30000

#define die(...) (fprintf(stderr, "storm: " __VA_ARGS__), fputc('\n', stderr), exit(1))

struct connection {
    int fd;
    bool upstream;
    char in[8192];
    size_t have;
    char *out; /* a browser's request, until it is sent */
    long long due;
    struct connection *next; /* waiting for its time, the earliest first */
};

static struct connection *waiting, **waiting_end = &waiting;
static int ep, site_port, browsers, answered, lost, people;
static long delay;

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static struct sockaddr_in here(int port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    sa.sin_port = htons((unsigned short)port);
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sa;
}

static void watch(struct connection *c, int op, unsigned events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(ep, op, c->fd, &e) != 0)
        die("epoll_ctl: %s", strerror(errno));
}

static void drop(struct connection *c)
{
    close(c->fd);
    free(c->out);
    free(c);
}

/* ---- the provider */

static void say(struct connection *c, const char *body)
{
    char out[1024];
    const int n = snprintf(out, sizeof out,
                           "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                           "Content-Length: %zu\r\n\r\n%s",
                           strlen(body), body);
    if (send(c->fd, out, (size_t)n, MSG_NOSIGNAL) != n)
        die("cannot answer usher");
}

static void say_tokens(struct connection *c)
{
    say(c, "{\"access_token\":\"abcdefghijklmnopqrstuvwxyz\",\"token_type\":\"Bearer\","
           "\"expires_in\":604800,\"scope\":\"identify email\"}");
}

static void say_person(struct connection *c)
{
    char body[256];
    people++;
    snprintf(body, sizeof body,
             "{\"id\":\"%018d\",\"username\":\"guest%d\",\"global_name\":\"Guest %d\","
             "\"email\":\"guest%d@example.com\",\"verified\":true,\"avatar\":null}",
             people, people, people, people);
    say(c, body);
}

/* One whole request, or false. */
static bool take_request(struct connection *c)
{
    c->in[c->have] = 0;
    const char *end = strstr(c->in, "\r\n\r\n"), *length = strcasestr(c->in, "content-length:");
    if (!end)
        return false;
    const size_t whole = (size_t)(end + 4 - c->in) +
                         (length && length < end ? strtoul(length + 15, NULL, 10) : 0);
    if (c->have < whole)
        return false;
    if (strncmp(c->in, "POST ", 5) == 0) {
        c->due = now_ms() + delay;
        c->next = NULL;
        *waiting_end = c;
        waiting_end = &c->next;
    } else {
        say_person(c);
    }
    memmove(c->in, c->in + whole, c->have - whole);
    c->have -= whole;
    return true;
}

static void answer_due(void)
{
    while (waiting && waiting->due <= now_ms()) {
        struct connection *c = waiting;
        waiting = c->next;
        if (!waiting)
            waiting_end = &waiting;
        say_tokens(c);
    }
}

/* ---- the browsers */

static void begin(char *line)
{
    const struct sockaddr_in sa = here(site_port);
    struct connection *c = calloc(1, sizeof *c);
    char *path = strchr(line, ' ');
    if (!c || !path)
        die("a line is \"COOKIE PATH\"");
    *path++ = 0;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (asprintf(&c->out,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nCookie: %s\r\nConnection: close\r\n\r\n",
                 path, site_port, line) < 0 ||
        c->fd < 0 || (connect(c->fd, (const struct sockaddr *)&sa, sizeof sa) != 0 &&
                      errno != EINPROGRESS))
        die("cannot connect: %s", strerror(errno));
    browsers++;
    watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void on_browser(struct connection *c, unsigned events)
{
    if ((events & EPOLLOUT) && c->out) {
        const size_t n = strlen(c->out);
        if (send(c->fd, c->out, n, MSG_NOSIGNAL) != (ssize_t)n)
            die("cannot ask: %s", strerror(errno));
        free(c->out);
        c->out = NULL;
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
        return;
    }
    const ssize_t n = recv(c->fd, c->in + c->have, sizeof c->in - 1 - c->have, 0);
    if (n > 0 && c->have + (size_t)n < sizeof c->in - 1) {
        c->have += (size_t)n;
        return;
    }
    answered++;
    lost += c->have < 12 || strncmp(c->in, "HTTP/1.1 303", 12) != 0;
    drop(c);
}

static void on_upstream(struct connection *c)
{
    const ssize_t n = recv(c->fd, c->in + c->have, sizeof c->in - 1 - c->have, 0);
    if (n <= 0) {
        drop(c); /* usher keeps connections only while it likes */
        return;
    }
    c->have += (size_t)n;
    while (take_request(c))
        continue;
}

/* ---- both */

static void round_of(int listener, int ms)
{
    struct epoll_event events[64];
    const int n = epoll_wait(ep, events, 64, ms);
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (c && c->upstream) {
            on_upstream(c);
        } else if (c) {
            on_browser(c, events[i].events);
        } else {
            struct connection *new = calloc(1, sizeof *new);
            if (!new || (new->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0)
                die("cannot accept: %s", strerror(errno));
            new->upstream = true;
            watch(new, EPOLL_CTL_ADD, EPOLLIN);
        }
    }
    answer_due();
}

static int listen_on(int port)
{
    const struct sockaddr_in sa = here(port);
    const int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct epoll_event e = {.events = EPOLLIN};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&sa, sizeof sa) != 0 || listen(fd, 4096) != 0 ||
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0)
        die("cannot listen on %d: %s", port, strerror(errno));
    return fd;
}

int main(int argc, char **argv)
{
    char line[8192];
    char **request = calloc(CONNECTIONS_MAX, sizeof *request);
    int n = 0;
    if (argc != 4 || !request)
        die("SITE_PORT UPSTREAM_PORT MS");
    ep = epoll_create1(0);
    site_port = (int)strtol(argv[1], NULL, 10);
    delay = strtol(argv[3], NULL, 10);
    const int listener = listen_on((int)strtol(argv[2], NULL, 10));
    while (n < CONNECTIONS_MAX && fgets(line, sizeof line, stdin) && line[0] != '\n') {
        line[strcspn(line, "\n")] = 0;
        request[n++] = strdup(line);
    }
    const long long began = now_ms();
    for (int i = 0; i < n; i++)
        begin(request[i]);
    while (answered < browsers && now_ms() - began < GIVE_UP_MS)
        round_of(listener, waiting ? 1 : 10);
    printf("%.3f %d\n", (double)(now_ms() - began) / 1000, lost + browsers - answered);
    return 0;
}
