/* SPDX-License-Identifier: Apache-2.0 */
#include "login/record.h"

#include "base/json.h"
#include "store/audit.h"

#define DETAILS_MAX 1024

static void render(const struct record_row *r, struct buf *out)
{
    struct jval *o = jval_new_object();
    if (r->provider && r->subject) {
        char handle[23];
        account_handle(r->provider, r->subject, handle);
        jval_set_text(o, "identity", handle);
    }
    if (r->other)
        jval_set_text(o, "account", r->other);
    if (r->how)
        jval_set_text(o, "how", r->how);
    if (r->subject || r->other || r->how)
        jval_render(o, out);
    jval_free(&o);
}

int record_add(struct db *db, const struct record_row *r, struct err *err)
{
    struct buf details;
    buf_init(&details, DETAILS_MAX);
    render(r, &details);
    const struct audit_row row = {.at = r->at,
                                  .actor_kind = "account",
                                  .actor = r->account,
                                  .ip = r->ip,
                                  .request_id = r->request_id,
                                  .user_agent = r->user_agent,
                                  .action = r->action,
                                  .object = r->object ? r->object : r->account,
                                  .provider = r->provider,
                                  .became = details.n > 0 && buf_ok(&details) ? details.p : NULL,
                                  .outcome = "done"};
    int rc = audit_add(db, &row, err) < 0 ? -1 : 0;
    buf_deinit(&details);
    return rc;
}
