/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device_code (RFC 8628 sections 3.4 and 3.5): a device asks again and again whether its person has
 * said yes. Who asks too often is told to wait longer, for good. Once allowed the code is good for
 * one answer; a second use ends the grant, as that of an authorization code does.
 */
#include "issuer/device.h"
#include "issuer/handle.h"
#include "issuer/parts.h"
#include "issuer/tokens.h"
#include "store/device_code.h"

#define LEEWAY 1 /* second: clocks of rows are whole ones */

struct polling {
    struct call *call;
    unsigned char hash[32];
    struct device_code_row row;
    struct tokens tokens;
    const char *error; /* NULL: allowed, and this is the first to know */
    bool late;         /* a second use */
};

static void busy(struct polling *p)
{
    struct err err = ERR_INIT;
    err_set(&err, ERR_LIMITED, "the store's queue is full");
    call_fail(p->call, &err);
}

static void refuse(struct polling *p, const char *error)
{
    static const struct {
        const char *error, *description;
    } known[] = {
        {"authorization_pending", "the person has not answered yet"},
        {"slow_down", "wait five seconds longer between two requests from now on"},
        {"access_denied", "the person said no, or may not use this app any more"},
        {"expired_token", "this code is over: begin again"},
        {"invalid_grant", "this code is not good, or not for this app, or was used"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].error, error) == 0)
            call_refuse(p->call, error, known[i].description);
}

static int spoil(struct db *db, struct polling *p, struct err *err)
{
    struct call *c = p->call;
    struct oauth_grant_row grant;
    p->late = true;
    p->error = "invalid_grant";
    int rc = p->row.grant ? oauth_grant_get(db, p->row.grant, c->a, &grant, err) : 0;
    if (rc == 1)
        rc = oauth_grant_end(db, grant.id, c->now, err);
    if (rc == 1)
        rc = tokens_tell(db, c, &grant, "grant.reuse", "a device code came a second time", err);
    return rc < 0 ? -1 : 0;
}

static int keep_waiting(struct db *db, struct polling *p, struct err *err)
{
    const int64_t now = p->call->now;
    const bool soon = p->row.last_poll > 0 && now - p->row.last_poll < p->row.poll_every - LEEWAY;
    p->error = soon ? "slow_down" : "authorization_pending";
    return device_code_polled(db, p->hash, now, p->row.poll_every + (soon ? DEVICE_SLOWER : 0),
                              err);
}

static int look(struct db *db, void *arg, struct err *err)
{
    struct polling *p = arg;
    struct call *c = p->call;
    p->late = false;
    p->error = "invalid_grant";
    const int rc = device_code_get(db, p->hash, c->a, &p->row, err);
    if (rc <= 0 || strcmp(p->row.app, c->app->id) != 0)
        return rc < 0 ? -1 : 0;
    if (p->row.state == DEVICE_USED)
        return spoil(db, p, err);
    if (p->row.expires <= c->now)
        p->error = "expired_token";
    else if (p->row.state == DEVICE_DENIED)
        p->error = "access_denied";
    else if (p->row.state == DEVICE_WAITING)
        return keep_waiting(db, p, err);
    else if (standing_read(db, p->call, p->row.grant, &p->tokens.of, err) < 0)
        return -1;
    else if (p->tokens.of.good)
        p->error = NULL;
    return 0;
}

/* ---- allowed -----------------------------------------------------------------------------------
 */

static int redeem(struct db *db, void *arg, struct err *err)
{
    struct polling *p = arg;
    p->late = false;
    const int rc = device_code_use(db, p->hash, err);
    if (rc < 0)
        return -1;
    return rc == 0 ? spoil(db, p, err) : tokens_store(db, &p->tokens, err);
}

static void on_redeemed(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct polling *p = arg;
    if (outcome != STORE_DONE) {
        call_store_failed(p->call, outcome, err);
    } else if (p->late) {
        access_end_grant(p->call->issuer->access, p->row.grant);
        refuse(p, p->error);
    } else if (!p->tokens.of.good) {
        refuse(p, "invalid_grant"); /* it ended while tokens were signed */
    } else {
        tokens_answer(&p->tokens);
    }
}

static void on_signed(void *arg, const struct err *err)
{
    struct polling *p = arg;
    if (err)
        call_fail(p->call, err);
    else
        tokens_write(&p->tokens, redeem, on_redeemed);
}

static void on_looked(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct polling *p = arg;
    if (outcome != STORE_DONE) {
        call_store_failed(p->call, outcome, err);
        return;
    }
    if (p->late && p->row.grant)
        access_end_grant(p->call->issuer->access, p->row.grant);
    /* Admins may have changed their mind since; the person is where they said yes. */
    if (!p->error && !standing_admits(p->call, &p->tokens.of, p->call->app, p->tokens.of.grant.ip))
        p->error = "access_denied";
    if (p->error)
        refuse(p, p->error);
    else
        tokens_make(&p->tokens, on_signed, p);
}

void grant_device(struct call *c)
{
    struct polling *p = arena_alloc(c->a, sizeof *p);
    const char *code;
    *p = (struct polling){.call = c, .tokens = {.call = c, .first = true}};
    const int rc = call_get(c, "device_code", &code);
    if (rc < 0)
        return;
    if (rc == 0)
        call_refuse(c, "invalid_request", "device_code is missing");
    else if (!handle_hash(HANDLE_DEVICE, str_of(code), p->hash))
        refuse(p, "invalid_grant");
    else if (!store_write(c->issuer->o.store, look, c->issuer->o.loop, on_looked, p))
        busy(p);
}
