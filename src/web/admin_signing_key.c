/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that sign tokens: which there are, and new ones; at once only after a question. */
#include <string.h>

#include "web/admin_page.h"
#include "web/admin_question.h"
#include "web/admin_view.h"

#define HOME "/admin/status/signing-keys"

static const struct {
    const char *state, *text, *tag;
} states[] = {
    {"next", "published, signs later", ""},
    {"active", "signs", "good"},
    {"retiring", "published, signs no more", ""},
    {"retired", "only known for old ID tokens", ""},
};

static struct jval *key_view(const struct admin_visit *v, const struct jval *one)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "kid", show_text(one, "kid"));
    jval_set_text(o, "alg", show_text(one, "alg"));
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i].state, show_text(one, "state")) == 0) {
            jval_set_text(o, "state", states[i].text);
            jval_set_text(o, "tag", states[i].tag);
        }
    jval_set(o, "from", show_when(show_int(one, "active_from", -1), v->now, v->a));
    jval_set(o, "until", show_when(show_int(one, "retired_at", -1), v->now, v->a));
    return o;
}

static void on_list(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    const struct jval *keys = jval_get(answer->body, "signing_keys");
    struct jval *data = admin_data(v), *list = jval_new_array();
    for (size_t i = 0; i < jval_count(keys); i++)
        jval_push(list, key_view(v, jval_item(keys, i)));
    jval_set(data, "keys", list);
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-signing-keys", "Keys that sign tokens", data);
}

static void show(struct admin_visit *v)
{
    admin_ask(v, &(struct admin_ask){.op = admin_signing_key_list}, on_list);
}

static void rotated(struct admin_visit *v, const struct admin_answer *answer, const char *did)
{
    if (!answer->err) {
        admin_go(v, HOME, did);
    } else if (answer->err->kind != ERR_CONFLICT && answer->err->kind != ERR_LIMITED) {
        (void)admin_failed(v, answer);
    } else {
        admin_keep_errors(v, answer);
        show(v);
    }
}

static void on_rotated(void *arg, const struct admin_answer *answer)
{
    rotated(arg, answer, "keys-published");
}

static void on_rotated_at_once(void *arg, const struct admin_answer *answer)
{
    rotated(arg, answer, "keys-sign");
}

static void rotate(struct admin_visit *v, bool at_once)
{
    struct jval *body = jval_new_object();
    jval_set_bool(body, "at_once", at_once);
    admin_ask(v, &(struct admin_ask){.op = admin_signing_key_rotate, .body = body},
              at_once ? on_rotated_at_once : on_rotated);
}

void admin_page_signing_keys(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && v->form)
        rotate(v, false);
    else if (v)
        show(v);
}

static void ask_back(struct admin_visit *v)
{
    admin_ask_back(
        v, &(const struct admin_question){
               .question = "Sign with new keys at once?",
               .consequence =
                   "This is for keys that may have leaked. Tokens are signed with keys that no app "
                   "has seen yet: most apps read the key set again when they meet one, others "
                   "refuse people until they do. The keys of before stay published for 24 hours, "
                   "for the tokens they signed.",
               .verb = "Sign with new keys now",
               .action = HOME "/at-once",
               .back = HOME,
               .back_text = "Keys that sign tokens"});
}

/* Who may not is told so before the question. */
static void on_known(void *arg, const struct admin_answer *answer)
{
    if (!admin_failed(arg, answer))
        ask_back(arg);
}

void admin_page_signing_keys_now(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && v->form)
        rotate(v, true);
    else if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_signing_key_list}, on_known);
}
