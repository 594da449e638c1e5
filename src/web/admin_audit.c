/* SPDX-License-Identifier: Apache-2.0 */
/* Who did what: a page of the audit, newest first. */
#include <string.h>

#include "web/admin_page.h"
#include "web/admin_view.h"

#define ENTRIES "50"

static const char *const filters[] = {"account",  "actor", "action", "object",
                                      "provider", "app",   "ip",     "outcome"};
#define FILTERS (sizeof filters / sizeof *filters)

/* What is there besides, as a list of names and texts. */
static struct jval *more_of(const struct jval *one)
{
    static const struct {
        const char *key, *name;
    } all[] = {{"provider", "Provider"},
               {"app", "App"},
               {"user_agent", "Browser"},
               {"actor", "Id"},
               {"request_id", "Request"}};
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!show_text(one, all[i].key)[0])
            continue;
        struct jval *o = jval_new_object();
        jval_set_text(o, "name", all[i].name);
        jval_set_text(o, "text", show_text(one, all[i].key));
        jval_push(list, o);
    }
    return list;
}

static struct jval *entry_view(const struct admin_visit *v, const struct jval *one)
{
    const char *name = show_text(one, "actor_name"), *kind = show_text(one, "actor_kind");
    const char *actor = show_text(one, "actor"), *ip = show_text(one, "ip");
    const char *outcome = show_text(one, "outcome");
    struct jval *o = jval_new_object(), *changes;
    changes = show_changes(jval_get(one, "before"), jval_get(one, "after"), v->a);
    jval_set(o, "when", show_when(show_int(one, "at", -1), v->now, v->a));
    jval_set_text(o, "who", name[0] ? name : actor[0] ? actor : kind);
    jval_set_text(o, "from", ip[0] ? arena_printf(v->a, "%s, %s", kind, ip) : kind);
    jval_set_text(o, "action", show_text(one, "action"));
    jval_set_text(o, "object", show_text(one, "object"));
    jval_set_text(o, "outcome", outcome);
    jval_set_text(o, "tone", strcmp(outcome, "done") == 0 ? "good" : "bad");
    jval_set_text(o, "reason", show_text(one, "reason"));
    jval_set_bool(o, "has_changes", jval_count(changes) > 0);
    jval_set(o, "changes", changes);
    struct jval *more = more_of(one);
    jval_set_bool(o, "has_more", jval_count(more) > 0);
    jval_set(o, "more", more);
    return o;
}

/* The address of a page with the same filter; before < 0: the newest. */
static const char *page_url(const struct admin_visit *v, int64_t before)
{
    struct buf url;
    buf_init(&url, 4096);
    buf_text(&url, "/admin/audit?");
    for (size_t i = 0; i < FILTERS; i++)
        if (admin_queried(v, filters[i])[0])
            form_add(&url, filters[i], admin_queried(v, filters[i]));
    if (before >= 0)
        form_add(&url, "before", arena_printf(v->a, "%lld", (long long)before));
    const char *text = buf_ok(&url) ? arena_dupn(v->a, url.p, url.n) : "/admin/audit";
    buf_deinit(&url);
    return text;
}

static void set_pages(const struct admin_visit *v, const struct jval *body, struct jval *data)
{
    const int64_t next = show_int(body, "next", -1);
    const bool later = admin_queried(v, "before")[0] != 0;
    jval_set_text(data, "older", next >= 0 ? page_url(v, next) : NULL);
    jval_set_text(data, "first", later ? page_url(v, -1) : NULL);
    jval_set_bool(data, "has_pages", next >= 0 || later);
}

/* For the filter; what was asked for besides these is an error that the page shows. */
static struct jval *outcomes_of(const struct admin_visit *v)
{
    static const char *const words[] = {"done", "refused", "failed"};
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct jval *o = jval_new_object();
        jval_set_text(o, "word", words[i]);
        jval_set_bool(o, "chosen", strcmp(admin_queried(v, "outcome"), words[i]) == 0);
        jval_push(list, o);
    }
    return list;
}

static void on_list(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    struct jval *data = admin_data(v), *list = jval_new_array();
    bool filtered = false;
    if (answer->err && answer->err->kind != ERR_INVALID) {
        jval_free(&data);
        jval_free(&list);
        (void)admin_failed(v, answer);
        return;
    }
    if (answer->err)
        admin_keep_errors(v, answer);
    const struct jval *entries = jval_get(answer->body, "audit");
    for (size_t i = 0; i < jval_count(entries); i++)
        jval_push(list, entry_view(v, jval_item(entries, i)));
    for (size_t i = 0; i < FILTERS; i++) {
        const char *value = admin_queried(v, filters[i]);
        jval_set_text(data, arena_printf(v->a, "f_%s", filters[i]), value);
        filtered = filtered || value[0];
    }
    jval_set_bool(data, "filtered", filtered);
    jval_set(data, "outcomes", outcomes_of(v));
    jval_set_bool(data, "has_entries", jval_count(list) > 0);
    jval_set(data, "entries", list);
    set_pages(v, answer->body, data);
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-audit", "Audit", data);
}

void admin_page_audit(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (!v)
        return;
    struct field *f = arena_alloc(v->a, (FILTERS + 2) * sizeof *f);
    size_t n = 0;
    f[n++] = (struct field){.name = "limit", .value = ENTRIES, .name_len = 5, .value_len = 2};
    for (size_t i = 0; i <= FILTERS; i++) {
        const char *name = i < FILTERS ? filters[i] : "before", *value = admin_queried(v, name);
        if (value[0]) /* an empty field of the form filters nothing */
            f[n++] = (struct field){name, value, strlen(name), strlen(value)};
    }
    struct fields *query = arena_alloc(v->a, sizeof *query);
    *query = (struct fields){f, n};
    admin_ask(v, &(struct admin_ask){.op = admin_audit_list, .query = query}, on_list);
}
