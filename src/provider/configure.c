/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/configure.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/url.h"
#include "provider/host.h"
#include "provider/load.h"
#include "provider/schema.h"
#include "sys/jose.h"

#define CHECK_MEMORY 65536
#define ORIGINS_MAX 32
#define RECHECK_MIN 60

static const char *const pkce_choices[] = {"auto", "on", "off", NULL};
static const char *const link_choices[] = {"never", "ask", "verified", NULL};

const struct usher_setting provider_common_settings[] = {
    USHER_SET_TEXT(struct provider_common, plugin, .label = "Plugin", .flags = USHER_ADVANCED,
                   .help = "Which plugin speaks to this provider. Default: the provider's own id."),
    USHER_SET_TEXT(struct provider_common, label, .label = "Label",
                   .help = "What people see on the button. Default: the plugin's."),
    USHER_SET_BOOL(struct provider_common, enabled, .label = "Enabled", .value = "true",
                   .help = "Off: nobody can sign in with it; accounts stay."),
    USHER_SET_TEXT(struct provider_common, client_id, .label = "Client ID",
                   .help = "From the provider's developer pages."),
    USHER_SET_SECRET(
        struct provider_common, client_secret, .label = "Client secret",
        .help = "From the same place. Better in a file (client_secret_file) or the environment."),
    USHER_SET_SECRET(struct provider_common, client_secret_next, .label = "Next client secret",
                     .flags = USHER_ADVANCED,
                     .help = "Takes over by itself as soon as the provider no longer accepts "
                             "client_secret, so that a secret is replaced without an outage."),
    USHER_SET_LIST(struct provider_common, scopes, .label = "Scopes", .flags = USHER_ADVANCED,
                   .help = "What to ask for. Default: the plugin's."),
    USHER_SET_CHOICE(struct provider_common, pkce, .label = "PKCE", .flags = USHER_ADVANCED,
                     .value = "auto", .choices = pkce_choices,
                     .help = "Protects the code on its way back. Switch it off only for a provider "
                             "that refuses it."),
    USHER_SET_CHOICE(
        struct provider_common, link, .label = "Linking", .flags = USHER_ADVANCED, .value = "ask",
        .choices = link_choices,
        .help =
            "Whether a new identity may join an existing account: never, after signing in to it, "
            "or also by an e-mail address that both sides verified."),
    USHER_SET_LIST(struct provider_common, allow_private, .label = "Private hosts",
                   .flags = USHER_ADVANCED,
                   .help = "Hosts of this provider that may have private addresses.",
                   .example = "idp.internal"),
    USHER_SET_TEXT(
        struct provider_common, ca_file, .label = "CA file", .flags = USHER_ADVANCED,
        .help = "PEM file of certificate authorities for this provider. Default: the system's."),
    USHER_SET_DURATION(struct provider_common, timeout, .label = "Time-out",
                       .flags = USHER_ADVANCED, .value = "10s", .min = 1, .max = 60,
                       .help = "For one request to the provider."),
    USHER_SET_TEXT(struct provider_common, user_agent, .label = "User-Agent",
                   .flags = USHER_ADVANCED,
                   .help = "How usher introduces itself to the provider. Default: usher/VERSION, "
                           "or the plugin's."),
    USHER_SET_BOOL(struct provider_common, keep_tokens, .label = "Keep tokens",
                   .flags = USHER_ADVANCED, .value = "false",
                   .help =
                       "Keep the provider's access and refresh tokens, sealed, so that apps may "
                       "ask for them and people can be checked again."),
    USHER_SET_DURATION(struct provider_common, recheck, .label = "Check again",
                       .flags = USHER_ADVANCED, .value = "0", .max = 30LL * 86400,
                       .help =
                           "How often the provider is asked whether somebody who is signed in "
                           "is still who they were and may still sign in; their sessions end "
                           "when not, and their groups follow. Needs keep_tokens, and a refresh "
                           "token unless access tokens live as long as sessions. 0: never.",
                       .example = "15m"),
};
const size_t provider_common_n = sizeof provider_common_settings / sizeof *provider_common_settings;

/* ---- what one provider is configured from --------------------------------------------------- */

struct maker {
    struct provider *p;
    const struct configure_args *args;
    struct conf_file *file; /* NULL: environment only */
    bool gone;              /* the file, since it was listed */
    const char *where;      /* what problems name: the source, or the provider for a row */
    struct conf_problems *problems;
    struct arena *a;
    const char *env_prefix;
    void *config;
};

/* Needed before any table is known. */
static const char *early(const struct maker *m, const char *env, const char *key)
{
    const char *name = arena_printf(m->a, "%s_%s", m->env_prefix, env);
    const char *value = m->args->row ? NULL : conf_env_get(m->args->options->env, name);
    int line;
    if (!value && m->file)
        value = conf_file_get(m->file, "", key, &line);
    return value && *value ? value : NULL;
}

static int line_of(const struct maker *m, const char *key)
{
    int line = 0;
    if (key && m->file && !conf_file_get(m->file, "", key, &line))
        line = 0;
    return line;
}

/* About a setting, by its key; NULL: about more than one. */
#define problem(m, key, ...)                                                                       \
    conf_problem_key((m)->problems, (m)->where, line_of((m), (key)), (key), __VA_ARGS__)

static const struct usher_provider *take_plugin(struct maker *m, const char *name, struct err *err)
{
    const struct registry_options *o = m->args->options;
    for (size_t i = 0; o->builtin && o->builtin[i]; i++) {
        struct usher_provider *copy = arena_alloc(m->a, sizeof *copy);
        if (strcmp(o->builtin[i]->name, name) == 0)
            return plugin_check(o->builtin[i], name, m->a, copy, err) == 0 ? copy : NULL;
    }
    return plugin_load(o->plugin_dir, name, err);
}

static bool find_plugin(struct maker *m)
{
    struct err err = ERR_INIT;
    const char *name = early(m, "PLUGIN", "plugin");
    m->p->common.plugin = name ? arena_dup(m->a, name) : m->args->id;
    m->p->plugin = take_plugin(m, m->p->common.plugin, &err);
    if (m->p->plugin)
        return true;
    problem(m, "plugin", "%s", err.text);
    const char *label = early(m, "LABEL", "label");
    m->p->label = label ? arena_dup(m->a, label) : m->args->id;
    return false;
}

/* ---- secrets and their slots ----------------------------------------------------------------- */

static const char *const slot_suffix[PROVIDER_SLOTS] = {"", "_next", "_retiring"};

const struct secret *provider_secret(const struct provider *p, const char *key,
                                     enum provider_slot slot)
{
    char name[96];
    const int n = snprintf(name, sizeof name, "%s%s", key, slot_suffix[slot]);
    return p->secrets && n > 0 && n < (int)sizeof name ? conf_secrets_get(p->secrets, name) : NULL;
}

static const struct provider_slots no_slots;

static bool has_secret_row(const struct usher_setting *rows, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].type == USHER_SECRET && strcmp(rows[i].key, key) == 0)
            return true;
    return false;
}

static bool secret_fits(struct maker *m, const struct provider_secret_in *s)
{
    const struct usher_provider *plugin = m->p->plugin;
    if (s->slot < 0 || s->slot >= PROVIDER_SLOTS)
        problem(m, s->key, "%.60s: there is no such slot", s->key);
    else if (!has_secret_row(provider_common_settings, provider_common_n, s->key) &&
             !has_secret_row(plugin->settings, plugin->n_settings, s->key))
        problem(m, s->key, "%.60s: plugin %s has no such secret", s->key, plugin->name);
    else if (!s->secret)
        problem(m, s->key, "%s%s cannot be opened with the keys of the key file: set it again",
                s->key, slot_suffix[s->slot]);
    else
        return true;
    return false;
}

/* A row's secrets: those that are settings to conf, the others at their place right away. */
static void row_secrets(struct maker *m, struct conf_secrets *secrets, struct conf_source *from)
{
    const struct provider_source *row = m->args->row;
    struct conf_given *given = arena_alloc(m->a, (row->n_secrets + 1) * sizeof *given);
    from->secrets = given;
    for (size_t i = 0; i < row->n_secrets; i++) {
        const struct provider_secret_in *s = &row->secrets[i];
        if (!secret_fits(m, s))
            continue;
        const char *name = arena_printf(m->a, "%s%s", s->key, slot_suffix[s->slot]);
        if (has_secret_row(provider_common_settings, provider_common_n, name) || s->slot == 0)
            given[from->n_secrets++] = (struct conf_given){name, s->secret};
        else
            conf_secrets_set(secrets, name, secret_dup(s->secret));
    }
}

/* A secret that is a JWT, as Apple's are, says itself when it ends (RFC 7519 section 4.1.4). */
static int64_t told_expiry(const struct secret *secret)
{
    struct err no_jwt = ERR_INIT;
    struct jws j;
    int64_t at = 0;
    if (!secret || jws_decode(secret_reveal(secret), &j, &no_jwt) != 0)
        return 0;
    if (!jval_int(jval_get(j.payload, "exp"), &at) || at < 0)
        at = 0;
    jws_deinit(&j);
    return at;
}

static void note_slots(struct maker *m)
{
    struct provider_slots *slots = arena_alloc(m->a, sizeof *slots);
    const struct provider_source *row = m->args->row;
    for (int i = 0; i < PROVIDER_SLOTS; i++)
        slots->v[i].set = provider_secret(m->p, "client_secret", (enum provider_slot)i) != NULL;
    for (size_t i = 0; row && i < row->n_secrets; i++) {
        const struct provider_secret_in *s = &row->secrets[i];
        if (strcmp(s->key, "client_secret") != 0 || s->slot < 0 || s->slot >= PROVIDER_SLOTS)
            continue;
        slots->v[s->slot].created = s->created;
        slots->v[s->slot].expires = s->expires;
    }
    for (int i = 0; i < PROVIDER_SLOTS; i++)
        if (slots->v[i].set && slots->v[i].expires == 0)
            slots->v[i].expires =
                told_expiry(provider_secret(m->p, "client_secret", (enum provider_slot)i));
    m->p->slots = slots;
}

static void apply_tables(struct maker *m)
{
    const struct usher_provider *plugin = m->p->plugin;
    m->config = plugin->config_size ? arena_alloc(m->a, plugin->config_size) : NULL;
    m->p->config = m->config;
    struct conf_secrets *secrets = conf_secrets_new();
    m->p->secrets = secrets;
    const struct conf_table tables[] = {
        {.section = "",
         .env_prefix = m->env_prefix,
         .rows = provider_common_settings,
         .n = provider_common_n,
         .config = &m->p->common},
        {.section = "",
         .env_prefix = m->env_prefix,
         .rows = plugin->settings,
         .n = plugin->n_settings,
         .config = m->config},
    };
    struct conf_source from = {.file = m->file, .env = m->args->options->env};
    if (m->args->row)
        row_secrets(m, secrets, &from);
    conf_apply(&from, tables, plugin->n_settings ? 2 : 1, m->a, secrets, m->problems);
    conf_drop_empty(provider_common_settings, provider_common_n, &m->p->common);
    conf_drop_empty(plugin->settings, plugin->n_settings, m->config);
    if (!m->p->common.plugin)
        m->p->common.plugin = m->args->id;
    m->p->label = m->p->common.label ? m->p->common.label : plugin->label;
    m->p->plugin_label = plugin->label;
}

/* ---- what lies between settings ------------------------------------------------------------- */

/* "client_id in /etc/usher/providers.d/x.conf or USHER_PROVIDER_X_CLIENT_ID" */
static const char *how_to_set(const struct maker *m, const char *key, const char *variable)
{
    if (m->args->row)
        return "it";
    return arena_printf(m->a, "%s in %s or %s_%s", key,
                        m->file ? conf_file_name(m->file) : "the environment", m->env_prefix,
                        variable);
}

static void check_credentials(struct maker *m)
{
    const struct provider *p = m->p;
    uint32_t flags = p->plugin->flags;
    if (!p->common.client_id)
        problem(m, "client_id", "client_id is not set: register an application%s%s, then set %s",
                p->plugin->home ? " at " : "", p->plugin->home ? p->plugin->home : "",
                how_to_set(m, "client_id", "CLIENT_ID"));
    else if (!text_printable(str_of(p->common.client_id)) || strlen(p->common.client_id) > 255)
        problem(m, "client_id", "client_id is no client id: it holds blanks or other odd bytes");
    if ((flags & USHER_NO_CLIENT_SECRET) && p->common.client_secret.set)
        problem(m, "client_secret", "client_secret has no meaning for plugin %s: remove it",
                p->plugin->name);
    if ((flags & USHER_NO_CLIENT_SECRET) && p->common.client_secret_next.set)
        problem(m, "client_secret_next",
                "client_secret_next has no meaning for plugin %s: remove it", p->plugin->name);
    if (!(flags & (USHER_NO_CLIENT_SECRET | USHER_PUBLIC_CLIENT)) && !p->common.client_secret.set)
        problem(m, "client_secret", "client_secret is not set: set %s",
                how_to_set(m, "client_secret_file", "CLIENT_SECRET"));
}

static void check_common(struct maker *m)
{
    const struct provider_common *c = &m->p->common;
    for (size_t i = 0; c->scopes && c->scopes[i]; i++)
        if (!schema_scopes_valid(c->scopes[i]))
            problem(m, "scopes", "scopes: \"%.60s\" is no scope", c->scopes[i]);
    for (size_t i = 0; c->allow_private && c->allow_private[i]; i++)
        if (!url_host_valid(str_of(c->allow_private[i])))
            problem(m, "allow_private", "allow_private: \"%.100s\" is no host name",
                    c->allow_private[i]);
    if (c->user_agent && !text_utf8(str_of(c->user_agent)))
        problem(m, "user_agent", "user_agent holds odd bytes");
    if (c->recheck > 0 && c->recheck < RECHECK_MIN)
        problem(m, "recheck", "recheck: at least %d seconds, or 0 for never", RECHECK_MIN);
    if (c->recheck > 0 && !c->keep_tokens)
        problem(m, "recheck", "recheck needs the provider's tokens: set keep_tokens = yes");
    if (c->recheck > 0 && m->p->plugin->abi_minor < 1)
        problem(m, "recheck",
                "plugin %s was built for an older usher and cannot check again: "
                "build it again, or set recheck = 0",
                m->p->plugin->name);
    char clean[61];
    if (text_display(str_of(m->p->label), clean, 60) != strlen(m->p->label))
        problem(m, "label", "label: at most 60 bytes of plain text");
}

static void add_origin(const char **list, const char *origin)
{
    size_t n = 0;
    for (; list[n]; n++)
        if (strcmp(list[n], origin) == 0)
            return;
    if (n < ORIGINS_MAX)
        list[n] = origin;
}

/* Every URL has a scheme that may be used; ORIGIN ones are where secrets may go. */
static void check_urls(struct maker *m)
{
    const struct usher_provider *plugin = m->p->plugin;
    const char **origins = arena_alloc(m->a, (ORIGINS_MAX + 1) * sizeof *origins);
    unsigned declared = 0, fake = 0;
    for (size_t i = 0; plugin->origins && plugin->origins[i]; i++)
        add_origin(origins, plugin->origins[i]);
    for (size_t i = 0; i < plugin->n_settings; i++) {
        const struct usher_setting *row = &plugin->settings[i];
        const char *url = row->type == USHER_URL ? schema_text(row, m->config) : NULL;
        const char *origin = NULL;
        bool loopback = false;
        struct err err = ERR_INIT;
        if (!url || !*url)
            continue;
        if (schema_url(url, m->args->options->allow_http_loopback, m->a, &origin, &loopback, &err) <
            0) {
            problem(m, row->key, "%s %s", row->key, err.text);
        } else if (row->flags & USHER_ORIGIN) {
            add_origin(origins, origin);
            declared++;
            fake += loopback;
        }
    }
    m->p->origins = origins;
    m->p->fake = declared > 0 && fake == declared;
}

static void note_insecure(struct maker *m)
{
    const struct usher_provider *plugin = m->p->plugin;
    const char **list = arena_alloc(m->a, (plugin->n_settings + 1) * sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < plugin->n_settings; i++) {
        const struct usher_setting *row = &plugin->settings[i];
        const char *now = row->flags & USHER_INSECURE ? conf_text(row, m->config, m->a) : NULL;
        if (now && *now && strcmp(now, row->value ? row->value : "") != 0)
            list[n++] = row->key;
    }
    m->p->insecure = list;
}

static void run_check(struct host *h, void *arg)
{
    const char **said = arg;
    *said = h->provider->plugin->check(&h->call);
}

static void ask_plugin(struct maker *m)
{
    struct host h;
    struct err err = ERR_INIT;
    const char *said = NULL;
    char clean[241];
    if (!m->p->plugin->check)
        return;
    host_init(&h, m->p, USHER_FLOW_LOGIN, m->a, CHECK_MEMORY);
    h.checking = true;
    if (host_run(&h, run_check, &said, &err) < 0)
        said = err.text;
    if (said && text_display((struct str){said, strnlen(said, 1024)}, clean, sizeof clean - 1))
        problem(m, NULL, "%s", clean);
    else if (said)
        problem(m, NULL, "plugin %s is not content with its settings", m->p->plugin->name);
}

/* Its variables alone would make the provider, too. */
static bool in_environment(const struct maker *m)
{
    const struct registry_options *o = m->args->options;
    return o->environment &&
           conf_env_get(o->env, arena_printf(m->a, "%s_CLIENT_ID", m->env_prefix)) != NULL;
}

/* false: there should be a file, and nothing of it could be read. */
static bool read_file(struct maker *m)
{
    const struct configure_args *args = m->args;
    m->p->source = m->where = args->row      ? "database"
                              : args->text.p ? arena_printf(m->a, "%s.conf", args->id)
                              : args->path   ? arena_dup(m->a, args->path)
                                             : "environment";
    if (args->row) {
        m->where = arena_printf(m->a, "provider %s", args->id);
        m->file = conf_file_pairs(m->where, args->row->settings, args->row->n, m->problems);
    } else if (args->text.p) {
        m->file = conf_file_text(m->where, args->text, CONF_BARE, m->problems);
    } else if (args->path) {
        m->file = conf_file_read_listed(args->path, CONF_BARE, &m->gone, m->problems);
        if (m->gone && in_environment(m)) {
            m->gone = false;
            m->p->source = m->where = "environment";
            return true;
        }
    } else {
        return true;
    }
    return m->file != NULL;
}

static void configure(struct maker *m)
{
    unsigned before = m->problems->n;
    if (!read_file(m) || !find_plugin(m))
        return;
    apply_tables(m);
    note_slots(m);
    check_credentials(m);
    check_common(m);
    check_urls(m);
    note_insecure(m);
    if (m->problems->n == before)
        ask_plugin(m);
}

bool provider_configure(struct provider *p, const struct configure_args *args,
                        struct conf_problems *problems)
{
    struct maker m = {.p = p, .args = args, .problems = problems, .a = args->arena};
    unsigned before = problems->n;
    size_t from = conf_problems_n(problems);
    m.env_prefix = conf_id_variables("USHER_PROVIDER_", args->id, m.a);
    p->id = p->label = args->id;
    p->allow_http_loopback = args->options->allow_http_loopback;
    p->common.enabled = true;
    p->slots = &no_slots;
    p->from_row = args->row != NULL;
    p->version = args->row ? args->row->version : 0;
    configure(&m);
    conf_file_free(&m.file);
    p->faulty = problems->n != before;
    p->usable = !p->faulty && p->common.enabled;
    if (p->faulty)
        p->reason = conf_problems_reason(problems, from, !args->row, m.a);
    else if (!p->common.enabled)
        p->reason = "switched off by `enabled`";
    return !m.gone;
}
