/* SPDX-License-Identifier: Apache-2.0 */
#include "web/serve_int.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/url.h"
#include "sys/random.h"

#define TCP_STATE_ESTABLISHED 1 /* of the kernel; no header has it beside linux/tcp.h */
#define RUN_MS 1000
#define SLEEP_MAX_MS 60000

/* ---- connections and their deadlines */

static void conn_move(struct conn *c, struct conn *list)
{
    if (c->next) {
        c->prev->next = c->next;
        c->next->prev = c->prev;
    }
    c->prev = list ? list->prev : NULL;
    c->next = list;
    if (list) {
        c->prev->next = c;
        list->prev = c;
    }
}

void serve_conn_owes(struct conn *c)
{
    c->since = loop_now(c->serve->loop);
    conn_move(c, &c->serve->owing);
}

void serve_conn_rests(struct conn *c)
{
    conn_move(c, &c->serve->resting);
}

/* Bytes received so far; *ended: the peer will send no more. */
static int64_t conn_received(const struct conn *c, bool *ended)
{
    struct tcp_info info;
    socklen_t n = sizeof info;
    *ended = false;
    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0)
        return 0;
    *ended = info.tcpi_state != TCP_STATE_ESTABLISHED;
    return (int64_t)info.tcpi_bytes_received;
}

/* libmicrohttpd's time-out counts inactivity only: one byte every few seconds keeps a connection
 * for ever. Here a connection that owes a request is looked at once a deadline: if bytes came in
 * meanwhile and still no request is whole, it is cut. A silent one is left to the idle time-out,
 * unless its peer has ended it: an end that comes along with a request the library does not see. */
static void conn_overdue(struct conn *c)
{
    if (c->rq == NULL) {
        bool ended;
        const int64_t received = conn_received(c, &ended);
        if (!ended && (c->sampled < 0 || c->sampled == received)) {
            c->sampled = received;
            serve_conn_owes(c);
            return;
        }
    }
    conn_move(c, &c->serve->resting); /* until the library notices */
    shutdown(c->fd, SHUT_RDWR);
}

static void on_second(void *arg)
{
    struct serve *s = arg;
    const struct mono now = loop_now(s->loop);
    while (s->owing.next != &s->owing && mono_ms(s->owing.next->since, now) >= s->deadline_ms)
        conn_overdue(s->owing.next);
    loop_timer_set(s->timer, 1000);
}

static void conn_opened(struct serve *s, struct MHD_Connection *mhd, void **context)
{
    struct conn *c = mem_alloc(sizeof *c);
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    c->serve = s;
    c->mhd = mhd;
    c->fd = fd ? fd->connect_fd : -1;
    c->sampled = 0; /* a new connection has sent nothing yet */
    if (peer && peer->client_addr && peer->client_addr->sa_family != AF_UNIX) {
        origin_text(peer->client_addr, c->peer);
        c->trusted = s->proxies && origin_nets_has(s->proxies, peer->client_addr);
    } else {
        struct ucred peer_is;
        socklen_t n = sizeof peer_is;
        memcpy(c->peer, "local", 6);
        c->trusted = true; /* the socket's file mode says who may connect */
        c->has_peer = getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer_is, &n) == 0;
        if (c->has_peer) {
            c->uid = peer_is.uid;
            c->pid = (unsigned)peer_is.pid;
        }
    }
    *context = c;
    s->opened++;
    serve_conn_owes(c);
}

static void request_done(struct request *rq);

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        conn_opened(cls, mhd, context);
        return;
    }
    struct conn *c = *context;
    if (c == NULL)
        return;
    if (c->rq)
        request_done(c->rq);
    conn_move(c, NULL);
    free(c);
    *context = NULL;
}

/* ---- requests */

static struct request *request_take(struct serve *s)
{
    struct request *rq = s->free;
    if (rq) {
        s->free = rq->next_free;
    } else {
        rq = mem_alloc(sizeof *rq);
        rq->serve = s;
        rq->arena = arena_new();
        buf_init(&rq->body, 64 * 1024);
    }
    return rq;
}

static void request_count(struct request *rq)
{
    static const char *const classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
    static const struct metric metric = {.name = "usher_http_requests_total",
                                         .help =
                                             "HTTP requests answered, by route and status class.",
                                         .type = METRIC_COUNTER,
                                         .labels = {"route", "status"}};
    struct serve *s = rq->serve;
    if (s->metrics == NULL || rq->status < 100 || rq->status > 599)
        return;
    const size_t row = rq->route ? (size_t)(rq->route - s->routes) : s->n_routes;
    const size_t column = (size_t)(rq->status / 100 - 1);
    struct metric_series **series = &s->series[row * 5 + column];
    if (*series == NULL)
        *series = metrics_series(s->metrics, &metric, rq->route ? rq->route->path : "none",
                                 classes[column], NULL);
    metric_add(*series, 1);
}

static void request_done(struct request *rq)
{
    struct serve *s = rq->serve;
    request_count(rq);
    if (!rq->quiet && rq->counted)
        log_event(request_log(rq), LOG_INFO, "http.request", LF_TEXT("method", rq->method),
                  LF_TEXT("path", rq->told ? rq->told : rq->path), LF_INT("status", rq->status),
                  LF_INT("ms", mono_ms(rq->began, clock_mono())),
                  LF_TEXT("client", request_client(rq)));
    if (rq->counted)
        s->active--;
    rq->conn->rq = NULL;
    rq->conn->sampled = -1;
    request_reset(rq);
    rq->next_free = s->free;
    s->free = rq;
    if (s->draining && s->active == 0 && s->drained) {
        loop_post(s->loop, s->drained, s->drained_arg);
        s->drained = NULL;
    }
}

/* The library notes every cookie of the first Cookie header in the connection's memory, 64 bytes
 * and a copy each; a few hundred small ones are more than there is, and it closes without an
 * answer. We read cookies ourselves (serve_request.c), so it finds one of ours first, and looks no
 * further. Where that changes, serve_gate.c counts what it noted. Called before any header is read,
 * on the only thread there is. */
const char serve_no_cookie[] = "-";

static void *on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
    struct serve *s = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct conn *c = info->socket_context;
    if (c->rq)
        request_done(c->rq); /* one whose head never became whole */
    struct request *rq = request_take(s);
    rq->conn = c;
    rq->began = loop_now(s->loop);
    rq->number = ++s->requests;
    const size_t n = strlen(target);
    rq->target_end = (uintptr_t)target + n + 1;
    rq->target = n > SERVE_TARGET_MAX ? NULL : arena_dupn(rq->arena, target, n);
    c->rq = rq;
    serve_conn_owes(c);
    (void)MHD_set_connection_value_n(mhd, MHD_HEADER_KIND, "Cookie", 6, serve_no_cookie,
                                     sizeof serve_no_cookie - 1); /* else it reads them all */
    return rq;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)mhd, (void)code;
    struct request *rq = *con_cls;
    *con_cls = NULL;
    if (rq == NULL || rq->conn->rq != rq)
        return;
    struct conn *c = rq->conn;
    request_done(rq);
    serve_conn_owes(c);
}

void serve_handle(struct request *rq)
{
    if (rq->serve->ended) {
        reply_close(rq);
        reply_error(rq, 503, "usher is stopping. Try again in a moment.");
        return;
    }
    rq->route->handler(rq, rq->serve->app);
    if (!rq->answered && !rq->held) {
        log_event(request_log(rq), LOG_ERROR, "http.forgotten",
                  LF_TEXT("path", rq->told ? rq->told : rq->path));
        reply_error(rq, 500, "Something broke on our side.");
    }
}

void request_go(struct request *rq)
{
    rq->held = false;
    if (serve_turn_take(rq))
        serve_handle(rq);
}

static enum MHD_Result dispatch(struct request *rq)
{
    rq->stage = STAGE_HANDLER;
    serve_conn_rests(rq->conn);
    serve_before_fn *before = rq->serve->before;
    if ((before == NULL || before(rq, rq->serve->app)) && serve_turn_take(rq))
        serve_handle(rq);
    if (rq->answered)
        return serve_queue(rq);
    rq->stage = STAGE_HELD;
    MHD_suspend_connection(rq->conn->mhd);
    return MHD_YES;
}

/* What is too much is read on for a while, so that the answer to it arrives; then it is cut. */
static enum MHD_Result body_add(struct request *rq, const char *upload, size_t *n)
{
    buf_add(&rq->body, upload, *n);
    rq->body_seen += *n;
    *n = 0;
    return rq->body_seen <= rq->body.limit + SERVE_BODY_SPILL ? MHD_YES : MHD_NO;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **con_cls)
{
    (void)cls, (void)mhd, (void)url;
    struct request *rq = *con_cls;
    const char *what = NULL;
    int status;
    switch (rq->stage) {
    case STAGE_NEW:
        rq->method = method;
        rq->counted = true;
        rq->serve->active++;
        status = serve_gate(rq, version, &what);
        rq->stage = STAGE_BODY;
        if (status == 0)
            return MHD_YES;
        serve_refuse(rq, status, what);
        /* An answer to this first call makes the library close the connection: what follows a
         * request we do not read is not looked at. */
        return rq->close || rq->has_body ? serve_queue(rq) : MHD_YES;
    case STAGE_BODY:
        if (rq->answered)
            return serve_queue(rq);
        if (*upload_size == 0 && !rq->body.over)
            return dispatch(rq);
        if (*upload_size == 0) {
            serve_refuse(rq, 413, "The body is too large.");
            return serve_queue(rq);
        }
        return body_add(rq, upload, upload_size);
    case STAGE_HELD:
        return rq->answered ? serve_queue(rq) : MHD_NO;
    case STAGE_HANDLER:
    case STAGE_ANSWERED:
        break;
    }
    return MHD_YES;
}

/* ---- the daemon on the loop */

static void on_ready(void *arg, int fd, unsigned events)
{
    (void)fd, (void)events;
    ((struct serve *)arg)->stirred = true; /* the work is done before the next wait */
}

/* Each run asks the kernel what is ready, on every listener's behalf; so it is only done when
 * something came, was resumed or is due. And once a second where others keep the loop awake: the
 * library takes up a listener again, which it put down for too many connections, when it runs. */
static int64_t on_prepare(void *arg)
{
    struct serve *s = arg;
    const struct mono now = clock_mono();
    MHD_UNSIGNED_LONG_LONG ms = 0;
    if (s->stirred || now.ns >= s->due.ns || mono_ms(s->ran, now) >= RUN_MS) {
        s->stirred = false;
        s->ran = now;
        MHD_run(s->mhd);
        /* The inner epoll is edge triggered: a time-out of zero says that work is still pending. */
        s->due.ns = INT64_MAX;
        if (MHD_get_timeout(s->mhd, &ms) == MHD_YES)
            s->due.ns = now.ns + (int64_t)(ms > SLEEP_MAX_MS ? SLEEP_MAX_MS : ms) * 1000000;
    }
    if (s->stirred)
        return 0;
    return s->due.ns == INT64_MAX ? -1 : (s->due.ns - now.ns + 999999) / 1000000;
}

static void on_library_message(void *cls, const char *format, va_list ap)
{
    (void)cls, (void)format, (void)ap; /* it would quote requests; what matters is counted */
}

/* Paths and values stay raw: decoding is ours. */
static size_t keep_raw(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls, (void)mhd;
    return strlen(text);
}

static int listen_unix(const char *path, unsigned mode, struct err *err)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof sa.sun_path)
        return err_set(err, ERR_MISCONFIGURED, "socket path %s is too long", path);
    memcpy(sa.sun_path, path, strlen(path) + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, ERR_INTERNAL, "socket: %s", strerror(errno));
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        if (connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0 || errno != ECONNREFUSED) {
            close(fd);
            return err_set(err, ERR_MISCONFIGURED, "listen on %s: in use", path);
        }
        unlink(path); /* left over: nobody answers there */
    }
    const mode_t old = umask(0777 & ~mode);
    const int bound = bind(fd, (struct sockaddr *)&sa, sizeof sa);
    umask(old);
    if (bound != 0 || listen(fd, SOMAXCONN) != 0) {
        close(fd);
        return err_set(err, ERR_MISCONFIGURED, "listen on %s: %s", path, strerror(errno));
    }
    return fd;
}

static int listen_tcp(const char *address, struct err *err)
{
    char host[128], port[8];
    const char *colon = strrchr(address, ':');
    const size_t n = colon ? (size_t)(colon - address) : 0;
    if (n == 0 || n >= sizeof host || strlen(colon + 1) >= sizeof port)
        return err_set(err, ERR_MISCONFIGURED, "listen: \"%s\" is not ADDRESS:PORT", address);
    const bool bracketed = address[0] == '[' && address[n - 1] == ']';
    memcpy(host, address + (bracketed ? 1 : 0), n);
    host[bracketed ? n - 2 : n] = 0;
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *ai = NULL;
    if (getaddrinfo(host, port, &hints, &ai) != 0)
        return err_set(err, ERR_MISCONFIGURED, "listen: \"%s\" is not a numeric ADDRESS:PORT",
                       address);
    const int one = 1;
    const int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, 4096) != 0) {
        err_set(err, ERR_MISCONFIGURED, "listen on %s: %s", address, strerror(errno));
        if (fd >= 0)
            close(fd);
        freeaddrinfo(ai);
        return -1;
    }
    freeaddrinfo(ai);
    return fd;
}

static int bound_port(int fd)
{
    struct sockaddr_storage sa;
    socklen_t n = sizeof sa;
    if (getsockname(fd, (struct sockaddr *)&sa, &n) != 0)
        return 0;
    if (sa.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&sa)->sin_port);
    if (sa.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&sa)->sin6_port);
    return 0;
}

static struct MHD_Daemon *daemon_start(struct serve *s, int fd, const struct serve_options *o)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, s,
        MHD_OPTION_EXTERNAL_LOGGER, on_library_message, s, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT, s->memory,
        MHD_OPTION_CONNECTION_LIMIT, o->max_connections, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)o->idle_seconds, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_raw, s, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_END);
}

static int serve_listen(struct serve *s, const struct serve_options *o, struct err *err)
{
    const bool local = strncmp(o->listen, "unix:", 5) == 0;
    const unsigned mode = o->mode ? o->mode : 0660;
    const int fd = local ? listen_unix(o->listen + 5, mode, err) : listen_tcp(o->listen, err);
    if (fd < 0)
        return -1;
    s->port = local ? 0 : bound_port(fd);
    s->mhd = daemon_start(s, fd, o);
    if (s->mhd == NULL) {
        close(fd);
        return err_set(err, ERR_INTERNAL, "libmicrohttpd does not start on %s", o->listen);
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    s->watch = loop_watch_add(s->loop, info->epoll_fd, LOOP_READ, on_ready, s);
    s->prepare = loop_prepare_add(s->loop, on_prepare, s);
    serve_turn_open(s);
    s->timer = loop_timer_add(s->loop, on_second, s);
    loop_timer_set(s->timer, 1000);
    return 0;
}

struct serve *serve_new(struct loop *l, const struct serve_options *o, const struct route *routes,
                        size_t n, void *app, struct err *err)
{
    struct serve *s = mem_alloc(sizeof *s);
    unsigned char boot[6];
    const char *bad = NULL;
    s->loop = l;
    s->routes = routes;
    s->n_routes = n;
    s->app = app;
    s->metrics = o->metrics;
    s->series = mem_alloc((n + 1) * 5 * sizeof *s->series);
    s->host = o->host ? mem_dup(o->host) : NULL;
    s->deadline_ms = o->deadline_seconds * 1000;
    s->memory = o->memory_per_connection ? o->memory_per_connection : SERVE_MEMORY;
    s->hsts = o->hsts;
    s->admin = o->admin;
    s->owing.next = s->owing.prev = &s->owing;
    s->resting.next = s->resting.prev = &s->resting;
    s->failed = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    if (s->failed)
        (void)MHD_add_response_header(s->failed, "Cache-Control", "no-store");
    rng_fill(boot, sizeof boot);
    text_hex(boot, sizeof boot, s->boot);
    if (o->trusted_proxies) {
        s->proxies = origin_nets_parse(o->trusted_proxies, &bad);
        if (s->proxies == NULL) {
            err_set(err, ERR_MISCONFIGURED, "trusted_proxies: \"%s\" is no address or network",
                    bad);
            serve_free(&s);
            return NULL;
        }
    }
    if (serve_listen(s, o, err) != 0)
        serve_free(&s);
    return s;
}

int serve_port(const struct serve *s)
{
    return s->port;
}

void serve_set_error_page(struct serve *s, serve_error_page *page)
{
    s->error_page = page;
}

void serve_set_before(struct serve *s, serve_before_fn *before)
{
    s->before = before;
}

/* What the kernel has accepted for us counts as accepted. One call takes some ten connections; a
 * second look reads what the last of them sent. */
static void take_arrived(struct serve *s)
{
    uint64_t before;
    do {
        before = s->opened;
        MHD_run(s->mhd);
    } while (s->opened > before);
    MHD_run(s->mhd);
}

void serve_drain(struct serve *s, loop_job_fn *done, void *arg)
{
    s->draining = true;
    s->drained = done;
    s->drained_arg = arg;
    take_arrived(s);
    const MHD_socket fd = MHD_quiesce_daemon(s->mhd);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
    s->stirred = true;
    if (s->active == 0 && s->drained) {
        loop_post(s->loop, done, arg);
        s->drained = NULL;
    }
}

void serve_end(struct serve *s)
{
    s->ended = true;
    s->before = NULL;
    s->error_page = NULL;
}

/* The library does not stop while connections are suspended. */
static void wake_held(struct serve *s)
{
    for (struct conn *c = s->resting.next; c && c != &s->resting; c = c->next)
        if (c->rq && c->rq->stage == STAGE_HELD && !c->rq->answered)
            MHD_resume_connection(c->mhd);
}

void serve_free(struct serve **sp)
{
    struct serve *s = *sp;
    if (s == NULL)
        return;
    loop_prepare_del(&s->prepare);
    loop_watch_del(&s->watch);
    loop_timer_del(&s->timer);
    serve_turn_close(s);
    s->drained = NULL; /* requests end below, but whoever waited may be gone before that is told */
    wake_held(s);
    if (s->mhd)
        MHD_stop_daemon(s->mhd);
    while (s->free) {
        struct request *rq = s->free;
        s->free = rq->next_free;
        buf_deinit(&rq->body);
        arena_free(&rq->arena);
        free(rq);
    }
    if (s->failed)
        MHD_destroy_response(s->failed);
    origin_nets_free(&s->proxies);
    free(s->series);
    free(s->host);
    free(s);
    *sp = NULL;
}
