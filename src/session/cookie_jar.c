/* SPDX-License-Identifier: Apache-2.0 */
#include "session/cookie_jar.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/url.h"

#define HOST "__Host-"
#define SECURE "__Secure-"

/* Behind a prefix, or without one on plain http. */
enum cookie { SESSION, BIND, OPERATOR, LAST, COOKIES };
static const char *const names[COOKIES] = {[SESSION] = "usher",
                                           [BIND] = "usher-bind",
                                           [OPERATOR] = "usher-operator",
                                           [LAST] = "usher-last"};

/* `host` is `domain` or lies below it, cut at a dot. */
static bool lies_in(const char *host, const char *domain)
{
    size_t h = strlen(host), d = strlen(domain);
    if (h < d || strcmp(host + h - d, domain) != 0)
        return false;
    return h == d || host[h - d - 1] == '.';
}

static int judge_domain(const struct url *u, const char *domain, struct err *err)
{
    if (u->host_is_ip)
        return err_set(err, ERR_MISCONFIGURED,
                       "a cookie domain needs a public URL with a host name, not an address");
    if (domain[0] == '.')
        return err_set(err, ERR_MISCONFIGURED,
                       "the cookie domain is written without the leading dot");
    if (!url_host_valid(str_of(domain)))
        return err_set(err, ERR_MISCONFIGURED, "the cookie domain is no host name in lower case");
    /* Browsers refuse cookies for public suffixes; those without a dot are told here already. */
    if (!strchr(domain, '.'))
        return err_set(err, ERR_MISCONFIGURED,
                       "the cookie domain is a public suffix: it needs a dot within");
    if (!lies_in(u->host, domain))
        return err_set(err, ERR_MISCONFIGURED,
                       "the public URL's host does not lie in the cookie domain");
    return 0;
}

int cookie_jar_init(struct cookie_jar *j, const char *public_url, const char *domain,
                    struct err *err)
{
    struct arena *a = arena_new();
    struct url u;
    int rc = -1;

    memset(j, 0, sizeof *j);
    if (url_parse(a, str_of(public_url), &u, err) < 0) {
        err_context(err, "public URL");
        goto out;
    }
    j->secure = strcmp(u.scheme, "https") == 0;
    if (!j->secure && !url_is_loopback(&u)) {
        err_set(err, ERR_MISCONFIGURED,
                "the public URL is plain http and not this machine: "
                "cookies need https");
        goto out;
    }
    if (domain && judge_domain(&u, domain, err) < 0)
        goto out;
    if (domain && !j->secure) {
        err_set(err, ERR_MISCONFIGURED, "a cookie domain needs https");
        goto out;
    }
    j->domain = domain;
    const char *prefix = !j->secure ? "" : domain ? SECURE : HOST;
    snprintf(j->session_name, sizeof j->session_name, "%s%s", prefix, names[SESSION]);
    const char *own = j->secure ? HOST : "";
    snprintf(j->bind_name, sizeof j->bind_name, "%s%s", own, names[BIND]);
    snprintf(j->operator_name, sizeof j->operator_name, "%s%s", own, names[OPERATOR]);
    snprintf(j->last_name, sizeof j->last_name, "%s%s", own, names[LAST]);
    rc = 0;
out:
    arena_free(&a);
    return rc;
}

struct attributes {
    const char *domain, *same_site;
    int64_t max_age;
};

static void set_cookie(const struct cookie_jar *j, const char *name, const char *value,
                       const struct attributes *a, struct buf *out)
{
    buf_text(out, name);
    buf_byte(out, '=');
    if (a->max_age != 0)
        buf_text(out, value);
    buf_text(out, "; Path=/");
    if (a->domain) {
        buf_text(out, "; Domain=");
        buf_text(out, a->domain);
    }
    if (a->max_age >= 0)
        buf_printf(out, "; Max-Age=%lld", (long long)a->max_age);
    if (j->secure)
        buf_text(out, "; Secure");
    buf_text(out, "; HttpOnly; SameSite=");
    buf_text(out, a->same_site);
}

void cookie_jar_session(const struct cookie_jar *j, const char *token, int64_t max_age,
                        struct buf *out)
{
    const struct attributes a = {j->domain, "Lax", max_age};
    set_cookie(j, j->session_name, token, &a, out);
}

void cookie_jar_bind(const struct cookie_jar *j, const char *value, int64_t max_age,
                     struct buf *out)
{
    const struct attributes a = {NULL, "Lax", max_age};
    set_cookie(j, j->bind_name, value, &a, out);
}

void cookie_jar_last(const struct cookie_jar *j, const char *provider, int64_t max_age,
                     struct buf *out)
{
    const struct attributes a = {NULL, "Lax", max_age};
    set_cookie(j, j->last_name, provider, &a, out);
}

void cookie_jar_operator(const struct cookie_jar *j, const char *token, int64_t max_age,
                         struct buf *out)
{
    const struct attributes a = {NULL, "Strict", max_age};
    set_cookie(j, j->operator_name, token, &a, out);
}

/* Under any configuration; only the session has a domain, and so the lesser prefix. */
static bool is_own(struct str cookie)
{
    cookie = str_trim(cookie);
    const char *equals = cookie.n ? memchr(cookie.p, '=', cookie.n) : NULL;
    struct str name = {cookie.p, equals ? (size_t)(equals - cookie.p) : 0};
    const bool secure = str_starts(name, SECURE);
    const size_t skip = secure ? strlen(SECURE) : str_starts(name, HOST) ? strlen(HOST) : 0;
    name = (struct str){name.p + skip, name.n - skip};
    for (size_t i = SESSION; i < (secure ? SESSION + 1 : COOKIES); i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

void cookie_jar_others(struct str header, struct buf *out)
{
    const char *before = out->n > 0 ? "; " : "";
    bool first = true;
    char next;
    do {
        /* Some proxies make one header of two, with a comma where a semicolon belongs. */
        size_t n = 0;
        while (n < header.n && header.p[n] != ';' && header.p[n] != ',')
            n++;
        struct str piece = {header.p, n};
        next = n < header.n ? header.p[n] : 0;
        header.p += n + (next != 0);
        header.n -= n + (next != 0);
        if (is_own(piece)) {
            if (next == ';' && !first)
                before = ";"; /* or two cookies that stood apart would become one */
            continue;
        }
        for (; first && piece.n > 0 && (*piece.p == ' ' || *piece.p == '\t'); piece.n--)
            piece.p++;
        buf_text(out, before);
        buf_str(out, piece);
        before = next == ';' ? ";" : ",";
        first = false;
    } while (next != 0);
}
