/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/conf_roster.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct conf_roster {
    const struct conf_kind *kind;
    struct conf_problems *problems;
    struct arena *a;
    struct conf_made *v;
    size_t n, room;
};

bool conf_id_valid(struct str id)
{
    if (id.n == 0 || id.n > CONF_ID_MAX || id.p[0] == '-' || id.p[id.n - 1] == '-')
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (!((id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= '0' && id.p[i] <= '9') ||
              id.p[i] == '-'))
            return false;
    return true;
}

const char *conf_id_variables(const char *before, const char *id, struct arena *a)
{
    char *prefix = arena_printf(a, "%s%s", before, id);
    for (char *c = prefix + strlen(before); *c; c++)
        *c = *c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    return prefix;
}

struct conf_roster *conf_roster_new(const struct conf_kind *kind, struct conf_problems *p)
{
    struct conf_roster *r = mem_alloc(sizeof *r);
    *r = (struct conf_roster){.kind = kind, .problems = p, .a = arena_new()};
    return r;
}

void conf_roster_free(struct conf_roster **r)
{
    if (!*r)
        return;
    arena_free(&(*r)->a);
    free((*r)->v);
    free(*r);
    *r = NULL;
}

void conf_roster_add(struct conf_roster *r, const struct conf_made *made)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->v[i].id, made->id) != 0)
            continue;
        if (made->row) /* the environment over a file is the same thing; this is another */
            conf_problem(r->problems, made->by, 0,
                         "%s makes %s of this name, too: the one in the database is not used",
                         r->v[i].by, r->kind->one);
        return;
    }
    if (r->n == r->kind->most) {
        conf_problem(r->problems, made->by, 0, "more than %zu %s", r->kind->most, r->kind->many);
        return;
    }
    if (r->n == r->room) {
        r->room = r->room ? 2 * r->room : 16;
        r->v = mem_grow(r->v, r->room * sizeof *r->v);
    }
    struct conf_made *own = &r->v[r->n++];
    *own = *made;
    own->id = arena_dup(r->a, made->id);
    own->by = arena_dup(r->a, made->by);
    own->path = made->path ? arena_dup(r->a, made->path) : NULL;
}

void conf_roster_add_folder(struct conf_roster *r, const char *dir, bool optional)
{
    DIR *d = opendir(dir);
    if (!d) {
        if (errno != ENOENT || !optional)
            conf_problem(r->problems, dir, 0, "cannot read the folder of %s: %s", r->kind->many,
                         strerror(errno));
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        struct str name = str_of(e->d_name);
        if (e->d_name[0] == '.' || !str_ends(name, ".conf"))
            continue;
        name.n -= strlen(".conf");
        const char *path = arena_printf(r->a, "%s/%s", dir, e->d_name);
        if (conf_id_valid(name))
            conf_roster_add(
                r, &(struct conf_made){.id = arena_str(r->a, name), .by = path, .path = path});
        else
            conf_problem(r->problems, path, 0,
                         "the file's name is the %s's id: at most 32 of a-z, 0-9 and '-', then "
                         ".conf",
                         r->kind->noun);
    }
    closedir(d);
}

void conf_roster_add_row(struct conf_roster *r, const char *id, const void *row)
{
    const char *by = arena_printf(r->a, "%s %.100s", r->kind->noun, id);
    if (conf_id_valid(str_of(id)))
        conf_roster_add(r, &(struct conf_made){.id = id, .by = by, .row = row});
    else
        conf_problem(r->problems, by, 0, "%s's id is at most 32 of a-z, 0-9 and '-'", r->kind->one);
}

/* The number at *p, which is moved behind it; without leading zeros. */
static struct str take_number(const char **p)
{
    *p += strspn(*p, "0");
    const struct str digits = {*p, strspn(*p, "0123456789")};
    *p += digits.n;
    return digits;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int conf_id_order(const char *x, const char *y)
{
    const char *a = x, *b = y;
    for (;;) {
        if (is_digit(*a) && is_digit(*b)) {
            const struct str m = take_number(&a), n = take_number(&b);
            const int order = m.n != n.n ? (m.n < n.n ? -1 : 1) : memcmp(m.p, n.p, m.n);
            if (order != 0)
                return order;
        } else if (*a != *b) {
            return *a < *b ? -1 : 1;
        } else if (*a == '\0') {
            return strcmp(x, y); /* "a1" and "a01" */
        } else {
            a++, b++;
        }
    }
}

static int by_id(const void *x, const void *y)
{
    return conf_id_order(((const struct conf_made *)x)->id, ((const struct conf_made *)y)->id);
}

size_t conf_roster_sort(struct conf_roster *r)
{
    if (r->n > 1)
        qsort(r->v, r->n, sizeof *r->v, by_id);
    return r->n;
}

const struct conf_made *conf_roster_at(const struct conf_roster *r, size_t i)
{
    return i < r->n ? &r->v[i] : NULL;
}
