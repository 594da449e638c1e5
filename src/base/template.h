/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template: HTML from embedded files and a JSON object. A small part of Mustache:
 * {{name}} (always escaped for HTML text and quoted attributes), {{a.b}}, {{.}} (the item of a
 * list), {{#list or flag}}…{{/x}}, {{^flag}}…{{/x}}, {{>partial}}, {{! comment}}. There is no way
 * to emit unescaped data. A missing name is empty; so are lists and objects as {{name}}. As flags,
 * null, false, 0, "" and [] are no. Inside {{#object}} and list items, names are looked up there
 * first and then further out. Malformed templates are errors; a test renders every one we ship.
 */
#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* The text of a partial by name, or a str with p == NULL. */
typedef struct str template_find(void *ctx, const char *name);

/* -1 with ERR_INTERNAL for a bad template, ERR_LIMITED when it does not fit in `out` or lists in
 * lists never end. */
int template_render(struct str text, const struct jval *data, template_find *find, void *ctx,
                    struct buf *out, struct err *err) __attribute__((warn_unused_result));
void template_escape(struct buf *out, struct str s); /* & < > " ' */

#endif
