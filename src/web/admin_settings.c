/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a provider: its settings, whether it is in use, and its end. Every form carries the
 * version it was made from; what somebody else did meanwhile is shown, never overwritten. */
#include <string.h>

#include "web/admin_form.h"
#include "web/admin_provider.h"
#include "web/admin_question.h"
#include "web/admin_view.h"

/* ---- settings -------------------------------------------------------------------------------- */

static void send_settings(struct admin_visit *v)
{
    const struct admin_form form = admin_visit_form(v);
    const char *label = show_text(v->provider, "label");
    struct jval *data = admin_data(v), *fields;
    if (!v->plugin) {
        jval_free(&data);
        admin_sorry(v, ERR_CONFLICT, "Its plugin does not load, so nobody knows its settings.");
        return;
    }
    fields = admin_form_view(&form);
    admin_merge(data, fields);
    jval_free(&fields);
    if (v->refused == ERR_STALE) { /* said in words of its own */
        jval_set_bool(data, "has_errors", false);
        jval_set_bool(data, "stale", true);
        jval_set(data, "theirs",
                 show_settings(jval_get(v->provider, "settings"), jval_get(v->plugin, "settings")));
    }
    jval_set_bool(data, "ask_adopt", v->ask_adopt);
    jval_set_text(data, "id", v->id);
    jval_set_text(data, "label", label);
    jval_set(data, "version", jval_copy(jval_get(v->provider, "version")));
    admin_send(v, admin_status_of(v), "admin-settings", arena_printf(v->a, "Settings of %s", label),
               data);
}

static void on_saved(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err) {
        admin_go(v, admin_provider_path(v), "saved");
        return;
    }
    if (answer->err->kind != ERR_MISCONFIGURED && answer->err->kind != ERR_INVALID &&
        answer->err->kind != ERR_STALE && answer->err->kind != ERR_CONFLICT) {
        (void)admin_failed(v, answer);
        return;
    }
    admin_keep_errors(v, answer);
    admin_with_provider(v, send_settings); /* with the version of now */
}

static void save_settings(struct admin_visit *v)
{
    struct err err = ERR_INIT;
    const struct admin_form form = admin_visit_form(v);
    struct jval *settings = v->plugin ? admin_form_settings(&form, &err) : NULL, *body;
    if (!settings) {
        admin_sorry(v, ERR_INVALID, err.text[0] ? arena_dup(v->a, err.text) : NULL);
        return;
    }
    body = jval_new_object();
    jval_set(body, "settings", settings);
    admin_ask(
        v,
        &(struct admin_ask){
            .op = admin_provider_edit, .id = v->id, .body = body, .if_match = admin_version(v)},
        on_saved);
}

void admin_page_settings(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_with_provider(v, v->form ? save_settings : send_settings);
}

/* ---- in use or not --------------------------------------------------------------------------- */

struct question {
    const char *verb; /* "Delete" */
    const char *path; /* "delete" */
    const char *consequence;
};
static const struct question delete_it = {
    "Delete", "delete",
    "Nobody can sign in with it any more, and its settings and secrets are gone for good. Accounts "
    "stay, with what is known of them."};
static const struct question disable_it = {
    "Disable", "disable", "Nobody can sign in with it until it is enabled again. Accounts stay."};

static void ask_back(struct admin_visit *v, const struct question *q)
{
    const char *label = show_text(v->provider, "label");
    const char *verb = arena_printf(v->a, "%s %s", q->verb, label);
    admin_ask_back(v, &(const struct admin_question){
                          .question = arena_printf(v->a, "%s?", verb),
                          .consequence = q->consequence,
                          .verb = verb,
                          .action = arena_printf(v->a, "/admin/providers/%s/%s", v->id, q->path),
                          .back = admin_provider_path(v),
                          .back_text = label,
                          .version = jval_get(v->provider, "version")});
}

static void ask_delete(struct admin_visit *v)
{
    ask_back(v, &delete_it);
}

static void ask_disable(struct admin_visit *v)
{
    ask_back(v, &disable_it);
}

static bool kept_for_question(struct admin_visit *v, const struct admin_answer *answer)
{
    if (answer->err->kind != ERR_CONFLICT && answer->err->kind != ERR_STALE) {
        (void)admin_failed(v, answer);
        return false;
    }
    admin_keep_errors(v, answer);
    return true;
}

static void on_deleted(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err)
        admin_go(v, "/admin/providers", "deleted");
    else if (kept_for_question(v, answer))
        admin_with_provider(v, ask_delete);
}

void admin_page_delete(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (!v)
        return;
    if (!v->form) {
        admin_with_provider(v, ask_delete);
        return;
    }
    admin_ask(v,
              &(struct admin_ask){.op = admin_provider_delete,
                                  .id = v->id,
                                  .body = admin_question_said(v),
                                  .if_match = admin_version(v)},
              on_deleted);
}

static void on_disabled(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err)
        admin_go(v, admin_provider_path(v), "disabled");
    else if (kept_for_question(v, answer))
        admin_with_provider(v, ask_disable);
}

static void on_enabled(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err) {
        admin_go(v, admin_provider_path(v), "enabled");
        return;
    }
    admin_keep_errors(v, answer);
    admin_provider_page(v);
}

static void switch_it(struct request *rq, void *app, bool on)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (!v)
        return;
    struct jval *body = on ? jval_new_object() : admin_question_said(v);
    struct jval *settings = jval_new_object();
    jval_set(settings, "enabled", on ? jval_new_null() : jval_new_bool(false));
    jval_set(body, "settings", settings);
    admin_ask(
        v,
        &(struct admin_ask){
            .op = admin_provider_edit, .id = v->id, .body = body, .if_match = admin_version(v)},
        on ? on_enabled : on_disabled);
}

void admin_page_enable(struct request *rq, void *app)
{
    switch_it(rq, app, true);
}

void admin_page_disable(struct request *rq, void *app)
{
    switch_it(rq, app, false);
}
