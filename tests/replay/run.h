/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: one conversation from START to DONE or FAIL, through the real loader, step and drive, with a
 * network made of the script's replies, a clock that stands still and random bytes that are always
 * the same. Without a fault every request must be the one the script expects; with one, requests
 * find their reply by address (and order), because a bent answer may lead somewhere else.
 */
#ifndef REPLAY_RUN_H
#define REPLAY_RUN_H

#include "login/drive.h"
#include "replay/answer.h"

struct run {
    const struct script *script;
    const struct provider *provider;
    const struct answer_keys *keys;
    const struct keyring *ring;
    const struct fault *fault; /* NULL: none */
};

struct run_outcome {
    bool done;
    enum err_kind kind; /* !done */
    char text[240];     /* the error's */
    char subject[256];  /* done */
    bool fault_met;     /* the bent reply was asked for */
    /* Empty when everything went by the script. */
    char complaint[1024];
};

void run_script(const struct run *r, struct run_outcome *out);
#define RUN_NOW 1800000000

#endif
