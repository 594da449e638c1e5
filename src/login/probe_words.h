/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_words: what a probe found out, as findings a person can act on. Every sentence is written
 * here; what an upstream said is nowhere in them. Pure.
 */
#ifndef LOGIN_PROBE_WORDS_H
#define LOGIN_PROBE_WORDS_H

#include "base/json.h"
#include "login/trial.h"

struct words {
    struct jval *findings;
    bool failed;
};
void words_init(struct words *w);
void words_deinit(struct words *w);
struct jval *words_report(const struct words *w); /* the caller's reference */

/* Each adds one finding. A call is the last of its kind, or NULL when there was none. */
bool words_settings(struct words *w, const struct provider *p); /* false: no use in going on */
void words_discovery(struct words *w, const struct trial_call *metadata, bool begun,
                     enum err_kind kind);
void words_discovery_unasked(struct words *w);
void words_keys(struct words *w, const struct trial_call *keys, size_t usable);
void words_keys_unasked(struct words *w, bool expected);
void words_token(struct words *w, const struct trial_call *token, bool signed_in,
                 enum err_kind kind, const char *redirect_uri);
void words_token_unasked(struct words *w);
void words_clock(struct words *w, const struct trial *t);
void words_callback(struct words *w, const char *redirect_uri);

#endif
