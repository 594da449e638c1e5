/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google: OpenID Connect. The hosted domain (`hd`) is enforced on the verified claim; the parameter
 * of that name is a hint which people can edit. An e-mail address proves something only where
 * Google runs the mailbox: gmail.com, or a Workspace domain.
 */
#include "usher/kit.h"

struct config {
    const char *const *hosted_domains;
    bool offline;
    int prompt;
    const char *issuer;
};

static const char *const prompts[] = {"select_account", "consent", "none", "unset", NULL};
enum { PROMPT_UNSET = 3 };

static const struct usher_setting settings[] = {
    USHER_SET_LIST(struct config, hosted_domains, .label = "Workspace domains",
                   .help = "Only accounts of these Google Workspace domains may sign in; * stands "
                           "for any Workspace account.",
                   .example = "example.com"),
    USHER_SET_BOOL(struct config, offline, .label = "Offline access", .flags = USHER_ADVANCED,
                   .value = "false",
                   .help = "Ask for a refresh token. People then see the consent page each time."),
    USHER_SET_CHOICE(struct config, prompt, .label = "Prompt", .flags = USHER_ADVANCED,
                     .value = "select_account", .choices = prompts,
                     .help = "What Google shows to somebody who is signed in there already."),
    USHER_SET_URL(struct config, issuer, .label = "Issuer", .value = "https://accounts.google.com",
                  .flags = USHER_ORIGIN | USHER_ADVANCED, .help = "Who issues the ID tokens."),
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same(const char *x, const char *y)
{
    while (*x && lower(*x) == lower(*y)) {
        x++;
        y++;
    }
    return lower(*x) == lower(*y);
}

static bool domain_allowed(const struct config *c, const char *hd)
{
    if (!c->hosted_domains || !c->hosted_domains[0])
        return true;
    for (size_t i = 0; hd && *hd && c->hosted_domains[i]; i++)
        if (strcmp(c->hosted_domains[i], "*") == 0 || same(c->hosted_domains[i], hd))
            return true;
    return false;
}

static uint32_t evidence(struct usher_call *call, const struct usher_json *claims,
                         const char *email, const char *hd)
{
    const char *domain = email ? strrchr(email, '@') : NULL;
    if (!domain || call->host->json_bool(call, claims, "/email_verified") != 1)
        return USHER_EVIDENCE_NONE;
    if ((hd && *hd) || same(domain, "@gmail.com") || same(domain, "@googlemail.com"))
        return USHER_EVIDENCE_AUTHORITATIVE;
    return USHER_EVIDENCE_PROVIDER_ASSERTED;
}

static void parse(struct usher_call *call, const struct usher_sources *s, struct usher_action *a)
{
    const struct usher_host *h = call->host;
    const struct usher_json *claims = s->v[0];
    const char *hd = h->json_text(call, claims, "/hd");
    struct usher_identity *id = h->alloc(call, sizeof *id);
    if (!domain_allowed(call->config, hd)) {
        usher_fail(a, USHER_NOT_ALLOWED, "not an account of one of hosted_domains", NULL);
        return;
    }
    id->size = sizeof *id;
    id->subject = h->json_text(call, claims, "/sub");
    id->email = h->json_text(call, claims, "/email");
    id->email_evidence = evidence(call, claims, id->email, hd);
    id->name = h->json_text(call, claims, "/name");
    id->picture = h->json_text(call, claims, "/picture");
    id->locale = h->json_text(call, claims, "/locale");
    id->amr = usher_claim_list(call, s, "0:/amr", NULL);
    if (!h->json_int(call, claims, "/auth_time", &id->auth_time))
        id->auth_time = 0;
    a->kind = USHER_DONE;
    a->identity = id;
}

/* Older tokens name the issuer without its scheme. */
static const char *const *issuers(struct usher_call *call, const char *issuer)
{
    const char **list = call->host->alloc(call, 3 * sizeof *list);
    const char *host = strstr(issuer, "://");
    list[0] = issuer;
    list[1] = host ? host + 3 : NULL;
    return list;
}

/* One domain, or any Workspace domain, can be told beforehand; a choice of several cannot. */
static const char *hosted_hint(const struct config *c)
{
    return c->hosted_domains && c->hosted_domains[0] && !c->hosted_domains[1] ? c->hosted_domains[0]
                                                                              : NULL;
}

static void step(struct usher_call *call, const struct usher_event *ev, struct usher_action *a)
{
    const struct config *c = call->config;
    struct usher_kit kit = {
        .issuer = c->issuer,
        .issuers = issuers(call, c->issuer),
        .redirect_flags = USHER_SEND_PKCE | USHER_SEND_NONCE,
        .client_auth = USHER_AUTH_BASIC,
        .id_token = true,
        .parse = parse,
    };
    usher_add(call, &kit.authorize, "hd", hosted_hint(c));
    if (c->offline) {
        /* A refresh token comes at the first consent only, or when consent is asked again. */
        usher_add(call, &kit.authorize, "access_type", "offline");
        usher_add(call, &kit.authorize, "prompt",
                  c->prompt == 0 ? "select_account consent" : "consent");
    } else if (c->prompt != PROMPT_UNSET) {
        usher_add(call, &kit.authorize, "prompt", prompts[c->prompt]);
    }
    usher_kit_step(call, &kit, ev, a);
}

static const char *check(struct usher_call *call)
{
    const struct config *c = call->config;
    for (size_t i = 0; c->hosted_domains && c->hosted_domains[i]; i++)
        if (strcmp(c->hosted_domains[i], "*") != 0 && !strchr(c->hosted_domains[i], '.'))
            return "hosted_domains must be domains like example.com, or *";
    const char *recheck = call->host->setting(call, "recheck");
    if (recheck && strcmp(recheck, "0") != 0 && !c->offline)
        return "recheck needs a refresh token: set offline = yes, or recheck = 0";
    if (c->offline && c->prompt == 2)
        return "offline needs consent, and prompt = none forbids it: change one of them";
    return NULL;
}

USHER_EXPORT const struct usher_provider usher_provider = {
    USHER_PROVIDER_HEAD,
    .name = "google",
    .label = "Google",
    .version = "1.0",
    .home = "https://console.cloud.google.com/auth/clients",
    .scopes = "openid email profile",
    .settings = settings,
    .n_settings = sizeof settings / sizeof *settings,
    .config_size = sizeof(struct config),
    .leg_size = sizeof(struct usher_kit_leg),
    .check = check,
    .step = step,
};
