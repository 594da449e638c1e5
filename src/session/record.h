/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: one session in memory, in one block: the facts a check needs first, then the strings. A
 * header value that reads like its raw form is kept once. Header values are as
 * base/header.h writes them; groups are a list.
 */
#ifndef SESSION_RECORD_H
#define SESSION_RECORD_H

#include <stdint.h>

#include "base/buf.h"
#include "store/session_row.h"

enum record_string {
    RECORD_ACCOUNT = 0, /* what forward auth sends lies in front */
    RECORD_HEADER_USER,
    RECORD_EMAIL,
    RECORD_HEADER_EMAIL,
    RECORD_NAME,
    RECORD_HEADER_NAME,
    RECORD_HEADER_GROUPS,
    RECORD_GROUPS,
    RECORD_ID,
    RECORD_SUBJECT,
    RECORD_USERNAME,
    RECORD_PICTURE,
    RECORD_AMR,
    RECORD_STRINGS
};

#define RECORD_MAX 16384 /* bytes; longer profiles are cut where they are mapped, not here */

struct record {
    unsigned char hash[32];
    int64_t created, seen, ends, auth_time;
    uint32_t seen_at;  /* place in the list of the recently seen, from 1; 0: not there */
    uint16_t provider; /* number of its name */
    int16_t email_evidence;
    struct record *next, *prev;  /* in its chain (session/chain.h) */
    uint32_t rights;             /* number of a set (session/rights.h) */
    uint32_t stamp;              /* of the last change to this record itself */
    uint16_t at[RECORD_STRINGS]; /* of `text` */
    char text[];
};

/* NULL when the row makes no sense or is too large. */
struct record *record_new(const struct session_row *row, struct err *err)
    __attribute__((warn_unused_result));
static inline const char *record_string(const struct record *r, enum record_string s)
{
    return r->text + r->at[s];
}
/* The same session with other groups (JSON; NULL: none), in no table yet. */
struct record *record_regrouped(const struct record *r, const char *provider, const char *groups,
                                struct err *err) __attribute__((warn_unused_result));
size_t record_bytes(const struct record *r); /* with what the allocator adds */

#endif
