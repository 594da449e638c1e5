/* SPDX-License-Identifier: Apache-2.0 */
/* What expired, out of the store, by a table; and when secrets were last used, written behind. */
#include <stdio.h>
#include <stdlib.h>

#include "issuer/parts.h"
#include "store/authorization_code.h"
#include "store/authorization_request.h"
#include "store/client_assertion.h"
#include "store/device_code.h"
#include "store/oauth_grant.h"
#include "store/refresh_token.h"
#include "sys/clock.h"
#include "sys/log.h"

#define ROWS_A_SWEEP 500 /* of each kind: logins wait meanwhile */
#define USED_A_SWEEP 256

typedef int64_t sweep_fn(struct db *db, int64_t now, int64_t max, struct err *err);
static sweep_fn *const nouns[] = {
    access_token_sweep,          authorization_code_sweep, refresh_token_sweep, device_code_sweep,
    authorization_request_sweep, client_assertion_sweep,   oauth_grant_sweep,
};

/* Belongs to the store until it is answered. */
struct sweep {
    struct issuer *issuer;
    int64_t now;
    struct {
        char id[24];
        int64_t at;
    } used[USED_A_SWEEP];
    size_t n;
    struct session_app_sweep silent, next;
};

static void note_used(void *arg, const char *id, int64_t at)
{
    struct sweep *s = arg;
    (void)snprintf(s->used[s->n].id, sizeof s->used[s->n].id, "%s", id);
    s->used[s->n++].at = at;
}

static int run(struct db *db, void *arg, struct err *err)
{
    struct sweep *s = arg;
    s->next = s->silent;
    for (size_t i = 0; i < s->n; i++)
        if (app_secret_touch(db, s->used[i].id, s->used[i].at, err) < 0)
            return -1;
    for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++)
        if (nouns[i](db, s->now, ROWS_A_SWEEP, err) < 0)
            return -1;
    return session_app_sweep(db, s->now, &s->next, err);
}

static void swept(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct sweep *s = arg;
    struct issuer *i = s->issuer;
    if (outcome != STORE_DONE)
        log_error(NULL, LOG_ERROR, "issuer.sweep_failed", err);
    else
        memcpy(i->silent.after, s->next.after, sizeof i->silent.after);
    if (outcome == STORE_DONE && s->next.told > 0)
        backchannel_wake(i->backchannel);
    i->sweep = NULL;
    free(s);
}

void sweep_start(struct issuer *i)
{
    if (i->sweep)
        return;
    struct sweep *s = mem_alloc(sizeof *s);
    s->issuer = i;
    s->now = wall_seconds(clock_wall());
    s->silent = i->silent;
    app_secrets_take_used(i->o.secrets, note_used, s, USED_A_SWEEP);
    i->sweep = s;
    if (store_write(i->o.store, run, i->o.loop, swept, s))
        return;
    log_event(NULL, LOG_WARN, "store.busy", LF_TEXT("job", "issuer sweep"));
    i->sweep = NULL;
    free(s);
}
