/* SPDX-License-Identifier: Apache-2.0 */
/* All apps, and the page of one: who may use what of it, why somebody may or not, and what it is as
 * a client. */
#include "web/admin_app.h"

#include <string.h>

#include "app/app.h"
#include "sys/conf_doc.h"
#include "web/admin_view.h"

static const char *or_else(const char *text, const char *otherwise)
{
    return text[0] ? text : otherwise;
}

const char *admin_app_path(const struct admin_visit *v)
{
    return arena_printf(v->a, "/admin/apps/%s", v->id);
}

struct jval *admin_app_table(void)
{
    const struct conf_table table = {"", "USHER_APP_{ID}", app_settings, app_settings_n, NULL};
    struct jval *o = jval_new_object(), *rows = jval_new_array();
    conf_table_json(&table, "app", rows);
    jval_set(o, "settings", rows);
    return o;
}

struct jval *admin_app_rules(const struct jval *settings)
{
    const struct jval *rules = jval_get(settings, "rules");
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < jval_count(rules); i++) {
        const struct jval *rule = jval_item(rules, i);
        struct jval *o = jval_new_object();
        jval_set_text(o, "path", show_text(rule, "path"));
        jval_set_text(o, "methods", show_text(rule, "methods"));
        jval_set_text(o, "require", show_text(rule, "require"));
        jval_push(list, o);
    }
    return list;
}

/* What the list and the page of one both say. */
static struct jval *app_view(const struct jval *one)
{
    const struct jval *settings = jval_get(one, "settings");
    struct jval *o = jval_new_object(), *rules = admin_app_rules(settings);
    const bool some = jval_count(rules) > 0, enabled = show_bool(one, "enabled");
    const bool usable = show_bool(one, "usable"), good = usable && enabled;
    jval_set_text(o, "id", show_text(one, "id"));
    jval_set_text(o, "label", show_text(one, "label"));
    jval_set_text(o, "hosts", show_text(settings, "hosts"));
    jval_set_text(o, "require",
                  or_else(show_text(settings, "require"), some ? "nobody" : "signed_in"));
    jval_set_text(o, "file", show_text(jval_get(one, "source"), "file"));
    jval_set_bool(o, "registered", show_int(one, "registered", -1) > 0);
    jval_set_bool(o, "enabled", enabled);
    jval_set_bool(o, "usable", usable);
    jval_set_text(o, "state", good ? "in force" : enabled ? "lets nobody in" : "disabled");
    jval_set_text(o, "state_tone", good ? "good" : enabled ? "bad" : "plain");
    jval_set_text(o, "reason", usable || !enabled ? "" : show_text(one, "reason"));
    jval_set_int(o, "n_rules", (int64_t)jval_count(rules));
    jval_set_bool(o, "has_rules", some);
    jval_set(o, "rules", rules);
    return o;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void on_list(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    const struct jval *apps = jval_get(answer->body, "apps");
    struct jval *data = admin_data(v), *list = jval_new_array();
    for (size_t i = 0; i < jval_count(apps); i++)
        jval_push(list, app_view(jval_item(apps, i)));
    jval_set_bool(data, "has_apps", jval_count(list) > 0);
    jval_set(data, "apps", list);
    admin_send(v, 200, "admin-apps", "Apps", data);
}

void admin_page_apps(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_app_list}, on_list);
}

/* ---- reading one ----------------------------------------------------------------------------- */

struct reading {
    struct admin_visit *v;
    admin_app_then *then;
};

static void on_app(void *arg, const struct admin_answer *answer)
{
    const struct reading *r = arg;
    struct admin_visit *v = r->v;
    if (admin_failed(v, answer))
        return;
    jval_free(&v->provider);
    jval_free(&v->plugin);
    v->provider = jval_copy(answer->body);
    v->plugin = admin_app_table();
    r->then(v);
}

void admin_with_app(struct admin_visit *v, admin_app_then *then)
{
    struct reading *r = arena_alloc(v->a, sizeof *r);
    *r = (struct reading){v, then};
    admin_ask_for(v, &(struct admin_ask){.op = admin_app_show, .id = v->id}, on_app, r);
}

void admin_app_settle(struct admin_visit *v, const struct admin_answer *answer, const char *did)
{
    if (!answer->err) {
        admin_go(v, admin_app_path(v), did);
    } else if (answer->err->kind == ERR_NOT_ALLOWED || answer->err->kind == ERR_INTERNAL ||
               answer->err->kind == ERR_NOT_FOUND) {
        (void)admin_failed(v, answer);
    } else {
        admin_keep_errors(v, answer);
        admin_app_page(v);
    }
}

/* ---- why somebody may, or not ---------------------------------------------------------------- */

static const struct verdict {
    const char *name, *text, *tone;
} verdicts[] = {
    {"allow", "may", "good"},
    {"sign_in", "has to sign in", "plain"},
    {"deny", "may not", "bad"},
    {"bad_path", "is refused: no path to be judged", "bad"},
};

static const struct verdict *verdict_of(const char *name)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        if (strcmp(verdicts[i].name, name) == 0)
            return &verdicts[i];
    return &verdicts[2];
}

static struct jval *terms_view(const struct jval *terms)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < jval_count(terms); i++) {
        const struct jval *term = jval_item(terms, i);
        const char *result = show_text(term, "result");
        struct jval *o = jval_new_object();
        jval_set_text(o, "term", show_text(term, "term"));
        jval_set_text(o, "result", result);
        jval_set_text(o, "result_tone", strcmp(result, "yes") == 0 ? "good" : "plain");
        jval_set_text(o, "why", show_text(term, "why"));
        jval_push(list, o);
    }
    return list;
}

static struct jval *explanation(const struct admin_visit *v)
{
    const struct jval *answer = v->more;
    const struct verdict *verdict = verdict_of(show_text(answer, "verdict"));
    struct jval *o = jval_new_object(), *terms = terms_view(jval_get(answer, "terms"));
    jval_set_text(o, "user", or_else(show_text(answer, "user"), "Whoever is signed out"));
    jval_set_text(o, "provider", show_text(answer, "provider"));
    jval_set_bool(o, "disabled", show_bool(answer, "disabled"));
    jval_set_text(o, "verdict", verdict->text);
    jval_set_text(o, "tone", verdict->tone);
    jval_set_text(o, "reason", admin_sentence(v, show_text(answer, "reason")));
    jval_set_text(o, "path", show_text(answer, "path"));
    jval_set_text(o, "require", show_text(answer, "require"));
    jval_set_bool(o, "has_terms", jval_count(terms) > 0);
    jval_set(o, "terms", terms);
    return o;
}

static void set_explain(const struct admin_visit *v, struct jval *data)
{
    static const char *const asked[] = {"user", "provider", "path", "method", "client"};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        jval_set_text(data, arena_printf(v->a, "q_%s", asked[i]), admin_queried(v, asked[i]));
    jval_set(data, "explained", jval_get(v->more, "verdict") ? explanation(v) : jval_new_null());
}

/* ---- one ------------------------------------------------------------------------------------- */

static struct jval *secrets_view(const struct admin_visit *v)
{
    const struct jval *secrets = jval_get(v->provider, "secrets");
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < jval_count(secrets); i++) {
        const struct jval *one = jval_item(secrets, i);
        const int64_t expires = show_int(one, "expires", -1);
        struct jval *o = jval_new_object();
        jval_set_text(o, "secret_id", show_text(one, "id"));
        jval_set(o, "created", show_when(show_int(one, "created", -1), v->now, v->a));
        jval_set(o, "used", show_when(show_int(one, "last_used", -1), v->now, v->a));
        jval_set(o, "expires", show_when(expires, v->now, v->a));
        jval_set_bool(o, "over", expires >= 0 && expires <= v->now);
        jval_push(list, o);
    }
    return list;
}

static void set_client(const struct admin_visit *v, struct jval *data)
{
    const struct jval *settings = jval_get(v->provider, "settings");
    struct jval *secrets = secrets_view(v);
    jval_set_text(data, "issuer", v->app->public_url);
    jval_set_text(data, "redirect_uris", show_text(settings, "redirect_uris"));
    jval_set_bool(data, "public", strcmp(show_text(settings, "client_type"), "public") == 0);
    jval_set_bool(data, "has_secrets", jval_count(secrets) > 0);
    jval_set(data, "secrets", secrets);
    jval_set_text(data, "secret", jval_text(jval_get(v->more, "secret")));
    jval_set_bool(data, "script", jval_get(v->more, "secret") != NULL);
    jval_set_text(data, "f_expires", v->n_errors > 0 ? admin_posted(v, "expires") : "");
}

static void show(struct admin_visit *v)
{
    const struct jval *settings = jval_get(v->provider, "settings");
    struct jval *data = admin_data(v), *view = app_view(v->provider);
    const char *title = arena_dup(v->a, show_text(v->provider, "label"));
    admin_merge(data, view);
    jval_free(&view);
    jval_set_bool(data, "read_only", show_bool(v->provider, "read_only"));
    jval_set_bool(data, "editable", !show_bool(v->provider, "read_only"));
    jval_set(data, "version", jval_copy(jval_get(v->provider, "version")));
    jval_set(data, "settings", show_settings(settings, jval_get(v->plugin, "settings")));
    set_client(v, data);
    set_explain(v, data);
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-app", title, data);
}

void admin_app_page(struct admin_visit *v)
{
    admin_with_app(v, show);
}

static void on_explained(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_keep_answer(v, answer, ERR_INTERNAL))
        admin_app_page(v);
}

void admin_page_app(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && admin_queried(v, "explain")[0])
        admin_ask(
            v,
            &(struct admin_ask){.op = admin_app_explain, .id = v->id, .query = request_query(rq)},
            on_explained);
    else if (v)
        admin_app_page(v);
}

/* ---- its secrets: a new one is in the answer to the form that made it, and never again ------- */

static void on_secret(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_keep_answer(v, answer, ERR_NOT_ALLOWED))
        admin_app_page(v);
}

void admin_page_app_secret(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    int64_t expires = -1;
    if (!v)
        return;
    if (!show_day(admin_posted(v, "expires"), &expires)) {
        admin_add_error(v, "expires", "a day is wanted, like 2027-01-31");
        admin_app_page(v);
        return;
    }
    struct jval *body = jval_new_object();
    if (expires >= 0)
        jval_set_int(body, "expires", expires);
    admin_ask(v, &(struct admin_ask){.op = admin_app_secret_add, .id = v->id, .body = body},
              on_secret);
}

static void on_secret_ended(void *arg, const struct admin_answer *answer)
{
    admin_app_settle(arg, answer, "app-secret-ended");
}

void admin_page_app_secret_end(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v,
                  &(struct admin_ask){
                      .op = admin_app_secret_delete, .id = v->id, .sub = request_part(rq, 1)},
                  on_secret_ended);
}
