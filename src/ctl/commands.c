/* SPDX-License-Identifier: Apache-2.0 */
/* Everything usherctl can do, on two screens. */
#include "ctl/ctl.h"

#define OPTIONS(v) .options = (v), .n_options = sizeof(v) / sizeof *(v)

const struct ctl_option ctl_global_options[] = {
    {"json", NULL, "print answers as JSON, for scripts"},
    {"socket", "PATH", "the daemon's admin socket (USHER_SOCKET; " USHER_ADMIN_SOCKET ")"},
    {"url", "URL", "an usher elsewhere, instead of the socket (USHER_URL)"},
    {"token-file", "FILE",
     "an API token for --url, in a file only you can read (USHER_TOKEN_FILE)"},
    {"help", NULL, "what there is, or more about a command"},
};
const size_t ctl_global_options_n = sizeof ctl_global_options / sizeof *ctl_global_options;

static const struct ctl_option add_options[] = {
    {"plugin", "NAME", "the plugin that speaks to the provider; the id, if left out"},
    {"set", "KEY=VALUE", "a setting; may be given again and again. Secrets are asked for"},
    {"adopt", NULL, "take over the accounts that an earlier provider of this id left behind"},
    {"no-test", NULL, "do not test it afterwards"},
};
static const struct ctl_option edit_options[] = {
    {"set", "KEY=VALUE", "a setting; may be given again and again"},
    {"unset", "KEY", "back to the default; may be given again and again"},
    {"force", NULL, "also if nobody could sign in afterwards"},
};
static const struct ctl_option force_options[] = {
    {"force", NULL, "also if nobody could sign in afterwards"},
    {"yes", NULL, "do not ask"},
};
static const struct ctl_option app_options[] = {
    {"set", "KEY=VALUE", "a setting; may be given again and again"},
    {"rule", "RULE",
     "a path and who may: \"/admin/* role:admin\", or with methods: \"/api/* "
     "GET,POST signed_in\"; may be given again and again. All others go"},
};
static const struct ctl_option app_set_options[] = {
    {"set", "KEY=VALUE", "a setting; may be given again and again"},
    {"unset", "KEY", "back to the default; may be given again and again"},
    {"rule", "RULE",
     "a path and who may: \"/admin/* role:admin\"; may be given again and again. "
     "All others go"},
    {"no-rules", NULL, "no rules for paths"},
};
static const struct ctl_option yes_options[] = {{"yes", NULL, "do not ask"}};
static const struct ctl_option app_secret_options[] = {
    {"expires", "DATE", "when it stops working: 2027-01-31, or how long: 12h, 180d"}};
static const struct ctl_option explain_options[] = {
    {"app", "ID", "the app"},
    {"user", "ACCOUNT", "who asks; without it somebody who is not signed in"},
    {"provider", "ID", "which of their identities (the one seen last)"},
    {"path", "PATH", "as in an address; without it the app as a whole"},
    {"method", "METHOD", "as GET"},
    {"client", "ADDRESS", "where they are, for rules about networks"},
};
static const struct ctl_option rotate_options[] = {
    {"key", "KEY", "which secret (client_secret)"},
    {"expires", "DATE", "when the new one stops working: 2027-01-31, or how long: 12h, 180d"},
};
static const struct ctl_option signing_key_options[] = {
    {"at-once", NULL, "sign with them from now on, not in a day"},
    {"yes", NULL, "do not ask"},
};
static const struct ctl_option key_options[] = {{"key", "KEY", "which secret (client_secret)"}};
#define AUDIT_FILTER                                                                               \
    {"account", "ID", "only what this account did, and what was done to it"},                      \
        {"actor", "ID", "only what this account, token or user did; or a kind of them"},           \
        {"action", "NAME", "only this, as provider.edit; or all of a kind: login."},               \
        {"object", "ID", "only what was done to this"},                                            \
        {"provider", "ID", "only through this provider"}, {"app", "ID", "only for this app"},      \
        {"ip", "ADDRESS", "only from there"}, {"outcome", "WORD", "done, refused or failed"},      \
        {"since", "WHEN", "not before: 2027-01-31, or so long ago: 12h, 7d"},                      \
    {                                                                                              \
        "until", "WHEN", "not after"                                                               \
    }
static const struct ctl_option audit_search_options[] = {{"limit", "N", "how many entries (50)"},
                                                         AUDIT_FILTER};
static const struct ctl_option audit_tail_options[] = {
    {"follow", NULL, "go on with what happens from now on; also -f"},
    {"limit", "N", "how many entries to begin with (20)"},
    AUDIT_FILTER};
static const struct ctl_option audit_export_options[] = {AUDIT_FILTER};
static const struct ctl_option audit_verify_options[] = {
    {"head", "N:HASH", "what was the newest entry once must still be there"}};
static const struct ctl_option token_options[] = {
    {"scopes", "LIST", "what it may do: read write secrets metrics (read)"},
    {"expires", "DATE", "2027-01-31, or how long: 12h, 90d"},
};
static const struct ctl_option registration_options[] = {
    {"expires", "DATE", "2027-01-31, or how long: 12h, 7d, at most 30d (1d)"},
};
static const struct ctl_option user_list_options[] = {
    {"search", "TEXT", "part of a name, username or e-mail; or a whole id or subject"},
    {"provider", "ID", "only who can sign in with it"},
    {"role", "NAME", "only who has it"},
    {"disabled", NULL, "only disabled ones"},
    {"enabled", NULL, "only those that are not disabled"},
    {"limit", "N", "how many, up to 200 (50)"},
    {"after", "ID", "go on behind this one"},
};
static const struct ctl_option user_disable_options[] = {
    {"reason", "TEXT", "why; for admins, never shown to the person"},
    {"until", "DATE", "2027-01-31, or how long: 12h, 90d; without it for good"},
    {"force", NULL, "also the last admin"},
};
static const struct ctl_option user_end_options[] = {{"session", "ID", "only this one"}};
static const struct ctl_option user_delete_options[] = {
    {"bar", NULL, "what they signed in with may never come back"},
    {"force", NULL, "also the last admin"},
    {"yes", NULL, "do not ask"},
};
static const struct ctl_option role_set_options[] = {
    {"allow", "NAME", "a permission; may be given again and again. All others go"},
    {"allow-nothing", NULL, "no permissions at all"},
    {"description", "TEXT", "what the role is for"},
};
static const struct ctl_option role_delete_options[] = {
    {"force", NULL, "also take it from everybody who has it"},
    {"yes", NULL, "do not ask"},
};
static const struct ctl_option revoke_options[] = {{"force", NULL, "also the last admin"}};

const struct ctl_command ctl_commands[] = {
    {"setup-link", "", 0, 0, "make a link that signs its bearer in as operator for an hour",
     .help = "For the first visit, before there is an admin. The link works once, for ten minutes. "
             "Only over the admin socket.",
     .run = ctl_setup_link},
    {"status", "", 0, 0, "how the daemon is, and which configuration is in force",
     .run = ctl_status},
    {"provider list", "", 0, 0, "all providers, with the age of their secrets",
     .run = ctl_provider_list},
    {"provider show", "<id>", 1, 1, "one provider: settings, secrets, callback URL",
     .run = ctl_provider_show},
    {"provider add", "<id>", 1, 1, "add a provider; asks for what is missing", OPTIONS(add_options),
     .help = "Asks for every required setting that --set did not give. The secret comes from a "
             "prompt without echo, or from standard input if that is no terminal.",
     .run = ctl_provider_add},
    {"provider edit", "<id>", 1, 1, "change settings of a provider", OPTIONS(edit_options),
     .run = ctl_provider_edit},
    {"provider delete", "<id>", 1, 1, "remove a provider; its people's accounts stay",
     OPTIONS(force_options), .run = ctl_provider_delete},
    {"provider enable", "<id>", 1, 1, "let people sign in with it", .run = ctl_provider_enable},
    {"provider disable", "<id>", 1, 1, "let nobody sign in with it; accounts stay",
     OPTIONS(force_options), .run = ctl_provider_disable},
    {"provider test", "<id>", 1, 1, "prove id and secret without a person",
     .help = "Asks the provider for its metadata and keys, compares clocks, and trades a made-up "
             "code, which must be refused for being made up and for nothing else. Exit status 1 if "
             "something is wrong.",
     .run = ctl_provider_test},
    {"provider rotate", "<id>", 1, 1, "store a new secret beside the one in use",
     OPTIONS(rotate_options),
     .help = "The new secret waits in the next slot. As soon as the provider refuses the old one, "
             "logins fall over to the new by themselves; `provider promote` does it at once.",
     .run = ctl_secret_rotate},
    {"provider promote", "<id>", 1, 1, "use the secret in the next slot from now on",
     OPTIONS(key_options), .run = ctl_secret_promote},
    {"provider drop", "<id> <slot>", 2, 2, "forget the secret in slot next or retiring",
     OPTIONS(key_options), .run = ctl_secret_drop},
    {"app list", "", 0, 0, "all apps, and who may use them", .run = ctl_app_list},
    {"app show", "<id>", 1, 1, "one app: settings, rules, secrets", .run = ctl_app_show},
    {"app add", "<id>", 1, 1, "add an app", OPTIONS(app_options), .run = ctl_app_add},
    {"app set", "<id>", 1, 1, "change settings and rules of an app", OPTIONS(app_set_options),
     .run = ctl_app_set},
    {"app delete", "<id>", 1, 1, "remove an app, and its secrets", OPTIONS(yes_options),
     .run = ctl_app_delete},
    {"app add-secret", "<id>", 1, 1, "make a secret for an app; it is shown once",
     OPTIONS(app_secret_options), .run = ctl_app_secret_add},
    {"app delete-secret", "<id> <secret>", 2, 2, "end a secret of an app",
     .run = ctl_app_secret_delete},
    {"explain", "", 0, 0, "what an app's rules say of somebody, and why", OPTIONS(explain_options),
     .help = "Prints the decision, the rule that made it, and every term of it. Exit status 1 "
             "unless it is allowed.",
     .run = ctl_explain},
    {"plugin list", "", 0, 0, "plugins that are installed", .run = ctl_plugin_list},
    {"plugin show", "<name>", 1, 1, "a plugin's settings", .run = ctl_plugin_show},
    {"config diff", "", 0, 0, "what a reload would change, and whom it touches",
     .run = ctl_config_diff},
    {"config reload", "", 0, 0, "read the configuration again", .run = ctl_config_reload},
    {"secrets keys", "", 0, 0, "the keys that seal what is secret", .run = ctl_key_list},
    {"secrets rotate-key", "", 0, 0, "seal everything anew with a new key", .run = ctl_key_rotate},
    {"signing-key list", "", 0, 0, "the keys that sign tokens, and when",
     .run = ctl_signing_key_list},
    {"signing-key rotate", "", 0, 0, "new keys to sign tokens with", OPTIONS(signing_key_options),
     .help = "The new keys are published at once and sign a day later, when every app has read "
             "them. With --at-once they sign from now on: for keys that leaked. The old ones stay "
             "published until the last token they signed has ended, for 24 hours.",
     .run = ctl_signing_key_rotate},
    {"audit tail", "", 0, 0, "what happened last, a line each", OPTIONS(audit_tail_options),
     .run = ctl_audit_tail},
    {"audit search", "", 0, 0, "who did what, newest first", OPTIONS(audit_search_options),
     .run = ctl_audit_search},
    {"audit export", "", 0, 0, "all of it, oldest first, as lines of JSON",
     OPTIONS(audit_export_options), .run = ctl_audit_export},
    {"audit verify", "", 0, 0, "whether anything in it was changed, removed or put in",
     OPTIONS(audit_verify_options),
     .help = "Walks along the hashes that tie the entries together. Exit status 1 if the chain "
             "breaks. The newest number and hash are in the log once a day (audit.head); with "
             "--head, an earlier one must still be there, so that a trail cut short shows.",
     .run = ctl_audit_verify},
    {"user list", "", 0, 0, "who there is", OPTIONS(user_list_options), .run = ctl_user_list},
    {"user show", "<account>", 1, 1, "an account: identities, sessions, what happened last",
     .run = ctl_user_show},
    {"user disable", "<account>", 1, 1, "sign somebody out everywhere, and do not let them back",
     OPTIONS(user_disable_options), .run = ctl_user_disable},
    {"user enable", "<account>", 1, 1, "let somebody sign in again", .run = ctl_user_enable},
    {"user end-sessions", "<account>", 1, 1, "sign somebody out everywhere",
     OPTIONS(user_end_options), .run = ctl_user_end_sessions},
    {"user delete", "<account>", 1, 1, "delete an account, with everything",
     OPTIONS(user_delete_options), .run = ctl_user_delete},
    {"role list", "", 0, 0, "roles, and what they allow", .run = ctl_role_list},
    {"role show", "<role>", 1, 1, "a role and who has it", .run = ctl_role_show},
    {"role set", "<role>", 1, 1, "make a role, or say anew what it allows",
     OPTIONS(role_set_options),
     .help = "Roles and permissions are free names of a-z 0-9 . _ : - and rules of apps ask for "
             "them. What is not given stays as it is.",
     .run = ctl_role_set},
    {"role delete", "<role>", 1, 1, "delete a role", OPTIONS(role_delete_options),
     .run = ctl_role_delete},
    {"role grant", "<role> <account>", 2, 2, "give somebody a role", .run = ctl_role_grant},
    {"role take", "<role> <account>", 2, 2, "take a role away", OPTIONS(revoke_options),
     .run = ctl_role_take},
    {"token list", "", 0, 0, "API tokens", .run = ctl_token_list},
    {"token add", "<name>", 1, 1, "make an API token; it is shown once", OPTIONS(token_options),
     .run = ctl_token_add},
    {"token delete", "<id>", 1, 1, "end an API token", .run = ctl_token_delete},
    {"registration-token list", "", 0, 0, "what lets apps register themselves",
     .run = ctl_registration_list},
    {"registration-token add", "<name>", 1, 1, "let one app register itself; it is shown once",
     OPTIONS(registration_options),
     .help = "An initial access token of RFC 7591, for one app. [issuer] registration must be "
             "token for it to be of use.",
     .run = ctl_registration_add},
    {"registration-token delete", "<id>", 1, 1, "end such a token", .run = ctl_registration_delete},
    {"admin list", "", 0, 0, "accounts with the role admin", .run = ctl_admin_list},
    {"admin grant", "<account>", 1, 1, "make an account an admin", .run = ctl_admin_grant},
    {"admin revoke", "<account>", 1, 1, "take the role away", OPTIONS(revoke_options),
     .run = ctl_admin_revoke},
    {"completion bash", "", 0, 0, "print what bash needs to complete commands",
     .run = ctl_completion},
    {"manual", "", 0, 0, "print the manual page, usherctl(1)", .run = ctl_manual},
};
const size_t ctl_commands_n = sizeof ctl_commands / sizeof *ctl_commands;
