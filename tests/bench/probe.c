/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The witness: asks /auth 200 times a second on a kept connection and measures each answer from the
 * moment it was due, so that waiting counts. probe PORT COOKIE SECONDS prints "p50 p99 max lost"
 * in microseconds.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RATE 200

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
    const long long x = *(const long long *)a, y = *(const long long *)b;
    return x < y ? -1 : x > y;
}

static int connect_to(int port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET};
    const struct timeval patience = {.tv_sec = 10};
    sa.sin_port = htons((unsigned short)port);
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0)
        exit(1);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

/* 1: a 200 came. */
static int ask(int fd, const char *request, size_t n)
{
    char answer[4096];
    size_t got = 0;
    if (send(fd, request, n, MSG_NOSIGNAL) != (ssize_t)n)
        return 0;
    while (got < sizeof answer - 1) {
        const ssize_t more = recv(fd, answer + got, sizeof answer - 1 - got, 0);
        if (more <= 0)
            return 0;
        got += (size_t)more;
        answer[got] = 0;
        if (strstr(answer, "\r\n\r\n"))
            return strncmp(answer, "HTTP/1.1 200", 12) == 0;
    }
    return 0;
}

int main(int argc, char **argv)
{
    char request[512];
    if (argc != 4)
        return 2;
    const int n = (int)(strtod(argv[3], NULL) * RATE);
    const int fd = connect_to((int)strtol(argv[1], NULL, 10));
    const int length = snprintf(request, sizeof request,
                                "GET /auth HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n", argv[2]);
    long long *took = calloc((size_t)n, sizeof *took);
    long long due = now_us();
    int lost = 0;
    if (took == NULL || n < 1)
        return 1;
    for (int i = 0; i < n; i++, due += 1000000 / RATE) {
        const long long wait = due - now_us();
        if (wait > 0)
            usleep((useconds_t)wait);
        lost += !ask(fd, request, (size_t)length);
        took[i] = now_us() - due;
    }
    qsort(took, (size_t)n, sizeof *took, compare);
    printf("%lld %lld %lld %d\n", took[n / 2], took[n * 99 / 100], took[n - 1], lost);
    return 0;
}
