/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usher/answers.h: what an upstream's answer amounts to before anybody looks for people in it: no
 * answer, "later", a refusal, JSON. Part of the kit: header-only, on top of usher/claims.h,
 * included by usher/kit.h.
 */
#ifndef USHER_ANSWERS_H
#define USHER_ANSWERS_H

#include "usher/claims.h"

/* The stride is what the host filled, which may be more than this header knows. */
static inline const struct usher_response *usher_response_at(const struct usher_event *ev, size_t i)
{
    return (const void *)((const char *)ev->responses + i * ev->responses->size);
}

/* No answer, or "later": true, and *a says so. */
static inline bool usher_kit_unanswered(struct usher_call *call, const struct usher_response *r,
                                        const char *what, struct usher_action *a)
{
    switch (r->transport) {
    case USHER_TRANSPORT_OK:
        break;
    case USHER_TRANSPORT_TIMEOUT:
    case USHER_TRANSPORT_UNREACHABLE:
        usher_fail(a, USHER_UPSTREAM_DOWN, call->host->text(call, "%s: no answer", what), NULL);
        return true;
    case USHER_TRANSPORT_LIMITED:
        usher_fail(a, USHER_UPSTREAM_DOWN, call->host->text(call, "%s: rate limit", what), NULL);
        return true;
    case USHER_TRANSPORT_REFUSED:
        usher_fail(a, USHER_MISCONFIGURED,
                   call->host->text(call, "%s: address refused by usher", what),
                   "check the URLs, and allow_private if the provider is internal");
        return true;
    default:
        usher_fail(a, USHER_UPSTREAM_BAD, call->host->text(call, "%s: broken answer", what), NULL);
        return true;
    }
    if (r->status != 429 && r->status < 500)
        return false;
    usher_fail(a, USHER_UPSTREAM_DOWN,
               call->host->text(call, "%s: status %d, retry after %" PRId64 " s", what, r->status,
                                r->retry_after),
               NULL);
    return true;
}

/* A JSON object or array, and 2xx; otherwise false, and *a says what is wrong. */
static inline bool usher_kit_answered(struct usher_call *call, const struct usher_response *r,
                                      const char *what, struct usher_action *a)
{
    if (usher_kit_unanswered(call, r, what, a))
        return false;
    uint32_t type = call->host->json_type(call, r->json, "");
    if (r->status < 200 || r->status > 299)
        usher_fail(a, USHER_UPSTREAM_BAD, call->host->text(call, "%s: status %d", what, r->status),
                   r->status == 401 || r->status == 403 ? "check the scopes" : NULL);
    else if (type != USHER_JSON_OBJECT && type != USHER_JSON_ARRAY)
        usher_fail(a, USHER_UPSTREAM_BAD, call->host->text(call, "%s: no JSON", what), NULL);
    else
        return true;
    return false;
}

/* RFC 6749 section 5.2: whose fault a refused exchange is. */
static inline void usher_kit_token_error(struct usher_call *call, const struct usher_tokens *t,
                                         struct usher_action *a)
{
    static const struct {
        const char *error;
        enum usher_fail kind;
        const char *hint;
    } known[] = {
        {"invalid_grant", USHER_EXPIRED, "the code was used before, or too late"},
        {"bad_verification_code", USHER_EXPIRED, "the code was used before, or too late"},
        {"bad_refresh_token", USHER_EXPIRED, NULL}, /* GitHub */
        {"invalid_client", USHER_MISCONFIGURED, "check client_id and client_secret"},
        {"incorrect_client_credentials", USHER_MISCONFIGURED, "check client_id and client_secret"},
        {"unauthorized_client", USHER_MISCONFIGURED, "check the application at the provider"},
        {"redirect_uri_mismatch", USHER_MISCONFIGURED, "register the callback URL"},
        {"invalid_scope", USHER_MISCONFIGURED, "check `scopes`"},
        {"access_denied", USHER_DENIED, NULL},
        {"temporarily_unavailable", USHER_UPSTREAM_DOWN, NULL},
        {"server_error", USHER_UPSTREAM_DOWN, NULL},
    };
    const char *error = t->error ? t->error : "";
    const char *text =
        call->host->text(call, "token endpoint: status %d, error %.40s", t->status, error);
    bool renewal = call->flow == USHER_FLOW_REFRESH || call->flow == USHER_FLOW_RECHECK;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(error, known[i].error) == 0) {
            usher_fail(a, known[i].kind, text,
                       renewal && known[i].kind == USHER_EXPIRED
                           ? "the refresh token was revoked, used up, or is too old"
                           : known[i].hint);
            return;
        }
    }
    bool later = t->status == 0 || t->status == 429 || t->status >= 500;
    usher_fail(a, later ? USHER_UPSTREAM_DOWN : USHER_UPSTREAM_BAD, text,
               t->status == 401 ? "check client_id and client_secret" : NULL);
}

#endif
