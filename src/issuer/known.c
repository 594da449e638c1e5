/* SPDX-License-Identifier: Apache-2.0 */
/* Places in sets: the hash of a grant's id says which set, the oldest of a set makes room. */
#include "issuer/known.h"

#include <stdlib.h>
#include <string.h>

#include "issuer/standing.h"

#define SETS 1024u /* a power of two */
#define WAYS 4u
#define TEXT_MAX 4096u /* bytes of all that is said of one grant */
#define IDLE 60        /* seconds that nobody asked */

struct told {
    uint64_t apps;
    const char *scopes;
    struct str said;
    char app[]; /* and then the two above */
};

struct known_one {
    struct standing of; /* strings in `text` */
    uint64_t changes;
    int64_t asked;     /* last */
    struct told *told; /* last; NULL: nothing */
    char text[];       /* the grant's id, then the rest */
};

struct known {
    struct known_one **places; /* SETS of WAYS; NULL: there was nothing to keep yet */
    size_t n;
};

struct known *known_new(void)
{
    return mem_alloc(sizeof(struct known));
}

static void drop(struct known *t, struct known_one **place)
{
    if (*place == NULL)
        return;
    free((*place)->told);
    free(*place);
    *place = NULL;
    t->n--;
}

void known_free(struct known **tp)
{
    struct known *t = *tp;
    *tp = NULL;
    if (t == NULL)
        return;
    for (size_t i = 0; t->places && i < SETS * WAYS; i++)
        drop(t, &t->places[i]);
    free(t->places);
    free(t);
}

/* FNV-1a. Ids of grants are random and ours, so nobody can aim at one set. */
static struct known_one **set_of(const struct known *t, const char *grant)
{
    uint32_t h = 0x811c9dc5u;
    for (; *grant; grant++)
        h = (h ^ (unsigned char)*grant) * 0x01000193u;
    return t->places + ((h ^ h >> 16) & (SETS - 1)) * WAYS;
}

static bool is_good(const struct known_one *e, const struct known_at *at)
{
    return e->changes == at->changes && at->now < e->of.until;
}

struct known_one *known_find(struct known *t, const char *grant, const struct known_at *at)
{
    struct known_one **set = t->n > 0 ? set_of(t, grant) : NULL;
    for (size_t i = 0; set && i < WAYS; i++) {
        if (set[i] == NULL || strcmp(set[i]->text, grant) != 0)
            continue;
        if (is_good(set[i], at)) {
            set[i]->asked = at->now;
            return set[i];
        }
        drop(t, &set[i]);
        break;
    }
    return NULL;
}

/* NULL: too long. */
static struct known_one *one_new(const struct standing *of)
{
    const struct oauth_grant_row *g = &of->grant;
    struct standing f = *of;
    f.grant = (struct oauth_grant_row){.id = g->id,
                                       .app = g->app,
                                       .account = g->account,
                                       .provider = g->provider,
                                       .claims = g->claims,
                                       .ip = g->ip};
    const char **const texts[] = {&f.grant.app,       &f.grant.account,   &f.grant.provider,
                                  &f.grant.claims,    &f.grant.ip,        &f.person.account,
                                  &f.person.provider, &f.person.username, &f.person.name,
                                  &f.person.picture,  &f.person.locale,   &f.person.email,
                                  &f.person.groups,   &f.person.roles,    &f.person.permissions};
    const size_t n_texts = sizeof texts / sizeof *texts, id = strlen(g->id) + 1;
    size_t n = id;
    for (size_t i = 0; i < n_texts; i++)
        n += *texts[i] ? strlen(*texts[i]) + 1 : 0;
    if (n > TEXT_MAX)
        return NULL;
    struct known_one *e = mem_alloc(sizeof *e + n);
    f.grant.id = memcpy(e->text, g->id, id);
    char *p = e->text + id;
    for (size_t i = 0; i < n_texts; i++) {
        if (*texts[i] == NULL)
            continue;
        const size_t len = strlen(*texts[i]) + 1;
        *texts[i] = memcpy(p, *texts[i], len);
        p += len;
    }
    e->of = f;
    return e;
}

/* Its own, a free one, one that is not good any more, or the one asked for longest ago. */
static struct known_one **place_for(struct known *t, const char *grant, const struct known_at *at)
{
    struct known_one **set = set_of(t, grant), **best = NULL;
    for (size_t i = 0; i < WAYS; i++)
        if (set[i] && strcmp(set[i]->text, grant) == 0)
            return &set[i];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i] == NULL || !is_good(set[i], at))
            return &set[i];
        if (best == NULL || set[i]->asked < (*best)->asked)
            best = &set[i];
    }
    return best;
}

struct known_one *known_keep(struct known *t, const struct known_at *at, const struct standing *of)
{
    struct known_one *e = one_new(of);
    if (e == NULL)
        return NULL;
    if (t->places == NULL)
        t->places = mem_alloc(SETS * WAYS * sizeof(struct known_one *));
    struct known_one **place = place_for(t, of->grant.id, at);
    drop(t, place);
    e->changes = at->changes;
    e->asked = at->now;
    *place = e;
    t->n++;
    return e;
}

const struct standing *known_standing(const struct known_one *one)
{
    return &one->of;
}

int known_told(const struct known_one *one, const struct known_hearer *to, struct str *text)
{
    const struct told *told = one->told;
    if (told == NULL || told->apps != to->apps || strcmp(told->app, to->app) != 0 ||
        strcmp(told->scopes, to->scopes) != 0)
        return 0;
    *text = told->said;
    return 1;
}

void known_tell(struct known_one *one, const struct known_hearer *to, struct str text)
{
    const size_t app = strlen(to->app) + 1, scopes = strlen(to->scopes) + 1;
    free(one->told);
    one->told = NULL;
    if (app + scopes + text.n > TEXT_MAX)
        return;
    struct told *told = mem_alloc(sizeof *told + app + scopes + text.n);
    char *p = memcpy(told->app, to->app, app);
    told->scopes = memcpy(p + app, to->scopes, scopes);
    told->said = (struct str){memcpy(p + app + scopes, text.p, text.n), text.n};
    told->apps = to->apps;
    one->told = told;
}

size_t known_sweep(struct known *t, const struct known_at *at)
{
    const size_t before = t->n;
    for (size_t i = 0; t->n > 0 && i < SETS * WAYS; i++) {
        struct known_one *e = t->places[i];
        if (e && (!is_good(e, at) || e->asked + IDLE <= at->now))
            drop(t, &t->places[i]);
    }
    return before - t->n;
}
