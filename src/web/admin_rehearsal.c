/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole sign-in that creates nothing. Where it leads is a link and no redirect: browsers hold a
 * redirect that answers a form to the form's policy, which knows no other hosts. The report is for
 * whoever began it.
 */
#include <string.h>

#include "base/url.h"
#include "web/admin_rehearsal.h"
#include "web/admin_view.h"

/* ---- the way out ----------------------------------------------------------------------------- */

static const char *host_of(const struct admin_visit *v, const char *url)
{
    struct err err = ERR_INIT;
    struct url u;
    return url_parse(v->a, str_of(url), &u, &err) == 0 ? u.host : "the provider";
}

void admin_rehearsal_begun(struct admin_visit *v, const struct jval *answer, const char *label,
                           const char *back)
{
    const char *url = jval_text(jval_get(answer, "url"));
    const char *report = arena_printf(v->a, "/admin/rehearsals/%s", show_text(answer, "id"));
    if (!url) { /* it failed before anybody could go there; the report says how */
        admin_go(v, report, NULL);
        return;
    }
    struct jval *data = admin_data(v);
    jval_set_text(data, "label", label);
    jval_set_text(data, "back", back);
    jval_set_text(data, "host", host_of(v, url));
    jval_set_text(data, "url", url);
    admin_send(v, 200, "admin-rehearse", arena_printf(v->a, "Rehearsal of %s", label), data);
}

static void on_begun(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (answer->err && answer->err->kind == ERR_MISCONFIGURED) {
        admin_keep_errors(v, answer);
        admin_provider_page(v);
    } else if (!admin_failed(v, answer)) {
        const struct provider *p = registry_find(v->app->registry, v->id);
        admin_rehearsal_begun(v, answer->body, p ? p->label : v->id, admin_provider_path(v));
    }
}

void admin_page_rehearse(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v,
                  &(struct admin_ask){
                      .op = admin_provider_rehearse, .id = v->id, .bind = web_bind(rq, app)},
                  on_begun);
}

/* ---- the report ------------------------------------------------------------------------------ */

static void push_part(const struct admin_visit *v, struct jval *parts, const char *title,
                      const struct jval *what)
{
    struct jval *o = jval_new_object(), *values = jval_new_array();
    show_flatten(what, values, v->a);
    jval_set_text(o, "title", title);
    jval_set(o, "lead", jval_new_null());
    jval_set_bool(o, "has_values", jval_count(values) > 0);
    jval_set(o, "values", values);
    jval_push(parts, o);
}

static struct jval *parts_of(const struct admin_visit *v, const struct jval *report)
{
    const struct jval *claims = jval_get(report, "claims");
    struct jval *parts = jval_new_array();
    if (jval_type(jval_get(report, "identity")) == JVAL_OBJECT)
        push_part(v, parts, "Who usher takes it to be", jval_get(report, "identity"));
    for (size_t i = 0; i < jval_count(claims); i++) {
        const struct jval *one = jval_item(claims, i);
        const char *source = show_text(one, "source");
        const bool token = strcmp(source, "id_token") == 0;
        push_part(v, parts,
                  token ? "Claims of the ID token"
                        : arena_printf(v->a, "What the provider said: %s", source),
                  jval_get(one, "claims"));
    }
    return parts;
}

/* "200, application/json, 321 bytes, 12 ms", or what went wrong. */
static const char *answer_text(const struct jval *one, struct arena *a)
{
    const char *problem = show_text(one, "problem"), *type = show_text(one, "content_type");
    const long long status = show_int(one, "status", 0), size = show_int(one, "size", -1);
    const long long ms = show_int(one, "ms", -1);
    if (problem[0])
        return problem;
    if (status == 0)
        return "by the browser";
    const char *text = arena_printf(a, "%lld", status);
    if (type[0])
        text = arena_printf(a, "%s, %s", text, type);
    if (size >= 0)
        text = arena_printf(a, "%s, %lld bytes", text, size);
    return ms >= 0 ? arena_printf(a, "%s, %lld ms", text, ms) : text;
}

static struct jval *requests_of(const struct admin_visit *v, const struct jval *report)
{
    static const char *const sent[] = {"query", "headers", "form"};
    const struct jval *requests = jval_get(report, "requests");
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < jval_count(requests); i++) {
        const struct jval *one = jval_item(requests, i);
        struct jval *o = jval_new_object(), *values = jval_new_array();
        for (size_t k = 0; k < sizeof sent / sizeof *sent; k++)
            show_pairs(jval_get(one, sent[k]), values, v->a);
        jval_set_text(o, "step", show_text(one, "step"));
        jval_set_text(o, "method", show_text(one, "method"));
        jval_set_text(o, "url", show_text(one, "url"));
        jval_set_text(o, "answer", answer_text(one, v->a));
        jval_set_bool(o, "has_sent", jval_count(values) > 0);
        jval_set(o, "sent", values);
        jval_push(list, o);
    }
    return list;
}

/* "Wiki: open; Shop: not open, what is required is not there" */
static const char *rules_text(const struct jval *rules, struct arena *a)
{
    const char *text = "";
    for (size_t i = 0; i < jval_count(rules); i++) {
        const struct jval *r = jval_item(rules, i);
        const bool open = strcmp(show_text(r, "verdict"), "allow") == 0;
        text = arena_printf(a, "%s%s%s: %s%s", text, i ? "; " : "", show_text(r, "label"),
                            open ? "open" : "not open, ", open ? "" : show_text(r, "reason"));
    }
    return *text ? text : "There are no apps with rules.";
}

static void set_outcome(const struct admin_visit *v, const struct jval *report, struct jval *data)
{
    const struct jval *linking = jval_get(report, "linking");
    const struct jval *rules = jval_get(report, "rules");
    const char *account = show_text(linking, "account");
    jval_set_bool(data, "has_outcome", jval_type(linking) == JVAL_OBJECT);
    jval_set_text(data, "linking", show_text(linking, "text"));
    jval_set_text(data, "account", account);
    jval_set_text(data, "evidence", show_text(jval_get(report, "email_evidence"), "text"));
    jval_set_text(data, "rules", rules_text(rules, v->a));
    jval_set_text(data, "failure", show_text(jval_get(report, "failure"), "text"));
    jval_set_text(data, "advice", show_advice(show_text(jval_get(report, "failure"), "kind")));
}

static void set_state(const struct jval *report, struct jval *data)
{
    static const struct {
        const char *state, *word, *tone;
        bool waiting;
    } words[] = {
        {"starting", "Beginning", "plain", true}, {"waiting", "Under way", "plain", true},
        {"running", "Under way", "plain", true},  {"done", "It would have worked", "good", false},
        {"failed", "It failed", "bad", false},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].state, show_text(report, "state")) == 0) {
            jval_set_text(data, "word", words[i].word);
            jval_set_text(data, "tone", words[i].tone);
            jval_set_bool(data, "waiting", words[i].waiting);
        }
}

static void on_report(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (answer->err && answer->err->kind == ERR_NOT_FOUND) {
        admin_sorry(v, ERR_NOT_FOUND,
                    "A report is kept for ten minutes, for the one who began the rehearsal.");
        return;
    }
    if (admin_failed(v, answer))
        return;
    const struct jval *report = answer->body;
    const char *id = arena_dup(v->a, show_text(report, "provider"));
    const struct provider *p = registry_find(v->app->registry, id);
    const char *label = p ? arena_dup(v->a, p->label) : id;
    struct jval *data = admin_data(v), *requests = requests_of(v, report);
    jval_set_text(data, "label", label);
    jval_set_text(data, "provider", id);
    jval_set_bool(data, "saved", p != NULL);
    jval_set_text(data, "back",
                  p ? arena_printf(v->a, "/admin/providers/%s", id) : "/admin/providers");
    jval_set_text(data, "self", request_path(v->rq));
    set_state(report, data);
    set_outcome(v, report, data);
    jval_set(data, "parts", parts_of(v, report));
    jval_set_bool(data, "has_requests", jval_count(requests) > 0);
    jval_set(data, "requests", requests);
    admin_send(v, 200, "admin-rehearsal", arena_printf(v->a, "Rehearsal of %s", label), data);
}

void admin_page_rehearsal(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_rehearsal_show, .id = v->id}, on_report);
}
