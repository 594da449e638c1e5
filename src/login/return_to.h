/* SPDX-License-Identifier: Apache-2.0 */
/*
 * return_to: the one judge of where a browser may be sent after signing in or out. A local path
 * (one leading '/', nothing that any browser could read as a host), or an absolute URL whose origin
 * is ours or on the allow-list. Everything else is refused; nothing is repaired.
 */
#ifndef LOGIN_RETURN_TO_H
#define LOGIN_RETURN_TO_H

#include "base/arena.h"
#include "base/err.h"

#define RETURN_TO_MAX 2048

struct return_rules {
    const char *public_url; /* ours */
    /* NULL-ended: "app.example.com", "app.example.com:8443", ".example.com" for all below it. The
     * scheme is https; plain http is for hosts on loopback, if public_url is on plain http too. */
    const char *const *hosts;
};
/* 0 and *out in the arena: a path for our own origin, an absolute URL otherwise. -1 ERR_INVALID. */
int return_to_judge(const struct return_rules *r, struct str raw, struct arena *a, const char **out,
                    struct err *err) __attribute__((warn_unused_result));

#endif
