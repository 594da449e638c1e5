/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: what a fault does to bytes: wire.c delays, cuts and floods what is sent, bend.c changes
 * what an answer says. The protocol's own lies are told by authorize, token and meta.
 */
#ifndef FAKE_WIRE_H
#define FAKE_WIRE_H

#include "fake/fake.h"

/* Wait or leave: false when the connection is done with. */
bool wire_before(struct http_conn *c, const struct exchange *x);
/* Another answer in place of the right one: true if so. */
bool wire_instead(struct exchange *x);
/* bend.c: change the right answer. */
void wire_bend(struct exchange *x);
bool wire_send(struct http_conn *c, struct exchange *x);

#endif
