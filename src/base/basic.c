/* SPDX-License-Identifier: Apache-2.0 */
#include "base/basic.h"

#include <string.h>

#include "base/form.h"
#include "base/header.h"
#include "base/text.h"

#define BASIC_MAX 4096

/* RFC 4648 4, by way of the alphabet that base/text knows. */
static char *base64_decode(struct arena *a, struct str text, size_t *n)
{
    char *digits = arena_dupn(a, text.p, text.n);
    char *out = arena_alloc(a, text.n + 1);
    size_t length = text.n, padding = 0;
    for (; length > 0 && digits[length - 1] == '=' && padding < 2; length--)
        padding++;
    if (padding > 0 && text.n % 4 != 0)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if (digits[i] == '-' || digits[i] == '_')
            return NULL;
        digits[i] = digits[i] == '+' ? '-' : digits[i] == '/' ? '_' : digits[i];
    }
    return text_b64url_decode((struct str){digits, length}, out, text.n, n) ? out : NULL;
}

/* Each half was form-encoded before it was joined (RFC 6749 2.3.1). NULL: it was not. */
static const char *form_decode(struct arena *a, struct str half)
{
    const char *out;
    size_t n;
    char *text = arena_dupn(a, half.p, half.n);
    for (size_t i = 0; i < half.n; i++)
        if (text[i] == '+')
            text[i] = ' ';
    return form_unescape(a, (struct str){text, half.n}, &out, &n) == 0 && n == strlen(out) ? out
                                                                                           : NULL;
}

bool basic_read(const char *header, struct arena *a, const char **id, const char **secret)
{
    size_t n;
    struct str text;
    if (!header_credentials(header, "Basic", &text))
        return false;
    char *pair = text.n > 0 && text.n < BASIC_MAX ? base64_decode(a, text, &n) : NULL;
    const char *colon = pair ? memchr(pair, ':', n) : NULL;
    if (colon == NULL || memchr(pair, '\0', n))
        return false;
    *id = form_decode(a, (struct str){pair, (size_t)(colon - pair)});
    *secret = form_decode(a, (struct str){colon + 1, n - (size_t)(colon - pair) - 1});
    return *id && *secret && (*id)[0];
}
