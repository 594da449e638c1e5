/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page: the few HTML pages, from src/fake/html. Each says on top that it is a look-alike.
 */
#ifndef FAKE_PAGE_H
#define FAKE_PAGE_H

#include "fake/fake.h"

/* layout.html around the page named `page`, with `take`'s members; freed. */
void page_reply(struct exchange *x, int status, const char *page, struct jval *take);

#endif
