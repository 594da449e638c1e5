/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout: numbers, sizes and offsets of all that crosses the plugin ABI, one line each. layout.sh
 * compares them with layout.txt: what is there may never change, only be added to at the end.
 */
#include <stdio.h>

#include "usher/provider.h"

#define S(t) printf("%s %zu\n", #t, sizeof(struct t));
#define C(n) printf("%s %d\n", #n, (int)(n));
#define M(t, m) printf("%s.%s %zu\n", #t, #m, offsetof(struct t, m));

static void events(void)
{
    S(usher_secret)
    M(usher_secret, set)
    S(usher_setting)
    M(usher_setting, size) M(usher_setting, type) M(usher_setting, flags) M(usher_setting, offset)
    M(usher_setting, key) M(usher_setting, value) M(usher_setting, label) M(usher_setting, help)
    M(usher_setting, example) M(usher_setting, choices) M(usher_setting, min)
    M(usher_setting, max)
    S(usher_param)
    M(usher_param, size) M(usher_param, name) M(usher_param, kind) M(usher_param, text)
    S(usher_field)
    M(usher_field, name) M(usher_field, value)
    S(usher_start)
    M(usher_start, size) M(usher_start, flow) M(usher_start, redirect_uri)
    M(usher_start, login_hint) M(usher_start, prompt) M(usher_start, locale)
    M(usher_start, max_age) M(usher_start, subject) M(usher_start, has_access_token)
    M(usher_start, has_refresh_token)
    S(usher_callback)
    M(usher_callback, size) M(usher_callback, fields) M(usher_callback, n_fields)
    M(usher_callback, carry)
    S(usher_tokens)
    M(usher_tokens, size) M(usher_tokens, ok) M(usher_tokens, status) M(usher_tokens, error)
    M(usher_tokens, scope) M(usher_tokens, expires_in) M(usher_tokens, has_refresh_token)
    M(usher_tokens, has_id_token) M(usher_tokens, other)
    S(usher_claims)
    M(usher_claims, size) M(usher_claims, claims)
}

static void actions(void)
{
    S(usher_response)
    M(usher_response, size) M(usher_response, transport) M(usher_response, status)
    M(usher_response, content_type) M(usher_response, headers) M(usher_response, n_headers)
    M(usher_response, body) M(usher_response, body_len) M(usher_response, json)
    M(usher_response, retry_after)
    S(usher_event)
    M(usher_event, size) M(usher_event, kind) M(usher_event, start) M(usher_event, callback)
    M(usher_event, tokens) M(usher_event, claims) M(usher_event, responses)
    M(usher_event, n_responses)
    S(usher_request)
    M(usher_request, size) M(usher_request, url) M(usher_request, headers)
    M(usher_request, n_headers) M(usher_request, form) M(usher_request, n_form)
    M(usher_request, flags) M(usher_request, cache_seconds) M(usher_request, metadata_issuer)
    S(usher_verify)
    M(usher_verify, size) M(usher_verify, issuers) M(usher_verify, jwks_uri)
    M(usher_verify, audience) M(usher_verify, algs) M(usher_verify, nonce)
    S(usher_identity)
    M(usher_identity, size) M(usher_identity, subject) M(usher_identity, email)
    M(usher_identity, email_evidence) M(usher_identity, username) M(usher_identity, name)
    M(usher_identity, picture) M(usher_identity, locale) M(usher_identity, groups)
    M(usher_identity, amr) M(usher_identity, auth_time)
    S(usher_action)
    M(usher_action, size) M(usher_action, kind) M(usher_action, url) M(usher_action, params)
    M(usher_action, n_params) M(usher_action, redirect_flags) M(usher_action, scope)
    M(usher_action, carry) M(usher_action, issuer) M(usher_action, client_auth)
    M(usher_action, exchange_flags) M(usher_action, headers) M(usher_action, n_headers)
    M(usher_action, requests) M(usher_action, n_requests) M(usher_action, verify)
    M(usher_action, identity) M(usher_action, fail) M(usher_action, fail_text)
    M(usher_action, fail_hint)
    S(usher_host)
    M(usher_host, size) M(usher_host, alloc) M(usher_host, text) M(usher_host, log)
    M(usher_host, json_text) M(usher_host, json_int) M(usher_host, json_bool)
    M(usher_host, json_type) M(usher_host, json_count) M(usher_host, json_at)
    M(usher_host, random) M(usher_host, now) M(usher_host, token_proof) M(usher_host, jws_sign)
    M(usher_host, setting)
    S(usher_call)
    M(usher_call, size) M(usher_call, host) M(usher_call, config) M(usher_call, leg)
    M(usher_call, flow)
    S(usher_provider)
    M(usher_provider, size) M(usher_provider, magic) M(usher_provider, abi_major)
    M(usher_provider, abi_minor) M(usher_provider, name) M(usher_provider, label)
    M(usher_provider, version) M(usher_provider, home) M(usher_provider, steps)
    M(usher_provider, flags) M(usher_provider, scopes) M(usher_provider, origins)
    M(usher_provider, settings) M(usher_provider, n_settings) M(usher_provider, config_size)
    M(usher_provider, leg_size) M(usher_provider, check) M(usher_provider, step)
}

static void constants_in(void)
{
    C(USHER_TEXT) C(USHER_URL) C(USHER_INT) C(USHER_BOOL) C(USHER_CHOICE) C(USHER_LIST)
    C(USHER_DURATION) C(USHER_SIZE) C(USHER_SECRET) C(USHER_REQUIRED) C(USHER_ORIGIN)
    C(USHER_ADVANCED) C(USHER_INSECURE) C(USHER_VALUE_TEXT) C(USHER_VALUE_SETTING)
    C(USHER_VALUE_ACCESS_TOKEN) C(USHER_FLOW_LOGIN) C(USHER_FLOW_LINK) C(USHER_FLOW_REFRESH)
    C(USHER_FLOW_RECHECK) C(USHER_FLOW_LOGOUT) C(USHER_START) C(USHER_CALLBACK) C(USHER_TOKENS)
    C(USHER_CLAIMS) C(USHER_RESPONSES) C(USHER_TRANSPORT_OK) C(USHER_TRANSPORT_TIMEOUT)
    C(USHER_TRANSPORT_UNREACHABLE) C(USHER_TRANSPORT_REFUSED) C(USHER_TRANSPORT_TOO_LARGE)
    C(USHER_TRANSPORT_BROKEN) C(USHER_TRANSPORT_LIMITED) C(USHER_REDIRECT) C(USHER_EXCHANGE)
    C(USHER_VERIFY) C(USHER_FETCH) C(USHER_DONE) C(USHER_FAIL)
}

static void constants_out(void)
{
    C(USHER_SEND_NONCE) C(USHER_SEND_PKCE) C(USHER_FORM_POST) C(USHER_ISS_ANNOUNCED)
    C(USHER_AUTH_BASIC) C(USHER_AUTH_POST) C(USHER_AUTH_NONE) C(USHER_AUTH_PARAMS)
    C(USHER_ANY_CONTENT_TYPE) C(USHER_FORM_ANSWER) C(USHER_ERROR_IN_OK) C(USHER_NONCE_REQUIRED)
    C(USHER_NONCE_IF_PRESENT) C(USHER_NONCE_SKIPPED) C(USHER_EVIDENCE_NONE)
    C(USHER_EVIDENCE_PROVIDER_ASSERTED) C(USHER_EVIDENCE_PRIMARY_VERIFIED)
    C(USHER_EVIDENCE_XMS_EDOV) C(USHER_EVIDENCE_AUTHORITATIVE) C(USHER_DENIED)
    C(USHER_NOT_ALLOWED) C(USHER_EXPIRED) C(USHER_MISCONFIGURED) C(USHER_UPSTREAM_DOWN)
    C(USHER_UPSTREAM_BAD) C(USHER_INTERNAL) C(USHER_LOG_DEBUG) C(USHER_LOG_INFO) C(USHER_LOG_WARN)
    C(USHER_JSON_NONE) C(USHER_JSON_NULL) C(USHER_JSON_BOOL) C(USHER_JSON_NUMBER)
    C(USHER_JSON_TEXT) C(USHER_JSON_ARRAY) C(USHER_JSON_OBJECT) C(USHER_PUBLIC_CLIENT)
    C(USHER_NO_CLIENT_SECRET)
}

int main(void)
{
    printf("abi %d.%d magic %x\n", USHER_ABI_MAJOR, USHER_ABI_MINOR, USHER_ABI_MAGIC);
    constants_in();
    constants_out();
    events();
    actions();
    return 0;
}
