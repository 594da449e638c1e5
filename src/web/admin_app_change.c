/* SPDX-License-Identifier: Apache-2.0 */
/* Apps made and changed: settings, rules, whether it is in use, and its end. Every form carries the
 * version it was made from. */
#include <string.h>

#include "app/apps.h"
#include "web/admin_app.h"
#include "web/admin_form.h"
#include "web/admin_provider.h"
#include "web/admin_question.h"
#include "web/admin_view.h"

#define ROWS_ADDED 5 /* by the button that adds more */
#define ROWS_MAX (APP_PATHS_MAX + ROWS_ADDED)

/* The version a form was made from stays with it while it is shown again, so that what somebody
 * else does meanwhile is noticed. Once it was noticed and shown, it is that of now. */
static struct jval *version_of(const struct admin_visit *v)
{
    int64_t n;
    if (v->form && v->refused != ERR_STALE && text_int(str_of(admin_posted(v, "version")), &n))
        return jval_new_int(n);
    return jval_copy(jval_get(v->provider, "version"));
}

/* Somebody else was here: said in words of the page's own, with what they left; `theirs` taken. */
static void set_stale(const struct admin_visit *v, struct jval *data, struct jval *theirs)
{
    jval_set_bool(data, "has_errors", false);
    jval_set_bool(data, "stale", true);
    jval_set_bool(data, "differs", jval_count(theirs) > 0);
    jval_set_text(data, "start_over", request_path(v->rq));
    jval_set(data, "theirs", theirs);
}

/* ---- settings, of a new one and of one that is there ----------------------------------------- */

/* Of a setting, both may be text; a boolean that was typed is none. */
static bool same_value(const struct jval *typed, const struct jval *set)
{
    bool a, b;
    const char *text = jval_text(set);
    if (jval_bool(typed, &a))
        return text ? a == (strcmp(text, "yes") == 0) : jval_bool(set, &b) && a == b;
    return text && jval_text(typed) && strcmp(text, jval_text(typed)) == 0;
}

/* What is set now where something else was typed. */
static struct jval *differing(const struct admin_visit *v, const struct admin_form *form)
{
    struct err err = ERR_INIT;
    struct jval *typed = admin_form_settings(form, &err), *now = jval_new_object();
    void *at = NULL;
    const char *key;
    const struct jval *mine;
    while (typed && jval_next(typed, &at, &key, &mine)) {
        const struct jval *value = jval_get(form->settings, key);
        const bool set = value && jval_type(value) != JVAL_NULL;
        if (!set)
            jval_set_text(now, key, "as it is by default");
        else if (!same_value(mine, value))
            jval_set(now, key, jval_copy(value));
    }
    struct jval *list = show_settings(now, jval_get(v->plugin, "settings"));
    jval_free(&typed);
    jval_free(&now);
    return list;
}

static void send_form(struct admin_visit *v)
{
    const struct admin_form form = admin_visit_form(v);
    const bool made = v->provider != NULL;
    const char *label = arena_dup(v->a, show_text(v->provider, "label"));
    const char *title = made ? arena_printf(v->a, "Settings of %s", label) : "Add an app";
    struct jval *data = admin_data(v), *fields = admin_form_view(&form);
    admin_merge(data, fields);
    jval_free(&fields);
    if (v->refused == ERR_STALE)
        set_stale(v, data, differing(v, &form));
    jval_set_bool(data, "new_one", !made);
    jval_set_text(data, "heading", title);
    jval_set_text(data, "back", made ? admin_app_path(v) : "/admin/apps");
    jval_set_text(data, "back_text", made ? label : "Apps");
    jval_set_text(data, "action",
                  made ? arena_printf(v->a, "%s/settings", admin_app_path(v)) : "/admin/new-app");
    jval_set_text(data, "verb", made ? "Save settings" : "Add the app");
    jval_set_text(data, "id", admin_posted(v, "id"));
    jval_set_text(data, "id_error", admin_error_of(v, "id"));
    jval_set(data, "version", made ? version_of(v) : jval_new_null());
    admin_send(v, admin_status_of(v), "admin-app-form", title, data);
}

/* What somebody can put right is said beside what they typed; false: the visit has ended. */
static bool kept(struct admin_visit *v, const struct admin_answer *answer)
{
    const enum err_kind kind = answer->err->kind;
    if (kind != ERR_INVALID && kind != ERR_MISCONFIGURED && kind != ERR_CONFLICT &&
        kind != ERR_LIMITED && kind != ERR_STALE) {
        (void)admin_failed(v, answer);
        return false;
    }
    admin_keep_errors(v, answer);
    return true;
}

static void on_added(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err)
        admin_go(v, arena_printf(v->a, "/admin/apps/%s", admin_posted(v, "id")), "app-added");
    else if (kept(v, answer))
        send_form(v);
}

static void on_saved(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err)
        admin_go(v, admin_app_path(v), "app-saved");
    else if (kept(v, answer))
        admin_with_app(v, send_form); /* as it is now */
}

static void save(struct admin_visit *v)
{
    struct err err = ERR_INIT;
    const struct admin_form form = admin_visit_form(v);
    const bool made = v->provider != NULL;
    struct jval *settings = admin_form_settings(&form, &err), *body;
    if (!settings) {
        admin_sorry(v, ERR_INVALID, arena_dup(v->a, err.text));
        return;
    }
    body = jval_new_object();
    if (!made)
        jval_set_text(body, "id", admin_posted(v, "id"));
    jval_set(body, "settings", settings);
    admin_ask(v,
              &(struct admin_ask){.op = made ? admin_app_edit : admin_app_add,
                                  .id = made ? v->id : NULL,
                                  .body = body,
                                  .if_match = made ? admin_version(v) : NULL},
              made ? on_saved : on_added);
}

/* An app of a file has no form: where it is changed is said on its page. */
static bool read_only(struct admin_visit *v)
{
    if (show_bool(v->provider, "read_only"))
        admin_go(v, admin_app_path(v), NULL);
    else
        return false;
    return true;
}

static void settings(struct admin_visit *v)
{
    if (!read_only(v))
        (v->form ? save : send_form)(v);
}

void admin_page_app_settings(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_with_app(v, settings);
}

void admin_page_app_add(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (!v)
        return;
    v->plugin = admin_app_table();
    (v->form ? save : send_form)(v);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static const char *cell(const struct admin_visit *v, const char *name, size_t i)
{
    return arena_str(v->a,
                     str_trim(str_of(admin_posted(v, arena_printf(v->a, "%s-%zu", name, i)))));
}

/* Rows as they were typed; one without anything is none. */
static struct jval *typed_rules(const struct admin_visit *v)
{
    struct jval *list = jval_new_array();
    int64_t rows = 0;
    if (!text_int(str_of(admin_posted(v, "rows")), &rows) || rows < 0 || rows > ROWS_MAX)
        rows = ROWS_MAX;
    for (size_t i = 1; i <= (size_t)rows; i++) {
        const char *path = cell(v, "path", i), *methods = cell(v, "methods", i),
                   *require = cell(v, "require", i);
        if (!path[0] && !methods[0] && !require[0])
            continue;
        struct jval *o = jval_new_object();
        jval_set_text(o, "path", path);
        jval_set_text(o, "methods", methods);
        jval_set_text(o, "require", require);
        jval_push(list, o);
    }
    return list;
}

/* With so many empty ones behind them. */
static struct jval *numbered(const struct jval *rules, size_t empty)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < jval_count(rules) + empty && i < ROWS_MAX; i++) {
        const struct jval *rule = jval_item(rules, i);
        struct jval *o = jval_new_object();
        jval_set_int(o, "row", (int64_t)i + 1);
        jval_set_text(o, "path", show_text(rule, "path"));
        jval_set_text(o, "methods", show_text(rule, "methods"));
        jval_set_text(o, "require", show_text(rule, "require"));
        jval_push(list, o);
    }
    return list;
}

static bool wants_more(const struct admin_visit *v)
{
    return v->form && admin_posted(v, "add")[0];
}

static void send_rules(struct admin_visit *v)
{
    const char *label = arena_dup(v->a, show_text(v->provider, "label"));
    const char *title = arena_printf(v->a, "Rules of %s", label);
    struct jval *data = admin_data(v);
    struct jval *now = admin_app_rules(jval_get(v->provider, "settings"));
    struct jval *rules = v->form ? typed_rules(v) : jval_copy(now);
    struct jval *rows = numbered(rules, wants_more(v) ? ROWS_ADDED : 1);
    jval_set_text(data, "id", v->id);
    jval_set_text(data, "label", label);
    jval_set(data, "version", version_of(v));
    jval_set_int(data, "n_rows", (int64_t)jval_count(rows));
    jval_set_int(data, "more", ROWS_ADDED);
    jval_set_bool(data, "can_add", jval_count(rows) < APP_PATHS_MAX);
    jval_set(data, "rows", rows);
    jval_free(&rules);
    admin_set_errors(v, data);
    if (v->refused == ERR_STALE)
        set_stale(v, data, now);
    else
        jval_free(&now);
    admin_send(v, admin_status_of(v), "admin-app-rules", title, data);
}

static void on_rules(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err)
        admin_go(v, admin_app_path(v), "app-saved");
    else if (kept(v, answer))
        admin_with_app(v, send_rules);
}

static void save_rules(struct admin_visit *v)
{
    struct jval *body = jval_new_object(), *changed = jval_new_object(), *rules = typed_rules(v);
    if (jval_count(rules) == 0) {
        jval_free(&rules);
        rules = jval_new_null();
    }
    jval_set(changed, "rules", rules);
    jval_set(body, "settings", changed);
    admin_ask(v,
              &(struct admin_ask){
                  .op = admin_app_edit, .id = v->id, .body = body, .if_match = admin_version(v)},
              on_rules);
}

static void rules(struct admin_visit *v)
{
    if (!read_only(v))
        (v->form && !wants_more(v) ? save_rules : send_rules)(v);
}

void admin_page_app_rules(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_with_app(v, rules);
}

/* ---- in use or not --------------------------------------------------------------------------- */

static void on_switched(void *arg, const struct admin_answer *answer)
{
    admin_app_settle(arg, answer, "app-saved");
}

static void switch_it(struct request *rq, void *app, bool on)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (!v)
        return;
    struct jval *body = jval_new_object(), *changed = jval_new_object();
    jval_set(changed, "enabled", on ? jval_new_null() : jval_new_bool(false));
    jval_set(body, "settings", changed);
    admin_ask(v,
              &(struct admin_ask){
                  .op = admin_app_edit, .id = v->id, .body = body, .if_match = admin_version(v)},
              on_switched);
}

void admin_page_app_enable(struct request *rq, void *app)
{
    switch_it(rq, app, true);
}

void admin_page_app_disable(struct request *rq, void *app)
{
    switch_it(rq, app, false);
}

static void ask_delete(struct admin_visit *v)
{
    const char *label = show_text(v->provider, "label");
    if (read_only(v))
        return;
    admin_ask_back(v, &(const struct admin_question){
                          .question = arena_printf(v->a, "Delete %s?", label),
                          .consequence = "Its settings, rules and secrets are gone for good, and "
                                         "it gets no more tokens.",
                          .verb = "Delete the app",
                          .action = arena_printf(v->a, "%s/delete", admin_app_path(v)),
                          .back = admin_app_path(v),
                          .back_text = label,
                          .version = jval_get(v->provider, "version")});
}

static void on_deleted(void *arg, const struct admin_answer *answer)
{
    if (!admin_failed(arg, answer))
        admin_go(arg, "/admin/apps", "app-deleted");
}

void admin_page_app_delete(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && v->form)
        admin_ask(
            v,
            &(struct admin_ask){.op = admin_app_delete, .id = v->id, .if_match = admin_version(v)},
            on_deleted);
    else if (v)
        admin_with_app(v, ask_delete);
}
