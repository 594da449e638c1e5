/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "sys/clock.h"
#include "sys/conf.h"
#include "sys/jose.h"
#include "sys/random.h"

#define LOG_TEXT_MAX 500
#define TEXT_MAX 65536 /* of one formatted text; alloc has only the budget */

static struct host *host_of(struct usher_call *call)
{
    return (struct host *)(void *)call;
}

static const struct jval *value_of(const struct usher_json *json)
{
    return (const struct jval *)(const void *)json;
}

/* Back to host_run; the plugin's frames are dropped. */
__attribute__((noreturn)) static void escape(struct host *h)
{
    longjmp(*h->escape, 1);
}

/* `check` runs before there is a flow: no clock, no randomness, no keys. */
static struct host *for_steps(struct usher_call *call, const char *name)
{
    struct host *h = host_of(call);
    if (h->checking) {
        err_set(&h->broken, ERR_INTERNAL, "check() of the plugin called host function %s", name);
        escape(h);
    }
    return h;
}

static void spend(struct host *h, size_t n)
{
    if (n > h->left) {
        err_set(&h->broken, ERR_INTERNAL, "the plugin used up its memory");
        escape(h);
    }
    h->left -= n;
}

static void *h_alloc(struct usher_call *call, size_t n)
{
    struct host *h = host_of(call);
    spend(h, n);
    return arena_alloc(h->arena, n ? n : 1);
}

/* Text of the plugin's making: what it costs is known before it is made. */
__attribute__((format(printf, 2, 0))) static const char *text_va(struct host *h, const char *format,
                                                                 va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0 || n > TEXT_MAX) {
        err_set(&h->broken, ERR_INTERNAL, "the plugin made a text of more than %d bytes", TEXT_MAX);
        escape(h);
    }
    spend(h, (size_t)n + 1);
    return arena_vprintf(h->arena, format, ap);
}

static const char *h_text(struct usher_call *call, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    const char *text = text_va(host_of(call), format, ap);
    va_end(ap);
    return text;
}

static void h_log(struct usher_call *call, uint32_t level, const char *format, ...)
{
    struct host *h = for_steps(call, "log");
    enum log_level l = level == USHER_LOG_DEBUG  ? LOG_DEBUG
                       : level == USHER_LOG_INFO ? LOG_INFO
                                                 : LOG_WARN;
    if (!log_wanted(l))
        return;
    char raw[LOG_TEXT_MAX + 1], clean[LOG_TEXT_MAX + 1];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(raw, sizeof raw, format, ap);
    va_end(ap);
    if (n < 0)
        return;
    text_display((struct str){raw, strnlen(raw, LOG_TEXT_MAX)}, clean, LOG_TEXT_MAX);
    log_event(h->log, l, "plugin.note", LF_TEXT("provider", h->provider->id),
              LF_TEXT("text", clean));
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static const struct jval *at(struct usher_call *call, const struct usher_json *json,
                             const char *pointer)
{
    for_steps(call, "json");
    return json && pointer ? jval_at(value_of(json), pointer) : NULL;
}

static const char *h_json_text(struct usher_call *call, const struct usher_json *json,
                               const char *pointer)
{
    const char *text = jval_text(at(call, json, pointer));
    if (!text)
        return NULL;
    size_t n = strlen(text) + 1;
    spend(host_of(call), n);
    return arena_dupn(host_of(call)->arena, text, n - 1);
}

static bool h_json_int(struct usher_call *call, const struct usher_json *json, const char *pointer,
                       int64_t *out)
{
    const struct jval *v = at(call, json, pointer);
    const char *text = jval_text(v);
    return text ? text_int(str_of(text), out) : jval_int(v, out);
}

static int h_json_bool(struct usher_call *call, const struct usher_json *json, const char *pointer)
{
    const struct jval *v = at(call, json, pointer);
    bool b;
    int64_t n;
    const char *text = jval_text(v);
    if (jval_bool(v, &b))
        return b;
    if (text)
        return strcmp(text, "true") == 0 ? 1 : strcmp(text, "false") == 0 ? 0 : -1;
    return jval_int(v, &n) && (n == 0 || n == 1) ? (int)n : -1;
}

static uint32_t h_json_type(struct usher_call *call, const struct usher_json *json,
                            const char *pointer)
{
    switch (jval_type(at(call, json, pointer))) {
    case JVAL_NULL:
        return USHER_JSON_NULL;
    case JVAL_BOOL:
        return USHER_JSON_BOOL;
    case JVAL_NUMBER:
        return USHER_JSON_NUMBER;
    case JVAL_TEXT:
        return USHER_JSON_TEXT;
    case JVAL_ARRAY:
        return USHER_JSON_ARRAY;
    case JVAL_OBJECT:
        return USHER_JSON_OBJECT;
    case JVAL_NONE:
        break;
    }
    return USHER_JSON_NONE;
}

static size_t h_json_count(struct usher_call *call, const struct usher_json *json,
                           const char *pointer)
{
    const struct jval *v = at(call, json, pointer);
    return jval_type(v) == JVAL_ARRAY || jval_type(v) == JVAL_OBJECT ? jval_count(v) : 0;
}

static const struct usher_json *h_json_at(struct usher_call *call, const struct usher_json *json,
                                          const char *pointer)
{
    return (const struct usher_json *)(const void *)at(call, json, pointer);
}

/* ---- clock, randomness, keys ---------------------------------------------------------------- */

static void h_random(struct usher_call *call, void *out, size_t n)
{
    for_steps(call, "random");
    rng_fill(out, n);
}

static int64_t h_now(struct usher_call *call)
{
    for_steps(call, "now");
    return wall_seconds(clock_wall());
}

const struct secret *host_secret(const struct host *h, const char *key)
{
    if (h->slot != PROVIDER_ACTIVE && strcmp(key, "client_secret") == 0)
        return provider_secret(h->provider, key, h->slot);
    return conf_secrets_get(h->provider->secrets, key);
}

static const char *h_token_proof(struct usher_call *call, const char *setting)
{
    struct host *h = for_steps(call, "token_proof");
    const struct secret *key = setting ? host_secret(h, setting) : NULL;
    if (!key || !h->token || secret_len(key) == 0)
        return NULL;
    unsigned char mac[32];
    spend(h, 2 * sizeof mac + 1);
    char *hex = arena_alloc(h->arena, 2 * sizeof mac + 1);
    seal_hmac_sha256(secret_reveal(key), secret_reveal(h->token), mac);
    text_hex(mac, sizeof mac, hex);
    return hex;
}

static int sign(struct host *h, const struct secret *pem, uint32_t alg, const char *kid,
                const char *claims, const char **out)
{
    struct err *err = &h->broken;
    struct jws_key *key = NULL;
    struct buf token;
    int rc = -1;
    buf_init(&token, 16384);
    struct jval *payload = jval_parse(str_of(claims), 8192, 4, err);
    if (payload && jval_type(payload) != JVAL_OBJECT)
        err_set(err, ERR_INTERNAL, "the plugin's claims are no JSON object");
    else if (payload)
        key = jws_key_pem(secret_reveal(pem), err);
    if (key && jws_sign(key, &(struct jws_head){alg, kid, "JWT"}, payload, &token, err) == 0 &&
        buf_ok(&token) && token.n < h->left) {
        h->left -= token.n + 1;
        *out = arena_str(h->arena, buf_view(&token));
        rc = 0;
    }
    jws_key_free(&key);
    jval_free(&payload);
    buf_deinit(&token);
    return rc;
}

static const char *h_jws_sign(struct usher_call *call, const char *setting, const char *alg,
                              const char *kid, const char *claims)
{
    struct host *h = for_steps(call, "jws_sign");
    const struct secret *pem = setting ? host_secret(h, setting) : NULL;
    uint32_t a = alg ? jws_alg_by_name(alg) : 0;
    const char *token = NULL;
    if (pem && a && claims && sign(h, pem, a, kid, claims, &token) == 0)
        return token;
    err_set(&h->broken, ERR_MISCONFIGURED, "nothing could be signed");
    h->broken.kind = ERR_MISCONFIGURED;
    err_context(&h->broken, "setting %.48s", setting ? setting : "?");
    return NULL;
}

/* ---- settings ------------------------------------------------------------------------------- */

static const char *joined(const struct usher_setting *row, const void *config, struct arena *a)
{
    const char *const *list;
    memcpy(&list, (const char *)config + row->offset, sizeof list);
    const char *text = NULL;
    for (; list && *list; list++)
        text = text ? arena_printf(a, "%s %s", text, *list) : arena_dup(a, *list);
    return text;
}

static const char *row_text(const struct usher_setting *rows, size_t n, const void *config,
                            const char *key, struct arena *a, bool *found)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].key, key) != 0)
            continue;
        *found = true;
        if (rows[i].type == USHER_SECRET) {
            struct usher_secret secret;
            memcpy(&secret, (const char *)config + rows[i].offset, sizeof secret);
            return secret.set ? "" : NULL;
        }
        return rows[i].type == USHER_LIST ? joined(&rows[i], config, a)
                                          : conf_text(&rows[i], config, a);
    }
    return NULL;
}

const char *host_setting(const struct provider *p, const char *key, struct arena *a)
{
    bool found = false;
    const char *text =
        row_text(provider_common_settings, provider_common_n, &p->common, key, a, &found);
    if (!found && p->config)
        text = row_text(p->plugin->settings, p->plugin->n_settings, p->config, key, a, &found);
    if (!text && strcmp(key, "scopes") == 0)
        text = p->plugin->scopes;
    return text;
}

static const char *h_setting(struct usher_call *call, const char *key)
{
    struct host *h = host_of(call);
    const char *text = key ? host_setting(h->provider, key, h->arena) : NULL;
    spend(h, text ? strlen(text) + 1 : 0);
    return text;
}

static const struct usher_host table = {
    .size = sizeof(struct usher_host),
    .alloc = h_alloc,
    .text = h_text,
    .log = h_log,
    .json_text = h_json_text,
    .json_int = h_json_int,
    .json_bool = h_json_bool,
    .json_type = h_json_type,
    .json_count = h_json_count,
    .json_at = h_json_at,
    .random = h_random,
    .now = h_now,
    .token_proof = h_token_proof,
    .jws_sign = h_jws_sign,
    .setting = h_setting,
};

void host_init(struct host *h, const struct provider *p, enum usher_flow flow, struct arena *a,
               size_t memory)
{
    *h = (struct host){
        .call = {.size = sizeof h->call, .host = &table, .config = p->config, .flow = flow},
        .provider = p,
        .arena = a,
        .left = memory,
    };
}

int host_run(struct host *h, void (*fn)(struct host *h, void *arg), void *arg, struct err *err)
{
    jmp_buf here;
    h->escape = &here;
    if (setjmp(here) == 0)
        fn(h, arg);
    h->escape = NULL;
    if (h->broken.kind == ERR_NONE)
        return 0;
    *err = h->broken;
    return -1;
}
