/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that usher signs tokens with, and new ones by hand. Private parts stay in issuer/. */
#include "admin/op.h"
#include "issuer/issuer.h"
#include "issuer/keys.h"

static struct issuer_keys *keys_of(const struct op *op, struct err *err)
{
    if (op->admin->o.issuer)
        return issuer_signing_keys(op->admin->o.issuer);
    err_set(err, ERR_LIMITED, "usher is stopping");
    return NULL;
}

static const char *state_of(struct issuer_keys *k, const struct signing_key *key, int64_t now)
{
    if (key->retired_at != 0)
        return key->retired_at > now ? "retiring" : "retired";
    const struct signing_key *active = issuer_keys_active(k, key->alg);
    if (key == active)
        return "active";
    return key->active_from > now ? "next" : "retiring"; /* the next tick says until when */
}

static struct jval *key_json(struct issuer_keys *k, const struct signing_key *key, int64_t now)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "kid", key->kid);
    jval_set_text(o, "alg", jws_alg_name(key->alg));
    jval_set_int(o, "created", key->created);
    jval_set_int(o, "active_from", key->active_from);
    jval_set(o, "retired_at", key->retired_at ? jval_new_int(key->retired_at) : jval_new_null());
    jval_set_text(o, "state", state_of(k, key, now));
    return o;
}

static int list_finish(struct op *op, struct err *err)
{
    struct issuer_keys *k = keys_of(op, err);
    if (!k)
        return -1;
    struct jval *all = jval_new_array();
    const struct signing_key *key;
    for (size_t i = 0; (key = issuer_keys_at(k, i)); i++)
        jval_push(all, key_json(k, key, op->now));
    op->answer = jval_new_object();
    jval_set(op->answer, "signing_keys", all);
    return 0;
}

void admin_signing_key_list(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                            void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_READ, .finish = list_finish};
    op_run(a, rq, &rule, done, arg);
}

/* For the audit: which keys sign, by algorithm. */
static void tell_change(struct op *op, struct issuer_keys *k, const struct issuer_rotation *r)
{
    struct jval *was = jval_new_object(), *becomes = jval_new_object();
    const struct signing_key *key;
    op->was = jval_new_object();
    op->became = jval_new_object();
    for (size_t i = 0; (key = issuer_rotation_at(r, i)); i++) {
        const struct signing_key *old = issuer_keys_active(k, key->alg);
        jval_set_text(was, jws_alg_name(key->alg), old ? old->kid : NULL);
        jval_set_text(becomes, jws_alg_name(key->alg), key->kid);
    }
    jval_set(op->was, "signs", was);
    jval_set(op->became, "signs", becomes);
    jval_set_int(op->became, "from", issuer_rotation_from(r));
    jval_set_bool(op->became, "at_once", op_flag(op, "at_once"));
}

static int rotate_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"at_once", JVAL_BOOL, false}};
    struct issuer_keys *k = keys_of(op, err);
    if (!k || op_members(op, members, 1, err) < 0)
        return -1;
    struct issuer_rotation *r = issuer_keys_rotate(k, op_flag(op, "at_once"), err);
    op->more = r;
    if (!r)
        return -1;
    tell_change(op, k, r);
    return 0;
}

static int store_keys(struct db *db, struct op *op, struct err *err)
{
    return issuer_rotation_store(db, op->more, err);
}

static int rotate_work(struct op *op, struct err *err)
{
    return issuer_rotation_make(op->more, err) < 0 ? -1 : op_write(op, store_keys, err);
}

static void end(struct op *op, bool stored)
{
    struct issuer_rotation *r = op->more;
    op->more = NULL;
    issuer_rotation_end(&r, stored);
}

static int rotate_finish(struct op *op, struct err *err)
{
    end(op, true);
    return list_finish(op, err);
}

static void rotate_drop(struct op *op)
{
    end(op, false);
}

void admin_signing_key_rotate(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                              void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "signing_key.rotate",
                                        .begin = rotate_begin,
                                        .work = rotate_work,
                                        .finish = rotate_finish,
                                        .drop = rotate_drop};
    op_run(a, rq, &rule, done, arg);
}
