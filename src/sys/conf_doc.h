/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_doc: a settings table told to people and programs. What is parsed by a table, and what is
 * said about it, cannot part ways, because both read the rows. Nothing here looks at values in
 * force. Pure but for memory; safe on any thread.
 */
#ifndef SYS_CONF_DOC_H
#define SYS_CONF_DOC_H

#include "base/json.h"
#include "sys/conf.h"

/* "text", "url", "integer", "boolean", "choice", "list", "duration", "size" or "secret". */
const char *conf_type_name(const struct usher_setting *row);

/* Each row pushed to `array` as an object, every member always there, null where there is nothing:
 *   key, type, label, help      text
 *   default, example            text, as an admin would write it
 *   choices                     list of text, for choice only
 *   min, max                    integers: seconds for duration, bytes for size
 *   range                       the same as text, "1s to 1m"
 *   flags                       list of: required origin advanced insecure secret
 *   environment                 the variable that sets it; a secret's may also end in _FILE or _ENV
 *   group                       `group`, the same for all rows of this call */
void conf_table_json(const struct conf_table *table, const char *group, struct jval *array);

/* The same for people: a commented sample file, Markdown tables, man(7). Each begins with the
 * section's name unless that is "", and tells what is rarely needed last. `column` is what the
 * rows' defaults are called; without an env_prefix no variables are named. */
void conf_sample(const struct conf_table *table, struct buf *out);
void conf_markdown(const struct conf_table *table, const char *column, struct buf *out);
void conf_man(const struct conf_table *table, struct buf *out);
/* Text as it must be written there: for table cells, and for man(7) with hyphens that stay. */
void conf_markdown_text(struct buf *out, const char *text);
void conf_man_text(struct buf *out, const char *text);

#endif
