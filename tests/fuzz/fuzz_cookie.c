/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cookie headers, against a slow reader that shares no code: the pieces between semicolons, without
 * blanks and tabs at their ends, that begin with the name and '='. The first line of the input is
 * the name, when there is one; "sid" otherwise.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
    if (!ok)
        abort();
}

static int blank(char c)
{
    return c == ' ' || c == '\t';
}

static unsigned slowly(struct str header, struct str name, struct str *value)
{
    unsigned found = 0;
    for (size_t from = 0, end; from <= header.n; from = end + 1) {
        for (end = from; end < header.n && header.p[end] != ';'; end++)
            continue;
        size_t first = from, last = end, same = 0;
        while (first < last && blank(header.p[first]))
            first++;
        while (first < last && blank(header.p[last - 1]))
            last--;
        while (same < name.n && first + same < last && header.p[first + same] == name.p[same])
            same++;
        if (same != name.n || first + same >= last || header.p[first + same] != '=')
            continue;
        if (found++ == 0)
            *value = (struct str){header.p + first + same + 1, last - first - same - 1};
    }
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str header = {(const char *)data, size}, name = STR("sid");
    const char *line = size ? memchr(data, '\n', size) : NULL;
    if (line && line + 1 < header.p + size) { /* not the newline at the end of a seed */
        name = (struct str){header.p, (size_t)(line - header.p)};
        header = (struct str){line + 1, size - name.n - 1};
    }
    struct str value = {NULL, 7}, expected = {NULL, 7};
    unsigned n = cookie_find(header, name, &value);
    must(n == slowly(header, name, &expected));
    must(value.p == expected.p && value.n == expected.n);
    if (n && value.n)
        must(!memchr(value.p, ';', value.n) && !blank(value.p[value.n - 1]));
    return 0;
}
