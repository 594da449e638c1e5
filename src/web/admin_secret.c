/* SPDX-License-Identifier: Apache-2.0 */
/* The secrets of a provider: a new one, another one in use, one less. What was typed goes to
 * src/admin and nowhere else; a form that is shown again has an empty field. */
#include <string.h>

#include "sys/clock.h"
#include "web/admin_provider.h"
#include "web/admin_view.h"

static void refused(struct admin_visit *v, const struct admin_answer *answer)
{
    if (answer->err->kind == ERR_NOT_ALLOWED || answer->err->kind == ERR_INTERNAL) {
        (void)admin_failed(v, answer);
        return;
    }
    admin_keep_errors(v, answer);
    admin_provider_page(v);
}

static void on_rotated(void *arg, const struct admin_answer *answer)
{
    if (answer->err)
        refused(arg, answer);
    else
        admin_go(arg, admin_provider_path(arg), "rotated");
}

static void on_promoted(void *arg, const struct admin_answer *answer)
{
    if (answer->err)
        refused(arg, answer);
    else
        admin_go(arg, admin_provider_path(arg), "promoted");
}

static void on_dropped(void *arg, const struct admin_answer *answer)
{
    if (answer->err)
        refused(arg, answer);
    else
        admin_go(arg, admin_provider_path(arg), "dropped");
}

void admin_page_rotate(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    int64_t expires = -1;
    if (!v)
        return;
    if (admin_posted(v, "secret")[0] == 0)
        admin_add_error(v, "secret", "There was nothing in the field.");
    if (!show_day(admin_posted(v, "expires"), &expires))
        admin_add_error(v, "expires", "A day is wanted, like 2027-01-31.");
    if (v->n_errors) {
        admin_provider_page(v);
        return;
    }
    struct jval *body = jval_new_object();
    jval_set_text(body, "secret", admin_posted(v, "secret"));
    if (admin_posted(v, "key")[0])
        jval_set_text(body, "key", admin_posted(v, "key"));
    if (expires >= 0)
        jval_set_int(body, "expires", expires);
    admin_ask(v, &(struct admin_ask){.op = admin_secret_rotate, .id = v->id, .body = body},
              on_rotated);
}

static struct jval *which(const struct admin_visit *v, bool slot)
{
    struct jval *body = jval_new_object();
    if (admin_posted(v, "key")[0])
        jval_set_text(body, "key", admin_posted(v, "key"));
    if (slot)
        jval_set_text(body, "slot", admin_posted(v, "slot"));
    return body;
}

void admin_page_promote(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(
            v,
            &(struct admin_ask){.op = admin_secret_promote, .id = v->id, .body = which(v, false)},
            on_promoted);
}

void admin_page_drop(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v,
                  &(struct admin_ask){.op = admin_secret_drop, .id = v->id, .body = which(v, true)},
                  on_dropped);
}
