/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configure: one app from its file and the environment, or from its row. A file has the app's own
 * settings first, then one section for each path:
 *
 *     hosts = wiki.example.com
 *     require = signed_in
 *     [/admin/...]
 *     require = role:admin
 *
 * What is wrong goes to the problems, and the first of it becomes the app's reason.
 */
#ifndef APP_CONFIGURE_H
#define APP_CONFIGURE_H

#include "app/apps.h"

struct app_configure_args {
    const struct conf_env *env;
    const char *id;
    const char *path;             /* of the file */
    const struct app_source *row; /* instead of it; NULL: none */
    struct arena *arena;
    const char *const *algs; /* as in apps_options */
};
/* `app` is zeroed; what it points to lives in the arena. false: its file was removed meanwhile. */
bool app_configure(struct app *app, const struct app_configure_args *args,
                   struct conf_problems *problems);

#endif
