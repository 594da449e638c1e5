/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/conf_doc.h"

#include <string.h>

#include "base/text.h"

#define SAMPLE_WRAP 90
#define WORDS_MAX 8192

const char *conf_type_name(const struct usher_setting *row)
{
    static const char *const names[] = {
        [USHER_TEXT] = "text",         [USHER_URL] = "url",       [USHER_INT] = "integer",
        [USHER_BOOL] = "boolean",      [USHER_CHOICE] = "choice", [USHER_LIST] = "list",
        [USHER_DURATION] = "duration", [USHER_SIZE] = "size",     [USHER_SECRET] = "secret",
    };
    return row->type < sizeof names / sizeof *names ? names[row->type] : NULL;
}

/* USHER_SERVER_LISTEN. */
static const char *variable(const struct conf_table *table, const struct usher_setting *row,
                            struct arena *a)
{
    char *name = arena_printf(a, "%s_%s", table->env_prefix, row->key);
    for (char *c = name + strlen(table->env_prefix); *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    return name;
}

/* ---- for programs ---------------------------------------------------------------------------- */

static struct jval *flags_json(const struct usher_setting *row)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } flags[] = {{USHER_REQUIRED, "required"},
                 {USHER_ORIGIN, "origin"},
                 {USHER_ADVANCED, "advanced"},
                 {USHER_INSECURE, "insecure"}};
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (row->flags & flags[i].flag)
            jval_push(list, jval_new_text(flags[i].name));
    if (row->type == USHER_SECRET)
        jval_push(list, jval_new_text("secret"));
    return list;
}

static struct jval *choices_json(const struct usher_setting *row)
{
    struct jval *list = row->type == USHER_CHOICE ? jval_new_array() : jval_new_null();
    for (size_t i = 0; row->type == USHER_CHOICE && row->choices[i]; i++)
        jval_push(list, jval_new_text(row->choices[i]));
    return list;
}

static void limits_json(const struct usher_setting *row, struct jval *out, struct arena *a)
{
    const char *range = conf_range(row, a);
    jval_set(out, "min", range ? jval_new_int(row->min) : jval_new_null());
    jval_set(out, "max", range ? jval_new_int(row->max) : jval_new_null());
    jval_set_text(out, "range", range);
}

void conf_table_json(const struct conf_table *table, const char *group, struct jval *array)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < table->n; i++) {
        const struct usher_setting *row = &table->rows[i];
        struct jval *one = jval_new_object();
        jval_set_text(one, "key", row->key);
        jval_set_text(one, "type", conf_type_name(row));
        jval_set_text(one, "label", row->label);
        jval_set_text(one, "help", row->help);
        jval_set_text(one, "default", row->value);
        jval_set_text(one, "example", row->example);
        jval_set(one, "choices", choices_json(row));
        limits_json(row, one, a);
        jval_set(one, "flags", flags_json(row));
        jval_set_text(one, "environment", variable(table, row, a));
        jval_set_text(one, "group", group);
        jval_push(array, one);
    }
    arena_free(&a);
}

/* ---- for people ------------------------------------------------------------------------------ */

static void add_kind(const struct usher_setting *row, struct buf *b, struct arena *a)
{
    static const char *const kinds[] = {
        [USHER_URL] = "An address.",     [USHER_INT] = "A whole number",
        [USHER_BOOL] = "yes or no.",     [USHER_LIST] = "A list, parted by blanks.",
        [USHER_DURATION] = "A duration", [USHER_SIZE] = "A size",
    };
    if (row->type == USHER_CHOICE) {
        buf_text(b, " One of:");
        for (int i = 0; row->choices[i]; i++)
            buf_printf(b, "%s %s", i ? "," : "", row->choices[i]);
        buf_text(b, ".");
    } else if (row->type < sizeof kinds / sizeof *kinds && kinds[row->type]) {
        const char *range = conf_range(row, a);
        buf_printf(b, " %s", kinds[row->type]);
        if (range)
            buf_printf(b, ", %s", range);
        if (b->p[b->n - 1] != '.')
            buf_text(b, ".");
    }
}

/* Everything about a row but its key and its default: "Time-out. For one request. A duration …" */
static const char *words(const struct usher_setting *row, struct arena *a)
{
    struct buf b;
    buf_init(&b, WORDS_MAX);
    if (row->label)
        buf_printf(&b, "%s.", row->label);
    if (row->help)
        buf_printf(&b, " %s", row->help);
    add_kind(row, &b, a);
    if ((row->flags & USHER_REQUIRED) && !row->value) /* with a default: it cannot be emptied */
        buf_text(&b, " Required.");
    if (row->flags & USHER_INSECURE)
        buf_text(&b, " Weakens security; announced at start.");
    const char *text = arena_str(a, buf_view(&b));
    buf_deinit(&b);
    return text;
}

typedef void row_fn(const struct conf_table *table, const struct usher_setting *row,
                    struct buf *out, struct arena *a);

/* All rows, what is rarely needed last, behind `title`. */
static void each_row(const struct conf_table *table, row_fn *tell, const char *title,
                     struct buf *out)
{
    struct arena *a = arena_new();
    for (unsigned advanced = 0; advanced <= USHER_ADVANCED; advanced += USHER_ADVANCED) {
        bool told = false;
        for (size_t i = 0; i < table->n; i++) {
            if ((table->rows[i].flags & USHER_ADVANCED) != advanced)
                continue;
            if (advanced && !told)
                buf_text(out, title);
            told = true;
            tell(table, &table->rows[i], out, a);
        }
    }
    arena_free(&a);
}

/* ---- the sample file ------------------------------------------------------------------------- */

/* Words as comment lines of at most SAMPLE_WRAP columns. */
static void sample_comment(struct buf *out, const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t n = strcspn(text, " \n"), wide = 0;
        for (size_t i = 0; i < n; i++) /* UTF-8: one column a character is close enough */
            wide += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (n > 0 && column > 0 && column + 1 + wide > SAMPLE_WRAP) {
            buf_byte(out, '\n');
            column = 0;
        }
        if (n > 0) {
            buf_text(out, column ? " " : "# ");
            column += wide + (column ? 1 : 2);
            buf_add(out, text, n);
        }
        text += n + (text[n] != 0);
    }
    buf_byte(out, '\n');
}

static void sample_row(const struct conf_table *table, const struct usher_setting *row,
                       struct buf *out, struct arena *a)
{
    (void)table;
    buf_byte(out, '\n');
    sample_comment(out, words(row, a));
    const char *value = row->value ? row->value : row->example ? row->example : "";
    if (row->type == USHER_SECRET) {
        buf_printf(out, "#%s_file = %s\n", row->key, "/path/to/a/file");
        return;
    }
    /* What must be set is shown set, as far as there is something to show. */
    bool set = (row->flags & USHER_REQUIRED) && !row->value && row->example;
    buf_printf(out, "%s%s =%s%s\n", set ? "" : "#", row->key, *value ? " " : "", value);
}

void conf_sample(const struct conf_table *table, struct buf *out)
{
    if (*table->section)
        buf_printf(out, "%s[%s]\n", out->n ? "\n" : "", table->section);
    each_row(table, sample_row, "\n# -- rarely needed --\n", out);
}

/* ---- Markdown -------------------------------------------------------------------------------- */

void conf_markdown_text(struct buf *out, const char *text)
{
    bool code = false; /* between backticks nothing but a table's '|' means anything */
    for (; *text; text++) {
        code ^= *text == '`';
        if (*text == '|' || (*text == '*' && !code))
            buf_byte(out, '\\');
        if (*text == '<' && !code)
            buf_text(out, "&lt;");
        else
            buf_byte(out, *text == '\n' ? ' ' : *text);
    }
}

static void markdown_code(struct buf *out, const char *text)
{
    buf_byte(out, '`');
    for (; *text; text++)
        buf_printf(out, "%s%c", *text == '|' ? "\\" : "", *text);
    buf_byte(out, '`');
}

/* The names it has: in a file, and in the environment. */
static void markdown_names(const struct conf_table *table, const struct usher_setting *row,
                           struct buf *out, struct arena *a)
{
    const bool secret = row->type == USHER_SECRET;
    buf_printf(out, "`%s`", row->key);
    if (secret)
        buf_printf(out, ", `%s_file`, `%s_env`", row->key, row->key);
    if (!table->env_prefix)
        return;
    const char *name = variable(table, row, a);
    buf_printf(out, "<br>`%s`", name);
    if (secret)
        buf_printf(out, ", `%s_FILE`, `%s_ENV`", name, name);
}

static void markdown_row(const struct conf_table *table, const struct usher_setting *row,
                         struct buf *out, struct arena *a)
{
    const char *text = words(row, a);
    size_t label = row->label ? strlen(row->label) + 1 : 0;
    buf_text(out, "| ");
    markdown_names(table, row, out, a);
    buf_text(out, " | ");
    if (row->value)
        markdown_code(out, row->value);
    buf_text(out, " | ");
    if (label) {
        buf_text(out, "**");
        conf_markdown_text(out, arena_dupn(a, text, label));
        buf_text(out, "**");
    }
    conf_markdown_text(out, text + label);
    if (row->example && (!row->value || strcmp(row->example, row->value) != 0)) {
        buf_text(out, " Example: ");
        markdown_code(out, row->example);
        buf_byte(out, '.');
    }
    buf_text(out, " |\n");
}

void conf_markdown(const struct conf_table *table, const char *column, struct buf *out)
{
    struct arena *a = arena_new();
    const char *head = arena_printf(a, "| setting | %s | |\n|---|---|---|\n", column);
    bool often = false;
    for (size_t i = 0; i < table->n; i++)
        often |= !(table->rows[i].flags & USHER_ADVANCED);
    if (*table->section)
        buf_printf(out, "%s## [%s]\n\n", out->n ? "\n" : "", table->section);
    if (often)
        buf_text(out, head);
    each_row(table, markdown_row,
             arena_printf(a, "%sRarely needed:\n\n%s", often ? "\n" : "", head), out);
    arena_free(&a);
}

/* ---- man(7) ---------------------------------------------------------------------------------- */

void conf_man_text(struct buf *out, const char *text)
{
    struct str rest = str_of(text);
    if (*text == '.' || *text == '\'')
        buf_text(out, "\\&");
    while (rest.n > 0) {
        uint32_t code;
        const size_t n = text_utf8_next(rest, &code);
        if (code == '\\')
            buf_text(out, "\\e");
        else if (code == '-')
            buf_text(out, "\\-");
        else if (code >= 0x80)
            buf_printf(out, "\\[u%04X]", (unsigned)code);
        else
            buf_byte(out, *rest.p == '\n' ? ' ' : *rest.p);
        rest = (struct str){rest.p + n, rest.n - n};
    }
}

static void man_row(const struct conf_table *table, const struct usher_setting *row,
                    struct buf *out, struct arena *a)
{
    bool secret = row->type == USHER_SECRET;
    buf_printf(out, ".TP\n\\fB%s\\fR", row->key);
    if (secret)
        buf_printf(out, ", \\fB%s_file\\fR, \\fB%s_env\\fR", row->key, row->key);
    if (row->value && *row->value) {
        buf_text(out, " = ");
        conf_man_text(out, row->value);
    }
    buf_byte(out, '\n');
    conf_man_text(out, words(row, a));
    buf_byte(out, '\n');
    if (row->example && (!row->value || strcmp(row->example, row->value) != 0)) {
        buf_text(out, "Example:\n");
        conf_man_text(out, row->example);
        buf_byte(out, '\n');
    }
    buf_printf(out, ".br\nEnvironment:\n\\fB%s\\fR%s\n", variable(table, row, a),
               secret ? ", and this with _FILE or _ENV at its end" : "");
}

void conf_man(const struct conf_table *table, struct buf *out)
{
    if (*table->section)
        buf_printf(out, ".SS [%s]\n", table->section);
    each_row(table, man_row, ".PP\nRarely needed:\n", out);
}
