/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of providers in their slots, and the keys that seal them. */
#include <inttypes.h>

#include "ctl/date.h"
#include "ctl/input.h"
#include "ctl/say.h"

static int post(struct ctl *c, const char *id, const char *what, struct jval *body,
                const char *done)
{
    const struct client_call call = {
        .method = "POST", .path = client_path(c, "/api/v1/providers/", id, what), .body = body};
    return say_done(c, &call, done);
}

static struct jval *body_with_key(const struct ctl_args *a)
{
    struct jval *body = jval_new_object();
    if (ctl_option(a, "key"))
        jval_set_text(body, "key", ctl_option(a, "key"));
    return body;
}

int ctl_secret_rotate(struct ctl *c, const struct ctl_args *a)
{
    struct err err = ERR_INIT;
    int64_t expires = 0;
    if (ctl_option(a, "expires") && !date_read(ctl_option(a, "expires"), &expires))
        return ctl_misused("--expires wants a day to come, as 2027-01-31, or how long: 12h, 180d");
    char *secret = input_secret("New secret", &err);
    if (!secret)
        return ctl_misused("%s", err.text);
    struct jval *body = body_with_key(a);
    jval_set_text(body, "secret", secret);
    if (expires)
        jval_set_int(body, "expires", expires);
    input_wipe(&secret);
    return post(c, a->v[0], "/rotate", body,
                "Stored. If there is one in use, logins fall over to the new one when the provider "
                "refuses the old.");
}

int ctl_secret_promote(struct ctl *c, const struct ctl_args *a)
{
    return post(c, a->v[0], "/promote", body_with_key(a), "The next secret is the active one now.");
}

int ctl_secret_drop(struct ctl *c, const struct ctl_args *a)
{
    struct jval *body = body_with_key(a);
    jval_set_text(body, "slot", a->v[1]);
    return post(c, a->v[0], "/drop", body, "Forgotten.");
}

static void print_keys(const struct jval *body)
{
    static const struct table_column columns[] = {
        {"KEY", "/id", TABLE_PLAIN},
        {"CURRENT", "/current", TABLE_PLAIN},
        {"MADE", "/since", TABLE_AGO},
        {"SEALED WITH IT", "/sealed", TABLE_PLAIN},
    };
    table_print(stdout, jval_get(body, "keys"), COLUMNS(columns), "No keys.");
}

int ctl_key_list(struct ctl *c, const struct ctl_args *a)
{
    (void)a;
    return say_thing(c, "/api/v1/keys", print_keys);
}

int ctl_key_rotate(struct ctl *c, const struct ctl_args *a)
{
    (void)a;
    return say(c, &(const struct client_call){.method = "POST", .path = "/api/v1/keys/rotate"},
               print_keys);
}
