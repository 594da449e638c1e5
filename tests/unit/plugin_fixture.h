/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin_fixture: a provider around a step function of the test's own, and the events to feed it.
 * client_id "client", client_secret and key as secrets, origin https://idp.example.
 */
#ifndef PLUGIN_FIXTURE_H
#define PLUGIN_FIXTURE_H

#include "base/json.h"
#include "provider/step.h"

typedef void fixture_step_fn(struct usher_call *, const struct usher_event *,
                             struct usher_action *);

struct fixture {
    struct usher_provider plugin;
    struct provider provider;
    struct conf_secrets *secrets;
    struct leg *leg;
    struct usher_action out;
    struct err err;
    struct jval *json[16]; /* freed with the fixture */
    size_t n_json;
};

void fixture_init(struct fixture *f, fixture_step_fn *step);
void fixture_deinit(struct fixture *f);
/* A new leg, with this budget (NULL: the default). */
void fixture_leg(struct fixture *f, const struct leg_budget *budget);
/* Each feeds one event; the result of leg_step. */
int fixture_start(struct fixture *f);
int fixture_callback(struct fixture *f);
int fixture_tokens(struct fixture *f, bool ok, bool id_token);
int fixture_claims(struct fixture *f, const char *json);
int fixture_response(struct fixture *f, int status, const char *json);
/* The plugin as it runs in this test: callback, then a good exchange. */
int fixture_signed_in(struct fixture *f);

const struct usher_json *fixture_json(struct fixture *f, const char *text);

#endif
