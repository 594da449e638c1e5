/* SPDX-License-Identifier: Apache-2.0 */
#include "net/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

/* IANA's IPv4 special-purpose registry (RFC 6890), multicast and the reserved top. */
static const struct {
    uint32_t net, mask;
} special4[] = {
    {0x00000000u, 0xff000000u}, /* 0.0.0.0/8: this network */
    {0x0a000000u, 0xff000000u}, /* 10.0.0.0/8 */
    {0x64400000u, 0xffc00000u}, /* 100.64.0.0/10: carrier NAT */
    {0xa9fe0000u, 0xffff0000u}, /* 169.254.0.0/16: link local, cloud metadata */
    {0xac100000u, 0xfff00000u}, /* 172.16.0.0/12 */
    {0xc0000000u, 0xffffff00u}, /* 192.0.0.0/24: IETF protocols */
    {0xc0000200u, 0xffffff00u}, /* 192.0.2.0/24: documentation */
    {0xc0586300u, 0xffffff00u}, /* 192.88.99.0/24: 6to4 relays */
    {0xc0a80000u, 0xffff0000u}, /* 192.168.0.0/16 */
    {0xc6120000u, 0xfffe0000u}, /* 198.18.0.0/15: benchmarks */
    {0xc6336400u, 0xffffff00u}, /* 198.51.100.0/24: documentation */
    {0xcb007100u, 0xffffff00u}, /* 203.0.113.0/24: documentation */
    {0xe0000000u, 0xe0000000u}, /* 224.0.0.0/3: multicast, reserved, broadcast */
};

/* The parts of 2000::/3 that are not ordinary addresses. */
static const struct {
    unsigned char net[16];
    unsigned bits;
} special6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* 2001::/23: IETF protocols, Teredo, ORCHID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* 2001:db8::/32: documentation */
    {{0x20, 0x02}, 16},             /* 2002::/16: 6to4 holds any IPv4 address */
    {{0x3f, 0xff, 0x00}, 20},       /* 3fff::/20: documentation */
};

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};

struct origin_nets {
    size_t n;
    struct origin_net v[];
};

static bool bits_equal(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    const unsigned whole = bits / 8, rest = bits % 8;

    if (whole > 0 && memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

/* Any address as 16 bytes, so that mapped IPv6 and plain IPv4 are one thing. */
static bool address_bytes(const struct sockaddr *sa, unsigned char out[16])
{
    if (sa->sa_family == AF_INET) {
        memcpy(out, mapped, sizeof mapped);
        memcpy(out + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
        return true;
    }
    return false;
}

static enum origin_class classify4(const unsigned char *p)
{
    const uint32_t a = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];

    if ((a & 0xff000000u) == 0x7f000000u)
        return ORIGIN_LOOPBACK;
    for (size_t i = 0; i < sizeof special4 / sizeof *special4; i++)
        if ((a & special4[i].mask) == special4[i].net)
            return ORIGIN_PRIVATE;
    return ORIGIN_PUBLIC;
}

static enum origin_class classify6(const unsigned char *p)
{
    static const unsigned char one[16] = {[15] = 1};

    if (memcmp(p, one, 16) == 0)
        return ORIGIN_LOOPBACK;
    if (memcmp(p, mapped, sizeof mapped) == 0)
        return classify4(p + 12);
    /* RFC 6052: what a NAT64 gateway would reach, but its loopback is not ours. */
    if (memcmp(p, nat64, sizeof nat64) == 0)
        return classify4(p + 12) == ORIGIN_PUBLIC ? ORIGIN_PUBLIC : ORIGIN_PRIVATE;
    if ((p[0] & 0xe0u) != 0x20u)
        return ORIGIN_PRIVATE; /* only 2000::/3 is handed out */
    for (size_t i = 0; i < sizeof special6 / sizeof *special6; i++)
        if (bits_equal(p, special6[i].net, special6[i].bits))
            return ORIGIN_PRIVATE;
    return ORIGIN_PUBLIC;
}

enum origin_class origin_classify(const struct sockaddr *sa, socklen_t n)
{
    unsigned char addr[16];

    if (n < sizeof sa->sa_family || (sa->sa_family == AF_INET && n < sizeof(struct sockaddr_in)) ||
        (sa->sa_family == AF_INET6 && n < sizeof(struct sockaddr_in6)) || !address_bytes(sa, addr))
        return ORIGIN_PRIVATE;
    return classify6(addr);
}

bool origin_parse(const char *text, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;

    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        out->ss_family = AF_INET;
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        out->ss_family = AF_INET6;
        return true;
    }
    return false;
}

void origin_text(const struct sockaddr *sa, char *out)
{
    unsigned char addr[16];
    const char *done = NULL;

    if (address_bytes(sa, addr))
        done = memcmp(addr, mapped, sizeof mapped) == 0 ? inet_ntop(AF_INET, addr + 12, out, 64)
                                                        : inet_ntop(AF_INET6, addr, out, 64);
    if (!done)
        memcpy(out, "unknown", sizeof "unknown");
}

bool origin_net_parse(const char *text, struct origin_net *out)
{
    char addr[64];
    struct sockaddr_storage sa;
    const char *slash = strchr(text, '/');
    const size_t n = slash ? (size_t)(slash - text) : strlen(text);
    unsigned lead;
    int64_t bits;

    if (n >= sizeof addr)
        return false;
    memcpy(addr, text, n);
    addr[n] = 0;
    if (!origin_parse(addr, &sa) || !address_bytes((const struct sockaddr *)&sa, out->addr))
        return false;
    lead = sa.ss_family == AF_INET ? 96 : 0;
    bits = 128 - lead;
    if (slash && (!text_int(str_of(slash + 1), &bits) || bits < 0 || bits > 128 - (int64_t)lead))
        return false;
    out->bits = (unsigned)bits + lead;
    for (unsigned i = out->bits; i < 128; i++)
        if (out->addr[i / 8] & (0x80u >> (i % 8)))
            return false;
    return true;
}

bool origin_net_has(const struct origin_net *n, const struct sockaddr *sa)
{
    unsigned char addr[16];
    return address_bytes(sa, addr) && bits_equal(addr, n->addr, n->bits);
}

struct origin_nets *origin_nets_parse(const char *const *list, const char **bad)
{
    size_t n = 0;
    struct origin_nets *nets;

    while (list && list[n])
        n++;
    nets = mem_alloc(sizeof *nets + n * sizeof nets->v[0]);
    for (; nets->n < n; nets->n++)
        if (!origin_net_parse(list[nets->n], &nets->v[nets->n])) {
            *bad = list[nets->n];
            origin_nets_free(&nets);
            return NULL;
        }
    return nets;
}

void origin_nets_free(struct origin_nets **n)
{
    free(*n);
    *n = NULL;
}

bool origin_nets_has(const struct origin_nets *n, const struct sockaddr *sa)
{
    unsigned char addr[16];

    if (!address_bytes(sa, addr))
        return false;
    for (size_t i = 0; i < n->n; i++)
        if (bits_equal(addr, n->v[i].addr, n->v[i].bits))
            return true;
    return false;
}
