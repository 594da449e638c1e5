/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embed: files that travel inside the program. The lists are sql_files, html_files, asset_files,
 * sample_files and steps_files of Makefile.am; src/embed.sh turns them into src/base/embed.c while
 * building. Each table keeps the order of its list and ends with a NULL name. A name is the file's
 * own, without folders.
 */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#include <stddef.h>

struct embedded {
    const char *name;
    const char *p; /* n bytes and a NUL behind them */
    size_t n;
    const char *version; /* other content, another version; digits and '-' */
};

extern const struct embedded embedded_sql[];     /* src/store/schema */
extern const struct embedded embedded_html[];    /* src/web/html */
extern const struct embedded embedded_assets[];  /* src/web/assets */
extern const struct embedded embedded_samples[]; /* providers.d */
extern const struct embedded embedded_steps[];   /* src/provider/steps */
extern const struct embedded embedded_fake[];    /* src/fake/html; in usher-fake only */

#endif
