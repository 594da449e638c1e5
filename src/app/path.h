/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path: the paths that rules are about, and the paths of requests. Both are read the same way:
 * percent-decoded once, without the slash at the end, so that "/admin" is "/admin/".
 *
 * usher does not know what the app behind it makes of a path that programs read differently, so
 * such a path matches nothing and is refused: an encoded slash or backslash, dot segments (encoded
 * ones, too), empty segments, ';', what is percent-encoded twice, control bytes, bad percent
 * triplets, and what is not UTF-8 once decoded.
 */
#ifndef APP_PATH_H
#define APP_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

#define PATH_MAX_LEN 8192
struct path {
    char text[PATH_MAX_LEN + 1]; /* "" for the root */
    size_t n;
};
/* A request's, as in a URL, without its query. false: not to be judged. */
bool path_read(struct str raw, struct path *out) __attribute__((warn_unused_result));

/* A rule's: "/exact", or "/folder/" and a star for a folder and all below it. Written as people
 * read it, not encoded. Points into `text`. */
struct path_pattern {
    const char *text;
    size_t n; /* how much of it is compared */
    bool prefix;
};
int path_pattern_read(const char *text, struct path_pattern *out, struct err *err)
    __attribute__((warn_unused_result));
bool path_matches(const struct path_pattern *p, const struct path *path);
/* Whether `a` is asked before `b`: the exact one, then the longer one. */
bool path_before(const struct path_pattern *a, const struct path_pattern *b);
bool path_same(const struct path_pattern *a, const struct path_pattern *b);

#endif
