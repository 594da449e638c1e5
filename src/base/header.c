/* SPDX-License-Identifier: Apache-2.0 */
#include "base/header.h"

#include <string.h>

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

bool header_plain(const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (!plain(text, i, n, false))
            return false;
    return true;
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
