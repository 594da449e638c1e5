/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake: look-alikes of Discord, Google and a generic OpenID provider on loopback, for demos and
 * tests. They check what the real ones check (redirect URI, client, PKCE, single use, age), so that
 * what works here has a chance there, and misbehave when told to (fake/fault.h). Nothing here is
 * secure and nothing is kept.
 *
 * One request is one `struct exchange`: a handler of authorize.c, token.c, profile.c, meta.c or
 * control.c fills its reply, then the faults have their way with it.
 */
#ifndef FAKE_FAKE_H
#define FAKE_FAKE_H

#include <pthread.h>

#include "base/json.h"
#include "fake/fault.h"
#include "fake/grant.h"
#include "fake/http.h"
#include "fake/keys.h"

#define FAKE_CLIENTS_MAX 16
#define FAKE_SECRET_MAX 256

struct fake_client {
    const char *id, *secret;
};

struct fake_options {
    const char *listen; /* NULL: 127.0.0.1:0 */
    struct fake_client clients[FAKE_CLIENTS_MAX];
    size_t n_clients; /* 0: usher-dev with usher-dev-secret */
    bool approve;     /* no page: the first person, or login_hint */
};

struct fake {
    struct fake_options o;
    struct http_server *server;
    char base[100];
    struct grants *grants;
    struct faults *faults;
    struct keys *keys;
    pthread_mutex_t lock;         /* what is below */
    char secret[FAKE_SECRET_MAX]; /* after secret-switch: the only good one; "": as configured */
};

/* One of the upstreams. */
struct realm {
    const char *id;    /* "discord": also the first part of its paths */
    const char *label; /* on the page */
    bool oidc;
    bool announces_iss; /* RFC 9207 */
    const char *authorize, *token, *revoke, *userinfo, *jwks, *discovery;
};
extern const struct realm realm_discord, realm_google, realm_oidc;

struct exchange {
    struct fake *f;
    const struct realm *realm; /* NULL for /fake/… */
    const struct http_request *rq;
    struct http_reply *r;
    const struct fault_hits *hits;
};

struct fake *fake_new(const struct fake_options *o, struct err *err)
    __attribute__((warn_unused_result));
void fake_free(struct fake **f);
/* Forget codes, tokens, faults, counters and rotations. */
void fake_reset(struct fake *f);
/* Whether these are the credentials of a client; secret NULL: only the id is asked about. */
bool fake_client_good(struct fake *f, const char *id, const char *secret);
void fake_switch_secret(struct fake *f, const char *secret);

/* Replies. `take` is freed. */
void exchange_json(struct exchange *x, int status, struct jval *take);
void exchange_error(struct exchange *x, int status, const char *error, const char *description);
void exchange_redirect(struct exchange *x, const char *url);
/* https://…: the issuer of the realm. Arena. */
const char *exchange_issuer(const struct exchange *x);
/* Whether a blank-separated list has a word. */
bool has_word(const char *list, const char *word);

/* Handlers. */
void authorize_serve(struct exchange *x);
void token_serve(struct exchange *x);
void revoke_serve(struct exchange *x);
void discord_me(struct exchange *x);
void discord_guilds(struct exchange *x);
void discord_member(struct exchange *x);
void oidc_userinfo(struct exchange *x);
void oidc_discovery(struct exchange *x);
void oidc_jwks(struct exchange *x);
void picture_serve(struct exchange *x);
void control_serve(struct exchange *x);

#endif
