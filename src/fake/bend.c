/* SPDX-License-Identifier: Apache-2.0 */
/* Right answers, bent: members of other types, duplicate keys, other encodings. */
#include <stdlib.h>

#include "fake/wire.h"

#define BODY_MAX (64u << 20)
#define MARK "\"@bent@\""

static struct jval *parse_body(const struct exchange *x)
{
    return jval_parse(buf_view(&x->r->body), BODY_MAX, JSON_DEPTH_MAX, &(struct err)ERR_INIT);
}

static void replace(struct exchange *x, struct str head, struct str middle, struct str tail)
{
    struct buf out;

    buf_init(&out, BODY_MAX);
    buf_str(&out, head);
    buf_str(&out, middle);
    buf_str(&out, tail);
    buf_clear(&x->r->body);
    buf_str(&x->r->body, buf_view(&out));
    buf_deinit(&out);
}

/* The object a JSON pointer's last member lies in, and that member's name. */
static struct jval *parent(struct exchange *x, struct jval *root, const char *pointer,
                           const char **last)
{
    const char *slash = strrchr(pointer, '/');
    const char *up;

    if (!slash) {
        *last = pointer;
        return root;
    }
    up = arena_dupn(x->rq->arena, pointer, (size_t)(slash - pointer));
    *last = slash + 1;
    return (struct jval *)(uintptr_t)jval_at(root, up);
}

/* Put text that need not be JSON in the place of a member; NULL: remove the member. */
static void set_member(struct exchange *x, const char *pointer, struct str raw, bool drop)
{
    struct jval *root = parse_body(x), *object;
    const char *last = "", *mark;
    struct buf text;

    object = root ? parent(x, root, pointer, &last) : NULL;
    if (jval_type(object) == JVAL_OBJECT) {
        buf_init(&text, BODY_MAX);
        if (drop)
            jval_remove(object, last);
        else
            jval_set_text(object, last, "@bent@");
        jval_render(root, &text);
        mark = drop ? NULL : strstr(text.p, MARK);
        if (mark)
            replace(x, (struct str){text.p, (size_t)(mark - text.p)}, raw,
                    str_of(mark + strlen(MARK)));
        else
            replace(x, buf_view(&text), STR(""), STR(""));
        buf_deinit(&text);
    }
    jval_free(&root);
}

/* Nested arrays, N deep: JWT and CB-16 want 100,000. */
static void deep(struct exchange *x, const struct fault *f)
{
    const int64_t n = f->n >= 0 ? f->n : 100000;
    struct buf b;

    buf_init(&b, BODY_MAX);
    for (int64_t i = 0; i < n; i++)
        buf_byte(&b, '[');
    for (int64_t i = 0; i < n; i++)
        buf_byte(&b, ']');
    if (*f->name)
        set_member(x, f->name, buf_view(&b), false);
    else
        replace(x, buf_view(&b), STR(""), STR(""));
    buf_deinit(&b);
}

/* What GitHub does unless asked otherwise. */
static void as_form(struct exchange *x)
{
    struct jval *root = parse_body(x);
    const struct jval *value;
    const char *key;
    void *iter = NULL;
    struct buf b;

    buf_init(&b, BODY_MAX);
    while (jval_next(root, &iter, &key, &value)) {
        int64_t n;

        if (jval_text(value))
            form_add(&b, key, jval_text(value));
        else if (jval_int(value, &n))
            form_add(&b, key, arena_printf(x->rq->arena, "%lld", (long long)n));
    }
    replace(x, buf_view(&b), STR(""), STR(""));
    x->r->type = "application/x-www-form-urlencoded";
    buf_deinit(&b);
    jval_free(&root);
}

static void twice(struct exchange *x)
{
    const char *body = arena_str(x->rq->arena, buf_view(&x->r->body));
    const size_t n = strlen(body);

    if (n >= 2 && body[0] == '{')
        replace(x, (struct str){body, n - 1}, STR(","), str_of(body + 1));
}

static void text_of(struct exchange *x, const struct fault *f, const char *end)
{
    struct jval *root = parse_body(x);
    const char *old = jval_text(
        jval_at(root, *f->name == '/' ? f->name : arena_printf(x->rq->arena, "/%s", f->name)));
    const char *raw = arena_printf(x->rq->arena, "\"%s%s\"", old ? old : "", end);

    jval_free(&root);
    set_member(x, f->name, str_of(raw), false);
}

static void bend_one(struct exchange *x, const struct fault *f)
{
    const char *kind = f->kind;
    const char *body = arena_str(x->rq->arena, buf_view(&x->r->body));

    if (strcmp(kind, "half-json") == 0)
        replace(x, (struct str){body, strlen(body) / 2}, STR(""), STR(""));
    else if (strcmp(kind, "type") == 0)
        x->r->type = *f->value ? arena_dup(x->rq->arena, f->value) : NULL;
    else if (strcmp(kind, "form") == 0)
        as_form(x);
    else if (strcmp(kind, "duplicate-keys") == 0)
        twice(x);
    else if (strcmp(kind, "nul") == 0)
        text_of(x, f, "\\u0000x");
    else if (strcmp(kind, "bad-utf8") == 0)
        text_of(x, f, "\xc3\x28");
    else if (strcmp(kind, "deep") == 0)
        deep(x, f);
    else if (strcmp(kind, "set") == 0)
        set_member(x, f->name, str_of(f->value), false);
    else if (strcmp(kind, "remove") == 0)
        set_member(x, f->name, STR(""), true);
    else if (strcmp(kind, "body") == 0)
        replace(x, str_of(f->value), STR(""), STR(""));
    else if (strcmp(kind, "bom") == 0)
        replace(x, STR("\xef\xbb\xbf"), str_of(body), STR(""));
    else if (strcmp(kind, "trailing") == 0)
        replace(x, str_of(body), STR("{}"), STR(""));
}

void wire_bend(struct exchange *x)
{
    for (size_t i = 0; i < x->hits->n; i++)
        bend_one(x, &x->hits->v[i]);
}
