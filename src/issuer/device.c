/* SPDX-License-Identifier: Apache-2.0 */
/* The device's first request: RFC 8628 sections 3.1 and 3.2. */
#include "issuer/device.h"

#include "app/client.h"
#include "issuer/handle.h"
#include "issuer/parts.h"
#include "issuer/user_code.h"
#include "store/device_code.h"
#include "sys/log.h"

#define TRIES 4

struct starting {
    struct call *call;
    struct device_code_row row;
    char device[HANDLE_LEN + 1], user[USER_CODE_LEN + 1];
};

/* Two devices never wait with the same short code. */
static int keep(struct db *db, void *arg, struct err *err)
{
    struct starting *s = arg;
    struct device_code_row other;
    int rc = 1;
    for (int i = 0; rc == 1 && i < TRIES; i++) {
        user_code_make(s->user);
        user_code_hash(s->user, s->row.user_code);
        rc = device_code_typed(db, s->row.user_code, s->call->a, &other, err);
    }
    if (rc == 1)
        return err_set(err, ERR_LIMITED, "no short code is free");
    return rc < 0 ? -1 : device_code_add(db, &s->row, err);
}

static void on_kept(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct starting *s = arg;
    struct call *c = s->call;
    const char *url = c->issuer->o.public_url;
    if (outcome != STORE_DONE) {
        call_store_failed(c, outcome, err);
        return;
    }
    log_event(c->in->log, LOG_INFO, "issuer.device", LF_TEXT("app", c->app->id),
              LF_TEXT("scope", s->row.scopes));
    call_answer(
        c, 200,
        str_of(arena_printf(c->a,
                            "{\"device_code\":\"%s\",\"user_code\":\"%s\","
                            "\"verification_uri\":\"%s/device\","
                            "\"verification_uri_complete\":\"%s/device?user_code=%s\","
                            "\"expires_in\":%d,\"interval\":%d}",
                            s->device, s->user, url, url, s->user, DEVICE_LIFE, DEVICE_EVERY)));
}

static void begin(struct call *c)
{
    struct starting *s = arena_alloc(c->a, sizeof *s);
    struct issuer_request rq;
    struct issuer_problem why;
    struct err busy = ERR_INIT;
    if (!client_may(&c->app->common, "urn:ietf:params:oauth:grant-type:device_code")) {
        call_refuse(c, "unauthorized_client", "this app is none for devices");
        return;
    }
    if (issuer_request_read_device(c->a, c->app, c->in->form, &rq, &why) < 0) {
        call_refuse(c, why.error, why.description);
        return;
    }
    *s = (struct starting){.call = c,
                           .row = {.app = c->app->id,
                                   .scopes = rq.scopes,
                                   .resource = rq.resource,
                                   .poll_every = DEVICE_EVERY,
                                   .ip = c->in->ip,
                                   .user_agent = c->in->user_agent,
                                   .created = c->now,
                                   .expires = c->now + DEVICE_LIFE}};
    handle_make(HANDLE_DEVICE, s->device, s->row.hash);
    if (!store_write(c->issuer->o.store, keep, c->issuer->o.loop, on_kept, s)) {
        err_set(&busy, ERR_LIMITED, "the store's queue is full");
        call_fail(c, &busy);
    }
}

void issuer_device(struct issuer *i, const struct issuer_call *in, issuer_done_fn *done, void *arg)
{
    client_authenticate(call_open(i, "device_authorization", in, done, arg), begin);
}
