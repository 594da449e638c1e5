/* SPDX-License-Identifier: Apache-2.0 */
/* Providers and drafts tried out: a test without a person, a rehearsal with one. */
#include "admin/provider_draft.h"
#include "login/probe.h"
#include "login/rehearsal.h"
#include "provider/slots.h"

/* What is tried: the provider in force, or a draft that lives in op->more. */
static struct registry *registry_of(const struct op *op)
{
    const struct provider_draft *d = op->more;
    return d && d->registry ? d->registry : op->registry;
}

static int login_there(const struct op *op, struct err *err)
{
    return op->admin->o.login ? 0 : err_set(err, ERR_LIMITED, "usher is starting or stopping");
}

static int known(const struct op *op, struct err *err)
{
    if (!op->id || !registry_find(op->registry, op->id))
        return err_set(err, ERR_NOT_FOUND, "there is no such provider");
    return login_there(op, err);
}

/* ---- drafts: the body of an add; of a provider that is there, as if it replaced it ---- */

static int draft_body(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"id", JVAL_TEXT, true},
                                               {"settings", JVAL_OBJECT, true},
                                               {"adopt", JVAL_BOOL, false},
                                               {"force", JVAL_BOOL, false}};
    const char *id;
    if (op_members(op, members, 4, err) < 0 || op_text(op, "id", OP_TEXT_MAX, &id, err) < 0 ||
        login_there(op, err) < 0)
        return -1;
    op->id = op->object = id;
    provider_draft_begin(op);
    return 0;
}

static int draft_work(struct op *op, struct err *err)
{
    return provider_draft_make(op, DRAFT_TRY, err);
}

/* ---- tests ---- */

static void probed(void *arg, const struct jval *report, const struct err *err)
{
    struct op *op = arg;
    if (report)
        op->answer = jval_ref((struct jval *)(uintptr_t)report);
    op_over(op, err);
}

static int slot_of(const struct op *op)
{
    const char *name = jval_text(op_get(op, "slot"));
    return name ? secret_slot_of(name) : PROBE_ANY_SLOT;
}

static int test_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"slot", JVAL_TEXT, false}};
    if (op_members(op, members, 1, err) < 0)
        return -1;
    if (jval_text(op_get(op, "slot")) && slot_of(op) < 0)
        return op_field(op, err, "slot", "must be active, next or retiring");
    return known(op, err);
}

/* Logins may have ended while a draft was made. */
static bool tie(struct op *op)
{
    struct err err = ERR_INIT;
    const bool tied = op->tied = login_there(op, &err) == 0;
    if (!tied)
        op_over(op, &err);
    return tied;
}

static void test_start(struct op *op)
{
    if (!tie(op))
        return;
    probe_start(op->admin->o.login, registry_of(op), op->id, slot_of(op), probed, op);
}

void admin_provider_test(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                         void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_WRITE, .begin = test_begin, .start = test_start};
    op_run(a, rq, &rule, done, arg);
}

void admin_provider_test_draft(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                               void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .begin = draft_body,
                                        .work = draft_work,
                                        .start = test_start,
                                        .drop = provider_draft_drop};
    op_run(a, rq, &rule, done, arg);
}

/* ---- rehearsals ---- */

static const char *owner_of(const struct op *op)
{
    return arena_printf(op->arena, "%s:%s", op->actor.kind, op->actor.id);
}

static int browser_there(const struct op *op, struct err *err)
{
    return op->bind.n > 0
               ? 0
               : err_set(err, ERR_INVALID, "a rehearsal begins in the browser that will sign in");
}

static void rehearsing(void *arg, const char *id, const char *url, const struct err *err)
{
    struct op *op = arg;
    if (id) {
        op->answer = jval_new_object();
        jval_set_text(op->answer, "id", id);
        jval_set_text(op->answer, "url", url);
        jval_set_text(op->answer, "problem", err ? err->text : NULL);
        op->created = true;
    }
    op_over(op, id ? NULL : err);
}

static void rehearse_start(struct op *op)
{
    if (!tie(op))
        return;
    const struct rehearsal_start s = {.registry = registry_of(op),
                                      .apps = op->apps,
                                      .provider = op->id,
                                      .owner = owner_of(op),
                                      .bind = op->bind};
    rehearsal_begin(op->admin->o.login, &s, rehearsing, op);
}

static int rehearse_begin(struct op *op, struct err *err)
{
    if (op_members(op, NULL, 0, err) < 0 || known(op, err) < 0)
        return -1;
    return browser_there(op, err);
}

void admin_provider_rehearse(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                             void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_WRITE, .begin = rehearse_begin, .start = rehearse_start};
    op_run(a, rq, &rule, done, arg);
}

static int rehearse_draft_begin(struct op *op, struct err *err)
{
    return browser_there(op, err) < 0 ? -1 : draft_body(op, err);
}

void admin_provider_rehearse_draft(struct admin *a, const struct admin_request *rq,
                                   admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .begin = rehearse_draft_begin,
                                        .work = draft_work,
                                        .start = rehearse_start,
                                        .drop = provider_draft_drop};
    op_run(a, rq, &rule, done, arg);
}

static int show(struct op *op, struct err *err)
{
    if (login_there(op, err) < 0)
        return -1;
    if (op->id)
        op->answer = rehearsal_report(op->admin->o.login, op->id, owner_of(op));
    return op->answer ? 0
                      : err_set(err, ERR_NOT_FOUND,
                                "there is no such rehearsal, or it was ten minutes ago");
}

void admin_rehearsal_show(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                          void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_READ, .finish = show};
    op_run(a, rq, &rule, done, arg);
}
