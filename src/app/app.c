/* SPDX-License-Identifier: Apache-2.0 */
#include "app/app.h"

const struct usher_setting app_settings[] = {
    USHER_SET_TEXT(struct app_common, label, .label = "Label",
                   .help = "What people see. Default: the app's id."),
    USHER_SET_BOOL(struct app_common, enabled, .label = "Enabled", .value = "true",
                   .help = "Off: nobody gets in, whoever they are."),
    USHER_SET_LIST(struct app_common, hosts, .label = "Hosts",
                   .help = "Where the app is: host, host:port, or .domain for all below it. The "
                           "reverse proxy may ask about them, and people may be sent back there.",
                   .example = "wiki.example.com"),
    USHER_SET_TEXT(struct app_common, require, .label = "Require",
                   .help = "Who may come in, wherever no path says otherwise. Default: whoever is "
                           "signed in; in an app with paths of its own, nobody.",
                   .example = "role:admin or email_domain:example.com"),
    USHER_SET_LIST(struct app_common, upstream_tokens, .label = "Upstream tokens",
                   .flags = USHER_ADVANCED,
                   .help = "Providers whose access tokens the app may ask for on behalf of who is "
                           "signed in.",
                   .example = "discord"),
};
const size_t app_settings_n = sizeof app_settings / sizeof *app_settings;

const struct usher_setting app_path_settings[] = {
    USHER_SET_LIST(struct app_path_common, methods, .label = "Methods",
                   .help = "Methods this is about; others are refused. GET stands for HEAD, too. "
                           "Default: all.",
                   .example = "GET POST"),
    USHER_SET_TEXT(struct app_path_common, require, .label = "Require", .flags = USHER_REQUIRED,
                   .help = "Who may come in here.", .example = "group:discord:81384788765712384"),
};
const size_t app_path_settings_n = sizeof app_path_settings / sizeof *app_path_settings;
