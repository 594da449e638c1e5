/* SPDX-License-Identifier: Apache-2.0 */
#include "session/rights.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "session/index.h"
#include "store/role.h"
#include "sys/seal.h"

#define JSON_MAX 65536
#define ROLE_PERMISSIONS_MAX 1000
#define SETS_MAX 1000000u

struct names {
    const char **v; /* sorted, each once */
    size_t n;
};

struct set {
    char *roles;       /* joined; what the set is found by */
    char *permissions; /* joined */
    uint32_t number, users, stamp;
    bool cut;
};

struct definition {
    struct definition *next;
    char *role;
    char *permissions; /* joined */
};

struct rights {
    struct definition *defined;
    struct index by_roles;
    struct set **sets; /* by number; those of nobody are NULL */
    uint32_t n, cap, free_hint;
    uint32_t stamp;
};

bool rights_name(struct str name)
{
    if (name.n == 0 || name.n > RIGHTS_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        const char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
              c == ':' || c == '-'))
            return false;
    }
    return true;
}

/* ---- lists of names -----------------------------------------------------------------------------
 */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(struct names *l)
{
    size_t n = 0;
    if (l->n > 0)
        qsort(l->v, l->n, sizeof *l->v, by_text);
    for (size_t i = 0; i < l->n; i++)
        if (n == 0 || strcmp(l->v[n - 1], l->v[i]) != 0)
            l->v[n++] = l->v[i];
    l->n = n;
}

/* From JSON into the arena. */
static int read_names(const char *json, size_t max, struct arena *a, struct names *out,
                      struct err *err)
{
    *out = (struct names){NULL, 0};
    struct jval *list = jval_parse(str_of(json), JSON_MAX, 2, err);
    if (!list)
        return -1;
    const size_t n = jval_count(list);
    int rc = 0;
    if (jval_type(list) != JVAL_ARRAY)
        rc = err_set(err, ERR_INTERNAL, "names of roles or permissions are no list");
    else if (n > max)
        rc = err_set(err, ERR_LIMITED, "more than %zu names of roles or permissions", max);
    out->v = arena_alloc(a, (n + 1) * sizeof *out->v);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const char *name = jval_text(jval_item(list, i));
        if (!name || !rights_name(str_of(name)))
            rc = err_set(err, ERR_INTERNAL, "a role or permission has no proper name");
        else
            out->v[out->n++] = arena_dup(a, name);
    }
    jval_free(&list);
    sort(out);
    return rc;
}

static size_t length(const struct names *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += strlen(l->v[i]) + (i > 0);
    return n;
}

/* As many as fit; the caller's. */
static char *join(const struct names *l, size_t max)
{
    const size_t whole = length(l), room = whole < max ? whole : max;
    char *text = mem_alloc(room + 1);
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        const size_t size = strlen(l->v[i]), comma = n > 0;
        if (n + comma + size > room)
            break;
        if (comma)
            text[n++] = ',';
        memcpy(text + n, l->v[i], size);
        n += size;
    }
    return text;
}

/* The parts of a joined text behind those that are in `out`, which grows. */
static void split(const char *joined, struct arena *a, struct names *out)
{
    size_t n = *joined ? 1 : 0;
    for (const char *p = joined; *p; p++)
        n += *p == ',';
    const char **v = arena_alloc(a, (out->n + n + 1) * sizeof *v);
    if (out->n > 0)
        memcpy(v, out->v, out->n * sizeof *v);
    out->v = v;
    for (const char *p = joined; n > 0; n--) {
        const size_t size = strcspn(p, ",");
        out->v[out->n++] = arena_str(a, (struct str){p, size});
        p += size + (p[size] == ',');
    }
}

/* ---- roles --------------------------------------------------------------------------------------
 */

static struct definition **find_role(struct rights *r, const char *role)
{
    struct definition **at = &r->defined;
    while (*at && strcmp((*at)->role, role) != 0)
        at = &(*at)->next;
    return at;
}

static bool holds(const char *joined, const char *role)
{
    const size_t n = strlen(role);
    for (const char *p = joined; *p;) {
        const size_t size = strcspn(p, ",");
        if (size == n && memcmp(p, role, n) == 0)
            return true;
        p += size + (p[size] == ',');
    }
    return false;
}

/* What a set's roles allow; `role`, if given, allows `instead`. */
static struct names allowed(struct rights *r, const char *roles, const char *role,
                            const struct names *instead, struct arena *a)
{
    struct names each = {NULL, 0}, all = {NULL, 0};
    split(roles, a, &each);
    for (size_t i = 0; i < each.n; i++) {
        if (role && strcmp(each.v[i], role) == 0) {
            char *text = join(instead, SIZE_MAX);
            split(text, a, &all);
            free(text);
            continue;
        }
        const struct definition *d = *find_role(r, each.v[i]);
        if (d)
            split(d->permissions, a, &all);
    }
    sort(&all);
    return all;
}

static void render(struct rights *r, struct set *s)
{
    struct arena *a = arena_new();
    const struct names all = allowed(r, s->roles, NULL, NULL, a);
    free(s->permissions);
    s->permissions = join(&all, RIGHTS_PERMISSIONS_MAX);
    s->cut = length(&all) > RIGHTS_PERMISSIONS_MAX;
    s->stamp = rights_stamp(r);
    arena_free(&a);
}

static void undefine(struct definition **at)
{
    struct definition *d = *at;
    *at = d->next;
    free(d->role);
    free(d->permissions);
    free(d);
}

int rights_define(struct rights *r, const char *role, const char *permissions, struct err *err)
{
    struct arena *a = arena_new();
    struct names list = {NULL, 0};
    struct definition **at = find_role(r, role);
    int rc = 0;
    if (!rights_name(str_of(role)))
        rc = err_set(err, ERR_INTERNAL, "a role has no proper name");
    else if (permissions)
        rc = read_names(permissions, ROLE_PERMISSIONS_MAX, a, &list, err);
    if (rc == 0) {
        if (*at)
            undefine(at);
        if (permissions) {
            struct definition *d = mem_alloc(sizeof *d);
            *d = (struct definition){r->defined, mem_dup(role), join(&list, SIZE_MAX)};
            r->defined = d;
        }
        for (uint32_t i = 1; i < r->n; i++)
            if (r->sets[i] && holds(r->sets[i]->roles, role))
                render(r, r->sets[i]);
    }
    arena_free(&a);
    return rc;
}

bool rights_fits(struct rights *r, const char *role, const char *permissions)
{
    struct arena *a = arena_new();
    struct err err = ERR_INIT;
    struct names list;
    bool fits = read_names(permissions, ROLE_PERMISSIONS_MAX, a, &list, &err) == 0 &&
                length(&list) <= RIGHTS_PERMISSIONS_MAX;
    for (uint32_t i = 1; fits && i < r->n; i++) {
        if (!r->sets[i] || !holds(r->sets[i]->roles, role))
            continue;
        const struct names all = allowed(r, r->sets[i]->roles, role, &list, a);
        fits = length(&all) <= RIGHTS_PERMISSIONS_MAX;
    }
    arena_free(&a);
    return fits;
}

/* ---- sets ---------------------------------------------------------------------------------------
 */

struct rights *rights_new(void)
{
    struct rights *r = mem_alloc(sizeof *r);
    index_init(&r->by_roles);
    r->cap = 16;
    r->sets = mem_alloc(r->cap * sizeof(struct set *));
    r->n = 1; /* that of no roles */
    r->free_hint = 1;
    return r;
}

static int define(void *arg, const struct role_row *row, int64_t holders, struct err *err)
{
    (void)holders;
    return rights_define(arg, row->name, row->permissions, err);
}

struct rights *rights_read(struct db *db, struct err *err)
{
    struct rights *r = rights_new();
    if (role_each(db, define, r, err) < 0)
        rights_free(&r);
    return r;
}

static void free_set(struct set *s)
{
    free(s->roles);
    free(s->permissions);
    free(s);
}

void rights_free(struct rights **rp)
{
    struct rights *r = *rp;
    if (!r)
        return;
    while (r->defined)
        undefine(&r->defined);
    for (uint32_t i = 1; i < r->n; i++)
        if (r->sets[i])
            free_set(r->sets[i]);
    index_deinit(&r->by_roles);
    free(r->sets);
    free(r);
    *rp = NULL;
}

uint32_t rights_stamp(struct rights *r)
{
    return ++r->stamp;
}

static uint64_t key_of(const char *roles)
{
    unsigned char hash[32];
    uint64_t key;
    seal_sha256(str_of(roles), hash);
    memcpy(&key, hash, sizeof key);
    return key;
}

static bool same_roles(const void *p, const void *roles)
{
    return strcmp(((const struct set *)p)->roles, roles) == 0;
}

static int add_set(struct rights *r, const char *roles, struct set **out, struct err *err)
{
    uint32_t i = r->free_hint;
    while (i < r->n && r->sets[i])
        i++;
    if (i == SETS_MAX)
        return err_set(err, ERR_LIMITED, "too many combinations of roles");
    if (i == r->cap) {
        r->cap *= 2;
        r->sets = mem_grow(r->sets, r->cap * sizeof(struct set *));
    }
    if (i == r->n)
        r->n++;
    r->free_hint = i + 1;
    struct set *s = mem_alloc(sizeof *s);
    *s = (struct set){.roles = mem_dup(roles), .number = i};
    r->sets[i] = s;
    render(r, s);
    index_put(&r->by_roles, key_of(roles), s);
    *out = s;
    return 0;
}

int rights_take(struct rights *r, const char *roles, uint32_t *set, struct err *err)
{
    *set = 0;
    if (!roles || strcmp(roles, "[]") == 0)
        return 0;
    struct arena *a = arena_new();
    struct names list;
    int rc = read_names(roles, RIGHTS_ROLES_MAX, a, &list, err);
    if (rc == 0 && list.n > 0) {
        char *joined = join(&list, SIZE_MAX);
        struct set *s = index_find(&r->by_roles, key_of(joined), same_roles, joined);
        if (!s)
            rc = add_set(r, joined, &s, err);
        if (rc == 0) {
            s->users++;
            *set = s->number;
        }
        free(joined);
    }
    arena_free(&a);
    return rc;
}

uint32_t rights_again(struct rights *r, uint32_t set)
{
    if (set != 0)
        r->sets[set]->users++;
    return set;
}

void rights_drop(struct rights *r, uint32_t set)
{
    if (set == 0 || --r->sets[set]->users > 0)
        return;
    struct set *s = r->sets[set];
    index_remove(&r->by_roles, key_of(s->roles), s);
    r->sets[set] = NULL;
    if (set < r->free_hint)
        r->free_hint = set;
    free_set(s);
}

/* Another set may have the same roles then, and whoever looks for them finds either. */
void rights_forget(struct rights *r, const char *role)
{
    struct definition **at = find_role(r, role);
    if (*at)
        undefine(at);
    for (uint32_t i = 1; i < r->n; i++) {
        struct set *s = r->sets[i];
        if (!s || !holds(s->roles, role))
            continue;
        struct arena *a = arena_new();
        struct names all = {NULL, 0}, left = {NULL, 0};
        split(s->roles, a, &all);
        left.v = arena_alloc(a, all.n * sizeof *left.v);
        for (size_t k = 0; k < all.n; k++)
            if (strcmp(all.v[k], role) != 0)
                left.v[left.n++] = all.v[k];
        index_remove(&r->by_roles, key_of(s->roles), s);
        free(s->roles);
        s->roles = join(&left, SIZE_MAX);
        index_put(&r->by_roles, key_of(s->roles), s);
        render(r, s);
        arena_free(&a);
    }
}

struct rights_view rights_show(const struct rights *r, uint32_t set)
{
    if (set == 0)
        return (struct rights_view){"", "", 0, false};
    const struct set *s = r->sets[set];
    return (struct rights_view){s->roles, s->permissions, s->stamp, s->cut};
}

size_t rights_sets(const struct rights *r)
{
    return r->by_roles.n;
}
