/* SPDX-License-Identifier: Apache-2.0 */
#include "fake/wire.h"

#define HUGE_BYTES ((int64_t)50 * 1024 * 1024)
#define HELD_LOOK_MS 10

bool wire_before(struct http_conn *c, const struct exchange *x)
{
    const struct fault_hits *hits = x->hits;
    const struct fault *f = fault_hit(hits, "slow");

    if (f && !http_sleep(c, f->ms >= 0 ? f->ms : 1000))
        return false;
    while (fault_hit(hits, "held") && faults_held(x->f->faults, hits))
        if (!http_sleep(c, HELD_LOOK_MS))
            return false;
    f = fault_hit(hits, "silent");
    if (f) {
        (void)http_sleep(c, f->ms);
        return false;
    }
    if (fault_hit(hits, "reset"))
        http_reset(c);
    return !fault_hit(hits, "close") && !fault_hit(hits, "reset");
}

static void answer_http(struct exchange *x, const struct fault *f)
{
    const int status = f->status >= 100 && f->status <= 599 ? (int)f->status : 500;

    if (f->retry_after >= 0)
        http_reply_header(x->r, "Retry-After",
                          arena_printf(x->rq->arena, "%lld", (long long)f->retry_after));
    if (*f->value) {
        x->r->status = status;
        x->r->type = "application/json";
        buf_text(&x->r->body, f->value);
    } else if (status == 429) { /* Discord's shape, which has the seconds as a fraction */
        struct jval *o = jval_new_object();
        jval_set_text(o, "message", "You are being rate limited.");
        jval_set_int(o, "retry_after", f->retry_after >= 0 ? f->retry_after : 1);
        jval_set_bool(o, "global", false);
        exchange_json(x, status, o);
    } else {
        exchange_error(x, status, "fake_fault", "The look-alike was told to fail.");
    }
}

bool wire_instead(struct exchange *x)
{
    const struct fault *f = fault_hit(x->hits, "http");

    if (f) {
        answer_http(x, f);
        return true;
    }
    f = fault_hit(x->hits, "html");
    if (f) {
        x->r->status = f->status >= 100 ? (int)f->status : 200;
        x->r->type = "text/html; charset=utf-8";
        buf_text(
            &x->r->body,
            "<!doctype html><title>Wi-Fi</title><p>Please accept the terms of this network.</p>\n");
        return true;
    }
    f = fault_hit(x->hits, "redirect");
    if (f) {
        x->r->status = f->status >= 300 ? (int)f->status : 302;
        http_reply_header(x->r, "Location", *f->value ? f->value : "https://evil.example/");
        return true;
    }
    return false;
}

/* ---- floods --------------------------------------------------------------------------------- */

static bool send_filler(struct http_conn *c, int64_t n, char byte)
{
    char block[16384];

    memset(block, byte, sizeof block);
    for (; n > 0; n -= (int64_t)sizeof block)
        if (!http_write(c, block, n < (int64_t)sizeof block ? (size_t)n : sizeof block))
            return false;
    return true;
}

static bool send_huge(struct http_conn *c, struct exchange *x, const struct fault *f)
{
    const int64_t n = f->n >= 0 ? f->n : HUGE_BYTES;
    struct buf head;
    bool sent;

    buf_init(&head, 1u << 20);
    http_head(x->r, n, &head);
    sent = http_write(c, head.p, head.n) && send_filler(c, n, ' ');
    buf_deinit(&head);
    return sent;
}

static bool send_endless(struct http_conn *c, struct exchange *x)
{
    struct buf head;
    bool sent;

    buf_init(&head, 1u << 20);
    http_reply_header(x->r, "Transfer-Encoding", "chunked");
    http_head(x->r, -1, &head);
    sent = http_write(c, head.p, head.n);
    buf_deinit(&head);
    while (sent)
        sent =
            http_write(c, "4000\r\n", 6) && send_filler(c, 0x4000, ' ') && http_write(c, "\r\n", 2);
    return false;
}

struct bits {
    struct buf *out;
    unsigned held, value;
};

static void bits_add(struct bits *b, unsigned value, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        b->value |= (value >> i & 1u) << b->held;
        if (++b->held == 8) {
            buf_byte(b->out, (char)b->value);
            b->held = b->value = 0;
        }
    }
}

/* 50 MB of zeros in 320 KB: one deflate block of fixed codes, each "258 bytes, 1 back". RFC 1951.
 */
static void make_bomb(struct buf *out)
{
    struct bits b = {.out = out};

    buf_add(out, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
    bits_add(&b, 1, 1);    /* the last block */
    bits_add(&b, 1, 2);    /* fixed codes */
    bits_add(&b, 0x0c, 8); /* the literal 0 (00110000, first bit first) */
    for (int64_t n = 0; n < HUGE_BYTES; n += 258) {
        bits_add(&b, 0xa3, 8); /* length 258: 11000101 */
        bits_add(&b, 0, 5);    /* distance 1 */
    }
    bits_add(&b, 0, 7); /* end */
    bits_add(&b, 0, 7); /* to a whole byte */
    buf_add(out, "\0\0\0\0\0\0\0\0", 8);
}

/* ---- sending -------------------------------------------------------------------------------- */

static void more_headers(struct exchange *x)
{
    const struct fault *f = fault_hit(x->hits, "many-headers");

    for (int64_t i = 0; f && i < (f->n >= 0 ? f->n : 1000); i++)
        buf_printf(&x->r->headers, "X-Fake-%lld: 1\r\n", (long long)i);
    if (fault_hit(x->hits, "long-header")) {
        buf_text(&x->r->headers, "X-Fake: ");
        for (int i = 0; i < 65536; i++)
            buf_byte(&x->r->headers, 'x');
        buf_text(&x->r->headers, "\r\n");
    }
    if (fault_hit(x->hits, "set-cookie"))
        buf_text(
            &x->r->headers,
            "Set-Cookie: fake=1; Path=/\r\nSet-Cookie: __Host-usher=stolen; Path=/; Secure\r\n");
    if (fault_hit(x->hits, "gzip-bomb")) {
        http_reply_header(x->r, "Content-Encoding", "gzip");
        buf_clear(&x->r->body);
        make_bomb(&x->r->body);
    }
}

static bool interim(struct http_conn *c, const struct exchange *x)
{
    static const char hint[] = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    const struct fault *f = fault_hit(x->hits, "1xx-flood");
    bool sent = true;

    for (int64_t i = 0; f && sent && i < (f->n >= 0 ? f->n : 100000); i++)
        sent = http_write(c, hint, sizeof hint - 1);
    if (fault_hit(x->hits, "continue"))
        sent = sent && http_write(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    return sent;
}

/* The whole answer, some of it, or byte by byte. */
static bool send_plain(struct http_conn *c, struct exchange *x)
{
    const struct fault *drip = fault_hit(x->hits, "drip");
    const bool truncated = fault_hit(x->hits, "truncated"), hang = fault_hit(x->hits, "hang");
    const bool no_length = fault_hit(x->hits, "no-length");
    struct buf out;
    size_t n;
    bool sent = true;

    buf_init(&out, 66u << 20);
    http_head(x->r, no_length ? -1 : (int64_t)x->r->body.n, &out);
    n = out.n + x->r->body.n / 2;
    buf_str(&out, buf_view(&x->r->body));
    if (hang)
        n = out.n - x->r->body.n;
    else if (!truncated)
        n = out.n;
    for (size_t at = 0; drip && sent && at < n; at++)
        sent = http_write(c, out.p + at, 1) && http_sleep(c, drip->ms >= 0 ? drip->ms : 200);
    if (!drip)
        sent = http_write(c, out.p, n);
    if (hang)
        (void)http_sleep(c, -1);
    buf_deinit(&out);
    return sent && !truncated && !hang && !no_length;
}

bool wire_send(struct http_conn *c, struct exchange *x)
{
    const struct fault *f;

    if (x->hits->n == 0)
        return http_reply_send(c, x->rq, x->r);
    more_headers(x);
    if (!interim(c, x))
        return false;
    if (fault_hit(x->hits, "http09"))
        return http_write(c, x->r->body.p, x->r->body.n) && false;
    f = fault_hit(x->hits, "huge");
    if (f)
        return send_huge(c, x, f);
    if (fault_hit(x->hits, "endless"))
        return send_endless(c, x);
    return send_plain(c, x) && !x->r->close;
}
