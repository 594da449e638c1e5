/* SPDX-License-Identifier: Apache-2.0 */
/*
 * act: who acts for a person, as tokens say it (RFC 8693 section 4.1): the app that a token was
 * exchanged for, and below it whoever had it exchanged before. Only the outermost acts; what is
 * below tells the way the token came. Pure; everything lives in the caller's arena.
 */
#ifndef ISSUER_ACT_H
#define ISSUER_ACT_H

#include "base/arena.h"

#define ACT_MAX 8 /* apps in one chain */

/* A token's further claims (a JSON object; NULL: none) with `app` acting over whoever did so far.
 * NULL: it cannot be, and *why is a sentence: it acts in there already, or too many do. */
const char *act_over(struct arena *a, const char *claims, const char *app, const char **why);
/* Who acts in them, the one that acted first before all others. How many, at most ACT_MAX; 0 as
 * well where nobody does; -1: they make no sense. */
int act_chain(struct arena *a, const char *claims, const char *apps[ACT_MAX]);

#endif
