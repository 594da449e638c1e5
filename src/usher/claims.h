/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usher/claims.h: values out of an upstream's JSON, by expressions that an admin can write. Part of
 * the kit: header-only, on top of usher/provider.h, included by usher/kit.h.
 *
 *     /email                                   a JSON Pointer (RFC 6901), looked up in every source
 *     2:/email                                 the same, in source 2 only
 *     2:[primary=true&verified=true]/email     the first element of an array that is as described
 *     /roles[]/name                            every element (lists only)
 *
 * Sources are, in order: 0 the ID token's claims, 1 userinfo or the profile, 2 and up further
 * answers. The first that has the value, and has it other than null, wins. In a pointer '~1' stands
 * for '/' inside a name and '~0' for '~'.
 */
#ifndef USHER_CLAIMS_H
#define USHER_CLAIMS_H

#include <inttypes.h>
#include <string.h>

#include "usher/provider.h"

#define USHER_SOURCES_MAX (1 + USHER_REQUESTS_MAX)
#define USHER_LIST_MAX 512 /* a list gives one more when there are more, so that it is noticed */

struct usher_sources {
    const struct usher_json *v[USHER_SOURCES_MAX]; /* NULL: not there */
};

static inline const char *usher_cut(struct usher_call *call, const char *from, const char *to)
{
    return call->host->text(call, "%.*s", (int)(to - from), from);
}

/* A member as text, if it is a text, an integer or a boolean; else NULL. */
static inline const char *usher_json_shown(struct usher_call *call, const struct usher_json *json,
                                           const char *pointer)
{
    int64_t n;
    switch (call->host->json_type(call, json, pointer)) {
    case USHER_JSON_TEXT:
        return call->host->json_text(call, json, pointer);
    case USHER_JSON_BOOL:
        return call->host->json_bool(call, json, pointer) == 1 ? "true" : "false";
    case USHER_JSON_NUMBER:
        return call->host->json_int(call, json, pointer, &n) ? call->host->text(call, "%" PRId64, n)
                                                             : NULL;
    default:
        return NULL;
    }
}

/* Is `json` as "key=value&key=value" says? An empty filter takes everything. */
static inline bool usher_filter_takes(struct usher_call *call, const struct usher_json *json,
                                      const char *filter)
{
    while (*filter) {
        const char *end = filter + strcspn(filter, "&");
        const char *is = memchr(filter, '=', (size_t)(end - filter));
        if (!is)
            return false;
        const char *pointer = call->host->text(call, "/%.*s", (int)(is - filter), filter);
        const char *found = usher_json_shown(call, json, pointer);
        if (!found || strcmp(found, usher_cut(call, is + 1, end)) != 0)
            return false;
        filter = *end ? end + 1 : end;
    }
    return true;
}

/* The first element of an array that a filter takes. */
static inline const struct usher_json *
usher_filter_first(struct usher_call *call, const struct usher_json *array, const char *filter)
{
    size_t n = call->host->json_count(call, array, "");
    if (call->host->json_type(call, array, "") != USHER_JSON_ARRAY)
        return NULL;
    for (size_t i = 0; i < n && i < USHER_LIST_MAX; i++) {
        const char *index = call->host->text(call, "/%zu", i);
        const struct usher_json *element = call->host->json_at(call, array, index);
        if (usher_filter_takes(call, element, filter))
            return element;
    }
    return NULL;
}

/* What an expression without "N:" means in one source; NULL if there is nothing, or null. */
static inline const struct usher_json *
usher_claim_in(struct usher_call *call, const struct usher_json *json, const char *expr)
{
    for (const char *open; json && (open = strchr(expr, '[')) != NULL;) {
        const char *close = strchr(open, ']');
        if (!close)
            return NULL;
        json = call->host->json_at(call, json, usher_cut(call, expr, open));
        json = usher_filter_first(call, json, usher_cut(call, open + 1, close));
        expr = close + 1;
    }
    json = call->host->json_at(call, json, expr);
    return call->host->json_type(call, json, "") == USHER_JSON_NULL ? NULL : json;
}

/* "2:/email" is source 2 and "/email"; without a number every source. */
static inline void usher_claim_range(const char **expr, size_t *from, size_t *to)
{
    *from = 0;
    *to = USHER_SOURCES_MAX;
    if ((*expr)[0] >= '0' && (*expr)[0] <= '9' && (*expr)[1] == ':') {
        *from = (size_t)((*expr)[0] - '0');
        *to = *from < USHER_SOURCES_MAX ? *from + 1 : *from;
        *expr += 2;
    }
}

static inline const struct usher_json *usher_claim(struct usher_call *call,
                                                   const struct usher_sources *s, const char *expr)
{
    size_t from, to;
    const struct usher_json *found = NULL;
    if (!expr || !*expr)
        return NULL;
    usher_claim_range(&expr, &from, &to);
    for (size_t i = from; i < to && !found; i++)
        found = s->v[i] ? usher_claim_in(call, s->v[i], expr) : NULL;
    return found;
}

/* Text or integer as text; NULL otherwise, and for "". */
static inline const char *usher_claim_text(struct usher_call *call, const struct usher_sources *s,
                                           const char *expr)
{
    const struct usher_json *found = usher_claim(call, s, expr);
    const char *text = call->host->json_type(call, found, "") == USHER_JSON_BOOL
                           ? NULL
                           : usher_json_shown(call, found, "");
    return text && *text ? text : NULL;
}

/* 1, 0, or -1 when nobody said. */
static inline int usher_claim_bool(struct usher_call *call, const struct usher_sources *s,
                                   const char *expr)
{
    return call->host->json_bool(call, usher_claim(call, s, expr), "");
}

static inline const char *usher_strip(const char *text, const char *prefix)
{
    size_t n = prefix ? strlen(prefix) : 0;
    return text && n && strncmp(text, prefix, n) == 0 && text[n] ? text + n : text;
}

/* The texts of an array (or the one text), NULL-ended; NULL if there is nothing of the kind.
 * With "[]", what follows it is looked up in each element. `prefix` is taken off where it is. */
static inline const char *const *usher_claim_list(struct usher_call *call,
                                                  const struct usher_sources *s, const char *expr,
                                                  const char *prefix)
{
    const char *each = expr ? strstr(expr, "[]") : NULL;
    const struct usher_json *json = NULL;
    size_t from, to;
    if (!expr || !*expr)
        return NULL;
    const char *head = each ? usher_cut(call, expr, each) : expr;
    usher_claim_range(&head, &from, &to); /* "2:" alone is the whole of source 2 */
    for (size_t i = from; i < to && !json; i++)
        json = s->v[i] ? usher_claim_in(call, s->v[i], head) : NULL;

    bool array = call->host->json_type(call, json, "") == USHER_JSON_ARRAY;
    size_t n = array ? call->host->json_count(call, json, "") : json ? 1 : 0;
    if (n > USHER_LIST_MAX + 1)
        n = USHER_LIST_MAX + 1;
    const char **list = call->host->alloc(call, (n + 1) * sizeof *list);
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        const char *rest = each ? each + 2 : "";
        const char *at = array ? call->host->text(call, "/%zu%s", i, rest) : rest;
        const char *text = usher_strip(usher_json_shown(call, json, at), prefix);
        if (text && *text)
            list[found++] = text;
    }
    return found ? list : NULL;
}

/* Only what cannot change the meaning of a URL. */
static inline bool usher_url_safe(const char *text)
{
    return text && *text &&
           text[strspn(text,
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")] == 0;
}

/* "https://cdn.example/{/id}/{/avatar}.png": each {expression} replaced. NULL if one is missing or
 * holds anything but unreserved characters. */
static inline const char *usher_claim_fill(struct usher_call *call, const struct usher_sources *s,
                                           const char *pattern)
{
    const char *out = "";
    for (const char *open; (open = strchr(pattern, '{')) != NULL;) {
        const char *close = strchr(open, '}');
        const char *value =
            close ? usher_claim_text(call, s, usher_cut(call, open + 1, close)) : NULL;
        if (!usher_url_safe(value))
            return NULL;
        out = call->host->text(call, "%s%.*s%s", out, (int)(open - pattern), pattern, value);
        pattern = close + 1;
    }
    return call->host->text(call, "%s%s", out, pattern);
}

/* ---- a whole identity by settings ----------------------------------------------------------- */

enum usher_email_trust {
    USHER_TRUST_CLAIM = 0, /* if `email_verified` is true */
    USHER_TRUST_NEVER = 1,
    USHER_TRUST_ALWAYS = 2,
    USHER_TRUST_PRIMARY = 3, /* the expression takes only primary and verified addresses */
    USHER_TRUST_EDOV = 4,    /* if Entra's xms_edov is true */
};
#define USHER_TRUST_CHOICES                                                                        \
    ((const char *const[]){"claim", "never", "always", "primary", "edov", NULL})

/* First member of a declarative plugin's config struct; its rows are USHER_MAP_ROWS. */
struct usher_map {
    const char *const *subject;
    const char *email, *email_verified, *username, *name, *picture, *locale, *groups;
    const char *groups_strip;
    const char *const *require;
    int email_trust;
};

enum usher_map_flag {
    USHER_MAP_NUMBERS = 1u << 0, /* a subject may be an integer */
};

#define USHER_MAP_ROWS(subject_default)                                                            \
    USHER_SET_LIST(struct usher_map, subject, .label = "Subject", .value = subject_default,        \
                   .flags = USHER_ADVANCED,                                                        \
                   .help = "Where the stable, never reassigned id is. Several are joined by ':'.", \
                   .example = "/tid, /oid"),                                                       \
        USHER_SET_TEXT(struct usher_map, email, .label = "E-mail", .value = "/email",              \
                       .flags = USHER_ADVANCED, .help = "Where the e-mail address is.",            \
                       .example = "2:[primary=true&verified=true]/email"),                         \
        USHER_SET_TEXT(struct usher_map, email_verified, .label = "E-mail verified",               \
                       .value = "/email_verified", .flags = USHER_ADVANCED,                        \
                       .help = "Where it says whether the address is verified."),                  \
        USHER_SET_CHOICE(struct usher_map, email_trust, .label = "E-mail trust", .value = "claim", \
                         .choices = USHER_TRUST_CHOICES, .flags = USHER_ADVANCED,                  \
                         .help =                                                                   \
                             "When an address counts as verified: as email_verified says, never, " \
                             "always (only if this provider verifies every address), primary "     \
                             "(the email expression takes verified ones only), edov (Entra)."),    \
        USHER_SET_TEXT(struct usher_map, username, .label = "User name", .flags = USHER_ADVANCED,  \
                       .value = "/preferred_username",                                             \
                       .help = "Where the name is that people call themselves there."),            \
        USHER_SET_TEXT(struct usher_map, name, .label = "Name", .value = "/name",                  \
                       .flags = USHER_ADVANCED, .help = "Where the name for display is."),         \
        USHER_SET_TEXT(struct usher_map, picture, .label = "Picture", .value = "/picture",         \
                       .flags = USHER_ADVANCED,                                                    \
                       .help = "Where the picture's URL is, or a URL with {expressions} in it.",   \
                       .example = "https://cdn.example.com/{/id}/{/avatar}.png"),                  \
        USHER_SET_TEXT(struct usher_map, locale, .label = "Locale", .value = "/locale",            \
                       .flags = USHER_ADVANCED, .help = "Where the language is."),                 \
        USHER_SET_TEXT(struct usher_map, groups, .label = "Groups", .flags = USHER_ADVANCED,       \
                       .help = "Where the groups are, a list.", .example = "/realm_access/roles"), \
        USHER_SET_TEXT(struct usher_map, groups_strip, .label = "Group prefix",                    \
                       .flags = USHER_ADVANCED, .help = "Taken off in front of each group.",       \
                       .example = "/"),                                                            \
        USHER_SET_LIST(struct usher_map, require, .label = "Required", .flags = USHER_ADVANCED,    \
                       .help =                                                                     \
                           "expression=value: only people for whom it holds may sign in. One of "  \
                           "several values for the same expression is enough; * is any value.",    \
                       .example = "/hd=example.com")

static inline void usher_fail(struct usher_action *a, enum usher_fail kind, const char *text,
                              const char *hint)
{
    *a = (struct usher_action){
        .size = sizeof *a, .kind = USHER_FAIL, .fail = kind, .fail_text = text, .fail_hint = hint};
}

/* The '=' of "expression=value", past any [filter]. */
static inline const char *usher_rule_split(const char *rule)
{
    bool inside = false;
    for (; *rule; rule++) {
        inside = *rule == '[' || (inside && *rule != ']');
        if (*rule == '=' && !inside)
            return rule;
    }
    return NULL;
}

static inline bool usher_rule_holds(struct usher_call *call, const struct usher_sources *s,
                                    const char *expr, const char *value)
{
    const char *const *list = usher_claim_list(call, s, expr, NULL);
    for (; list && *list; list++)
        if (strcmp(value, "*") == 0 || strcmp(*list, value) == 0)
            return true;
    return false;
}

/* Every expression named by `require` has one of its values. */
static inline bool usher_rules_hold(struct usher_call *call, const struct usher_sources *s,
                                    const char *const *require)
{
    for (size_t i = 0; require && require[i]; i++) {
        const char *is = usher_rule_split(require[i]);
        if (!is)
            return false;
        const char *expr = usher_cut(call, require[i], is);
        bool holds = false;
        for (size_t k = 0; require[k] && !holds; k++) {
            const char *other = usher_rule_split(require[k]);
            if (other && strcmp(usher_cut(call, require[k], other), expr) == 0)
                holds = usher_rule_holds(call, s, expr, other + 1);
        }
        if (!holds)
            return false;
    }
    return true;
}

/* All subject expressions joined by ':'. A part with ':' in it could be mistaken for two; `numbers`
 * says whether ids may be integers (a `sub` never is, OpenID Connect Core 1.0 section 2). */
static inline const char *usher_map_subject(struct usher_call *call, const struct usher_sources *s,
                                            const char *const *exprs, bool numbers)
{
    const char *subject = NULL;
    for (size_t i = 0; exprs && exprs[i]; i++) {
        const char *part = numbers
                               ? usher_claim_text(call, s, exprs[i])
                               : call->host->json_text(call, usher_claim(call, s, exprs[i]), "");
        if (!part || !*part || (exprs[1] && strchr(part, ':')))
            return NULL;
        subject = subject ? call->host->text(call, "%s:%s", subject, part) : part;
    }
    return subject;
}

static inline uint32_t usher_map_evidence(struct usher_call *call, const struct usher_map *m,
                                          const struct usher_sources *s)
{
    switch (m->email_trust) {
    case USHER_TRUST_ALWAYS:
        return USHER_EVIDENCE_PROVIDER_ASSERTED;
    case USHER_TRUST_PRIMARY:
        return USHER_EVIDENCE_PRIMARY_VERIFIED;
    case USHER_TRUST_EDOV:
        return usher_claim_bool(call, s, "0:/xms_edov") == 1 ? USHER_EVIDENCE_XMS_EDOV
                                                             : USHER_EVIDENCE_NONE;
    case USHER_TRUST_CLAIM:
        return usher_claim_bool(call, s, m->email_verified) == 1 ? USHER_EVIDENCE_PROVIDER_ASSERTED
                                                                 : USHER_EVIDENCE_NONE;
    default:
        return USHER_EVIDENCE_NONE;
    }
}

/* DONE with everything the map finds, or FAIL. */
static inline void usher_map_identity(struct usher_call *call, const struct usher_map *m,
                                      uint32_t flags, const struct usher_sources *s,
                                      struct usher_action *a)
{
    struct usher_identity *id = call->host->alloc(call, sizeof *id);
    id->size = sizeof *id;
    id->subject = usher_map_subject(call, s, m->subject, flags & USHER_MAP_NUMBERS);
    if (!id->subject) {
        usher_fail(a, USHER_UPSTREAM_BAD, "no subject where `subject` says", "check `subject`");
        return;
    }
    if (!usher_rules_hold(call, s, m->require)) {
        usher_fail(a, USHER_NOT_ALLOWED, "a rule of `require` does not hold", NULL);
        return;
    }
    id->email = usher_claim_text(call, s, m->email);
    id->email_evidence = id->email ? usher_map_evidence(call, m, s) : USHER_EVIDENCE_NONE;
    id->username = usher_claim_text(call, s, m->username);
    id->name = usher_claim_text(call, s, m->name);
    id->picture = m->picture && strchr(m->picture, '{') ? usher_claim_fill(call, s, m->picture)
                                                        : usher_claim_text(call, s, m->picture);
    id->locale = usher_claim_text(call, s, m->locale);
    id->groups = usher_claim_list(call, s, m->groups, m->groups_strip);
    id->amr = usher_claim_list(call, s, "0:/amr", NULL);
    if (s->v[0] && !call->host->json_int(call, s->v[0], "/auth_time", &id->auth_time))
        id->auth_time = 0;
    a->kind = USHER_DONE;
    a->identity = id;
}

/* What `check` of a declarative plugin says about the map; NULL if it is fine. */
static inline const char *usher_map_check(struct usher_call *call, const struct usher_map *m)
{
    if (!m->subject || !m->subject[0])
        return "subject names no claim";
    for (size_t i = 0; m->require && m->require[i]; i++) {
        const char *is = usher_rule_split(m->require[i]);
        if (!is || is == m->require[i] || !is[1])
            return call->host->text(call, "require: \"%.80s\" is not expression=value",
                                    m->require[i]);
    }
    if (m->picture && m->picture[0] != '/' && !strchr(m->picture, '{') && m->picture[0] &&
        m->picture[1] != ':')
        return "picture is neither an expression (/picture) nor a URL with {expressions}";
    return NULL;
}

#endif
