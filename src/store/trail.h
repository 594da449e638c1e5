/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trail: rows of the audit that nobody waits for, such as failed attempts and refused accesses,
 * which anybody outside can cause as fast as they like. A few a second are written as they are;
 * what goes beyond is counted and becomes one row a minute for each action, provider, app, outcome
 * and kind of reason, with {"count","from","to"} as `became` and the first one's address. So
 * neither memory nor the store grows with a flood, and a flood is on record all the same.
 *
 * What changes anything belongs into the transaction of the change instead (store/audit.h). Used on
 * the loop's thread; never blocks. Rows are copied. What the store refuses is told to the log
 * (audit.lost).
 */
#ifndef STORE_TRAIL_H
#define STORE_TRAIL_H

#include "store/audit.h"
#include "store/store.h"
#include "sys/loop.h"

struct trail;
struct trail *trail_new(struct loop *l, struct store *s);
/* Writes what is left, waits for it, and keeps nothing from now on. The store must still run. */
void trail_end(struct trail *t);
/* Does so if it was not done. */
void trail_free(struct trail **t);

/* `at` 0 is now. A reason is "kind: words", or NULL. A trail of NULL keeps nothing. */
void trail_add(struct trail *t, const struct audit_row *row);
/* Only counted, from the first on: for what costs nobody outside anything, not even a sign-in
 * somewhere. */
void trail_count(struct trail *t, const struct audit_row *row);

#endif
