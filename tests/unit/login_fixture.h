/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login_fixture: the facade with everything real below it (loop, SQLite store, session table, the
 * toy plugin through the loader), but the network, which answers when the test pumps. For suites
 * only; each test has a process of its own.
 */
#ifndef LOGIN_FIXTURE_H
#define LOGIN_FIXTURE_H

#include "login/login.h"
#include "sys/jose.h"

#define LOGIN_NOW 1800000000
#define LOGIN_WAITING_MAX 32
#define LOGIN_BIND "bind-of-this-browser"

struct waiting {
    bool open;
    const char *url;
    fetch_done_fn *done;
    void *arg;
};

/* What a call of the facade came to. */
struct came {
    unsigned times;
    enum err_kind kind;
    char url[8192];      /* a start's */
    char return_to[300]; /* a callback's */
    char token[44];
    bool has_token;
    char join[24]; /* "": none */
};

struct login_fixture {
    struct arena *arena;
    char folder[64];
    struct loop *loop;
    struct store *store;
    struct trail *trail;
    struct sessions *sessions;
    struct registry *registry;
    struct keyring *keys;
    struct metrics *metrics;
    struct jws_key *key;
    struct drive_io io;
    struct login_options options;
    struct login *login;
    struct waiting waiting[LOGIN_WAITING_MAX];
    size_t n_waiting, next;
    unsigned token_requests;
    int token_status; /* 200 */
    /* Has its way with an answer before it is delivered; NULL: as it is. */
    void (*bend)(const char *url, struct fetch_result *r);
    const char *subject; /* "1234" */
    bool verified;       /* the upstream says that the address is */
    const char *nonce;   /* of the flow that is answered */
};

extern struct login_fixture lfx;
/* Another provider than the toy, of the id "toy" all the same: its file, with `plugin` of usher's
 * own. Before login_fixture_open; NULL: the toy. */
extern const char *login_fixture_conf;

void login_fixture_open(void);
void login_fixture_close(void);
void login_fixture_restart(void); /* the facade alone, on the same store */
/* Let the network and the store answer until nothing is left to do. */
void login_fixture_pump(void);
/* Only the network: what goes to the store then is still there. */
void login_fixture_answer_upstream(void);
/* The next request that is made is not answered, whatever is pumped: later, by hand. */
struct waiting login_fixture_hold(void);
/* Begin a login to return_to; *came.url is complete afterwards. */
void login_fixture_start(const char *return_to, struct came *came);
/* The same with all that can be said. */
void login_fixture_start_with(const struct login_start *s, struct came *came);
/* "state=…&code=c0de" of a started login. */
const char *login_fixture_callback(const struct came *started);
/* Finish with this query; does not pump. `bind` NULL: this browser's. */
struct finish_args {
    const char *query, *bind;
    const char *session; /* its cookie; NULL: not signed in */
};
void login_fixture_finish(const struct finish_args *f, struct came *came);
/* What a facade's answer came to; arg is a struct came. */
login_done_fn login_fixture_done;
/* Start and finish, all the way. */
void login_fixture_sign_in(struct came *came);
/* Run SQL; returns the first column of the first row, or -1 without one. */
int64_t login_fixture_sql(const char *sql);
int64_t login_fixture_outcomes(const char *outcome);

/* A registry of one provider that is not the fixture's own; the caller's. */
struct registry *login_fixture_draft(const char *id, const char *text);
/* From now on the toy has these settings, too. */
void login_fixture_in_force(const char *more);

#endif
