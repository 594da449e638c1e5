/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source: an app's settings as JSON, as rows and the API have them, and as apps are made of:
 *
 *     {"label": "Wiki", "hosts": "wiki.example.com", "require": "signed_in",
 *      "rules": [{"path": "/admin/...", "methods": "GET POST", "require": "role:admin"}]}
 *
 * Every value but `rules` is text, as it would be written in a file. What the texts mean is judged
 * in app/configure.h.
 */
#ifndef APP_SOURCE_H
#define APP_SOURCE_H

#include "app/apps.h"

#define APP_SETTINGS_MAX (256u * 1024)

/* All of *out lives in the arena; id and version are the caller's to fill in. -1 ERR_INVALID. */
int app_source_read(const struct jval *settings, struct arena *a, struct app_source *out,
                    struct err *err) __attribute__((warn_unused_result));
int app_source_parse(struct str text, struct arena *a, struct app_source *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
