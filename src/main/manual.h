/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manual: what `usherd --describe` prints: settings told from the tables that parse them.
 * docs/describe.sh makes the samples, the pages of docs/ and the man pages with it.
 *
 *     WHAT                         FORM
 *     usher.conf                   sample, markdown, man, json
 *     provider                     what every provider can be set: markdown, man, json
 *     NAME of a plugin             sample, markdown, man, json
 *     NAME of a sample             sample, markdown, json; markdown also of plugins with a sample
 *     upstreams                    the providers that have samples: markdown, json
 *     usherd                       its options: man
 */
#ifndef MAIN_MANUAL_H
#define MAIN_MANUAL_H

#include "base/buf.h"
#include "base/err.h"

/* NULL for what or form: usher.conf, sample. `plugin_dir` is where a plugin is loaded from; it may
 * be NULL where manual_needs_plugin says no. -1 ERR_INVALID, or ERR_MISCONFIGURED from the plugin.
 */
int manual_print(const char *what, const char *form, const char *plugin_dir, struct buf *out,
                 struct err *err) __attribute__((warn_unused_result));
bool manual_needs_plugin(const char *what);

#endif
