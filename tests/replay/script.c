/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1u << 20)

static const char *const keywords[] = {"CONFIG",  "START", "REDIRECT", "CALLBACK",
                                       "REQUEST", "REPLY", "DONE",     "FAIL"};
#define N_KEYWORDS (sizeof keywords / sizeof *keywords)

const char *script_kind_name(enum step_kind kind)
{
    return keywords[kind];
}

const char *script_get(const struct script_step *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (!s->v[i].header && strcmp(s->v[i].name, name) == 0)
            return s->v[i].value;
    return NULL;
}

static int read_file(const char *path, struct arena *a, struct str *out, struct err *err)
{
    FILE *f = fopen(path, "re");
    char *text = arena_alloc(a, FILE_MAX + 1);
    if (!f)
        return err_set(err, ERR_NOT_FOUND, "cannot be opened");
    size_t n = fread(text, 1, FILE_MAX, f);
    fclose(f);
    *out = (struct str){text, n};
    return n < FILE_MAX ? 0 : err_set(err, ERR_LIMITED, "is larger than %u bytes", FILE_MAX);
}

/* "name = value" or "header name = value". */
static bool split_line(struct str line, struct arena *a, struct script_line *out)
{
    const char *equals = memchr(line.p, '=', line.n);
    if (!equals)
        return false;
    struct str name = str_trim((struct str){line.p, (size_t)(equals - line.p)});
    struct str value = str_trim((struct str){equals + 1, line.n - (size_t)(equals - line.p) - 1});
    out->header = str_starts(name, "header ");
    if (out->header)
        name = str_trim((struct str){name.p + 7, name.n - 7});
    out->name = arena_str(a, name);
    out->value = arena_str(a, value);
    return name.n > 0 && !memchr(name.p, ' ', name.n);
}

static int open_step(struct script *s, struct str line, int number, struct arena *a,
                     struct err *err)
{
    for (size_t k = 0; k < N_KEYWORDS; k++) {
        size_t n = strlen(keywords[k]);
        if (!str_starts(line, keywords[k]) || (line.n > n && line.p[n] != ' '))
            continue;
        if (s->n == SCRIPT_STEPS_MAX)
            return err_set(err, ERR_LIMITED, "line %d: too many steps", number);
        struct str rest = str_trim((struct str){line.p + n, line.n - n});
        s->v[s->n++] = (struct script_step){
            .kind = (enum step_kind)k, .line = number, .rest = arena_str(a, rest), .body = ""};
        return 0;
    }
    return err_set(err, ERR_INVALID, "line %d: no such keyword", number);
}

static int add_line(struct script_step *step, struct str line, int number, struct arena *a,
                    struct err *err)
{
    struct str text = str_trim(line);
    bool body = *step->body != '\0';
    if (step->kind == STEP_CONFIG || (step->kind == STEP_REPLY && body) ||
        (step->kind == STEP_REPLY && !str_starts(text, "header "))) {
        step->body = arena_printf(a, "%s%.*s\n", step->body, (int)text.n, text.p);
        return 0;
    }
    if (step->n == SCRIPT_LINES_MAX || !split_line(text, a, &step->v[step->n]))
        return err_set(err, ERR_INVALID, "line %d: not of the form name = value", number);
    step->n++;
    return 0;
}

static int parse(struct script *s, struct str text, struct arena *a, struct err *err)
{
    int number = 0;
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        struct str line = {text.p, end ? (size_t)(end - text.p) : text.n};
        text = (struct str){text.p + line.n + (end ? 1 : 0), text.n - line.n - (end ? 1 : 0)};
        number++;
        bool indented = line.n && (line.p[0] == ' ' || line.p[0] == '\t');
        if (str_trim(line).n == 0 || line.p[0] == '#')
            continue;
        if (!indented && open_step(s, line, number, a, err) != 0)
            return -1;
        if (indented && s->n == 0)
            return err_set(err, ERR_INVALID, "line %d: belongs to nothing", number);
        if (indented && add_line(&s->v[s->n - 1], line, number, a, err) != 0)
            return -1;
    }
    if (s->n < 3 || s->v[0].kind != STEP_CONFIG || s->v[1].kind != STEP_START ||
        (s->v[s->n - 1].kind != STEP_DONE && s->v[s->n - 1].kind != STEP_FAIL))
        return err_set(err, ERR_INVALID, "must go from CONFIG and START to DONE or FAIL");
    return 0;
}

int script_read(const char *path, struct arena *a, struct script *out, struct err *err)
{
    struct str text = STR("");
    *out = (struct script){.path = path};
    out->v = arena_alloc(a, SCRIPT_STEPS_MAX * sizeof *out->v);
    if (read_file(path, a, &text, err) != 0 || parse(out, text, a, err) != 0)
        return -1;

    const char *end = strrchr(path, '/');
    const char *start = end;
    while (start && start > path && start[-1] != '/')
        start--;
    if (!end || start == end)
        return err_set(err, ERR_INVALID, "must lie in a folder named after the provider");
    out->provider = arena_dupn(a, start, (size_t)(end - start));
    return 0;
}
