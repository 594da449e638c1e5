/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rule.h"

#include <string.h>

#include "base/email.h"
#include "base/evidence.h"
#include "base/header.h"
#include "base/url.h"
#include "net/origin.h"
#include "usher/provider.h"

enum rule_kind {
    KIND_ANYONE = 0,
    KIND_SIGNED_IN,
    KIND_NOBODY,
    KIND_PROVIDER,
    KIND_ACCOUNT,
    KIND_EMAIL,
    KIND_EMAIL_DOMAIN,
    KIND_ROLE,
    KIND_PERMISSION,
    KIND_GROUP,
    KIND_NETWORK,
    KIND_NOT,
    KIND_AND,
    KIND_OR
};

struct rule {
    enum rule_kind kind;
    const char *text;          /* of a term: as it was written */
    const char *value;         /* as the subject's member has it */
    struct str provider;       /* of a group: whose */
    struct origin_net net;     /* of a network */
    struct rule *first, *next; /* operands, and the one behind this one */
};

/* ---- parsing --------------------------------------------------------------------------------- */

static const char *const words[] = {"anyone",  "signed_in",    "nobody", "provider",   "account",
                                    "email",   "email_domain", "role",   "permission", "group",
                                    "network", "not",          "and",    "or",         NULL};
#define KIND_NONE (sizeof words / sizeof *words - 1)

struct parser {
    struct str text;
    size_t at;
    struct arena *a;
    unsigned depth, terms;
    struct err *err;
};

static int wrong(struct parser *p, size_t at, const char *what)
{
    return err_set(p->err, ERR_INVALID, "column %zu: %s", at + 1, what);
}

static bool is_end(char c)
{
    return c == ' ' || c == '\t' || c == '(' || c == ')';
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->text.n && (p->text.p[p->at] == ' ' || p->text.p[p->at] == '\t'))
        p->at++;
}

/* The word at the cursor, up to a blank, parenthesis or ':'. */
static struct str peek_word(const struct parser *p)
{
    struct str w = {p->text.p + p->at, 0};
    while (p->at + w.n < p->text.n && !is_end(w.p[w.n]) && w.p[w.n] != ':')
        w.n++;
    return w;
}

static size_t word_kind(struct str w)
{
    size_t i = 0;
    while (i < KIND_NONE && !str_is(w, words[i]))
        i++;
    return i;
}

static bool take_word(struct parser *p, enum rule_kind kind)
{
    skip_blanks(p);
    const struct str w = peek_word(p);
    if (word_kind(w) != (size_t)kind || (p->at + w.n < p->text.n && w.p[w.n] == ':'))
        return false;
    p->at += w.n;
    return true;
}

static int quoted(struct parser *p, const char **out)
{
    const size_t from = p->at++;
    char *value = arena_alloc(p->a, p->text.n - from);
    size_t n = 0;
    while (p->at < p->text.n && p->text.p[p->at] != '"') {
        char c = p->text.p[p->at++];
        if (c == '\\') {
            c = p->at < p->text.n ? p->text.p[p->at++] : '"';
            if (c != '"' && c != '\\')
                return wrong(p, p->at - 2, "in quotes, \\\" is a quote and \\\\ a backslash");
        }
        value[n++] = c;
    }
    if (p->at == p->text.n)
        return wrong(p, from, "this quote has no end");
    p->at++;
    if (p->at < p->text.n && !is_end(p->text.p[p->at]))
        return wrong(p, p->at, "a blank or \")\" is wanted behind the quote");
    *out = value;
    return 0;
}

static int take_value(struct parser *p, const char **out)
{
    if (p->at < p->text.n && p->text.p[p->at] == '"')
        return quoted(p, out);
    const size_t from = p->at;
    while (p->at < p->text.n && !is_end(p->text.p[p->at]) && p->text.p[p->at] != '"')
        p->at++;
    if (p->at < p->text.n && p->text.p[p->at] == '"')
        return wrong(p, p->at, "quotes go around the whole value: group:\"discord:the crew\"");
    *out = arena_dupn(p->a, p->text.p + from, p->at - from);
    return 0;
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool id_valid(struct str s, const char *also, size_t max)
{
    if (s.n == 0 || s.n > max)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              strchr(also, s.p[i])))
            return false;
    return true;
}

static const char *email_value(struct rule *r, struct arena *a)
{
    struct email e;
    if (!email_parse(str_of(r->value), &e))
        return "an e-mail address is wanted";
    r->value = arena_dup(a, e.text);
    return NULL;
}

static const char *domain_value(struct rule *r)
{
    for (char *c = (char *)r->value; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    return url_host_valid(str_of(r->value)) && strchr(r->value, '.')
               ? NULL
               : "a domain is wanted, like example.com, without \"@\" or \"*\"";
}

/* As link.c names groups and base/header.h writes lists. */
static const char *group_value(struct rule *r, struct arena *a)
{
    const char *colon = strchr(r->value, ':');
    if (!colon || !colon[1] ||
        !id_valid((struct str){r->value, (size_t)(colon - r->value)}, "-", 32))
        return "a group is group:PROVIDER:NAME";
    struct buf b;
    buf_init(&b, (size_t)3 * RULE_TEXT_MAX);
    header_add(&b, r->value, true);
    r->value = arena_str(a, buf_view(&b));
    buf_deinit(&b);
    r->provider = (struct str){r->value, (size_t)(strchr(r->value, ':') - r->value)};
    return NULL;
}

/* NULL, or what is wrong with the value. */
static const char *judge_value(struct rule *r, struct arena *a)
{
    const struct str v = str_of(r->value);
    switch (r->kind) {
    case KIND_PROVIDER:
        return id_valid(v, "-", 32) ? NULL : "a provider's id is wanted, like provider:google";
    case KIND_ACCOUNT:
        return text_printable(v) && v.n <= 64 ? NULL : "an account's id is wanted";
    case KIND_EMAIL:
        return email_value(r, a);
    case KIND_EMAIL_DOMAIN:
        return domain_value(r);
    case KIND_ROLE:
        return id_valid(v, "._:-", 64) ? NULL : "a role's name is 1 to 64 of a-z, 0-9 and \"._:-\"";
    case KIND_PERMISSION:
        return id_valid(v, "._:-", 64) ? NULL
                                       : "a permission's name is 1 to 64 of a-z, 0-9 and \"._:-\"";
    case KIND_GROUP:
        return group_value(r, a);
    case KIND_NETWORK:
        return origin_net_parse(r->value, &r->net)
                   ? NULL
                   : "a network is wanted, like 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32, without "
                     "bits behind its length";
    default:
        return NULL;
    }
}

static const char expected[] =
    "anyone, signed_in, nobody, provider:, account:, email:, email_domain:, role:, permission:, "
    "group:, network:, not or \"(\" is wanted";

static int unknown_word(struct parser *p, struct str w)
{
    char word[32];
    if (w.n == 0 || w.n >= sizeof word)
        return wrong(p, p->at, expected);
    memcpy(word, w.p, w.n);
    word[w.n] = 0;
    const char *near = text_nearest(word, words);
    return near ? err_set(p->err, ERR_INVALID, "column %zu: did you mean \"%s\"?", p->at + 1, near)
                : wrong(p, p->at, expected);
}

static int parse_term(struct parser *p, struct rule **out)
{
    const size_t from = p->at;
    const struct str w = peek_word(p);
    const size_t kind = word_kind(w);
    const bool colon = from + w.n < p->text.n && p->text.p[from + w.n] == ':';
    if (kind >= KIND_NOT && kind < KIND_NONE)
        return wrong(p, from, expected);
    if (kind == KIND_NONE)
        return unknown_word(p, w);
    if (++p->terms > RULE_TERMS_MAX)
        return wrong(p, from, "more terms than a rule may have: put people in a role");
    struct rule *r = arena_alloc(p->a, sizeof *r);
    r->kind = (enum rule_kind)kind;
    p->at += w.n;
    if (kind <= KIND_NOBODY && colon)
        return wrong(p, p->at, "this word has no value");
    if (kind > KIND_NOBODY && !colon)
        return wrong(p, p->at, "\":\" and a value are wanted");
    p->at += colon;
    const size_t value = p->at;
    if (colon && take_value(p, &r->value) != 0)
        return -1;
    const char *fault = colon && !*r->value ? "the value is empty" : judge_value(r, p->a);
    if (fault)
        return wrong(p, value, fault);
    r->text = arena_dupn(p->a, p->text.p + from, p->at - from);
    *out = r;
    return 0;
}

static int parse_or(struct parser *p, struct rule **out);

static int parse_not(struct parser *p, struct rule **out)
{
    skip_blanks(p);
    const size_t from = p->at;
    const bool bracket = p->at < p->text.n && p->text.p[p->at] == '(';
    const bool negated = !bracket && take_word(p, KIND_NOT);
    if (!bracket && !negated)
        return parse_term(p, out);
    if (++p->depth > RULE_DEPTH_MAX)
        return wrong(p, from, "too many parentheses within each other");
    if (bracket) {
        p->at++;
        if (parse_or(p, out) != 0)
            return -1;
        skip_blanks(p);
        if (p->at == p->text.n || p->text.p[p->at] != ')')
            return wrong(p, p->at, "\")\", and or or is wanted");
        p->at++;
    } else {
        struct rule *r = arena_alloc(p->a, sizeof *r);
        r->kind = KIND_NOT;
        if (parse_not(p, &r->first) != 0)
            return -1;
        *out = r;
    }
    p->depth--;
    return 0;
}

/* One operand, or several joined by `kind`. */
static int parse_list(struct parser *p, enum rule_kind kind,
                      int (*operand)(struct parser *, struct rule **), struct rule **out)
{
    struct rule *list = arena_alloc(p->a, sizeof *list);
    struct rule **end = &list->first;
    list->kind = kind;
    do {
        if (operand(p, end) != 0)
            return -1;
        end = &(*end)->next;
    } while (take_word(p, kind));
    *out = list->first->next ? list : list->first;
    return 0;
}

static int parse_and(struct parser *p, struct rule **out)
{
    return parse_list(p, KIND_AND, parse_not, out);
}

static int parse_or(struct parser *p, struct rule **out)
{
    return parse_list(p, KIND_OR, parse_and, out);
}

int rule_parse(struct str text, struct arena *a, const struct rule **out, struct err *err)
{
    struct parser p = {.text = text, .a = a, .err = err};
    if (text.n > RULE_TEXT_MAX)
        return err_set(err, ERR_INVALID, "longer than %d bytes", RULE_TEXT_MAX);
    if (!text_utf8(text))
        return err_set(err, ERR_INVALID, "not UTF-8");
    for (size_t i = 0; i < text.n; i++)
        if (((unsigned char)text.p[i] < 0x20 && text.p[i] != '\t') || text.p[i] == 0x7f)
            return wrong(&p, i, "a control byte");
    struct rule *whole = NULL;
    if (parse_or(&p, &whole) != 0)
        return -1;
    skip_blanks(&p);
    if (p.at < text.n)
        return wrong(&p, p.at,
                     text.p[p.at] == ')' ? "this \")\" closes nothing"
                                         : "and, or or the end is wanted");
    *out = whole;
    return 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

struct app_subject app_nobody(const char *client)
{
    return (struct app_subject){.account = "",
                                .provider = "",
                                .email = "",
                                .groups = "",
                                .roles = "",
                                .permissions = "",
                                .client = client};
}

static enum rule_truth truth(bool yes)
{
    return yes ? RULE_YES : RULE_NO;
}

static enum rule_truth unknown(const char **why, const char *reason)
{
    *why = reason;
    return RULE_UNKNOWN;
}

static bool email_proven(const struct app_subject *s)
{
    return *s->email && evidence_proves(s->email_evidence);
}

static enum rule_truth ask_network(const struct rule *r, const struct app_subject *s,
                                   const char **why)
{
    struct sockaddr_storage at;
    if (!s->client || !origin_parse(s->client, &at))
        return unknown(why, "the client's address is not known");
    return truth(origin_net_has(&r->net, (const struct sockaddr *)&at));
}

static enum rule_truth ask_email(const struct rule *r, const struct app_subject *s,
                                 const char **why)
{
    if (!email_proven(s))
        return unknown(why, *s->email ? "too little proof that the address is theirs"
                                      : "no e-mail address");
    const char *at = strrchr(s->email, '@');
    const char *mine = r->kind == KIND_EMAIL ? s->email : at ? at + 1 : "";
    return truth(strcmp(mine, r->value) == 0);
}

static enum rule_truth ask_group(const struct rule *r, const struct app_subject *s,
                                 const char **why)
{
    if (!str_is(r->provider, s->provider))
        return unknown(why, "signed in by another provider");
    if (header_has(s->groups, str_of(r->value)))
        return RULE_YES;
    if (!header_has_room(s->groups, str_of(r->value)))
        return unknown(why, "more groups than are kept: this one may be among those left out");
    return RULE_NO;
}

static enum rule_truth ask_term(const struct rule *r, const struct app_subject *s, const char **why)
{
    if (r->kind == KIND_ANYONE || r->kind == KIND_NOBODY)
        return truth(r->kind == KIND_ANYONE);
    if (r->kind == KIND_NETWORK)
        return ask_network(r, s, why);
    if (!s->signed_in)
        return unknown(why, "nobody is signed in");
    switch (r->kind) {
    case KIND_SIGNED_IN:
        return RULE_YES;
    case KIND_PROVIDER:
        return truth(strcmp(s->provider, r->value) == 0);
    case KIND_ACCOUNT:
        return truth(strcmp(s->account, r->value) == 0);
    case KIND_EMAIL:
    case KIND_EMAIL_DOMAIN:
        return ask_email(r, s, why);
    case KIND_ROLE:
        return truth(header_has(s->roles, str_of(r->value)));
    case KIND_PERMISSION:
        return truth(header_has(s->permissions, str_of(r->value)));
    case KIND_GROUP:
        return ask_group(r, s, why);
    default:
        return RULE_NO;
    }
}

/* Kleene's logic: a list stops at what decides it, `no` for and, `yes` for or. */
static enum rule_truth ask_list(const struct rule *r, const struct app_subject *s)
{
    const enum rule_truth decides = r->kind == KIND_AND ? RULE_NO : RULE_YES;
    enum rule_truth so_far = r->kind == KIND_AND ? RULE_YES : RULE_NO;
    for (const struct rule *one = r->first; one; one = one->next) {
        const enum rule_truth t = rule_ask(one, s);
        if (t == decides)
            return t;
        if (t == RULE_UNKNOWN)
            so_far = t;
    }
    return so_far;
}

enum rule_truth rule_ask(const struct rule *r, const struct app_subject *s)
{
    const char *why;
    if (r->kind == KIND_AND || r->kind == KIND_OR)
        return ask_list(r, s);
    if (r->kind != KIND_NOT)
        return ask_term(r, s, &why);
    const enum rule_truth t = rule_ask(r->first, s);
    return t == RULE_UNKNOWN ? t : truth(t == RULE_NO);
}

const char *rule_truth_name(enum rule_truth t)
{
    return t == RULE_YES ? "yes" : t == RULE_NO ? "no" : "unknown";
}

static void trace(const struct rule *r, const struct app_subject *s, struct jval *list)
{
    const char *why = NULL;
    if (r->kind >= KIND_NOT) {
        for (const struct rule *one = r->first; one; one = one->next)
            trace(one, s, list);
        return;
    }
    struct jval *o = jval_new_object();
    jval_set_text(o, "term", r->text);
    jval_set_text(o, "result", rule_truth_name(ask_term(r, s, &why)));
    jval_set_text(o, "why", why);
    jval_push(list, o);
}

struct jval *rule_trace(const struct rule *r, const struct app_subject *s)
{
    struct jval *list = jval_new_array();
    trace(r, s, list);
    return list;
}
