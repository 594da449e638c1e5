/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char *v4(const unsigned char b[4], char out[NETWORK_TEXT])
{
    (void)snprintf(out, NETWORK_TEXT, "%d.%d.%d.0/24", b[0], b[1], b[2]);
    return out;
}

const char *network_of(const char *ip, char out[NETWORK_TEXT])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned char b[16];
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET, ip, b) == 1)
        return v4(b, out);
    if (inet_pton(AF_INET6, ip, b) != 1)
        return NULL;
    if (memcmp(b, mapped, sizeof mapped) == 0)
        return v4(b + 12, out);
    memset(b + 6, 0, sizeof b - 6);
    if (!inet_ntop(AF_INET6, b, text, sizeof text))
        return NULL;
    (void)snprintf(out, NETWORK_TEXT, "%s/48", text);
    return out;
}
