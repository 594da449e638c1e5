/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive: the audit over the years. Once a minute rows that are older than they need be kept go,
 * in bounded batches and from the oldest on; at start and once a day the newest row's number and
 * hash are told to the log (audit.head), which is kept elsewhere, so that a trail cut short or made
 * anew can be found out. Nothing goes while the wall clock is in doubt. On the loop; the store
 * works.
 */
#ifndef MAIN_ARCHIVE_H
#define MAIN_ARCHIVE_H

#include "main/keep.h"

struct archive;
/* Borrows all three until archive_free. */
struct archive *archive_new(struct loop *l, struct store *s, const struct keep *k);
void archive_start(struct archive *a);
/* From the next minute on; 0: rows are kept for ever. */
void archive_set_keep(struct archive *a, int64_t seconds);
/* Nothing more begins, and what is under way is not waited for; its keep may go. */
void archive_stop(struct archive *a);
void archive_free(struct archive **a);

#endif
