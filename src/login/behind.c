/* SPDX-License-Identifier: Apache-2.0 */
#include "login/behind.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "store/audit.h"
#include "store/session_row.h"
#include "store/spent.h"
#include "sys/clock.h"
#include "sys/log.h"

struct note {
    unsigned char id[32]; /* a flow's 16 or a session's hash */
    int64_t expires;
    char account[24]; /* whose session; for the record */
    const char *why;
};

static int write_spent(struct db *db, void *arg, struct err *err)
{
    const struct note *n = arg;
    return spent_add(db, n->id, n->expires, err) < 0 ? -1 : 0;
}

static int write_end(struct db *db, void *arg, struct err *err)
{
    const struct note *n = arg;
    const struct audit_row row = {.at = wall_seconds(clock_wall()),
                                  .actor_kind = "system",
                                  .actor = "",
                                  .action = "session.end",
                                  .object = n->account,
                                  .outcome = "done",
                                  .reason = n->why};
    if (session_row_end(db, n->id, err) < 0)
        return -1;
    return audit_add(db, &row, err) < 0 ? -1 : 0;
}

static void on_noted(void *arg, enum store_outcome outcome, const struct err *err)
{
    (void)outcome, (void)err; /* the store's error hook has counted and logged it */
    free(arg);
}

static void note(struct store *s, struct loop *l, store_fn *fn, const struct note *what)
{
    struct note *n = mem_alloc(sizeof *n);
    *n = *what;
    if (!store_write(s, fn, l, on_noted, n)) {
        log_event(NULL, LOG_WARN, "store.busy", LF_TEXT("job", "behind"));
        free(n);
    }
}

void behind_spend(struct store *s, struct loop *l, const unsigned char flow[16], int64_t expires)
{
    struct note n = {.expires = expires};
    memcpy(n.id, flow, 16);
    note(s, l, write_spent, &n);
}

void behind_end_session(struct store *s, struct loop *l, const unsigned char hash[32],
                        const char *account, const char *why)
{
    struct note n = {.why = why};
    (void)snprintf(n.account, sizeof n.account, "%s", account);
    memcpy(n.id, hash, 32);
    note(s, l, write_end, &n);
}
