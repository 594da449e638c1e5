/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discord, API v10: OAuth 2.0 and /users/@me. With `guild` set, only members of that server may
 * sign in, and their role ids become groups (scope guilds.members.read).
 */
#include <stdlib.h>

#include "usher/kit.h"

#define PLUGIN_VERSION "1.0"
#define MEMBER_SCOPE "guilds.members.read"

struct config {
    const char *guild;
    const char *const *required_roles;
    const char *api_url, *authorize_url, *cdn_url;
};

struct leg {
    struct usher_kit_leg kit;
    const char *site; /* ours, for the User-Agent */
};

static const struct usher_setting settings[] = {
    USHER_SET_TEXT(struct config, guild, .label = "Server",
                   .help =
                       "Id of a Discord server (guild): only its members may sign in, and their "
                       "role ids become groups.",
                   .example = "81384788765712384"),
    USHER_SET_LIST(struct config, required_roles, .label = "Required roles",
                   .help = "Role ids of that server; one of them is needed to sign in.",
                   .example = "197038439483310086"),
    USHER_SET_URL(struct config, api_url, .label = "API", .value = "https://discord.com/api/v10",
                  .flags = USHER_ORIGIN | USHER_ADVANCED, .help = "Where Discord's API is."),
    USHER_SET_URL(struct config, authorize_url, .label = "Authorization endpoint",
                  .value = "https://discord.com/oauth2/authorize",
                  .flags = USHER_ORIGIN | USHER_ADVANCED, .help = "Where people sign in."),
    USHER_SET_URL(struct config, cdn_url, .label = "Pictures", .flags = USHER_ADVANCED,
                  .value = "https://cdn.discordapp.com", .help = "Where Discord's pictures are."),
};

static bool snowflake(const char *text)
{
    size_t n = text ? strspn(text, "0123456789") : 0;
    return n >= 1 && n <= 20 && text[n] == 0;
}

/* Own picture, animated if its hash says so; else one of the default pictures, chosen as Discord
 * chooses: by id for new accounts, by discriminator for those that still have one. */
static const char *picture(struct usher_call *call, const struct usher_json *user, const char *id)
{
    const struct config *c = call->config;
    const char *hash = call->host->json_text(call, user, "/avatar");
    int64_t discriminator = 0;
    if (hash && usher_url_safe(hash)) {
        const char *type = strncmp(hash, "a_", 2) == 0 ? "gif" : "png";
        return usher_join(call, c->cdn_url,
                          call->host->text(call, "/avatars/%s/%s.%s", id, hash, type));
    }
    call->host->json_int(call, user, "/discriminator", &discriminator);
    unsigned n = discriminator > 0 ? (unsigned)(discriminator % 5)
                                   : (unsigned)((strtoull(id, NULL, 10) >> 22) % 6);
    return usher_join(call, c->cdn_url, call->host->text(call, "/embed/avatars/%u.png", n));
}

static bool has_role(const struct config *c, const char *const *roles)
{
    if (!c->required_roles || !c->required_roles[0])
        return true;
    for (size_t i = 0; roles && roles[i]; i++)
        for (size_t k = 0; c->required_roles[k]; k++)
            if (strcmp(roles[i], c->required_roles[k]) == 0)
                return true;
    return false;
}

/* Membership: source 2, NULL for who is none. A member who has not passed the server's screening is
 * none yet; Discord leaves `pending` out where it is false. What cannot be read opens nothing. */
static bool is_member(struct usher_call *call, const struct usher_sources *s,
                      const char *const *roles, struct usher_action *a)
{
    const struct usher_json *member = s->v[2];
    uint32_t pending = call->host->json_type(call, member, "/pending");
    if (!member)
        usher_fail(a, USHER_NOT_ALLOWED, "not a member of the server", NULL);
    else if (call->host->json_type(call, member, "/roles") != USHER_JSON_ARRAY ||
             (pending != USHER_JSON_NONE && pending != USHER_JSON_BOOL))
        usher_fail(a, USHER_UPSTREAM_BAD, "the membership makes no sense", NULL);
    else if (call->host->json_bool(call, member, "/pending") == 1)
        usher_fail(a, USHER_NOT_ALLOWED, "the server's screening is not finished", NULL);
    else if (!has_role(call->config, roles))
        usher_fail(a, USHER_NOT_ALLOWED, "none of the required roles", NULL);
    else
        return true;
    return false;
}

static void parse(struct usher_call *call, const struct usher_sources *s, struct usher_action *a)
{
    const struct usher_host *h = call->host;
    const struct config *c = call->config;
    const struct usher_json *user = s->v[1];
    struct usher_identity *id = h->alloc(call, sizeof *id);
    *id = (struct usher_identity){.size = sizeof *id, .subject = h->json_text(call, user, "/id")};
    if (!snowflake(id->subject)) {
        usher_fail(a, USHER_UPSTREAM_BAD, "the user has no id", NULL);
        return;
    }
    if (c->guild) {
        id->groups = usher_claim_list(call, s, "2:/roles", NULL);
        if (!is_member(call, s, id->groups, a))
            return;
    }
    const char *username = h->json_text(call, user, "/username");
    const char *discriminator = h->json_text(call, user, "/discriminator");
    bool old = username && discriminator && *discriminator && strcmp(discriminator, "0") != 0;
    const char *shown = h->json_text(call, user, "/global_name");
    id->username = old ? h->text(call, "%s#%s", username, discriminator) : username;
    id->name = shown && *shown ? shown : username;
    id->email = h->json_text(call, user, "/email");
    if (id->email && h->json_bool(call, user, "/verified") == 1)
        id->email_evidence = USHER_EVIDENCE_PROVIDER_ASSERTED;
    id->picture = picture(call, user, id->subject);
    id->locale = h->json_text(call, user, "/locale");
    a->kind = USHER_DONE;
    a->identity = id;
}

/* What Discord answers about somebody who is not in the server is not documented; it has the codes
 * 10004 (unknown guild) and 50001 (missing access), so 403 and 404 mean "not a member". */
static bool refused(struct usher_call *call, size_t source, const struct usher_response *r,
                    struct usher_action *a)
{
    (void)call;
    (void)a;
    return source == 2 && (r->status == 403 || r->status == 404);
}

static const char *scope(struct usher_call *call)
{
    const struct config *c = call->config;
    const char *scopes = call->host->setting(call, "scopes");
    if (!c->guild || !scopes || strstr(scopes, MEMBER_SCOPE))
        return scopes;
    return call->host->text(call, "%s " MEMBER_SCOPE, scopes);
}

/* Discord wants `DiscordBot (url, version)`; other agents may get an error page of the CDN's. The
 * URL is this site's, which only START knows: it travels in `carry`. */
static const char *site(struct usher_call *call, const struct usher_event *ev)
{
    const char *uri = ev->kind == USHER_START ? ev->start->redirect_uri : "";
    const char *host = strstr(uri, "://");
    struct leg *leg = call->leg;
    if (host)
        leg->site = usher_cut(call, uri, host + 3 + strcspn(host + 3, "/"));
    else if (ev->kind == USHER_CALLBACK)
        leg->site = call->host->text(call, "%s", ev->callback->carry);
    return leg->site;
}

static void step(struct usher_call *call, const struct usher_event *ev, struct usher_action *a)
{
    const struct config *c = call->config;
    const char *here = site(call, ev);
    struct usher_kit kit = {
        .authorize_url = c->authorize_url,
        .token_url = usher_join(call, c->api_url, "/oauth2/token"),
        .redirect_flags = USHER_SEND_PKCE,
        .client_auth = USHER_AUTH_BASIC,
        .scope = scope(call),
        .source = {NULL, usher_join(call, c->api_url, "/users/@me")},
        .refused = refused,
        .parse = parse,
    };
    if (c->guild)
        kit.source[2] = usher_join(call, c->api_url,
                                   call->host->text(call, "/users/@me/guilds/%s/member", c->guild));
    if (!call->host->setting(call, "user_agent"))
        usher_add(call, &kit.headers, "User-Agent",
                  call->host->text(call, "DiscordBot (%s, " PLUGIN_VERSION ")", here));
    usher_kit_step(call, &kit, ev, a);
    if (a->kind == USHER_REDIRECT)
        a->carry = here;
}

static const char *check(struct usher_call *call)
{
    const struct config *c = call->config;
    if (c->guild && !snowflake(c->guild))
        return "guild is not the id of a server: switch on Developer Mode in Discord, then "
               "right-click the server and choose Copy Server ID";
    if (c->required_roles && c->required_roles[0] && !c->guild)
        return "required_roles needs guild: set the server the roles belong to";
    return NULL;
}

USHER_EXPORT const struct usher_provider usher_provider = {
    USHER_PROVIDER_HEAD,
    .name = "discord",
    .label = "Discord",
    .version = PLUGIN_VERSION,
    .home = "https://discord.com/developers/applications",
    .scopes = "identify email",
    .settings = settings,
    .n_settings = sizeof settings / sizeof *settings,
    .config_size = sizeof(struct config),
    .leg_size = sizeof(struct leg),
    .check = check,
    .step = step,
};
