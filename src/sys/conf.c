/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/conf_file.h"

#define CONF_QUOTE_MAX 60   /* of a wrong value, in an error */
#define CONF_WORDS_MAX 256u /* candidates of one "did you mean" */

/* ---- secrets --------------------------------------------------------------------------------- */

struct conf_secret {
    char *key;
    struct secret *secret;
    struct conf_secret *next;
};

struct conf_secrets {
    struct conf_secret *first;
};

struct conf_secrets *conf_secrets_new(void)
{
    return mem_alloc(sizeof(struct conf_secrets));
}

void conf_secrets_free(struct conf_secrets **secrets)
{
    struct conf_secrets *s = *secrets;
    if (!s)
        return;
    *secrets = NULL;
    while (s->first) {
        struct conf_secret *one = s->first;
        s->first = one->next;
        secret_free(&one->secret);
        free(one->key);
        free(one);
    }
    free(s);
}

static struct conf_secret *secret_find(const struct conf_secrets *s, const char *key)
{
    struct conf_secret *one = s->first;
    while (one && strcmp(one->key, key) != 0)
        one = one->next;
    return one;
}

const struct secret *conf_secrets_get(const struct conf_secrets *s, const char *key)
{
    const struct conf_secret *one = secret_find(s, key);
    return one ? one->secret : NULL;
}

void conf_secrets_set(struct conf_secrets *s, const char *key, struct secret *take)
{
    struct conf_secret *one = secret_find(s, key);
    if (one) {
        secret_free(&one->secret);
    } else {
        one = mem_alloc(sizeof *one);
        one->key = mem_dup(key);
        one->next = s->first;
        s->first = one;
    }
    one->secret = take;
}

/* ---- where a value may come from ------------------------------------------------------------- */

enum spelling { SPELL_PLAIN = 0, SPELL_FILE, SPELL_ENV, SPELLINGS };
static const char *const spell_suffix[SPELLINGS] = {"", "_file", "_env"};

/* One run of conf_apply. */
struct apply {
    const struct conf_source *from;
    const struct conf_file *f; /* or NULL */
    bool row;                  /* f is pairs */
    const struct conf_table *tables;
    size_t n;
    struct arena *a;
    struct conf_secrets *secrets;
    struct conf_problems *p;
};

/* A value found, and how to speak of where: "[server] listen", or the variable's name. */
struct found {
    const char *value;
    const char *key; /* "server.listen" */
    enum spelling spelling;
    bool from_env;
    const char *place;
    int line;
};

static const char *upper(struct arena *a, const char *text)
{
    char *copy = arena_dup(a, text);
    for (char *c = copy; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c == '-' ? '_' : *c;
    return copy;
}

static const char *file_place(const struct apply *ap, const char *section, const char *key)
{
    return *section ? arena_printf(ap->a, "[%s] %s", section, key) : key;
}

static const char *env_name(const struct apply *ap, const struct conf_table *t, const char *key)
{
    return arena_printf(ap->a, "%s_%s", t->env_prefix, upper(ap->a, key));
}

static const char *full_key(const struct apply *ap, const char *section, const char *key)
{
    return *section ? arena_printf(ap->a, "%s.%s", section, key) : key;
}

static void found_wrong(const struct apply *ap, const struct found *f, const char *what)
{
    conf_problem_key(ap->p, f->from_env ? "environment" : conf_file_name(ap->f), f->line, f->key,
                     "%s: %s", f->place, what);
}

/* A row of that name exists in the section (or below the prefix), so "x_file" is no spelling. */
static bool is_row(const struct apply *ap, const struct conf_table *like, const char *key)
{
    for (size_t t = 0; t < ap->n; t++) {
        const struct conf_table *table = &ap->tables[t];
        if (strcmp(table->section, like->section) != 0)
            continue;
        for (size_t i = 0; i < table->n; i++)
            if (strcmp(table->rows[i].key, key) == 0)
                return true;
    }
    return false;
}

/* The spellings of a row, one after the other; NULL where a spelling does not exist. */
static const char *spell(const struct apply *ap, const struct conf_table *t,
                         const struct usher_setting *row, enum spelling s)
{
    if (s == SPELL_PLAIN)
        return row->key;
    if (row->type != USHER_SECRET)
        return NULL;
    const char *key = arena_printf(ap->a, "%s%s", row->key, spell_suffix[s]);
    return is_row(ap, t, key) ? NULL : key;
}

static bool find_in(const struct apply *ap, const struct conf_table *t,
                    const struct usher_setting *row, bool env, struct found *out)
{
    *out = (struct found){.from_env = env};
    if (env && !t->env_prefix)
        return false;
    for (enum spelling s = SPELL_PLAIN; s < SPELLINGS; s++) {
        const char *key = spell(ap, t, row, s);
        struct found one = {.spelling = s, .from_env = env};
        if (!key)
            continue;
        one.key = full_key(ap, t->section, key);
        if (env) {
            one.place = env_name(ap, t, key);
            one.value = conf_env_get(ap->from->env, one.place);
        } else if (ap->f) {
            one.place = file_place(ap, t->section, key);
            one.value = conf_file_get(ap->f, t->section, key, &one.line);
        }
        if (!one.value)
            continue;
        if (out->value)
            found_wrong(ap, &one,
                        arena_printf(ap->a, "%s is set too; only one of them may be", out->place));
        else
            *out = one;
    }
    return out->value != NULL;
}

/* ---- setting --------------------------------------------------------------------------------- */

static struct secret *secret_from_file(const struct apply *ap, const struct found *f,
                                       struct err *err)
{
    const char *path = f->value;
    if (!*path) {
        (void)err_set(err, ERR_MISCONFIGURED, "must not be empty");
        return NULL;
    }
    if (*path != '/' && f->from_env) { /* relative to what would be anybody's guess */
        (void)err_set(err, ERR_MISCONFIGURED, "must be an absolute path");
        return NULL;
    }
    if (*path != '/')
        path = arena_printf(ap->a, "%s%s", conf_file_folder(ap->f), path);
    struct secret *secret = conf_secret_read(path, err);
    if (!secret)
        err_context(err, "%.100s", path);
    return secret;
}

static struct secret *secret_from(const struct apply *ap, const struct found *f, struct err *err)
{
    const char *value = f->value;
    const char *advice = f->from_env ? NULL : conf_file_secret_advice(ap->f);
    if (f->spelling == SPELL_FILE)
        return secret_from_file(ap, f, err);
    if (f->spelling == SPELL_ENV) {
        value = *f->value ? conf_env_get(ap->from->env, f->value) : NULL;
        if (!value) {
            (void)err_set(err, ERR_MISCONFIGURED, "there is no environment variable of that name");
            return NULL;
        }
    } else if (advice) {
        (void)err_set(err, ERR_MISCONFIGURED,
                      "a file that holds a secret must not be readable by others; %s", advice);
        return NULL;
    }
    return conf_secret_check(str_of(value), err);
}

static void take_secret(const struct apply *ap, const struct conf_table *t,
                        const struct usher_setting *row, struct secret *take)
{
    struct usher_secret *m = (struct usher_secret *)((char *)t->config + row->offset);
    m->set = true;
    conf_secrets_set(ap->secrets, row->key, take);
}

/* A file's reader wants to see what is wrong. What came over the API is not repeated: whoever sent
 * it knows it, and it may be a secret in the wrong place. */
static const char *value_shown(const struct apply *ap, const struct usher_setting *row,
                               const char *value)
{
    char shown[CONF_QUOTE_MAX + 1];
    const bool prose = row->type == USHER_TEXT || row->type == USHER_URL || row->type == USHER_LIST;
    if (ap->row || prose || text_display(str_of(value), shown, CONF_QUOTE_MAX) == 0)
        return "";
    return arena_printf(ap->a, "\"%s\" ", shown);
}

static void apply_found(const struct apply *ap, const struct conf_table *t,
                        const struct usher_setting *row, const struct found *f)
{
    struct err err = ERR_INIT;
    if (row->type != USHER_SECRET) {
        if (conf_set(row, t->config, f->value, ap->a, &err) < 0)
            found_wrong(ap, f,
                        arena_printf(ap->a, "%s%s", value_shown(ap, row, f->value), err.text));
        return;
    }
    struct secret *secret = secret_from(ap, f, &err);
    if (!secret) {
        found_wrong(ap, f, err.text);
        return;
    }
    take_secret(ap, t, row, secret);
}

static void missing(const struct apply *ap, const struct conf_table *t,
                    const struct usher_setting *row)
{
    const char *place = file_place(ap, t->section, row->key);
    const char *key = full_key(ap, t->section, row->key);
    if (ap->row || !t->env_prefix) {
        conf_problem_key(ap->p, conf_file_name(ap->f), 0, key, "%s is required", place);
        return;
    }
    const char *how =
        row->type == USHER_SECRET ? arena_printf(ap->a, " (or %s_file)", row->key) : "";
    conf_problem_key(ap->p, ap->f ? conf_file_name(ap->f) : "environment", 0, key,
                     "%s is required: set it there%s or in the environment as %s", place, how,
                     env_name(ap, t, row->key));
}

static void apply_default(const struct apply *ap, const struct conf_table *t,
                          const struct usher_setting *row)
{
    struct err err = ERR_INIT;
    if (row->value && conf_set(row, t->config, row->value, ap->a, &err) < 0)
        conf_problem_key(ap->p, "built-in default", 0, full_key(ap, t->section, row->key), "%s: %s",
                         file_place(ap, t->section, row->key), err.text);
    else if (!row->value && (row->flags & USHER_REQUIRED))
        missing(ap, t, row);
}

/* A row of the database: its values and the secrets that were given, and nothing else. */
static void apply_pairs(const struct apply *ap, const struct conf_table *t,
                        const struct usher_setting *row)
{
    struct found f;
    const struct secret *given = NULL;
    struct err err = ERR_INIT;
    if (find_in(ap, t, row, true, &f))
        found_wrong(ap, &f,
                    arena_printf(ap->a,
                                 "%s is kept in the database, and variables do not change it; "
                                 "remove this one",
                                 conf_file_name(ap->f)));
    if (row->type != USHER_SECRET && find_in(ap, t, row, false, &f)) {
        apply_found(ap, t, row, &f);
        return;
    }
    if (row->type == USHER_SECRET && find_in(ap, t, row, false, &f))
        found_wrong(ap, &f, "secrets are not among the settings here; they are set on their own");
    for (size_t i = 0; row->type == USHER_SECRET && i < ap->from->n_secrets; i++)
        if (strcmp(ap->from->secrets[i].key, row->key) == 0)
            given = ap->from->secrets[i].secret;
    struct secret *checked = given ? conf_secret_check(secret_reveal(given), &err) : NULL;
    if (checked)
        take_secret(ap, t, row, checked);
    else if (given)
        conf_problem_key(ap->p, conf_file_name(ap->f), 0, row->key, "%s %s", row->key, err.text);
    else
        apply_default(ap, t, row);
}

static void apply_row(const struct apply *ap, const struct conf_table *t,
                      const struct usher_setting *row)
{
    struct found in_env, in_file;
    bool env = find_in(ap, t, row, true, &in_env);
    bool file = find_in(ap, t, row, false, &in_file); /* told even if the environment wins */
    if (env || file)
        apply_found(ap, t, row, env ? &in_env : &in_file);
    else
        apply_default(ap, t, row);
}

/* ---- what nobody knows ----------------------------------------------------------------------- */

/* A NULL-ended list of words, for "did you mean". */
struct words {
    const char *v[CONF_WORDS_MAX + 1];
    size_t n;
};

static void words_add(struct words *w, const char *word)
{
    if (w->n < CONF_WORDS_MAX)
        w->v[w->n++] = word;
}

static bool words_have(const struct words *w, const char *word)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->v[i], word) == 0)
            return true;
    return false;
}

static void words_of_table(const struct apply *ap, const struct conf_table *t, struct words *w)
{
    for (size_t i = 0; i < t->n; i++)
        for (enum spelling s = SPELL_PLAIN; s < SPELLINGS; s++) {
            const char *key = spell(ap, t, &t->rows[i], s);
            if (key)
                words_add(w, key);
        }
}

static const char *hint(const struct apply *ap, const char *near)
{
    return near ? arena_printf(ap->a, "; did you mean \"%s\"?", near) : "";
}

static void unknown_sections(const struct apply *ap)
{
    const char *name;
    int line = 0;
    struct words known = {.n = 0};
    for (size_t t = 0; t < ap->n; t++)
        words_add(&known, ap->tables[t].section);
    for (size_t i = 0; (name = conf_file_section(ap->f, i, &line)); i++)
        if (!words_have(&known, name))
            conf_problem_key(ap->p, conf_file_name(ap->f), line, name, "[%s] is no section%s", name,
                             hint(ap, text_nearest(name, known.v)));
}

/* The section that has the key, if another one than the one it stands in does. */
static const char *section_of(const struct apply *ap, const char *key)
{
    for (size_t t = 0; t < ap->n; t++)
        for (size_t i = 0; i < ap->tables[t].n; i++)
            if (strcmp(ap->tables[t].rows[i].key, key) == 0)
                return ap->tables[t].section;
    return NULL;
}

static void unknown_key(const struct apply *ap, const struct conf_entry *e)
{
    struct words known = {.n = 0};
    bool section = false;
    for (size_t t = 0; t < ap->n; t++) {
        if (strcmp(ap->tables[t].section, e->section) != 0)
            continue;
        section = true;
        words_of_table(ap, &ap->tables[t], &known);
    }
    if (!section || words_have(&known, e->key)) /* of the section was told already */
        return;
    const char *near = text_nearest(e->key, known.v), *other = section_of(ap, e->key);
    const char *what = near    ? hint(ap, near)
                       : other ? arena_printf(ap->a, "; it belongs in [%s]", other)
                               : "";
    conf_problem_key(ap->p, conf_file_name(ap->f), e->line, full_key(ap, e->section, e->key),
                     "%s: unknown key%s", file_place(ap, e->section, e->key), what);
}

static const char *nearest(const char *word, const struct words *w, unsigned *distance)
{
    const char *near = text_nearest(word, w->v);
    *distance = near ? text_distance(word, near) : UINT32_MAX;
    return near;
}

/*
 * A variable below a prefix that no table knows. The variables of provider "a-b" lie below the
 * prefix of provider "a" as well, and its table may be applied in another call. So only what is
 * near a known name is a problem, and not when the part behind some '_' is nearer to one:
 * USHER_PROVIDER_A_B_CLIENT_ID is CLIENT_ID of "a-b", not a slip in CLIENT_ID of "a".
 */
static void unknown_variable(const struct apply *ap, const struct conf_table *t, const char *name,
                             const struct words *known)
{
    const char *rest = name + strlen(t->env_prefix) + 1;
    unsigned whole, part;
    const char *near = nearest(rest, known, &whole);
    if (!near || whole == 0)
        return;
    for (const char *tail = strchr(rest, '_'); tail; tail = strchr(tail + 1, '_'))
        if (nearest(tail + 1, known, &part) && part < whole)
            return;
    conf_problem(ap->p, "environment", 0, "%s: unknown variable; did you mean \"%s_%s\"?", name,
                 t->env_prefix, near);
}

static void unknown_variables(const struct apply *ap, size_t table)
{
    const struct conf_table *t = &ap->tables[table];
    struct words keys = {.n = 0}, known = {.n = 0};
    for (size_t i = 0; i < ap->n; i++) {
        const char *prefix = ap->tables[i].env_prefix;
        if (!prefix || strcmp(prefix, t->env_prefix) != 0)
            continue;
        if (i < table)
            return; /* that table spoke for all of its prefix */
        words_of_table(ap, &ap->tables[i], &keys);
    }
    for (size_t i = 0; i < keys.n; i++)
        words_add(&known, upper(ap->a, keys.v[i]));
    size_t n = strlen(t->env_prefix);
    const char *e;
    for (size_t i = 0; (e = conf_env_at(ap->from->env, i)); i++) {
        const char *eq = strchr(e, '=');
        if (!eq || strncmp(e, t->env_prefix, n) != 0 || e[n] != '_')
            continue;
        unknown_variable(ap, t, arena_dupn(ap->a, e, (size_t)(eq - e)), &known);
    }
}

void conf_apply(const struct conf_source *from, const struct conf_table *tables, size_t n,
                struct arena *a, struct conf_secrets *secrets, struct conf_problems *p)
{
    const struct conf_file *f = from->file;
    const bool row = f && conf_file_is_pairs(f);
    const struct apply ap = {from, f, row, tables, n, a, secrets, p};
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < tables[t].n; i++)
            (row ? apply_pairs : apply_row)(&ap, &tables[t], &tables[t].rows[i]);
    if (f) {
        unknown_sections(&ap);
        for (size_t i = 0; i < conf_file_count(f); i++)
            unknown_key(&ap, conf_file_at(f, i));
    }
    for (size_t t = 0; t < n && !row; t++)
        if (tables[t].env_prefix)
            unknown_variables(&ap, t);
}

void conf_drop_empty(const struct usher_setting *rows, size_t n, void *config)
{
    for (size_t i = 0; i < n; i++) {
        void *member = (char *)config + rows[i].offset;
        const char *text;
        if (rows[i].type != USHER_TEXT)
            continue;
        memcpy(&text, member, sizeof text);
        if (text && !*text)
            memset(member, 0, sizeof text);
    }
}
