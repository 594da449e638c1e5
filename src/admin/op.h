/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op: the inside of admin, for its own files. An operation begins on the loop (`begin`, which may
 * refuse at once), works on admin's thread (`work`, which may block), and ends on the loop
 * (`finish`: what memory has to know, before anybody hears of it). Changes come one after the
 * other, from `begin` until what they changed is in force, so that two of them never decide from
 * the same state; what other processes did meanwhile is found out inside the transaction.
 *
 * op_write runs a function in a transaction together with the audit row that tells of it. A change
 * that is refused there leaves an audit row, too.
 */
#ifndef ADMIN_OP_H
#define ADMIN_OP_H

#include "admin/admin.h"
#include "admin/health.h"
#include "base/arena.h"
#include "live/live.h"
#include "store/audit.h"
#include "store/store.h"
#include "sys/work.h"

#define OP_FIELDS_MAX 64
#define OP_TEXT_MAX 200 /* of a name in a body */
#define OP_ACCOUNT_MAX 63

struct op;
typedef int op_fn(struct op *op, struct err *err);
typedef int op_tx_fn(struct db *db, struct op *op, struct err *err);

struct op_rule {
    unsigned scope;               /* what the actor must have, enum admin_scope */
    const char *action;           /* of a change, for audit and log; NULL: it only reads */
    op_fn *begin, *work, *finish; /* NULL: nothing to do there */
    /* On the loop, after work: begins something that ends, there, in op_over. Who waits for a login
     * sets `tied`: it is ended if logins end first. */
    void (*start)(struct op *op);
    /* After work the configuration is built anew, and this judges how that went. */
    int (*reloaded)(struct op *op, const struct live_outcome *outcome, struct err *err);
    void (*drop)(struct op *op); /* frees what `more` owns; NULL: nothing */
    /* `finish` only takes something away: it is done, too, when the store does not say whether the
     * change was kept. Whoever is out in the store is not in by memory then; whose session was kept
     * there comes back with a restart, everything else as soon as the doubt is settled. */
    bool ends;
    /* Whose roles it changes, beyond what is read again anyway when it is in doubt. */
    enum { OP_ROLES_OF_NOBODY = 0, OP_ROLES_OF_SUB, OP_ROLES_OF_HOLDERS } roles;
};

struct op {
    struct admin *admin;
    struct op *next, **at; /* those under way */
    struct op *behind;     /* the change whose turn is after this one's */
    const struct op_rule *rule;
    admin_done_fn *done;
    void *arg;
    struct arena *arena;

    /* The request, copied. */
    struct admin_actor actor;
    const char *id, *sub, *if_match;
    struct jval *body; /* a reference; NULL: none */
    struct fields query;
    struct str bind;
    int64_t now; /* seconds since 1970 */

    /* In force when it began; references. */
    struct config *config;
    struct registry *registry;
    struct apps *apps;

    /* The answer. */
    struct err err;
    struct admin_field fields[OP_FIELDS_MAX];
    size_t n_fields;
    struct jval *answer;
    char etag[32];
    bool created;
    bool tied;
    void *more; /* the operation's own, in the arena */

    /* For the audit, set before op_write or inside it. */
    const char *object;
    struct jval *was, *became;
    int64_t audited;  /* number of the row */
    bool in_doubt;    /* the store did not say what became of it */
    op_tx_fn *change; /* inside op_write */
};

#define OP_WAITING_MAX 64 /* changes, for their turn */

/* By nobody outside: "system". */
void op_run_system(struct admin *a, const char *id, const struct jval *body,
                   const struct op_rule *rule);
/* What the actor has, what is done, what is told at the end. */
void op_run(struct admin *a, const struct admin_request *rq, const struct op_rule *rule,
            admin_done_fn *done, void *arg);

/* What `start` began is over; err NULL: well. */
void op_over(struct op *op, const struct err *err);
/* For `reloaded`: rows of providers are in force, whatever the files are like. */
int op_rows_in_force(struct op *op, const struct live_outcome *outcome, struct err *err);

/* In a transaction, on admin's thread. `fn` may run again: it sets what it finds anew each time. It
 * returns 0, -1 with err, or the 1 of op_refuse, before anything is written. */
int op_write(struct op *op, op_tx_fn *fn, struct err *err) __attribute__((warn_unused_result));
int op_read(struct op *op, op_tx_fn *fn, struct err *err) __attribute__((warn_unused_result));
/* Inside a change that wants to know the number of its audit row; else op_write adds it. */
int64_t op_audit(struct db *db, struct op *op, struct err *err) __attribute__((warn_unused_result));
/* Always 1: "not like this". */
int op_refuse(struct op *op, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What is wrong with a member of the body; always -1. The first one is the error, too. */
int op_field(struct op *op, struct err *err, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The members a body may have. A body that is no object, an unknown member, a wrong type, a missing
 * one that is required: -1. Without any required member there need be no body. */
struct op_member {
    const char *name;
    enum jval_type type; /* NONE: any */
    bool required;
};
int op_members(struct op *op, const struct op_member *m, size_t n, struct err *err)
    __attribute__((warn_unused_result));
/* The member, or NULL. */
const struct jval *op_get(const struct op *op, const char *name);
bool op_flag(const struct op *op, const char *name); /* a bool that is there and true */
/* A text of at least one and at most `max` bytes without control characters. */
int op_text(struct op *op, const char *name, size_t max, const char **out, struct err *err)
    __attribute__((warn_unused_result));
/* A time to come, or 0 when it is absent or null. */
int op_time_ahead(struct op *op, const char *name, int64_t *out, struct err *err)
    __attribute__((warn_unused_result));
bool op_plain(const char *text); /* no control characters */

/* The query: no parameter but those of the list, which ends with NULL. */
int op_query_known(const struct op *op, const char *const *known, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out; 0: not there, *out is as it was. */
struct op_bounds {
    int64_t least, most;
};
int op_query_number(struct op *op, const char *name, const struct op_bounds *b, int64_t *out,
                    struct err *err) __attribute__((warn_unused_result));
/* NULL: not there, or empty. */
int op_query_text(struct op *op, const char *name, const char **out, struct err *err)
    __attribute__((warn_unused_result));
/* "true" 1, "false" 0, not there -1. */
int op_query_flag(struct op *op, const char *name, int *out, struct err *err)
    __attribute__((warn_unused_result));

/* ---- the whole, and what its files keep in it ---- */

struct tokens;
struct admins;
struct setups;
struct registrations;
struct keychange;
struct doubt;

struct admin {
    struct admin_options o;
    struct work *work;
    struct op *ops;
    struct op *turn, *last_turn; /* the change under way, and those that wait behind it */
    unsigned waiting;            /* how many */
    bool closing;                /* nothing begins any more */
    struct tokens *tokens;
    struct admins *admins;
    struct setups *setups;
    struct registrations *registrations;
    struct keychange *keychange;
    struct health *health;
    struct doubt *doubt;
    int64_t started;
    unsigned step; /* seconds, more or less */
};

struct tokens *tokens_new(void);
void tokens_free(struct tokens **t);
/* All there are, in place of what it has. In a transaction, on any thread. */
int tokens_read(struct tokens *all, struct db *db, struct err *err)
    __attribute__((warn_unused_result));
/* When they were used, which the store is told late. */
void tokens_keep_used(struct tokens *all, const struct tokens *before);
/* Forgets those that an account made. */
void tokens_end_of(struct tokens *t, const char *account);
void tokens_pass_on(struct tokens *t, const char *from, const char *to);
/* On the loop: the account that what an operation makes belongs to: the one that asks, or the one
 * that the token it asks by belongs to; "": none. Borrowed until the loop's next turn. */
const char *tokens_owner(const struct op *op);
/* Who is an admin. */
struct admins *admins_new(void);
void admins_free(struct admins **all);
int admins_read(struct admins *all, struct db *db, struct err *err)
    __attribute__((warn_unused_result)); /* as tokens_read */
void admins_put(struct admins *all, const char *account);
void admins_remove(struct admins *all, const char *account);
struct setups *setups_new(void);
void setups_free(struct setups **s);
struct keychange *keychange_new(struct admin *a);
/* Nothing new is begun. */
void keychange_stop(struct keychange *k);
bool keychange_busy(const struct keychange *k);
void keychange_free(struct keychange **k); /* waits for what is under way */
/* Begins, or begins again, to seal everything with the newest key. */
void keychange_start(struct keychange *k);
/* For status and the list of keys; the caller's. */
struct jval *keychange_json(const struct keychange *k);

/* ---- what memory has of the store ---- */

/* An account whose roles are read, or a role: then all who have it. */
struct memory_about {
    const struct memory_about *next;
    bool role;
    const char *name;
};
struct memory;
struct memory *memory_new(void);
void memory_free(struct memory **m);
/* All of it, in a transaction, on any thread; may run again. */
int memory_read(struct memory *m, struct db *db, const struct memory_about *about, struct err *err)
    __attribute__((warn_unused_result));
/* On the loop: what was read is what counts. */
int memory_put(struct memory *m, struct admin *a, struct err *err)
    __attribute__((warn_unused_result));

/* Changes of which the store does not say whether it kept them (doubt.c). */
struct doubt *doubt_new(struct admin *a);
void doubt_stop(struct doubt *d); /* nothing is begun any more */
void doubt_free(struct doubt **d);
/* On the loop: memory and store may differ by this. */
void doubt_add(struct doubt *d, const struct op *op);

/* What is wrong with a configuration, as a list; NULL: nothing. The caller's. */
struct jval *config_problems_json(const struct conf_problems *p);

#endif
