/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/claims.h"

#include "app/client.h"
#include "base/evidence.h"

#define LIST_MAX (64u * 1024)

const char *const claims_scopes[] = {"openid", "profile",        "email", "groups",
                                     "roles",  "offline_access", NULL};
const char *const claims_names[] = {"sub",     "name",           "preferred_username",
                                    "picture", "locale",         "updated_at",
                                    "email",   "email_verified", "groups",
                                    "roles",   "permissions",    NULL};

static struct jval *text_or_none(const char *text)
{
    return text && text[0] ? jval_new_text(text) : NULL;
}

static struct jval *list_or_none(const char *json)
{
    struct err err = ERR_INIT;
    return json && json[0] ? jval_parse(str_of(json), LIST_MAX, 2, &err) : NULL;
}

static struct jval *name(const struct claims_person *p)
{
    return text_or_none(p->name ? p->name : p->username);
}
static struct jval *username(const struct claims_person *p)
{
    return text_or_none(p->username);
}
static struct jval *picture(const struct claims_person *p)
{
    return text_or_none(p->picture);
}
static struct jval *locale(const struct claims_person *p)
{
    return text_or_none(p->locale);
}
static struct jval *updated(const struct claims_person *p)
{
    return p->updated > 0 ? jval_new_int(p->updated) : NULL;
}
static struct jval *email(const struct claims_person *p)
{
    return text_or_none(p->email);
}
static struct jval *email_verified(const struct claims_person *p)
{
    return p->email && p->email[0] ? jval_new_bool(evidence_proves(p->email_evidence)) : NULL;
}
static struct jval *groups(const struct claims_person *p)
{
    return list_or_none(p->groups);
}
static struct jval *roles(const struct claims_person *p)
{
    return list_or_none(p->roles);
}
static struct jval *permissions(const struct claims_person *p)
{
    return list_or_none(p->permissions);
}

static const struct {
    const char *claim, *scope;
    struct jval *(*value)(const struct claims_person *p); /* NULL: not known */
} known[] = {
    {"name", "profile", name},
    {"preferred_username", "profile", username},
    {"picture", "profile", picture},
    {"locale", "profile", locale},
    {"updated_at", "profile", updated},
    {"email", "email", email},
    {"email_verified", "email", email_verified},
    {"groups", "groups", groups},
    {"roles", "roles", roles},
    {"permissions", "roles", permissions},
};

static bool has_word(const char *words, const char *wanted)
{
    struct str rest = str_of(words), word;
    while (str_split(&rest, ' ', &word))
        if (word.n > 0 && str_is(word, wanted))
            return true;
    return false;
}

/* Whether a claim that is asked for by name may be said. */
static bool may_name(const struct claims_asked *a, const char *scope)
{
    if (has_word(a->scopes, scope))
        return true;
    return !a->app->common.consent && client_lists(a->app->common.scopes, str_of(scope));
}

void claims_say(const struct claims_asked *asked, const struct claims_person *p, struct jval *out)
{
    struct err err = ERR_INIT;
    struct jval *all =
        asked->claims ? jval_parse(str_of(asked->claims), LIST_MAX, JSON_DEPTH_MAX, &err) : NULL;
    const struct jval *named =
        jval_get(all, asked->part == CLAIMS_ID_TOKEN ? "id_token" : "userinfo");
    const bool all_of_scope = asked->part == CLAIMS_USERINFO || asked->app->common.id_token_claims;
    jval_set_text(out, "sub", p->account);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const bool by_name = jval_type(jval_get(named, known[i].claim)) != JVAL_NONE;
        const bool by_scope = all_of_scope && has_word(asked->scopes, known[i].scope);
        struct jval *value =
            by_scope || (by_name && may_name(asked, known[i].scope)) ? known[i].value(p) : NULL;
        if (value)
            jval_set(out, known[i].claim, value);
    }
    jval_free(&all);
}
