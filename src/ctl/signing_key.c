/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that usher signs tokens with. */
#include "ctl/say.h"

#define PATH "/api/v1/signing-keys"

static void print_keys(const struct jval *body)
{
    static const struct table_column columns[] = {
        {"KEY", "/kid", TABLE_PLAIN},
        {"ALGORITHM", "/alg", TABLE_PLAIN},
        {"STATE", "/state", TABLE_PLAIN},
        {"SIGNS FROM", "/active_from", TABLE_AGO},
        {"PUBLISHED UNTIL", "/retired_at", TABLE_AGO},
    };
    table_print(stdout, jval_get(body, "signing_keys"), COLUMNS(columns), "No keys.");
}

int ctl_signing_key_list(struct ctl *c, const struct ctl_args *a)
{
    (void)a;
    return say_thing(c, PATH, print_keys);
}

int ctl_signing_key_rotate(struct ctl *c, const struct ctl_args *a)
{
    const bool at_once = ctl_option(a, "at-once") != NULL;
    const int sure =
        at_once ? say_sure(a, "Sign with keys that no app has seen yet? Apps that do not read the "
                              "key set again refuse people until they do")
                : CTL_DONE;
    if (sure != CTL_DONE)
        return sure;
    struct jval *body = jval_new_object();
    jval_set_bool(body, "at_once", at_once);
    return say(c,
               &(const struct client_call){.method = "POST", .path = PATH "/rotate", .body = body},
               print_keys);
}
