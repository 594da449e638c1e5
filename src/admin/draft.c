/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/draft.h"

#include "admin/view.h"

#define VALUE_MAX ((size_t)8 * 1024)

void draft_free(struct draft *d)
{
    config_free(&d->hold);
    jval_free(&d->settings);
}

/* ---- what is there ----------------------------------------------------------------------------
 */

static bool makes(enum draft_mode mode)
{
    return mode == DRAFT_ADD || mode == DRAFT_TRY;
}

static int nothing(const struct draft *d, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no such %s", d->kind->of->noun);
}

int draft_judge_id(struct op *op, enum draft_mode mode, struct err *err)
{
    if (conf_id_valid(str_of(op->object)))
        return 0;
    if (!makes(mode))
        return nothing(op->more, err);
    return op_field(op, err, "id",
                    "at most 32 of a-z, 0-9 and '-', which does not stand at an end");
}

int draft_read(struct db *db, struct op *op, struct err *err)
{
    struct draft *d = op->more;
    const int rc = settings_row_get(db, d->kind->table, op->object, op->arena, &d->row, err);
    d->exists = rc == 1;
    return rc < 0 ? -1 : 0;
}

static int match(const struct op *op, int64_t version, bool needed, struct err *err)
{
    char etag[32];
    view_etag(version, etag);
    if (!op->if_match)
        return needed ? err_set(err, ERR_STALE, "send If-Match") : 0;
    if (strcmp(op->if_match, etag) != 0)
        return err_set(err, ERR_STALE, "somebody changed it meanwhile: look again");
    return 0;
}

int draft_judge_mode(const struct op *op, enum draft_mode mode, size_t n, struct err *err)
{
    const struct draft *d = op->more;
    const struct conf_kind *of = d->kind->of;
    if (d->exists && mode == DRAFT_ADD)
        return err_set(err, ERR_CONFLICT, "there is %s of this id already", of->one);
    if (mode == DRAFT_ADD && n >= of->most)
        return err_set(err, ERR_LIMITED, "there are %zu %s, which is the most", of->most, of->many);
    if (!d->exists && !makes(mode))
        return nothing(d, err);
    return d->exists && mode != DRAFT_TRY && mode != DRAFT_OWN
               ? match(op, d->row.version, true, err)
               : 0;
}

/* ---- merging ----------------------------------------------------------------------------------
 */

static struct jval *parsed(const struct draft_kind *kind, const struct settings_row *row)
{
    struct err why = ERR_INIT; /* an admin is told by live, and cannot mend it here */
    return jval_parse(str_of(row->settings), kind->text_max, kind->depth, &why);
}

void draft_open(struct op *op, enum draft_mode mode)
{
    struct draft *d = op->more;
    if (mode == DRAFT_EDIT || mode == DRAFT_OWN)
        d->settings = parsed(d->kind, &d->row);
    if (jval_type(d->settings) == JVAL_OBJECT)
        return;
    jval_free(&d->settings); /* what makes no sense is begun anew */
    d->settings = jval_new_object();
}

/* ["a", "b"] as "a b"; what would fall apart there is refused. */
static const char *list_text(struct op *op, const char *key, const struct jval *v, struct err *err)
{
    struct buf b;
    const char *text = NULL;
    buf_init(&b, VALUE_MAX);
    for (size_t i = 0; i < jval_count(v); i++) {
        const char *one = jval_text(jval_item(v, i));
        if (!one || !*one || strpbrk(one, " ,\t")) {
            (void)op_field(op, err, key, "must be a list of texts without blanks and commas");
            goto out;
        }
        buf_text(&b, i > 0 ? " " : "");
        buf_text(&b, one);
    }
    if (buf_ok(&b))
        text = arena_dup(op->arena, b.p);
    else
        (void)op_field(op, err, key, "is too long");
out:
    buf_deinit(&b);
    return text;
}

const char *draft_value(struct op *op, const char *key, const struct jval *v, struct err *err)
{
    const char *text = jval_text(v);
    int64_t n;
    bool b;
    if (jval_type(v) == JVAL_ARRAY)
        text = list_text(op, key, v, err);
    else if (jval_int(v, &n))
        text = arena_printf(op->arena, "%lld", (long long)n);
    else if (jval_bool(v, &b))
        text = b ? "true" : "false";
    else if (!text)
        (void)op_field(op, err, key, "must be a text, a whole number, true, false or a list");
    if (text && strlen(text) > VALUE_MAX) {
        (void)op_field(op, err, key, "is too long");
        return NULL;
    }
    if (text && !op_plain(text)) {
        (void)op_field(op, err, key, "holds a control character");
        return NULL;
    }
    return text;
}

int draft_take(struct op *op, const char *key, const struct jval *v, struct err *err)
{
    struct draft *d = op->more;
    if (!op_plain(key) || strlen(key) > OP_TEXT_MAX)
        return op_field(op, err, "settings", "a key makes no sense");
    if (jval_type(v) == JVAL_NULL) {
        jval_remove(d->settings, key);
        return 0;
    }
    const char *text = draft_value(op, key, v, err);
    if (!text)
        return -1;
    if (*text)
        jval_set_text(d->settings, key, text);
    else
        jval_remove(d->settings, key); /* an empty value is none, as in a file */
    return 0;
}

/* ---- keeping ----------------------------------------------------------------------------------
 */

int draft_holds(struct db *db, struct op *op, struct err *err)
{
    const struct draft *d = op->more;
    struct settings_row now;
    const int rc = settings_row_get(db, d->kind->table, op->object, op->arena, &now, err);
    if (rc < 0)
        return -1;
    if (!d->exists)
        return rc == 0 ? 0
                       : op_refuse(op, ERR_CONFLICT, "there is %s of this id already",
                                   d->kind->of->one);
    return rc == 1 && now.version == d->row.version
               ? 0
               : op_refuse(op, ERR_STALE, "somebody changed it meanwhile: look again");
}

static const char *settings_text(struct op *op, struct err *err)
{
    const struct draft *d = op->more;
    struct buf b;
    buf_init(&b, d->kind->text_max);
    jval_render(d->settings, &b);
    const char *text = buf_ok(&b) ? arena_dup(op->arena, b.p) : NULL;
    buf_deinit(&b);
    if (!text)
        err_set(err, ERR_LIMITED, "the settings are too long");
    return text;
}

int draft_put(struct db *db, struct op *op, struct err *err)
{
    const struct draft *d = op->more;
    struct settings_row row = {.id = op->object, .created = op->now};
    if (d->exists)
        row = d->row;
    row.changed = op->now;
    if (!(row.settings = settings_text(op, err)) || (row.version = op_audit(db, op, err)) < 0)
        return -1;
    const int rc = d->exists ? settings_row_set(db, d->kind->table, &row, d->row.version, err)
                             : settings_row_add(db, d->kind->table, &row, err);
    return rc == 1 ? 0 : -1;
}

int draft_seen(struct db *db, struct op *op, const struct draft_kind *kind, bool needed,
               struct settings_row *row, struct err *err)
{
    struct err why = ERR_INIT;
    const int rc = settings_row_get(db, kind->table, op->id, op->arena, row, err);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return op_refuse(op, ERR_NOT_FOUND, "there is no such %s", kind->of->noun);
    return match(op, row->version, needed, &why) < 0 ? op_refuse(op, why.kind, "%s", why.text) : 0;
}

struct jval *draft_stored(const struct draft_kind *kind, const struct settings_row *row)
{
    struct jval *settings = parsed(kind, row);
    return settings ? settings : jval_new_null();
}
