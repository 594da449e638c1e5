/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Setup links, and the operators they make: people who may do everything for an hour, because
 * somebody with access to the admin socket sent them a link. Only hashes are kept, in memory only:
 * a restart ends them all.
 */
#include <stdlib.h>

#include "admin/op.h"
#include "sys/clock.h"
#include "sys/random.h"
#include "sys/seal.h"

#define LINKS_MAX 8
#define OPERATORS_MAX 16
#define LINK_SECONDS 600
#define OPERATOR_SECONDS 3600
#define TOKEN_BYTES 32
#define TOKEN_LEN 43

struct ticket {
    unsigned char hash[32];
    char id[23]; /* for the audit */
    int64_t ends;
};

struct setups {
    struct ticket links[LINKS_MAX], operators[OPERATORS_MAX];
};

struct setups *setups_new(void)
{
    return mem_alloc(sizeof(struct setups));
}

void setups_free(struct setups **s)
{
    free(*s);
    *s = NULL;
}

/* A fresh token and the ticket that knows it. */
static void ticket_make(struct ticket *t, int64_t ends, char token[TOKEN_LEN + 1])
{
    unsigned char bytes[TOKEN_BYTES];
    rng_fill(bytes, sizeof bytes);
    text_b64url(bytes, sizeof bytes, token);
    seal_wipe(bytes, sizeof bytes);
    seal_sha256(str_of(token), t->hash);
    rng_id(t->id);
    t->ends = ends;
}

/* In place of one that ended, or else of the one that ends first. */
static void ticket_put(struct ticket *v, size_t n, const struct ticket *t)
{
    struct ticket *oldest = &v[0];
    for (size_t i = 1; i < n; i++)
        if (v[i].ends < oldest->ends)
            oldest = &v[i];
    *oldest = *t;
}

static struct ticket *ticket_find(struct ticket *v, size_t n, struct str token, int64_t now)
{
    unsigned char hash[32];
    struct ticket *found = NULL;
    if (token.n != TOKEN_LEN)
        return NULL;
    seal_sha256(token, hash);
    for (size_t i = 0; i < n; i++)
        if (seal_equal(v[i].hash, hash, sizeof hash) && v[i].ends > now)
            found = &v[i];
    return found;
}

int admin_operator_check(struct admin *a, struct str cookie, struct admin_actor *out)
{
    const struct ticket *t =
        ticket_find(a->setups->operators, OPERATORS_MAX, cookie, wall_seconds(clock_wall()));
    if (!t)
        return 0;
    *out = (struct admin_actor){
        .kind = "operator", .id = t->id, .name = "operator", .scopes = ADMIN_ALL_SCOPES};
    return 1;
}

void admin_operator_end(struct admin *a, struct str cookie)
{
    struct ticket *t =
        ticket_find(a->setups->operators, OPERATORS_MAX, cookie, wall_seconds(clock_wall()));
    if (t)
        *t = (struct ticket){.ends = 0};
}

bool admin_setup_alive(struct admin *a, struct str token)
{
    return ticket_find(a->setups->links, LINKS_MAX, token, wall_seconds(clock_wall())) != NULL;
}

/* ---- operations -------------------------------------------------------------------------------
 */

struct making {
    struct ticket ticket;
    char token[TOKEN_LEN + 1];
};

static void drop_making(struct op *op)
{
    if (op->more)
        seal_wipe(op->more, sizeof(struct making));
}

static void make(struct op *op, int64_t seconds)
{
    struct making *m = arena_alloc(op->arena, sizeof *m);
    ticket_make(&m->ticket, op->now + seconds, m->token);
    op->more = m;
}

static int only_audit(struct db *db, struct op *op, struct err *err)
{
    return op_audit(db, op, err) < 0 ? -1 : 0;
}

static int audit_work(struct op *op, struct err *err)
{
    return op_write(op, only_audit, err);
}

static int link_begin(struct op *op, struct err *err)
{
    if (strcmp(op->actor.kind, "socket") != 0)
        return err_set(err, ERR_NOT_ALLOWED, "setup links are made on the machine itself");
    if (op_members(op, NULL, 0, err) < 0)
        return -1;
    make(op, LINK_SECONDS);
    op->object = arena_dup(op->arena, ((struct making *)op->more)->ticket.id);
    return 0;
}

static int link_finish(struct op *op, struct err *err)
{
    (void)err;
    const struct making *m = op->more;
    ticket_put(op->admin->setups->links, LINKS_MAX, &m->ticket);
    char *url =
        arena_printf(op->arena, "%s/admin/setup/%s", op->config->server.public_url, m->token);
    op->answer = jval_new_object();
    jval_set_text(op->answer, "url", url);
    jval_set_int(op->answer, "expires", m->ticket.ends);
    seal_wipe(url, strlen(url));
    op->created = true;
    return 0;
}

void admin_setup_link(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                      void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "setup.link",
                                        .begin = link_begin,
                                        .work = audit_work,
                                        .finish = link_finish,
                                        .drop = drop_making};
    op_run(a, rq, &rule, done, arg);
}

/* The link is spent before anything else happens: whatever fails later, it works once. */
static int use_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"token", JVAL_TEXT, true}};
    if (op_members(op, members, 1, err) < 0)
        return -1;
    struct ticket *link = ticket_find(op->admin->setups->links, LINKS_MAX,
                                      str_of(jval_text(op_get(op, "token"))), op->now);
    if (!link)
        return err_set(err, ERR_EXPIRED, "this link was used, or is older than ten minutes");
    make(op, OPERATOR_SECONDS);
    struct making *m = op->more;
    memcpy(m->ticket.id, link->id, sizeof m->ticket.id); /* the audit shows who came by which */
    op->object = arena_dup(op->arena, link->id);
    op->actor.kind = "operator";
    op->actor.id = op->object;
    *link = (struct ticket){.ends = 0};
    return 0;
}

static int use_finish(struct op *op, struct err *err)
{
    (void)err;
    const struct making *m = op->more;
    ticket_put(op->admin->setups->operators, OPERATORS_MAX, &m->ticket);
    op->answer = jval_new_object();
    jval_set_text(op->answer, "operator", m->token);
    jval_set_int(op->answer, "expires", m->ticket.ends);
    return 0;
}

void admin_setup_use(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                     void *arg)
{
    static const struct op_rule rule = {.action = "setup.use",
                                        .begin = use_begin,
                                        .work = audit_work,
                                        .finish = use_finish,
                                        .drop = drop_making};
    op_run(a, rq, &rule, done, arg);
}
