/* SPDX-License-Identifier: Apache-2.0 */
/* issuer_fixture: an issuer on a real store, with apps from their settings and a clock that stands
 * still until it is set. */
#ifndef TESTS_ISSUER_FIXTURE_H
#define TESTS_ISSUER_FIXTURE_H

#include <check.h>

#include "issuer/issuer.h"
#include "net/fetch.h"
#include "store_fixture.h"
#include "sys/clock.h"
#include "sys/seal.h"

#define ISSUER_NOW INT64_C(1800000000)
#define ISSUER_URL "https://login.example.test"

struct issuer_fixture_app {
    const char *id, *settings; /* a JSON object, as in a row */
};
struct issuer_fixture {
    struct store_fixture store;
    struct loop *loop;
    struct keyring *ring;
    struct fetch *fetch;
    struct app_secrets *secrets; /* an app's name is its secret */
    struct apps *apps;
    struct sessions *sessions; /* nobody is signed in */
    struct arena *arena;
    struct issuer *issuer;
    struct clock_fake clock;
    size_t max_tokens;
};
void issuer_fixture_open(struct issuer_fixture *f, const struct issuer_fixture_app *apps, size_t n);
void issuer_fixture_close(struct issuer_fixture *f);
/* The apps from now on. */
void issuer_fixture_apps(struct issuer_fixture *f, const struct issuer_fixture_app *apps, size_t n);
/* As a restart does. */
void issuer_fixture_stop(struct issuer_fixture *f);
void issuer_fixture_start(struct issuer_fixture *f);
void issuer_fixture_at(struct issuer_fixture *f, int64_t now);
/* Runs the loop, a step a round, until it returns true; false after some seconds. */
bool issuer_fixture_until(struct issuer_fixture *f, bool (*fn)(void *arg), void *arg);

#endif
