/* SPDX-License-Identifier: Apache-2.0 */
/* conf's problems: collected as a text and one by one. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/conf.h"

#define PROBLEMS_TEXT_MAX (128u * 1024) /* bytes; beyond it they are counted only */
#define PROBLEMS_KEPT_MAX 1000u
#define KEY_MAX 128

void conf_problems_init(struct conf_problems *p)
{
    memset(p, 0, sizeof *p);
    buf_init(&p->text, PROBLEMS_TEXT_MAX);
}

void conf_problems_deinit(struct conf_problems *p)
{
    buf_deinit(&p->text);
    arena_free(&p->arena);
    free(p->kept);
    p->kept = NULL;
    p->n = 0;
    p->n_kept = p->room = 0;
}

static void keep(struct conf_problems *p, const struct conf_fault *f)
{
    if (p->n_kept == PROBLEMS_KEPT_MAX)
        return;
    if (!p->arena)
        p->arena = arena_new();
    if (p->n_kept == p->room) {
        p->room = p->room ? 2 * p->room : 8;
        p->kept = mem_grow(p->kept, p->room * sizeof *p->kept);
    }
    p->kept[p->n_kept++] = (struct conf_fault){
        .file = arena_dup(p->arena, f->file),
        .line = f->line,
        .key = f->key ? arena_dupn(p->arena, f->key, strnlen(f->key, KEY_MAX)) : NULL,
        .text = arena_dup(p->arena, f->text),
    };
}

static void add(struct conf_problems *p, struct conf_fault *f, const char *format, va_list ap)
    __attribute__((format(printf, 3, 0)));
static void add(struct conf_problems *p, struct conf_fault *f, const char *format, va_list ap)
{
    char what[1024], shown[1024];
    vsnprintf(what, sizeof what, format, ap);
    (void)text_display(str_of(what), shown, sizeof shown - 1);
    f->text = shown;
    p->n++;
    keep(p, f);
    if (f->line > 0)
        buf_printf(&p->text, "%s:%d: %s\n", f->file, f->line, shown);
    else
        buf_printf(&p->text, "%s: %s\n", f->file, shown);
}

void conf_problem(struct conf_problems *p, const char *file, int line, const char *format, ...)
{
    struct conf_fault f = {.file = file, .line = line};
    va_list ap;
    va_start(ap, format);
    add(p, &f, format, ap);
    va_end(ap);
}

void conf_problem_key(struct conf_problems *p, const char *file, int line, const char *key,
                      const char *format, ...)
{
    struct conf_fault f = {.file = file, .line = line, .key = key};
    va_list ap;
    va_start(ap, format);
    add(p, &f, format, ap);
    va_end(ap);
}

size_t conf_problems_n(const struct conf_problems *p)
{
    return p->n_kept;
}

const struct conf_fault *conf_problems_at(const struct conf_problems *p, size_t i)
{
    return i < p->n_kept ? &p->kept[i] : NULL;
}

const char *conf_problems_reason(const struct conf_problems *p, size_t from, bool with_place,
                                 struct arena *a)
{
    const struct conf_fault *f = conf_problems_at(p, from);
    if (!f)
        return "its settings are wrong";
    if (!with_place)
        return arena_dup(a, f->text);
    return f->line > 0 ? arena_printf(a, "%s:%d: %s", f->file, f->line, f->text)
                       : arena_printf(a, "%s: %s", f->file, f->text);
}
