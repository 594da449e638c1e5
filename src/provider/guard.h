/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard: notices a shared object that changed the process while it was loaded: signal handlers,
 * locale, working directory, umask. Taken before, compared after; what was changed is put back.
 * Not for what a plugin may do later: it runs with our rights (docs/writing-a-provider.md).
 */
#ifndef PROVIDER_GUARD_H
#define PROVIDER_GUARD_H

struct guard;
struct guard *guard_take(void);
/* NULL if nothing changed, else what did ("a signal handler"). Frees the guard. */
const char *guard_compare(struct guard **g);

#endif
