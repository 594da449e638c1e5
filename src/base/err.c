/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text cut in the middle of a UTF-8 character ends before that character. */
static void err_end(char *text, size_t room, int wanted)
{
    if (wanted < 0) {
        text[0] = '\0';
        return;
    }
    if ((size_t)wanted < room)
        return;
    size_t n = room - 1;
    size_t back = 0;
    while (back < 3 && back < n && ((unsigned char)text[n - 1 - back] & 0xc0) == 0x80)
        back++;
    if (back == n)
        return;
    unsigned char lead = (unsigned char)text[n - 1 - back];
    size_t needs = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (lead >= 0xc0 && needs != back)
        text[n - 1 - back] = '\0';
}

int err_set_at(struct err *e, enum err_kind kind, const char *file, int line, const char *format,
               ...)
{
    if (!e || e->kind != ERR_NONE)
        return -1;
    /* "No error" cannot be an error: somebody passed on a kind that was never set. */
    e->kind = kind == ERR_NONE ? ERR_INTERNAL : kind;
    e->file = file;
    e->line = line;
    va_list ap;
    va_start(ap, format);
    err_end(e->text, sizeof(e->text), vsnprintf(e->text, sizeof(e->text), format, ap));
    va_end(ap);
    return -1;
}

void err_context(struct err *e, const char *format, ...)
{
    if (!e || e->kind == ERR_NONE)
        return;
    char old[sizeof(e->text)];
    memcpy(old, e->text, sizeof(old));
    va_list ap;
    va_start(ap, format);
    err_end(e->text, sizeof(e->text), vsnprintf(e->text, sizeof(e->text), format, ap));
    va_end(ap);
    size_t n = strlen(e->text);
    size_t room = sizeof(e->text) - n;
    err_end(e->text + n, room, snprintf(e->text + n, room, ": %s", old));
}

void err_clear(struct err *e)
{
    if (e)
        *e = (struct err)ERR_INIT;
}

const char *err_kind_name(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE:
        return "none";
    case ERR_DENIED:
        return "denied";
    case ERR_NOT_ALLOWED:
        return "not_allowed";
    case ERR_EXPIRED:
        return "expired";
    case ERR_MISCONFIGURED:
        return "misconfigured";
    case ERR_UPSTREAM_DOWN:
        return "upstream_down";
    case ERR_UPSTREAM_BAD:
        return "upstream_bad";
    case ERR_INTERNAL:
        return "internal";
    case ERR_INVALID:
        return "invalid";
    case ERR_NOT_FOUND:
        return "not_found";
    case ERR_LIMITED:
        return "limited";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_STALE:
        return "stale";
    }
    return "internal"; /* a plugin's number that we do not know */
}
