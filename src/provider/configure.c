/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/configure.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/url.h"
#include "provider/host.h"
#include "provider/load.h"
#include "provider/schema.h"

#define ID_MAX 32
#define CHECK_MEMORY 65536
#define ORIGINS_MAX 32

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
};
const size_t provider_common_n = sizeof provider_common_settings / sizeof *provider_common_settings;

bool provider_id_valid(struct str id)
{
    if (id.n == 0 || id.n > ID_MAX || id.p[0] == '-' || id.p[id.n - 1] == '-')
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (!((id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= '0' && id.p[i] <= '9') ||
              id.p[i] == '-'))
            return false;
    return true;
}

const char *provider_env_prefix(const char *id, struct arena *a)
{
    char *prefix = arena_printf(a, "USHER_PROVIDER_%s", id);
    for (char *c = prefix + strlen("USHER_PROVIDER_"); *c; c++)
        *c = *c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    return prefix;
}

/* ---- what one provider is configured from --------------------------------------------------- */

struct maker {
    struct provider *p;
    const struct configure_args *args;
    struct conf_file *file; /* NULL: environment only */
    struct conf_problems *problems;
    struct arena *a;
    const char *env_prefix;
    void *config;
};

/* Needed before any table is known. */
static const char *early(const struct maker *m, const char *env, const char *key)
{
    const char *value = getenv(arena_printf(m->a, "%s_%s", m->env_prefix, env));
    int line;
    if (!value && m->file)
        value = conf_file_get(m->file, "", key, &line);
    return value && *value ? value : NULL;
}

static int line_of(const struct maker *m, const char *key)
{
    int line = 0;
    if (m->file && !conf_file_get(m->file, "", key, &line))
        line = 0;
    return line;
}

#define problem(m, line, ...) conf_problem((m)->problems, (m)->p->source, (line), __VA_ARGS__)

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
    problem(m, line_of(m, "plugin"), "%s", err.text);
    const char *label = early(m, "LABEL", "label");
    m->p->label = label ? arena_dup(m->a, label) : m->args->id;
    return false;
}

/* `guild =` is as good as no guild: to a plugin, and to us, what is unset is NULL. */
static void drop_empty(const struct usher_setting *rows, size_t n, void *config)
{
    for (size_t i = 0; i < n; i++) {
        const char *text = rows[i].type == USHER_TEXT ? schema_text(&rows[i], config) : NULL;
        if (text && !*text)
            memset((char *)config + rows[i].offset, 0, sizeof text);
    }
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
    conf_apply(m->file, tables, plugin->n_settings ? 2 : 1, m->a, secrets, m->problems);
    drop_empty(provider_common_settings, provider_common_n, &m->p->common);
    drop_empty(plugin->settings, plugin->n_settings, m->config);
    if (!m->p->common.plugin)
        m->p->common.plugin = m->args->id;
    m->p->label = m->p->common.label ? m->p->common.label : plugin->label;
    m->p->plugin_label = plugin->label;
}

/* ---- what lies between settings ------------------------------------------------------------- */

static void check_credentials(struct maker *m)
{
    const struct provider *p = m->p;
    const char *where = m->file ? conf_file_name(m->file) : "the environment";
    uint32_t flags = p->plugin->flags;
    if (!p->common.client_id)
        problem(m, 0,
                "client_id is not set: register an application%s%s, then set client_id in %s or "
                "%s_CLIENT_ID",
                p->plugin->home ? " at " : "", p->plugin->home ? p->plugin->home : "", where,
                m->env_prefix);
    else if (!text_printable(str_of(p->common.client_id)) || strlen(p->common.client_id) > 255)
        problem(m, line_of(m, "client_id"),
                "client_id is no client id: it holds blanks or other odd bytes");
    if ((flags & USHER_NO_CLIENT_SECRET) && p->common.client_secret.set)
        problem(m, line_of(m, "client_secret"),
                "client_secret has no meaning for plugin %s: remove it", p->plugin->name);
    if (!(flags & (USHER_NO_CLIENT_SECRET | USHER_PUBLIC_CLIENT)) && !p->common.client_secret.set)
        problem(m, 0, "client_secret is not set: set client_secret_file in %s or %s_CLIENT_SECRET",
                where, m->env_prefix);
}

static void check_common(struct maker *m)
{
    const struct provider_common *c = &m->p->common;
    for (size_t i = 0; c->scopes && c->scopes[i]; i++)
        if (!schema_scopes_valid(c->scopes[i]))
            problem(m, line_of(m, "scopes"), "scopes: \"%.60s\" is no scope", c->scopes[i]);
    for (size_t i = 0; c->allow_private && c->allow_private[i]; i++)
        if (!url_host_valid(str_of(c->allow_private[i])))
            problem(m, line_of(m, "allow_private"), "allow_private: \"%.100s\" is no host name",
                    c->allow_private[i]);
    if (c->user_agent && !text_utf8(str_of(c->user_agent)))
        problem(m, line_of(m, "user_agent"), "user_agent holds odd bytes");
    char clean[61];
    if (text_display(str_of(m->p->label), clean, 60) != strlen(m->p->label))
        problem(m, line_of(m, "label"), "label: at most 60 bytes of plain text");
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
            problem(m, line_of(m, row->key), "%s %s", row->key, err.text);
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
        problem(m, 0, "%s", clean);
    else if (said)
        problem(m, 0, "plugin %s is not content with its settings", m->p->plugin->name);
}

/* The first problem since `from`, without "file:line: ". */
static const char *reason_since(const struct maker *m, size_t from)
{
    const char *line = m->problems->text.p + from;
    size_t n = strcspn(line, "\n");
    return n ? arena_dupn(m->a, line, n) : "its settings are wrong";
}

/* false: there should be a file, and nothing of it could be read. */
static bool read_file(struct maker *m)
{
    const struct configure_args *args = m->args;
    if (args->text.p) {
        m->p->source = arena_printf(m->a, "%s.conf", args->id);
        m->file = conf_file_text(m->p->source, args->text, true, m->problems);
    } else if (args->path) {
        m->p->source = arena_dup(m->a, args->path);
        m->file = conf_file_read(args->path, true, m->problems);
    } else {
        m->p->source = "environment";
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
    check_credentials(m);
    check_common(m);
    check_urls(m);
    note_insecure(m);
    if (m->problems->n == before)
        ask_plugin(m);
}

void provider_configure(struct provider *p, const struct configure_args *args,
                        struct conf_problems *problems)
{
    struct maker m = {.p = p, .args = args, .problems = problems, .a = args->arena};
    unsigned before = problems->n;
    size_t from = problems->text.n;
    m.env_prefix = provider_env_prefix(args->id, m.a);
    p->id = p->label = args->id;
    p->allow_http_loopback = args->options->allow_http_loopback;
    p->common.enabled = true;
    configure(&m);
    conf_file_free(&m.file);
    p->usable = problems->n == before && p->common.enabled;
    if (problems->n != before)
        p->reason = reason_since(&m, from);
    else if (!p->common.enabled)
        p->reason = "switched off by `enabled`";
}
