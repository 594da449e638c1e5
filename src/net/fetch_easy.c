/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdlib.h>

#include "net/fetch_parts.h"
#include "net/origin.h"

static bool address_allowed(const struct fetch_call *c, const struct sockaddr *sa, socklen_t n)
{
    switch (origin_classify(sa, n)) {
    case ORIGIN_PUBLIC:
        /* http is for loopback only, wherever its name leads. */
        return strcmp(c->url.scheme, "https") == 0;
    case ORIGIN_LOOPBACK:
        return c->may_loopback;
    case ORIGIN_PRIVATE:
        return c->may_private && strcmp(c->url.scheme, "https") == 0;
    }
    return false;
}

/* Before connect(2), with the address libcurl resolved: the one place where it can be judged. */
static curl_socket_t open_socket(void *call, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct fetch_call *c = call;

    (void)purpose;
    if (!address_allowed(c, &a->addr, (socklen_t)a->addrlen)) {
        c->refused = true;
        return CURL_SOCKET_BAD;
    }
    const int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
    if (fd >= 0)
        fetch_socket_opened(c->pool->f, fd);
    return fd;
}

/* Before the request is sent, on connections that are used again too: they may have been opened for
 * a pool that allows more. */
static int before_request(void *call, char *peer, char *local, int peer_port, int local_port)
{
    struct fetch_call *c = call;
    struct sockaddr_storage sa;

    (void)local;
    (void)peer_port;
    (void)local_port;
    if (!origin_parse(peer, &sa) || !address_allowed(c, (const struct sockaddr *)&sa, sizeof sa)) {
        c->refused = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (!c->connected)
        c->pool->connecting--;
    c->connected = true;
    c->pool->warm = true;
    c->sends++;
    return c->is_post && c->sends > FETCH_POST_SENDS_MAX ? CURL_PREREQFUNC_ABORT
                                                         : CURL_PREREQFUNC_OK;
}

/* libcurl copies headers and bodies, credentials included, and frees them as they are: so what it
 * frees is wiped. */
static void wipe_free(void *p)
{
    if (p)
        seal_wipe(p, malloc_usable_size(p));
    free(p);
}

static void *wipe_realloc(void *p, size_t n)
{
    void *q = malloc(n);
    const size_t had = p ? malloc_usable_size(p) : 0;

    if (!q)
        return NULL;
    if (p)
        memcpy(q, p, had < n ? had : n);
    wipe_free(p);
    return q;
}

CURLcode fetch_easy_global(void)
{
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_free, wipe_realloc, strdup,
                                calloc);
}

static void must(CURLcode code)
{
    if (code != CURLE_OK)
        abort(); /* an option that is not set is a promise that is not kept */
}

/* What is the same for every request. */
CURL *fetch_easy_new(void)
{
    CURL *e = curl_easy_init();

    if (!e)
        abort();
    must(curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L));
    /* A stalled name server must not stall the loop: leave its thread behind. */
    must(curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L));
    must(curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1));
    must(curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L));
    must(curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L));
    must(curl_easy_setopt(e, CURLOPT_MAXREDIRS, 0L));
    must(curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "https"));
    must(curl_easy_setopt(e, CURLOPT_UNRESTRICTED_AUTH, 0L));
    must(curl_easy_setopt(e, CURLOPT_PROXY, ""));
    must(curl_easy_setopt(e, CURLOPT_NOPROXY, "*"));
    must(curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED));
    must(curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L));
    must(curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L));
    must(curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L));
    must(curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
    /* The directory would be read again for each connection: 15 ms. */
    must(curl_easy_setopt(e, CURLOPT_CAPATH, NULL));
    must(curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, 600L));
    must(curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, 60L));
    must(curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 8192L));
    must(curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 16384L));
    must(curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket));
    must(curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, fetch_socket_close));
    must(curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, before_request));
    must(curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, fetch_answer_header));
    must(curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, fetch_answer_body));
    return e;
}

/* What belongs to one request. Everything set here is cleared by fetch_easy_clear. */
void fetch_easy_set(CURL *e, struct fetch_call *c, int64_t left_ms)
{
    const int64_t connect_ms = c->pool->connect_ms < left_ms ? c->pool->connect_ms : left_ms;
    const bool https = strcmp(c->url.scheme, "https") == 0;

    must(curl_easy_setopt(e, CURLOPT_URL, c->text_url));
    must(curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, https ? "https" : "http"));
    if (c->is_post) {
        must(curl_easy_setopt(e, CURLOPT_POST, 1L));
        must(curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.n));
        must(curl_easy_setopt(e, CURLOPT_POSTFIELDS, c->body.p)); /* not copied by libcurl */
    } else {
        must(curl_easy_setopt(e, CURLOPT_HTTPGET, 1L));
    }
    must(curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers));
    /* libcurl keeps the bundle it read last for a day, and connections apart that trust others. */
    must(curl_easy_setopt(e, CURLOPT_CAINFO,
                          c->pool->ca_file ? c->pool->ca_file : c->pool->f->ca_file));
    must(curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)left_ms));
    must(curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms));
    /* Only stops what announces its length; the counter in fetch_answer_body stops the rest. */
    must(curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)c->body_max));
    must(curl_easy_setopt(e, CURLOPT_PRIVATE, c));
    must(curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, c));
    /* A connection keeps it, and may outlive the call and its pool. */
    must(curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, c->pool->f));
    must(curl_easy_setopt(e, CURLOPT_PREREQDATA, c));
    must(curl_easy_setopt(e, CURLOPT_HEADERDATA, c));
    must(curl_easy_setopt(e, CURLOPT_WRITEDATA, c));
}

void fetch_easy_clear(CURL *e)
{
    must(curl_easy_setopt(e, CURLOPT_URL, NULL));
    must(curl_easy_setopt(e, CURLOPT_POSTFIELDS, NULL));
    must(curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1));
    must(curl_easy_setopt(e, CURLOPT_HTTPGET, 1L));
    must(curl_easy_setopt(e, CURLOPT_HTTPHEADER, NULL));
    must(curl_easy_setopt(e, CURLOPT_PRIVATE, NULL));
    must(curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, NULL));
    must(curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, NULL));
    must(curl_easy_setopt(e, CURLOPT_PREREQDATA, NULL));
    must(curl_easy_setopt(e, CURLOPT_HEADERDATA, NULL));
    must(curl_easy_setopt(e, CURLOPT_WRITEDATA, NULL));
}
