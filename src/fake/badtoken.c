/* SPDX-License-Identifier: Apache-2.0 */
#include "fake/badtoken.h"

#include <stdlib.h>

#include "sys/clock.h"

enum how {
    RAW,    /* the member becomes this JSON */
    DROP,   /* the member goes */
    LATER,  /* the member becomes now plus so many seconds */
    ISSUER, /* the member becomes this text, %s being our issuer */
};

/* Wrong in one member. */
static const struct bend {
    const char *variant;
    char where; /* 'h'eader or 'c'laims */
    const char *member;
    enum how how;
    const char *text;
} bends[] = {
    {"JWT-01", 'h', "alg", RAW, "\"none\""},
    {"JWT-01b", 'h', "alg", RAW, "\"None\""},
    {"JWT-01c", 'h', "alg", RAW, "\"nOnE\""},
    {"JWT-01d", 'h', "alg", RAW, "\"NONE\""},
    {"JWT-01e", 'h', "alg", RAW, "\"none\""},
    {"JWT-02", 'h', "alg", RAW, "\"HS256\""},
    {"JWT-03", 'h', "alg", DROP, NULL},
    {"JWT-03b", 'h', "alg", RAW, "256"},
    {"JWT-03c", 'h', "alg", RAW, "null"},
    {"JWT-03d", 'h', "alg", RAW, "[\"RS256\"]"},
    {"JWT-03e", 'h', "alg", RAW, "@10240"},
    {"JWT-03f", 'h', "alg", RAW, "\"XX256\""},
    {"JWT-05", 'h', "kid", RAW, "\"nobody-knows\""},
    {"JWT-05b", 'h', "kid", RAW, "\"fake-p256-1\""},
    {"JWT-05c", 'h', "kid", RAW, "\"\""},
    {"JWT-05d", 'h', "kid", RAW, "7"},
    {"JWT-05e", 'h', "kid", RAW, "@1048576"},
    {"JWT-06", 'h', "kid", RAW, "\"../../../../etc/passwd\""},
    {"JWT-06b", 'h', "kid", RAW, "\"' OR '1'='1\""},
    {"JWT-06c", 'h', "kid", RAW, "\"https://evil.example/key\""},
    {"JWT-06d", 'h', "kid", RAW, "\"key\\u0000x\""},
    {"JWT-06e", 'h', "kid", RAW, "\"..%2f..%2fkey\""},
    {"JWT-07b", 'h', "x5c", RAW, "[\"MIIBAAAA\"]"},
    {"JWT-09", 'h', "crit", RAW, "[\"x-unknown\"]"},
    {"JWT-09b", 'h', "crit", RAW, "[]"},
    {"JWT-09c", 'h', "crit", RAW, "[\"crit\"]"},
    {"JWT-09d", 'h', "crit", RAW, "[\"b64\"],\"b64\":false"},
    {"JWT-11", 'h', "kid", DROP, NULL},
    {"JWT-12", 'h', "kid", DROP, NULL},
    {"JWT-13", 'c', "iss", RAW, "\"https://evil.example\""},
    {"JWT-13b", 'c', "iss", ISSUER, "x%s"},
    {"JWT-13c", 'c', "iss", ISSUER, "%s/"},
    {"JWT-13d", 'c', "iss", ISSUER, "HTTP:%s"},
    {"JWT-13e", 'c', "iss", ISSUER, "%.20s"},
    {"JWT-14", 'c', "iss", DROP, NULL},
    {"JWT-14b", 'c', "iss", RAW, "1"},
    {"JWT-14c", 'c', "iss", ISSUER, "[\"%s\"]"},
    {"JWT-15", 'c', "aud", RAW, "\"client-of-another-provider\""},
    {"JWT-16", 'c', "aud", RAW, "\"somebody-else\""},
    {"JWT-16b", 'c', "aud", DROP, NULL},
    {"JWT-16c", 'c', "aud", RAW, "[]"},
    {"JWT-16d", 'c', "aud", RAW, "5"},
    {"JWT-16e", 'c', "aud", RAW, "{}"},
    {"JWT-16f", 'c', "azp", RAW, "\"somebody-else\""},
    {"JWT-18", 'c', "nonce", DROP, NULL},
    {"JWT-18b", 'c', "nonce", RAW, "\"another-nonce\""},
    {"JWT-18c", 'c', "nonce", RAW, "\"\""},
    {"JWT-18d", 'c', "nonce", RAW, "[\"a\"]"},
    {"JWT-19", 'c', "sub", DROP, NULL},
    {"JWT-19b", 'c', "sub", RAW, "\"\""},
    {"JWT-19c", 'c', "sub", RAW, "110169484474386276"},
    {"JWT-19d", 'c', "sub", RAW, "null"},
    {"JWT-19e", 'c', "sub", RAW, "{\"id\":\"1\"}"},
    {"JWT-19f", 'c', "sub", RAW, "@256"},
    {"JWT-19g", 'c', "sub", RAW, "\"110169484474386276334\\u0000\""},
    {"JWT-19h", 'c', "sub", RAW, "\"a\\nb\""},
    {"JWT-20", 'c', "iat", DROP, NULL},
    {"JWT-20b", 'c', "iat", LATER, "31536000"},
    {"JWT-20c", 'c', "iat", LATER, "-31536000"},
    {"JWT-21", 'c', "exp", LATER, "-600"},
    {"JWT-21b", 'c', "exp", DROP, NULL},
    {"JWT-22", 'c', "exp", RAW, "\"2999999999\""},
    {"JWT-22b", 'c', "exp", RAW, "-1"},
    {"JWT-22c", 'c', "exp", RAW, "2999999999.5"}, /* to be accepted */
    {"JWT-22d", 'c', "exp", RAW, "1e300"},
    {"JWT-22e", 'c', "exp", RAW, "9223372036854775808"},
    {"JWT-22f", 'c', "exp", RAW, "\"NaN\""},
    {"JWT-22g", 'c', "iat", RAW, "\"1\""},
    {"JWT-22h", 'c', "iat", RAW, "-1"},
    {"JWT-22i", 'c', "iat", RAW, "1e300"},
    {"JWT-23", 'c', "nbf", LATER, "3600"},
    {"JWT-24", 'c', "auth_time", DROP, NULL},
    {"JWT-24b", 'c', "auth_time", LATER, "-86400"},
    {"JWT-26", 'c', "at_hash", RAW, "\"AAAAAAAAAAAAAAAAAAAAAA\""},
    {"JWT-33", 'c', "x", RAW, "@1048576"},
    {"JWT-33b", 'h', "x", RAW, "@65536"},
    {"JWT-34", 'h', "zip", RAW, "\"DEF\""},
    {"JWT-43", 'c', "name", RAW, "\"a\\u0000b\""},
    {"JWT-43b", 'c', "name", RAW, "\"\\ud800\""},
    {"JWT-43c", 'c', "name", RAW, "@102400"},
    {"JWT-43d", 'c', "many", RAW, "#10000"},
    {"JWT-43e", 'c', "groups", RAW, "#5000"},
    {"JWT-44", 'h', "typ", RAW, "\"at+jwt\""},
    {"JWT-44b", 'h', "typ", RAW, "\"logout+jwt\""},
    {"JWT-44c", 'h', "typ", RAW, "\"secevent+jwt\""},
    {"JWT-46", 'c', "iss", RAW, "\"accounts.google.com\""},
    {"JWT-47", 'c', "tid", RAW, "\"00000000-0000-0000-0000-000000000000\""},
};

/* Wrong in the bytes around the JSON. */
static const struct shape {
    const char *variant;
    uint32_t alg; /* 0: as it is */
    enum key_role role;
    struct draft d; /* only what is set counts */
} shapes[] = {
    {"JWT-01", 0, KEY_CURRENT, {.signature = SIGNATURE_EMPTY}},
    {"JWT-01b", 0, KEY_CURRENT, {.signature = SIGNATURE_EMPTY}},
    {"JWT-01c", 0, KEY_CURRENT, {.signature = SIGNATURE_EMPTY}},
    {"JWT-01d", 0, KEY_CURRENT, {.signature = SIGNATURE_EMPTY}},
    {"JWT-04", JWS_PS256, KEY_CURRENT, {0}},
    {"JWT-07", 0, KEY_ATTACKER, {0}},
    {"JWT-07b", 0, KEY_ATTACKER, {0}},
    {"JWT-08", 0, KEY_ATTACKER, {0}},
    {"JWT-08b", 0, KEY_ATTACKER, {0}},
    {"JWT-29", JWS_ES256, KEY_CURRENT, {.signature = SIGNATURE_DER}},
    {"JWT-29b", JWS_ES256, KEY_CURRENT, {.signature = SIGNATURE_SHORT}},
    {"JWT-29c", JWS_ES256, KEY_CURRENT, {.signature = SIGNATURE_LONG}},
    {"JWT-29d", JWS_ES256, KEY_CURRENT, {.signature = SIGNATURE_96}},
    {"JWT-29e", JWS_ES256, KEY_CURRENT, {.signature = SIGNATURE_ZERO_LED}}, /* to be accepted */
    {"JWT-30", JWS_ES256, KEY_CURRENT, {.signature = SIGNATURE_ZERO}},
    {"JWT-30b", JWS_ES256, KEY_CURRENT, {.signature = SIGNATURE_R_IS_N}},
    {"JWT-30c", JWS_ES256, KEY_CURRENT, {.signature = SIGNATURE_S_IS_N}},
    {"JWT-30d", JWS_ES256, KEY_CURRENT, {.signature = SIGNATURE_R_OVER_N}},
    {"JWT-30e", JWS_ES256, KEY_CURRENT, {.signature = SIGNATURE_HIGH_S}}, /* to be accepted */
    {"JWT-32", 0, KEY_CURRENT, {.parts = "%s.%s"}},
    {"JWT-32b", 0, KEY_CURRENT, {.parts = "%s.%s.%s.x"}},
    {"JWT-32c", 0, KEY_CURRENT, {.parts = "%s.%s.%s.x.y"}},
    {"JWT-32d", 0, KEY_CURRENT, {.parts = "@dots"}},
    {"JWT-32e", 0, KEY_CURRENT, {.parts = "%s..%.0s%s"}},
    {"JWT-32f", 0, KEY_CURRENT, {.parts = ".%s.%s.%s"}},
    {"JWT-32g", 0, KEY_CURRENT, {.parts = "%s.%s.%s."}},
    {"JWT-35",
     0,
     KEY_CURRENT,
     {.parts = "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMjU2R0NNIn0.%.0s%.0s%.0sAA.AA.AA.AA"}},
    {"JWT-37", 0, KEY_CURRENT, {.after = "\xff\xfe"}},
    {"JWT-37b", 0, KEY_CURRENT, {.before = "\xef\xbb\xbf"}},
    {"JWT-37c", 0, KEY_CURRENT, {.after = "{}"}},
    {"JWT-37d", 0, KEY_CURRENT, {.before = "[", .after = "]"}},
    {"JWT-37e", 0, KEY_CURRENT, {.payload = "\"text\""}},
    {"JWT-38", 0, KEY_CURRENT, {.flip_header = true}},
    {"JWT-38b", 0, KEY_CURRENT, {.flip_payload = true}},
    {"JWT-38c", 0, KEY_CURRENT, {.signature = SIGNATURE_FLIPPED}},
    {"JWT-40", 0, KEY_SECOND, {0}},
};

static const struct shape *shape_of(const char *variant)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (strcmp(shapes[i].variant, variant) == 0)
            return &shapes[i];
    return NULL;
}

static const struct bend *bend_of(const char *variant)
{
    for (size_t i = 0; i < sizeof bends / sizeof *bends; i++)
        if (strcmp(bends[i].variant, variant) == 0)
            return &bends[i];
    return NULL;
}

bool badtoken_known(const char *variant)
{
    return shape_of(variant) || bend_of(variant) || strcmp(variant, "JWT-21c") == 0;
}

void badtoken_prepare(struct draft *d, const char *variant)
{
    const struct shape *s = shape_of(variant);

    if (s && s->alg)
        d->alg = s->alg;
    if (s)
        d->role = s->role;
}

/* "@N": a text of N letters. "#N": an array of N texts. */
static const char *made_up(struct arena *a, const char *text)
{
    struct buf b;
    int64_t n = 0;
    const char *out;

    if ((*text != '@' && *text != '#') || !text_int(str_of(text + 1), &n))
        return text;
    buf_init(&b, 4u << 20);
    buf_byte(&b, *text == '@' ? '"' : '[');
    for (int64_t i = 0; i < n; i++) {
        if (*text == '@')
            buf_byte(&b, 'a');
        else
            buf_printf(&b, "%s\"g%lld\"", i ? "," : "", (long long)i);
    }
    buf_byte(&b, *text == '@' ? '"' : ']');
    out = arena_str(a, buf_view(&b));
    buf_deinit(&b);
    return out;
}

static const char *from_issuer(const struct exchange *x, const char *text)
{
    const char *issuer = exchange_issuer(x);
    const char *mark = strstr(text, "%s");

    if (!mark) /* "%.20s": a prefix of it */
        return arena_printf(x->rq->arena, "\"%.20s\"", issuer);
    return arena_printf(x->rq->arena, *text == '[' ? "%.*s%s%s" : "\"%.*s%s%s\"",
                        (int)(mark - text), text, issuer, mark + 2);
}

static void bend_member(struct draft *d, const struct bend *b)
{
    struct jval *o = b->where == 'h' ? d->header : d->claims;
    struct arena *a = d->x->rq->arena;
    int64_t delta = 0;

    if (b->how == DROP) {
        jval_remove(o, b->member);
        return;
    }
    if (b->how == LATER) {
        (void)text_int(str_of(b->text), &delta);
        jval_set_int(o, b->member, wall_seconds(clock_wall()) + delta);
        return;
    }
    jval_set_text(o, b->member, "@raw@");
    d->raw = b->how == ISSUER ? from_issuer(d->x, b->text) : made_up(a, b->text);
}

void badtoken_bend(struct draft *d, const char *variant)
{
    const struct shape *s = shape_of(variant);
    const struct bend *b = bend_of(variant);
    const char *evil = arena_printf(d->x->rq->arena, "%s/fake/evil-keys", d->x->f->base);

    if (b)
        bend_member(d, b);
    if (s) {
        d->payload = s->d.payload;
        d->before = s->d.before;
        d->after = s->d.after;
        d->signature = s->d.signature;
        d->flip_header = s->d.flip_header;
        d->flip_payload = s->d.flip_payload;
        d->parts = s->d.parts;
    }
    if (strcmp(variant, "JWT-07") == 0)
        jval_set(d->header, "jwk", jws_key_public(d->key, d->alg, d->kid));
    else if (strcmp(variant, "JWT-08") == 0)
        jval_set_text(d->header, "jku", evil);
    else if (strcmp(variant, "JWT-08b") == 0)
        jval_set_text(d->header, "x5u", evil);
    else if (strcmp(variant, "JWT-21c") == 0)
        jval_set_int(d->claims, "exp",
                     wall_seconds(clock_wall()) - 121); /* just past any fair skew */
}
