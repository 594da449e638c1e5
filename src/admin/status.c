/* SPDX-License-Identifier: Apache-2.0 */
/* How usher is, and how its providers are, at a glance. */
#include "admin/op.h"
#include "admin/view.h"
#include "login/login.h"
#include "provider/slots.h"
#include "session/session.h"
#include "sys/clock.h"

#define DAY 86400
#define SOON_DAYS 30

void admin_on_outcome(void *admin, const char *provider, const struct err *err)
{
    struct admin *a = admin;
    health_note(a->health, provider, err, wall_seconds(clock_wall()));
}

/* ---- status ---- */

static struct jval *config_json(const struct admin *a)
{
    struct live_status s;
    struct jval *o = jval_new_object(), *restart = jval_new_array();
    live_status(a->o.live, &s);
    for (const char *const *r = s.restart; r && *r; r++)
        jval_push(restart, jval_new_text(*r));
    jval_set_bool(o, "ok", !s.problems || s.problems->n == 0);
    jval_set_int(o, "generation", (int64_t)s.generation);
    jval_set_int(o, "loaded", s.loaded);
    jval_set_text(o, "why", s.why);
    jval_set(o, "problems", config_problems_json(s.problems));
    jval_set(o, "problems_since",
             s.problems_since > 0 ? jval_new_int(s.problems_since) : jval_new_null());
    jval_set(o, "restart", restart);
    jval_set_text(o, "unwatched", s.unwatched);
    return o;
}

static struct jval *providers_json(const struct registry *r)
{
    int64_t usable = 0;
    struct jval *o = jval_new_object();
    for (size_t i = 0; i < registry_count(r); i++)
        usable += registry_at(r, i)->usable;
    jval_set_int(o, "total", (int64_t)registry_count(r));
    jval_set_int(o, "usable", usable);
    return o;
}

static int64_t sessions_now(const struct admin *a)
{
    return a->o.sessions ? (int64_t)sessions_count(a->o.sessions) : 0;
}

/* ---- what an admin should know ---- */

static void note_slot(const struct op *op, const struct provider *p, enum provider_slot slot,
                      struct jval *notes)
{
    if (slot != PROVIDER_ACTIVE && !p->from_row) /* of rows, the slots have moved */
        jval_push(notes, jval_new_text(arena_printf(
                             op->arena,
                             "Provider %s signs in with its %s secret, because the upstream "
                             "refused the active one: make it the active one in %s.",
                             p->id, slots_name(slot), p->source)));
}

static void note_age(const struct op *op, const struct provider *p, enum provider_slot slot,
                     struct jval *notes)
{
    const int64_t expires = p->slots->v[slot].expires, days = (expires - op->now) / DAY;
    if (expires == 0 || days >= SOON_DAYS)
        return;
    const char *text =
        expires <= op->now
            ? arena_printf(op->arena, "The client secret of provider %s has expired.", p->id)
            : arena_printf(op->arena, "The client secret of provider %s expires in %lld days.",
                           p->id, (long long)days);
    jval_push(notes, jval_new_text(text));
}

static struct jval *notes_json(const struct op *op)
{
    struct jval *notes = jval_new_array();
    for (size_t i = 0; i < registry_count(op->registry); i++) {
        const struct provider *p = registry_at(op->registry, i);
        const enum provider_slot slot = slots_first(op->admin->o.slots, p);
        if (!p->common.enabled)
            continue;
        note_slot(op, p, slot, notes);
        note_age(op, p, slot, notes);
    }
    return notes;
}

static int status(struct op *op, struct err *err)
{
    const struct admin *a = op->admin;
    struct jval *o = op->answer = jval_new_object();
    (void)err;
    jval_set_text(o, "version", PACKAGE_VERSION);
    jval_set_int(o, "started", a->started);
    jval_set_text(o, "public_url", op->config->server.public_url);
    jval_set_text(o, "store", store_shared(a->o.store) ? "postgresql" : "sqlite");
    jval_set_int(o, "sessions", sessions_now(a));
    jval_set_int(o, "logins_in_flight", a->o.login ? (int64_t)login_in_flight(a->o.login) : 0);
    jval_set(o, "providers", providers_json(op->registry));
    jval_set(o, "notes", notes_json(op));
    jval_set(o, "config", config_json(a));
    jval_set(o, "key_rotation", keychange_json(a->keychange));
    return 0;
}

void admin_status(struct admin *a, const struct admin_request *rq, admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_READ, .finish = status};
    op_run(a, rq, &rule, done, arg);
}

/* ---- overview ---- */

static int read_rows(struct db *db, struct op *op, struct err *err)
{
    jval_free(&op->answer);
    op->answer = view_rows(db, NULL, err);
    return op->answer ? 0 : -1;
}

static int overview_work(struct op *op, struct err *err)
{
    return op_read(op, read_rows, err);
}

/* For a glance: without settings, with the age of the secret in use. */
static void glance(const struct op *op, struct jval *provider)
{
    const struct jval *slots = jval_at(provider, "/secrets/client_secret");
    const char *using = jval_text(jval_get(slots, "using"));
    int64_t since = 0;
    jval_remove(provider, "settings");
    if (using && jval_int(jval_get(jval_get(slots, using), "since"), &since))
        jval_set_int(provider, "secret_age_days", (op->now - since) / DAY);
    else
        jval_set(provider, "secret_age_days", jval_new_null());
}

static int overview_finish(struct op *op, struct err *err)
{
    const struct admin *a = op->admin;
    const struct health_day today = health_today(a->health, NULL, op->now);
    struct jval *all = view_all(op, op->answer), *o = jval_new_object();
    struct live_status s;
    (void)err;
    live_status(a->o.live, &s);
    for (size_t i = 0; i < jval_count(all); i++)
        glance(op, (struct jval *)(uintptr_t)jval_item(all, i));
    jval_set(o, "providers", all);
    jval_set_int(o, "signed_in_today", today.signed_in);
    jval_set_int(o, "failed_today", today.failed);
    jval_set_int(o, "sessions", sessions_now(a));
    jval_set_bool(o, "config_ok", !s.problems || s.problems->n == 0);
    jval_free(&op->answer);
    op->answer = o;
    return 0;
}

void admin_overview(struct admin *a, const struct admin_request *rq, admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_READ, .work = overview_work, .finish = overview_finish};
    op_run(a, rq, &rule, done, arg);
}
