/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens: all of them in memory, so that a check costs a hash and no store. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/op.h"
#include "store/api_token.h"
#include "sys/clock.h"
#include "sys/random.h"
#include "sys/seal.h"

#define TOKENS_MAX 1000
#define ID_LEN 22
#define TOKEN_BYTES 32
#define TOUCH_EVERY 60 /* seconds between two writes of "last used" */

struct token {
    struct token *next;
    char id[ID_LEN + 1], name[OP_TEXT_MAX + 1];
    char owner[OP_ACCOUNT_MAX + 1]; /* the account that made it: good while that is an admin */
    unsigned char hash[32];
    unsigned scopes;
    int64_t created, expires, last_used, written;
};

struct tokens {
    struct token *first;
    size_t n;
};

static struct token *token_of(const struct api_token_row *row, struct err *err)
{
    struct token *t = mem_alloc(sizeof *t);
    const char *owner = row->owner ? row->owner : "";
    if (strlen(row->id) > ID_LEN || strlen(row->name) > OP_TEXT_MAX ||
        strlen(owner) > OP_ACCOUNT_MAX || (t->scopes = admin_scopes_parse(row->scopes, err)) == 0) {
        free(t);
        err_set(err, ERR_INTERNAL, "a stored token makes no sense");
        return NULL;
    }
    memcpy(t->id, row->id, strlen(row->id) + 1);
    memcpy(t->name, row->name, strlen(row->name) + 1);
    memcpy(t->owner, owner, strlen(owner) + 1);
    memcpy(t->hash, row->hash, sizeof t->hash);
    t->created = row->created;
    t->expires = row->expires;
    t->last_used = t->written = row->last_used;
    return t;
}

static int take_row(void *arg, const struct api_token_row *row, struct err *err)
{
    struct tokens *all = arg;
    struct token *t = token_of(row, err);
    if (!t)
        return -1;
    t->next = all->first;
    all->first = t;
    all->n++;
    return 0;
}

static void clear(struct tokens *all)
{
    while (all->first) {
        struct token *t = all->first;
        all->first = t->next;
        free(t);
    }
    all->n = 0;
}

int tokens_read(struct tokens *all, struct db *db, struct err *err)
{
    clear(all);
    return api_token_each(db, take_row, all, err);
}

void tokens_end_of(struct tokens *all, const char *account)
{
    for (struct token **at = &all->first; *at;) {
        struct token *t = *at;
        if (strcmp(t->owner, account) != 0) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        all->n--;
        free(t);
    }
}

void tokens_pass_on(struct tokens *all, const char *from, const char *to)
{
    for (struct token *t = all->first; t; t = t->next)
        if (strcmp(t->owner, from) == 0)
            memcpy(t->owner, to, strlen(to) + 1);
}

struct tokens *tokens_new(void)
{
    return mem_alloc(sizeof(struct tokens));
}

void tokens_free(struct tokens **all)
{
    if (*all)
        clear(*all);
    free(*all);
    *all = NULL;
}

/* ---- checking ---------------------------------------------------------------------------------
 */

struct touch {
    char id[ID_LEN + 1];
    int64_t used;
};

static int touch(struct db *db, void *arg, struct err *err)
{
    const struct touch *t = arg;
    return api_token_touch(db, t->id, t->used, err);
}

static void touched(void *arg, enum store_outcome outcome, const struct err *err)
{
    (void)outcome, (void)err; /* the store's owner logs it; the next use writes again */
    free(arg);
}

/* Behind the answer: that a token was used may be told a little late. */
static void used(struct admin *a, struct token *t, int64_t now)
{
    t->last_used = now;
    if (now - t->written < TOUCH_EVERY)
        return;
    struct touch *job = mem_alloc(sizeof *job);
    memcpy(job->id, t->id, sizeof job->id);
    job->used = now;
    t->written = now;
    if (!store_write(a->o.store, touch, a->o.loop, touched, job))
        free(job);
}

int admin_token_check(struct admin *a, struct str bearer, struct admin_actor *out)
{
    unsigned char hash[32];
    const int64_t now = wall_seconds(clock_wall());
    if (bearer.n != text_b64url_len(TOKEN_BYTES))
        return 0;
    seal_sha256(bearer, hash);
    for (struct token *t = a->tokens->first; t; t = t->next) {
        if (!seal_equal(t->hash, hash, sizeof hash) || (t->expires > 0 && t->expires <= now))
            continue;
        if (t->owner[0] && !admin_is(a, t->owner))
            return 0;
        *out = (struct admin_actor){
            .kind = "token", .id = t->id, .name = t->name, .scopes = t->scopes};
        used(a, t, now);
        return 1;
    }
    return 0;
}

/* ---- operations -------------------------------------------------------------------------------
 */

static struct jval *token_json(const struct token *t)
{
    struct jval *o = jval_new_object();
    char scopes[32];
    admin_scopes_text(t->scopes, scopes);
    jval_set_text(o, "id", t->id);
    jval_set_text(o, "name", t->name);
    jval_set_text(o, "scopes", scopes);
    jval_set_text(o, "owner", t->owner[0] ? t->owner : NULL);
    jval_set_int(o, "created", t->created);
    jval_set_time(o, "expires", t->expires);
    jval_set_time(o, "last_used", t->last_used);
    return o;
}

static int list(struct op *op, struct err *err)
{
    (void)err;
    struct jval *all = jval_new_array();
    for (const struct token *t = op->admin->tokens->first; t; t = t->next)
        jval_push(all, token_json(t));
    op->answer = jval_new_object();
    jval_set(op->answer, "tokens", all);
    return 0;
}

void admin_token_list(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                      void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_READ, .finish = list};
    op_run(a, rq, &rule, done, arg);
}

/* What admin_token_add is about to make. */
struct making {
    struct token *token; /* goes to the table in the end */
    char text[48];
};

static void drop_making(struct op *op)
{
    struct making *m = op->more;
    if (m) {
        free(m->token);
        seal_wipe(m->text, sizeof m->text);
    }
}

static struct token **find(struct tokens *all, const char *id)
{
    struct token **at = &all->first;
    while (*at && strcmp((*at)->id, id) != 0)
        at = &(*at)->next;
    return at;
}

void tokens_keep_used(struct tokens *all, const struct tokens *before)
{
    for (const struct token *was = before->first; was; was = was->next) {
        struct token *t = *find(all, was->id);
        if (t) {
            t->last_used = was->last_used;
            t->written = was->written;
        }
    }
}

const char *tokens_owner(const struct op *op)
{
    const struct token *by = *find(op->admin->tokens, op->actor.id);
    if (strcmp(op->actor.kind, "account") == 0)
        return op->actor.id;
    return strcmp(op->actor.kind, "token") == 0 && by ? by->owner : "";
}

static int add_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {
        {"name", JVAL_TEXT, true}, {"scopes", JVAL_TEXT, true}, {"expires", JVAL_NUMBER, false}};
    const char *name, *text;
    unsigned char bytes[TOKEN_BYTES];
    int64_t expires;
    struct err why = ERR_INIT;
    if (op->admin->tokens->n >= TOKENS_MAX)
        return err_set(err, ERR_LIMITED, "there are %d tokens, which is the most", TOKENS_MAX);
    if (op_members(op, members, 3, err) < 0 || op_text(op, "name", OP_TEXT_MAX, &name, err) < 0 ||
        op_text(op, "scopes", OP_TEXT_MAX, &text, err) < 0 ||
        op_time_ahead(op, "expires", &expires, err) < 0)
        return -1;
    unsigned scopes = admin_scopes_parse(text, &why);
    if (scopes == 0)
        return op_field(op, err, "scopes", "%s", why.text);
    if ((scopes & op->actor.scopes) != scopes)
        return err_set(err, ERR_NOT_ALLOWED, "nobody gives scopes they do not have");

    struct making *m = arena_alloc(op->arena, sizeof *m);
    struct token *t = mem_alloc(sizeof *t);
    op->more = m;
    m->token = t;
    rng_fill(bytes, sizeof bytes);
    text_b64url(bytes, sizeof bytes, m->text);
    seal_wipe(bytes, sizeof bytes);
    seal_sha256(str_of(m->text), t->hash);
    rng_id(t->id);
    memcpy(t->name, name, strlen(name) + 1);
    snprintf(t->owner, sizeof t->owner, "%s", tokens_owner(op));
    t->scopes = scopes;
    t->created = op->now;
    t->expires = expires;
    op->object = arena_dup(op->arena, t->id);
    op->became = token_json(t);
    return 0;
}

static int add_row(struct db *db, struct op *op, struct err *err)
{
    const struct token *t = ((struct making *)op->more)->token;
    char scopes[32];
    struct api_token_row row = {.id = t->id,
                                .name = t->name,
                                .scopes = scopes,
                                .owner = t->owner[0] ? t->owner : NULL,
                                .created = t->created,
                                .expires = t->expires};
    admin_scopes_text(t->scopes, scopes);
    memcpy(row.hash, t->hash, sizeof row.hash);
    return api_token_add(db, &row, err);
}

static int add_work(struct op *op, struct err *err)
{
    return op_write(op, add_row, err);
}

static int add_finish(struct op *op, struct err *err)
{
    (void)err;
    struct tokens *all = op->admin->tokens;
    struct making *m = op->more;
    op->answer = token_json(m->token);
    jval_set_text(op->answer, "token", m->text);
    op->created = true;
    m->token->next = all->first;
    all->first = m->token;
    all->n++;
    m->token = NULL;
    return 0;
}

void admin_token_add(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                     void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "token.add",
                                        .begin = add_begin,
                                        .work = add_work,
                                        .finish = add_finish,
                                        .drop = drop_making};
    op_run(a, rq, &rule, done, arg);
}

static int delete_begin(struct op *op, struct err *err)
{
    const struct token *t = *find(op->admin->tokens, op->id ? op->id : "");
    if (op_members(op, NULL, 0, err) < 0)
        return -1;
    if (!t)
        return err_set(err, ERR_NOT_FOUND, "there is no such token");
    op->was = token_json(t);
    return 0;
}

static int delete_row(struct db *db, struct op *op, struct err *err)
{
    return api_token_drop(db, op->id, err) < 0 ? -1 : 0;
}

static int delete_work(struct op *op, struct err *err)
{
    return op_write(op, delete_row, err);
}

static int delete_finish(struct op *op, struct err *err)
{
    (void)err;
    struct tokens *all = op->admin->tokens;
    struct token **at = find(all, op->id), *t = *at;
    if (t) {
        *at = t->next;
        all->n--;
        free(t);
    }
    return 0;
}

void admin_token_delete(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                        void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "token.delete",
                                        .begin = delete_begin,
                                        .work = delete_work,
                                        .finish = delete_finish,
                                        .ends = true};
    op_run(a, rq, &rule, done, arg);
}
