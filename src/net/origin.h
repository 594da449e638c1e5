/* SPDX-License-Identifier: Apache-2.0 */
/*
 * origin: which addresses may be talked to. Judges the resolved socket address, never the URL's
 * text: special-use ranges of IPv4 and IPv6 (RFC 6890), mapped and NAT64 forms included.
 */
#ifndef NET_ORIGIN_H
#define NET_ORIGIN_H

#include <stdbool.h>
#include <sys/socket.h>

enum origin_class {
    ORIGIN_PUBLIC = 0,
    ORIGIN_LOOPBACK,
    ORIGIN_PRIVATE /* and everything else special */
};
enum origin_class origin_classify(const struct sockaddr *sa, socklen_t n);

/* One network: "127.0.0.1", "10.0.0.0/8", "::1". Bits behind its length must be zero, or somebody
 * meant something else. */
struct origin_net {
    unsigned char addr[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};
bool origin_net_parse(const char *text, struct origin_net *out);
bool origin_net_has(const struct origin_net *n, const struct sockaddr *sa);

/* A list of networks ("127.0.0.1", "10.0.0.0/8", "::1"), for trusted proxies. */
struct origin_nets;
struct origin_nets *origin_nets_parse(const char *const *list,
                                      const char **bad); /* NULL and *bad on error */
void origin_nets_free(struct origin_nets **n);
bool origin_nets_has(const struct origin_nets *n, const struct sockaddr *sa);
/* "192.0.2.1", "2001:db8::1" into an address without port; false if it is none. */
bool origin_parse(const char *text, struct sockaddr_storage *out);
void origin_text(const struct sockaddr *sa, char *out); /* room for 64 */

#endif
