/* SPDX-License-Identifier: Apache-2.0 */
#include "base/template.h"

/* Deep enough for any page; stops a partial that includes itself. */
#define NESTING_MAX 24
#define NAME_MAX_BYTES 64
/* Tags read for one page: sections in sections multiply, even when nothing comes out of them. */
#define WORK_MAX 100000

/* Where names are looked up: the innermost section first. */
struct scope {
    const struct jval *v;
    const struct scope *up;
};

struct render {
    template_find *find;
    void *ctx;
    struct buf *out;
    struct err *err;
    struct str whole, rest; /* of the file that is being read */
    unsigned nesting, work;
};

struct tag {
    char kind;       /* '#', '^', '/', '>', '!' or 'v' for a name */
    struct str name; /* of a comment: everything */
};

static int template_bad(struct render *r, const char *what)
{
    unsigned line = 1;
    for (const char *c = r->whole.p; c < r->rest.p; c++)
        line += *c == '\n';
    return err_set(r->err, ERR_INTERNAL, "template: %s in line %u", what, line);
}

static bool template_name_valid(struct str name, bool file)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
        if (!letter && !(file && c == '/'))
            return false;
    }
    return name.n > 0 && name.n < NAME_MAX_BYTES;
}

/* Emit the text before the next tag, and read that. 1, or 0 at the end of the file. */
static int template_next(struct render *r, bool emit, struct tag *tag)
{
    const char *open = r->rest.n ? memmem(r->rest.p, r->rest.n, "{{", 2) : NULL;
    size_t before = open ? (size_t)(open - r->rest.p) : r->rest.n;
    if (emit)
        buf_add(r->out, r->rest.p, before);
    if (!open)
        return 0;
    r->rest.p += before;
    r->rest.n -= before;
    const char *close = memmem(open + 2, r->rest.n - 2, "}}", 2);
    if (!close)
        return template_bad(r, "a tag without end");
    struct str inner = str_trim((struct str){open + 2, (size_t)(close - open) - 2});
    tag->kind = 'v';
    if (inner.n && strchr("#^/>!", inner.p[0]) && inner.p[0]) {
        tag->kind = inner.p[0];
        inner = str_trim((struct str){inner.p + 1, inner.n - 1});
    }
    tag->name = inner;
    if (tag->kind != '!' && !template_name_valid(inner, tag->kind == '>'))
        return template_bad(r, "a bad tag");
    size_t length = (size_t)(close - open) + 2;
    r->rest.p += length;
    r->rest.n -= length;
    return 1;
}

/* "." is the innermost value; the first part of a.b.c is looked up from the inside out. */
static const struct jval *template_lookup(const struct scope *scope, struct str name)
{
    if (str_is(name, "."))
        return scope->v;
    const struct jval *v = NULL;
    struct str rest = name, part;
    for (bool first = true; str_split(&rest, '.', &part); first = false) {
        char key[NAME_MAX_BYTES];
        memcpy(key, part.p, part.n);
        key[part.n] = '\0';
        if (!first) {
            v = jval_get(v, key);
            continue;
        }
        for (const struct scope *s = scope; s && !v; s = s->up)
            v = jval_get(s->v, key);
    }
    return v;
}

static bool template_truth(const struct jval *v)
{
    bool flag = false;
    double number = 0;
    switch (jval_type(v)) {
    case JVAL_BOOL:
        return jval_bool(v, &flag) && flag;
    case JVAL_NUMBER:
        return jval_number(v, &number) && (number < 0 || number > 0);
    case JVAL_TEXT:
        return jval_text(v)[0] != '\0';
    case JVAL_ARRAY:
        return jval_count(v) > 0;
    case JVAL_OBJECT:
        return true;
    case JVAL_NONE:
    case JVAL_NULL:
        break;
    }
    return false;
}

static void template_value(struct buf *out, const struct jval *v)
{
    enum jval_type type = jval_type(v);
    if (type == JVAL_TEXT)
        template_escape(out, str_of(jval_text(v)));
    else if (type == JVAL_NUMBER || type == JVAL_BOOL)
        jval_render(v, out); /* digits and letters only */
}

static int template_until(struct render *r, struct str section, bool emit,
                          const struct scope *scope);

/* One turn of a section, with its value as the innermost scope. */
static int template_turn(struct render *r, struct str name, const struct jval *v,
                         const struct scope *scope)
{
    struct scope inner = {v, scope};
    return template_until(r, name, true, &inner);
}

static int template_section(struct render *r, struct tag tag, bool emit, const struct scope *scope)
{
    const struct jval *v = emit ? template_lookup(scope, tag.name) : NULL;
    bool truth = template_truth(v);
    if (!emit || truth == (tag.kind == '^'))
        return template_until(r, tag.name, false, scope);
    if (tag.kind == '^')
        return template_until(r, tag.name, true, scope);
    if (jval_type(v) == JVAL_OBJECT)
        return template_turn(r, tag.name, v, scope);
    if (jval_type(v) != JVAL_ARRAY)
        return template_until(r, tag.name, true, scope);
    struct str body = r->rest;
    for (size_t i = 0; i < jval_count(v); i++) {
        r->rest = body;
        if (template_turn(r, tag.name, jval_item(v, i), scope))
            return -1;
    }
    return 0;
}

static int template_partial(struct render *r, struct str name, const struct scope *scope)
{
    char file[NAME_MAX_BYTES];
    memcpy(file, name.p, name.n);
    file[name.n] = '\0';
    struct str text = r->find ? r->find(r->ctx, file) : (struct str){NULL, 0};
    if (!text.p)
        return template_bad(r, "a partial that does not exist");
    struct str whole = r->whole, rest = r->rest;
    r->whole = r->rest = text;
    int rc = template_until(r, (struct str){NULL, 0}, true, scope);
    r->whole = whole;
    r->rest = rest;
    if (rc)
        err_context(r->err, "%s", file);
    return rc;
}

/* Up to the end of `section`, or of the file when that is NULL. */
static int template_until(struct render *r, struct str section, bool emit,
                          const struct scope *scope)
{
    struct tag tag = {.kind = '!'};
    int more, rc = 0;
    if (++r->nesting > NESTING_MAX)
        return template_bad(r, "too much nesting");
    while ((more = template_next(r, emit, &tag)) == 1) {
        if (tag.kind == 'v' && emit) {
            template_value(r->out, template_lookup(scope, tag.name));
        } else if (tag.kind == '#' || tag.kind == '^') {
            rc = template_section(r, tag, emit, scope);
        } else if (tag.kind == '>' && emit) {
            rc = template_partial(r, tag.name, scope);
        } else if (tag.kind == '/') {
            if (!section.p || !str_eq(section, tag.name))
                return template_bad(r, "an end of another section");
            r->nesting--;
            return 0;
        }
        if (rc)
            return -1;
        if (!buf_ok(r->out)) /* do not go through long lists for nothing */
            return err_set(r->err, ERR_LIMITED, "template: longer than %zu bytes", r->out->limit);
        if (++r->work > WORK_MAX)
            return err_set(r->err, ERR_LIMITED, "template: more than %d tags", WORK_MAX);
    }
    if (more < 0)
        return -1;
    if (section.p)
        return template_bad(r, "a section without end");
    r->nesting--;
    return 0;
}

int template_render(struct str text, const struct jval *data, template_find *find, void *ctx,
                    struct buf *out, struct err *err)
{
    struct render r = {
        .find = find, .ctx = ctx, .out = out, .err = err, .whole = text, .rest = text};
    struct scope scope = {data, NULL};
    if (template_until(&r, (struct str){NULL, 0}, true, &scope))
        return -1;
    if (!buf_ok(out))
        return err_set(err, ERR_LIMITED, "template: longer than %zu bytes", out->limit);
    return 0;
}

void template_escape(struct buf *out, struct str s)
{
    size_t done = 0;
    for (size_t i = 0; i < s.n; i++) {
        const char *entity = NULL;
        switch (s.p[i]) {
        case '&':
            entity = "&amp;";
            break;
        case '<':
            entity = "&lt;";
            break;
        case '>':
            entity = "&gt;";
            break;
        case '"':
            entity = "&quot;";
            break;
        case '\'':
            entity = "&#39;";
            break;
        default:
            continue;
        }
        buf_add(out, s.p + done, i - done);
        buf_text(out, entity);
        done = i + 1;
    }
    if (done < s.n)
        buf_add(out, s.p + done, s.n - done);
}
