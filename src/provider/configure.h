/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configure: one provider from its file and the environment, or from its row: find the plugin, fill
 * both tables (the core's and the plugin's), judge what lies between settings, and say which
 * origins may be sent secrets. What is wrong goes to the problems, and the first of it becomes the
 * provider's reason.
 */
#ifndef PROVIDER_CONFIGURE_H
#define PROVIDER_CONFIGURE_H

#include "provider/registry.h"

struct configure_args {
    const struct registry_options *options;
    const char *id;
    const char *path;                  /* of the file; NULL: environment only, unless there is */
    struct str text;                   /* a text in place of a file; p == NULL: none */
    const struct provider_source *row; /* instead of all that; NULL: none */
    struct arena *arena;
};
/* `p` is zeroed and lives in the arena, like everything it points to except p->secrets, which the
 * caller frees. false: its file was removed meanwhile, there is nothing to be made of. */
bool provider_configure(struct provider *p, const struct configure_args *args,
                        struct conf_problems *problems);

#endif
