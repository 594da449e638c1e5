/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: usherd's command line, by one table: read, shown by --help, and told by usherd(8).
 */
#ifndef MAIN_OPTIONS_H
#define MAIN_OPTIONS_H

#include <stdbool.h>

#include "base/buf.h"

#define EXIT_WRONG 2 /* the configuration or the command line */

/* Strings are argv's. */
struct options {
    const char *config, *ready_file;
    const char *what, *form; /* behind --describe; or NULL */
    bool config_given, check, describe;
};

/* -1: go on; otherwise the exit status, everything having been said. */
int options_read(int argc, char **argv, struct options *o);
/* The options for man(7). */
void options_man(struct buf *out);

#endif
