/* SPDX-License-Identifier: Apache-2.0 */
#include "base/header.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"

static bool plain(const char *text, size_t i, size_t n, bool item)
{
    const unsigned char c = (unsigned char)text[i];
    if (c < 0x20 || c > 0x7e || c == '%' || (c == ',' && item))
        return false;
    return c != ' ' || (i > 0 && i + 1 < n);
}

void header_add(struct buf *out, const char *text, bool item)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        if (plain(text, i, n, item))
            buf_byte(out, text[i]);
        else
            buf_printf(out, "%%%02X", (unsigned char)text[i]);
    }
}

const char *header_list(struct arena *a, const char *json)
{
    struct err why = ERR_INIT; /* what makes no sense is no name */
    struct jval *v = json ? jval_parse(str_of(json), JSON_SIZE_MAX, 2, &why) : NULL;
    struct buf b;
    buf_init(&b, JSON_SIZE_MAX);
    for (size_t i = 0; i < jval_count(v); i++) {
        const char *name = jval_text(jval_item(v, i));
        if (!name)
            continue;
        if (b.n > 0)
            buf_byte(&b, ',');
        header_add(&b, name, true);
    }
    const char *list = buf_ok(&b) && b.n > 0 ? arena_dupn(a, b.p, b.n) : "";
    buf_deinit(&b);
    jval_free(&v);
    return list;
}

bool header_plain(const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (!plain(text, i, n, false))
            return false;
    return true;
}

bool header_credentials(const char *value, const char *scheme, struct str *out)
{
    const size_t n = strlen(scheme);
    if (strncasecmp(value, scheme, n) != 0 || value[n] != ' ')
        return false;
    *out = str_trim(str_of(value + n));
    return true;
}

/* Worst case of quoting it in JSON. */
size_t header_cost(size_t name_bytes)
{
    return name_bytes * 2 + 3;
}

/* Of an item's header form: what it takes as a name. */
static size_t cost_of(const char *item, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i += item[i] == '%' ? 3 : 1)
        bytes++;
    return header_cost(bytes);
}

bool header_has_room(const char *list, struct str item)
{
    size_t used = cost_of(item.p, item.n);
    for (const char *at = list; *at;) {
        const size_t n = strcspn(at, ",");
        used += cost_of(at, n);
        at += n + (at[n] == ',');
    }
    return used <= HEADER_ROOM;
}

bool header_has(const char *list, struct str item)
{
    for (const char *at = list; item.n > 0 && *at;) {
        const char *end = strchr(at, ',');
        const size_t n = end ? (size_t)(end - at) : strlen(at);
        if (n == item.n && memcmp(at, item.p, n) == 0)
            return true;
        if (!end)
            return false;
        at = end + 1;
    }
    return false;
}
