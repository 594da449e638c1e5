/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/answer.h"

#include <stdlib.h>
#include <string.h>

#include "usher/provider.h"

#define BODY_MAX (2u << 20)
#define DEEP 100000

static const char *const names[FAULT_END] = {
    [FAULT_NONE] = "none",
    [FAULT_TIMEOUT] = "time-out",
    [FAULT_UNREACHABLE] = "unreachable",
    [FAULT_REFUSED] = "refused address",
    [FAULT_TOO_LARGE] = "too large",
    [FAULT_BROKEN] = "broken off",
    [FAULT_LIMITED] = "rate budget closed",
    [FAULT_429] = "status 429",
    [FAULT_500] = "status 500",
    [FAULT_503] = "status 503",
    [FAULT_HTML] = "HTML",
    [FAULT_HTML_AS_JSON] = "HTML named JSON",
    [FAULT_PLAIN_TYPE] = "text/plain",
    [FAULT_NO_TYPE] = "no content type",
    [FAULT_UTF16] = "charset utf-16",
    [FAULT_TRUNCATED] = "truncated JSON",
    [FAULT_EMPTY] = "empty body",
    [FAULT_HUGE] = "huge body",
    [FAULT_DEEP] = "deep nesting",
    [FAULT_NULL] = "null",
    [FAULT_ARRAY] = "an array",
    [FAULT_TEXT] = "a string",
    [FAULT_TWICE] = "duplicate keys",
    [FAULT_NUL] = "NUL escape",
    [FAULT_404] = "status 404",
    [FAULT_REMOVE] = "removed",
    [FAULT_AS_NULL] = "null",
    [FAULT_AS_BOOL] = "true",
    [FAULT_AS_NUMBER] = "a number",
    [FAULT_AS_TEXT] = "a string",
    [FAULT_AS_EMPTY_TEXT] = "an empty string",
    [FAULT_AS_ARRAY] = "an array",
    [FAULT_AS_OBJECT] = "an object",
};

const char *fault_name(enum fault_kind kind)
{
    return names[kind];
}

void answer_keys_make(struct answer_keys *k)
{
    k->rsa = jws_key_make(JWS_RS256);
    k->ec = jws_key_make(JWS_ES256);
    k->stray = jws_key_make(JWS_ES256);
}

void answer_keys_free(struct answer_keys *k)
{
    jws_key_free(&k->rsa);
    jws_key_free(&k->ec);
    jws_key_free(&k->stray);
}

/* ---- placeholders --------------------------------------------------------------------------- */

/* "$now", "$now+60", "$now-60" become numbers, "$nonce" what this flow sent. */
static struct jval *fill_text(const struct answer_context *ctx, const char *text)
{
    int64_t off = 0;
    if (strcmp(text, "$nonce") == 0)
        return jval_new_text(ctx->nonce);
    if (strncmp(text, "$now", 4) != 0)
        return NULL;
    if (text[4] != '\0' && !text_int(str_of(text + 5), &off))
        return NULL;
    return jval_new_int(text[4] == '-' ? ctx->now - off : ctx->now + off);
}

static struct jval *fill(const struct answer_context *ctx, const struct jval *v)
{
    struct jval *copy = NULL;
    if (jval_type(v) == JVAL_OBJECT) {
        const char *key;
        const struct jval *value;
        void *iter = NULL;
        copy = jval_new_object();
        while (jval_next(v, &iter, &key, &value))
            jval_set(copy, key, fill(ctx, value));
    } else if (jval_type(v) == JVAL_ARRAY) {
        copy = jval_new_array();
        for (size_t i = 0; i < jval_count(v); i++)
            jval_push(copy, fill(ctx, jval_item(v, i)));
    } else if (jval_text(v)) {
        copy = fill_text(ctx, jval_text(v));
    }
    return copy ? copy : jval_ref((struct jval *)(uintptr_t)v);
}

/* ---- ID tokens ------------------------------------------------------------------------------ */

static const struct jws_key *key_of(const struct answer_context *ctx, const char *name,
                                    uint32_t alg)
{
    if (name && strcmp(name, "stray") == 0)
        return ctx->keys->stray;
    return alg & (JWS_ES256 | JWS_ES384 | JWS_ES512) ? ctx->keys->ec : ctx->keys->rsa;
}

static const char *text_or(const struct jval *object, const char *key, const char *otherwise)
{
    const char *text = jval_text(jval_get(object, key));
    return text ? text : otherwise;
}

/* {"claims": {…}, "alg": …, "kid": …, "typ": …, "key": "stray"}, or the claims alone. */
static int sign_token(const struct answer_context *ctx, struct jval *answer, struct err *err)
{
    const struct jval *token = jval_get(answer, "id_token");
    if (jval_type(token) != JVAL_OBJECT || jval_count(token) == 0)
        return 0;
    bool plain = jval_type(jval_get(token, "claims")) != JVAL_OBJECT;
    const char *alg_name = plain ? "RS256" : text_or(token, "alg", "RS256");
    uint32_t alg = jws_alg_by_name(alg_name);
    const char *kid = alg == JWS_RS256 ? "rsa" : "ec";
    struct jval *claims =
        jval_ref((struct jval *)(uintptr_t)(plain ? token : jval_get(token, "claims")));
    const char *access = jval_text(jval_get(answer, "access_token"));
    const char *hash = jval_text(jval_get(claims, "at_hash"));
    char half[64];
    if (hash && strcmp(hash, "$at_hash") == 0 && access &&
        jws_half_hash(alg, str_of(access), half, sizeof half) == 0)
        jval_set_text(claims, "at_hash", half);

    struct buf b;
    buf_init(&b, JWS_TOKEN_MAX);
    const struct jws_key *key = key_of(ctx, plain ? NULL : text_or(token, "key", NULL), alg);
    const struct jws_head head = {.alg = alg,
                                  .kid = plain ? kid : text_or(token, "kid", kid),
                                  .typ = plain ? "JWT" : text_or(token, "typ", "JWT")};
    int rc = jws_sign(key, &head, claims, &b, err);
    if (rc == 0)
        jval_set_text(answer, "id_token", b.p);
    buf_deinit(&b);
    jval_free(&claims);
    return rc;
}

static struct jval *key_set(const struct answer_context *ctx, const char *which)
{
    struct jval *set = jval_new_object(), *keys = jval_new_array();
    bool stray = strstr(which, "stray") != NULL;
    if (!stray || strstr(which, "all")) {
        jval_push(keys, jws_key_public(ctx->keys->rsa, JWS_RS256, "rsa"));
        jval_push(keys, jws_key_public(ctx->keys->ec, JWS_ES256, "ec"));
    }
    if (stray)
        jval_push(keys, jws_key_public(ctx->keys->stray, JWS_ES256, "stray"));
    jval_set(set, "keys", keys);
    return set;
}

/* The body as JSON, before placeholders; NULL if it is none. */
static struct jval *body_json(const struct answer_context *ctx, const struct script_step *reply)
{
    struct err ignored = ERR_INIT; /* what is no JSON is a plain body */
    if (strncmp(reply->body, "@jwks", 5) == 0)
        return key_set(ctx, reply->body);
    return jval_parse(str_of(reply->body), BODY_MAX, JSON_DEPTH_MAX, &ignored);
}

/* ---- members -------------------------------------------------------------------------------- */

static size_t list_members(const struct answer_context *ctx, const struct jval *v,
                           const char *prefix, struct answer_member *out, size_t max)
{
    const char *key;
    const struct jval *value;
    void *iter = NULL;
    size_t n = 0;
    for (size_t i = 0; jval_type(v) == JVAL_ARRAY && i < jval_count(v) && i < 2; i++)
        n += list_members(ctx, jval_item(v, i), arena_printf(ctx->arena, "%s/%zu", prefix, i),
                          out + n, max - n);
    while (jval_type(v) == JVAL_OBJECT && n < max && jval_next(v, &iter, &key, &value)) {
        const char *path = arena_printf(ctx->arena, "%s/%s", prefix, key);
        if (strpbrk(key, "/~"))
            continue;
        out[n++] = (struct answer_member){path, jval_type(value)};
        n += list_members(ctx, value, path, out + n, max - n);
    }
    return n;
}

size_t answer_members(const struct answer_context *ctx, const struct script_step *reply,
                      struct answer_member *out, size_t max)
{
    struct jval *v = body_json(ctx, reply);
    size_t n = list_members(ctx, v, "", out, max);
    jval_free(&v);
    return n;
}

static struct jval *odd_value(enum fault_kind kind)
{
    switch (kind) {
    case FAULT_AS_BOOL:
        return jval_new_bool(true);
    case FAULT_AS_NUMBER:
        return jval_new_int(12345);
    case FAULT_AS_TEXT:
        return jval_new_text("odd value");
    case FAULT_AS_EMPTY_TEXT:
        return jval_new_text("");
    case FAULT_AS_ARRAY:
        return jval_new_array();
    case FAULT_AS_OBJECT:
        return jval_new_object();
    default:
        return jval_new_null();
    }
}

bool fault_changes_type(enum fault_kind kind, enum jval_type type)
{
    struct jval *odd = odd_value(kind);
    bool changes = kind == FAULT_REMOVE || kind == FAULT_AS_EMPTY_TEXT || jval_type(odd) != type;
    jval_free(&odd);
    return changes;
}

static void bend_member(struct arena *a, struct jval *v, const struct fault *f)
{
    const char *slash = strrchr(f->member, '/');
    const char *parent = arena_dupn(a, f->member, (size_t)(slash - f->member));
    struct jval *object = (struct jval *)(uintptr_t)jval_at(v, parent);
    jval_remove(object, slash + 1);
    if (f->kind != FAULT_REMOVE)
        jval_set(object, slash + 1, odd_value(f->kind));
}

/* ---- the answer ----------------------------------------------------------------------------- */

static int fill_body(const struct answer_context *ctx, const struct script_step *reply,
                     const struct fault *f, struct fetch_result *r, struct err *err)
{
    struct jval *written = body_json(ctx, reply), *v = NULL;
    struct buf b;
    int rc = 0;
    buf_init(&b, BODY_MAX);
    if (!written) {
        buf_text(&b, reply->body);
    } else {
        if (f && f->kind >= FAULT_REMOVE)
            bend_member(ctx->arena, written, f);
        v = fill(ctx, written);
        rc = jval_type(v) == JVAL_OBJECT ? sign_token(ctx, v, err) : 0;
        jval_render(v, &b);
    }
    r->body = (struct str){arena_str(ctx->arena, buf_view(&b)), b.n};
    buf_deinit(&b);
    jval_free(&v);
    jval_free(&written);
    return rc;
}

static void set_body(struct arena *a, struct fetch_result *r, const char *type, const char *text)
{
    r->content_type = type;
    r->body = (struct str){arena_dup(a, text), strlen(text)};
}

static const char *repeated(struct arena *a, const char *front, char c, size_t n)
{
    size_t len = strlen(front);
    char *text = arena_alloc(a, len + n + 1);
    memcpy(text, front, len);
    memset(text + len, c, n);
    return text;
}

static void end_transport(struct fetch_result *r, uint32_t transport)
{
    *r = (struct fetch_result){.transport = transport,
                               .content_type = "",
                               .charset = "",
                               .body = STR(""),
                               .retry_after = transport == USHER_TRANSPORT_LIMITED ? 30 : -1,
                               .err = ERR_INIT};
}

/* What stands in for the answer: status (0: as it was), type, body. */
static const struct {
    int status;
    const char *type, *body;
} instead[FAULT_END] = {
    [FAULT_429] = {429, "application/json", "{\"message\":\"slow down\",\"retry_after\":30.5}"},
    [FAULT_500] = {500, "text/html", "<h1>oops</h1>"},
    [FAULT_503] = {503, "application/json", "{}"},
    [FAULT_404] = {404, "application/json", "{\"message\":\"404\"}"},
    [FAULT_HTML] = {0, "text/html", "<!doctype html><title>Wi-Fi</title>"},
    [FAULT_HTML_AS_JSON] = {0, "application/json", "<!doctype html><title>Wi-Fi</title>"},
    [FAULT_EMPTY] = {0, "application/json", ""},
    [FAULT_NULL] = {0, "application/json", "null"},
    [FAULT_ARRAY] = {0, "application/json", "[]"},
    [FAULT_TEXT] = {0, "application/json", "\"text\""},
};

/* Bend the whole answer. */
static void bend(struct arena *a, const struct fault *f, struct fetch_result *r)
{
    static const char json[] = "application/json";
    const char *inside = r->body.n > 2 && r->body.p[0] == '{' ? r->body.p + 1 : "}";
    if (f->kind >= FAULT_TIMEOUT && f->kind <= FAULT_LIMITED) {
        end_transport(r, f->kind - FAULT_TIMEOUT + USHER_TRANSPORT_TIMEOUT);
        return;
    }
    if (instead[f->kind].type) {
        r->status = instead[f->kind].status ? instead[f->kind].status : r->status;
        r->retry_after = f->kind == FAULT_429 ? 30 : -1;
        set_body(a, r, instead[f->kind].type, instead[f->kind].body);
        return;
    }
    switch (f->kind) {
    case FAULT_PLAIN_TYPE:
        r->content_type = "text/plain";
        break;
    case FAULT_NO_TYPE:
        r->content_type = "";
        break;
    case FAULT_UTF16:
        r->charset = "utf-16";
        break;
    case FAULT_TRUNCATED:
        r->body.n = r->body.n > 1 ? r->body.n / 2 : 0;
        break;
    case FAULT_HUGE:
        set_body(a, r, json, repeated(a, "{}", ' ', JSON_SIZE_MAX));
        break;
    case FAULT_DEEP:
        set_body(a, r, json, repeated(a, "", '[', DEEP));
        break;
    case FAULT_TWICE:
        set_body(a, r, json, arena_printf(a, "{\"a\":1,\"a\":2,%s", inside));
        break;
    case FAULT_NUL:
        set_body(a, r, json, arena_printf(a, "{\"a\":\"\\u0000\",%s", inside));
        break;
    default:
        break;
    }
}

/* "200", "200 text/html", "200 application/json; charset=utf-8", "timeout". */
static int read_status(const struct script_step *reply, struct arena *a, struct fetch_result *r,
                       struct err *err)
{
    static const char *const words[] = {"ok",        "timeout", "unreachable", "refused",
                                        "too_large", "broken",  "limited"};
    struct str rest = str_of(reply->rest), word, type;
    int64_t status;
    if (!str_split(&rest, ' ', &word))
        return err_set(err, ERR_INVALID, "line %d: REPLY needs a status", reply->line);
    for (uint32_t i = 1; i < sizeof words / sizeof *words; i++)
        if (str_is(word, words[i])) {
            r->transport = i;
            return 0;
        }
    if (!text_int(word, &status) || status < 100 || status > 599)
        return err_set(err, ERR_INVALID, "line %d: REPLY needs a status", reply->line);
    r->status = (int)status;
    r->content_type = *reply->body ? "application/json" : "";
    while (str_split(&rest, ' ', &word)) {
        if (str_starts(word, "charset="))
            r->charset = arena_str(a, (struct str){word.p + 8, word.n - 8});
        else if (word.n && !str_starts(word, "may="))
            r->content_type = str_split(&word, ';', &type) ? arena_str(a, type) : "";
    }
    return 0;
}

int answer_make(const struct answer_context *ctx, const struct script_step *reply,
                const struct fault *fault, struct fetch_result *out, struct err *err)
{
    struct field *headers = arena_alloc(ctx->arena, (reply->n + 1) * sizeof *headers);
    *out = (struct fetch_result){
        .content_type = "", .charset = "", .body = STR(""), .retry_after = -1, .err = ERR_INIT};
    for (size_t i = 0; i < reply->n; i++) {
        const struct script_line *l = &reply->v[i];
        headers[i] = (struct field){l->name, l->value, strlen(l->name), strlen(l->value)};
        if (strcmp(l->name, "retry-after") == 0 && !text_int(str_of(l->value), &out->retry_after))
            return err_set(err, ERR_INVALID, "line %d: retry-after is no number", reply->line);
    }
    out->headers = headers;
    out->n_headers = reply->n;
    if (read_status(reply, ctx->arena, out, err) != 0 ||
        fill_body(ctx, reply, fault, out, err) != 0)
        return -1;
    if (fault)
        bend(ctx->arena, fault, out);
    return 0;
}
