/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule: the language of `require`: who may come in, as an expression an admin can write and read.
 *
 *     require = role:admin or (group:discord:81384788765712384 and not network:10.9.0.0/16)
 *
 * `or` binds looser than `and`, `and` looser than `not`; parentheses group. Terms:
 *
 *     anyone  signed_in  nobody
 *     provider:ID  account:ID  email:ADDRESS  email_domain:DOMAIN
 *     role:NAME  permission:NAME  group:PROVIDER:NAME  network:ADDRESS or network:ADDRESS/BITS
 *
 * A value with blanks or parentheses stands in double quotes: group:"discord:the crew"; in quotes,
 * \" is a quote and \\ a backslash. Values are compared whole and byte for byte: there are no
 * patterns. Domains are folded to lower case.
 *
 * What is not known is neither true nor false, and `not` of it is not known either: who is signed
 * out has no provider, an address without proof is nobody's, groups of a provider are known of
 * people who came through it, and a client whose address cannot be read is in no network and
 * outside of none. Only what is true opens. So `not group:discord:banned` does not admit whoever
 * signs in by another provider, and no rule admits the signed out but by `anyone` or `network:`.
 *
 * Size and depth are bounded; time is linear in the expression and the subject. Rules are immutable
 * and live in the arena they were parsed into; any thread may read them.
 */
#ifndef APP_RULE_H
#define APP_RULE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

#define RULE_TEXT_MAX 4096
#define RULE_TERMS_MAX 100
#define RULE_DEPTH_MAX 16 /* parentheses and `not` within each other */

/* Who asks. No member is NULL but `client`; "" is unknown or none. Borrowed. */
struct app_subject {
    bool signed_in;
    const char *account, *provider, *email;
    int email_evidence;                       /* enum usher_evidence */
    const char *groups, *roles, *permissions; /* lists in header form (base/header.h) */
    const char *client;                       /* address text; NULL: unknown */
};
/* Nobody in particular, from this address. */
struct app_subject app_nobody(const char *client);

enum rule_truth { RULE_NO = 0, RULE_YES = 1, RULE_UNKNOWN = 2 };

struct rule;
/* 0, or -1 with ERR_INVALID: "column 7: …", what is wrong and what was expected. */
int rule_parse(struct str text, struct arena *a, const struct rule **out, struct err *err)
    __attribute__((warn_unused_result));
enum rule_truth rule_ask(const struct rule *r, const struct app_subject *s);
/* Every term in order: [{"term", "result": "yes", "no" or "unknown", "why": text or null}]. */
struct jval *rule_trace(const struct rule *r, const struct app_subject *s);
const char *rule_truth_name(enum rule_truth t);

#endif
