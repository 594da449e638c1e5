/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: what went wrong, whose fault it is, and where it was noticed. Lives on the caller's stack.
 * The first error wins; callers put context in front. Texts are for logs and admins: they name
 * things, never hold secrets, tokens or upstream text.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* Whose fault. 1 to 7 are enum usher_fail of usher/provider.h. */
enum err_kind {
    ERR_NONE = 0,
    ERR_DENIED = 1,
    ERR_NOT_ALLOWED = 2,
    ERR_EXPIRED = 3,
    ERR_MISCONFIGURED = 4,
    ERR_UPSTREAM_DOWN = 5,
    ERR_UPSTREAM_BAD = 6,
    ERR_INTERNAL = 7,
    ERR_INVALID = 8, /* the request makes no sense */
    ERR_NOT_FOUND = 9,
    ERR_LIMITED = 10,  /* too many, too large, too soon */
    ERR_CONFLICT = 11, /* there already, or not possible as things are now */
    ERR_STALE = 12,    /* it was changed meanwhile: look again */
};

struct err {
    enum err_kind kind;
    int line;
    const char *file;
    char text[240];
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        .kind = ERR_NONE                                                                           \
    }

/* Record kind and text unless an error is there already; always -1, so: return err_set(...). */
#define err_set(e, kind, ...) err_set_at((e), (kind), __FILE__, __LINE__, __VA_ARGS__)
int err_set_at(struct err *e, enum err_kind kind, const char *file, int line, const char *format,
               ...) __attribute__((format(printf, 5, 6)));
/* Put "context: " in front of the text; cut from the right when it does not fit. */
void err_context(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
void err_clear(struct err *e);
/* "denied", "upstream_down"…: stable words for logs and metrics. */
const char *err_kind_name(enum err_kind kind);

#endif
