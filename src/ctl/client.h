/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: one call of usher's API at a time, over the admin socket or https. The only file of ctl
 * that knows libcurl. It follows no redirects, sends its token to the URL it was given and to
 * nobody else, and reads at most 8 MiB.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include "ctl/ctl.h"

struct client_reply {
    int status;        /* HTTP */
    struct jval *body; /* the caller frees; NULL: none */
    char *etag;        /* in the run's arena; NULL: none */
};
struct client_call {
    const char *method, *path; /* "/api/v1/…" with what the user typed escaped: client_path */
    struct jval *body;         /* taken; NULL: none */
    const char *if_match;      /* NULL: not sent */
};

/* CTL_DONE and *out for an answer of 2xx; otherwise the reason is on standard error, *out is empty
 * and the result is the exit status. */
int client_ask(struct ctl *c, const struct client_call *call, struct client_reply *out)
    __attribute__((warn_unused_result));
/* The same for what only reads. */
int client_get(struct ctl *c, const char *path, struct client_reply *out)
    __attribute__((warn_unused_result));
void client_reply_deinit(struct client_reply *r);
void client_free(struct client **c);
/* "/api/v1/providers/" and an id that is escaped, and what follows. */
const char *client_path(struct ctl *c, const char *before, const char *id, const char *after);

#endif
