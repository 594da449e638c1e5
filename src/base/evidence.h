/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence: how sure it is that an e-mail address is somebody's (enum usher_evidence), by name, and
 * what it is good for. docs/accounts.md tells admins the same. Pure.
 */
#ifndef BASE_EVIDENCE_H
#define BASE_EVIDENCE_H

#include <stdbool.h>

/* As the API, the store and files say it: "none", "provider_asserted" …; what there is not is
 * "none". */
const char *evidence_name(int evidence);
/* More than the provider's word for it: enough for rules, for joining accounts, and to be called
 * verified by us. */
bool evidence_proves(int evidence);

#endif
