/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's secrets in their slots: a new one waits, takes over, and the old one retires. */
#include "admin/provider_draft.h"
#include "admin/view.h"
#include "provider/slots.h"

#define CLIENT_SECRET "client_secret"
#define KEY_MAX 48

/* What one of these operations is about. */
struct secret_op {
    const char *key;
    struct secret *secret; /* rotate */
    int64_t expires;
    enum secret_slot slot; /* drop */
    enum secret_slot to;   /* promote: the slot that takes over */
    op_tx_fn *change;      /* what happens in the transaction */
    struct settings_row row;
};

static void drop_secret(struct op *op)
{
    struct secret_op *s = op->more;
    if (s)
        secret_free(&s->secret);
}

/* The key, and whether there is such a secret; the plugin of the provider in force knows. */
static int take_key(struct op *op, struct secret_op *s, struct err *err)
{
    const struct provider *p = op->id ? registry_find(op->registry, op->id) : NULL;
    bool known = false;
    if (!p)
        return err_set(err, ERR_NOT_FOUND, "there is no such provider");
    if (provider_writable(op, op->id, err) < 0)
        return -1;
    s->key = CLIENT_SECRET;
    if (op_get(op, "key") && op_text(op, "key", KEY_MAX, &s->key, err) < 0)
        return -1;
    known = strcmp(s->key, CLIENT_SECRET) == 0 &&
            !(p->plugin && (p->plugin->flags & USHER_NO_CLIENT_SECRET));
    for (size_t i = 0; p->plugin && i < p->plugin->n_settings; i++)
        known = known || (p->plugin->settings[i].type == USHER_SECRET &&
                          strcmp(p->plugin->settings[i].key, s->key) == 0);
    return known ? 0 : op_field(op, err, "key", "this provider has no such secret");
}

static struct secret_op *secret_op_of(struct op *op, op_tx_fn *change)
{
    struct secret_op *s = arena_alloc(op->arena, sizeof *s);
    s->change = change;
    op->more = s;
    return s;
}

static void tell(struct jval **where, const struct secret_op *s, const char *what)
{
    jval_free(where);
    *where = jval_new_object();
    jval_set_text(*where, s->key, what);
}

/* The row whose secret it is. 0, -1, or 1: refused. */
static int find_row(struct db *db, struct op *op, struct err *err)
{
    struct secret_op *s = op->more;
    return draft_seen(db, op, &provider_draft_kind, false, &s->row, err);
}

static int secret_work(struct op *op, struct err *err)
{
    const struct secret_op *s = op->more;
    return op_write(op, s->change, err) < 0 ? -1 : view_keep(op, err);
}

#define SECRET_RULE(name, first)                                                                   \
    {                                                                                              \
        .scope = ADMIN_SECRETS, .action = "provider." name, .begin = first, .work = secret_work,   \
        .finish = view_one_finish, .reloaded = op_rows_in_force, .drop = drop_secret               \
    }

static struct provider_secret_row place(const struct op *op, enum secret_slot slot)
{
    const struct secret_op *s = op->more;
    return (struct provider_secret_row){
        .provider = op->id, .key = s->key, .slot = slot, .created = op->now};
}

/* 1: something is in that slot. */
static int is_set(struct db *db, const struct op *op, enum secret_slot slot, struct err *err)
{
    const struct provider_secret_row at = place(op, slot);
    struct provider_secret_row found;
    return provider_secret_get(db, &at, op->arena, &found, err);
}

/* 0, -1, or 1: refused, because nothing is in that slot. */
static int need(struct db *db, struct op *op, enum secret_slot slot, enum err_kind otherwise,
                struct err *err)
{
    int rc = find_row(db, op, err);
    if (rc != 0)
        return rc;
    if ((rc = is_set(db, op, slot, err)) < 0)
        return -1;
    return rc ? 0 : op_refuse(op, otherwise, "the slot %s is empty", secret_slot_name(slot));
}

/* Another version: what is in force has to be built anew. */
static int touch_row(struct db *db, struct op *op, struct err *err)
{
    struct secret_op *s = op->more;
    struct settings_row row = s->row;
    row.changed = op->now;
    row.version = op_audit(db, op, err);
    return row.version > 0 &&
                   settings_row_set(db, SETTINGS_PROVIDER, &row, s->row.version, err) == 1
               ? 0
               : -1;
}

/* ---- a new one ---------------------------------------------------------------------------------
 */

static int rotate_row(struct db *db, struct op *op, struct err *err)
{
    const struct secret_op *s = op->more;
    int rc = find_row(db, op, err);
    if (rc != 0)
        return rc;
    int active = is_set(db, op, SLOT_ACTIVE, err);
    if (active < 0)
        return -1;
    struct provider_secret_row row = place(op, active ? SLOT_NEXT : SLOT_ACTIVE);
    struct buf sealed;
    tell(&op->became, s, active ? "next set" : "active set");
    if (touch_row(db, op, err) < 0)
        return -1;
    row.expires = s->expires;
    buf_init(&sealed, JSON_SIZE_MAX);
    provider_secret_seal(op->admin->o.keys, &row, s->secret, &sealed);
    row.sealed = buf_view(&sealed);
    rc = provider_secret_put(db, &row, err);
    buf_deinit(&sealed);
    return rc;
}

static int rotate_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {
        {"secret", JVAL_TEXT, true}, {"key", JVAL_TEXT, false}, {"expires", JVAL_NUMBER, false}};
    if (op_members(op, members, 3, err) < 0)
        return -1;
    struct secret_op *s = secret_op_of(op, rotate_row);
    if (take_key(op, s, err) < 0 || op_time_ahead(op, "expires", &s->expires, err) < 0)
        return -1;
    s->secret = provider_secret_of(op, "secret", op_get(op, "secret"), err);
    return s->secret ? 0 : -1;
}

void admin_secret_rotate(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                         void *arg)
{
    static const struct op_rule rule = SECRET_RULE("rotate", rotate_begin);
    op_run(a, rq, &rule, done, arg);
}

/* ---- taking over -------------------------------------------------------------------------------
 */

static int move(struct db *db, const struct op *op, enum secret_slot from, enum secret_slot to,
                struct err *err)
{
    const struct provider_secret_row at = place(op, from);
    return provider_secret_move(db, op->admin->o.keys, &at, to, err);
}

/* What takes over goes first into memory's place of it: next → active and active → retiring, or,
 * where an upstream went back to the old secret, retiring → active and active → next. */
static int promote_row(struct db *db, struct op *op, struct err *err)
{
    const struct secret_op *s = op->more;
    const enum secret_slot leaving = s->to == SLOT_NEXT ? SLOT_RETIRING : SLOT_NEXT;
    const int rc = need(db, op, s->to, ERR_CONFLICT, err);
    if (rc != 0)
        return rc;
    tell(&op->was, s, secret_slot_name(s->to));
    tell(&op->became, s, "active");
    if (touch_row(db, op, err) < 0)
        return -1;
    return move(db, op, SLOT_ACTIVE, leaving, err) < 0 || move(db, op, s->to, SLOT_ACTIVE, err) < 0
               ? -1
               : 0;
}

static int promote_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"key", JVAL_TEXT, false}};
    if (op_members(op, members, 1, err) < 0)
        return -1;
    struct secret_op *s = secret_op_of(op, promote_row);
    s->to = SLOT_NEXT;
    return take_key(op, s, err);
}

void admin_secret_promote(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                          void *arg)
{
    static const struct op_rule rule = SECRET_RULE("promote", promote_begin);
    op_run(a, rq, &rule, done, arg);
}

/* What a login found out is about the secrets it began with. Until this has its turn they may have
 * moved, or the provider be another one of the same id: the memory of the slots knows where the one
 * that worked is now. */
static int follow(struct op *op, enum provider_slot worked, struct err *err)
{
    if (promote_begin(op, err) < 0)
        return -1;
    ((struct secret_op *)op->more)->to = (enum secret_slot)worked;
    return slots_first(op->admin->o.slots, registry_find(op->registry, op->id)) == worked
               ? 0
               : err_set(err, ERR_CONFLICT, "the secret that worked has moved since");
}

static int forth_begin(struct op *op, struct err *err)
{
    return follow(op, PROVIDER_NEXT, err);
}

static int back_begin(struct op *op, struct err *err)
{
    return follow(op, PROVIDER_RETIRING, err);
}

void admin_on_fallover(void *admin, const char *provider, enum provider_slot from,
                       enum provider_slot to)
{
    static const struct op_rule forth = SECRET_RULE("promote", forth_begin);
    static const struct op_rule back = SECRET_RULE("demote", back_begin);
    struct admin *a = admin;
    const struct provider *p = registry_find(live_registry(a->o.live), provider);
    if (!p || !p->from_row || from != PROVIDER_ACTIVE)
        return; /* of files, the slots remember */
    op_run_system(a, provider, NULL, to == PROVIDER_NEXT ? &forth : &back);
}

/* ---- forgetting --------------------------------------------------------------------------------
 */

static int drop_row(struct db *db, struct op *op, struct err *err)
{
    const struct secret_op *s = op->more;
    const struct provider_secret_row at = place(op, s->slot);
    const int rc = need(db, op, s->slot, ERR_NOT_FOUND, err);
    if (rc != 0)
        return rc;
    tell(&op->was, s, secret_slot_name(s->slot));
    tell(&op->became, s, "removed");
    return touch_row(db, op, err) < 0 || provider_secret_drop(db, &at, err) < 0 ? -1 : 0;
}

static int drop_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {
        {"slot", JVAL_TEXT, true}, {"key", JVAL_TEXT, false}, {"force", JVAL_BOOL, false}};
    const char *name;
    if (op_members(op, members, 3, err) < 0)
        return -1;
    struct secret_op *s = secret_op_of(op, drop_row);
    if (take_key(op, s, err) < 0 || op_text(op, "slot", KEY_MAX, &name, err) < 0)
        return -1;
    int slot = secret_slot_of(name);
    if (slot < 0)
        return op_field(op, err, "slot", "must be active, next or retiring");
    s->slot = (enum secret_slot)slot;
    if (s->slot == SLOT_ACTIVE && !op_flag(op, "force"))
        return err_set(err, ERR_CONFLICT,
                       "logins need the active secret; promote another one, or send force");
    return 0;
}

void admin_secret_drop(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                       void *arg)
{
    static const struct op_rule rule = SECRET_RULE("drop", drop_begin);
    op_run(a, rq, &rule, done, arg);
}
