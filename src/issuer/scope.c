/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of scopes and resources, judged against an app. */
#include "app/client.h"
#include "base/json.h"
#include "issuer/parts.h"
#include "issuer/request.h"

#define SCOPES_MAX 4096
#define RESOURCES_MAX (16u * 1024)

/* What only people can give (OP-60): a machine has no name, no address and no browser. */
static const char *const personal[] = {"openid", "profile", "email",          "address",
                                       "phone",  "groups",  "offline_access", NULL};

static const char *all_of(struct call *c)
{
    struct buf out;
    buf_init(&out, SCOPES_MAX);
    for (const char *const *s = c->app->common.scopes; s && *s; s++)
        if (!client_lists(personal, str_of(*s)))
            buf_printf(&out, "%s%s", out.n ? " " : "", *s);
    const char *text = buf_ok(&out) ? arena_str(c->a, buf_view(&out)) : NULL;
    buf_deinit(&out);
    if (text == NULL)
        call_refuse(c, "invalid_scope", "this app has more scopes than a token can hold");
    return text;
}

const char *scope_machine(struct call *c)
{
    const char *asked = NULL, *kept = "";
    const int rc = call_get(c, "scope", &asked);
    if (rc <= 0)
        return rc < 0 ? NULL : all_of(c);
    struct str rest = str_of(asked), word;
    if (rest.n > SCOPES_MAX) {
        call_refuse(c, "invalid_scope", "scope is too long");
        return NULL;
    }
    while (str_split(&rest, ' ', &word)) {
        if (word.n == 0)
            continue;
        if (!client_scope_valid(word) || !client_lists(c->app->common.scopes, word) ||
            client_lists(personal, word)) {
            call_refuse(c, "invalid_scope", "this app may not have one of these scopes");
            return NULL;
        }
        const char *name = arena_str(c->a, word);
        if (!issuer_request_has_scope(kept, name))
            kept = kept[0] ? arena_printf(c->a, "%s %s", kept, name) : name;
    }
    return kept;
}

const char *scope_text(struct arena *a, const char *const *list)
{
    struct buf text;
    buf_init(&text, RESOURCES_MAX);
    buf_byte(&text, '[');
    for (size_t i = 0; list[i]; i++) {
        if (i > 0)
            buf_byte(&text, ',');
        json_quote(&text, list[i]);
    }
    buf_byte(&text, ']');
    const char *out = buf_ok(&text) ? arena_str(a, buf_view(&text)) : NULL;
    buf_deinit(&text);
    return out;
}

const char *scope_json(struct call *c, const char *const *list)
{
    const char *out = scope_text(c->a, list);
    if (out == NULL)
        call_refuse(c, "invalid_target", "too many resources");
    return out;
}

bool scope_named(struct call *c, const struct scope_targets *t, const char **out)
{
    const struct fields *f = c->in->form;
    const char **list = arena_alloc(c->a, (f->n + 1) * sizeof *list);
    size_t n = 0;
    *out = NULL;
    for (size_t i = 0; i < f->n; i++) {
        const struct str value = {f->v[i].value, f->v[i].value_len};
        if (strcmp(f->v[i].name, "resource") != 0 &&
            !(t->audience && strcmp(f->v[i].name, "audience") == 0))
            continue;
        if (value.n == 0)
            continue; /* RFC 6749 3.2: as if it were not there */
        if (!client_resource_valid(value) || !client_lists(t->allowed, value)) {
            call_refuse(c, "invalid_target", t->refusal);
            return false;
        }
        if (!client_lists(list, value))
            list[n++] = f->v[i].value;
    }
    if (n > 0 && (*out = scope_json(c, list)) == NULL)
        return false;
    return true;
}

const char *scope_resources(struct call *c)
{
    const char *const *allowed = c->app->common.resources;
    const char *out;
    const struct scope_targets t = {.allowed = allowed,
                                    .refusal = "this app may not ask for that resource"};
    if (!scope_named(c, &t, &out))
        return NULL;
    const char *const one[] = {allowed && *allowed ? *allowed : c->issuer->o.public_url, NULL};
    return out ? out : scope_json(c, one);
}

bool scope_only(const char *json, const char *one)
{
    const size_t n = strlen(one);
    return strncmp(json, "[\"", 2) == 0 && strncmp(json + 2, one, n) == 0 &&
           strcmp(json + 2 + n, "\"]") == 0;
}

bool scope_any(const char *json, const char *const *list)
{
    struct err err = ERR_INIT;
    bool found = false;
    for (const char *const *one = list; one && *one; one++)
        if (scope_only(json, *one))
            return true;
    struct jval *all = list && list[0] ? jval_parse(str_of(json), RESOURCES_MAX, 2, &err) : NULL;
    for (size_t i = 0; i < jval_count(all) && !found; i++) {
        const char *one = jval_text(jval_item(all, i));
        found = one && client_lists(list, str_of(one));
    }
    jval_free(&all);
    return found;
}
