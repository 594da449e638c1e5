/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/email.h"
#include "base/text.h"
#include "provider/action.h"
#include "provider/schema.h"
#include "sys/clock.h"

#define GROUP_MAX 255
#define SHOWN_MAX 200
#define FUTURE_SKEW 300

/* UTF-8 without control bytes, up to max bytes; NULL otherwise or when empty. */
static const char *plain(struct arena *a, const char *text, size_t max)
{
    struct str s = {text, text ? strnlen(text, max + 1) : 0};
    if (s.n == 0 || s.n > max || !text_utf8(s))
        return NULL;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return NULL;
    return arena_str(a, s);
}

/* Names are shown to people: cut, and made harmless. */
static const char *name(struct arena *a, const char *text)
{
    char clean[SHOWN_MAX + 1];
    size_t n = text ? text_display((struct str){text, strnlen(text, 4096)}, clean, SHOWN_MAX) : 0;
    return n ? arena_dupn(a, clean, n) : NULL;
}

static const char *email(struct arena *a, const char *text)
{
    struct email parsed;
    struct str s = {text, text ? strnlen(text, EMAIL_MAX + 1) : 0};
    return s.n && email_parse(s, &parsed) ? arena_dup(a, parsed.text) : NULL;
}

static const char *picture(struct leg *l, const char *text)
{
    struct err ignored = ERR_INIT;
    if (!text || schema_url(text, leg_provider(l)->allow_http_loopback, leg_arena(l), NULL, NULL,
                            &ignored) < 0)
        return NULL;
    return arena_dup(leg_arena(l), text);
}

static const char *locale(struct arena *a, const char *text)
{
    const char *copy = action_word(a, text, 35);
    for (const char *c = copy; c && *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              *c == '-' || *c == '_'))
            return NULL;
    return copy;
}

/* Dropping one group could open a door that a rule wanted shut, so a bad one is an error. */
static int groups(struct leg *l, const char *const *raw, const char *const **out, struct err *err)
{
    size_t n = 0;
    *out = NULL;
    if (!raw)
        return 0;
    while (n <= ACTION_GROUPS_MAX && raw[n])
        n++;
    if (n > ACTION_GROUPS_MAX)
        return err_set(err, ERR_UPSTREAM_BAD, "more than %d groups", ACTION_GROUPS_MAX);
    const char **v = arena_alloc(leg_arena(l), (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++)
        if (!(v[i] = plain(leg_arena(l), raw[i], GROUP_MAX)))
            return err_set(err, ERR_UPSTREAM_BAD,
                           "a group's name is empty, too long, or has odd bytes");
    *out = v;
    return 0;
}

static const char *const *methods(struct arena *a, const char *const *raw)
{
    const char **v = arena_alloc(a, 17 * sizeof *v);
    size_t n = 0;
    for (size_t i = 0; raw && i < 16 && raw[i]; i++)
        if ((v[n] = action_word(a, raw[i], 32)))
            n++;
    return n ? v : NULL;
}

const struct usher_identity *action_identity(struct leg *l, const struct usher_identity *raw,
                                             struct err *err)
{
    struct arena *a = leg_arena(l);
    if (!raw || raw->size < offsetof(struct usher_identity, auth_time) + sizeof raw->auth_time) {
        err_set(err, ERR_INTERNAL, "the plugin is done and says not who it is");
        return NULL;
    }
    struct usher_identity *id = arena_alloc(a, sizeof *id);
    id->size = sizeof *id;
    id->subject = plain(a, raw->subject, USHER_SUBJECT_MAX);
    if (!id->subject) {
        err_set(err, ERR_UPSTREAM_BAD,
                "the subject is missing, longer than %d bytes, or has odd bytes",
                USHER_SUBJECT_MAX);
        return NULL;
    }
    if (groups(l, raw->groups, &id->groups, err) < 0)
        return NULL;
    id->email = email(a, raw->email);
    if (id->email && raw->email_evidence <= USHER_EVIDENCE_AUTHORITATIVE)
        id->email_evidence = raw->email_evidence;
    id->username = name(a, raw->username);
    id->name = name(a, raw->name);
    id->picture = picture(l, raw->picture);
    id->locale = locale(a, raw->locale);
    id->amr = methods(a, raw->amr);
    int64_t now = wall_seconds(clock_wall());
    id->auth_time = raw->auth_time > 0 && raw->auth_time <= now + FUTURE_SKEW ? raw->auth_time : 0;
    return id;
}
