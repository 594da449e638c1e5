/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/request.h"

#include "app/client.h"

#define URI_MAX 2048
#define STATE_LEN_MAX 4096
#define NONCE_MAX 1024
#define HINT_MAX 1024
#define TOKEN_HINT_MAX 8192
#define CLAIMS_MAX 8192
#define CLAIMS_DEPTH 6
#define SCOPE_MAX 2048
#define RESOURCES_MAX 8
#define CHALLENGE_LEN 43 /* base64url of a SHA-256: RFC 7636 section 4.2 */
#define AGE_MAX 1000000000

/* One request as it is read. */
struct reading {
    struct arena *a;
    const struct fields *f;
    struct issuer_request *rq;
    struct issuer_problem *why;
};

static int wrong(struct reading *r, const char *error, const char *description)
{
    *r->why = (struct issuer_problem){.error = error, .description = description};
    return -1;
}

static int wrong_page(struct reading *r, const char *description)
{
    wrong(r, "invalid_request", description);
    r->why->page = true;
    return -1;
}

/* The value; NULL: absent or empty, which are alike (RFC 6749 section 3.1). */
static const char *get(const struct reading *r, const char *name)
{
    const char *value;
    return form_get(r->f, name, &value) == 1 && value[0] ? value : NULL;
}

/* Something that is only passed on or that we may do without: too long is as if absent. */
static const char *hint(const struct reading *r, const char *name, size_t max)
{
    const char *value = get(r, name);
    return value && strlen(value) <= max ? value : NULL;
}

/* ---- where to ---------------------------------------------------------------------------------
 */

/* Where the port begins in "http://127.0.0.1…" or "http://[::1]…", and where what follows it does;
 * false: no such address. localhost is a name, which may be resolved by anybody. */
static bool loopback(const char *uri, size_t *host, size_t *rest)
{
    static const char *const origins[] = {"http://127.0.0.1", "http://[::1]"};
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        const size_t n = strlen(origins[i]);
        if (strncmp(uri, origins[i], n) != 0)
            continue;
        const char *p = uri + n;
        if (*p == ':')
            p += 1 + strspn(p + 1, "0123456789");
        *host = n;
        *rest = (size_t)(p - uri);
        return *p == '/' || *p == '\0' || *p == '?';
    }
    return false;
}

static bool differs_by_port(const char *registered, const char *uri)
{
    size_t host, rest, uri_host, uri_rest;
    return loopback(registered, &host, &rest) && loopback(uri, &uri_host, &uri_rest) &&
           host == uri_host && strncmp(registered, uri, host) == 0 &&
           strcmp(registered + rest, uri + uri_rest) == 0;
}

bool issuer_request_redirect_fits(const struct app *app, const char *uri)
{
    const char *const *list = app->common.redirect_uris;
    if (client_lists(list, str_of(uri)))
        return true;
    for (; client_is_public(&app->common) && list && *list; list++)
        if (differs_by_port(*list, uri))
            return true;
    return false;
}

static int read_redirect(struct reading *r)
{
    const struct app *app = r->rq->app;
    const char *const *list = app->common.redirect_uris;
    const char *uri = NULL;
    const int n = form_get(r->f, "redirect_uri", &uri);
    if (n < 0)
        return wrong_page(r, "redirect_uri came more than once");
    if (n == 0 && list && list[0] && !list[1]) {
        r->rq->redirect_uri = list[0];
        return 0;
    }
    if (n == 0)
        return wrong_page(r, "redirect_uri is missing");
    if (strlen(uri) > URI_MAX || !text_printable(str_of(uri)) ||
        !issuer_request_redirect_fits(app, uri))
        return wrong_page(r, "redirect_uri is none that this app registered");
    r->rq->redirect_uri = uri;
    r->rq->redirect_given = true;
    return 0;
}

/* How the answer travels, which errors need as well. */
static int read_manner(struct reading *r)
{
    const char *state, *mode;
    const int states = form_get(r->f, "state", &state);
    const int modes = form_get(r->f, "response_mode", &mode);
    if (modes == 1 && strcmp(mode, "form_post") == 0)
        r->rq->form_post = true;
    if (states == 1 && strlen(state) <= STATE_LEN_MAX)
        r->rq->state = state;
    if (states < 0 || modes < 0)
        return wrong(r, "invalid_request", "state or response_mode came more than once");
    if (states == 1 && !r->rq->state)
        return wrong(r, "invalid_request", "state is too long");
    if (modes == 1 && !r->rq->form_post && mode[0] && strcmp(mode, "query") != 0)
        return wrong(r, "invalid_request", "response_mode must be query or form_post");
    return 0;
}

/* ---- what for ---------------------------------------------------------------------------------
 */

/* Those that must not come twice; resource may (RFC 8707), and what nobody knows is not looked at.
 */
static int read_once(struct reading *r)
{
    static const char *const names[] = {
        "response_type", "scope",         "nonce",       "code_challenge", "code_challenge_method",
        "prompt",        "max_age",       "login_hint",  "ui_locales",     "acr_values",
        "claims",        "request",       "request_uri", "id_token_hint",  "display",
        "client_id",     "claims_locales"};
    const char *ignored;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (form_get(r->f, names[i], &ignored) < 0)
            return wrong(r, "invalid_request", "a parameter came more than once");
    if (get(r, "request"))
        return wrong(r, "request_not_supported", "request objects are not supported");
    if (get(r, "request_uri"))
        return wrong(r, "request_uri_not_supported", "only a pushed request may be named");
    return 0;
}

static int read_type(struct reading *r)
{
    const char *type = get(r, "response_type");
    if (!type)
        return wrong(r, "invalid_request", "response_type is missing");
    if (strcmp(type, "code") != 0)
        return wrong(r, "unsupported_response_type", "response_type must be code");
    if (!client_may(&r->rq->app->common, "authorization_code"))
        return wrong(r, "unauthorized_client", "this app does not use authorization codes");
    return 0;
}

bool issuer_request_has_scope(const char *scopes, const char *scope)
{
    struct str rest = str_of(scopes), word;
    while (str_split(&rest, ' ', &word))
        if (word.n > 0 && str_is(word, scope))
            return true;
    return false;
}

/* What the app may not have is left out, as OpenID Connect Core 3.1.2.1 wants of unknown ones;
 * nothing left is an error. */
static int read_scopes(struct reading *r)
{
    const char *asked = get(r, "scope");
    struct str rest = str_of(asked), word;
    const char *kept = "";
    if (!asked)
        return wrong(r, "invalid_scope", "scope is missing");
    if (strlen(asked) > SCOPE_MAX)
        return wrong(r, "invalid_scope", "scope is too long");
    while (str_split(&rest, ' ', &word)) {
        if (word.n > 0 && !client_scope_valid(word))
            return wrong(r, "invalid_scope", "scope holds characters it must not");
        const char *name = arena_dupn(r->a, word.p, word.n);
        if (word.n > 0 && client_lists(r->rq->app->common.scopes, word) &&
            !issuer_request_has_scope(kept, name))
            kept = kept[0] ? arena_printf(r->a, "%s %s", kept, name) : name;
    }
    if (!kept[0])
        return wrong(r, "invalid_scope", "this app may have none of these scopes");
    r->rq->scopes = kept;
    return 0;
}

static int read_challenge(struct reading *r)
{
    unsigned char digest[32];
    size_t n;
    const char *challenge = get(r, "code_challenge"), *method = get(r, "code_challenge_method");
    if (!challenge && !method) {
        if (client_needs_pkce(&r->rq->app->common))
            return wrong(r, "invalid_request", "code_challenge is missing: PKCE is required");
        return 0;
    }
    if (!challenge)
        return wrong(r, "invalid_request", "code_challenge is missing");
    if (!method || strcmp(method, "S256") != 0)
        return wrong(r, "invalid_request", "code_challenge_method must be S256");
    if (strlen(challenge) != CHALLENGE_LEN ||
        !text_b64url_decode(str_of(challenge), digest, sizeof digest, &n) || n != sizeof digest)
        return wrong(r, "invalid_request", "code_challenge is no SHA-256 in base64url");
    r->rq->challenge = challenge;
    return 0;
}

static int read_prompt(struct reading *r)
{
    static const struct {
        const char *word;
        unsigned flag;
    } known[] = {{"none", PROMPT_NONE},
                 {"login", PROMPT_LOGIN},
                 {"consent", PROMPT_CONSENT},
                 {"select_account", PROMPT_SELECT_ACCOUNT}};
    const char *prompt = get(r, "prompt");
    struct str rest = str_of(prompt), word;
    while (prompt && str_split(&rest, ' ', &word)) {
        unsigned flag = 0;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (str_is(word, known[i].word))
                flag = known[i].flag;
        if (flag == 0 && word.n > 0)
            return wrong(r, "invalid_request", "prompt holds a word that is not known here");
        r->rq->prompt |= flag;
    }
    if ((r->rq->prompt & PROMPT_NONE) && r->rq->prompt != PROMPT_NONE)
        return wrong(r, "invalid_request", "prompt=none stands alone");
    return 0;
}

static int read_age(struct reading *r)
{
    const char *text = get(r, "max_age");
    const struct app_common *c = &r->rq->app->common;
    r->rq->max_age = c->default_max_age > 0 ? c->default_max_age
                     : c->require_auth_time ? AGE_MAX
                                            : -1;
    if (text && (!text_int(str_of(text), &r->rq->max_age) || r->rq->max_age < 0 ||
                 r->rq->max_age > AGE_MAX)) {
        r->rq->max_age = -1;
        return wrong(r, "invalid_request", "max_age must be a number of seconds");
    }
    return 0;
}

/* ---- OpenID Connect Core 5.5 and RFC 8707 ------------------------------------------------------
 */

static bool claims_sane(const struct jval *json)
{
    static const char *const parts[] = {"userinfo", "id_token"};
    if (jval_type(json) != JVAL_OBJECT)
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const enum jval_type type = jval_type(jval_get(json, parts[i]));
        if (type != JVAL_NONE && type != JVAL_NULL && type != JVAL_OBJECT)
            return false;
    }
    return true;
}

static int read_claims(struct reading *r)
{
    struct err err = ERR_INIT;
    const char *text = get(r, "claims");
    if (!text)
        return 0;
    struct jval *json = jval_parse(str_of(text), CLAIMS_MAX, CLAIMS_DEPTH, &err);
    const bool sane = json && claims_sane(json);
    jval_free(&json);
    if (!sane)
        return wrong(r, "invalid_request", "claims is no JSON object as OpenID Connect has it");
    r->rq->claims = text;
    return 0;
}

static int read_resources(struct reading *r)
{
    struct buf text;
    struct jval *list = NULL;
    for (size_t i = 0; i < r->f->n; i++) {
        const char *uri = r->f->v[i].value;
        if (strcmp(r->f->v[i].name, "resource") != 0 || !uri[0])
            continue;
        if (!client_lists(r->rq->app->common.resources, str_of(uri)) ||
            (list && jval_count(list) == RESOURCES_MAX)) {
            jval_free(&list);
            return wrong(r, "invalid_target", "this app may not ask for that resource");
        }
        list = list ? list : jval_new_array();
        jval_push(list, jval_new_text(uri));
    }
    if (!list)
        return 0;
    buf_init(&text, RESOURCES_MAX * (URI_MAX + 4));
    jval_render(list, &text);
    r->rq->resource = buf_ok(&text) ? arena_dup(r->a, text.p) : NULL;
    const bool fits = r->rq->resource != NULL;
    jval_free(&list);
    buf_deinit(&text);
    return fits ? 0 : wrong(r, "invalid_target", "resource is too long");
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static int read_hints(struct reading *r)
{
    r->rq->login_hint = hint(r, "login_hint", HINT_MAX);
    r->rq->ui_locales = hint(r, "ui_locales", HINT_MAX);
    r->rq->acr_values = hint(r, "acr_values", HINT_MAX);
    r->rq->id_token_hint = get(r, "id_token_hint");
    /* Whom it names would not be looked at. */
    return r->rq->id_token_hint && strlen(r->rq->id_token_hint) > TOKEN_HINT_MAX
               ? wrong(r, "invalid_request", "id_token_hint is too long")
               : 0;
}

int issuer_request_read(struct arena *a, const struct app *app, const struct fields *f,
                        struct issuer_request *out, struct issuer_problem *why)
{
    struct reading r = {.a = a, .f = f, .rq = out, .why = why};
    *out = (struct issuer_request){.app = app, .max_age = -1};
    *why = (struct issuer_problem){.page = false};
    if (!app || !app->usable || !app->common.redirect_uris)
        return wrong_page(&r, "client_id names no app that signs people in here");
    if (read_redirect(&r) < 0 || read_manner(&r) < 0 || read_once(&r) < 0 || read_type(&r) < 0 ||
        read_scopes(&r) < 0 || read_challenge(&r) < 0 || read_prompt(&r) < 0 || read_age(&r) < 0 ||
        read_claims(&r) < 0 || read_resources(&r) < 0)
        return -1;
    out->nonce = get(&r, "nonce");
    if (out->nonce && strlen(out->nonce) > NONCE_MAX)
        return wrong(&r, "invalid_request", "nonce is too long");
    return read_hints(&r);
}

int issuer_request_read_device(struct arena *a, const struct app *app, const struct fields *f,
                               struct issuer_request *out, struct issuer_problem *why)
{
    struct reading r = {.a = a, .f = f, .rq = out, .why = why};
    *out = (struct issuer_request){.app = app, .max_age = -1};
    *why = (struct issuer_problem){.page = false};
    return read_once(&r) < 0 || read_scopes(&r) < 0 || read_resources(&r) < 0 ? -1 : 0;
}

/* ---- to wait, and back -------------------------------------------------------------------------
 */

/* Texts by their names in JSON, which are those of the parameters. */
static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    {"redirect_uri", offsetof(struct issuer_request, redirect_uri)},
    {"state", offsetof(struct issuer_request, state)},
    {"nonce", offsetof(struct issuer_request, nonce)},
    {"code_challenge", offsetof(struct issuer_request, challenge)},
    {"scope", offsetof(struct issuer_request, scopes)},
    {"resource", offsetof(struct issuer_request, resource)},
    {"claims", offsetof(struct issuer_request, claims)},
    {"login_hint", offsetof(struct issuer_request, login_hint)},
    {"ui_locales", offsetof(struct issuer_request, ui_locales)},
    {"acr_values", offsetof(struct issuer_request, acr_values)},
    {"id_token_hint", offsetof(struct issuer_request, id_token_hint)},
};
#define TEXTS (sizeof texts / sizeof *texts)

static const char **text_of(struct issuer_request *rq, size_t i)
{
    return (const char **)(void *)((char *)rq + texts[i].offset);
}

struct jval *issuer_request_write(const struct issuer_request *rq)
{
    struct issuer_request copy = *rq;
    struct jval *json = jval_new_object();
    for (size_t i = 0; i < TEXTS; i++)
        if (*text_of(&copy, i))
            jval_set_text(json, texts[i].name, *text_of(&copy, i));
    jval_set_bool(json, "redirect_given", rq->redirect_given);
    jval_set_bool(json, "form_post", rq->form_post);
    jval_set_bool(json, "pushed", rq->pushed);
    jval_set_int(json, "prompt", (int64_t)rq->prompt);
    jval_set_int(json, "max_age", rq->max_age);
    return json;
}

/* Whether what was judged then would still be allowed: admins change apps while people sign in. */
static bool still_allowed(const struct issuer_request *rq)
{
    struct str rest = str_of(rq->scopes), word;
    if (!rq->app || !rq->app->usable || !rq->redirect_uri || !rq->scopes ||
        !issuer_request_redirect_fits(rq->app, rq->redirect_uri) ||
        !client_may(&rq->app->common, "authorization_code") ||
        (rq->app->common.require_pushed && !rq->pushed) ||
        (client_needs_pkce(&rq->app->common) && !rq->challenge))
        return false;
    while (str_split(&rest, ' ', &word))
        if (!client_lists(rq->app->common.scopes, word))
            return false;
    return true;
}

int issuer_request_again(struct arena *a, const struct app *app, const struct jval *json,
                         struct issuer_request *out)
{
    int64_t prompt = 0;
    *out = (struct issuer_request){.app = app, .max_age = -1};
    for (size_t i = 0; i < TEXTS; i++) {
        const char *text = jval_text(jval_get(json, texts[i].name));
        *text_of(out, i) = text ? arena_dup(a, text) : NULL;
    }
    if (!jval_bool(jval_get(json, "redirect_given"), &out->redirect_given) ||
        !jval_bool(jval_get(json, "form_post"), &out->form_post) ||
        !jval_bool(jval_get(json, "pushed"), &out->pushed) ||
        !jval_int(jval_get(json, "prompt"), &prompt) ||
        !jval_int(jval_get(json, "max_age"), &out->max_age))
        return -1;
    out->prompt = (unsigned)prompt;
    return still_allowed(out) ? 0 : -1;
}
