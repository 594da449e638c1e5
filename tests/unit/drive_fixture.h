/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drive_fixture: one drive with a plugin that a test writes as a function, and a network that keeps
 * what is asked until the test answers. One per test; the check library forks.
 */
#ifndef DRIVE_FIXTURE_H
#define DRIVE_FIXTURE_H

#include "login/drive.h"
#include "sys/jose.h"

#define FIXTURE_NOW 1800000000
#define FIXTURE_ASKED_MAX 8

typedef void drive_fixture_step(struct usher_call *c, const struct usher_event *ev,
                                struct usher_action *act);

/* A request as text: "a=1&b=2" for the form, "name: value" lines for headers. */
struct asked {
    bool open, cached, force;
    const char *url, *form, *headers, *basic;
    fetch_done_fn *done;
    void *arg;
};

struct drive_fixture {
    struct arena *arena;
    struct keyring *keys;
    struct conf_secrets *secrets;
    struct provider provider;
    struct usher_provider plugin;
    struct drive_io io;
    struct drive_args args;
    struct drive *drive;
    struct flow flow; /* what a callback will find in the state */
    const char *state;
    struct asked asked[FIXTURE_ASKED_MAX];
    size_t n_asked, n_cancelled, n_observed;
    /* how it ended */
    unsigned ends;
    const char *url;
    const char *subject;
    bool claims;
    struct err err;
};

extern struct drive_fixture dfx;

void drive_fixture_open(drive_fixture_step *step);
void drive_fixture_close(void);
/* First leg; its URL is in dfx.url, and dfx.flow and dfx.state are what came out of it. */
void drive_fixture_begin(void);
/* Second leg with these parameters, form-encoded; the state is added. */
void drive_fixture_finish(const char *callback);
/* A leg without a browser. */
void drive_fixture_renew(const struct drive_renewal *r);
/* Answer the i-th request. */
void drive_fixture_answer(size_t i, int status, const char *type, const char *body);
void drive_fixture_transport(size_t i, uint32_t transport);
/* A parameter of dfx.url, or NULL. */
const char *drive_fixture_param(const char *name);
/* Declares an origin on top of https://op.example. */
#define FIXTURE_ORIGIN "https://op.example"

/* Pieces of plugins. */
void drive_fixture_redirect(struct usher_action *act); /* to FIXTURE_ORIGIN/authorize */
void drive_fixture_exchange(struct usher_action *act); /* at FIXTURE_ORIGIN/token, basic */
void drive_fixture_done(struct usher_action *act);     /* as subject "42" */

#endif
