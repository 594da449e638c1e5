/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's sockets on the loop. A kept connection stays registered from one transfer to the next:
 * taking it out of epoll and in again would be two system calls a request. In between it is parked:
 * whatever is reported of it then (its end, or bytes nobody asked for) takes the watch away, and
 * libcurl looks at the socket itself before it uses it again. Only sockets opened and closed here
 * are parked; of others (a resolver thread's) nobody would hear that they were closed.
 */
#include <stdlib.h>
#include <unistd.h>

#include "net/fetch_parts.h"

static struct fetch_socket *socket_of(struct fetch *f, int fd)
{
    const size_t i = (size_t)fd;

    if (i >= f->n_sockets) {
        const size_t n = i + 64;
        f->sockets = mem_grow(f->sockets, n * sizeof *f->sockets);
        memset(f->sockets + f->n_sockets, 0, (n - f->n_sockets) * sizeof *f->sockets);
        f->n_sockets = n;
    }
    return &f->sockets[i];
}

static void on_socket(void *arg, int fd, unsigned events)
{
    struct fetch *f = arg;
    struct fetch_socket *s = socket_of(f, fd);

    if (s->parked)
        loop_watch_del(&s->watch);
    else
        fetch_socket_ready(f, fd, events);
}

int fetch_socket_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    struct fetch *f = arg;
    struct fetch_socket *s = socket_of(f, fd);
    const unsigned events =
        (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

    (void)easy;
    (void)unused;
    s->parked = what == CURL_POLL_REMOVE && s->ours && s->watch;
    if (s->parked)
        loop_watch_set(s->watch, LOOP_READ);
    else if (what == CURL_POLL_REMOVE)
        loop_watch_del(&s->watch);
    else if (s->watch)
        loop_watch_set(s->watch, events);
    else
        s->watch = loop_watch_add(f->loop, fd, events, on_socket, f);
    return 0;
}

void fetch_socket_opened(struct fetch *f, int fd)
{
    struct fetch_socket *s = socket_of(f, fd);

    loop_watch_del(&s->watch); /* there is none, unless libcurl closed one behind our back */
    *s = (struct fetch_socket){.ours = true};
}

int fetch_socket_close(void *arg, curl_socket_t fd)
{
    struct fetch *f = arg;
    struct fetch_socket *s = socket_of(f, fd);

    loop_watch_del(&s->watch);
    *s = (struct fetch_socket){.ours = false};
    return close(fd);
}

void fetch_sockets_free(struct fetch *f)
{
    for (size_t i = 0; i < f->n_sockets; i++)
        loop_watch_del(&f->sockets[i].watch);
    free(f->sockets);
}
