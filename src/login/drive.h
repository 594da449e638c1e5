/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drive: carries a plugin's actions out, one leg at a time: START to REDIRECT, CALLBACK to DONE or
 * FAIL; without a browser START to DONE or FAIL. It owns the code exchange, token bytes, discovery
 * and key sets, ID-token checks and the overall deadline; what it needs of the outside comes
 * through `struct drive_io`, so that the daemon and the replay harness drive the very same code.
 * One loop thread.
 */
#ifndef LOGIN_DRIVE_H
#define LOGIN_DRIVE_H

#include "base/arena.h"
#include "base/err.h"
#include "login/state.h"
#include "net/cache.h"
#include "net/fetch.h"
#include "provider/slots.h"
#include "provider/step.h"
#include "sys/log.h"

/* How requests leave: `fetch` behaves as fetch_start, `cached` as cache_fetch; neither calls back
 * before it returned. The daemon's is in drive_net.c. */
struct drive_io {
    void *ctx;
    void *(*fetch)(void *ctx, const struct provider *p, const struct fetch_request *rq,
                   fetch_done_fn *done, void *arg);
    void *(*cached)(void *ctx, const struct provider *p, const struct cache_request *rq,
                    fetch_done_fn *done, void *arg);
    void (*cancel)(void *ctx, void *call);
    /* A parsed key set for a body, kept while the body stays the same; the caller's reference.
     * NULL + err when unusable. */
    struct jwks *(*keys)(void *ctx, const char *url, struct str body, struct err *err);
    /* Likewise the parsed JSON of an answer to `cached`; NULL when malformed. May be NULL itself:
     * then it is parsed each time. */
    struct jval *(*json)(void *ctx, const char *url, struct str body);
    /* As cache_at_hand, so it may call back, before it returns; asked before `cached`. May be
     * NULL. */
    bool (*at_hand)(void *ctx, const struct provider *p, const struct cache_request *rq,
                    fetch_done_fn *done, void *arg);
};

/* What the token endpoint gave. */
struct drive_tokens {
    const struct secret *access, *refresh; /* refresh NULL: none came */
    const char *scope;                     /* "": not said */
    int64_t expires_in;                    /* seconds, -1: not said */
};

struct drive;
struct drive_args {
    const struct drive_io *io;
    const struct provider *provider;
    const struct keyring *keys;
    const char *redirect_uri;
    const struct log_ctx *log;
    struct loop *loop; /* deadline timer; NULL: none (replay) */
    int64_t deadline_ms;
    /* Each answer's time, by step: "token", "keys", "metadata", "fetch". May be NULL. */
    void (*observe)(void *arg, const char *step, int64_t ms);
    /* The upstream refused the client secret of one slot and took that of another, and nobody was
     * told before. Needs `slots`; may be NULL. */
    void (*fell_over)(void *arg, enum provider_slot from, enum provider_slot to);
    /* The token endpoint gave tokens in a renewal, whose leg may go on. What came before is worth
     * nothing from now on, so keep these first. Borrowed; the drive must not be freed in it. */
    void (*obtained)(void *arg, const struct drive_tokens *t);
    void *observe_arg;                   /* of all three */
    struct slots *slots;                 /* which client secret comes first; NULL: the active one */
    const enum provider_slot *only_slot; /* this one and no other; NULL: fall over when refused */
};

/* First leg's result: where to send the browser. */
struct drive_redirect {
    const char *url; /* complete, with state, nonce, PKCE, redirect_uri */
};
/* Second leg's result, validated; lives in the drive's arena until drive_free. */
struct drive_identity {
    const char *subject, *email, *username, *name, *picture, *locale;
    uint32_t email_evidence;
    const char *const *groups, *const *amr;
    int64_t auth_time;
    const struct jval *claims; /* verified ID-token claims, or NULL */
};

/* Exactly one call, on the loop's thread, possibly from within drive_begin/drive_finish itself.
 * Exactly one of the results is set, or err->kind says why not (the kinds of enum usher_fail). The
 * drive is still valid in it, and is freed by the caller afterwards (drive_free inside is fine). */
typedef void drive_done_fn(void *arg, const struct drive_redirect *redirect,
                           const struct drive_identity *identity, const struct err *err);

/* First leg. `f` holds purpose, started, return_to …; the drive fills carry, issuer and flags and
 * seals it for the browser behind `bind`. */
struct drive_start {
    const char *login_hint, *prompt, *locale;
    int64_t max_age;
};
struct drive *drive_begin(const struct drive_args *a, const struct flow *f, struct str bind,
                          const struct drive_start *hints, drive_done_fn *done, void *arg);
/* What the browser brought, against the flow: RFC 9207 issuer, error, code, each at most once.
 * 0: a code to exchange. -1: ERR_INVALID when it makes no sense (the flow is not used up), another
 * kind when the upstream ended the flow. `redirect_uri` is for the text that says it is unknown. */
int drive_callback_judge(const struct flow *f, const struct fields *callback,
                         const char *redirect_uri, struct err *err)
    __attribute__((warn_unused_result));
/* Whether an error answer (`description` may be NULL) means that the upstream does not know our
 * callback URL; and the error that says what to do about it. */
bool drive_mismatch(const char *error, const char *description);
int drive_mismatch_set(const char *redirect_uri, struct err *err);
/* Second leg. State, binding, age and single use are judged already; `state` is the sealed text. */
struct drive *drive_finish(const struct drive_args *a, const struct flow *f, struct str state,
                           const struct fields *callback, drive_done_fn *done, void *arg);
/* Without a browser: new tokens (USHER_FLOW_REFRESH), or who it is now (USHER_FLOW_RECHECK). Ends
 * with an identity, of which a REFRESH knows the subject only; groups of NULL mean "as before".
 * ERR_EXPIRED: the upstream does not honour the tokens any more. */
struct drive_renewal {
    enum usher_flow flow;
    const char *subject;
    const struct secret *access;  /* NULL: none that has not expired */
    const struct secret *refresh; /* NULL: none */
};
struct drive *drive_renew(const struct drive_args *a, const struct drive_renewal *r,
                          drive_done_fn *done, void *arg);
/* What the exchange gave, while the drive lives: the refresh token only where the provider keeps
 * tokens or in a renewal. false: there was none. */
bool drive_get_tokens(const struct drive *d, struct drive_tokens *out);
void drive_free(struct drive **d); /* cancels what is under way; no callback */

#endif
