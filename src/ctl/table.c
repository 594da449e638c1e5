/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

#define CELL_MAX 120
#define COLUMNS_MAX 12
#define ROOM_MIN 16 /* characters of a last column */

void table_ago(int64_t at, int64_t now, char *out, size_t room)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400 * 365, "year"}, {86400 * 30, "month"}, {86400, "day"},
                 {3600, "hour"},        {60, "minute"},        {1, "second"}};
    const int64_t away = at > now ? at - now : now - at;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const int64_t n = away / units[i].seconds;
        if (n == 0)
            continue;
        snprintf(out, room, "%s%" PRId64 " %s%s%s", at > now ? "in " : "", n, units[i].name,
                 n == 1 ? "" : "s", at > now ? "" : " ago");
        return;
    }
    snprintf(out, room, "now");
}

static void cell_list(const struct jval *list, char out[CELL_MAX + 1])
{
    struct buf b;
    buf_init(&b, CELL_MAX);
    for (size_t i = 0; i < jval_count(list); i++) {
        const char *text = jval_text(jval_item(list, i));
        buf_printf(&b, "%s%s", i ? " " : "", text ? text : "?");
    }
    text_display(str_of(b.n ? b.p : "-"), out, CELL_MAX);
    buf_deinit(&b);
}

static void cell_text(const struct jval *v, enum table_kind kind, char out[CELL_MAX + 1])
{
    int64_t n;
    bool b;
    const char *text = jval_text(v);
    if (kind == TABLE_LIST)
        cell_list(v, out);
    else if (kind == TABLE_SET)
        snprintf(out, CELL_MAX, "%s", jval_type(v) > JVAL_NULL ? "set" : "-");
    else if (kind == TABLE_AGO && jval_int(v, &n))
        table_ago(n, (int64_t)time(NULL), out, CELL_MAX);
    else if (text && *text)
        text_display(str_of(text), out, CELL_MAX);
    else if (jval_int(v, &n))
        snprintf(out, CELL_MAX, "%" PRId64, n);
    else if (jval_bool(v, &b))
        snprintf(out, CELL_MAX, "%s", b ? "yes" : "no");
    else
        snprintf(out, CELL_MAX, "-");
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void put(FILE *out, const char *text, size_t width, bool last)
{
    fputs(text, out);
    for (size_t n = width_of(text); !last && n < width + 2; n++)
        fputc(' ', out);
}

/* What is left of a terminal's line for the last column; much, if it is no terminal. */
static size_t room_for_last(FILE *out, const size_t *width, size_t n)
{
    struct winsize size;
    size_t used = 0;
    for (size_t k = 0; k + 1 < n; k++)
        used += width[k] + 2;
    if (isatty(fileno(out)) != 1 || ioctl(fileno(out), TIOCGWINSZ, &size) != 0)
        return CELL_MAX;
    return size.ws_col > used + ROOM_MIN ? size.ws_col - used : ROOM_MIN;
}

/* So many characters, the last of them "…" if there were more. */
static void shorten(char *text, size_t room)
{
    size_t n = 0;
    if (width_of(text) <= room)
        return;
    for (char *p = text; *p; p++)
        if (((unsigned char)*p & 0xc0) != 0x80 && ++n == room) {
            memcpy(p, "…", sizeof "…");
            return;
        }
}

void table_print(FILE *out, const struct jval *rows, const struct table_column *columns, size_t n,
                 const char *none)
{
    char cell[CELL_MAX + sizeof "…"];
    size_t width[COLUMNS_MAX];
    if (n > COLUMNS_MAX)
        abort(); /* a table of ours */
    if (jval_count(rows) == 0) {
        fprintf(out, "%s\n", none);
        return;
    }
    for (size_t k = 0; k < n; k++) {
        width[k] = width_of(columns[k].head);
        for (size_t i = 0; i < jval_count(rows); i++) {
            cell_text(jval_at(jval_item(rows, i), columns[k].at), columns[k].kind, cell);
            if (width_of(cell) > width[k])
                width[k] = width_of(cell);
        }
    }
    for (size_t k = 0; k < n; k++)
        put(out, columns[k].head, width[k], k + 1 == n);
    fputc('\n', out);
    const size_t room = room_for_last(out, width, n);
    for (size_t i = 0; i < jval_count(rows); i++) {
        for (size_t k = 0; k < n; k++) {
            cell_text(jval_at(jval_item(rows, i), columns[k].at), columns[k].kind, cell);
            if (k + 1 == n)
                shorten(cell, room);
            put(out, cell, width[k], k + 1 == n);
        }
        fputc('\n', out);
    }
}

void table_object(FILE *out, const struct jval *object, const struct table_column *columns,
                  size_t n)
{
    char cell[CELL_MAX + 1];
    size_t width = 0;
    for (size_t k = 0; k < n; k++)
        width = width_of(columns[k].head) > width ? width_of(columns[k].head) : width;
    for (size_t k = 0; k < n; k++) {
        const struct jval *v = jval_at(object, columns[k].at);
        if (jval_type(v) <= JVAL_NULL)
            continue;
        put(out, columns[k].head, width, false);
        const char *text = jval_text(v);
        if (text && columns[k].kind == TABLE_PLAIN) {
            table_text(out, text);
        } else {
            cell_text(v, columns[k].kind, cell);
            fputs(cell, out);
        }
        fputc('\n', out);
    }
}

void table_text(FILE *out, const char *text)
{
    char piece[3 * CELL_MAX + 1];
    struct str rest = str_of(text);
    while (rest.n > 0) { /* line by line: a newline of ours is meant */
        size_t n = 0;
        while (n < rest.n && rest.p[n] != '\n' && n < CELL_MAX)
            n++;
        while (n > 1 && n < rest.n && ((unsigned char)rest.p[n] & 0xc0) == 0x80)
            n--;
        const bool blank_before = rest.p[0] == ' ', blank_after = n > 1 && rest.p[n - 1] == ' ';
        text_display((struct str){rest.p, n}, piece, sizeof piece - 1);
        fprintf(out, "%s%s%s", blank_before ? " " : "", piece, blank_after ? " " : "");
        if (n < rest.n && rest.p[n] == '\n') {
            fputs("\n  ", out);
            n++;
        }
        rest.p += n;
        rest.n -= n;
    }
}
