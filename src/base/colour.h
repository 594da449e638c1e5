/* SPDX-License-Identifier: Apache-2.0 */
/* colour: one as admins write it, and what can be read on it. Pure; any thread. */
#ifndef BASE_COLOUR_H
#define BASE_COLOUR_H

#include <stdbool.h>

/* Six hexadecimal digits, red, green, blue, in any case of letters, and nothing else: "3355aa". A
 * "#" would begin a comment in our files. */
bool colour_valid(const char *text);
/* "#000000" or "#ffffff", whichever has more contrast with a valid colour: 4.5 : 1 at least, which
 * is what WCAG 2.2 asks of text (1.4.3). */
const char *colour_ink(const char *text);

#endif
