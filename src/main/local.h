/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local: the admin socket, where file permission is who may do anything. Its folder must belong to
 * root or to the user usherd runs as and be writable to nobody else: who could replace the socket
 * would be told secrets. A folder that is not there is made. The socket itself is the user's, mode
 * 0600; one that was left over is replaced, one that somebody answers on is an error.
 */
#ifndef MAIN_LOCAL_H
#define MAIN_LOCAL_H

#include "web/app.h"

/* The name of who we are, for the record; NULL: he has none. */
const char *local_user(struct arena *a);
/* While still root. `user`: who we shall be, or NULL. */
int local_folder(const char *path, const char *user, struct err *err)
    __attribute__((warn_unused_result));
/* As that user. Answered once the loop runs; `app` may be filled until then. */
struct serve *local_open(const char *path, struct loop *l, struct metrics *m, struct web_app *app,
                         struct err *err) __attribute__((warn_unused_result));

#endif
