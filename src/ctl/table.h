/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table: lists for people, on a terminal: columns as wide as what is in them, times as ages. Text
 * from the daemon is cleaned of what a terminal would obey.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdio.h>

#include "base/json.h"

enum table_kind {
    TABLE_PLAIN = 0, /* text, number or yes/no as it is; "-" for nothing */
    TABLE_AGO,       /* seconds since 1970: "3 days ago", "in 2 hours" */
    TABLE_SET,       /* "set" if there is anything but null */
    TABLE_LIST,      /* texts of a list, with blanks between */
};
struct table_column {
    const char *head;
    const char *at; /* JSON pointer into the row */
    enum table_kind kind;
};

/* `none` is said when there are no rows. */
void table_print(FILE *out, const struct jval *rows, const struct table_column *columns, size_t n,
                 const char *none);
/* One object as "label: value" lines. */
void table_object(FILE *out, const struct jval *object, const struct table_column *columns,
                  size_t n);
/* "3 days ago", "in 2 hours", "now". */
void table_ago(int64_t at, int64_t now, char *out, size_t room);
/* Text fit for a terminal. */
void table_text(FILE *out, const char *text);

#endif
