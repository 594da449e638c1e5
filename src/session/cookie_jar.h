/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cookie_jar: the names and attributes of usher's cookies. Session: __Host-usher (Secure, HttpOnly,
 * SameSite=Lax, Path=/); with a configured domain __Secure-usher and Domain; on plain-http loopback
 * without prefix and Secure. Binding: __Host-usher-bind likewise, never with a domain. Operator:
 * __Host-usher-operator likewise and SameSite=Strict, since it can do more. Last:
 * __Host-usher-last, the id of the provider this browser signed in with, and nothing else.
 */
#ifndef SESSION_COOKIE_JAR_H
#define SESSION_COOKIE_JAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct cookie_jar {
    char session_name[24], bind_name[24], operator_name[24], last_name[24];
    const char *domain; /* NULL: host only */
    bool secure;
};
/* `public_url` decides about Secure; `domain` NULL or a domain its host lies in. */
int cookie_jar_init(struct cookie_jar *j, const char *public_url, const char *domain,
                    struct err *err) __attribute__((warn_unused_result));
/* Append a Set-Cookie value. max_age < 0: until the browser ends; 0: delete. */
void cookie_jar_session(const struct cookie_jar *j, const char *token, int64_t max_age,
                        struct buf *out);
void cookie_jar_bind(const struct cookie_jar *j, const char *value, int64_t max_age,
                     struct buf *out);
void cookie_jar_last(const struct cookie_jar *j, const char *provider, int64_t max_age,
                     struct buf *out);
void cookie_jar_operator(const struct cookie_jar *j, const char *token, int64_t max_age,
                         struct buf *out);
/* Append what a Cookie header holds beside usher's own cookies, under whatever configuration they
 * were set: everything else as it came. "; " goes in between when there is something in `out`. */
void cookie_jar_others(struct str header, struct buf *out);

#endif
