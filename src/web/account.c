/* SPDX-License-Identifier: Apache-2.0 */
/* What a person sees of their own account: ways to sign in, sessions, apps, data. */
#include <string.h>

#include "store/session_row.h"
#include "web/account_page.h"
#include "web/admin_view.h"
#include "web/device.h"

/* What the store said, in an arena of its own: it is filled on another thread. */
struct overview {
    struct account_visit *v;
    struct arena *a;
    struct session_row *sessions;
    size_t n_sessions;
};

static int read_overview(struct db *db, void *arg, struct err *err)
{
    struct overview *o = arg;
    const struct session_row_of of = {.account = o->v->account,
                                      .now = o->v->now,
                                      .idle_before = o->v->now - o->v->app->idle_seconds};
    arena_reset(o->a);
    return session_row_list(db, &of, o->a, &o->sessions, &o->n_sessions, err);
}

static const char *label_of(const struct account_visit *v, const char *id)
{
    const struct provider *p = registry_find(v->app->registry, id);
    return p ? p->label : id;
}

static struct jval *session_entry(const struct account_visit *v, const struct session_row *row)
{
    const char *device = device_text(row->user_agent, v->a);
    const bool current = memcmp(row->hash, v->hash, sizeof v->hash) == 0;
    struct jval *o = jval_new_object();
    jval_set_text(o, "session", row->id);
    jval_set_text(o, "device", device ? device : "Unknown device");
    jval_set_text(o, "address", row->ip ? row->ip : "unknown");
    jval_set_text(o, "provider", label_of(v, row->provider));
    jval_set(o, "created", show_when(row->created, v->now, v->a));
    jval_set(o, "seen", show_when(current ? v->now : row->seen, v->now, v->a));
    jval_set_bool(o, "current", current);
    return o;
}

/* This browser's own comes first. */
static void set_sessions(const struct overview *o, struct jval *data)
{
    struct jval *list = jval_new_array();
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < o->n_sessions; i++) {
            const struct session_row *row = &o->sessions[i];
            const bool current = memcmp(row->hash, o->v->hash, sizeof row->hash) == 0;
            if (current == (pass == 0))
                jval_push(list, session_entry(o->v, row));
        }
    jval_set_bool(data, "has_others", jval_count(list) > 1);
    jval_set(data, "sessions", list);
}

static void on_overview(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct overview *o = arg;
    struct account_visit *v = o->v;
    if (!account_failed(v, outcome, err)) {
        struct jval *data = account_data(v);
        set_sessions(o, data);
        account_send(v, 200, "account-overview", "Your account", data);
    }
    arena_free(&o->a);
}

void account_overview(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_LOOK);
    if (!v)
        return;
    struct overview *o = arena_alloc(v->a, sizeof *o);
    *o = (struct overview){.v = v, .a = arena_new()};
    account_read(v, read_overview, on_overview, o);
}
