/* SPDX-License-Identifier: Apache-2.0 */
/*
 * action: the judge of what a plugin answers. Takes the raw action, reads at most what each
 * struct's size says, bounds and checks every string, and builds a copy in the leg's arena. Whether
 * an action is in order at this point of the leg is provider/step's business; who somebody is,
 * identity's.
 *
 * Kinds: UPSTREAM_BAD where a value probably came from the upstream (URLs, identities),
 * MISCONFIGURED where a secret would go astray, INTERNAL where the plugin itself is wrong.
 */
#ifndef PROVIDER_ACTION_H
#define PROVIDER_ACTION_H

#include "provider/step.h"

#define ACTION_PARAMS_MAX 32
#define ACTION_TEXT_MAX 8192
#define ACTION_GROUPS_MAX 512

int action_copy(struct leg *l, const struct usher_action *raw, struct usher_action *out,
                struct err *err) __attribute__((warn_unused_result));
/* DONE's part, in identity.c. What may be dropped (a picture that is no https URL) is dropped; a
 * subject or group that is not usable is an error. */
const struct usher_identity *action_identity(struct leg *l, const struct usher_identity *raw,
                                             struct err *err) __attribute__((warn_unused_result));
/* A bounded copy, printable ASCII only; NULL if it is anything else. */
const char *action_word(struct arena *a, const char *text, size_t max);

#endif
