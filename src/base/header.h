/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header: text as the value of a header field. HTTP header fields carry visible ASCII and blanks,
 * people's names do not. So a byte outside 0x20 to 0x7e, '%' itself, and a blank at either end are
 * written as %XX of their UTF-8 octets; percent-decoding gives the exact text back ("Zoë 100%" is
 * "Zo%C3%AB 100%25"). A list is joined by ',', and a ',' within an item is %2C: split first, then
 * decode. Pure.
 */
#ifndef BASE_HEADER_H
#define BASE_HEADER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"

/* Append the header form of a text, or of an item of a list. */
void header_add(struct buf *out, const char *text, bool item);
/* A JSON array of texts as a list; in `a`. What is no text in it, and what is no array, is left
 * out.
 */
const char *header_list(struct arena *a, const char *json);
/* The text is its own header form. */
bool header_plain(const char *text);
/* What follows `scheme`, in any case, and its blanks in an Authorization header (RFC 9110 11.4);
 * it may be empty. false: another scheme, or no blank behind it. */
bool header_credentials(const char *value, const char *scheme, struct str *out);
/* Whether a list has this item; both in header form. An empty item is in no list. */
bool header_has(const char *list, struct str item);

/* A list that is kept holds names of HEADER_ROOM bytes in all, each counted by header_cost, and
 * what finds no room is left out. So of a name that is not in a list, only one that would still
 * have room is known to have been missing from the start. Both in header form. */
#define HEADER_ROOM 3000
size_t header_cost(size_t name_bytes);
bool header_has_room(const char *list, struct str item);

#endif
