/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins and their settings tables. */
#include "ctl/client.h"
#include "ctl/table.h"

int ctl_plugin_list(struct ctl *c, const struct ctl_args *a)
{
    static const struct table_column columns[] = {
        {"NAME", "/name", TABLE_PLAIN},
        {"LABEL", "/label", TABLE_PLAIN},
        {"HOME", "/home", TABLE_PLAIN},
    };
    struct client_reply r;
    (void)a;
    const int rc = client_get(c, "/api/v1/plugins", &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body))
        table_print(stdout, jval_get(r.body, "plugins"), columns, sizeof columns / sizeof *columns,
                    "No plugins are installed.");
    client_reply_deinit(&r);
    return rc;
}

int ctl_plugin_show(struct ctl *c, const struct ctl_args *a)
{
    static const struct table_column columns[] = {
        {"KEY", "/key", TABLE_PLAIN},   {"TYPE", "/type", TABLE_PLAIN},
        {"IS", "/flags", TABLE_LIST},   {"DEFAULT", "/default", TABLE_PLAIN},
        {"WHAT", "/help", TABLE_PLAIN},
    };
    struct client_reply r;
    const int rc = client_get(c, client_path(c, "/api/v1/plugins/", a->v[0], ""), &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body))
        table_print(stdout, jval_get(r.body, "settings"), columns, sizeof columns / sizeof *columns,
                    "It has no settings.");
    client_reply_deinit(&r);
    return rc;
}
