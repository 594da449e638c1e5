/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load: fills the table from the store after a start, a slice of rows at a time, while requests are
 * answered. Until it is through, and after it when not all rows fit, the table is not complete and
 * session/recall.h answers for what is missing. A store that fails is asked again every second.
 */
#ifndef SESSION_LOAD_H
#define SESSION_LOAD_H

#include "session/session.h"
#include "store/store.h"
#include "sys/loop.h"

struct load;
/* `idle_seconds`: rows nobody used for so long stay where they are. */
struct load *load_start(struct loop *l, struct store *s, struct sessions *t, int64_t idle_seconds);
bool load_done(const struct load *l);
void load_free(struct load **l); /* at any time */

#endif
