/* SPDX-License-Identifier: Apache-2.0 */
#include "login/link.h"

#include "base/json.h"
#include "store/account_role.h"
#include "store/spent.h"

static const char *groups_json(const char *provider, const char *const *groups, struct arena *a,
                               unsigned *left_out)
{
    struct buf out;
    size_t room = LINK_GROUPS_MAX;
    if (groups == NULL || groups[0] == NULL)
        return NULL;
    struct jval *list = jval_new_array();
    for (; *groups; groups++) {
        const char *name = arena_printf(a, "%s:%s", provider, *groups);
        const size_t n = strlen(name) * 2 + 3; /* worst case of quoting */
        if (n > room) {
            ++*left_out;
            continue;
        }
        room -= n;
        jval_push(list, jval_new_text(name));
    }
    buf_init(&out, 4 * LINK_GROUPS_MAX);
    jval_render(list, &out);
    const char *text = buf_ok(&out) && jval_count(list) > 0 ? arena_dup(a, out.p) : NULL;
    jval_free(&list);
    buf_deinit(&out);
    return text;
}

static const char *joined(const char *const *list, struct arena *a)
{
    const char *text = NULL;
    for (; list && *list; list++)
        text = text ? arena_printf(a, "%s %s", text, *list) : *list;
    return text;
}

void link_fill(struct link *l, const char *provider, const struct drive_identity *id,
               struct arena *a)
{
    const char *groups = groups_json(provider, id->groups, a, &l->groups_left_out);
    l->arena = a;
    l->profile = (struct account_profile){
        .provider = provider,
        .subject = id->subject,
        .username = id->username,
        .name = id->name,
        .email = id->email,
        .picture = id->picture,
        .locale = id->locale,
        .email_evidence = (int)id->email_evidence,
        .groups = groups,
    };
    l->row.provider = provider;
    l->row.subject = id->subject;
    l->row.username = id->username;
    l->row.name = id->name;
    l->row.email = id->email;
    l->row.picture = id->picture;
    l->row.email_evidence = (int)id->email_evidence;
    l->row.groups = groups;
    l->row.amr = joined(id->amr, a);
    l->row.auth_time = id->auth_time;
}

int link_write(struct db *db, struct link *l, struct err *err)
{
    if (account_sign_in(db, &l->profile, l->row.created, &l->account, err) != 0)
        return -1;
    if (l->account.disabled)
        return err_set(err, ERR_NOT_ALLOWED, "the account is disabled");
    l->row.account = l->account.id;
    if (!l->account.created && account_roles(db, l->account.id, l->arena, &l->row.roles, err) < 0)
        return -1;
    if (l->ends_session && session_row_end(db, l->ends_session, err) < 0)
        return -1;
    if (spent_add(db, l->flow, l->flow_expires, err) < 0)
        return -1;
    return session_row_add(db, &l->row, err);
}
