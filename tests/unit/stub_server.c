/* SPDX-License-Identifier: Apache-2.0 */
#include "stub_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNS_MAX 2048

struct stub {
    int fd, port;
    stub_fn *fn;
    void *arg;
    SSL_CTX *tls;
    bool stall;
    pthread_t thread;
    atomic_bool stop;
    atomic_uint requests, connections, live;
};

struct stub_conn {
    struct stub *s;
    int fd;
    SSL *tls;
};

static void stop_if(bool bad, const char *what)
{
    if (bad) {
        perror(what);
        abort();
    }
}

bool stub_sendn(struct stub_conn *c, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        const ssize_t k = c->tls ? SSL_write(c->tls, at, (int)n) : send(c->fd, at, n, MSG_NOSIGNAL);
        if (k <= 0)
            return false;
        at += k;
        n -= (size_t)k;
    }
    return true;
}

bool stub_send(struct stub_conn *c, const char *text)
{
    return stub_sendn(c, text, strlen(text));
}

void stub_wait(struct stub_conn *c, int ms)
{
    for (int t = 0; t < ms && !atomic_load(&c->s->stop); t += 20) {
        struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
        if (poll(&p, 1, 20) > 0)
            return;
    }
}

bool stub_reply(struct stub_conn *c, int status, const char *headers, const char *body)
{
    char head[1024];

    snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", status,
             strlen(body), headers);
    return stub_send(c, head) && stub_send(c, body);
}

static ssize_t receive(struct stub_conn *c, char *p, size_t n)
{
    while (!atomic_load(&c->s->stop)) {
        struct pollfd pf = {.fd = c->fd, .events = POLLIN};
        if ((!c->tls || SSL_pending(c->tls) == 0) && poll(&pf, 1, 20) == 0)
            continue;
        return c->tls ? SSL_read(c->tls, p, (int)n) : recv(c->fd, p, n, 0);
    }
    return 0;
}

static bool read_request(struct stub_conn *c, struct stub_request *rq)
{
    size_t n = 0, want;
    char *end;
    const char *length;

    memset(rq, 0, sizeof *rq);
    while (!(end = strstr(rq->head, "\r\n\r\n"))) {
        const ssize_t k = receive(c, rq->head + n, sizeof rq->head - 1 - n);
        if (k <= 0 || (n += (size_t)k) >= sizeof rq->head - 1)
            return false;
    }
    end += 4;
    length = strstr(rq->head, "Content-Length: ");
    want = length ? strtoul(length + 16, NULL, 10) : 0;
    if (want >= sizeof rq->body)
        return false;
    n -= (size_t)(end - rq->head);
    memcpy(rq->body, end, n);
    *end = 0;
    while (n < want) {
        const ssize_t k = receive(c, rq->body + n, want - n);
        if (k <= 0)
            return false;
        n += (size_t)k;
    }
    return true;
}

static void *serve(void *arg)
{
    struct stub_conn *c = arg;
    struct stub *s = c->s;
    struct stub_request *rq = malloc(sizeof *rq);

    stop_if(!rq, "malloc");
    if (s->stall) {
        stub_wait(c, 60000);
    } else if (!s->tls || ((c->tls = SSL_new(s->tls)) && SSL_set_fd(c->tls, c->fd) == 1 &&
                           SSL_accept(c->tls) == 1)) {
        while (read_request(c, rq)) {
            atomic_fetch_add(&s->requests, 1);
            if (!s->fn(c, rq, s->arg))
                break;
        }
    }
    SSL_free(c->tls);
    close(c->fd);
    free(rq);
    free(c);
    atomic_fetch_sub(&s->live, 1);
    return NULL;
}

static void *accept_all(void *arg)
{
    struct stub *s = arg;
    pthread_attr_t small;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    while (!atomic_load(&s->stop)) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        struct stub_conn *c;
        pthread_t t;
        int fd;

        if (poll(&p, 1, 20) <= 0 || (fd = accept(s->fd, NULL, NULL)) < 0)
            continue;
        c = calloc(1, sizeof *c);
        stop_if(!c, "calloc");
        c->s = s;
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        atomic_fetch_add(&s->connections, 1);
        atomic_fetch_add(&s->live, 1);
        stop_if(pthread_create(&t, &small, serve, c) != 0, "pthread_create");
    }
    pthread_attr_destroy(&small);
    return NULL;
}

static struct stub *listen_on_loopback(stub_fn *fn, void *arg)
{
    struct stub *s = calloc(1, sizeof *s);
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;

    stop_if(!s, "calloc");
    s->fn = fn;
    s->arg = arg;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    stop_if(s->fd < 0 || bind(s->fd, (struct sockaddr *)&sa, n) < 0 ||
                listen(s->fd, CONNS_MAX) < 0 || getsockname(s->fd, (struct sockaddr *)&sa, &n) < 0,
            "listen");
    s->port = ntohs(sa.sin_port);
    return s;
}

static struct stub *run(struct stub *s)
{
    stop_if(pthread_create(&s->thread, NULL, accept_all, s) != 0, "pthread_create");
    return s;
}

struct stub *stub_start(stub_fn *fn, void *arg)
{
    return run(listen_on_loopback(fn, arg));
}

static void add_name(X509 *x, const char *host)
{
    char text[300];
    struct in_addr ip;
    X509_EXTENSION *ext;

    snprintf(text, sizeof text, "%s:%s", inet_pton(AF_INET, host, &ip) == 1 ? "IP" : "DNS", host);
    ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
    stop_if(!ext || X509_add_ext(x, ext, -1) != 1, "subjectAltName");
    X509_EXTENSION_free(ext);
}

struct stub *stub_start_tls(stub_fn *fn, void *arg, const struct stub_cert *cert,
                            const char *pem_path)
{
    struct stub *s = listen_on_loopback(fn, arg);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), cert->from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), cert->until_s);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"stub", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    add_name(x, cert->host);
    stop_if(X509_sign(x, key, EVP_sha256()) <= 0, "X509_sign");
    s->tls = SSL_CTX_new(TLS_server_method());
    if (cert->old_tls) {
        SSL_CTX_set_security_level(s->tls, 0);
        SSL_CTX_set_min_proto_version(s->tls, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(s->tls, TLS1_1_VERSION);
    }
    stop_if(SSL_CTX_use_certificate(s->tls, x) != 1 || SSL_CTX_use_PrivateKey(s->tls, key) != 1,
            "SSL_CTX");
    s->stall = cert->stall;
    if (pem_path) {
        FILE *f = fopen(pem_path, "w");
        stop_if(!f || PEM_write_X509(f, x) != 1 || fclose(f) != 0, pem_path);
    }
    X509_free(x);
    EVP_PKEY_free(key);
    return run(s);
}

void stub_stop(struct stub **sp)
{
    struct stub *s = *sp;

    atomic_store(&s->stop, true);
    pthread_join(s->thread, NULL);
    while (atomic_load(&s->live) > 0)
        usleep(1000);
    close(s->fd);
    SSL_CTX_free(s->tls);
    free(s);
    *sp = NULL;
}

int stub_port(const struct stub *s)
{
    return s->port;
}

unsigned stub_requests(const struct stub *s)
{
    return atomic_load(&s->requests);
}

unsigned stub_connections(const struct stub *s)
{
    return atomic_load(&s->connections);
}
