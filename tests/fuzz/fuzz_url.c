/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs: what is taken can be put together again from its parts, and libcurl, which will be given
 * the same text, reads the same scheme, host, port and path out of it.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok)
        abort();
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void put_together(struct arena *a, const struct url *u)
{
    struct buf b;
    struct url again;
    buf_init(&b, 1u << 20);
    url_origin(u, &b);
    must(url_parse(a, buf_view(&b), &again, NULL) == 0 && url_same_origin(u, &again));
    must(strcmp(again.path, "/") == 0 && !again.query && !again.fragment);
    buf_text(&b, u->path);
    if (u->query)
        buf_printf(&b, "?%s", u->query);
    if (u->fragment)
        buf_printf(&b, "#%s", u->fragment);
    must(buf_ok(&b) && url_parse(a, buf_view(&b), &again, NULL) == 0);
    must(url_same_origin(u, &again) && strcmp(u->path, again.path) == 0);
    must(same_text(u->query, again.query) && same_text(u->fragment, again.fragment));
    buf_deinit(&b);
}

static char *curl_part(CURLU *c, CURLUPart part)
{
    char *text = NULL;
    must(curl_url_get(c, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK && text);
    return text;
}

static bool same_host(const char *ours, char *theirs)
{
    if (theirs[0] != '[')
        return str_is_nocase(str_of(theirs), ours);
    struct in6_addr a, b;
    theirs[strlen(theirs) - 1] = '\0';
    return inet_pton(AF_INET6, ours, &a) == 1 && inet_pton(AF_INET6, theirs + 1, &b) == 1 &&
           memcmp(&a, &b, sizeof(a)) == 0;
}

static void ask_curl(const char *text, const struct url *u)
{
    CURLU *c = curl_url();
    char port[8];
    must(c && curl_url_set(c, CURLUPART_URL, text, CURLU_PATH_AS_IS) == CURLUE_OK);
    char *scheme = curl_part(c, CURLUPART_SCHEME), *host = curl_part(c, CURLUPART_HOST);
    char *path = curl_part(c, CURLUPART_PATH), *their_port = curl_part(c, CURLUPART_PORT);
    snprintf(port, sizeof(port), "%d", u->port);
    must(strcmp(scheme, u->scheme) == 0 && strcmp(their_port, port) == 0);
    must(strcmp(path, u->path) == 0 && same_host(u->host, host));
    char *user = NULL;
    must(curl_url_get(c, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
    curl_free(scheme);
    curl_free(host);
    curl_free(path);
    curl_free(their_port);
    curl_url_cleanup(c);
}

static void host_is_plain(const struct url *u)
{
    char bracketed[64];
    struct str host = str_of(u->host);
    if (strchr(u->host, ':')) {
        snprintf(bracketed, sizeof(bracketed), "[%s]", u->host);
        host = str_of(bracketed);
    }
    must(url_host_valid(host));
    for (const char *c = u->host; *c; c++)
        must((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || strchr(".-:", *c));
    struct in_addr ipv4; /* what libc takes for an address is one to us, too */
    must(!inet_aton(u->host, &ipv4) || u->host_is_ip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct err err = ERR_INIT;
    struct url u;
    if (size && data[size - 1] == '\n') /* seeds are files */
        size--;
    struct str text = {(const char *)data, size};
    (void)url_host_valid(text);
    if (size > 100000)
        goto out;
    if (url_parse(a, text, &u, &err)) {
        must(err.kind == ERR_INVALID);
        goto out;
    }
    must(u.port > 0 && u.port <= 65535 && u.path[0] == '/');
    for (size_t i = 0; i < size; i++)
        must(data[i] > 0x20 && data[i] < 0x7f && data[i] != '\\');
    host_is_plain(&u);
    put_together(a, &u);
    ask_curl(arena_str(a, text), &u);
out:
    arena_free(&a);
    return 0;
}
