/* SPDX-License-Identifier: Apache-2.0 */
#include "base/email.h"

#include "base/url.h"

#define LOCAL_MAX 64

/* RFC 5322 atext, and the dot. */
static bool local_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

bool email_parse(struct str raw, struct email *out)
{
    size_t local = 0;
    if (raw.n > EMAIL_MAX)
        return false;
    while (local < raw.n && local_byte(raw.p[local]))
        local++;
    if (local == 0 || local > LOCAL_MAX || local == raw.n || raw.p[local] != '@')
        return false;

    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        out->text[i] = i > local && c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    out->text[raw.n] = '\0';
    out->domain = out->text + local + 1;
    struct str domain = {out->domain, raw.n - local - 1};
    /* A host name that is no address: its last label holds a letter. */
    bool letter = false;
    for (size_t i = domain.n; i > 0 && domain.p[i - 1] != '.'; i--)
        letter = letter || (domain.p[i - 1] >= 'a' && domain.p[i - 1] <= 'z');
    return letter && domain.p[0] != '[' && url_host_valid(domain);
}
