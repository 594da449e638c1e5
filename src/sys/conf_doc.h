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

#endif
