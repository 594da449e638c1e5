/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/provider_draft.h"

#include "provider/describe.h"
#include "provider/load.h"

#define SECRET_MAX ((size_t)64 * 1024)

const struct draft_kind provider_draft_kind = {
    .of = &registry_kind, .table = SETTINGS_PROVIDER, .text_max = JSON_SIZE_MAX, .depth = 2};

void provider_draft_begin(struct op *op)
{
    struct provider_draft *d = arena_alloc(op->arena, sizeof *d);
    d->base.kind = &provider_draft_kind;
    d->options = live_draft_options(op->admin->o.live, &d->base.hold);
    op->more = d;
}

void provider_draft_drop(struct op *op)
{
    struct provider_draft *d = op->more;
    if (!d)
        return;
    for (size_t i = 0; i < d->n_secrets; i++)
        secret_free(&d->secrets[i].secret);
    registry_free(&d->registry);
    draft_free(&d->base);
}

/* ---- what is there ----------------------------------------------------------------------------
 */

static struct draft_secret *secret_at(struct provider_draft *d, const char *key,
                                      enum secret_slot slot)
{
    for (size_t i = 0; i < d->n_secrets; i++)
        if (d->secrets[i].slot == slot && strcmp(d->secrets[i].key, key) == 0)
            return &d->secrets[i];
    return NULL;
}

static struct draft_secret *secret_new_at(struct provider_draft *d, const char *key,
                                          enum secret_slot slot)
{
    struct draft_secret *s = secret_at(d, key, slot);
    if (s || d->n_secrets == DRAFT_SECRETS_MAX)
        return s;
    s = &d->secrets[d->n_secrets++];
    *s = (struct draft_secret){.key = key, .slot = slot};
    return s;
}

static int take_secret(void *arg, const struct provider_secret_row *row, struct err *err)
{
    struct op *op = arg;
    struct err why = ERR_INIT; /* one that does not open is judged as missing bytes */
    struct draft_secret *s = secret_new_at(op->more, arena_dup(op->arena, row->key), row->slot);
    if (!s)
        return err_set(err, ERR_LIMITED, "this provider has too many secrets");
    s->created = row->created;
    s->expires = row->expires;
    s->secret = provider_secret_open(op->admin->o.keys, row, &why);
    return 0;
}

static int read_stored(struct db *db, struct op *op, struct err *err)
{
    struct provider_draft *d = op->more;
    for (size_t i = 0; i < d->n_secrets; i++)
        secret_free(&d->secrets[i].secret);
    d->n_secrets = 0;
    return draft_read(db, op, err) < 0 ? -1
                                       : provider_secret_each(db, op->object, take_secret, op, err);
}

int provider_writable(const struct op *op, const char *id, struct err *err)
{
    const struct provider *p = registry_find(op->registry, id);
    if (!p || p->from_row)
        return 0;
    if (strcmp(p->source, "environment") == 0)
        return err_set(err, ERR_CONFLICT, "provider %s is made by the environment: change it there",
                       id);
    return err_set(err, ERR_CONFLICT, "provider %s is made by %s: edit that file", id, p->source);
}

/* ---- values ------------------------------------------------------------------------------------
 */

/* Lines are fine, as in a PEM file; other control characters are a slip of the clipboard. */
static bool secret_plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if (((unsigned char)*c < 0x20 && *c != '\n' && *c != '\r' && *c != '\t') || *c == 0x7f)
            return false;
    return true;
}

struct secret *provider_secret_of(struct op *op, const char *field, const struct jval *v,
                                  struct err *err)
{
    const char *text = jval_text(v);
    size_t n = text ? strlen(text) : 0;
    if (n > 0 && text[n - 1] == '\n') /* as with files */
        n -= n > 1 && text[n - 2] == '\r' ? 2 : 1;
    if (n == 0)
        (void)op_field(op, err, field, "must be a text that is not empty");
    else if (n > SECRET_MAX)
        (void)op_field(op, err, field, "is too long for a secret");
    else if (!secret_plain(text))
        (void)op_field(op, err, field, "holds a control character");
    else
        return secret_new(text, n);
    return NULL;
}

/* ---- merging ------------------------------------------------------------------------------------
 */

static const struct usher_setting *row_of(const struct usher_provider *p, const char *key)
{
    for (size_t i = 0; i < provider_common_n; i++)
        if (strcmp(provider_common_settings[i].key, key) == 0)
            return &provider_common_settings[i];
    for (size_t i = 0; i < p->n_settings; i++)
        if (strcmp(p->settings[i].key, key) == 0)
            return &p->settings[i];
    return NULL;
}

static int take_given(struct op *op, const char *key, const struct jval *v, struct err *err)
{
    struct provider_draft *d = op->more;
    if (strcmp(key, "client_secret_next") == 0)
        return op_field(op, err, key, "the next secret is set by rotating it");
    const bool unset = jval_type(v) == JVAL_NULL;
    struct secret *secret = unset ? NULL : provider_secret_of(op, key, v, err);
    if (!unset && !secret)
        return -1;
    struct draft_secret *s = secret_new_at(d, arena_dup(op->arena, key), SLOT_ACTIVE);
    if (!s) {
        secret_free(&secret);
        return op_field(op, err, key, "is one secret too many");
    }
    secret_free(&s->secret);
    *s = (struct draft_secret){.key = s->key,
                               .slot = SLOT_ACTIVE,
                               .secret = secret,
                               .created = op->now,
                               .given = !unset,
                               .gone = unset};
    return 0;
}

static int take_setting(struct op *op, const struct usher_provider *plugin, const char *key,
                        const struct jval *v, struct err *err)
{
    const struct usher_setting *row = row_of(plugin, key);
    if (row && row->type == USHER_SECRET)
        return take_given(op, key, v, err);
    return draft_take(op, key, v, err);
}

/* Whose table the keys are judged by. */
static const struct usher_provider *plugin_of(struct op *op, enum draft_mode mode, struct err *err)
{
    const struct provider_draft *d = op->more;
    const struct jval *asked = jval_get(op_get(op, "settings"), "plugin");
    const char *name = jval_text(asked);
    if (!name && mode == DRAFT_EDIT && jval_type(asked) != JVAL_NULL)
        name = jval_text(jval_get(d->base.settings, "plugin"));
    name = name && *name ? name : op->object;
    struct err why = ERR_INIT;
    const struct usher_provider *p =
        plugin_name_valid(name) ? plugin_load(d->options.plugin_dir, name, &why) : NULL;
    if (!p)
        (void)op_field(op, err, "plugin", "%s",
                       why.kind ? why.text : "a plugin's name is of a-z, 0-9, '-' and '_'");
    return p;
}

static int merge(struct op *op, enum draft_mode mode, struct err *err)
{
    const struct jval *given = op_get(op, "settings"), *v;
    const char *key;
    void *iter = NULL;
    int rc = 0;
    draft_open(op, mode);
    const struct usher_provider *plugin = plugin_of(op, mode, err);
    if (!plugin)
        return -1;
    while (jval_next(given, &iter, &key, &v))
        rc |= take_setting(op, plugin, key, v, err);
    return rc;
}

/* ---- judging -----------------------------------------------------------------------------------
 */

static void faults(struct op *op, const struct conf_problems *problems, struct err *err)
{
    for (size_t i = 0; i < conf_problems_n(problems); i++) {
        const struct conf_fault *f = conf_problems_at(problems, i);
        const char *key = f->key ? f->key : "settings";
        err_set(err, ERR_MISCONFIGURED, "%s: %s", key, f->text);
        (void)op_field(op, err, key, "%s", f->text);
    }
}

static int judge(struct op *op, struct err *err)
{
    struct provider_draft *d = op->more;
    struct provider_secret_in secrets[DRAFT_SECRETS_MAX];
    struct conf_pair *pairs =
        arena_alloc(op->arena, (jval_count(d->base.settings) + 1) * sizeof *pairs);
    struct provider_source source = {.id = op->object, .settings = pairs, .secrets = secrets};
    struct conf_problems problems;
    const struct jval *v;
    void *iter = NULL;
    const char *key;
    while (jval_next(d->base.settings, &iter, &key, &v))
        pairs[source.n++] = (struct conf_pair){key, jval_text(v)};
    for (size_t i = 0; i < d->n_secrets; i++) {
        const struct draft_secret *s = &d->secrets[i];
        if (!s->gone)
            secrets[source.n_secrets++] = (struct provider_secret_in){
                s->key, (int)s->slot, s->secret, s->created, s->expires};
    }
    conf_problems_init(&problems);
    d->registry = registry_draft(&d->options, &source, &problems);
    faults(op, &problems, err);
    if (problems.n > 0)
        err_set(err, ERR_MISCONFIGURED, "the settings are wrong");
    conf_problems_deinit(&problems);
    return err->kind == ERR_NONE ? 0 : -1;
}

static bool in_list(const char *const *list, const char *text)
{
    for (; list && *list; list++)
        if (strcmp(*list, text) == 0)
            return true;
    return false;
}

static bool same_list(const char *const *a, const char *const *b)
{
    for (const char *const *x = a; x && *x; x++)
        if (!in_list(b, *x))
            return false;
    for (const char *const *x = b; x && *x; x++)
        if (!in_list(a, *x))
            return false;
    return true;
}

/* Whose word on identities counts: the plugin, and the origins it may talk to. */
static bool same_upstream(const struct provider *was, const struct provider *becomes)
{
    return was->plugin && becomes->plugin &&
           strcmp(was->plugin->name, becomes->plugin->name) == 0 &&
           same_list(was->origins, becomes->origins);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whose word counts for who the upstream is, and where its names may lead. */
static bool same_way(const struct provider *was, const struct provider *becomes)
{
    return same_text(was->common.ca_file, becomes->common.ca_file) &&
           same_list(was->common.allow_private, becomes->common.allow_private) &&
           same_list(was->insecure, becomes->insecure);
}

static bool gives_secrets(const struct provider_draft *d)
{
    for (size_t i = 0; i < d->n_secrets; i++)
        if (d->secrets[i].given || d->secrets[i].gone)
            return true;
    return false;
}

static int judge_scope(const struct op *op, struct err *err)
{
    const struct provider_draft *d = op->more;
    if (op->actor.scopes & ADMIN_SECRETS)
        return 0;
    if (gives_secrets(d))
        return err_set(err, ERR_NOT_ALLOWED, "your rights do not reach as far as secrets");
    /* Else whoever may change an address could have the secret sent to it. */
    if ((d->other_upstream || d->other_way) && d->n_secrets > 0)
        return err_set(err, ERR_NOT_ALLOWED,
                       "another upstream, or whoever is taken for it, would be given the stored "
                       "secrets, and your rights do not reach as far as those");
    return 0;
}

int provider_draft_make(struct op *op, enum draft_mode mode, struct err *err)
{
    struct provider_draft *d = op->more;
    if (draft_judge_id(op, mode, err) < 0 || provider_writable(op, op->object, err) < 0 ||
        op_read(op, read_stored, err) < 0 ||
        draft_judge_mode(op, mode, registry_count(op->registry), err) < 0 ||
        merge(op, mode, err) < 0 || judge(op, err) < 0)
        return -1;
    const struct provider *was = registry_find(op->registry, op->object);
    d->other_upstream = !was || !same_upstream(was, registry_at(d->registry, 0));
    d->other_way = !was || !same_way(was, registry_at(d->registry, 0));
    return judge_scope(op, err);
}

/* ---- keeping ------------------------------------------------------------------------------------
 */

static int keep_one(struct db *db, struct op *op, const struct draft_secret *s, struct err *err)
{
    struct provider_secret_row row = {.provider = op->object,
                                      .key = s->key,
                                      .slot = s->slot,
                                      .created = s->created,
                                      .expires = s->expires};
    struct buf sealed;
    if (s->gone)
        return provider_secret_drop(db, &row, err) < 0 ? -1 : 0;
    buf_init(&sealed, 2 * SECRET_MAX);
    provider_secret_seal(op->admin->o.keys, &row, s->secret, &sealed);
    row.sealed = buf_view(&sealed);
    int rc = provider_secret_put(db, &row, err);
    buf_deinit(&sealed);
    return rc;
}

int provider_draft_keep_secrets(struct db *db, struct op *op, struct err *err)
{
    const struct provider_draft *d = op->more;
    for (size_t i = 0; i < d->n_secrets; i++)
        if ((d->secrets[i].given || d->secrets[i].gone) &&
            keep_one(db, op, &d->secrets[i], err) < 0)
            return -1;
    return 0;
}

struct jval *provider_draft_became(const struct op *op)
{
    const struct provider_draft *d = op->more;
    struct jval *o = jval_new_object(), *secrets = jval_new_object();
    jval_set(o, "settings", jval_ref(d->base.settings));
    for (size_t i = 0; i < d->n_secrets; i++)
        if (d->secrets[i].given || d->secrets[i].gone)
            jval_set_text(secrets, d->secrets[i].key, d->secrets[i].gone ? "removed" : "changed");
    jval_set(o, "secrets", secrets);
    return o;
}
