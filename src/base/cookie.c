/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cookie.h"

unsigned cookie_find(struct str header, struct str name, struct str *value)
{
    unsigned found = 0;
    while (header.n) {
        const char *end = memchr(header.p, ';', header.n);
        size_t n = end ? (size_t)(end - header.p) : header.n;
        struct str pair = str_trim((struct str){header.p, n});
        /* Nothing is trimmed around '=': a name that a browser would not take for ours (and so not
         * hold to the rules of its __Host- prefix) must not become ours here. */
        if (pair.n > name.n && pair.p[name.n] == '=' && memcmp(pair.p, name.p, name.n) == 0) {
            if (found++ == 0)
                *value = (struct str){pair.p + name.n + 1, pair.n - name.n - 1};
        }
        if (!end)
            break;
        header.p += n + 1;
        header.n -= n + 1;
    }
    return found;
}
