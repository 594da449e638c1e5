/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_recall: access tokens that memory does not know, looked up in the store while the table is
 * not complete (issuer/access.h). Few readings at once and never two for the same token: whoever
 * asks for it meanwhile waits for the same answer. That there is no such token is remembered for a
 * short time, so that guesses cost the store little.
 *
 * No good token is called bad: when the store does not answer, or too many wait, nobody knows. And
 * no token is good again because the store was asked while it ended. One loop thread.
 */
#ifndef ISSUER_ACCESS_RECALL_H
#define ISSUER_ACCESS_RECALL_H

#include "store/access_token.h"

struct access_recall;
struct issuer;

struct access_recall *access_recall_new(struct issuer *i);
void access_recall_free(struct access_recall **r); /* nothing is under way any more */

/* Once, maybe from within: 1 and a row that lives until it returns; 0: no such token is good; -1:
 * nobody knows. */
typedef void access_recall_fn(void *arg, int found, const struct access_token_row *row);
void access_recall_ask(struct access_recall *r, const unsigned char hash[32],
                       access_recall_fn *done, void *arg);

#endif
