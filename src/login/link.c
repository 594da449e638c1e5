/* SPDX-License-Identifier: Apache-2.0 */
#include "login/link.h"

#include "base/evidence.h"
#include "base/json.h"
#include "login/record.h"
#include "provider/registry.h"
#include "store/account_role.h"
#include "store/audit.h"
#include "store/oauth_grant.h"
#include "store/session_app.h"
#include "store/spent.h"

const char *link_groups(const char *provider, const char *const *groups, struct arena *a,
                        unsigned *left_out)
{
    struct buf out;
    size_t room = LINK_GROUPS_MAX;
    if (groups == NULL || groups[0] == NULL)
        return NULL;
    struct jval *list = jval_new_array();
    for (; *groups; groups++) {
        const char *name = arena_printf(a, "%s:%s", provider, *groups);
        const size_t n = header_cost(strlen(name));
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

/* The row of a session says who it was, as of this sign-in. */
static void fill_row(struct link *l, const char *amr)
{
    const struct account_profile *p = &l->profile;
    l->row.provider = p->provider;
    l->row.subject = p->subject;
    l->row.username = p->username;
    l->row.name = p->name;
    l->row.email = p->email;
    l->row.picture = p->picture;
    l->row.email_evidence = p->email_evidence;
    l->row.groups = p->groups;
    l->row.amr = amr;
}

void link_fill(struct link *l, const char *provider, const struct drive_identity *id,
               struct arena *a)
{
    const char *groups = link_groups(provider, id->groups, a, &l->groups_left_out);
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
    l->row.auth_time = id->auth_time;
    fill_row(l, joined(id->amr, a));
}

void link_refill(struct link *l, const struct account_profile *p, const char *amr, struct arena *a)
{
    l->arena = a;
    l->profile = *p;
    fill_row(l, amr);
}

/* ---- who it is */

enum link_outcome link_judge(int policy, const struct account_profile *p,
                             const struct account_holder *holders, int n, int64_t now)
{
    bool good = policy == LINK_VERIFIED && evidence_proves(p->email_evidence);
    bool confirmed = false;
    if (policy == LINK_NEVER || n == 0)
        return LINK_IS_NEW;
    if (n == ACCOUNT_HOLDERS_MAX)
        return LINK_IS_ASKED; /* there may be more than were seen */
    for (int i = 0; i < n; i++) {
        const struct account_holder *h = &holders[i];
        /* Within one provider an address has one owner: this one took it over from that one, or
         * lost an upstream account and made another. Only the person can say which. */
        good = good && strcmp(h->provider, p->provider) != 0;
        good = good && strcmp(h->account, holders[0].account) == 0;
        confirmed =
            confirmed || (evidence_proves(h->email_evidence) && now - h->last_seen <= LINK_FRESH);
    }
    return good && confirmed ? LINK_IS_JOINED : LINK_IS_ASKED;
}

/* Nobody knows the identity: what the rule says. *holder: the account it is joined to. */
static int judge(struct db *db, const struct link *l, int64_t now, struct account *holder,
                 struct err *err)
{
    const struct account_profile *p = &l->profile;
    struct account_holder all[ACCOUNT_HOLDERS_MAX];
    if (l->proof)
        return LINK_IS_UNKNOWN;
    if (l->policy == LINK_NEVER || !p->email || p->email_evidence == USHER_EVIDENCE_NONE)
        return LINK_IS_NEW;
    const int n = account_holders(db, p->email, now, l->arena, all, err);
    if (n < 0)
        return -1;
    const enum link_outcome outcome = link_judge(l->policy, p, all, n, now);
    if (outcome == LINK_IS_JOINED) {
        memcpy(holder->id, all[0].account, sizeof holder->id);
        holder->disabled = all[0].disabled;
    }
    return (int)outcome;
}

int link_foresee(struct db *db, const struct link *l, int64_t now, struct account *out,
                 struct err *err)
{
    int rc = account_find(db, l->profile.provider, l->profile.subject, now, out, err);
    if (rc != 0)
        return rc < 0 ? -1 : LINK_IS_KNOWN;
    rc = account_barred(db, l->profile.provider, l->profile.subject, err);
    if (rc != 0)
        return rc < 0 ? -1 : LINK_IS_BARRED;
    return judge(db, l, now, out, err);
}

/* The identity becomes part of the account its address belongs to. 1; 0: it is somebody's now. */
static int join_holder(struct db *db, struct link *l, struct err *err)
{
    const int64_t now = l->row.created;
    int rc = account_attach(db, l->account.id, &l->profile, now, err);
    if (rc <= 0)
        return rc;
    const struct record_row r = {.action = "identity.link",
                                 .account = l->account.id,
                                 .provider = l->profile.provider,
                                 .subject = l->profile.subject,
                                 .how = "address",
                                 .ip = l->row.ip,
                                 .user_agent = l->row.user_agent,
                                 .request_id = l->request_id,
                                 .at = now};
    return record_add(db, &r, err) < 0 ? -1 : 1;
}

/* What is made of an identity nobody knows: 1, or 0 when somebody else was faster. */
static int settle(struct db *db, struct link *l, struct err *err)
{
    const struct account_profile *p = &l->profile;
    int rc = judge(db, l, l->row.created, &l->account, err);
    if (rc < 0)
        return -1;
    l->outcome = (enum link_outcome)rc;
    if (l->outcome == LINK_IS_JOINED)
        return join_holder(db, l, err);
    if (l->outcome == LINK_IS_NEW)
        return account_make(db, p, l->row.created, &l->account, err);
    /* Whoever was deleted for good is not asked anything. */
    rc = account_barred(db, p->provider, p->subject, err);
    if (rc > 0)
        return err_set(err, ERR_NOT_ALLOWED, "the identity's account was deleted for good");
    return rc < 0 ? -1 : 1;
}

static int find_account(struct db *db, struct link *l, struct err *err)
{
    l->outcome = LINK_IS_KNOWN;
    l->row.roles = NULL;
    int rc = account_known(db, &l->profile, l->row.created, &l->account, err);
    if (rc == 0)
        rc = settle(db, l, err);
    if (rc == 0) {
        l->outcome = LINK_IS_KNOWN;
        rc = account_known(db, &l->profile, l->row.created, &l->account, err);
    }
    if (rc == 0)
        return err_set(err, ERR_INTERNAL, "an identity is neither there nor can it be made");
    return rc < 0 ? -1 : 0;
}

/* The row of a sign-in: as hot as the sign-in itself, so nothing is built for it. */
static int record_session(struct db *db, const struct link *l, bool replaced, struct err *err)
{
    const struct audit_row row = {.at = l->row.created,
                                  .actor_kind = "account",
                                  .actor = l->account.id,
                                  .ip = l->row.ip,
                                  .request_id = l->request_id,
                                  .user_agent = l->row.user_agent,
                                  .action = "login.done",
                                  .object = l->row.id,
                                  .provider = l->row.provider,
                                  .became = l->account.created ? "{\"account\":\"new\"}"
                                            : replaced         ? "{\"earlier_session\":\"ended\"}"
                                                               : NULL,
                                  .outcome = "done"};
    return audit_add(db, &row, err) < 0 ? -1 : 0;
}

/* What apps were granted by the session of before goes on with the same person's new one, and never
 * without either. */
static int follow(struct db *db, const struct link *l, struct err *err)
{
    if (!l->ends_account || strcmp(l->ends_account, l->account.id) != 0)
        return 0;
    return oauth_grant_follow(db, l->ends_id, l->row.id, err) < 0 ||
                   session_app_follow(db, l->ends_id, l->row.id, err) < 0
               ? -1
               : 0;
}

int link_write(struct db *db, struct link *l, struct err *err)
{
    if (find_account(db, l, err) != 0)
        return -1;
    if (l->flow && spent_add(db, l->flow, l->flow_expires, err) < 0)
        return -1;
    if (l->outcome == LINK_IS_ASKED || l->outcome == LINK_IS_UNKNOWN)
        return 0;
    if (l->account.disabled)
        return err_set(err, ERR_NOT_ALLOWED, "the account is disabled");
    l->row.account = l->account.id;
    if (l->tokens.access && upstream_token_put(db, l->keys, &l->tokens, err) < 0)
        return -1;
    if (!l->account.created && !l->account.no_roles &&
        account_roles(db, l->account.id, l->arena, &l->row.roles, err) < 0)
        return -1;
    const int replaced = l->ends_session ? session_row_end(db, l->ends_session, err) : 0;
    if (replaced < 0 || session_row_add(db, &l->row, err) < 0 ||
        (replaced > 0 && follow(db, l, err) < 0))
        return -1;
    return record_session(db, l, replaced > 0, err);
}
