/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url: the one strict parser for absolute http(s) URLs, ours and other people's. It accepts less
 * than browsers or libcurl do, so that all three agree on what was meant: no userinfo, backslash,
 * blank, control or 8-bit bytes; host names of letters, digits, '-', '.'; IPv4 in four plain
 * decimals; bracketed IPv6 without zone; ports 1 to 65535. Malformed percent triplets are refused.
 */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct url {
    const char *scheme; /* "http" or "https" */
    const char *host;   /* lower case; IPv6 without brackets */
    int port;           /* the scheme's default filled in */
    bool port_given;
    bool host_is_ip;
    const char *path;     /* raw, starts with '/'; "/" when empty */
    const char *query;    /* raw, without '?'; NULL when there is none */
    const char *fragment; /* NULL when there is none */
};

int url_parse(struct arena *a, struct str text, struct url *out, struct err *err)
    __attribute__((warn_unused_result));
/* scheme://host[:port], the default port left out. */
void url_origin(const struct url *u, struct buf *out);
bool url_same_origin(const struct url *a, const struct url *b);
bool url_is_loopback(const struct url *u); /* 127.0.0.0/8, ::1, localhost */
/* A host as written in a Host header or an allow-list: lower case, no trailing dot, no port. */
bool url_host_valid(struct str host);
/* An entry of a list of hosts: "app.example.com", "app.example.com:8443", or ".example.com" for all
 * below it. Without a port it is the scheme's default one. */
bool url_entry_valid(const char *entry);
bool url_entry_has(const char *entry, const struct url *u);

#endif
