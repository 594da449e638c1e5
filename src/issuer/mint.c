/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens, made and read: opaque ones, 256 random bits that only usher can say anything
 * about; and JWTs of RFC 9068, which an API can check by itself.
 */
#include "base/json.h"
#include "issuer/parts.h"
#include "sys/random.h"
#include "sys/seal.h"

#define PAYLOAD_MAX (16u * 1024)
#define PAYLOAD_ROOM 512 /* of most payloads, and of what is around a token in an answer */
#define ANSWER_ROOM 192
#define ALL_ALGS ((uint32_t)JWS_RS256 | JWS_ES256 | JWS_EDDSA)
#define CLOCK_SLACK 60 /* seconds our own clock may have been set back by */

struct minting {
    struct call *call;
    struct minted out;
    mint_done_fn *done;
};

/* ---- making ---- */

static void member(struct buf *out, const char *name, const char *value)
{
    buf_text(out, ",\"");
    buf_text(out, name);
    buf_text(out, "\":");
    json_quote(out, value);
}

/* `aud` is a string where there is one: what every library can read. */
static void audience(struct buf *out, const char *resource)
{
    const size_t n = strlen(resource);
    const bool one = n > 2 && strstr(resource, "\",\"") == NULL;
    buf_text(out, ",\"aud\":");
    buf_add(out, one ? resource + 1 : resource, one ? n - 2 : n);
}

/* The members of an object, as further ones. */
static void members(struct buf *out, const char *object)
{
    const size_t n = object ? strlen(object) : 0;
    if (n <= 2)
        return;
    buf_byte(out, ',');
    buf_add(out, object + 1, n - 2);
}

/* RFC 9068 2.2: a machine is its own subject. */
static const char *subject(const struct access_token_row *row)
{
    return row->account ? row->account : row->app;
}

static struct str payload_of(struct call *c, const struct access_token_row *row, const char *jti)
{
    struct buf out;
    struct str text = {NULL, 0};
    buf_init(&out, PAYLOAD_MAX);
    buf_room(&out, PAYLOAD_ROOM);
    buf_text(&out, "{\"iss\":");
    json_quote(&out, c->issuer->o.public_url);
    member(&out, "sub", subject(row));
    audience(&out, row->resource);
    buf_text(&out, ",\"exp\":");
    buf_int(&out, row->expires);
    buf_text(&out, ",\"iat\":");
    buf_int(&out, row->created);
    member(&out, "jti", jti);
    member(&out, "client_id", row->app);
    if (row->scopes[0])
        member(&out, "scope", row->scopes);
    members(&out, row->more);
    buf_byte(&out, '}');
    if (buf_ok(&out))
        text = (struct str){arena_dupn(c->a, out.p, out.n), out.n};
    buf_deinit(&out);
    return text;
}

static void minted_jwt(void *arg, struct str token, const struct err *err)
{
    struct minting *m = arg;
    m->out.token = token;
    m->done(m->call, &m->out, err);
}

static void mint_jwt(struct minting *m)
{
    static const uint32_t algs[] = {
        [CLIENT_RS256] = JWS_RS256, [CLIENT_ES256] = JWS_ES256, [CLIENT_EDDSA] = JWS_EDDSA};
    struct call *c = m->call;
    char jti[23];
    rng_id(jti);
    seal_sha256(str_of(jti), m->out.row.hash);
    const struct sign_args args = {.alg = algs[c->app->common.token_alg],
                                   .kind = JWT_ACCESS,
                                   .payload = payload_of(c, &m->out.row, jti),
                                   .arena = c->a};
    if (args.payload.p == NULL) {
        struct err err = ERR_INIT;
        (void)err_set(&err, ERR_INTERNAL, "an access token says too much");
        m->done(c, &m->out, &err);
        return;
    }
    m->out.stored = m->out.row.account != NULL || m->out.row.grant != NULL;
    sign_jwt(c->issuer, &args, minted_jwt, m);
}

static void mint_opaque(struct minting *m)
{
    unsigned char random[32];
    char *token = arena_alloc(m->call->a, MINT_OPAQUE_LEN + 1);
    rng_fill(random, sizeof random);
    memcpy(token, MINT_PREFIX, sizeof MINT_PREFIX);
    text_b64url(random, sizeof random, token + strlen(MINT_PREFIX));
    seal_wipe(random, sizeof random);
    m->out.token = str_of(token);
    m->out.stored = true;
    seal_sha256(m->out.token, m->out.row.hash);
    m->done(m->call, &m->out, NULL);
}

void mint_access(struct call *c, const struct mint_args *args, mint_done_fn *done)
{
    struct minting *m = arena_alloc(c->a, sizeof *m);
    int64_t life = c->app->common.access_lifetime;
    if (args->lifetime > 0 && args->lifetime < life)
        life = args->lifetime;
    *m = (struct minting){.call = c,
                          .done = done,
                          .out.row = {.grant = args->grant,
                                      .app = c->app->id,
                                      .first = args->first,
                                      .account = args->account,
                                      .scopes = args->scopes,
                                      .resource = args->resource,
                                      .more = args->more,
                                      .created = c->now,
                                      .expires = c->now + life}};
    if (c->app->common.token_format == CLIENT_TOKEN_OPAQUE)
        mint_opaque(m);
    else
        mint_jwt(m);
}

struct str mint_text(struct call *c, const struct minted *m, const char *more)
{
    struct buf out;
    struct str text = {NULL, 0};
    buf_init(&out, 2 * JWS_TOKEN_MAX);
    buf_room(&out, m->token.n + strlen(more) + ANSWER_ROOM);
    buf_text(&out, "{\"access_token\":\"");
    buf_str(&out, m->token);
    buf_text(&out, "\",\"token_type\":\"Bearer\",\"expires_in\":");
    buf_int(&out, m->row.expires - m->row.created);
    if (m->row.scopes[0])
        member(&out, "scope", m->row.scopes);
    buf_text(&out, more);
    buf_byte(&out, '}');
    if (buf_ok(&out))
        text = (struct str){arena_dupn(c->a, out.p, out.n), out.n};
    buf_wipe(&out);
    return text;
}

void mint_answer(struct call *c, const struct minted *m, const char *more)
{
    const struct str text = mint_text(c, m, more);
    if (text.p) {
        call_answer(c, 200, text);
    } else {
        struct err err = ERR_INIT;
        (void)err_set(&err, ERR_INTERNAL, "an answer with a token is too long");
        call_fail(c, &err);
    }
}

/* ---- reading ---- */

/* As a JSON array, as rows have it. */
static const char *resource_of(struct call *c, const struct jval *aud)
{
    struct jval *list = NULL;
    struct buf text;
    if (jval_type(aud) == JVAL_TEXT) {
        list = jval_new_array();
        jval_push(list, jval_copy(aud));
    } else if (jval_type(aud) == JVAL_ARRAY) {
        list = jval_copy(aud);
    }
    buf_init(&text, PAYLOAD_MAX);
    jval_render(list, &text);
    const char *out = list && buf_ok(&text) ? arena_str(c->a, buf_view(&text)) : NULL;
    buf_deinit(&text);
    jval_free(&list);
    return out;
}

static const char *claim(struct call *c, const struct jws *j, const char *name)
{
    const char *text = jval_text(jval_get(j->payload, name));
    return text ? arena_dup(c->a, text) : NULL;
}

/* What we signed is as we made it; this is about tokens of another issuer with our key, and time.
 */
static int read_claims(struct call *c, const struct jws *j, struct access_token_row *row)
{
    const char *iss = jval_text(jval_get(j->payload, "iss")), *sub = claim(c, j, "sub");
    const char *jti = jval_text(jval_get(j->payload, "jti"));
    row->app = claim(c, j, "client_id");
    row->scopes = claim(c, j, "scope");
    row->resource = resource_of(c, jval_get(j->payload, "aud"));
    if (!iss || strcmp(iss, c->issuer->o.public_url) != 0 || !sub || !jti || !row->app ||
        !row->resource || !jval_int(jval_get(j->payload, "exp"), &row->expires) ||
        !jval_int(jval_get(j->payload, "iat"), &row->created) || row->expires <= c->now ||
        row->expires > c->now + ISSUER_KEYS_TOKEN_LIFE + CLOCK_SLACK ||
        row->created > c->now + CLOCK_SLACK)
        return 0;
    if (strcmp(sub, row->app) != 0)
        row->account = sub;
    if (row->scopes == NULL)
        row->scopes = "";
    seal_sha256(str_of(jti), row->hash);
    return 1;
}

int mint_read(struct call *c, struct str token, struct access_token_row *row)
{
    struct err err = ERR_INIT;
    struct jws j;
    *row = (struct access_token_row){.app = NULL};
    if (jws_decode_typ(token, jwt_typ[JWT_ACCESS], &j, &err) < 0)
        return 0;
    const int good =
        jws_check(&j, token, issuer_keys_published(c->issuer->keys), ALL_ALGS, &err) == 1
            ? read_claims(c, &j, row)
            : 0;
    jws_deinit(&j);
    return good;
}

static bool from_memory(struct call *c, struct access_token_row *row)
{
    struct access_view v;
    if (access_find(c->issuer->access, row->hash, c->now, &v) != 1 || v.ended)
        return false;
    row->app = arena_dup(c->a, v.app);
    row->scopes = arena_dup(c->a, v.scopes);
    row->resource = arena_dup(c->a, v.resource);
    row->grant = v.grant ? arena_dup(c->a, v.grant) : NULL;
    row->first = v.first ? arena_dup(c->a, v.first) : NULL;
    row->account = v.account ? arena_dup(c->a, v.account) : NULL;
    row->more = v.more ? arena_dup(c->a, v.more) : NULL;
    row->created = v.created;
    row->expires = v.expires;
    return true;
}

struct finding {
    struct call *call;
    struct access_token_row *row;
    mint_found_fn *found;
    void *arg;
};

static void on_recalled(void *arg, int found, const struct access_token_row *row)
{
    struct finding *f = arg;
    struct arena *a = f->call->a;
    if (found == 1) {
        *f->row = *row;
        f->row->app = arena_dup(a, row->app);
        f->row->scopes = arena_dup(a, row->scopes);
        f->row->resource = arena_dup(a, row->resource);
        f->row->grant = row->grant ? arena_dup(a, row->grant) : NULL;
        f->row->first = row->first ? arena_dup(a, row->first) : NULL;
        f->row->account = row->account ? arena_dup(a, row->account) : NULL;
        f->row->more = row->more ? arena_dup(a, row->more) : NULL;
    }
    f->found(f->arg, found);
}

void mint_find(struct call *c, struct str token, struct access_token_row *row, mint_found_fn *found,
               void *arg)
{
    const struct access *t = c->issuer->access;
    const bool opaque = str_starts(token, MINT_PREFIX);
    struct access_view v;
    bool good;
    *row = (struct access_token_row){.app = NULL};
    if (opaque)
        seal_sha256(token, row->hash);
    good = opaque ? token.n == MINT_OPAQUE_LEN : mint_read(c, token, row) == 1;
    if (good && access_find(t, row->hash, c->now, &v) == 1) {
        good = from_memory(c, row);
    } else if (good && (opaque || row->account)) { /* a machine's JWT is good by itself */
        if (!access_is_complete(t, c->now)) {
            struct finding *f = arena_alloc(c->a, sizeof *f);
            *f = (struct finding){.call = c, .row = row, .found = found, .arg = arg};
            access_recall_ask(c->issuer->recall, row->hash, on_recalled, f);
            return;
        }
        good = false;
    }
    found(arg, good ? 1 : 0);
}

void mint_unknown(struct call *c)
{
    struct err err = ERR_INIT;
    (void)err_set(&err, ERR_LIMITED, "whether a token is good cannot be looked up now");
    call_fail(c, &err);
}
