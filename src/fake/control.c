/* SPDX-License-Identifier: Apache-2.0 */
/* What tests and people steer the look-alikes with, and the pictures. */
#include "fake/badtoken.h"
#include "fake/fake.h"
#include "fake/page.h"

static void reply_error(struct exchange *x, const struct err *err)
{
    exchange_error(x, 400, "invalid_request", err->text);
}

/* "secret-switch" and "rotate" are not faults of a path but something that happens now. */
static void add_fault(struct exchange *x)
{
    const char *kind = http_form(x->rq, "fault"), *value = http_form(x->rq, "value");
    const char *variant = http_form(x->rq, "variant");
    struct err err = ERR_INIT;

    if (!x->rq->has_form)
        err_set(&err, ERR_INVALID, "the body must be form-encoded");
    else if (kind && strcmp(kind, "secret-switch") == 0 && value && strlen(value) < FAKE_SECRET_MAX)
        fake_switch_secret(x->f, value);
    else if (kind && strcmp(kind, "rotate") == 0)
        keys_rotate(x->f->keys);
    else if (kind && strcmp(kind, "jwt") == 0 && !(variant && badtoken_known(variant)))
        err_set(&err, ERR_INVALID, "there is no such variant of ID token");
    else
        (void)!faults_add(x->f->faults, &x->rq->form, &err);
    if (err.kind != ERR_NONE)
        reply_error(x, &err);
    else
        exchange_json(x, 200, jval_new_object());
}

static void index_page(struct exchange *x)
{
    struct jval *o = jval_new_object(), *list = jval_new_array();

    for (size_t i = 0; i < people_count(); i++) {
        struct jval *one = jval_new_object();
        jval_set_text(one, "id", people_at(i)->id);
        jval_set_text(one, "name", people_at(i)->name);
        jval_set_text(one, "trait", people_at(i)->trait);
        jval_push(list, one);
    }
    jval_set(o, "people", list);
    jval_set_text(o, "base", x->f->base);
    jval_set_text(o, "label", "Discord, Google and a plain OpenID provider");
    page_reply(x, 200, "index", o);
}

void control_serve(struct exchange *x)
{
    const char *path = x->rq->path;
    const bool post = strcmp(x->rq->method, "POST") == 0;

    if (strcmp(path, "/") == 0)
        index_page(x);
    else if (strcmp(path, "/fake/faults") == 0 && post)
        add_fault(x);
    else if (strcmp(path, "/fake/requests") == 0 || strcmp(path, "/fake/faults") == 0)
        exchange_json(x, 200, faults_report(x->f->faults));
    else if (strcmp(path, "/fake/reset") == 0 && post) {
        fake_reset(x->f);
        exchange_json(x, 200, jval_new_object());
    } else if (strcmp(path, "/fake/release") == 0 && post) {
        faults_release(x->f->faults);
        exchange_json(x, 200, jval_new_object());
    } else {
        exchange_error(x, 404, "not_found",
                       "there is /fake/faults, /fake/requests, /fake/release and /fake/reset");
    }
}

/* Pictures of people: a coloured disc with an initial, whatever the file name says. */
void picture_serve(struct exchange *x)
{
    static const char *const colours[] = {"#4752c4", "#0f766e", "#b45309",
                                          "#be185d", "#6d28d9", "#1d4ed8"};
    const struct person *who = NULL;
    const char *path = x->rq->path, *colour;
    struct buf initial;

    for (size_t i = 0; i < people_count(); i++) {
        const struct person *p = people_at(i);
        if (strstr(path, p->snowflake) ||
            str_ends(str_of(path), arena_printf(x->rq->arena, "/a/%s", p->id)))
            who = p;
    }
    buf_init(&initial, 16);
    buf_add(&initial, who ? who->id : "?", 1);
    colour = colours[who ? (size_t)(who - people_at(0)) % 6 : 0];
    x->r->type = "image/svg+xml";
    http_reply_header(x->r, "Cache-Control", "max-age=3600");
    buf_printf(&x->r->body,
               "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 128 128'><rect width='128' "
               "height='128' fill='%s'/>"
               "<text x='64' y='86' font-family='sans-serif' font-size='64' text-anchor='middle' "
               "fill='#fff'>%c</text>"
               "</svg>\n",
               colour, initial.p[0] - (initial.p[0] >= 'a' ? 32 : 0));
    buf_deinit(&initial);
}
