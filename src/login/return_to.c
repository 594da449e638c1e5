/* SPDX-License-Identifier: Apache-2.0 */
#include "login/return_to.h"

#include <stdbool.h>

#include "base/text.h"
#include "base/url.h"

/* What must never be a target on our own origin: a loop, or a sign-out nobody asked for. */
static const char *const own_never[] = {"login", "logout", "callback"};

/* The byte at s[*i], a percent triplet counting as the byte it stands for; *i moves past it.
 * -1: a malformed triplet. */
static int next_byte(struct str s, size_t *i, bool *encoded)
{
    char c = s.p[(*i)++];
    *encoded = c == '%';
    if (c != '%')
        return (unsigned char)c;
    if (s.n - *i < 2)
        return -1;
    int high = text_hex_digit(s.p[*i]), low = text_hex_digit(s.p[*i + 1]);
    if (high < 0 || low < 0)
        return -1;
    *i += 2;
    return high * 16 + low;
}

/* One segment between slashes. Browsers resolve "%2e" like ".", proxies may decode "%2f" and "%5c"
 * before they look: so none of these may stand where it could change what the path means. */
static const char *segment_fault(struct str seg, bool first, bool ours)
{
    size_t dots = 0, n = 0;
    char name[16] = "";
    for (size_t i = 0; i < seg.n; n++) {
        bool encoded;
        int byte = next_byte(seg, &i, &encoded);
        if (byte < 0)
            return "malformed percent triplet";
        if (encoded && (byte < 0x20 || byte == 0x7f || byte == '\\'))
            return "encoded control byte or backslash";
        if (encoded && byte == '/' && n == 0 && first)
            return "encoded slash in front";
        if (byte == '.')
            dots++;
        if (n < sizeof name - 1)
            name[n] = (char)byte;
    }
    if (n == dots && (n == 1 || n == 2))
        return "dot segment";
    if (!first || !ours || n >= sizeof name)
        return NULL;
    struct str rest = str_of(name), word;
    if (!str_split(&rest, ';', &word))
        return NULL;
    for (size_t i = 0; i < sizeof own_never / sizeof *own_never; i++)
        if (str_is_nocase(word, own_never[i]))
            return "sign-in and sign-out are no targets";
    return NULL;
}

/* Everything behind the authority: path, query, fragment. NULL: fine. */
static const char *target_fault(struct str target, bool ours)
{
    size_t path_n = 0;
    while (path_n < target.n && target.p[path_n] != '?' && target.p[path_n] != '#')
        path_n++;
    if (path_n == 0 || target.p[0] != '/')
        return "no path";
    if (ours && path_n > 1 && target.p[1] == '/')
        return "reads as a host";

    bool first = true;
    for (size_t i = 1; i <= path_n;) {
        size_t end = i;
        while (end < path_n && target.p[end] != '/')
            end++;
        const char *fault = segment_fault((struct str){target.p + i, end - i}, first, ours);
        if (fault)
            return fault;
        first = false;
        i = end + 1;
    }

    for (size_t i = path_n; i < target.n;) {
        bool encoded;
        int byte = next_byte(target, &i, &encoded);
        if (byte <= 0)
            return byte < 0 ? "malformed percent triplet" : "encoded NUL";
    }
    return NULL;
}

static bool host_allowed(const struct return_rules *r, const struct url *own, const struct url *u)
{
    /* In development, where we are on plain http ourselves, so may be apps on this machine. */
    const bool plain = strcmp(u->scheme, "http") == 0;
    if (plain && (strcmp(own->scheme, "http") != 0 || !url_is_loopback(u)))
        return false;
    for (const char *const *h = r->hosts; h && *h; h++)
        if (url_entry_has(*h, u))
            return true;
    return false;
}

static int judge_absolute(const struct return_rules *r, struct str raw, struct arena *a,
                          const char **out, struct err *err)
{
    struct url own, u;
    if (url_parse(a, str_of(r->public_url), &own, err) != 0) {
        err_context(err, "public_url");
        return -1;
    }
    if (url_parse(a, raw, &u, err) != 0) {
        err_context(err, "return_to");
        return -1;
    }
    size_t host_n = strlen(u.host);
    if (host_n == 0 || u.host[host_n - 1] == '.')
        return err_set(err, ERR_INVALID, "return_to: host ends with a dot");

    size_t start = strlen(u.scheme) + strlen("://");
    while (start < raw.n && !strchr("/?#", raw.p[start]))
        start++;
    struct str tail = {raw.p + start, raw.n - start};
    const char *target =
        arena_printf(a, "%s%.*s", tail.n && tail.p[0] == '/' ? "" : "/", (int)tail.n, tail.p);

    bool ours = url_same_origin(&own, &u);
    if (!ours && !host_allowed(r, &own, &u))
        return err_set(err, ERR_INVALID, "return_to: host is not on the allow-list");
    const char *fault = target_fault(str_of(target), ours);
    if (fault)
        return err_set(err, ERR_INVALID, "return_to: %s", fault);
    *out = ours ? target : arena_str(a, raw);
    return 0;
}

int return_to_judge(const struct return_rules *r, struct str raw, struct arena *a, const char **out,
                    struct err *err)
{
    if (raw.n == 0)
        return err_set(err, ERR_INVALID, "return_to: empty");
    if (raw.n > RETURN_TO_MAX)
        return err_set(err, ERR_INVALID, "return_to: longer than %d bytes", RETURN_TO_MAX);
    if (!text_printable(raw) || memchr(raw.p, '\\', raw.n))
        return err_set(err, ERR_INVALID, "return_to: blank, control, 8-bit or backslash bytes");

    if (raw.p[0] == '/') {
        const char *fault = target_fault(raw, true);
        if (fault)
            return err_set(err, ERR_INVALID, "return_to: %s", fault);
        *out = arena_str(a, raw);
        return 0;
    }
    if (str_starts(raw, "https://") || str_starts(raw, "http://"))
        return judge_absolute(r, raw, a, out, err);
    return err_set(err, ERR_INVALID, "return_to: neither a path nor an http(s) URL");
}
