/* SPDX-License-Identifier: Apache-2.0 */
/* Initial tokens, each of which lets one app register itself, and what both kinds of tokens are
 * checked against. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/registration.h"
#include "sys/clock.h"
#include "sys/random.h"
#include "sys/seal.h"

#define ID_MAX 32
#define LIFE_MAX (30 * 86400)
#define LIFE_DEFAULT 86400

/* Of either kind. */
struct holder {
    struct holder *next;
    char id[ID_MAX + 1]; /* of the token; the app's */
    char name[OP_TEXT_MAX + 1], owner[OP_ACCOUNT_MAX + 1];
    unsigned char hash[32];
    int64_t created, expires;
};

struct registrations {
    struct holder *initial, *apps;
    size_t n_initial;
};

static void put(struct holder **list, const struct holder *one)
{
    struct holder *h = mem_alloc(sizeof *h);
    *h = *one;
    h->next = *list;
    *list = h;
}

static bool drop(struct holder **at, const char *id)
{
    while (*at && strcmp((*at)->id, id) != 0)
        at = &(*at)->next;
    struct holder *h = *at;
    if (!h)
        return false;
    *at = h->next;
    free(h);
    return true;
}

static struct holder *find(struct holder *h, const char *id)
{
    while (h && strcmp(h->id, id) != 0)
        h = h->next;
    return h;
}

static void clear(struct holder **list)
{
    while (*list) {
        struct holder *h = *list;
        *list = h->next;
        free(h);
    }
}

void registrations_put_initial(struct registrations *r, const struct initial_token_row *row)
{
    struct holder h = {.created = row->created, .expires = row->expires};
    (void)snprintf(h.id, sizeof h.id, "%s", row->id);
    (void)snprintf(h.name, sizeof h.name, "%s", row->name);
    (void)snprintf(h.owner, sizeof h.owner, "%s", row->owner ? row->owner : "");
    memcpy(h.hash, row->hash, sizeof h.hash);
    put(&r->initial, &h);
    r->n_initial++;
}

void registrations_put_app(struct registrations *r, const struct registration_row *row)
{
    struct holder h = {.created = row->created};
    (void)snprintf(h.id, sizeof h.id, "%s", row->app);
    memcpy(h.hash, row->hash, sizeof h.hash);
    put(&r->apps, &h);
}

void registrations_drop_initial(struct registrations *r, const char *id)
{
    r->n_initial -= drop(&r->initial, id);
}

void registrations_drop_app(struct registrations *r, const char *app)
{
    (void)drop(&r->apps, app);
}

int64_t registrations_since(const struct registrations *r, const char *app)
{
    const struct holder *h = find(r->apps, app);
    return h ? h->created : 0;
}

size_t registrations_initial_count(const struct registrations *r)
{
    return r->n_initial;
}

/* ---- as the store has them --------------------------------------------------------------------
 */

static int take_initial(void *arg, const struct initial_token_row *row, struct err *err)
{
    (void)err;
    if (row->used == 0)
        registrations_put_initial(arg, row);
    return 0;
}

static int take_app(void *arg, const struct registration_row *row, struct err *err)
{
    (void)err;
    registrations_put_app(arg, row);
    return 0;
}

int registrations_read(struct registrations *r, struct db *db, struct err *err)
{
    clear(&r->initial);
    clear(&r->apps);
    r->n_initial = 0;
    return initial_token_each(db, take_initial, r, err) < 0 ||
                   registration_each(db, take_app, r, err) < 0
               ? -1
               : 0;
}

struct registrations *registrations_new(void)
{
    return mem_alloc(sizeof(struct registrations));
}

void registrations_free(struct registrations **r)
{
    if (*r) {
        clear(&(*r)->initial);
        clear(&(*r)->apps);
    }
    free(*r);
    *r = NULL;
}

/* ---- checking ---------------------------------------------------------------------------------
 */

int admin_initial_check(struct admin *a, struct str bearer, struct admin_actor *out)
{
    const int64_t now = wall_seconds(clock_wall());
    unsigned char hash[32];
    if (!handle_hash(REGISTRATION_INITIAL, bearer, hash))
        return 0;
    for (const struct holder *h = a->registrations->initial; h; h = h->next) {
        if (!seal_equal(h->hash, hash, sizeof hash) || h->expires <= now)
            continue;
        if (h->owner[0] && !admin_is(a, h->owner)) /* whoever made it is no admin any more */
            return 0;
        *out = (struct admin_actor){.kind = "registration", .id = h->id, .name = h->name};
        return 1;
    }
    return 0;
}

int admin_registration_check(struct admin *a, const char *app, struct str bearer,
                             struct admin_actor *out)
{
    unsigned char hash[32];
    const struct holder *h = find(a->registrations->apps, app);
    if (!handle_hash(REGISTRATION_ACCESS, bearer, hash) || !h ||
        !seal_equal(h->hash, hash, sizeof hash))
        return 0;
    *out = (struct admin_actor){.kind = "registration", .id = h->id};
    return 1;
}

/* ---- operations -------------------------------------------------------------------------------
 */

struct making {
    char id[32];
    char text[HANDLE_LEN + 1];
    struct initial_token_row row;
};

static void drop_making(struct op *op)
{
    struct making *m = op->more;
    if (m)
        seal_wipe(m->text, sizeof m->text);
}

static struct jval *token_json(const struct initial_token_row *row)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", row->id);
    jval_set_text(o, "name", row->name);
    jval_set_text(o, "owner", row->owner);
    jval_set_int(o, "created", row->created);
    jval_set_int(o, "expires", row->expires);
    jval_set(o, "used", row->used > 0 ? jval_new_int(row->used) : jval_new_null());
    return o;
}

static int list_row(void *arg, const struct initial_token_row *row, struct err *err)
{
    struct op *op = arg;
    (void)err;
    if (row->expires > op->now)
        jval_push((struct jval *)(uintptr_t)jval_get(op->answer, "tokens"), token_json(row));
    return 0;
}

static int list_all(struct db *db, struct op *op, struct err *err)
{
    jval_free(&op->answer);
    op->answer = jval_new_object();
    jval_set_bool(op->answer, "open",
                  op->config->issuer.registration != CONFIG_REGISTRATION_CLOSED);
    jval_set(op->answer, "tokens", jval_new_array());
    return initial_token_each(db, list_row, op, err);
}

static int list_work(struct op *op, struct err *err)
{
    return op_read(op, list_all, err);
}

void admin_registration_token_list(struct admin *a, const struct admin_request *rq,
                                   admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_READ, .work = list_work};
    op_run(a, rq, &rule, done, arg);
}

static int add_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"name", JVAL_TEXT, true},
                                               {"expires", JVAL_NUMBER, false}};
    const char *name;
    int64_t expires;
    if (registrations_initial_count(op->admin->registrations) >= REGISTRATION_TOKENS_MAX)
        return err_set(err, ERR_LIMITED, "there are %d tokens, which is the most",
                       REGISTRATION_TOKENS_MAX);
    if (op_members(op, members, 2, err) < 0 || op_text(op, "name", OP_TEXT_MAX, &name, err) < 0 ||
        op_time_ahead(op, "expires", &expires, err) < 0)
        return -1;
    if (expires > op->now + LIFE_MAX)
        return op_field(op, err, "expires", "at most 30 days ahead");
    const char *owner = arena_dup(op->arena, tokens_owner(op));
    struct making *m = arena_alloc(op->arena, sizeof *m);
    op->more = m;
    rng_id(m->id);
    m->row = (struct initial_token_row){.id = m->id,
                                        .name = name,
                                        .owner = owner[0] ? owner : NULL,
                                        .created = op->now,
                                        .expires = expires > 0 ? expires : op->now + LIFE_DEFAULT};
    handle_make(REGISTRATION_INITIAL, m->text, m->row.hash);
    op->object = m->id;
    op->became = token_json(&m->row);
    return 0;
}

static int add_row(struct db *db, struct op *op, struct err *err)
{
    const struct making *m = op->more;
    return initial_token_sweep(db, op->now, err) < 0 ? -1 : initial_token_add(db, &m->row, err);
}

static int add_work(struct op *op, struct err *err)
{
    return op_write(op, add_row, err);
}

static void drop_over(struct registrations *r, int64_t now)
{
    for (struct holder **at = &r->initial; *at;) {
        struct holder *h = *at;
        if (h->expires > now) {
            at = &h->next;
            continue;
        }
        *at = h->next;
        free(h);
        r->n_initial--;
    }
}

static int add_finish(struct op *op, struct err *err)
{
    struct making *m = op->more;
    (void)err;
    op->answer = token_json(&m->row);
    jval_set_text(op->answer, "token", m->text);
    op->created = true;
    drop_over(op->admin->registrations, op->now);
    registrations_put_initial(op->admin->registrations, &m->row);
    return 0;
}

void admin_registration_token_add(struct admin *a, const struct admin_request *rq,
                                  admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "registration_token.add",
                                        .begin = add_begin,
                                        .work = add_work,
                                        .finish = add_finish,
                                        .drop = drop_making};
    op_run(a, rq, &rule, done, arg);
}

static int delete_begin(struct op *op, struct err *err)
{
    if (op_members(op, NULL, 0, err) < 0)
        return -1;
    if (!op->id || strlen(op->id) > ID_MAX || !op_plain(op->id))
        return err_set(err, ERR_NOT_FOUND, "there is no such token");
    op->was = jval_new_object();
    jval_set_text(op->was, "id", op->id);
    return 0;
}

static int delete_row(struct db *db, struct op *op, struct err *err)
{
    const int rc = initial_token_drop(db, op->id, err);
    if (rc == 0)
        return op_refuse(op, ERR_NOT_FOUND, "there is no such token");
    return rc < 0 ? -1 : 0;
}

static int delete_work(struct op *op, struct err *err)
{
    return op_write(op, delete_row, err);
}

static int delete_finish(struct op *op, struct err *err)
{
    (void)err;
    registrations_drop_initial(op->admin->registrations, op->id);
    return 0;
}

void admin_registration_token_delete(struct admin *a, const struct admin_request *rq,
                                     admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "registration_token.delete",
                                        .begin = delete_begin,
                                        .work = delete_work,
                                        .finish = delete_finish,
                                        .ends = true};
    op_run(a, rq, &rule, done, arg);
}
