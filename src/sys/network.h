/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network: the network an address is in, for places that must not keep the address itself. Pure.
 */
#ifndef SYS_NETWORK_H
#define SYS_NETWORK_H

#define NETWORK_TEXT 52

/* "203.0.113.0/24" of an IPv4 address, mapped into IPv6 or not; "2001:db8:1::/48" of any other.
 * `out`, or NULL for what is no address. */
const char *network_of(const char *ip, char out[NETWORK_TEXT]);

#endif
