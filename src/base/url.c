/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url.h"

#include <arpa/inet.h>

#define HOST_MAX 253
#define LABEL_MAX 63

static bool url_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool url_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Four plain decimals: no leading zeros, no hexadecimal, nothing left out. */
static bool url_ipv4(struct str s)
{
    size_t i = 0;
    for (int part = 0; part < 4; part++) {
        if (part && (i == s.n || s.p[i++] != '.'))
            return false;
        size_t from = i;
        unsigned v = 0;
        for (; i < s.n && url_digit(s.p[i]) && i - from < 3; i++)
            v = v * 10 + (unsigned)(s.p[i] - '0');
        if (i == from || v > 255 || (s.p[from] == '0' && i - from > 1))
            return false;
    }
    return i == s.n;
}

/* Browsers take a name whose last label is decimal or 0x… for an address. */
static bool url_label_numeric(struct str label)
{
    bool hex = label.n >= 2 && label.p[0] == '0' && label.p[1] == 'x';
    for (size_t i = hex ? 2 : 0; i < label.n; i++)
        if (!(hex ? text_hex_digit(label.p[i]) >= 0 : url_digit(label.p[i])))
            return false;
    return true;
}

static bool url_label(struct str label)
{
    if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++)
        if (!url_digit(label.p[i]) && !url_letter(label.p[i]) && label.p[i] != '-')
            return false;
    return true;
}

/* A lower-case name, not an address. */
static bool url_name(struct str host)
{
    if (host.n == 0 || host.n > HOST_MAX)
        return false;
    for (;;) {
        const char *dot = memchr(host.p, '.', host.n);
        struct str label = {host.p, dot ? (size_t)(dot - host.p) : host.n};
        if (!url_label(label))
            return false;
        if (!dot)
            return !url_label_numeric(label);
        host.p += label.n + 1;
        host.n -= label.n + 1;
    }
}

/* The one spelling of an IPv6 address without brackets; false if s is none. No zone. */
static bool url_ipv6(struct str s, char out[INET6_ADDRSTRLEN])
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (s.n == 0 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1 &&
           inet_ntop(AF_INET6, &address, out, INET6_ADDRSTRLEN);
}

bool url_host_valid(struct str host)
{
    char plain[INET6_ADDRSTRLEN];
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        struct str inner = {host.p + 1, host.n - 2};
        return url_ipv6(inner, plain) && str_is(inner, plain);
    }
    return url_name(host) || url_ipv4(host);
}

/* Printable ASCII without backslash, and every '%' followed by two hex digits. */
static bool url_bytes(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == '\\')
            return false;
        if (s.p[i] == '%' &&
            (s.n - i < 3 || text_hex_digit(s.p[i + 1]) < 0 || text_hex_digit(s.p[i + 2]) < 0))
            return false;
    }
    return true;
}

static bool url_port(struct str s, int *port)
{
    int v = 0;
    if (s.n == 0 || s.n > 5 || s.p[0] == '0')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!url_digit(s.p[i]))
            return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *port = v;
    return v <= 65535;
}

static int url_host(struct arena *a, struct str host, struct url *out, struct err *err)
{
    char plain[INET6_ADDRSTRLEN];
    if (host.n > 2 && host.p[0] == '[') {
        if (!url_ipv6((struct str){host.p + 1, host.n - 2}, plain))
            return err_set(err, ERR_INVALID, "url: bad IPv6 address");
        out->host = arena_dup(a, plain);
        out->host_is_ip = true;
        return 0;
    }
    char *lower = arena_str(a, host);
    for (size_t i = 0; i < host.n; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] + ('a' - 'A'));
    host.p = lower;
    out->host = lower;
    out->host_is_ip = url_ipv4(host);
    if (!out->host_is_ip && !url_name(host))
        return err_set(err, ERR_INVALID, "url: bad host");
    return 0;
}

/* host[:port] or [IPv6][:port] */
static int url_authority(struct arena *a, struct str s, struct url *out, struct err *err)
{
    const char *end = s.p + s.n;
    const char *colon;
    if (s.n && s.p[0] == '[') {
        const char *close = memchr(s.p, ']', s.n);
        if (!close)
            return err_set(err, ERR_INVALID, "url: bad IPv6 address");
        colon = close + 1;
        if (colon < end && *colon != ':')
            return err_set(err, ERR_INVALID, "url: bad host");
    } else {
        colon = s.n ? memchr(s.p, ':', s.n) : NULL;
        if (!colon)
            colon = end;
    }
    if (colon < end) {
        out->port_given = true;
        if (!url_port((struct str){colon + 1, (size_t)(end - colon) - 1}, &out->port))
            return err_set(err, ERR_INVALID, "url: bad port");
    }
    return url_host(a, (struct str){s.p, (size_t)(colon - s.p)}, out, err);
}

/* The bytes of s before the first of `stops`. */
static struct str url_until(struct str s, const char *stops)
{
    size_t n = s.n;
    for (; *stops; stops++) {
        const char *stop = n ? memchr(s.p, *stops, n) : NULL;
        if (stop)
            n = (size_t)(stop - s.p);
    }
    return (struct str){s.p, n};
}

static struct str url_rest(struct str s, struct str before)
{
    return (struct str){s.p + before.n, s.n - before.n};
}

int url_parse(struct arena *a, struct str text, struct url *out, struct err *err)
{
    *out = (struct url){.scheme = NULL};
    if (!text.n || !url_bytes(text))
        return err_set(err, ERR_INVALID, "url: bytes that do not belong in a URL");
    struct str scheme = url_until(text, ":");
    struct str rest = url_rest(text, scheme);
    if (str_is_nocase(scheme, "https"))
        out->scheme = "https";
    else if (str_is_nocase(scheme, "http"))
        out->scheme = "http";
    if (!out->scheme || !str_starts(rest, "://"))
        return err_set(err, ERR_INVALID, "url: does not start with http:// or https://");
    out->port = out->scheme[4] ? 443 : 80;
    rest = url_rest(rest, STR("://"));

    struct str authority = url_until(rest, "/?#");
    rest = url_rest(rest, authority);
    if (url_authority(a, authority, out, err))
        return -1;

    struct str path = url_until(rest, "?#");
    rest = url_rest(rest, path);
    out->path = path.n ? arena_str(a, path) : "/";
    if (rest.n && rest.p[0] == '?') {
        struct str query = url_until(rest, "#");
        out->query = arena_str(a, url_rest(query, STR("?")));
        rest = url_rest(rest, query);
    }
    if (rest.n) {
        rest = url_rest(rest, STR("#"));
        if (memchr(rest.p, '#', rest.n))
            return err_set(err, ERR_INVALID, "url: two fragments");
        out->fragment = arena_str(a, rest);
    }
    return 0;
}

void url_origin(const struct url *u, struct buf *out)
{
    bool ipv6 = strchr(u->host, ':') != NULL;
    buf_text(out, u->scheme);
    buf_text(out, ipv6 ? "://[" : "://");
    buf_text(out, u->host);
    if (ipv6)
        buf_byte(out, ']');
    if (u->port != (strcmp(u->scheme, "https") == 0 ? 443 : 80))
        buf_printf(out, ":%d", u->port);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port;
}

bool url_is_loopback(const struct url *u)
{
    return strcmp(u->host, "localhost") == 0 || strcmp(u->host, "::1") == 0 ||
           (u->host_is_ip && strncmp(u->host, "127.", 4) == 0);
}

bool url_entry_valid(const char *entry)
{
    const char *host = *entry == '.' ? entry + 1 : entry;
    const size_t n = strcspn(host, ":");
    int64_t port = 1;
    if (host[n] == ':' && (!text_int(str_of(host + n + 1), &port) || port < 1 || port > 65535))
        return false;
    return url_host_valid((struct str){host, n});
}

bool url_entry_has(const char *entry, const struct url *u)
{
    struct str host = str_of(entry);
    int64_t port = strcmp(u->scheme, "http") == 0 ? 80 : 443;
    size_t colon = host.n;
    while (colon > 0 && host.p[colon - 1] != ':' && host.p[colon - 1] != ']')
        colon--;
    if (colon > 0 && host.p[colon - 1] == ':') {
        if (!text_int((struct str){host.p + colon, host.n - colon}, &port))
            return false;
        host.n = colon - 1;
    }
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (struct str){host.p + 1, host.n - 2};
    if (host.n == 0 || port != u->port)
        return false;

    /* Both tails end where u->host ends, so it can serve as the NUL-terminated side. */
    size_t given = strlen(u->host);
    if (host.p[0] != '.')
        return str_is_nocase(host, u->host);
    return !u->host_is_ip && given > host.n && str_is_nocase(host, u->host + given - host.n);
}
