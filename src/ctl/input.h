/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input: questions to the person at the terminal, and secrets: typed without echo, or from standard
 * input when that is no terminal. What is returned is the caller's; secrets go to input_wipe.
 */
#ifndef CTL_INPUT_H
#define CTL_INPUT_H

#include <stdbool.h>

#include "base/err.h"

bool input_is_terminal(void);
/* One line, without its newline; NULL at the end of input. `hint` may be NULL. */
char *input_ask(const char *question, const char *hint);
/* yes or no; no at the end of input. */
bool input_confirm(const char *question);
/* A secret: asked for on the terminal without echo, or all of standard input without its last
 * newline. NULL + err: empty, over 64 KiB, or holding a NUL. */
char *input_secret(const char *question, struct err *err) __attribute__((warn_unused_result));
/* The content of a file without its last newline; NULL + err also if others may read it. */
char *input_secret_file(const char *path, struct err *err) __attribute__((warn_unused_result));
void input_wipe(char **secret); /* NULL is fine */

#endif
