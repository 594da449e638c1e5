/* SPDX-License-Identifier: Apache-2.0 */
#include "web/admin_page.h"

#include <string.h>

#include "sys/clock.h"

#define ERRORS_MAX 64

static const struct {
    const char *href, *text;
} nav[] = {
    {"/admin", "Overview"},    {"/admin/providers", "Providers"}, {"/admin/apps", "Apps"},
    {"/admin/users", "Users"}, {"/admin/roles", "Roles"},         {"/admin/tokens", "Tokens"},
    {"/admin/audit", "Audit"}, {"/admin/status", "Status"},
};

/* What was done, told on the page one is sent to. */
static const struct {
    const char *did, *text;
} notices[] = {
    {"added", "Added. Test it now, then rehearse a sign-in with it."},
    {"saved", "Saved. It counts from the next sign-in on."},
    {"enabled", "Enabled. It is on the sign-in page now."},
    {"disabled", "Disabled. It is gone from the sign-in page."},
    {"deleted", "The provider is deleted."},
    {"rotated", "The new secret is saved."},
    {"promoted", "That secret is in use now; the one before is kept as “retiring”."},
    {"dropped", "The secret is removed."},
    {"granted", "The account has the role, from its next click on."},
    {"taken", "The role is taken away, from the next click on."},
    {"role-saved", "Saved. It counts from the next click on of whoever has the role."},
    {"role-deleted", "The role is deleted. Nobody has it any more."},
    {"user-disabled", "The account is disabled. Nobody is signed in to it any more."},
    {"user-enabled", "The account is enabled. Its person can sign in again."},
    {"user-ended", "Signed out, from the next click on."},
    {"user-deleted", "The account is deleted, with everything."},
    {"ended", "The token is deleted. It is refused from now on."},
    {"app-added", "Added. It is in force."},
    {"app-saved", "Saved. It counts from the next click on."},
    {"app-deleted", "The app is deleted, with its secrets."},
    {"app-secret-ended", "The secret is ended. It is refused from now on."},
    {"reloaded", "The configuration was read again and is in force."},
    {"sealing", "There is a new key. Everything is being sealed with it in the background."},
    {"keys-published", "New keys are published. They sign from tomorrow on."},
    {"keys-sign", "New keys sign from now on. Those of before stay published for a day."},
    {"welcome", "Welcome. You may do everything for an hour; name the first admin before it ends."},
};

/* ---- who comes ------------------------------------------------------------------------------- */

static const char *here(struct request *rq, struct arena *a)
{
    const bool page = strcmp(request_method(rq), "POST") != 0;
    return page ? arena_dup(a, request_path(rq)) : "/admin";
}

static const char *sign_in_url(struct request *rq)
{
    struct arena *a = request_arena(rq);
    struct buf url;
    buf_init(&url, 4096);
    buf_text(&url, "/login?");
    form_add(&url, "return_to", here(rq, a));
    const char *text = buf_ok(&url) ? arena_dupn(a, url.p, url.n) : "/login?return_to=/admin";
    buf_deinit(&url);
    return text;
}

struct admin_visit *admin_visit(struct request *rq, void *app)
{
    struct err err = ERR_INIT;
    struct arena *a = request_arena(rq);
    struct admin_visit *v = arena_alloc(a, sizeof *v);
    *v = (struct admin_visit){.rq = rq, .app = app, .a = a};
    v->now = wall_seconds(clock_wall());
    v->id = arena_dup(a, request_rest(rq));
    const int known = caller_find(rq, app, &v->who, &err);
    if (known == 0) {
        reply_redirect(rq, sign_in_url(rq));
        return NULL;
    }
    if (known < 0) {
        v->who = (struct caller){.actor = {.kind = ""}};
        admin_sorry(v, ERR_NOT_ALLOWED, err.text);
        return NULL;
    }
    if (strcmp(request_method(rq), "POST") == 0 && (v->form = request_form(rq)) == NULL) {
        admin_sorry(v, ERR_INVALID, "This form came in a shape that no page of ours sends.");
        return NULL;
    }
    return v;
}

static void visit_end(struct admin_visit *v)
{
    jval_free(&v->provider);
    jval_free(&v->plugin);
    jval_free(&v->more);
}

/* ---- asking ---------------------------------------------------------------------------------- */

void admin_ask_for(struct admin_visit *v, const struct admin_ask *ask, admin_done_fn *done,
                   void *arg)
{
    const struct admin_request rq = {.id = ask->id,
                                     .sub = ask->sub,
                                     .body = ask->body,
                                     .query = ask->query,
                                     .if_match = ask->if_match,
                                     .bind = ask->bind,
                                     .actor = &v->who.actor};
    struct jval *body = ask->body; /* `ask` may be gone when the operation returns */
    request_hold(v->rq);
    ask->op(v->app->admin, &rq, done, arg);
    jval_free(&body);
}

void admin_ask(struct admin_visit *v, const struct admin_ask *ask, admin_done_fn *done)
{
    admin_ask_for(v, ask, done, v);
}

bool admin_keep_answer(struct admin_visit *v, const struct admin_answer *a, enum err_kind kind)
{
    if (a->err && a->err->kind == kind)
        return !admin_failed(v, a);
    if (a->err)
        admin_keep_errors(v, a);
    else
        v->more = jval_copy(a->body);
    return true;
}

const char *admin_error_of(const struct admin_visit *v, const char *field)
{
    for (size_t i = 0; i < v->n_errors; i++)
        if (strcmp(v->errors[i].field, field) == 0)
            return v->errors[i].text;
    return "";
}

struct admin_form admin_visit_form(const struct admin_visit *v)
{
    return (struct admin_form){.plugin = v->plugin,
                               .settings = jval_get(v->provider, "settings"),
                               .posted = v->form,
                               .errors = v->errors,
                               .n_errors = v->n_errors};
}

void admin_add_error(struct admin_visit *v, const char *field, const char *text)
{
    struct admin_field *all = arena_alloc(v->a, (v->n_errors + 1) * sizeof *all);
    if (v->n_errors)
        memcpy(all, v->errors, v->n_errors * sizeof *all);
    all[v->n_errors++] =
        (struct admin_field){arena_dup(v->a, field ? field : ""), arena_dup(v->a, text)};
    v->errors = all;
    if (v->refused == ERR_NONE)
        v->refused = ERR_INVALID;
}

const char *admin_sentence(const struct admin_visit *v, const char *text)
{
    const size_t n = strlen(text);
    if (n == 0)
        return text;
    const bool small = text[0] >= 'a' && text[0] <= 'z';
    return arena_printf(v->a, "%c%s%s", small ? text[0] - 'a' + 'A' : text[0], text + 1,
                        strchr(".!?", text[n - 1]) ? "" : ".");
}

/* "…; send force": on a page that is a box to tick, so the words go. */
static const char *without_remedy(struct admin_visit *v, const char *text)
{
    const struct str s = str_of(text);
    const bool force = str_ends(s, "send force"), adopt = str_ends(s, "send adopt");
    v->ask_force = v->ask_force || force;
    v->ask_adopt = v->ask_adopt || adopt;
    size_t n = s.n;
    while ((force || adopt) && n > 0 && text[n] != ';' && text[n] != ',')
        n--;
    return admin_sentence(v, n > 0 && n < s.n ? arena_dupn(v->a, text, n) : text);
}

void admin_keep_errors(struct admin_visit *v, const struct admin_answer *a)
{
    v->refused = a->err->kind;
    for (size_t i = 0; i < a->n_fields && i < ERRORS_MAX; i++)
        admin_add_error(v, a->fields[i].field, a->fields[i].text);
    if (a->n_fields == 0)
        admin_add_error(v, NULL, without_remedy(v, a->err->text));
}

void admin_set_errors(const struct admin_visit *v, struct jval *data)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < v->n_errors; i++) {
        struct jval *o = jval_new_object();
        jval_set(o, "href", jval_new_null());
        jval_set_text(o, "label", v->errors[i].field);
        jval_set_text(o, "text", v->errors[i].text);
        jval_push(list, o);
    }
    jval_set_bool(data, "has_errors", v->n_errors > 0);
    jval_set(data, "errors", list);
}

const char *admin_posted(const struct admin_visit *v, const char *name)
{
    const char *value;
    return v->form && form_get(v->form, name, &value) == 1 ? value : "";
}

const char *admin_queried(const struct admin_visit *v, const char *name)
{
    const char *value;
    const struct fields *query = request_query(v->rq);
    return query && form_get(query, name, &value) == 1 ? value : "";
}

/* ---- answering ------------------------------------------------------------------------------- */

struct jval *admin_data(const struct admin_visit *v)
{
    const unsigned may = v->who.actor.scopes;
    struct jval *data = jval_new_object();
    jval_set_bool(data, "can_write", (may & ADMIN_WRITE) != 0);
    jval_set_bool(data, "can_rotate", (may & ADMIN_SECRETS) != 0);
    jval_set_bool(data, "must_sign_in", v->who.stale);
    jval_set_text(data, "again", sign_in_url(v->rq));
    return data;
}

void admin_merge(struct jval *into, const struct jval *from)
{
    void *at = NULL;
    const char *key;
    const struct jval *value;
    while (jval_type(from) == JVAL_OBJECT && jval_next(from, &at, &key, &value))
        jval_set(into, key, jval_copy(value));
}

static void set_nav(const struct admin_visit *v, struct jval *data)
{
    const char *path = request_path(v->rq);
    if (str_starts(str_of(path), "/admin/add") || str_starts(str_of(path), "/admin/rehearsals/"))
        path = "/admin/providers";
    if (strcmp(path, "/admin/new-app") == 0)
        path = "/admin/apps";
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < sizeof nav / sizeof *nav; i++) {
        const size_t n = strlen(nav[i].href);
        const bool below = strcmp(nav[i].href, "/admin") != 0 &&
                           strncmp(path, nav[i].href, n) == 0 && (path[n] == 0 || path[n] == '/');
        struct jval *o = jval_new_object();
        jval_set_text(o, "href", nav[i].href);
        jval_set_text(o, "text", nav[i].text);
        jval_set_bool(o, "current", below || strcmp(path, nav[i].href) == 0);
        jval_push(list, o);
    }
    jval_set_bool(data, "has_nav", true);
    jval_set(data, "nav", list);
}

static void set_notice(const struct admin_visit *v, struct jval *data)
{
    const char *did = admin_queried(v, "did");
    for (size_t i = 0; i < sizeof notices / sizeof *notices; i++)
        if (strcmp(did, notices[i].did) == 0)
            jval_set_text(data, "notice", notices[i].text);
}

/* A page with something to copy, or to wait for, has one script of ours; none has pictures from
 * elsewhere. */
#define SCRIPT_CSP                                                                                 \
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src "        \
    "'none'; "                                                                                     \
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

void admin_send(struct admin_visit *v, int status, const char *name, const char *title,
                struct jval *data)
{
    if (v->who.actor.kind[0]) {
        const bool person = strcmp(v->who.actor.kind, "account") == 0;
        const bool temporary = strcmp(v->who.actor.kind, "operator") == 0;
        const char *called = v->who.actor.name;
        set_nav(v, data);
        set_notice(v, data);
        jval_set_text(data, "who",
                      temporary             ? "Operator, for an hour"
                      : called && called[0] ? called
                                            : "Signed in");
        jval_set_bool(data, "can_sign_out", person);
        jval_set_bool(data, "can_leave", temporary);
    }
    visit_end(v);
    bool script = false;
    if (jval_bool(jval_get(data, "script"), &script) && script)
        reply_header_static(v->rq, "Content-Security-Policy", SCRIPT_CSP);
    page_has_form(v->rq);
    page_send(v->rq, v->app, status, name, title, data);
}

void admin_go(struct admin_visit *v, const char *path, const char *did)
{
    const char *url = did ? arena_printf(v->a, "%s?did=%s", path, did) : path;
    visit_end(v);
    reply_redirect(v->rq, url);
}

/* ---- what went wrong ------------------------------------------------------------------------- */

static const struct words {
    enum err_kind kind;
    int status;
    const char *heading, *text;
} words[] = {
    {ERR_INTERNAL, 500, "Something broke on our side",
     "Nothing may have changed. Look, and try again; the log knows more under the reference "
     "below."},
    {ERR_INVALID, 400, "That did not work", "What was sent makes no sense here."},
    {ERR_MISCONFIGURED, 422, "The settings are not right", "Nothing was changed."},
    {ERR_NOT_ALLOWED, 403, "This is for admins",
     "You are signed in, but this account may not do that here."},
    {ERR_NOT_FOUND, 404, "There is no such thing", "It may have been deleted meanwhile."},
    {ERR_CONFLICT, 409, "That is not possible now", "Nothing was changed."},
    {ERR_STALE, 412, "Somebody else was here",
     "It was changed meanwhile, so nothing of yours was done. Look at it again, then decide."},
    {ERR_LIMITED, 429, "Too much at once", "Wait a little, then try again."},
    {ERR_UPSTREAM_DOWN, 502, "The provider does not answer", "It is slow or down at the moment."},
    {ERR_UPSTREAM_BAD, 502, "The provider gave a bad answer", "Nothing was changed."},
    {ERR_EXPIRED, 410, "That is over", "It took too long, or it was used already."},
};

static const struct words *words_of(enum err_kind kind)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].kind == kind)
            return &words[i];
    return &words[0];
}

int admin_status_of(const struct admin_visit *v)
{
    return v->refused == ERR_NONE ? 200 : words_of(v->refused)->status;
}

void admin_sorry(struct admin_visit *v, enum err_kind kind, const char *text)
{
    const struct words *w = words_of(kind);
    const bool again = kind == ERR_NOT_ALLOWED && v->who.stale;
    const bool known = v->who.actor.kind[0] != 0;
    struct jval *data = jval_new_object();
    const char *heading = again ? "Sign in again first" : w->heading;
    jval_set_text(data, "heading", heading);
    jval_set_text(data, "text",
                  again  ? "Secrets, tokens and admins are only changed by somebody who signed in "
                           "during the last half hour. What you typed was not kept."
                  : text ? text
                         : w->text);
    jval_set_text(data, "again", again ? sign_in_url(v->rq) : NULL);
    jval_set_text(data, "other",
                  !known && kind == ERR_NOT_ALLOWED
                      ? "/login?return_to=%2Fadmin&prompt=select_account"
                      : NULL);
    jval_set_text(data, "back", known ? "/admin" : "/");
    jval_set_text(data, "back_text", known ? "To the overview" : "To the start page");
    if (kind == ERR_LIMITED)
        reply_header_static(v->rq, "Retry-After", "10");
    admin_send(v, w->status, "admin-message", heading, data);
}

/* Words of the operation are for admins and hold no secret; what broke inside is for the log. */
bool admin_failed(struct admin_visit *v, const struct admin_answer *a)
{
    if (!a->err)
        return false;
    if (a->err->kind == ERR_INTERNAL)
        log_error(request_log(v->rq), LOG_ERROR, "admin.failed", a->err);
    const char *text = a->err->kind == ERR_INTERNAL ? NULL
                       : a->n_fields && a->fields[0].text
                           ? arena_printf(v->a, "%s: %s", a->fields[0].field, a->fields[0].text)
                           : admin_sentence(v, a->err->text);
    admin_sorry(v, a->err->kind, text);
    return true;
}
