/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/person.h"

#include "app/client.h"
#include "app/decide.h"
#include "base/header.h"
#include "store/account_list.h"
#include "store/account_role.h"

static bool is(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static const struct account_identity *identity_of(const struct account_row *row,
                                                  const struct person_key *key)
{
    const struct account_identity *best = row->n > 0 ? &row->identities[0] : NULL;
    bool near = false;
    for (size_t i = 0; i < row->n; i++) {
        const struct account_identity *id = &row->identities[i];
        if (!is(id->provider, key->provider))
            continue;
        if (is(id->subject, key->subject))
            return id;
        if (!near)
            best = id;
        near = true;
    }
    return best;
}

int person_read(struct db *db, const struct person_key *key, struct arena *a,
                struct claims_person *out, struct err *err)
{
    struct account_row row;
    *out = (struct claims_person){.account = arena_dup(a, key->account)};
    const int rc = account_get(db, key->account, key->now, a, &row, err);
    if (rc != 1 || row.disabled)
        return rc < 0 ? -1 : 0;
    const struct account_identity *id = identity_of(&row, key);
    if (id) {
        out->provider = id->provider;
        out->username = id->username;
        out->name = id->name;
        out->picture = id->picture;
        out->locale = id->locale;
        out->email = id->email;
        out->email_evidence = id->email_evidence;
        out->groups = id->groups;
        out->updated = id->last_seen;
    }
    return account_roles(db, key->account, a, &out->roles, err) < 0 ||
                   account_permissions(db, key->account, a, &out->permissions, err) < 0
               ? -1
               : 1;
}

/* ---- may they still? ---- */

static const char *or_none(const char *text)
{
    return text ? text : "";
}

bool person_may(const struct claims_person *p, const struct person_at *at, struct arena *a)
{
    const char *const *providers = at->app->common.providers;
    const char *provider = or_none(p->provider);
    struct err err = ERR_INIT;
    uint32_t set = 0;
    if (providers && providers[0] && !client_lists(providers, str_of(provider)))
        return false;
    if (rights_take(at->rights, p->roles, &set, &err) < 0)
        return false; /* nor could they sign in */
    const struct rights_view may = rights_show(at->rights, set);
    const struct app_subject s = {.signed_in = true,
                                  .account = p->account,
                                  .provider = provider,
                                  .email = or_none(p->email),
                                  .email_evidence = p->email_evidence,
                                  .groups = header_list(a, p->groups),
                                  .roles = may.roles,
                                  .permissions = may.permissions,
                                  .client = at->client};
    const bool yes = app_decide(at->app, &s, NULL, NULL).verdict == APP_ALLOW;
    rights_drop(at->rights, set);
    return yes;
}
