/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What admin keeps in memory of the store, for itself and for others: who is an admin, tokens,
 * registrations, secrets of apps, what roles allow, and who has them where that is asked for. Read
 * at start, and again when nobody knows any more whether memory and store are the same.
 */
#include <stdlib.h>

#include "admin/registration.h"
#include "app/secrets.h"
#include "session/session.h"
#include "store/account_role.h"
#include "store/role.h"

struct defined {
    struct defined *next;
    const char *role, *permissions;
};

struct holder {
    struct holder *next;
    const char *account, *roles;
};

struct memory {
    struct tokens *tokens;
    struct admins *admins;
    struct registrations *registrations;
    struct app_secrets *secrets;
    struct arena *arena; /* of the rest */
    struct defined *defined;
    struct holder *holders;
};

struct memory *memory_new(void)
{
    struct memory *m = mem_alloc(sizeof *m);
    m->tokens = tokens_new();
    m->admins = admins_new();
    m->registrations = registrations_new();
    m->secrets = app_secrets_empty();
    m->arena = arena_new();
    return m;
}

void memory_free(struct memory **mp)
{
    struct memory *m = *mp;
    *mp = NULL;
    if (!m)
        return;
    tokens_free(&m->tokens);
    admins_free(&m->admins);
    registrations_free(&m->registrations);
    app_secrets_free(&m->secrets);
    arena_free(&m->arena);
    free(m);
}

static int keep_role(void *arg, const struct role_row *row, int64_t holders, struct err *err)
{
    struct memory *m = arg;
    struct defined *d = arena_alloc(m->arena, sizeof *d);
    (void)holders, (void)err;
    *d = (struct defined){m->defined, arena_dup(m->arena, row->name),
                          arena_dup(m->arena, row->permissions)};
    m->defined = d;
    return 0;
}

static void add_holder(struct memory *m, const char *account)
{
    struct holder *h = arena_alloc(m->arena, sizeof *h);
    *h = (struct holder){m->holders, arena_dup(m->arena, account), NULL};
    m->holders = h;
}

static int keep_holder(void *arg, const struct role_holder *h, struct err *err)
{
    (void)err;
    add_holder(arg, h->account);
    return 0;
}

static int read_holders(struct memory *m, struct db *db, const struct memory_about *about,
                        struct err *err)
{
    for (; about; about = about->next) {
        if (!about->role)
            add_holder(m, about->name);
        else if (role_each_holder(db, about->name, INT64_MAX, keep_holder, m, err) < 0)
            return -1;
    }
    for (struct holder *h = m->holders; h; h = h->next)
        if (account_roles(db, h->account, m->arena, &h->roles, err) < 0)
            return -1;
    return 0;
}

int memory_read(struct memory *m, struct db *db, const struct memory_about *about, struct err *err)
{
    arena_reset(m->arena);
    m->defined = NULL;
    m->holders = NULL;
    if (tokens_read(m->tokens, db, err) < 0 || admins_read(m->admins, db, err) < 0 ||
        registrations_read(m->registrations, db, err) < 0 ||
        app_secrets_read(m->secrets, db, err) < 0 || role_each(db, keep_role, m, err) < 0)
        return -1;
    return read_holders(m, db, about, err);
}

static int put_roles(const struct memory *m, struct sessions *s, struct err *err)
{
    for (const struct defined *d = m->defined; d; d = d->next)
        if (rights_define(sessions_rights(s), d->role, d->permissions, err) < 0)
            return -1;
    for (const struct holder *h = m->holders; h; h = h->next)
        if (sessions_set_roles(s, h->account, h->roles, err) < 0)
            return -1;
    return 0;
}

int memory_put(struct memory *m, struct admin *a, struct err *err)
{
    struct tokens *tokens = a->tokens;
    struct admins *admins = a->admins;
    struct registrations *registrations = a->registrations;
    tokens_keep_used(m->tokens, tokens);
    a->tokens = m->tokens;
    a->admins = m->admins;
    a->registrations = m->registrations;
    m->tokens = tokens;
    m->admins = admins;
    m->registrations = registrations;
    if (a->o.app_secrets)
        app_secrets_take(a->o.app_secrets, m->secrets);
    return a->o.sessions ? put_roles(m, a->o.sessions, err) : 0;
}
