/* SPDX-License-Identifier: Apache-2.0 */
#include "login/join.h"

#include <stdlib.h>

#include "login/login_parts.h"
#include "sys/clock.h"
#include "sys/random.h"

#define IN_ALL 4096
#define OF_ONE_BROWSER 8
#define SWEEP_MS 30000

struct join {
    struct join *prev, *next; /* oldest first */
    struct arena *arena;
    enum join_kind kind;
    char id[JOIN_ID_MAX + 1];
    unsigned char bind[32]; /* SHA-256 of the binding cookie */
    struct account_profile profile;
    const char *amr, *other, *return_to;
    int64_t auth_time;
    struct upstream_token tokens; /* of the identity; access NULL: none are kept */
    struct mine mine;             /* NULLs: ASK */
    bool tried;
    struct mono began;
};

struct joins {
    struct join list;
    size_t n;
    struct loop_timer *sweep;
};

/* ---- life */

static void drop(struct joins *all, struct join *j)
{
    j->prev->next = j->next;
    j->next->prev = j->prev;
    all->n--;
    upstream_token_deinit(&j->tokens);
    arena_free(&j->arena);
    free(j);
}

static bool over(const struct join *j)
{
    return mono_ms(j->began, clock_mono()) >= JOIN_SECONDS * 1000;
}

static void on_sweep(void *arg)
{
    struct joins *all = arg;
    while (all->n > 0 && over(all->list.next))
        drop(all, all->list.next);
    if (all->n > 0)
        loop_timer_set(all->sweep, SWEEP_MS);
}

struct joins *joins_new(struct loop *loop)
{
    struct joins *all = mem_alloc(sizeof *all);
    all->list.next = all->list.prev = &all->list;
    all->sweep = loop_timer_add(loop, on_sweep, all);
    return all;
}

void joins_free(struct joins **all)
{
    if (*all == NULL)
        return;
    while ((*all)->n > 0)
        drop(*all, (*all)->list.next);
    loop_timer_del(&(*all)->sweep);
    free(*all);
    *all = NULL;
}

/* ---- finding */

static struct join *find(const struct joins *all, const char *id, struct str bind)
{
    unsigned char hash[32];
    if (bind.n == 0)
        return NULL;
    seal_sha256(bind, hash);
    for (struct join *j = all->list.next; j != &all->list; j = j->next)
        if (strcmp(j->id, id) == 0)
            return seal_equal(j->bind, hash, sizeof hash) && !over(j) ? j : NULL;
    return NULL;
}

/* The caller's own, if what it was made for still holds. */
static struct join *find_own(const struct joins *all, const struct join_caller *c)
{
    struct join *j = find(all, c->id, c->bind);
    if (j == NULL || j->kind == JOIN_ASK)
        return j;
    return c->session && strcmp(c->session->account, j->mine.account) == 0 &&
                   strcmp(c->session->id, j->mine.session) == 0
               ? j
               : NULL;
}

const char *joins_asked(struct joins *all, const char *id, struct str bind)
{
    const struct join *j = find(all, id, bind);
    return j && j->kind == JOIN_ASK ? j->return_to : NULL;
}

/* ---- coming and changing */

static const char *keep(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text) : NULL;
}

static struct account_profile keep_profile(struct arena *a, const struct account_profile *p)
{
    return (struct account_profile){.provider = keep(a, p->provider),
                                    .subject = keep(a, p->subject),
                                    .username = keep(a, p->username),
                                    .name = keep(a, p->name),
                                    .email = keep(a, p->email),
                                    .picture = keep(a, p->picture),
                                    .locale = keep(a, p->locale),
                                    .email_evidence = p->email_evidence,
                                    .groups = keep(a, p->groups)};
}

static struct mine keep_mine(struct arena *a, const struct mine *m)
{
    return m ? (struct mine){keep(a, m->account), keep(a, m->session), keep(a, m->provider)}
             : (struct mine){NULL, NULL, NULL};
}

/* Out of *from, for an identity whose names are in `a` already. */
static struct upstream_token move_tokens(struct arena *a, const struct account_profile *p,
                                         struct upstream_token *from)
{
    struct upstream_token t = *from;
    t.provider = p->provider;
    t.subject = p->subject;
    t.scope = keep(a, t.scope);
    from->access = from->refresh = NULL;
    return t;
}

/* The same browser begins again, or the same identity comes another time: the older one goes. */
static void make_place(struct joins *all, const struct account_profile *p,
                       const unsigned char bind[32])
{
    struct join *oldest = NULL;
    size_t n = 0;
    for (struct join *j = all->list.next, *next; j != &all->list; j = next) {
        next = j->next;
        if (over(j) || (strcmp(j->profile.subject, p->subject) == 0 &&
                        strcmp(j->profile.provider, p->provider) == 0)) {
            drop(all, j);
        } else if (seal_equal(j->bind, bind, sizeof j->bind)) {
            oldest = oldest ? oldest : j;
            n++;
        }
    }
    if (n >= OF_ONE_BROWSER)
        drop(all, oldest);
}

int joins_add(struct joins *all, const struct join_made *m, char id[JOIN_ID_MAX + 1],
              struct err *err)
{
    unsigned char bind[32];
    seal_sha256(m->bind, bind);
    make_place(all, m->profile, bind);
    if (all->n >= IN_ALL)
        return err_set(err, ERR_LIMITED, "%zu joins wait for people to decide", all->n);
    struct join *j = mem_alloc(sizeof *j);
    j->arena = arena_new();
    j->kind = m->kind;
    rng_id(j->id);
    memcpy(j->bind, bind, sizeof bind);
    j->profile = keep_profile(j->arena, m->profile);
    j->amr = keep(j->arena, m->amr);
    j->auth_time = m->auth_time;
    j->other = keep(j->arena, m->other);
    j->return_to = arena_dup(j->arena, m->return_to);
    if (m->tokens)
        j->tokens = move_tokens(j->arena, &j->profile, m->tokens);
    j->mine = keep_mine(j->arena, m->mine);
    j->began = clock_mono();
    j->next = &all->list;
    j->prev = all->list.prev;
    j->prev->next = j;
    all->list.prev = j;
    all->n++;
    loop_timer_set(all->sweep, SWEEP_MS);
    memcpy(id, j->id, sizeof j->id);
    return 0;
}

bool joins_prove(struct joins *all, const char *id, struct str bind, const struct mine *mine)
{
    struct join *j = find(all, id, bind);
    if (j == NULL || j->kind != JOIN_ASK)
        return false;
    j->kind = JOIN_LINK;
    j->mine = keep_mine(j->arena, mine);
    return true;
}

bool joins_try(struct joins *all, const char *id, struct str bind)
{
    struct join *j = find(all, id, bind);
    if (j == NULL || j->kind != JOIN_ASK)
        return false;
    j->tried = true;
    return true;
}

/* ---- for the pages */

int join_show(struct login *l, const struct join_caller *c, struct join_view *out)
{
    const struct join *j = find_own(l->joins, c);
    if (j == NULL)
        return 0;
    const struct account_profile *p = &j->profile;
    const int64_t age = mono_ms(j->began, clock_mono()) / 1000;
    *out = (struct join_view){.kind = j->kind,
                              .id = j->id,
                              .provider = p->provider,
                              .subject = p->subject,
                              .username = p->username,
                              .name = p->name,
                              .email = p->email,
                              .picture = p->picture,
                              .email_evidence = p->email_evidence,
                              .account = j->mine.account,
                              .other = j->other,
                              .tried = j->tried,
                              .return_to = j->return_to,
                              .expires = wall_seconds(clock_wall()) + JOIN_SECONDS - age};
    return 1;
}

void join_drop(struct login *l, const struct join_caller *c, struct arena *a, const char **out)
{
    struct join *j = find_own(l->joins, c);
    *out = j ? arena_dup(a, j->return_to) : "/";
    if (j)
        drop(l->joins, j);
}

bool joins_take(struct joins *all, const struct join_caller *c, struct arena *a,
                struct join_taken *out)
{
    struct join *j = find_own(all, c);
    if (j == NULL)
        return false;
    *out = (struct join_taken){.kind = j->kind,
                               .profile = keep_profile(a, &j->profile),
                               .amr = keep(a, j->amr),
                               .auth_time = j->auth_time,
                               .other = keep(a, j->other),
                               .return_to = arena_dup(a, j->return_to),
                               .mine = keep_mine(a, &j->mine)};
    out->tokens = move_tokens(a, &out->profile, &j->tokens);
    drop(all, j);
    return true;
}
