/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin under a name of its own, so that all of them fit into one program. */
#define usher_provider usher_provider_oidc
#include "../../plugins/oidc.c"
