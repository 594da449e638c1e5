/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What upstreams answer, through each plugin's step and the judge of its actions. Input: a line
 * that names a provider of `providers`, then records parted by lines "--": a status, a blank, a
 * body (or "T" and a transport in place of the status). Each record answers one request, token
 * answers and ID-token claims included. A login may end in any way but a crash or an identity that
 * breaks the rules of provider/step.h.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "provider/registry.h"
#include "provider/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (64u * 1024)
#define CREDENTIALS "client_id = id\nclient_secret = a-secret-of-some-length\n"

static const struct {
    const char *id, *conf;
} providers[] = {
    {"discord", CREDENTIALS},
    {"guild", "plugin = discord\nguild = 81384788765712384\nrequired_roles = 1 2\n" CREDENTIALS},
    {"google", CREDENTIALS},
    {"workspace", "plugin = google\nhosted_domains = example.com\n" CREDENTIALS},
    {"oidc", "issuer = https://idp.example\nprofile2_url = https://idp.example/2\n"
             "groups = /realm[name=r]/roles[]/name\nrequire = /tid=1 /tid=2\n" CREDENTIALS},
    {"oauth2", "authorize_url = https://idp.example/a\ntoken_url = https://idp.example/t\n"
               "profile_url = https://idp.example/1\nprofile2_url = https://idp.example/2\n"
               "email = 2:[primary=true&verified=true]/email\nemail_trust = primary\n"
               "picture = https://cdn.example/{/id}/{/avatar}.png\nmust_be_absent = /error\n"
               "groups = 2:[]/login\n" CREDENTIALS},
};
#define PROVIDERS (sizeof providers / sizeof *providers)

static struct registry *registries[PROVIDERS]; /* made once, kept for the process */
static struct secret *token;

/* tests/fuzz/plugin_*.c: to them the struct has another name, and the same layout. */
extern const char usher_provider_discord, usher_provider_google, usher_provider_oauth2,
    usher_provider_oidc;

static void setup(void)
{
    const void *const plugins[] = {&usher_provider_discord, &usher_provider_google,
                                   &usher_provider_oauth2, &usher_provider_oidc};
    const struct usher_provider *builtin[5] = {NULL};
    for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++)
        builtin[i] = plugins[i];
    const struct registry_options o = {.plugin_dir = "/nonexistent", .builtin = builtin};
    for (size_t i = 0; i < PROVIDERS; i++) {
        struct conf_problems p;
        conf_problems_init(&p);
        registries[i] = registry_text(&o, providers[i].id, str_of(providers[i].conf), &p);
        if (p.n) {
            fprintf(stderr, "%s", p.text.p);
            abort();
        }
        conf_problems_deinit(&p);
    }
    token = secret_new("an-access-token", 15);
}

/* ---- the upstream --------------------------------------------------------------------------- */

struct upstream {
    struct str rest;
    struct jval *json[64];
    size_t n;
};

struct record {
    uint32_t transport;
    int status;
    struct str body;
};

static struct record next_record(struct upstream *u)
{
    const char *end = u->rest.n ? memmem(u->rest.p, u->rest.n, "\n--\n", 4) : NULL;
    struct str one = {u->rest.p, end ? (size_t)(end - u->rest.p) : u->rest.n};
    size_t used = one.n + (end ? 4 : 0);
    u->rest = (struct str){u->rest.p + used, u->rest.n - used};
    struct record r = {.status = 200};
    bool failed = one.n && one.p[0] == 'T';
    int64_t number = 0;
    size_t digits = failed ? 1 : 0, from = digits;
    while (digits < one.n && digits < 5 && one.p[digits] >= '0' && one.p[digits] <= '9')
        digits++;
    if (digits > from && text_int((struct str){one.p + from, digits - from}, &number)) {
        if (failed)
            r.transport = (uint32_t)number;
        else
            r.status = (int)number;
        digits += digits < one.n && one.p[digits] == ' ';
        r.body = (struct str){one.p + digits, one.n - digits};
    } else {
        r.body = one;
    }
    return r;
}

static const struct usher_json *parse(struct upstream *u, struct str body)
{
    struct err err = ERR_INIT;
    if (u->n == sizeof u->json / sizeof *u->json)
        return NULL;
    struct jval *v = jval_parse(body, JSON_SIZE_MAX, JSON_DEPTH_MAX, &err);
    if (v)
        u->json[u->n++] = v;
    return (const struct usher_json *)(const void *)v;
}

/* ---- the driver -------------------------------------------------------------------------------
 */

static int answer_exchange(struct leg *l, struct upstream *u, struct usher_action *a)
{
    struct err err = ERR_INIT;
    struct record r = next_record(u);
    const struct usher_json *json = parse(u, r.body);
    const char *error = jval_text(jval_at((const struct jval *)(const void *)json, "/error"));
    const struct usher_tokens t = {
        .size = sizeof t,
        .ok = r.transport == 0 && r.status == 200 && json && !error,
        .status = r.transport ? 0 : r.status,
        .error = error && text_printable(str_of(error)) ? error : "",
        .scope = "",
        .expires_in = -1,
        .has_id_token = r.status == 200,
        .other = json,
    };
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_TOKENS, .tokens = &t};
    if (t.ok)
        leg_set_access_token(l, token);
    return leg_step(l, &ev, a, &err);
}

static int answer_verify(struct leg *l, struct upstream *u, struct usher_action *a)
{
    struct err err = ERR_INIT;
    const struct usher_claims c = {sizeof c, parse(u, next_record(u).body)};
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_CLAIMS, .claims = &c};
    return c.claims ? leg_step(l, &ev, a, &err) : -1;
}

static int answer_fetch(struct leg *l, struct upstream *u, struct usher_action *a)
{
    struct err err = ERR_INIT;
    struct usher_response rs[USHER_REQUESTS_MAX];
    const struct usher_event ev = {
        .size = sizeof ev, .kind = USHER_RESPONSES, .responses = rs, .n_responses = a->n_requests};
    for (size_t i = 0; i < a->n_requests; i++) {
        struct record r = next_record(u);
        char *body = arena_str(leg_arena(l), r.body);
        rs[i] = (struct usher_response){.size = sizeof *rs,
                                        .transport = r.transport,
                                        .status = r.status,
                                        .content_type = "application/json",
                                        .body = body,
                                        .body_len = r.body.n,
                                        .retry_after = -1,
                                        .json = parse(u, r.body)};
    }
    return leg_step(l, &ev, a, &err);
}

static void judge(const struct usher_identity *id)
{
    if (!id->subject || !*id->subject || strlen(id->subject) > USHER_SUBJECT_MAX ||
        !text_utf8(str_of(id->subject)) || strpbrk(id->subject, "\r\n"))
        abort();
    if (id->email && (strpbrk(id->email, "\r\n <>,") || !strchr(id->email, '@')))
        abort();
    if (!id->email && id->email_evidence != USHER_EVIDENCE_NONE)
        abort();
    if (id->picture && strncmp(id->picture, "https://", 8) != 0)
        abort();
}

static void drive(const struct provider *p, struct upstream *u)
{
    struct err err = ERR_INIT;
    struct usher_action a;
    const struct usher_field code = {"code", "abc"};
    const struct usher_callback cb = {sizeof cb, &code, 1, "https://us.example"};
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_CALLBACK, .callback = &cb};
    struct leg *l = leg_new(p, USHER_FLOW_LOGIN, NULL, NULL);
    int rc = leg_step(l, &ev, &a, &err);
    while (rc == 0 && a.kind != USHER_DONE && a.kind != USHER_FAIL) {
        if (a.kind == USHER_FETCH && a.requests[0].metadata_issuer)
            leg_declare_origin(l, "https://idp.example");
        rc = a.kind == USHER_EXCHANGE ? answer_exchange(l, u, &a)
             : a.kind == USHER_VERIFY ? answer_verify(l, u, &a)
                                      : answer_fetch(l, u, &a);
    }
    if (rc == 0 && a.kind == USHER_DONE)
        judge(a.identity);
    leg_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    if (!token)
        setup();
    struct upstream u = {.rest = {(const char *)data, size}};
    const char *line = memchr(data, '\n', size);
    struct str name = {u.rest.p, line ? (size_t)(line - u.rest.p) : size};
    u.rest = line ? (struct str){line + 1, size - name.n - 1} : (struct str){"", 0};
    for (size_t i = 0; i < PROVIDERS; i++)
        if (str_is(name, providers[i].id))
            drive(registry_at(registries[i], 0), &u);
    for (size_t i = 0; i < u.n; i++)
        jval_free(&u.json[i]);
    return 0;
}
