/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idtoken: ID tokens as the look-alikes give them out, and every wrong one a client must refuse: a
 * `jwt` fault's variant names it (JWT-13, JWT-16b, …; docs/usher-fake.md has the list).
 */
#ifndef FAKE_IDTOKEN_H
#define FAKE_IDTOKEN_H

#include "fake/fake.h"

/* Set the member id_token of a token response. */
void idtoken_add(struct exchange *x, const struct grant *g, const char *access_token,
                 struct jval *response);
/* The claims about a person that these scopes give. */
void idtoken_person(const struct exchange *x, const struct grant *g, struct jval *claims);
/* Blank separated words, or "#5000", as an array. */
struct jval *idtoken_groups(const char *groups);

#endif
