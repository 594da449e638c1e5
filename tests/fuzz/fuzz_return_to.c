/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever return_to_judge lets pass must stay on an allowed origin when a browser resolves it.
 * The resolver here follows the WHATWG URL standard's basic parser for special schemes (slashes and
 * backslashes alike, tabs and newlines dropped, userinfo up to the last '@', IPv4 in any radix) and
 * shares no code with the judge.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "login/return_to.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct origin {
    char scheme[16], host[300];
    long port;
};

static const struct origin base = {"https", "auth.example", 443};

static int is_slash(char c)
{
    return c == '/' || c == '\\';
}

/* WHATWG "ends in a number" host: into dotted form, or 0 if it is a name. */
static int host_number(char *host, size_t room)
{
    unsigned long parts[4] = {0};
    int n = 0;
    char copy[300];
    snprintf(copy, sizeof copy, "%s", host);
    size_t len = strlen(copy);
    if (len && copy[len - 1] == '.')
        copy[len - 1] = '\0';
    for (char *save = NULL, *p = strtok_r(copy, ".", &save); p; p = strtok_r(NULL, ".", &save)) {
        char *end;
        if (n == 4)
            return 0;
        parts[n++] = strtoul(p, &end, 0);
        if (*end || !isdigit((unsigned char)*p))
            return 0;
    }
    if (n == 0)
        return 0;
    unsigned long ip = parts[n - 1];
    for (int i = 0; i < n - 1; i++)
        ip |= parts[i] << (24 - 8 * i);
    snprintf(host, room, "%lu.%lu.%lu.%lu", ip >> 24 & 255, ip >> 16 & 255, ip >> 8 & 255,
             ip & 255);
    return 1;
}

static int authority(const char *p, struct origin *o)
{
    size_t n = strcspn(p, "/\\?#");
    const char *at = NULL;
    for (size_t i = 0; i < n; i++)
        if (p[i] == '@')
            at = p + i;
    const char *start = at ? at + 1 : p, *end = p + n, *colon = NULL;
    for (const char *c = start; c < end && *start != '['; c++)
        if (*c == ':')
            colon = c;
    if (*start == '[') {
        const char *close = memchr(start, ']', (size_t)(end - start));
        colon = close && close + 1 < end ? close + 1 : NULL;
    }
    size_t host_n = (size_t)((colon ? colon : end) - start), w = 0;
    for (size_t i = 0; i < host_n && w < sizeof o->host - 1; i++) {
        int c = (unsigned char)start[i], value;
        if (c == '%' && i + 2 < host_n && sscanf(start + i + 1, "%2x", (unsigned *)&value) == 1) {
            c = value;
            i += 2;
        }
        o->host[w++] = (char)tolower(c);
    }
    o->host[w] = '\0';
    host_number(o->host, sizeof o->host);
    o->port = strcmp(o->scheme, "https") == 0 ? 443 : 80;
    if (colon && colon + 1 < end)
        o->port = strtol(colon + 1, NULL, 10);
    return 0;
}

static void resolve(const char *raw, struct origin *o)
{
    char text[RETURN_TO_MAX + 32];
    size_t n = 0, len = strlen(raw), i = 0;
    while (i < len && (unsigned char)raw[i] <= ' ')
        i++;
    while (len > i && (unsigned char)raw[len - 1] <= ' ')
        len--;
    for (; i < len && n < sizeof text - 1; i++)
        if (raw[i] != '\t' && raw[i] != '\n' && raw[i] != '\r')
            text[n++] = raw[i];
    text[n] = '\0';

    *o = base;
    const char *p = text;
    size_t scheme =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    if (scheme && isalpha((unsigned char)*text) && text[scheme] == ':') {
        for (size_t k = 0; k < scheme && k < sizeof o->scheme - 1; k++)
            o->scheme[k] = (char)tolower((unsigned char)text[k]), o->scheme[k + 1] = '\0';
        p = text + scheme + 1;
        if (strcmp(o->scheme, base.scheme) == 0 && !(is_slash(p[0]) && is_slash(p[1])))
            return; /* relative to the base although it names a scheme */
        p += strspn(p, "/\\");
        authority(p, o);
    } else if (is_slash(p[0]) && is_slash(p[1])) {
        p += strspn(p, "/\\");
        authority(p, o);
    }
}

static int allowed(const struct origin *o)
{
    size_t n = strlen(o->host);
    if (strcmp(o->scheme, "https") != 0)
        return 0;
    if (o->port == 8443)
        return strcmp(o->host, "other.example") == 0;
    if (o->port == 444)
        return strcmp(o->host, "[2001:db8::1]") == 0;
    return o->port == 443 &&
           (strcmp(o->host, "auth.example") == 0 || strcmp(o->host, "app.example") == 0 ||
            strcmp(o->host, "192.0.2.7") == 0 ||
            (n > 13 && strcmp(o->host + n - 13, ".wild.example") == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const hosts[] = {"app.example", "other.example:8443", ".wild.example",
                                        "192.0.2.7",   "[2001:db8::1]:444",  NULL};
    const struct return_rules rules = {.public_url = "https://auth.example", .hosts = hosts};
    struct arena *a = arena_new();
    struct err err = ERR_INIT;
    const char *out = NULL;

    /* Seeds are files and may end in a newline that is not part of the trick. */
    if (size && data[size - 1] == '\n')
        size--;
    if (return_to_judge(&rules, (struct str){(const char *)data, size}, a, &out, &err) == 0) {
        struct origin o;
        resolve(out, &o);
        if (!allowed(&o)) {
            fprintf(stderr, "%s leads to %s://%s:%ld\n", out, o.scheme, o.host, o.port);
            abort();
        }
        /* A local answer must be a path that a proxy cannot take for a host either. */
        if (out[0] == '/' && (is_slash(out[1]) || strchr(out, '\\')))
            abort();
        for (const char *c = out; *c; c++)
            if (*c < 0x21 || *c > 0x7e)
                abort();
    }
    arena_free(&a);
    return 0;
}
