/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recall: sessions that memory does not know, looked up in the store while the table is not
 * complete (session/session.h). Few readings at once, many tokens in each, and never two for the
 * same token: whoever asks for it meanwhile waits for the same answer. That there is no such
 * session is remembered for a short time, so that guesses cost the store little.
 *
 * Nobody who may be signed in is told otherwise: when the store does not answer, fails, or too many
 * wait, the answer is that nobody knows. Runs on the loop of the table; owns nothing of its caller.
 */
#ifndef SESSION_RECALL_H
#define SESSION_RECALL_H

#include "session/session.h"
#include "store/store.h"
#include "sys/loop.h"
#include "sys/metrics.h"

#define RECALL_WAITING_MAX 4096 /* who asks; more are told that nobody knows */

struct recall;
struct recall *recall_new(struct loop *l, struct store *s, struct sessions *t, struct metrics *m);
/* Whoever waits is answered that nobody knows. */
void recall_free(struct recall **r);

/* known: what the table says now is the truth. Otherwise: ask again later. */
typedef void recall_done_fn(void *arg, bool known);

enum recall_answer {
    RECALL_KNOWN = 0,   /* the table says all there is to say; done will not be called */
    RECALL_WAIT = 1,    /* done will be called, later, on the loop */
    RECALL_UNKNOWN = 2, /* nobody knows; done will not be called */
};
enum recall_answer recall_ask(struct recall *r, const unsigned char hash[32], recall_done_fn *done,
                              void *arg) __attribute__((warn_unused_result));

#endif
