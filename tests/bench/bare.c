/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The yardstick: libmicrohttpd answering 204, or one document, to everything, in the mode usherd
 * uses it in (external epoll, one thread), and nothing else. bare PORT [DOCUMENT]
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define DOCUMENT_MAX 65536

static unsigned status = 204;

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **con_cls)
{
    static int seen;
    (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    if (*con_cls == NULL) { /* an answer to the first call would close the connection */
        *con_cls = &seen;
        return MHD_YES;
    }
    *con_cls = NULL;
    return MHD_queue_response(c, status, cls);
}

static void serve(struct MHD_Daemon *d)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD);
    const int ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN};
    if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, info->epoll_fd, &ev) != 0)
        exit(1);
    for (;;) {
        MHD_UNSIGNED_LONG_LONG ms;
        int timeout = 1000;
        MHD_run(d);
        if (MHD_get_timeout(d, &ms) == MHD_YES && ms < 1000)
            timeout = (int)ms;
        (void)epoll_wait(ep, &ev, 1, timeout);
    }
}

static struct MHD_Response *answer_of(const char *path)
{
    static char document[DOCUMENT_MAX];
    size_t n = 0;
    if (path != NULL) {
        FILE *f = fopen(path, "rb");
        n = f ? fread(document, 1, sizeof document, f) : 0;
        if (f == NULL || n == 0 || fclose(f) != 0) {
            perror(path);
            exit(1);
        }
        status = 200;
    }
    struct MHD_Response *r = MHD_create_response_from_buffer(n, document, MHD_RESPMEM_PERSISTENT);
    if (r == NULL ||
        (n > 0 && MHD_add_response_header(r, "Content-Type", "application/json") != MHD_YES))
        exit(1);
    return r;
}

int main(int argc, char **argv)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    const int one = 1;
    if (argc != 2 && argc != 3)
        return 2;
    sa.sin_port = htons((unsigned short)strtol(argv[1], NULL, 10));
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&sa, sizeof sa) != 0 || listen(fd, 4096) != 0) {
        perror("bare");
        return 1;
    }
    struct MHD_Response *r = answer_of(argv[2]);
    struct MHD_Daemon *d =
        MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, r, MHD_OPTION_LISTEN_SOCKET, fd,
                         MHD_OPTION_CONNECTION_LIMIT, 10000u, MHD_OPTION_CONNECTION_TIMEOUT, 75u,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_END);
    if (d == NULL)
        return 1;
    serve(d);
}
