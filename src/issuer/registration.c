/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/registration.h"

#include "app/client.h"
#include "base/url.h"
#include "sys/jose.h"

#define NAME_MAX 60 /* as of every app's label */
#define URI_MAX 2048
#define TEXT_MAX 200
#define LIST_MAX 20
#define JWKS_MAX (8u * 1024)
#define KEYS_MAX 20
#define DEVICE_CODE "urn:ietf:params:oauth:grant-type:device_code"

struct reading {
    const struct jval *metadata;
    const struct registration_rules *rules;
    struct arena *a;
    struct jval *settings;
    struct registration_problem *why;
    bool public;
};

/* One member; `setting` NULL: it is judged and leaves nothing. */
struct member {
    const char *name, *setting;
    int (*read)(struct reading *r, const struct member *m, const struct jval *v);
};

static int wrong(struct reading *r, const char *member, const char *text)
{
    *r->why = (struct registration_problem){.error = "invalid_client_metadata",
                                            .text = arena_printf(r->a, "%s: %s", member, text)};
    return -1;
}

static int keep(struct reading *r, const struct member *m, const char *text)
{
    jval_set_text(r->settings, m->setting, text);
    return 0;
}

/* ---- texts and addresses -----------------------------------------------------------------------
 */

/* Fit to be shown as it is: nothing in it would be replaced. */
static bool plain(const char *text, size_t max)
{
    char clean[TEXT_MAX + 1];
    const size_t n = strlen(text);
    return n > 0 && n <= max && text_display(str_of(text), clean, max) == n &&
           memcmp(clean, text, n) == 0;
}

static int read_name(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *text = jval_text(v);
    return text && plain(text, NAME_MAX)
               ? keep(r, m, text)
               : wrong(r, m->name,
                       "a text of at most 60 bytes, all of them fit to be shown, is wanted");
}

static int read_text(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *text = jval_text(v);
    return text && plain(text, TEXT_MAX)
               ? keep(r, m, text)
               : wrong(r, m->name,
                       "a text of at most 200 bytes, all of them fit to be shown, is wanted");
}

static bool address_good(const struct reading *r, const char *text, bool https)
{
    struct err err = ERR_INIT;
    struct url u;
    if (!text || strlen(text) > URI_MAX || url_parse(r->a, str_of(text), &u, &err) < 0 ||
        u.fragment)
        return false;
    return strcmp(u.scheme, "https") == 0 ||
           (!https && r->rules->http_loopback && url_is_loopback(&u));
}

/* Kept, and looked at when there is need to, never now. */
static int read_address(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *text = jval_text(v);
    return address_good(r, text, false)
               ? keep(r, m, text)
               : wrong(r, m->name, "an https address without a fragment is wanted");
}

static int read_https(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *text = jval_text(v);
    return address_good(r, text, true)
               ? keep(r, m, text)
               : wrong(r, m->name, "an https address without a fragment is wanted");
}

/* ---- lists -------------------------------------------------------------------------------------
 */

/* An array of texts that survive being written as a list of settings. */
static const char *list_fault(const struct jval *v)
{
    if (jval_type(v) != JVAL_ARRAY)
        return "an array of texts is wanted";
    if (jval_count(v) > LIST_MAX)
        return "more than 20 entries";
    for (size_t i = 0; i < jval_count(v); i++) {
        const char *text = jval_text(jval_item(v, i));
        if (!text)
            return "every entry is a text";
        if (!*text || strlen(text) > URI_MAX || !text_printable(str_of(text)) || strchr(text, ','))
            return "an entry is empty, too long, or holds a blank, a comma or no ASCII";
    }
    return NULL;
}

static int keep_list(struct reading *r, const struct member *m, const struct jval *v)
{
    if (jval_count(v) > 0)
        jval_set(r->settings, m->setting, jval_copy(v));
    return 0;
}

static int wrong_uri(struct reading *r, const struct member *m, const char *text)
{
    wrong(r, m->name, text);
    r->why->error = "invalid_redirect_uri";
    return -1;
}

static bool own_scheme(const char *uri)
{
    return !str_starts(str_of(uri), "https:") && !str_starts(str_of(uri), "http:");
}

static int read_redirects(struct reading *r, const struct member *m, const struct jval *v)
{
    struct err err = ERR_INIT;
    const char *kind = jval_text(jval_get(r->metadata, "application_type"));
    const char *fault = list_fault(v);
    if (fault)
        return wrong_uri(r, m, fault);
    for (size_t i = 0; i < jval_count(v); i++) {
        const char *uri = jval_text(jval_item(v, i));
        if (client_redirect_check(uri, r->public, &err) < 0)
            return wrong_uri(r, m,
                             "https without a fragment is wanted; http for 127.0.0.1 and "
                             "[::1]; of public native apps a scheme with a dot");
        if (own_scheme(uri) && kind && strcmp(kind, "native") != 0)
            return wrong_uri(r, m, "only native apps have a scheme of their own");
    }
    return keep_list(r, m, v);
}

static int read_contacts(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *fault = list_fault(v);
    return fault ? wrong(r, m->name, fault) : keep_list(r, m, v);
}

/* ---- grants and scopes: what only people give, or what an admin gave ----------------------------
 */

static const char *const own_grants[] = {"authorization_code", "refresh_token", "device_code",
                                         NULL};
static const char *const own_scopes[] = {"openid", "profile", "email", "offline_access", NULL};

/* Which of the table it is, if the app may have it; -1. */
static int grant_of(const struct reading *r, const char *type)
{
    const struct app_common *had = r->rules->had;
    for (int k = 0; client_grant_types[k]; k++)
        if (strcmp(client_grant_types[k], type) == 0)
            return client_lists(own_grants, str_of(client_grants[k])) ||
                           (had && client_lists(had->grants, str_of(client_grants[k])))
                       ? k
                       : -1;
    return -1;
}

static int read_grants(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *fault = list_fault(v);
    unsigned wanted = 0;
    for (size_t i = 0; !fault && i < jval_count(v); i++) {
        const int k = grant_of(r, jval_text(jval_item(v, i)));
        if (k < 0)
            fault = "apps that register themselves may have authorization_code, refresh_token "
                    "and " DEVICE_CODE;
        else
            wanted |= 1u << k;
    }
    if (fault || !wanted)
        return wrong(r, m->name, fault ? fault : "none is too few");
    struct jval *list = jval_new_array();
    for (size_t k = 0; client_grants[k]; k++)
        if (wanted & (1u << k))
            jval_push(list, jval_new_text(client_grants[k]));
    jval_set(r->settings, m->setting, list);
    return 0;
}

static bool has_text(const struct jval *list, struct str text)
{
    for (size_t i = 0; i < jval_count(list); i++)
        if (str_is(text, jval_text(jval_item(list, i))))
            return true;
    return false;
}

/* What it may not have is left out, and the answer says what it got (RFC 7591 section 3.2.1). */
static int read_scope(struct reading *r, const struct member *m, const struct jval *v)
{
    const struct app_common *had = r->rules->had;
    struct str rest = str_of(jval_text(v)), word;
    struct jval *list = jval_new_array();
    bool valid = jval_type(v) == JVAL_TEXT && rest.n <= URI_MAX;
    while (valid && str_split(&rest, ' ', &word)) {
        valid = word.n == 0 || client_scope_valid(word);
        if (valid && word.n > 0 && !has_text(list, word) &&
            (client_lists(own_scopes, word) || (had && client_lists(had->scopes, word))))
            jval_push(list, jval_new_text(arena_dupn(r->a, word.p, word.n)));
    }
    if (!valid || jval_count(list) == 0) {
        jval_free(&list);
        return wrong(r, m->name,
                     valid ? "apps that register themselves may have openid, profile, email and "
                             "offline_access"
                           : "a text of scopes parted by blanks is wanted");
    }
    jval_set(r->settings, m->setting, list);
    return 0;
}

static int read_responses(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *fault = list_fault(v);
    for (size_t i = 0; !fault && i < jval_count(v); i++)
        if (strcmp(jval_text(jval_item(v, i)), "code") != 0)
            fault = "code is the only one there is";
    return fault ? wrong(r, m->name, fault) : 0;
}

/* ---- keys and algorithms -----------------------------------------------------------------------
 */

static int read_method(struct reading *r, const struct member *m, const struct jval *v)
{
    static const char *const methods[][2] = {{"client_secret_basic", "basic"},
                                             {"client_secret_post", "post"},
                                             {"private_key_jwt", "private_key_jwt"},
                                             {"none", "none"}};
    const char *text = jval_text(v);
    for (size_t i = 0; text && i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i][0], text) == 0)
            return keep(r, m, methods[i][1]);
    return wrong(r, m->name,
                 "one of client_secret_basic, client_secret_post, private_key_jwt and none");
}

/* Public halves only: whoever sends us a private key would go on to use it. */
static bool key_public(const struct jval *key)
{
    static const char *const private[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"};
    const char *kty = jval_text(jval_get(key, "kty"));
    for (size_t i = 0; i < sizeof private / sizeof *private; i++)
        if (jval_get(key, private[i]))
            return false;
    return kty && (strcmp(kty, "RSA") == 0 || strcmp(kty, "EC") == 0 || strcmp(kty, "OKP") == 0);
}

/* At least one is: others may be for what usher does not do. */
static bool keys_usable(struct str text)
{
    struct err err = ERR_INIT;
    struct jwks *set = jwks_parse(text, &err);
    const bool usable = set && jwks_count(set) > 0;
    jwks_free(&set);
    return usable;
}

static int read_jwks(struct reading *r, const struct member *m, const struct jval *v)
{
    const struct jval *keys = jval_get(v, "keys");
    struct buf text;
    int rc = -1;
    if (jval_type(keys) != JVAL_ARRAY || jval_count(keys) == 0 || jval_count(keys) > KEYS_MAX)
        return wrong(r, m->name, "a JWK set of 1 to 20 keys is wanted");
    for (size_t i = 0; i < jval_count(keys); i++)
        if (!key_public(jval_item(keys, i)))
            return wrong(r, m->name, "public keys of type RSA, EC or OKP are wanted");
    buf_init(&text, JWKS_MAX);
    jval_render(v, &text);
    if (!buf_ok(&text))
        rc = wrong(r, m->name, "longer than 8 KiB; use jwks_uri");
    else if (!keys_usable(buf_view(&text)))
        rc = wrong(r, m->name, "none of its keys is fit for signatures");
    else
        rc = keep(r, m, text.p);
    buf_deinit(&text);
    return rc;
}

static int read_alg(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *text = jval_text(v);
    const char *const *algs = r->rules->algs;
    if (text && (strcmp(text, "RS256") == 0 || client_lists(algs, str_of(text))))
        return keep(r, m, text);
    return wrong(r, m->name, "usher does not sign with this; its metadata says with what");
}

static int read_assertion_alg(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *text = jval_text(v);
    static const char *const algs[] = {"RS256", "PS256", "ES256", "EdDSA", NULL};
    return text && client_lists(algs, str_of(text))
               ? 0
               : wrong(r, m->name, "one of RS256, PS256, ES256 and EdDSA");
}

/* ---- the rest ----------------------------------------------------------------------------------
 */

static int read_bool(struct reading *r, const struct member *m, const struct jval *v)
{
    bool on;
    if (!jval_bool(v, &on))
        return wrong(r, m->name, "true or false is wanted");
    if (m->setting)
        jval_set_bool(r->settings, m->setting, on);
    return 0;
}

static int read_age(struct reading *r, const struct member *m, const struct jval *v)
{
    int64_t n;
    if (!jval_int(v, &n) || n < 1 || n > 10 * 365 * 86400)
        return wrong(r, m->name, "a whole number of seconds is wanted, 1 or more");
    jval_set_int(r->settings, m->setting, n);
    return 0;
}

static int read_kind(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *text = jval_text(v);
    return text && (strcmp(text, "web") == 0 || strcmp(text, "native") == 0)
               ? 0
               : wrong(r, m->name, "web or native");
}

static int read_subject(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *text = jval_text(v);
    return text && strcmp(text, "public") == 0
               ? 0
               : wrong(r, m->name, "public is the only one there is");
}

static int read_none(struct reading *r, const struct member *m, const struct jval *v)
{
    const char *text = jval_text(v);
    return text && strcmp(text, "none") == 0
               ? 0
               : wrong(r, m->name, "request objects are not supported");
}

static int refuse(struct reading *r, const struct member *m, const struct jval *v)
{
    (void)v;
    return wrong(r, m->name, "not supported");
}

static const struct member members[] = {
    {"client_name", "label", read_name},
    {"redirect_uris", "redirect_uris", read_redirects},
    {"post_logout_redirect_uris", "post_logout_redirect_uris", read_redirects},
    {"grant_types", "grants", read_grants},
    {"response_types", NULL, read_responses},
    {"scope", "scopes", read_scope},
    {"token_endpoint_auth_method", "auth_method", read_method},
    {"token_endpoint_auth_signing_alg", NULL, read_assertion_alg},
    {"jwks", "jwks", read_jwks},
    {"jwks_uri", "jwks_uri", read_address},
    {"client_uri", "home_uri", read_address},
    {"logo_uri", "logo_uri", read_address},
    {"policy_uri", "policy_uri", read_address},
    {"tos_uri", "tos_uri", read_address},
    {"contacts", "contacts", read_contacts},
    {"software_id", "software_id", read_text},
    {"software_version", "software_version", read_text},
    {"application_type", NULL, read_kind},
    {"subject_type", NULL, read_subject},
    {"sector_identifier_uri", NULL, refuse},
    {"id_token_signed_response_alg", "id_token_alg", read_alg},
    {"id_token_encrypted_response_alg", NULL, refuse},
    {"id_token_encrypted_response_enc", NULL, refuse},
    {"userinfo_signed_response_alg", "userinfo_alg", read_alg},
    {"userinfo_encrypted_response_alg", NULL, refuse},
    {"userinfo_encrypted_response_enc", NULL, refuse},
    {"request_object_signing_alg", NULL, read_none},
    {"request_object_encryption_alg", NULL, refuse},
    {"request_object_encryption_enc", NULL, refuse},
    {"require_pushed_authorization_requests", "require_pushed", read_bool},
    {"default_max_age", "default_max_age", read_age},
    {"require_auth_time", "require_auth_time", read_bool},
    {"initiate_login_uri", "initiate_login_uri", read_https},
    {"backchannel_logout_uri", "backchannel_logout_uri", read_address},
    {"backchannel_logout_session_required", NULL, read_bool},
};
#define MEMBERS (sizeof members / sizeof *members)

const char *registration_member(const char *setting)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (members[i].setting && strcmp(members[i].setting, setting) == 0)
            return members[i].name;
    return NULL;
}

/* ---- all of it ---------------------------------------------------------------------------------
 */

/* Members that make sense one by one, and what is said by leaving one out. */
static int judge_whole(struct reading *r)
{
    const struct jval *s = r->settings;
    const char *method = jval_text(jval_get(s, "auth_method"));
    const bool uris = jval_count(jval_get(s, "redirect_uris")) > 0;
    const bool code = has_text(jval_get(s, "grants"), STR("authorization_code"));
    const bool keys = jval_text(jval_get(s, "jwks")), address = jval_text(jval_get(s, "jwks_uri"));
    if (code && !uris) {
        wrong(r, "redirect_uris", "at least one is wanted");
        r->why->error = "invalid_redirect_uri";
        return -1;
    }
    if (!code && jval_count(jval_get(r->metadata, "response_types")) > 0)
        return wrong(r, "response_types", "code goes with the grant authorization_code");
    if (keys && address)
        return wrong(r, "jwks", "and jwks_uri: one of them");
    if (strcmp(method, "private_key_jwt") == 0 && !keys && !address)
        return wrong(r, "jwks", "private_key_jwt needs jwks or jwks_uri");
    return 0;
}

/* RFC 7591 section 2: what holds where nothing was said. null is left to the setting's default. */
static void set_defaults(struct reading *r)
{
    struct jval *grants = jval_new_array(), *scopes = jval_new_array();
    for (size_t i = 0; i < MEMBERS; i++)
        if (members[i].setting)
            jval_set(r->settings, members[i].setting, jval_new_null());
    jval_push(grants, jval_new_text("authorization_code"));
    for (size_t i = 0; own_scopes[i]; i++)
        jval_push(scopes, jval_new_text(own_scopes[i]));
    jval_set(r->settings, "grants", grants);
    jval_set(r->settings, "scopes", scopes);
    jval_set_text(r->settings, "auth_method", "basic");
}

static int read_all(struct reading *r)
{
    const char *method = jval_text(jval_get(r->metadata, "token_endpoint_auth_method"));
    r->public = method && strcmp(method, "none") == 0;
    set_defaults(r);
    for (size_t i = 0; i < MEMBERS; i++) {
        const struct jval *v = jval_get(r->metadata, members[i].name);
        if (jval_type(v) != JVAL_NONE && jval_type(v) != JVAL_NULL &&
            members[i].read(r, &members[i], v) < 0)
            return -1;
    }
    jval_set_text(r->settings, "client_type", r->public ? "public" : "confidential");
    return judge_whole(r);
}

/* Of others, so people are asked. PKCE, which metadata has no word for, is up to an app that proves
 * who it is; a public one needs it whatever is set. */
static void set_manner(struct reading *r)
{
    jval_set_bool(r->settings, "consent", true);
    jval_set_bool(r->settings, "require_pkce", false);
}

struct jval *registration_read(const struct jval *metadata, const struct registration_rules *rules,
                               struct arena *a, struct registration_problem *why)
{
    struct reading r = {.metadata = metadata, .rules = rules, .a = a, .why = why};
    *why = (struct registration_problem){.error = "invalid_client_metadata",
                                         .text = "a JSON object is wanted"};
    if (jval_type(metadata) != JVAL_OBJECT)
        return NULL;
    r.settings = jval_new_object();
    if (read_all(&r) < 0)
        jval_free(&r.settings);
    else if (!rules->had)
        set_manner(&r);
    return r.settings;
}
