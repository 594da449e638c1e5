/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usher/provider.h: what a provider plugin and usher say to each other. Frozen: append only.
 *
 * A plugin is a constant. Its shared object exports one read-only `struct usher_provider
 * usher_provider`; it has no constructor, globals, threads, I/O, clock or randomness of its own,
 * and needs nothing beyond libc. usher owns the network, TLS, time-outs, state, nonce, PKCE, the
 * code exchange, keys, signatures, tokens and pages. The plugin knows what is peculiar to its
 * upstream: URLs, which member means what, which answer is a refusal.
 *
 * `step` gets one event and answers with exactly one action:
 *
 *     START ──▶ REDIRECT              the browser goes upstream and comes back
 *     CALLBACK ──▶ EXCHANGE ──▶ TOKENS ──▶ VERIFY ──▶ CLAIMS ──▶ FETCH ──▶ RESPONSES ──▶ DONE
 *     any event ──▶ FETCH (then RESPONSES) or FAIL
 *
 * START to REDIRECT is one leg, CALLBACK to DONE or FAIL another; `call->leg` is zeroed at the
 * start of each, and only `carry` crosses. Two flows know no browser and are one leg, START to DONE
 * or FAIL; there EXCHANGE sends the refresh token instead of a code, and FAIL as EXPIRED means that
 * the upstream no longer honours the tokens:
 *
 *     REFRESH: START ──▶ EXCHANGE ──▶ TOKENS ──▶ DONE             new tokens, nothing else
 *     RECHECK: START ──▶ FETCH, or EXCHANGE and on as above ──▶ DONE    who is it now?
 *
 * Strings are UTF-8 and NUL-terminated. What the host hands over is valid until `step` returns,
 * unless it says otherwise. What a plugin hands over is constant data, leg memory, or memory from
 * the host table; usher copies what it keeps.
 * Every struct that crosses starts with its `size`; each side reads at most what the other filled.
 * In arrays the stride is the `size` of the first element.
 *
 * `step` and `check` run on one thread at a time per flow, and on several for different flows: a
 * plugin without globals needs no locks.
 */
#ifndef USHER_PROVIDER_H
#define USHER_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USHER_ABI_MAGIC 0x72687375u /* "ushr" */
#define USHER_ABI_MAJOR 1
#define USHER_ABI_MINOR 1 /* 1: REFRESH and RECHECK */

#define USHER_CARRY_MAX 1024   /* bytes of `carry`, without the NUL */
#define USHER_REQUESTS_MAX 4   /* requests in one FETCH */
#define USHER_SUBJECT_MAX 255  /* bytes, OpenID Connect Core 1.0 section 2 */

#define USHER_EXPORT __attribute__((visibility("default")))
#define USHER_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* ---- settings ------------------------------------------------------------------------------ */

/* What a setting is, and the C type its member in the config struct must have. */
enum usher_setting_type {
    USHER_TEXT = 1,     /* const char *, NULL when empty    */
    USHER_URL = 2,      /* const char *, absolute http(s)   */
    USHER_INT = 3,      /* int64_t                          */
    USHER_BOOL = 4,     /* bool                             */
    USHER_CHOICE = 5,   /* int, index into `choices`        */
    USHER_LIST = 6,     /* const char *const *, NULL-ended  */
    USHER_DURATION = 7, /* int64_t, seconds ("10m", "30s")  */
    USHER_SIZE = 8,     /* int64_t, bytes ("64k", "1m")     */
    USHER_SECRET = 9,   /* struct usher_secret              */
};

enum usher_setting_flag {
    USHER_REQUIRED = 1u << 0,
    USHER_ORIGIN = 1u << 1,   /* a URL whose origin this provider may be sent secrets */
    USHER_ADVANCED = 1u << 2, /* folded away in forms */
    USHER_INSECURE = 1u << 3, /* weakens security; announced at start */
};

/* A secret as a plugin sees it: that it is there, never what it is. */
struct usher_secret { bool set; };

/* One row of a settings table: the only source for parsing, --check, manual, samples and forms. */
struct usher_setting {
    size_t size;
    uint32_t type;     /* enum usher_setting_type */
    uint32_t flags;    /* enum usher_setting_flag */
    size_t offset;     /* of the member in the config struct */
    const char *key;   /* lower case, digits, underscore */
    const char *value; /* default, written as an admin would; NULL: none */
    const char *label; /* a few words, for forms */
    const char *help;  /* one or two sentences */
    const char *example;
    const char *const *choices; /* CHOICE: NULL-ended */
    int64_t min, max;           /* INT, DURATION, SIZE; both 0: unchecked */
};

/* offsetof that refuses to compile when the member's type is not the one the setting needs. */
#define USHER_MEMBER(T, m, type)                                                                   \
    (offsetof(T, m) + 0 * sizeof(struct {                                                          \
         _Static_assert(__builtin_types_compatible_p(__typeof__(((T *)0)->m), type),              \
                        #m " does not have the type of its setting");                              \
         int unused;                                                                               \
     }))
#define USHER_SETTING_(T, m, ty, ct, ...)                                                          \
    {.size = sizeof(struct usher_setting), .type = (ty), .offset = USHER_MEMBER(T, m, ct),         \
     .key = #m, __VA_ARGS__}
/* Use: USHER_SET_TEXT(struct config, member, .label = "…", .help = "…", .value = "…") */
#define USHER_SET_TEXT(T, m, ...) USHER_SETTING_(T, m, USHER_TEXT, const char *, __VA_ARGS__)
#define USHER_SET_URL(T, m, ...) USHER_SETTING_(T, m, USHER_URL, const char *, __VA_ARGS__)
#define USHER_SET_INT(T, m, ...) USHER_SETTING_(T, m, USHER_INT, int64_t, __VA_ARGS__)
#define USHER_SET_BOOL(T, m, ...) USHER_SETTING_(T, m, USHER_BOOL, bool, __VA_ARGS__)
#define USHER_SET_CHOICE(T, m, ...) USHER_SETTING_(T, m, USHER_CHOICE, int, __VA_ARGS__)
#define USHER_SET_LIST(T, m, ...)                                                                  \
    USHER_SETTING_(T, m, USHER_LIST, const char *const *, __VA_ARGS__)
#define USHER_SET_DURATION(T, m, ...) USHER_SETTING_(T, m, USHER_DURATION, int64_t, __VA_ARGS__)
#define USHER_SET_SIZE(T, m, ...) USHER_SETTING_(T, m, USHER_SIZE, int64_t, __VA_ARGS__)
#define USHER_SET_SECRET(T, m, ...)                                                                \
    USHER_SETTING_(T, m, USHER_SECRET, struct usher_secret, __VA_ARGS__)

/* ---- values: secrets by reference ----------------------------------------------------------- */

enum usher_value_kind {
    USHER_VALUE_TEXT = 0,         /* `text` itself */
    USHER_VALUE_SETTING = 1,      /* the value of the setting named `text`, secrets included */
    USHER_VALUE_ACCESS_TOKEN = 2, /* `text` (or nothing, if NULL), then this flow's access token */
};

/* A parameter, header or member. Secrets are put in by the fetcher at the last moment, and only
 * toward an origin this provider declared; elsewhere the request fails as MISCONFIGURED. */
struct usher_param {
    size_t size;
    const char *name;
    uint32_t kind; /* enum usher_value_kind */
    const char *text;
};

/* A name and a value that came from outside (a query, a header). */
struct usher_field { const char *name, *value; };

/* Parsed JSON, read through the host table. Lives until the leg ends. */
struct usher_json;

/* ---- events: host to plugin ----------------------------------------------------------------- */

enum usher_flow {
    USHER_FLOW_LOGIN = 1, USHER_FLOW_LINK = 2, USHER_FLOW_REFRESH = 3, USHER_FLOW_RECHECK = 4,
    USHER_FLOW_LOGOUT = 5,
};

enum usher_event_kind {
    USHER_START = 1, USHER_CALLBACK = 2, USHER_TOKENS = 3, USHER_CLAIMS = 4, USHER_RESPONSES = 5,
};

/* A flow begins. */
struct usher_start {
    size_t size;
    uint32_t flow;            /* enum usher_flow */
    const char *redirect_uri; /* what the core will send */
    const char *login_hint;   /* or NULL */
    const char *prompt;       /* or NULL: none, login, consent, select_account */
    const char *locale;       /* or NULL: BCP 47 */
    int64_t max_age;          /* seconds, -1: none */
    /* REFRESH and RECHECK (minor 1), else NULL and false: whose tokens these are, and which of them
     * can be used. An access token that has expired counts as none. */
    const char *subject;
    bool has_access_token, has_refresh_token;
};

/* The browser came back. State, binding, age, single use and issuer are checked already, each
 * parameter occurs once, and `error` was answered by the core, so `code` is present. */
struct usher_callback {
    size_t size;
    const struct usher_field *fields; /* query or form, without state, code and iss */
    size_t n_fields;
    const char *carry; /* what REDIRECT carried, or "" */
};

/* The token endpoint answered, after EXCHANGE. Token bytes stay in the core. */
struct usher_tokens {
    size_t size;
    bool ok;                        /* a token_type of Bearer and an access token, RFC 6749 5.1 */
    int status;                     /* HTTP */
    const char *error;              /* RFC 6749 5.2 code when !ok, printable ASCII, or "" */
    const char *scope;              /* space separated, "" if absent */
    int64_t expires_in;             /* seconds, -1: not said */
    bool has_refresh_token;
    bool has_id_token;
    const struct usher_json *other; /* the answer without its tokens */
};

/* The ID token held: signature, issuer, audience, nonce and times are verified. */
struct usher_claims { size_t size; const struct usher_json *claims; };

enum usher_transport {
    USHER_TRANSPORT_OK = 0,
    USHER_TRANSPORT_TIMEOUT = 1,
    USHER_TRANSPORT_UNREACHABLE = 2, /* DNS, connection or TLS */
    USHER_TRANSPORT_REFUSED = 3,     /* by usher: address, origin, scheme */
    USHER_TRANSPORT_TOO_LARGE = 4,
    USHER_TRANSPORT_BROKEN = 5,      /* truncated or not HTTP */
    USHER_TRANSPORT_LIMITED = 6,     /* the upstream's rate limit; `retry_after` says how long */
};

/* One answer, in the order of the requests. */
struct usher_response {
    size_t size;
    uint32_t transport; /* enum usher_transport; if not OK only retry_after means anything */
    int status;
    const char *content_type; /* lower case, without parameters, "" if absent */
    const struct usher_field *headers; /* names in lower case */
    size_t n_headers;
    const char *body; /* NUL-terminated copy; may hold NUL bytes before body_len */
    size_t body_len;
    const struct usher_json *json; /* NULL unless JSON by content type and well formed */
    int64_t retry_after;           /* seconds, -1: not said */
};

struct usher_event {
    size_t size;
    uint32_t kind; /* enum usher_event_kind; the matching pointer is set */
    const struct usher_start *start;
    const struct usher_callback *callback;
    const struct usher_tokens *tokens;
    const struct usher_claims *claims;
    const struct usher_response *responses;
    size_t n_responses;
};

/* ---- actions: plugin to host ---------------------------------------------------------------- */

enum usher_action_kind {
    USHER_REDIRECT = 1, USHER_EXCHANGE = 2, USHER_VERIFY = 3, USHER_FETCH = 4, USHER_DONE = 5,
    USHER_FAIL = 6,
};

enum usher_redirect_flag {
    USHER_SEND_NONCE = 1u << 0,
    USHER_SEND_PKCE = 1u << 1,     /* S256, RFC 7636 */
    USHER_FORM_POST = 1u << 2,     /* response_mode=form_post */
    USHER_ISS_ANNOUNCED = 1u << 3, /* RFC 9207: refuse a callback without `iss` */
};

enum usher_client_auth {
    USHER_AUTH_BASIC = 1, /* RFC 6749 2.3.1, both halves form-encoded */
    USHER_AUTH_POST = 2,
    USHER_AUTH_NONE = 3,   /* public client: client_id only */
    USHER_AUTH_PARAMS = 4, /* the plugin's params hold it (an assertion it had signed) */
};

enum usher_request_flag {
    USHER_ANY_CONTENT_TYPE = 1u << 0, /* parse JSON whatever the content type says */
    USHER_FORM_ANSWER = 1u << 1,      /* EXCHANGE: a form-encoded answer is fine too */
    USHER_ERROR_IN_OK = 1u << 2,      /* EXCHANGE: a 200 may hold `error` (always looked for) */
};

/* One HTTP request of a FETCH. GET, or POST when `form` is set. */
struct usher_request {
    size_t size;
    const char *url;
    const struct usher_param *headers;
    size_t n_headers;
    const struct usher_param *form;
    size_t n_form;
    uint32_t flags;        /* enum usher_request_flag */
    int64_t cache_seconds; /* > 0: the core may answer from its cache and share one request
                              between flows; only without secrets */
    /* Set: this is issuer metadata (OpenID Discovery 1.0, RFC 8414). The core checks that the
     * answer's `issuer` is exactly this, then counts the origins of its endpoints as declared. */
    const char *metadata_issuer;
};

enum usher_nonce_rule {
    USHER_NONCE_REQUIRED = 0, USHER_NONCE_IF_PRESENT = 1, USHER_NONCE_SKIPPED = 2,
};

/* How the ID token is to be judged (OpenID Connect Core 1.0 section 3.1.3.7). */
struct usher_verify {
    size_t size;
    const char *const *issuers; /* NULL-ended: every accepted spelling, compared exactly;
                                   `{tenantid}` stands for the token's own `tid` */
    const char *jwks_uri;
    const char *audience;    /* NULL: the client id */
    const char *const *algs; /* NULL-ended; NULL: RS256 only */
    uint32_t nonce;          /* enum usher_nonce_rule */
};

/* How much an e-mail address proves. Numbers are stored. */
enum usher_evidence {
    USHER_EVIDENCE_NONE = 0,              /* unverified, or nobody said */
    USHER_EVIDENCE_PROVIDER_ASSERTED = 1, /* the provider says it is verified */
    USHER_EVIDENCE_PRIMARY_VERIFIED = 2,  /* GitHub: primary and verified */
    USHER_EVIDENCE_XMS_EDOV = 3,          /* Entra: domain owner verified */
    USHER_EVIDENCE_AUTHORITATIVE = 4,     /* the provider runs this mailbox (gmail.com, hd) */
};

/* Who it is. Only `subject` is required; the rest NULL when the upstream did not say. In a RECHECK
 * groups of NULL mean "as before", and an empty list that there are none any more. */
struct usher_identity {
    size_t size;
    const char *subject; /* stable, never reassigned; 1..255 bytes, no control bytes */
    const char *email;
    uint32_t email_evidence; /* enum usher_evidence */
    const char *username;    /* what the person calls themself there; may change hands */
    const char *name;        /* for display */
    const char *picture;     /* https URL */
    const char *locale;
    const char *const *groups; /* NULL-ended */
    const char *const *amr;    /* NULL-ended, RFC 8176 */
    int64_t auth_time;         /* seconds since 1970, 0: unknown */
};

/* Whose fault a failure is. Picks page, status, log level and metric. Numbers are stored. */
enum usher_fail {
    USHER_DENIED = 1,        /* the person said no */
    USHER_NOT_ALLOWED = 2,   /* a rule said no (wrong domain, missing role) */
    USHER_EXPIRED = 3,       /* too late, or used before */
    USHER_MISCONFIGURED = 4, /* the admin must act */
    USHER_UPSTREAM_DOWN = 5, /* no answer, or "later" */
    USHER_UPSTREAM_BAD = 6,  /* an answer that makes no sense */
    USHER_INTERNAL = 7,      /* ours */
};

/* Zeroed, `size` set, before each step. Fill `kind` and the members of its row. */
struct usher_action {
    size_t size;
    uint32_t kind; /* enum usher_action_kind */
    /* REDIRECT: authorization endpoint (a query is kept). EXCHANGE: token endpoint. */
    const char *url;
    const struct usher_param *params; /* text only in REDIRECT */
    size_t n_params;
    /* REDIRECT */
    uint32_t redirect_flags; /* enum usher_redirect_flag */
    const char *scope;       /* space separated, NULL: none */
    const char *carry;       /* NULL: none; sealed, never readable by the browser */
    const char *issuer;      /* what a callback's `iss` must equal; NULL: not compared */
    /* EXCHANGE */
    uint32_t client_auth;    /* enum usher_client_auth */
    uint32_t exchange_flags; /* enum usher_request_flag */
    const struct usher_param *headers;
    size_t n_headers;
    /* FETCH: 1 to USHER_REQUESTS_MAX, in parallel */
    const struct usher_request *requests;
    size_t n_requests;
    /* VERIFY */
    const struct usher_verify *verify;
    /* DONE; not looked at in a REFRESH */
    const struct usher_identity *identity;
    /* FAIL: text and hint are for the log and the admin, never for the browser */
    uint32_t fail; /* enum usher_fail */
    const char *fail_text;
    const char *fail_hint;
};

/* ---- the call and its host table ------------------------------------------------------------ */

struct usher_call;

enum usher_level { USHER_LOG_DEBUG = 0, USHER_LOG_INFO = 1, USHER_LOG_WARN = 2 };

enum usher_json_type {
    USHER_JSON_NONE = 0, /* no such member */
    USHER_JSON_NULL = 1, USHER_JSON_BOOL = 2, USHER_JSON_NUMBER = 3,
    USHER_JSON_TEXT = 4, USHER_JSON_ARRAY = 5, USHER_JSON_OBJECT = 6,
};

/* Functions of the host. Pointers are JSON Pointers (RFC 6901): "/user/emails/0"; "" is the whole.
 * All take json == NULL and answer as for a missing member. */
struct usher_host {
    size_t size;
    /* Zeroed memory until the leg ends. Never NULL; over the budget the leg fails. */
    void *(*alloc)(struct usher_call *, size_t n);
    /* printf into leg memory. */
    const char *(*text)(struct usher_call *, const char *format, ...) USHER_PRINTF(2, 3);
    /* A line in usher's log under this flow; cut at 500 bytes, control bytes escaped. */
    void (*log)(struct usher_call *, uint32_t level, const char *format, ...) USHER_PRINTF(3, 4);
    /* The member's string; NULL if it is absent or no string. Lives until the leg ends. */
    const char *(*json_text)(struct usher_call *, const struct usher_json *, const char *pointer);
    /* An integer, or a string of digits (Cognito, Auth0): true and *out, else false. */
    bool (*json_int)(struct usher_call *, const struct usher_json *, const char *pointer,
                     int64_t *out);
    /* true, "true" and 1 are 1; false, "false" and 0 are 0; anything else is -1. */
    int (*json_bool)(struct usher_call *, const struct usher_json *, const char *pointer);
    uint32_t (*json_type)(struct usher_call *, const struct usher_json *, const char *pointer);
    /* Elements of an array or members of an object; 0 otherwise. */
    size_t (*json_count)(struct usher_call *, const struct usher_json *, const char *pointer);
    const struct usher_json *(*json_at)(struct usher_call *, const struct usher_json *,
                                        const char *pointer);
    void (*random)(struct usher_call *, void *out, size_t n);
    int64_t (*now)(struct usher_call *); /* seconds since 1970 */
    /* Hex HMAC-SHA256 of this flow's access token under a secret setting (Facebook's
     * appsecret_proof). NULL if either is missing. */
    const char *(*token_proof)(struct usher_call *, const char *setting);
    /* A compact JWS over a JSON object, signed with a PEM key in a secret setting; `kid` may be
     * NULL. NULL on a bad key, which also fails the leg as MISCONFIGURED. */
    const char *(*jws_sign)(struct usher_call *, const char *setting, const char *alg,
                            const char *kid, const char *claims_json);
    /* Text of a setting of this provider, the core's own too (client_id, scopes); NULL if unset,
     * "" for a secret that is set. Lists come space separated. */
    const char *(*setting)(struct usher_call *, const char *key);
};

/* One step in one flow. */
struct usher_call {
    size_t size;
    const struct usher_host *host;
    const void *config; /* the plugin's config struct, parsed by its settings table */
    void *leg;          /* `leg_size` bytes, zeroed when the leg began; NULL if 0 */
    uint32_t flow;      /* enum usher_flow */
};

/* ---- the descriptor ------------------------------------------------------------------------- */

enum usher_provider_flag {
    USHER_PUBLIC_CLIENT = 1u << 0, /* client_secret is optional; without it AUTH_NONE is used */
    USHER_NO_CLIENT_SECRET = 1u << 1, /* client_secret has no meaning (Apple) */
};

struct usher_provider {
    size_t size;
    uint32_t magic;
    uint16_t abi_major, abi_minor;
    const char *name;    /* equals the file name: "discord" for discord.so */
    const char *label;   /* "Discord" */
    const char *version; /* of the plugin */
    const char *home;    /* where an admin registers an application, https URL or NULL */
    const char *steps;   /* what to click there, a paragraph; `{callback}` is the URL to register */
    uint32_t flags;      /* enum usher_provider_flag */
    const char *scopes;  /* default, space separated */
    const char *const *origins; /* NULL-ended: where secrets may go, besides ORIGIN settings */
    const struct usher_setting *settings;
    size_t n_settings;
    size_t config_size; /* 0 if there are no settings */
    size_t leg_size;
    /* Rules between settings: NULL if they are fine, else one sentence that says what to change.
     * May be NULL. Only alloc, text and setting of the host table may be called. */
    const char *(*check)(struct usher_call *);
    void (*step)(struct usher_call *, const struct usher_event *, struct usher_action *);
};

#define USHER_PROVIDER_SYMBOL "usher_provider"
#define USHER_PROVIDER_HEAD                                                                        \
    .size = sizeof(struct usher_provider), .magic = USHER_ABI_MAGIC, .abi_major = USHER_ABI_MAJOR, \
    .abi_minor = USHER_ABI_MINOR

#endif
