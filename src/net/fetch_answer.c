/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "net/fetch_parts.h"

/* Bytes that have no place in a header value (RFC 9110 section 5.5); TAB has. */
static bool value_clean(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return true;
}

static char *lower(struct arena *a, struct str s)
{
    char *out = arena_str(a, s);

    for (char *p = out; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return out;
}

static void more_fields(struct fetch_call *c)
{
    const size_t room = c->fields_room ? c->fields_room * 2 : 16;
    struct field *v = arena_alloc(c->arena, room * sizeof *v);

    if (c->n_fields > 0)
        memcpy(v, c->fields, c->n_fields * sizeof *v);
    c->fields = v;
    c->fields_room = room;
}

/* Keep one header line. Set-Cookie is dropped: nobody here keeps cookies, and they are secrets. */
static void keep_header(struct fetch_call *c, struct str line)
{
    const char *colon = memchr(line.p, ':', line.n);
    struct str name, value;
    struct field *f;

    if (!colon || colon == line.p)
        return;
    name = (struct str){line.p, (size_t)(colon - line.p)};
    value = str_trim((struct str){colon + 1, line.n - name.n - 1});
    if (!text_printable(name) || !value_clean(value) || str_is_nocase(name, "set-cookie"))
        return;
    if (c->n_fields == FETCH_HEADER_COUNT_MAX) {
        c->too_large = true;
        return;
    }
    if (c->n_fields == c->fields_room)
        more_fields(c);
    f = &c->fields[c->n_fields++];
    f->name = lower(c->arena, name);
    f->name_len = name.n;
    f->value = arena_str(c->arena, value);
    f->value_len = value.n;
}

/* One line with its line end: a status line, a header, the empty line, or a trailer. Every byte
 * counts, interim answers and trailers included (CVE-2023-38039 was about not counting). */
size_t fetch_answer_header(char *p, size_t size, size_t n, void *call)
{
    struct fetch_call *c = call;
    struct str line = {p, size * n};
    const size_t taken = line.n;

    c->header_bytes += line.n;
    while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    if (!c->head_done && str_starts(line, "HTTP/")) {
        c->blocks++;
        c->n_fields = 0;
    } else if (!c->head_done && line.n == 0) {
        long status = 0;
        curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
        c->head_done = status >= 200;
    } else if (!c->head_done) {
        keep_header(c, line);
    }
    if (c->header_bytes > FETCH_HEADER_BYTES_MAX || c->blocks > FETCH_BLOCKS_MAX)
        c->too_large = true;
    return c->too_large ? 0 : taken;
}

size_t fetch_answer_body(char *p, size_t size, size_t n, void *call)
{
    struct fetch_call *c = call;

    buf_add(&c->answer, p, size * n);
    if (!buf_ok(&c->answer))
        c->too_large = true;
    return c->too_large ? 0 : size * n;
}

/* The only value of a header, or NULL; two that differ are as good as none. */
static const char *only_header(const struct fetch_call *c, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < c->n_fields; i++) {
        if (strcmp(c->fields[i].name, name) != 0)
            continue;
        if (value && strcmp(value, c->fields[i].value) != 0)
            return NULL;
        value = c->fields[i].value;
    }
    return value;
}

/* RFC 9110 section 8.3: type "/" subtype, then parameters, of which we want charset. */
static void take_content_type(struct fetch_call *c)
{
    const char *value = only_header(c, "content-type");
    struct str rest = str_of(value), piece;

    c->result.content_type = c->result.charset = "";
    if (!value || !str_split(&rest, ';', &piece))
        return;
    c->result.content_type = lower(c->arena, piece);
    while (str_split(&rest, ';', &piece)) {
        struct str name;

        if (!str_split(&piece, '=', &name) || !str_is_nocase(name, "charset"))
            continue;
        piece = str_trim(piece);
        if (piece.n >= 2 && piece.p[0] == '"' && piece.p[piece.n - 1] == '"')
            piece = (struct str){piece.p + 1, piece.n - 2};
        c->result.charset = lower(c->arena, piece);
        return;
    }
}

/* Seconds (some send fractions: rounded up) or an HTTP date, RFC 9110 section 10.2.3. */
static int64_t retry_after(const char *value)
{
    struct str s = str_of(value), whole;
    int64_t n;
    time_t at;

    if (!value)
        return -1;
    if (str_split(&s, '.', &whole) && text_int(whole, &n) && n >= 0)
        return s.n > 0 && n < INT64_MAX ? n + 1 : n;
    at = curl_getdate(value, NULL);
    if (at < 0)
        return -1;
    n = (int64_t)at - wall_seconds(clock_wall());
    return n > 0 ? n : 0;
}

struct verdict {
    uint32_t transport;
    enum err_kind kind;
    const char *text;
};

static struct verdict verdict_tls(void)
{
    return (struct verdict){USHER_TRANSPORT_UNREACHABLE, ERR_UPSTREAM_DOWN,
                            "the TLS connection could not be trusted or made"};
}

/* What went wrong in our own words; libcurl's texts may quote the upstream. */
static struct verdict judge(const struct fetch_call *c, CURLcode code)
{
    if (c->too_large || code == CURLE_FILESIZE_EXCEEDED)
        return (struct verdict){USHER_TRANSPORT_TOO_LARGE, ERR_UPSTREAM_BAD,
                                "the answer is too large"};
    if (c->refused && (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK))
        return (struct verdict){USHER_TRANSPORT_REFUSED, ERR_MISCONFIGURED,
                                "the host has an address that may not be talked to"};
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return (struct verdict){USHER_TRANSPORT_TIMEOUT, ERR_UPSTREAM_DOWN,
                                c->connected ? "no complete answer in time"
                                             : "no connection in time"};
    case CURLE_COULDNT_RESOLVE_HOST:
        return (struct verdict){USHER_TRANSPORT_UNREACHABLE, ERR_UPSTREAM_DOWN,
                                "the host name has no address"};
    case CURLE_COULDNT_CONNECT:
        return (struct verdict){USHER_TRANSPORT_UNREACHABLE, ERR_UPSTREAM_DOWN,
                                "the connection was not accepted"};
    case CURLE_SSL_CACERT_BADFILE:
        return (struct verdict){USHER_TRANSPORT_UNREACHABLE, ERR_MISCONFIGURED,
                                "the file of trusted certificates cannot be read"};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return verdict_tls();
    case CURLE_ABORTED_BY_CALLBACK: /* FETCH_POST_SENDS_MAX */
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        if (!c->connected && strcmp(c->url.scheme, "https") == 0)
            return verdict_tls();
        return (struct verdict){USHER_TRANSPORT_BROKEN, ERR_UPSTREAM_BAD,
                                "the connection ended before the answer did"};
    default:
        return (struct verdict){USHER_TRANSPORT_BROKEN, ERR_UPSTREAM_BAD, "the answer is not HTTP"};
    }
}

void fetch_answer_finish(struct fetch_call *c, CURLcode code, long status)
{
    struct fetch_result *r = &c->result;

    r->retry_after = -1;
    r->content_type = r->charset = "";
    /* libcurl takes an end in the middle of the headers for the end of a body. */
    if (code == CURLE_OK && !c->head_done)
        code = CURLE_PARTIAL_FILE;
    if (code != CURLE_OK) {
        const struct verdict v = judge(c, code);
        r->transport = v.transport;
        err_set(&r->err, v.kind, "%s", v.text);
        /* Unreachable, by a name server above all: try carefully again. */
        if (!c->connected)
            c->pool->warm = false;
        return;
    }
    r->transport = USHER_TRANSPORT_OK;
    r->status = (int)status;
    r->headers = c->fields;
    r->n_headers = c->n_fields;
    r->body = buf_view(&c->answer);
    r->retry_after = retry_after(only_header(c, "retry-after"));
    take_content_type(c);
}
