/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query.h"

#include "base/buf.h"
#include "base/embed.h"

#define QUERY_MAX (64u * 1024)

static const char mark[] = "-- name: ";

/* The rest of `text` behind the line "-- name: <name>", up to the next such line. */
static struct str section(struct str text, struct str name)
{
    const char *from = NULL;
    const char *end = text.p + text.n;

    for (const char *line = text.p; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop ? stop : end;
        struct str row = {line, (size_t)(stop - line)};
        if (str_starts(row, mark)) {
            if (from)
                return (struct str){from, (size_t)(line - from)};
            row.p += sizeof mark - 1;
            row.n -= sizeof mark - 1;
            if (str_eq(str_trim(row), name))
                from = stop < end ? stop + 1 : end;
        }
        line = stop < end ? stop + 1 : end;
    }
    return from ? (struct str){from, (size_t)(end - from)} : (struct str){NULL, 0};
}

struct str query_find(const char *name)
{
    const char *dot = strchr(name, '.');
    if (!dot)
        return (struct str){NULL, 0};
    struct str noun = {name, (size_t)(dot - name)};

    for (const struct embedded *e = embedded_sql; e->name; e++) {
        struct str file = str_of(e->name);
        if (str_ends(file, ".sql") && file.n == noun.n + 4 && memcmp(file.p, noun.p, noun.n) == 0)
            return section((struct str){e->p, e->n}, str_of(dot + 1));
    }
    return (struct str){NULL, 0};
}

struct str query_migration(int64_t n)
{
    for (const struct embedded *e = embedded_sql; e->name; e++) {
        const char *dash = strchr(e->name, '-');
        int64_t number = 0;
        if (dash && dash - e->name == 4 && text_int((struct str){e->name, 4}, &number) &&
            number == n)
            return (struct str){e->p, e->n};
    }
    return (struct str){NULL, 0};
}

static const char *spelling(struct str word, const struct query_word *words)
{
    for (; words->word; words++)
        if (str_is(word, words->word))
            return words->text;
    return NULL;
}

char *query_expand(struct str sql, const struct query_word *words, struct err *err)
{
    struct buf out;
    buf_init(&out, QUERY_MAX);
    const char *end = sql.p + sql.n;

    for (const char *p = sql.p; p < end;) {
        const char *open = memchr(p, '@', (size_t)(end - p));
        if (!open) {
            buf_add(&out, p, (size_t)(end - p));
            break;
        }
        buf_add(&out, p, (size_t)(open - p));
        const char *close = memchr(open + 1, '@', (size_t)(end - open - 1));
        const char *text =
            close ? spelling((struct str){open + 1, (size_t)(close - open - 1)}, words) : NULL;
        if (!text) {
            err_set(err, ERR_INTERNAL, "an unknown @WORD@ in SQL");
            buf_deinit(&out);
            return NULL;
        }
        buf_text(&out, text);
        p = close + 1;
    }
    if (!buf_ok(&out)) {
        err_set(err, ERR_INTERNAL, "SQL text over %u bytes", QUERY_MAX);
        buf_deinit(&out);
        return NULL;
    }
    return buf_take(&out);
}
