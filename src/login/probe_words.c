/* SPDX-License-Identifier: Apache-2.0 */
#include "login/probe_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "login/verify.h"

#define SKEW_WARN 15 /* seconds; a Date has whole ones, and answers take their time */

static void say(struct words *w, const char *check, const char *result, const char *text,
                const char *advice)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "check", check);
    jval_set_text(o, "result", result);
    jval_set_text(o, "text", text);
    jval_set_text(o, "advice", advice ? advice : "");
    jval_push(w->findings, o);
    w->failed = w->failed || strcmp(result, "fail") == 0;
}

static void ok(struct words *w, const char *check, const char *text)
{
    say(w, check, "ok", text, NULL);
}

static void fail(struct words *w, const char *check, const char *text, const char *advice)
{
    say(w, check, "fail", text, advice);
}

static void skipped(struct words *w, const char *check, const char *text)
{
    say(w, check, "skipped", text, NULL);
}

void words_init(struct words *w)
{
    *w = (struct words){.findings = jval_new_array()};
}

void words_deinit(struct words *w)
{
    jval_free(&w->findings);
}

struct jval *words_report(const struct words *w)
{
    struct jval *o = jval_new_object();
    jval_set_bool(o, "ok", !w->failed);
    jval_set(o, "findings", jval_ref(w->findings));
    return o;
}

/* ---- settings -------------------------------------------------------------------------------- */

bool words_settings(struct words *w, const struct provider *p)
{
    char text[300];
    if (!p->plugin || p->faulty) {
        fail(w, "settings", p->reason ? p->reason : "the settings are wrong",
             "Correct it and test again.");
        return false;
    }
    if (p->insecure && p->insecure[0]) {
        snprintf(text, sizeof text, "The setting `%.60s` weakens security.", p->insecure[0]);
        say(w, "settings", "warn", text, "Set it back unless the provider cannot do without.");
    } else if (!p->common.enabled) {
        say(w, "settings", "warn", "The settings are complete, but the provider is switched off.",
            "Switch it on with `enabled` when everything else is right.");
    } else {
        ok(w, "settings", "The settings are complete.");
    }
    return true;
}

/* ---- answers of every kind ------------------------------------------------------------------- */

static bool in_trouble(const struct trial_call *c)
{
    return c->status == 429 || c->status >= 500;
}

/* true: there was no answer to judge, and it has been said. */
static bool unanswered(struct words *w, const char *check, const char *what,
                       const struct trial_call *c)
{
    char text[400];
    if (c->transport == USHER_TRANSPORT_LIMITED) {
        snprintf(text, sizeof text, "%s could not be asked: the provider wants fewer requests.",
                 what);
        fail(w, check, text, "Wait some minutes and test again.");
    } else if (c->transport == USHER_TRANSPORT_REFUSED) {
        snprintf(text, sizeof text, "%s was not asked: usher does not talk to that address.", what);
        fail(w, check, text,
             "Check the address; if the provider is inside your own network, name its host in "
             "`allow_private`; if its certificate is your own, set `ca_file`.");
    } else if (c->transport != USHER_TRANSPORT_OK || !c->answered) {
        snprintf(text, sizeof text, "%s could not be asked: %.200s.", what,
                 c->problem ? c->problem : "there was no answer");
        fail(w, check, text,
             "Check the address, name resolution, certificates and the firewall between usher and "
             "the provider.");
    } else if (in_trouble(c)) {
        snprintf(text, sizeof text, "%s says that the provider is out of order or overloaded.",
                 what);
        fail(w, check, text, "Wait some minutes and test again.");
    } else {
        return false;
    }
    return true;
}

/* ---- discovery ------------------------------------------------------------------------------- */

void words_discovery(struct words *w, const struct trial_call *c, bool begun, enum err_kind kind)
{
    static const char check[] = "discovery";
    if (!c && begun)
        skipped(w, check, "The provider's addresses are fixed: there is nothing to discover.");
    else if (!c)
        fail(w, check, "No sign-in can be begun with these settings.",
             "Look at the addresses and scopes.");
    else if (unanswered(w, check, "The issuer's metadata", c))
        return;
    else if (c->status != 200)
        fail(w, check, "There is no metadata at the issuer's address.",
             "Check `issuer`: copy it exactly as the provider writes it.");
    else if (!c->json)
        fail(w, check, "What came back is no metadata but something else, perhaps a page.",
             "Check `issuer`, and whether a proxy or portal answers in the provider's place.");
    else if (!begun && kind == ERR_MISCONFIGURED)
        fail(w, check, "The metadata is of another issuer than the configured one.",
             "Copy `issuer` exactly as the provider writes it; mind a slash at the end.");
    else if (!begun)
        fail(w, check,
             "The metadata lacks an address that is needed, or has one that may not be "
             "used.",
             "Check `issuer`; set the addresses by hand if the provider's metadata is wrong.");
    else
        ok(w, check, "The issuer's metadata is there, and of the configured issuer.");
}

void words_discovery_unasked(struct words *w)
{
    skipped(w, "discovery", "Not tried: the settings come first.");
}

/* ---- keys ------------------------------------------------------------------------------------ */

void words_keys(struct words *w, const struct trial_call *c, size_t usable)
{
    static const char check[] = "keys";
    char text[100];
    if (unanswered(w, check, "The provider's key set", c))
        return;
    if (c->status != 200 || !c->json) {
        fail(w, check, "There is no key set at the address the provider names.",
             "Check `issuer` or `jwks_url`.");
    } else if (usable == 0) {
        fail(w, check, "The key set holds no key that usher accepts.",
             "The provider has to publish RSA keys of 2048 bits, EC or Ed25519 keys.");
    } else {
        snprintf(text, sizeof text, "The key set is there, with %zu usable key%s.", usable,
                 usable == 1 ? "" : "s");
        ok(w, check, text);
    }
}

void words_keys_unasked(struct words *w, bool expected)
{
    skipped(w, "keys",
            expected ? "Not tried: it comes after discovery."
                     : "The provider signs nothing that would need keys.");
}

/* ---- the token endpoint ---------------------------------------------------------------------- */

static bool judges_codes(const struct trial_call *c, enum err_kind kind)
{
    return strcmp(c->error, "invalid_grant") == 0 ||
           strcmp(c->error, "bad_verification_code") == 0 || (kind == ERR_EXPIRED && c->json);
}

void words_token(struct words *w, const struct trial_call *c, bool signed_in, enum err_kind kind,
                 const char *redirect_uri)
{
    static const char check[] = "token";
    char advice[400];
    if (!c) {
        fail(w, check, "The token endpoint was not asked: the plugin gave up before.",
             "Look at the settings.");
    } else if (c->client_refused) {
        fail(w, check, "The provider does not accept client_id with this client secret.",
             "Copy both once more from the provider's pages; mind blanks, and that an id of one "
             "application does not go with the secret of another. Secrets may have expired.");
    } else if (unanswered(w, check, "The token endpoint", c)) {
        return;
    } else if (c->mismatch) {
        snprintf(advice, sizeof advice, "Register exactly %.300s there.", redirect_uri);
        fail(w, check, "The provider does not know usher's callback URL.", advice);
    } else if (signed_in || (c->tokens && !*c->error && !c->error_other)) {
        fail(w, check, "The provider took a made-up code for a real one.",
             "Do not use it: anybody could sign in.");
    } else if (!c->json) {
        fail(w, check, "The token endpoint answered with something that is no JSON.",
             "Check the address of the token endpoint, and whether a proxy or portal answers in "
             "the provider's place.");
    } else if (strcmp(c->error, "unauthorized_client") == 0 ||
               strcmp(c->error, "unsupported_grant_type") == 0) {
        fail(w, check, "The provider does not allow this application to use authorization codes.",
             "Allow the authorization code grant (a web application) on the provider's pages.");
    } else if (judges_codes(c, kind)) {
        ok(w, check,
           "The provider knows client_id and the client secret: it let usher in and "
           "refused a made-up code.");
    } else {
        say(w, check, "warn",
            "The provider refused a made-up code, but not in the usual words: whether it knows "
            "client_id and the client secret is not certain.",
            "Rehearse a sign-in to be sure.");
    }
}

void words_token_unasked(struct words *w)
{
    skipped(w, "token", "Not tried: what comes before does not work yet.");
}

/* ---- clocks and the callback URL ------------------------------------------------------------- */

void words_clock(struct words *w, const struct trial *t)
{
    static const char check[] = "clock";
    int64_t worst = 0;
    bool known = false;
    char text[160];
    for (size_t i = 0; i < trial_count(t); i++) {
        const struct trial_call *c = trial_at(t, i);
        known = known || c->dated;
        if (c->dated && llabs(c->skew) > llabs(worst))
            worst = c->skew;
    }
    const int64_t off = llabs(worst);
    snprintf(text, sizeof text,
             "The provider's clock and this machine's are %" PRId64
             " seconds apart: this machine is %s.",
             off < 10000000 ? off : 10000000, worst > 0 ? "behind" : "ahead");
    if (!known)
        skipped(w, check, "No answer said what time it is at the provider.");
    else if (off > SKEW_WARN)
        say(w, check, off > VERIFY_SKEW ? "fail" : "warn", text,
            "Set this machine's clock by NTP; ID tokens carry times that are checked.");
    else
        ok(w, check, "The provider's clock and this machine's agree.");
}

void words_callback(struct words *w, const char *redirect_uri)
{
    char text[400];
    snprintf(text, sizeof text,
             "Cannot be proven without a browser. Exactly this has to be registered at the "
             "provider: %.300s",
             redirect_uri);
    say(w, "callback_url", "skipped", text, "Rehearse a sign-in to prove it.");
}
