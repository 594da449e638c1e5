/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins and their settings tables. */
#include "ctl/say.h"

int ctl_plugin_list(struct ctl *c, const struct ctl_args *a)
{
    static const struct table_column columns[] = {
        {"NAME", "/name", TABLE_PLAIN},
        {"LABEL", "/label", TABLE_PLAIN},
        {"HOME", "/home", TABLE_PLAIN},
    };
    static const struct say_list what = {"/api/v1/plugins", "plugins", "No plugins are installed."};
    (void)a;
    return say_list(c, &what, COLUMNS(columns));
}

int ctl_plugin_show(struct ctl *c, const struct ctl_args *a)
{
    static const struct table_column columns[] = {
        {"KEY", "/key", TABLE_PLAIN},   {"TYPE", "/type", TABLE_PLAIN},
        {"IS", "/flags", TABLE_LIST},   {"DEFAULT", "/default", TABLE_PLAIN},
        {"WHAT", "/help", TABLE_PLAIN},
    };
    const struct say_list what = {client_path(c, "/api/v1/plugins/", a->v[0], ""), "settings",
                                  "It has no settings."};
    return say_list(c, &what, COLUMNS(columns));
}
