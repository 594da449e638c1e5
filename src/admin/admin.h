/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin: what can be done to a running usher, for three faces: the API, the pages and usherctl. One
 * function for each operation, all of one shape, so that routes, pages and audit are tables.
 *
 * An operation is called on the loop and answers on the loop, exactly once, maybe from within the
 * call. What may block (store, files, plugins) happens on a thread of admin's own, one operation at
 * a time. Who calls is said by `actor`; whether they may is judged here, by its scopes, not by the
 * faces. Every change is audited in the transaction that makes it.
 *
 * What is wrong with a request is told by kind:
 *   ERR_INVALID      the body or the query makes no sense; `fields` may say which member
 *   ERR_MISCONFIGURED  the settings are wrong; `fields` say which
 *   ERR_NOT_ALLOWED  the actor's scopes do not reach
 *   ERR_NOT_FOUND    there is no such thing
 *   ERR_CONFLICT     it is there already, or cannot be done as things are ({"force":true} may help)
 *   ERR_STALE        `if_match` is missing ("send If-Match"), or somebody changed it meanwhile
 *   ERR_LIMITED      too much at once, or a bound was reached
 * No error, answer or audit row holds a secret; a new token and a setup link are told once, to the
 * one who asked.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/form.h"
#include "base/json.h"
#include "provider/registry.h"

struct admin;
struct app_secrets;
struct issuer;
struct live;
struct login;
struct sessions;
struct slots;

enum admin_scope {
    ADMIN_READ = 1,
    ADMIN_WRITE = 2,
    ADMIN_SECRETS = 4, /* secrets, keys, tokens, admins: of people, only after a fresh sign-in */
    ADMIN_METRICS = 8, /* /metrics, nothing else */
};
#define ADMIN_ALL_SCOPES (ADMIN_READ | ADMIN_WRITE | ADMIN_SECRETS | ADMIN_METRICS)

/* Who asks. */
struct admin_actor {
    const char *kind; /* "socket", "operator", "account", "token", "registration", "system" */
    const char *id;   /* account id, token id, user id of the socket's peer; "" */
    const char *name; /* for people; NULL: none */
    const char *ip;   /* NULL: none */
    const char *user_agent, *request_id; /* likewise */
    unsigned scopes;                     /* enum admin_scope */
    const char *provider;                /* account: what this session came through; NULL */
};

/* Everything is borrowed until the operation function returns; what is needed later is copied. */
struct admin_request {
    const char *id, *sub;       /* the parts of the path, in order; NULL: none */
    const struct jval *body;    /* NULL: none */
    const struct fields *query; /* NULL: none */
    const char *if_match;       /* the header's value; NULL: none */
    struct str bind;            /* value of the browser's binding cookie; n == 0: none */
    const struct admin_actor *actor;
};

/* What is wrong with one member of a body, for the form beside it. */
struct admin_field {
    const char *field; /* "id", or the key of a setting */
    const char *text;
};

/* Borrowed until the done function returns; jval_ref the body to keep it. */
struct admin_answer {
    const struct err *err; /* NULL: done */
    const struct admin_field *fields;
    size_t n_fields;
    const struct jval *body; /* an object; NULL with err */
    const char *etag;        /* quoted, as in the header; NULL: none */
    bool created;            /* something came into being: 201 */
};

typedef void admin_done_fn(void *arg, const struct admin_answer *a);
typedef void admin_op_fn(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                         void *arg);

/* ---- life ---- */

struct admin_options {
    struct loop *loop;
    struct store *store;
    struct keyring *keys;
    struct live *live;         /* loaded */
    const struct slots *slots; /* which secret a provider uses; NULL: always the active one */
    struct sessions *sessions;
    struct login *login;             /* NULL: none; may be set later by admin_set_login */
    struct issuer *issuer;           /* the same, by admin_set_issuer */
    struct app_secrets *app_secrets; /* told of changes; NULL: nobody is */
};
/* Reads tokens and roles from the store and waits for them: before the loop runs. Goes on with a
 * change of keys that was interrupted. Everything in `o` is borrowed until admin_free. */
struct admin *admin_new(const struct admin_options *o, struct err *err)
    __attribute__((warn_unused_result));
/* Tests under way end, what is under way comes to its end, and nothing begins any more: busy until
 * it has. */
void admin_stop(struct admin *a);
bool admin_busy(const struct admin *a);
/* Stops, and drives the loop until every operation under way has answered, so whoever waits for one
 * must still be there, and the store, too. */
void admin_free(struct admin **a);

/* Logins begin after an admin is there. NULL, before login_free: ends tests under way,
 * and answers whoever waits for one. */
void admin_set_login(struct admin *a, struct login *login);
/* What apps hold ends with the account it is about. NULL, before issuer_free: nobody is told. */
void admin_set_issuer(struct admin *a, struct issuer *issuer);

/* ---- what it is told ---- */

/* A login ended well (NULL) or not: for login_options.on_outcome. */
void admin_on_outcome(void *admin, const char *provider, const struct err *err);
/* An upstream refused the secret in slot `from` and took the one in `to` : for
 * login_options.on_fallover; the memory of the slots knows already. Of a provider kept as a row the
 * slots are moved accordingly, by the actor "system", if the secret that worked still is in that
 * slot when it comes to that; of others only the log and the memory of the slots know. */
void admin_on_fallover(void *admin, const char *provider, enum provider_slot from,
                       enum provider_slot to);

/* Once a second, while the clock can be believed: what is due by then. */
void admin_step(void *admin);
/* An account became part of `into`, or was deleted (NULL): for login_options.on_gone. */
void admin_on_gone(void *admin, const char *account, const char *into);
/* The store does not say what became of an account: for login_options.on_doubt. */
void admin_on_doubt(void *admin, const char *account);

/* ---- who may ---- */

/* Whether an account has the role admin; from memory. */
bool admin_is(const struct admin *a, const char *account);
/* 1 and *out, whose strings live until the loop's next round; 0: no such token, or it ended. Marks
 * the token used. A token is SHA-256 hashed and looked up: nothing to be learnt from the time. */
int admin_token_check(struct admin *a, struct str bearer, struct admin_actor *out);
/* The same for the cookie of an operator: somebody who opened a setup link. All scopes. */
int admin_operator_check(struct admin *a, struct str cookie, struct admin_actor *out);
/* Initial tokens, and those an app manages itself with: the actor "registration", whose id is the
 * token's or the app's, without any scope. */
int admin_initial_check(struct admin *a, struct str bearer, struct admin_actor *out);
int admin_registration_check(struct admin *a, const char *app, struct str bearer,
                             struct admin_actor *out);
/* Signs an operator out. */
void admin_operator_end(struct admin *a, struct str cookie);
/* For both: "read write" and the like. 0 with err: an unknown word, or none at all. */
unsigned admin_scopes_parse(const char *text, struct err *err);
void admin_scopes_text(unsigned scopes, char out[32]);

/* ---- operations. Members of bodies and answers; times are seconds since 1970 ---- */

/* {"tokens":[{"id","name","scopes","owner"|null,"created","expires"|null,"last_used"|null}]}.
 * owner: the account that made it, or that made the token it was made with; it ends with that one's
 * role.
 */
admin_op_fn admin_token_list;
/* {"name","scopes":"read write secrets metrics","expires"?} → the same as above and "token", told
 * this once. Nobody gives scopes they do not have. */
admin_op_fn admin_token_add;
admin_op_fn admin_token_delete; /* id; ends at once */

/* A role: {"name","description","permissions":[name],"holders":n,"built_in":bool,"version"|null}.
 * "admin" is there by itself. */
admin_op_fn admin_role_list; /* {"roles":[…]} */
/* id: a role. It, and "accounts":[{"account","since","provider","username","name","email"}], those
 * who have had it longest, at most 200. */
admin_op_fn admin_role_show;
/* id: a role, there or new. {"permissions":[name],"description"?}; what it allows counts at once.
 * If-Match is heeded if sent. */
admin_op_fn admin_role_set;
/* id. {"force"?}: a role that somebody has is taken from everybody by force. */
admin_op_fn admin_role_delete;
/* id: a role; sub: an account. Granting what is there is fine. The last admin stays, unless
 * {"force":true}. */
admin_op_fn admin_role_grant, admin_role_revoke;

/* query: search (part of a name, username or e-mail; a whole id or subject), provider, role,
 * disabled (true or false), after, limit (1 to 200; 50) → {"users":[{"id","name","username",
 * "email","provider","providers":[id],"created","last_seen"|null,"disabled":bool,
 * "disabled_until"|null,"roles":[name]}],"next":id|null}, in the order of ids. */
admin_op_fn admin_user_list;
/* id: an account → as above, with {"permissions":[name],"disabled_since"|null,"disabled_reason"|
 * null,"identities":[{"provider","subject","username","name","email","email_evidence","picture",
 * "groups":[name],"first_seen","last_seen","linked"|null}],"sessions":[{"id","provider","ip",
 * "user_agent","created","seen","ends"}]}. */
admin_op_fn admin_user_show;
/* id. {"reason","until"?,"force"?}: nobody signs in to it until then, or for good. Its sessions and
 * tokens end. The last admin, and the account that asks, only by force. All that follow want
 * ADMIN_SECRETS where it is an admin's account, and answer as admin_user_show. */
admin_op_fn admin_user_disable;
admin_op_fn admin_user_enable;
/* id. {"session"?}: all its sessions, or the one of that id → {"ended":n}. */
admin_op_fn admin_user_end_sessions;
/* id. {"bar"?,"force"?}: the account is gone, with everything; `bar`: its identities never come
 * back. Wants ADMIN_SECRETS; the last admin, and the account that asks, only by force. */
admin_op_fn admin_user_delete;

/* Only by the actor "socket" → {"url","expires"}: public_url/admin/setup/<token>, for ten minutes
 * and one use. The page behind it must ask for a click, because links are fetched by others than
 * people; the click is admin_setup_use. */
admin_op_fn admin_setup_link;
/* Whether such a link would still be taken; uses nothing up. */
bool admin_setup_alive(struct admin *a, struct str token);
/* {"token"} of such a link, by an actor without scopes → {"operator","expires"}: the value for a
 * cookie (HttpOnly, SameSite=Strict), never for a page or a script. */
admin_op_fn admin_setup_use;

/* query: before (a number; newest first) or after (oldest first), limit (1 to 500; 100), since,
 * until, actor (id or kind, or name of an operator or token), account (as actor or as object),
 * action
 * ("login." for all that begin so), object, provider, app, ip, outcome → {"audit":[{"n","at",
 * "actor_kind","actor","actor_name","ip","user_agent","request_id","action","object","provider",
 * "app","before","after","outcome","reason","hash"}],"next":n|null,"looked":n}. A call looks at so
 * many rows, so there may be few and a `next` all the same; rows up to `looked` were looked at. */
admin_op_fn admin_audit_list;
/* query: head (number:hash that somebody wrote down) → {"good","bad":{"n","what"}|null,"rows",
 * "older","first":n|null,"head":"number:hash"|null,"head_met":bool|null}. Whether the chain holds;
 * `older` rows are from before there was one, head_met says whether the given row is still there.
 */
admin_op_fn admin_audit_verify;

/* {"keys":[{"id","current","since"|null,"sealed":n}],"rotation":{"state":"idle|sealing|waiting",
 * "done":n,"stuck":n,"until"|null}}. Rotating makes a new key, which seals from now on; what is
 * stored is sealed again in the background, and old keys are removed once nothing needs them. */
admin_op_fn admin_key_list, admin_key_rotate;

/* {"signing_keys":[{"kid","alg","created","active_from","retired_at"|null,"state"}]}, oldest first,
 * public parts only by GET /oauth2/jwks. state: "next" is published and does not sign yet, "active"
 * signs, "retiring" is published for what it signed, "retired" is known for old ID tokens as hints,
 * and goes. retired_at: when it leaves (left) the key set. */
admin_op_fn admin_signing_key_list;
/* {"at_once"?}: new ones for every algorithm, which sign a day after they are published, or at
 * once; then answers as the list. CONFLICT: they are on their way already. */
admin_op_fn admin_signing_key_rotate;

/* A provider: {"id","plugin","label","source":{"kind":"row|file|environment","file"|null},
 * "read_only","enabled","usable","reason"|null,"callback_url","settings":{key: text},
 * "secrets":{key: {"active":{"since"|null,"expires"|null}|null,"next","retiring","using"}},
 * "health":{"state":"ok|failing|unknown","last_success"|null,"signed_in_today":n,"failed_today":n,
 * "failures":[{"kind","text","count","last"}]},"version":n|null}. Settings are what was given, not
 * the defaults; secrets never come out. The etag is the version; those of files have none. */
admin_op_fn admin_provider_list; /* {"providers":[…]} */
admin_op_fn admin_provider_show;
/* {"id","settings":{key: text, number, bool or [text]},"adopt"?,"force"?}: settings may hold
 * secrets, which needs the scope for them. All of it is judged as it would be in force; `fields`
 * names keys. An id that accounts came through, or another upstream in place of one, wants
 * "adopt":true, because whoever controls the upstream controls its accounts. */
admin_op_fn admin_provider_add;
/* id, If-Match. {"settings","adopt"?,"force"?}: replacing, what is absent is default again, but
 * secrets stay; editing, what is absent stays, null unsets. */
admin_op_fn admin_provider_replace, admin_provider_edit;
/* id, If-Match. {"force"?}. Accounts and sessions stay. Deleting or disabling the last usable
 * provider, or the one the admin's own session came through, wants "force":true. */
admin_op_fn admin_provider_delete;

/* id. {"secret","key"?,"expires"?}: into the slot "next", or "active" where that is empty. key:
 * "client_secret" unless given. These three answer with the provider; If-Match is heeded if sent.
 */
admin_op_fn admin_secret_rotate;
admin_op_fn admin_secret_promote; /* {"key"?}: next becomes active, active retiring */
/* {"slot","key"?,"force"?}: forgets it; the active one only by force. */
admin_op_fn admin_secret_drop;

/* A test: login/probe.h says what comes back. id, {"slot"?}; and of a draft: a body as for adding,
 * where secrets that are stored already count as there. */
admin_op_fn admin_provider_test, admin_provider_test_draft;
/* A rehearsal, for the browser whose `bind` is given → {"id","url"|null,"problem"|null}: send it to
 * url. id; or a draft. */
admin_op_fn admin_provider_rehearse, admin_provider_rehearse_draft;
/* id of a rehearsal: login/rehearsal.h says what comes back; only to the actor who began it. */
admin_op_fn admin_rehearsal_show;

/* An app: {"id","label","source":{"kind":"row|file","file"|null},"read_only","registered"|null,
 * "enabled","usable","reason"|null,"settings":{key: text, "rules":[{"path","methods"?,"require"}]},
 * "secrets":[{"id","created","expires"|null,"last_used"|null}],"version"|null}. Settings are what
 * was given, not the defaults. The etag is the version; those of files have none. */
admin_op_fn admin_app_list; /* {"apps":[…]} */
admin_op_fn admin_app_show;
/* {"id","settings"}: values as of a provider's; all of it is judged as it would be in force. */
admin_op_fn admin_app_add;
/* id, If-Match. {"settings"}: replacing, what is absent is default again, but for `consent` of an
 * app that registered itself; editing, what is absent
 * stays, null unsets, and rules are given whole. Deleting, its secrets go, too. */
admin_op_fn admin_app_replace, admin_app_edit, admin_app_delete;
/* id; query: user (an account; absent: nobody), provider (which of their identities; absent: the
 * one seen last), path, method, client (an address) → app/decide.h's explanation, and "user",
 * "provider", "disabled". */
admin_op_fn admin_app_explain;
/* id, of a file as well. {"expires"?} → {"id","created","expires","last_used","secret"}: told this
 * once. Of two that are good the old one goes when every place knows the new one. */
admin_op_fn admin_app_secret_add;
admin_op_fn admin_app_secret_delete; /* id, sub: the secret's */

/* {"open":bool,"tokens":[{"id","name","owner"|null,"created","expires","used"|null}]}: whether apps
 * may register themselves, and initial tokens, each of which lets one in; until they expire. */
admin_op_fn admin_registration_token_list;
/* {"name","expires"?: at most 30 days ahead; tomorrow} → the same and "token", told this once. */
admin_op_fn admin_registration_token_add;
admin_op_fn admin_registration_token_delete; /* id; what it let in stays */

/* By an actor of admin_initial_check, whose token is used up with it. The body is client metadata
 * (RFC 7591); the answer what is registered, with client_secret where there is one and
 * registration_access_token, both told this once. Of what is wrong `fields` hold the error code and
 * a sentence. ERR_DENIED: the token is not good any more. */
admin_op_fn admin_register;
/* By an actor of admin_registration_check. id: the app. The same without
 * registration_access_token (RFC 7592); client_secret only where a new one was needed. */
admin_op_fn admin_registration_show, admin_registration_replace, admin_registration_delete;

/* What a reload would change, as live/live.h tells it. */
admin_op_fn admin_config_diff;
/* Reads the files again. {"generation","problems":[{"file","line","key","text"}]};
 * ERR_MISCONFIGURED with `fields` when they are refused, and what they made before stays in force.
 */
admin_op_fn admin_config_reload;

/* {"version","started","public_url","store":"sqlite|postgresql","sessions","logins_in_flight",
 * "providers":{"total","usable"},"notes":[text],"config":{"ok","generation","loaded","why",
 * "problems":[…],"problems_since"|null,"restart":[…],"unwatched"|null},"key_rotation":{…}} */
admin_op_fn admin_status;
/* {"providers":[a provider without "settings", and "secret_age_days"|null],"signed_in_today":n,
 * "failed_today":n,"sessions":n,"config_ok":bool} */
admin_op_fn admin_overview;

/* {"plugins":[{"name","label","version","home","problem"|null}]}; id: one of them, as
 * provider/describe.h tells it. */
admin_op_fn admin_plugin_list, admin_plugin_show;

#endif
