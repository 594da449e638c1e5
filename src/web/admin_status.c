/* SPDX-License-Identifier: Apache-2.0 */
/* What is in force, what would be after a reload, and the keys. Three operations, one page. */
#include <string.h>

#include "web/admin_page.h"
#include "web/admin_view.h"

/* ---- what was answered, in words ------------------------------------------------------------- */

static void set_problems(const struct admin_visit *v, const struct jval *config, struct jval *data)
{
    const struct jval *problems = jval_get(config, "problems");
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < jval_count(problems); i++) {
        const struct jval *one = jval_item(problems, i);
        const char *file = show_text(one, "file"), *key = show_text(one, "key");
        const int64_t line = show_int(one, "line", 0);
        const char *where = line > 0 ? arena_printf(v->a, "%s:%lld", file, (long long)line) : file;
        struct jval *o = jval_new_object();
        const char *text = show_text(one, "text");
        const bool named = str_starts(str_of(text), key); /* the text begins with the key */
        jval_set_text(o, "where", named ? where : arena_printf(v->a, "%s %s", where, key));
        jval_set_text(o, "text", text);
        jval_push(list, o);
    }
    jval_set_bool(data, "has_problems", jval_count(list) > 0);
    jval_set(data, "problems", list);
    jval_set(data, "problems_since",
             show_when(show_int(config, "problems_since", -1), v->now, v->a));
}

static void set_status(const struct admin_visit *v, const struct jval *status, struct jval *data)
{
    const struct jval *config = jval_get(status, "config"), *n = jval_get(status, "providers");
    jval_set_text(data, "version", show_text(status, "version"));
    jval_set(data, "started", show_when(show_int(status, "started", -1), v->now, v->a));
    jval_set_text(data, "public_url", show_text(status, "public_url"));
    jval_set_int(data, "sessions", show_int(status, "sessions", 0));
    jval_set_int(data, "logins", show_int(status, "logins_in_flight", 0));
    jval_set_int(data, "usable", show_int(n, "usable", 0));
    jval_set_int(data, "total", show_int(n, "total", 0));
    jval_set_text(data, "store",
                  strcmp(show_text(status, "store"), "sqlite") == 0 ? "SQLite" : "PostgreSQL");
    jval_set_bool(data, "config_ok", show_bool(config, "ok"));
    jval_set_int(data, "generation", show_int(config, "generation", 0));
    jval_set(data, "loaded", show_when(show_int(config, "loaded", -1), v->now, v->a));
    jval_set_text(data, "why", show_text(config, "why"));
    jval_set_text(data, "restart", show_list(jval_get(config, "restart"), v->a));
    jval_set_text(data, "unwatched", show_text(config, "unwatched"));
    set_problems(v, config, data);
}

static const char *touched(const struct jval *one, struct arena *a)
{
    const int64_t accounts = show_int(one, "accounts", 0), sessions = show_int(one, "sessions", 0);
    if (accounts == 0 && sessions == 0)
        return "";
    return arena_printf(a, "%lld %s, %lld signed in now", (long long)accounts,
                        accounts == 1 ? "account" : "accounts", (long long)sessions);
}

static struct jval *change_view(const struct admin_visit *v, const struct jval *one)
{
    const struct jval *fields = jval_get(one, "fields");
    struct jval *o = jval_new_object(), *list = jval_new_array();
    for (size_t i = 0; i < jval_count(fields); i++) {
        const struct jval *field = jval_item(fields, i);
        struct jval *f = jval_new_object();
        jval_set_text(f, "name", show_text(field, "key"));
        jval_set_text(f, "before", show_list(jval_get(field, "before"), v->a));
        jval_set_text(f, "after", show_list(jval_get(field, "after"), v->a));
        jval_push(list, f);
    }
    jval_set_text(o, "what", show_text(one, "what"));
    jval_set_text(o, "id", show_text(one, "id"));
    jval_set_text(o, "change", show_text(one, "change"));
    jval_set_text(o, "touched", touched(one, v->a));
    jval_set_bool(o, "has_fields", jval_count(list) > 0);
    jval_set(o, "fields", list);
    return o;
}

static void set_diff(const struct admin_visit *v, const struct jval *diff, struct jval *data)
{
    const struct jval *changes = jval_get(diff, "changes");
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < jval_count(changes); i++)
        jval_push(list, change_view(v, jval_item(changes, i)));
    jval_set_bool(data, "has_changes", jval_count(list) > 0);
    jval_set(data, "diff", list);
    const bool refused = jval_count(jval_get(diff, "problems")) > 0;
    jval_set_text(data, "diff_error",
                  refused && jval_count(changes) == 0
                      ? "Nothing, as long as something in the files is wrong."
                      : show_text(diff, "error"));
}

static const char *rotation_text(const struct jval *rotation, struct arena *a)
{
    const char *state = show_text(rotation, "state");
    const long long done = show_int(rotation, "done", 0), stuck = show_int(rotation, "stuck", 0);
    if (stuck > 0)
        return arena_printf(
            a, "%lld of what is stored could not be sealed again: the log says why.", stuck);
    if (strcmp(state, "sealing") == 0)
        return arena_printf(a, "Being sealed again in the background: %lld so far.", done);
    if (strcmp(state, "waiting") == 0)
        return "Everything is sealed with the current key. The old one is kept for some minutes, "
               "for "
               "sign-ins that are under way.";
    return "";
}

static void set_keys(const struct admin_visit *v, const struct jval *body, struct jval *data)
{
    const struct jval *keys = jval_get(body, "keys");
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < jval_count(keys); i++) {
        const struct jval *one = jval_item(keys, i);
        struct jval *o = jval_new_object();
        jval_set(o, "id", jval_copy(jval_get(one, "id")));
        jval_set_bool(o, "current", show_bool(one, "current"));
        jval_set(o, "since", show_when(show_int(one, "since", -1), v->now, v->a));
        jval_set_int(o, "sealed", show_int(one, "sealed", 0));
        jval_push(list, o);
    }
    jval_set(data, "keys", list);
    jval_set_text(data, "rotation", rotation_text(jval_get(body, "rotation"), v->a));
}

/* ---- the page -------------------------------------------------------------------------------- */

static void on_keys(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    struct jval *data = admin_data(v);
    jval_set_bool(data, "script", true);
    set_status(v, jval_get(v->more, "status"), data);
    set_diff(v, jval_get(v->more, "diff"), data);
    set_keys(v, answer->body, data);
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-status", "Status", data);
}

/* Files that cannot be read are no reason to hide the rest. */
static void on_diff(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (answer->err) {
        struct jval *o = jval_new_object();
        jval_set_text(o, "error", "The files on disk cannot be compared: they are not in order.");
        jval_set(v->more, "diff", o);
    } else {
        jval_set(v->more, "diff", jval_copy(answer->body));
    }
    admin_ask(v, &(struct admin_ask){.op = admin_key_list}, on_keys);
}

static void on_status(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    jval_free(&v->more);
    v->more = jval_new_object();
    jval_set(v->more, "status", jval_copy(answer->body));
    admin_ask(v, &(struct admin_ask){.op = admin_config_diff}, on_diff);
}

static void show(struct admin_visit *v)
{
    admin_ask(v, &(struct admin_ask){.op = admin_status}, on_status);
}

void admin_page_status(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        show(v);
}

static void on_reloaded(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err) {
        admin_go(v, "/admin/status", "reloaded");
    } else if (answer->err->kind == ERR_NOT_ALLOWED) {
        (void)admin_failed(v, answer);
    } else {
        admin_keep_errors(v, answer);
        show(v);
    }
}

void admin_page_reload(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_config_reload}, on_reloaded);
}

static void on_rotating(void *arg, const struct admin_answer *answer)
{
    if (!admin_failed(arg, answer))
        admin_go(arg, "/admin/status", "sealing");
}

void admin_page_rotate_key(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_key_rotate}, on_rotating);
}
