/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/admin.h"

#include <stdlib.h>

#include "admin/op.h"
#include "admin/registration.h"
#include "login/login.h"
#include "sys/clock.h"

#define QUEUE_MAX 64

static const struct {
    unsigned scope;
    const char *name;
} scope_names[] = {{ADMIN_READ, "read"},
                   {ADMIN_WRITE, "write"},
                   {ADMIN_SECRETS, "secrets"},
                   {ADMIN_METRICS, "metrics"}};
#define SCOPES (sizeof scope_names / sizeof *scope_names)

unsigned admin_scopes_parse(const char *text, struct err *err)
{
    unsigned scopes = 0;
    struct str rest = str_of(text), word;
    while (rest.p && str_split(&rest, ' ', &word)) {
        unsigned one = 0;
        for (size_t i = 0; i < SCOPES; i++)
            one |= str_is(word, scope_names[i].name) ? scope_names[i].scope : 0;
        if (one == 0) {
            err_set(err, ERR_INVALID, "scopes are read, write, secrets and metrics");
            return 0;
        }
        scopes |= one;
    }
    return scopes;
}

void admin_scopes_text(unsigned scopes, char out[32])
{
    struct buf b;
    buf_init(&b, 31);
    for (size_t i = 0; i < SCOPES; i++) {
        if (scopes & scope_names[i].scope) {
            buf_text(&b, b.n > 0 ? " " : "");
            buf_text(&b, scope_names[i].name);
        }
    }
    memcpy(out, b.p, b.n + 1);
    buf_deinit(&b);
}

static int read_all(struct db *db, void *arg, struct err *err)
{
    return memory_read(arg, db, NULL, err);
}

/* Before the loop runs. */
static int load(struct admin *a, struct err *err)
{
    struct memory *m = memory_new();
    int rc = store_read_now(a->o.store, read_all, m, err) == STORE_DONE ? 0 : -1;
    if (rc == 0)
        rc = memory_put(m, a, err);
    memory_free(&m);
    return rc;
}

struct admin *admin_new(const struct admin_options *o, struct err *err)
{
    struct admin *a = mem_alloc(sizeof *a);
    a->o = *o;
    a->started = wall_seconds(clock_wall());
    a->setups = setups_new();
    a->health = health_new();
    a->keychange = keychange_new(a);
    a->tokens = tokens_new();
    a->admins = admins_new();
    a->registrations = registrations_new();
    a->doubt = doubt_new(a);
    if ((a->work = work_new(1, QUEUE_MAX, err)) && load(a, err) == 0) {
        keychange_start(a->keychange);
        return a;
    }
    err_context(err, "admin");
    admin_free(&a);
    return NULL;
}

void admin_stop(struct admin *a)
{
    a->closing = true;
    keychange_stop(a->keychange);
    doubt_stop(a->doubt);
    admin_set_login(a, NULL);
}

bool admin_busy(const struct admin *a)
{
    return a->ops || keychange_busy(a->keychange);
}

void admin_free(struct admin **ap)
{
    struct admin *a = *ap;
    if (!a)
        return;
    admin_stop(a);
    work_free(&a->work);
    while (admin_busy(a))
        loop_once(a->o.loop, 10);
    keychange_free(&a->keychange);
    doubt_free(&a->doubt);
    tokens_free(&a->tokens);
    admins_free(&a->admins);
    setups_free(&a->setups);
    registrations_free(&a->registrations);
    health_free(&a->health);
    free(a);
    *ap = NULL;
}

/* Logins begin after an admin is there, and end before it goes. */
static struct op *tied(const struct admin *a)
{
    struct op *op = a->ops;
    while (op && !op->tied)
        op = op->next;
    return op;
}

void admin_set_issuer(struct admin *a, struct issuer *issuer)
{
    a->o.issuer = issuer;
}

void admin_set_login(struct admin *a, struct login *login)
{
    static const struct err stopping = {.kind = ERR_LIMITED, .text = "usher is stopping"};
    if (!login && a->o.login)
        login_end_tests(a->o.login);
    a->o.login = login;
    for (struct op *op; !login && (op = tied(a));) {
        op->tied = false;
        op_over(op, &stopping);
    }
}
