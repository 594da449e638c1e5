/* SPDX-License-Identifier: Apache-2.0 */
/* The writing half of badtoken: bytes, base64url and signatures that are wrong in every way. */
#include <stdlib.h>

#include "fake/badtoken.h"

#define PART_MAX (4u << 20)
#define RAW_MARK "\"@raw@\""

/* The order of P-256. */
static const unsigned char order[32] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

/* JSON with the raw text where the mark stands. */
static void render(const struct draft *d, const struct jval *v, struct buf *out)
{
    struct buf text;
    const char *mark;

    buf_init(&text, PART_MAX);
    jval_render(v, &text);
    mark = d->raw ? strstr(text.p, RAW_MARK) : NULL;
    if (mark) {
        buf_add(out, text.p, (size_t)(mark - text.p));
        buf_text(out, d->raw);
        buf_text(out, mark + strlen(RAW_MARK));
    } else {
        buf_str(out, buf_view(&text));
    }
    buf_deinit(&text);
}

static char *encode(const struct buf *b)
{
    char *out = mem_alloc(text_b64url_len(b->n) + 1);

    text_b64url(b->p, b->n, out);
    return out;
}

static void der_integer(struct buf *out, const unsigned char *p)
{
    size_t n = 32;

    while (n > 1 && *p == 0) {
        p++;
        n--;
    }
    buf_byte(out, 0x02);
    buf_byte(out, (char)(n + (*p >= 0x80)));
    if (*p >= 0x80)
        buf_byte(out, 0);
    buf_add(out, p, n);
}

/* r and s as ASN.1, the way OpenSSL gives and JOSE must not take them. */
static void to_der(struct buf *sig)
{
    struct buf out;

    buf_init(&out, 200);
    der_integer(&out, (const unsigned char *)sig->p);
    der_integer(&out, (const unsigned char *)sig->p + 32);
    buf_clear(sig);
    buf_byte(sig, 0x30);
    buf_byte(sig, (char)out.n);
    buf_str(sig, buf_view(&out));
    buf_deinit(&out);
}

/* s becomes n - s when that is the larger one: as valid as before. */
static void to_high_s(unsigned char *s)
{
    unsigned char other[32];
    int borrow = 0;

    for (int i = 31; i >= 0; i--) {
        int v = order[i] - s[i] - borrow;

        borrow = v < 0;
        other[i] = (unsigned char)(v + (borrow ? 256 : 0));
    }
    if (memcmp(other, s, 32) > 0)
        memcpy(s, other, 32);
}

static void bend(const struct draft *d, struct str input, struct buf *sig)
{
    struct err err = ERR_INIT;
    unsigned char *p = (unsigned char *)sig->p;

    switch (d->signature) {
    case SIGNATURE_FINE:
        break;
    case SIGNATURE_EMPTY:
        buf_clear(sig);
        break;
    case SIGNATURE_DER:
        to_der(sig);
        break;
    case SIGNATURE_SHORT:
        sig->n--;
        break;
    case SIGNATURE_LONG:
        buf_byte(sig, 0);
        break;
    case SIGNATURE_96:
        buf_add(sig, order, sizeof order);
        break;
    case SIGNATURE_ZERO:
        memset(p, 0, sig->n);
        break;
    case SIGNATURE_R_IS_N:
        memcpy(p, order, 32);
        break;
    case SIGNATURE_S_IS_N:
        memcpy(p + 32, order, 32);
        break;
    case SIGNATURE_R_OVER_N:
        memset(p, 0xff, 32);
        break;
    case SIGNATURE_HIGH_S:
        to_high_s(p + 32);
        break;
    case SIGNATURE_ZERO_LED: /* one in 256 has it */
        for (int i = 0; i < 10000 && sig->p[0] != 0; i++) {
            buf_clear(sig);
            if (jws_sign_bytes(d->key, d->alg, input, sig, &err) < 0)
                abort();
        }
        break;
    case SIGNATURE_FLIPPED:
        p[sig->n / 2] ^= 1;
        break;
    }
}

static void write_payload(const struct draft *d, struct buf *out)
{
    if (d->before)
        buf_text(out, d->before);
    if (d->payload)
        buf_text(out, d->payload);
    else
        render(d, d->claims, out);
    if (d->after)
        buf_text(out, d->after);
}

static void put_together(const struct draft *d, char *const part[3], struct buf *out)
{
    if (d->parts && strcmp(d->parts, "@dots") == 0) {
        for (int i = 0; i < 10000; i++)
            buf_byte(out, '.');
        return;
    }
    if (!d->parts) {
        buf_printf(out, "%s.%s.%s", part[0], part[1], part[2]);
        return;
    }
    /* A small printf of our own: %s is the next part, %.0s leaves it out. */
    for (const char *p = d->parts; *p; p++) {
        static const char left_out[] = "%.0s";
        size_t i = 0;

        if (*p != '%') {
            buf_byte(out, *p);
            continue;
        }
        for (const char *q = d->parts; q < p; q++)
            i += *q == '%';
        if (strncmp(p, left_out, 4) == 0) {
            p += 3;
        } else {
            buf_text(out, part[i]);
            p += 1;
        }
    }
}

char *badtoken_write(const struct draft *d)
{
    struct buf header, payload, input, sig, out;
    struct err err = ERR_INIT;
    char *part[3];

    buf_init(&header, PART_MAX);
    buf_init(&payload, PART_MAX);
    buf_init(&input, 3 * PART_MAX);
    buf_init(&sig, 2048);
    buf_init(&out, 6 * PART_MAX);
    render(d, d->header, &header);
    write_payload(d, &payload);
    part[0] = encode(&header);
    part[1] = encode(&payload);
    buf_printf(&input, "%s.%s", part[0], part[1]);
    if (jws_sign_bytes(d->key, d->alg, buf_view(&input), &sig, &err) < 0)
        abort();
    bend(d, buf_view(&input), &sig);
    part[2] = encode(&sig);
    for (size_t i = 0; i < 2; i++) {
        struct buf *b = i == 0 ? &header : &payload;

        if (i == 0 ? !d->flip_header : !d->flip_payload)
            continue;
        /* The last letter or digit of the last text: still JSON, but not what was signed. */
        for (size_t at = b->n; at-- > 0;)
            if ((b->p[at] >= '0' && b->p[at] <= '8') || (b->p[at] >= 'a' && b->p[at] <= 'y')) {
                b->p[at]++;
                break;
            }
        free(part[i]);
        part[i] = encode(b);
    }
    put_together(d, part, &out);
    for (size_t i = 0; i < 3; i++)
        free(part[i]);
    buf_deinit(&header);
    buf_deinit(&payload);
    buf_deinit(&input);
    buf_deinit(&sig);
    return buf_take(&out);
}
