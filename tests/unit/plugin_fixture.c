/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin_fixture.h"

#include <check.h>
#include <string.h>

#include "sys/conf.h"

void fixture_init(struct fixture *f, fixture_step_fn *step)
{
    static const char *const origins[] = {"https://idp.example", NULL};
    memset(f, 0, sizeof *f);
    f->plugin = (struct usher_provider){USHER_PROVIDER_HEAD, .name = "test",     .label = "Test",
                                        .version = "1",      .scopes = "openid", .step = step};
    f->secrets = conf_secrets_new();
    conf_secrets_set(f->secrets, "client_secret", secret_new("s3cret", 6));
    f->provider = (struct provider){.id = "test",
                                    .usable = true,
                                    .plugin = &f->plugin,
                                    .common = {.client_id = "client", .client_secret = {true}},
                                    .secrets = f->secrets,
                                    .origins = origins};
    fixture_leg(f, NULL);
}

void fixture_leg(struct fixture *f, const struct leg_budget *budget)
{
    leg_free(&f->leg);
    err_clear(&f->err);
    f->leg = leg_new(&f->provider, USHER_FLOW_LOGIN, budget, NULL);
}

void fixture_deinit(struct fixture *f)
{
    leg_free(&f->leg);
    conf_secrets_free(&f->secrets);
    for (size_t i = 0; i < f->n_json; i++)
        jval_free(&f->json[i]);
}

static int feed(struct fixture *f, const struct usher_event *ev)
{
    err_clear(&f->err);
    return leg_step(f->leg, ev, &f->out, &f->err);
}

int fixture_start(struct fixture *f)
{
    const struct usher_start start = {.size = sizeof start,
                                      .flow = USHER_FLOW_LOGIN,
                                      .redirect_uri = "https://us.example/callback/test",
                                      .max_age = -1};
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_START, .start = &start};
    return feed(f, &ev);
}

int fixture_callback(struct fixture *f)
{
    const struct usher_field code = {"code", "abc"};
    const struct usher_callback cb = {sizeof cb, &code, 1, ""};
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_CALLBACK, .callback = &cb};
    return feed(f, &ev);
}

int fixture_tokens(struct fixture *f, bool ok, bool id_token)
{
    const struct usher_tokens t = {.size = sizeof t,
                                   .ok = ok,
                                   .status = ok ? 200 : 400,
                                   .error = ok ? "" : "invalid_grant",
                                   .scope = "",
                                   .expires_in = -1,
                                   .has_id_token = id_token};
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_TOKENS, .tokens = &t};
    return feed(f, &ev);
}

int fixture_claims(struct fixture *f, const char *json)
{
    const struct usher_claims c = {sizeof c, fixture_json(f, json)};
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_CLAIMS, .claims = &c};
    return feed(f, &ev);
}

int fixture_response(struct fixture *f, int status, const char *json)
{
    const struct usher_response r = {.size = sizeof r,
                                     .transport =
                                         status ? USHER_TRANSPORT_OK : USHER_TRANSPORT_TIMEOUT,
                                     .status = status,
                                     .content_type = json ? "application/json" : "text/html",
                                     .body = json ? json : "<html>",
                                     .body_len = json ? strlen(json) : 6,
                                     .json = json ? fixture_json(f, json) : NULL,
                                     .retry_after = -1};
    const struct usher_event ev = {
        .size = sizeof ev, .kind = USHER_RESPONSES, .responses = &r, .n_responses = 1};
    return feed(f, &ev);
}

int fixture_signed_in(struct fixture *f)
{
    ck_assert_msg(fixture_callback(f) == 0, "%s", f->err.text);
    ck_assert_uint_eq(f->out.kind, USHER_EXCHANGE);
    return fixture_tokens(f, true, true);
}

const struct usher_json *fixture_json(struct fixture *f, const char *text)
{
    struct err err = ERR_INIT;
    struct jval *v = jval_parse(str_of(text), JSON_SIZE_MAX, JSON_DEPTH_MAX, &err);
    ck_assert_msg(v != NULL, "%s", err.text);
    ck_assert_uint_lt(f->n_json, sizeof f->json / sizeof *f->json);
    f->json[f->n_json++] = v;
    return (const struct usher_json *)(const void *)v;
}
