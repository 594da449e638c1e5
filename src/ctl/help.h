/* SPDX-License-Identifier: Apache-2.0 */
/* help: what the table of commands says, as --help, manual page and shell completion. */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include "ctl/ctl.h"

/* About a command; or all below its first word; or everything. */
void help_print(FILE *out, const struct ctl_command *c, const char *first);
/* The commands that begin with this word. */
void help_group(FILE *out, const char *first);

#endif
