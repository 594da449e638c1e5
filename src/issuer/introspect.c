/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 7662: an API asks what a token is worth. It learns something only of tokens that are for it
 * (`serves`) or its own; of all others, whatever is the matter with them, the same nothing.
 */
#include "base/json.h"
#include "issuer/standing.h"

#define ANSWER_MAX (32u * 1024)
#define ANSWER_ROOM 400 /* of most */
#define INACTIVE STR("{\"active\":false}")

static void member(struct buf *out, const char *name, const char *value)
{
    buf_text(out, ",\"");
    buf_text(out, name);
    buf_text(out, "\":");
    json_quote(out, value);
}

static void tell(struct call *c, const struct access_token_row *row)
{
    const size_t more = row->more ? strlen(row->more) : 0;
    struct buf out;
    buf_init(&out, ANSWER_MAX);
    buf_room(&out, ANSWER_ROOM + more);
    buf_text(&out, "{\"active\":true,\"token_type\":\"Bearer\"");
    member(&out, "client_id", row->app);
    member(&out, "sub", row->account ? row->account : row->app);
    if (row->scopes[0])
        member(&out, "scope", row->scopes);
    buf_text(&out, ",\"aud\":");
    buf_text(&out, row->resource);
    buf_text(&out, ",\"exp\":");
    buf_int(&out, row->expires);
    buf_text(&out, ",\"iat\":");
    buf_int(&out, row->created);
    member(&out, "iss", c->issuer->o.public_url);
    if (more > 2) {
        buf_byte(&out, ',');
        buf_add(&out, row->more + 1, more - 2);
    }
    buf_byte(&out, '}');
    const struct str body = {arena_dupn(c->a, out.p, out.n), out.n};
    const bool good = buf_ok(&out);
    buf_deinit(&out);
    if (good) {
        call_answer_again(c, body);
    } else {
        struct err err = ERR_INIT;
        (void)err_set(&err, ERR_INTERNAL, "an access token says too much");
        call_fail(c, &err);
    }
}

static void on_found(void *arg, int found)
{
    struct call *c = arg;
    const struct access_token_row *row = c->more;
    if (found < 0)
        mint_unknown(c);
    else if (found == 1 &&
             (strcmp(row->app, c->app->id) == 0 || scope_any(row->resource, c->app->common.serves)))
        tell(c, row);
    else
        call_answer(c, 200, INACTIVE);
}

static void go_on(struct call *c)
{
    const char *token;
    if (c->public) { /* whoever it is: it could be anybody */
        call_refuse(c, "invalid_client", "only apps that can prove who they are may ask");
        return;
    }
    const int rc = call_get(c, "token", &token);
    if (rc == 0)
        call_refuse(c, "invalid_request", "token is missing");
    if (rc != 1)
        return;
    c->more = arena_alloc(c->a, sizeof(struct access_token_row));
    standing_find(c, str_of(token), c->more, on_found, c);
}

void issuer_introspect(struct issuer *i, const struct issuer_call *in, issuer_done_fn *done,
                       void *arg)
{
    client_authenticate(call_open(i, "introspect", in, done, arg), go_on);
}
