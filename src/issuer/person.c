/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/person.h"

#include "store/account_list.h"
#include "store/account_role.h"

int person_read(struct db *db, const struct person_key *key, struct arena *a,
                struct claims_person *out, struct err *err)
{
    struct account_row row;
    *out = (struct claims_person){.account = arena_dup(a, key->account)};
    const int rc = account_get(db, key->account, key->now, a, &row, err);
    if (rc != 1 || row.disabled)
        return rc < 0 ? -1 : 0;
    const struct account_identity *id = row.n > 0 ? &row.identities[0] : NULL;
    for (size_t i = 0; key->provider && i < row.n; i++)
        if (strcmp(row.identities[i].provider, key->provider) == 0) {
            id = &row.identities[i];
            break;
        }
    if (id) {
        out->username = id->username;
        out->name = id->name;
        out->picture = id->picture;
        out->locale = id->locale;
        out->email = id->email;
        out->email_evidence = id->email_evidence;
        out->groups = id->groups;
        out->updated = id->last_seen;
    }
    return account_roles(db, key->account, a, &out->roles, err) < 0 ? -1 : 1;
}
