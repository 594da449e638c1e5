/* SPDX-License-Identifier: Apache-2.0 */
/* Who there is: the list with its search, and the page of one account. */
#include "web/admin_user.h"

#include <string.h>

#include "web/admin_view.h"
#include "web/device.h"

#define ENTRIES "50"
#define HISTORY "10"

static const char *const filters[] = {"search", "provider", "role", "disabled"};
#define FILTERS (sizeof filters / sizeof *filters)

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static const char *label_of(const struct admin_visit *v, const char *id)
{
    const struct provider *p = registry_find(v->app->registry, id);
    return p ? p->label : id;
}

const char *admin_user_name(const struct jval *user)
{
    const char *name = show_text(user, "name");
    if (name[0] == 0)
        name = show_text(user, "username");
    return name[0] ? name : "Without a name";
}

bool admin_user_self(const struct admin_visit *v, const char *account)
{
    return strcmp(v->who.actor.kind, "account") == 0 && strcmp(v->who.actor.id, account) == 0;
}

/* ---- the list -------------------------------------------------------------------------------- */

static struct jval *row_view(const struct admin_visit *v, const struct jval *one)
{
    const struct jval *providers = jval_get(one, "providers");
    const char *labels = "";
    struct jval *o = jval_new_object();
    for (size_t i = 0; i < jval_count(providers); i++)
        labels = arena_printf(v->a, "%s%s%s", labels, i ? ", " : "",
                              label_of(v, jval_text(jval_item(providers, i))));
    jval_set_text(o, "id", show_text(one, "id"));
    jval_set_text(o, "name", admin_user_name(one));
    jval_set_text(o, "email", or_null(show_text(one, "email")));
    jval_set_text(o, "providers", labels);
    jval_set(o, "seen", show_when(show_int(one, "last_seen", -1), v->now, v->a));
    jval_set_text(o, "roles", or_null(show_list(jval_get(one, "roles"), v->a)));
    jval_set_bool(o, "disabled", show_bool(one, "disabled"));
    jval_set_bool(o, "self", admin_user_self(v, show_text(one, "id")));
    return o;
}

/* The address of a page with the same filter; after NULL: the first. */
static const char *page_url(const struct admin_visit *v, const char *after)
{
    struct buf url;
    buf_init(&url, 4096);
    buf_text(&url, "/admin/users?");
    for (size_t i = 0; i < FILTERS; i++)
        if (admin_queried(v, filters[i])[0])
            form_add(&url, filters[i], admin_queried(v, filters[i]));
    if (after)
        form_add(&url, "after", after);
    const char *text = buf_ok(&url) ? arena_dupn(v->a, url.p, url.n) : "/admin/users";
    buf_deinit(&url);
    return text;
}

static void on_list(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (answer->err && answer->err->kind != ERR_INVALID) {
        (void)admin_failed(v, answer);
        return;
    }
    if (answer->err)
        admin_keep_errors(v, answer);
    struct jval *data = admin_data(v), *list = jval_new_array();
    const struct jval *users = jval_get(answer->body, "users");
    const char *next = jval_text(jval_get(answer->body, "next"));
    const bool later = admin_queried(v, "after")[0] != 0;
    bool filtered = false;
    for (size_t i = 0; i < jval_count(users); i++)
        jval_push(list, row_view(v, jval_item(users, i)));
    for (size_t i = 0; i < FILTERS; i++) {
        const char *value = admin_queried(v, filters[i]);
        jval_set_text(data, arena_printf(v->a, "f_%s", filters[i]), or_null(value));
        filtered = filtered || value[0];
    }
    jval_set_bool(data, "filtered", filtered);
    jval_set_bool(data, "has_users", jval_count(list) > 0);
    jval_set(data, "users", list);
    jval_set_text(data, "more_url", next ? page_url(v, next) : NULL);
    jval_set_text(data, "first", later ? page_url(v, NULL) : NULL);
    jval_set_bool(data, "has_pages", next || later);
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-users", "Users", data);
}

static struct field field_of(const char *name, const char *value)
{
    return (struct field){name, value, strlen(name), strlen(value)};
}

void admin_page_users(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (!v)
        return;
    struct field *f = arena_alloc(v->a, (FILTERS + 2) * sizeof *f);
    struct fields query = {f, 0};
    for (size_t i = 0; i < FILTERS; i++)
        if (admin_queried(v, filters[i])[0])
            f[query.n++] = field_of(filters[i], admin_queried(v, filters[i]));
    if (admin_queried(v, "after")[0])
        f[query.n++] = field_of("after", admin_queried(v, "after"));
    f[query.n++] = field_of("limit", ENTRIES);
    admin_ask(v, &(struct admin_ask){.op = admin_user_list, .query = &query}, on_list);
}

/* ---- one of them ----------------------------------------------------------------------------- */

/* docs/accounts.md says what each is good for. */
static const char *evidence_words(const char *name)
{
    static const struct {
        const char *name, *words;
    } all[] = {
        {"provider_asserted", "verified, says the provider"},
        {"primary_verified", "primary address, verified"},
        {"xms_edov", "owner of the domain verified"},
        {"authoritative", "the provider runs the mailbox"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(name, all[i].name) == 0)
            return all[i].words;
    return "not verified";
}

static struct jval *identity_view(const struct admin_visit *v, const struct jval *one)
{
    const char *name = show_text(one, "name"), *username = show_text(one, "username");
    const int64_t linked = show_int(one, "linked", -1);
    struct jval *o = jval_new_object();
    jval_set_text(o, "provider", label_of(v, show_text(one, "provider")));
    jval_set_text(o, "subject", show_text(one, "subject"));
    jval_set_text(o, "called", name[0] ? name : username);
    jval_set_text(o, "username", name[0] ? show_username(name, username) : NULL);
    jval_set_text(o, "email", or_null(show_text(one, "email")));
    jval_set_text(o, "evidence", evidence_words(show_text(one, "email_evidence")));
    jval_set_text(o, "groups", or_null(show_list(jval_get(one, "groups"), v->a)));
    jval_set(o, "since",
             show_when(linked >= 0 ? linked : show_int(one, "first_seen", -1), v->now, v->a));
    jval_set(o, "seen", show_when(show_int(one, "last_seen", -1), v->now, v->a));
    return o;
}

static struct jval *session_view_of(const struct admin_visit *v, const struct jval *one)
{
    const char *device = device_text(show_text(one, "user_agent"), v->a);
    struct jval *o = jval_new_object();
    jval_set_text(o, "account", v->id);
    jval_set_text(o, "session", show_text(one, "id"));
    jval_set_text(o, "device", device ? device : "Unknown device");
    jval_set_text(o, "address", show_text(one, "ip"));
    jval_set_text(o, "provider", label_of(v, show_text(one, "provider")));
    jval_set(o, "created", show_when(show_int(one, "created", -1), v->now, v->a));
    jval_set(o, "seen", show_when(show_int(one, "seen", -1), v->now, v->a));
    return o;
}

static struct jval *past_view(const struct admin_visit *v, const struct jval *one)
{
    const char *kind = show_text(one, "actor_kind"), *name = show_text(one, "actor_name");
    const char *actor = show_text(one, "actor"), *outcome = show_text(one, "outcome");
    const char *ip = show_text(one, "ip");
    struct jval *o = jval_new_object();
    jval_set(o, "when", show_when(show_int(one, "at", -1), v->now, v->a));
    jval_set_text(o, "action", show_text(one, "action"));
    jval_set_text(o, "who", name[0] ? name : actor[0] ? actor : kind);
    jval_set_text(o, "from", ip[0] ? arena_printf(v->a, "%s, %s", kind, ip) : kind);
    jval_set_text(o, "outcome", outcome);
    jval_set_text(o, "tone", strcmp(outcome, "done") == 0 ? "good" : "bad");
    return o;
}

typedef struct jval *view_fn(const struct admin_visit *v, const struct jval *one);

/* "sessions" and "has_sessions". */
static void set_list(const struct admin_visit *v, struct jval *data, const char *name,
                     const struct jval *from, view_fn *view)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < jval_count(from); i++)
        jval_push(list, view(v, jval_item(from, i)));
    jval_set_bool(data, arena_printf(v->a, "has_%s", name), jval_count(list) > 0);
    jval_set(data, name, list);
}

static struct jval *role_view(const struct admin_visit *v, const char *role)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "role", role);
    jval_set_text(o, "account", v->id);
    return o;
}

static bool has_role(const struct jval *roles, const char *name)
{
    for (size_t i = 0; i < jval_count(roles); i++)
        if (strcmp(jval_text(jval_item(roles, i)), name) == 0)
            return true;
    return false;
}

/* Those the account has, and those it could be given. */
static void set_roles(const struct admin_visit *v, struct jval *data)
{
    const struct jval *mine = jval_get(v->more, "roles"), *all = jval_get(v->plugin, "roles");
    struct jval *roles = jval_new_array(), *others = jval_new_array();
    for (size_t i = 0; i < jval_count(mine); i++)
        jval_push(roles, role_view(v, jval_text(jval_item(mine, i))));
    for (size_t i = 0; i < jval_count(all); i++) {
        const char *name = show_text(jval_item(all, i), "name");
        if (!has_role(mine, name))
            jval_push(others, role_view(v, name));
    }
    jval_set_bool(data, "has_roles", jval_count(roles) > 0);
    jval_set_bool(data, "has_others", jval_count(others) > 0);
    jval_set(data, "roles", roles);
    jval_set(data, "others", others);
    jval_set_text(data, "permissions", or_null(show_list(jval_get(v->more, "permissions"), v->a)));
}

static void on_past(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    struct jval *data = admin_data(v);
    const char *name = arena_dup(v->a, admin_user_name(v->more));
    jval_set_text(data, "id", v->id);
    jval_set_text(data, "name", name);
    jval_set_text(data, "email", or_null(show_text(v->more, "email")));
    jval_set_bool(data, "self", admin_user_self(v, v->id));
    jval_set_bool(data, "disabled", show_bool(v->more, "disabled"));
    jval_set(data, "until", show_when(show_int(v->more, "disabled_until", -1), v->now, v->a));
    jval_set_text(data, "reason", or_null(show_text(v->more, "disabled_reason")));
    set_list(v, data, "sessions", jval_get(v->more, "sessions"), session_view_of);
    set_list(v, data, "identities", jval_get(v->more, "identities"), identity_view);
    set_list(v, data, "past", jval_get(answer->body, "audit"), past_view);
    set_roles(v, data);
    jval_set_text(data, "f_reason", admin_posted(v, "reason"));
    jval_set_text(data, "f_until", admin_posted(v, "until"));
    jval_set_bool(data, "ask_force", v->ask_force);
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-user", name, data);
}

static void on_roles(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    v->plugin = jval_copy(answer->body);
    const struct field f[] = {field_of("account", v->id), field_of("limit", HISTORY)};
    const struct fields query = {f, 2};
    admin_ask(v, &(struct admin_ask){.op = admin_audit_list, .query = &query}, on_past);
}

static void on_user(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    v->more = jval_copy(answer->body);
    admin_ask(v, &(struct admin_ask){.op = admin_role_list}, on_roles);
}

void admin_user_page(struct admin_visit *v)
{
    admin_ask(v, &(struct admin_ask){.op = admin_user_show, .id = v->id}, on_user);
}

void admin_page_user(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_user_page(v);
}
