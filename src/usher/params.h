/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usher/params.h: lists of parameters and headers in leg memory, from a plugin or from settings an
 * admin wrote ("name=value"). Part of the kit: header-only, included by usher/kit.h.
 */
#ifndef USHER_PARAMS_H
#define USHER_PARAMS_H

#include <string.h>

#include "usher/provider.h"

#define USHER_PARAMS_MAX 32

/* Parameters or headers; v is leg memory. Zeroed is empty. */
struct usher_list {
    struct usher_param *v;
    size_t n;
};

static inline void usher_list_add(struct usher_call *call, struct usher_list *l, const char *name,
                                  uint32_t kind, const char *text)
{
    if (!l->v)
        l->v = call->host->alloc(call, USHER_PARAMS_MAX * sizeof *l->v);
    if (l->n < USHER_PARAMS_MAX)
        l->v[l->n++] = (struct usher_param){sizeof *l->v, name, kind, text};
}

/* A text, unless it is NULL or empty. */
static inline void usher_add(struct usher_call *call, struct usher_list *l, const char *name,
                             const char *text)
{
    if (text && *text)
        usher_list_add(call, l, name, USHER_VALUE_TEXT, text);
}

/* A text in place of what the list has under this name. */
static inline void usher_put(struct usher_call *call, struct usher_list *l, const char *name,
                             const char *text)
{
    for (size_t i = 0; text && i < l->n; i++) {
        if (strcmp(l->v[i].name, name) == 0) {
            l->v[i].kind = USHER_VALUE_TEXT;
            l->v[i].text = text;
            return;
        }
    }
    usher_add(call, l, name, text);
}

/* "name=value" (or "Name:value") pairs from a LIST setting; a value "{key}" is that setting. */
static inline void usher_add_pairs(struct usher_call *call, struct usher_list *l,
                                   const char *const *pairs, char separator)
{
    for (size_t i = 0; pairs && pairs[i]; i++) {
        const char *at = strchr(pairs[i], separator);
        if (!at)
            continue;
        const char *name = call->host->text(call, "%.*s", (int)(at - pairs[i]), pairs[i]);
        const char *value = at + 1 + strspn(at + 1, " ");
        size_t n = strlen(value);
        if (n > 2 && value[0] == '{' && value[n - 1] == '}')
            usher_list_add(call, l, name, USHER_VALUE_SETTING,
                           call->host->text(call, "%.*s", (int)(n - 2), value + 1));
        else
            usher_add(call, l, name, value);
    }
}

/* What `check` says about such a list; NULL if it is fine. */
static inline const char *usher_check_pairs(struct usher_call *call, const char *key,
                                            const char *const *pairs, char separator)
{
    static const char denied[] = " state nonce redirect_uri client_id client_secret response_type "
                                 "response_mode scope code_challenge code_challenge_method request "
                                 "request_uri code code_verifier grant_type refresh_token "
                                 "client_assertion client_assertion_type ";
    for (size_t i = 0; pairs && pairs[i]; i++) {
        const char *at = strchr(pairs[i], separator);
        if (!at || at == pairs[i] || !at[1])
            return call->host->text(call, "%s: \"%.60s\" is not name%cvalue", key, pairs[i],
                                    separator);
        const char *name = call->host->text(call, " %.*s ", (int)(at - pairs[i]), pairs[i]);
        if (strstr(denied, name))
            return call->host->text(call, "%s:%sis usher's own to send: remove it", key, name);
        if (i >= 16)
            return call->host->text(call, "%s: at most 16", key);
    }
    return NULL;
}

/* The setting `scopes` with another separator than the blank. */
static inline const char *usher_scope(struct usher_call *call, char separator)
{
    const char *scopes = call->host->setting(call, "scopes");
    if (!scopes || separator == ' ')
        return scopes;
    char *out = call->host->alloc(call, strlen(scopes) + 1);
    for (size_t i = 0; scopes[i]; i++)
        out[i] = scopes[i] == ' ' ? separator : scopes[i];
    return out;
}

/* "https://a/b/" and "/c" are "https://a/b/c". */
static inline const char *usher_join(struct usher_call *call, const char *base, const char *path)
{
    size_t n = strlen(base);
    while (n > 0 && base[n - 1] == '/')
        n--;
    return call->host->text(call, "%.*s%s", (int)n, base, path);
}

#endif
