/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Legs without a browser: what was obtained at a sign-in is renewed, or shown to the upstream to
 * learn who somebody is today.
 */
#include "login/drive_parts.h"

bool drive_get_tokens(const struct drive *d, struct drive_tokens *out)
{
    if (!d->obtained)
        return false;
    *out = (struct drive_tokens){.access = d->access_token,
                                 .refresh = d->refresh_token,
                                 .scope = d->scope,
                                 .expires_in = d->expires_in};
    return true;
}

int drive_renewed(struct drive *d, struct drive_identity *id, struct err *err)
{
    if (!id->subject) /* REFRESH */
        id->subject = d->subject;
    if (strcmp(id->subject, d->subject) != 0)
        return err_set(err, ERR_UPSTREAM_BAD, "the tokens of one person lead to another");
    return 0;
}

struct drive *drive_renew(const struct drive_args *a, const struct drive_renewal *r,
                          drive_done_fn *done, void *arg)
{
    const struct flow f = {
        .provider = a->provider->id, .purpose = (uint32_t)r->flow, .max_age = -1};
    struct drive *d = drive_new(a, &f, done, arg);
    d->renewal = true;
    d->subject = arena_dup(d->arena, r->subject);
    d->refresh_sent = r->refresh ? secret_dup(r->refresh) : NULL;
    if (r->access) {
        d->access_token = secret_dup(r->access);
        leg_set_access_token(d->leg, d->access_token);
    }
    drive_arm(d);

    const struct usher_start start = {
        .size = sizeof start,
        .flow = (uint32_t)r->flow,
        .redirect_uri = a->redirect_uri,
        .max_age = -1,
        .subject = d->subject,
        .has_access_token = d->access_token != NULL,
        .has_refresh_token = d->refresh_sent != NULL,
    };
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_START, .start = &start};
    drive_step(d, &ev);
    return d;
}
