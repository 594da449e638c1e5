/* SPDX-License-Identifier: Apache-2.0 */
/* The audit: who did what, told as it happens, looked for, taken elsewhere, and proven whole. */
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/form.h"
#include "base/text.h"
#include "ctl/client.h"
#include "ctl/date.h"
#include "ctl/table.h"

#define PAGE_MAX 500
#define SEARCH_DEFAULT 50
#define TAIL_DEFAULT 20
#define POLL_SECONDS 1
#define LINE_MAX_BYTES (64u * 1024)

/* ---- asking ---- */

static const char *const filters[] = {"actor",    "account", "action", "object",
                                      "provider", "app",     "ip",     "outcome"};

/* The filter as a query; NULL: one of the options makes no sense, which was said. */
static const char *query_of(struct ctl *c, const struct ctl_args *a)
{
    static const char *const times[] = {"since", "until"};
    struct buf q;
    int64_t at;
    const char *text = NULL;
    buf_init(&q, 8192);
    buf_text(&q, "/api/v1/audit?");
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        if (ctl_option(a, filters[i]))
            form_add(&q, filters[i], ctl_option(a, filters[i]));
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        const char *given = ctl_option(a, times[i]);
        if (given && !date_read_past(given, &at)) {
            (void)ctl_misused("--%s wants a day, as 2027-01-31, or how long ago: 12h, 7d",
                              times[i]);
            goto out;
        }
        if (given)
            form_add(&q, times[i], arena_printf(c->arena, "%lld", (long long)at));
    }
    if (buf_ok(&q))
        text = arena_dupn(c->arena, q.p, q.n);
    else
        (void)ctl_misused("that is too long");
out:
    buf_deinit(&q);
    return text;
}

/* One page; "before" or "after" n. */
static int ask(struct ctl *c, const char *query, const char *from, int64_t n, int64_t limit,
               struct client_reply *r)
{
    const char *path =
        arena_printf(c->arena, "%s%s%s=%lld&limit=%lld", query,
                     str_ends(str_of(query), "?") ? "" : "&", from, (long long)n, (long long)limit);
    return client_get(c, path, r);
}

static int64_t number(const struct jval *body, const char *name)
{
    int64_t n;
    return jval_int(jval_get(body, name), &n) ? n : 0;
}

static bool limit_of(const struct ctl_args *a, int64_t usual, int64_t *out)
{
    const char *text = ctl_option(a, "limit");
    *out = usual;
    if (!text || (text_int(str_of(text), out) && *out >= 1 && *out <= 1000000))
        return true;
    (void)ctl_misused("--limit wants a number from 1 to 1000000");
    return false;
}

/* The newest number there is. */
static int newest(struct ctl *c, int64_t *out)
{
    struct client_reply r;
    const int rc = client_get(c, "/api/v1/audit?limit=1", &r);
    if (rc == CTL_DONE)
        *out = number(jval_item(jval_get(r.body, "audit"), 0), "n");
    client_reply_deinit(&r);
    return rc;
}

/* ---- showing ---- */

static void print_json(const struct jval *row)
{
    struct buf out;
    buf_init(&out, 8u * 1024 * 1024);
    jval_render(row, &out);
    fwrite(out.p, 1, out.n, stdout);
    fputc('\n', stdout);
    buf_deinit(&out);
}

static const char *said(const struct jval *row, const char *name)
{
    const char *text = jval_text(jval_get(row, name));
    return text && *text ? text : NULL;
}

static void word(struct buf *line, const char *before, const char *text)
{
    if (text)
        buf_printf(line, " %s%s", before, text);
}

/* One line, whatever the row holds: nothing in it can look like another. */
static void print_line(const struct jval *row)
{
    struct buf line;
    char at[32] = "?", shown[4096];
    const time_t t = (time_t)number(row, "at");
    struct tm tm;
    if (gmtime_r(&t, &tm))
        (void)strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &tm);
    const char *who = said(row, "actor_name"), *kind = said(row, "actor_kind");
    buf_init(&line, LINE_MAX_BYTES);
    buf_printf(&line, "%lld %s %s %s", (long long)number(row, "n"), at,
               said(row, "action") ? said(row, "action") : "?",
               said(row, "outcome") ? said(row, "outcome") : "?");
    word(&line, "", said(row, "object"));
    word(&line, "by ", kind);
    word(&line, "", who ? who : said(row, "actor"));
    word(&line, "from ", said(row, "ip"));
    word(&line, "through ", said(row, "provider"));
    word(&line, "for ", said(row, "app"));
    word(&line, "because ", said(row, "reason"));
    text_display(buf_view(&line), shown, sizeof shown - 1);
    puts(shown);
    buf_deinit(&line);
}

static void print(const struct ctl *c, const struct jval *row)
{
    (c->json ? print_json : print_line)(row);
}

/* ---- search ---- */

static struct jval *shown_row(const struct jval *row)
{
    struct jval *o = jval_new_object();
    const char *name = said(row, "actor_name");
    jval_set_int(o, "n", number(row, "n"));
    jval_set_int(o, "at", number(row, "at"));
    jval_set_text(o, "who", name ? name : said(row, "actor"));
    for (const char *const *p =
             (const char *const[]){"actor_kind", "ip", "action", "object", "outcome", NULL};
         *p; p++)
        jval_set_text(o, *p, said(row, *p));
    jval_set_text(o, "via", said(row, "provider") ? said(row, "provider") : said(row, "app"));
    return o;
}

static void print_table(const struct jval *rows)
{
    static const struct table_column columns[] = {
        {"N", "/n", TABLE_PLAIN},
        {"WHEN", "/at", TABLE_AGO},
        {"WHO", "/who", TABLE_PLAIN},
        {"AS", "/actor_kind", TABLE_PLAIN},
        {"FROM", "/ip", TABLE_PLAIN},
        {"DID", "/action", TABLE_PLAIN},
        {"TO", "/object", TABLE_PLAIN},
        {"VIA", "/via", TABLE_PLAIN},
        {"OUTCOME", "/outcome", TABLE_PLAIN},
    };
    struct jval *shown = jval_new_array();
    for (size_t i = 0; i < jval_count(rows); i++)
        jval_push(shown, shown_row(jval_item(rows, i)));
    table_print(stdout, shown, columns, sizeof columns / sizeof *columns,
                "There is no such entry.");
    jval_free(&shown);
}

/* A page may hold few rows, or none, and others come after it all the same. */
int ctl_audit_search(struct ctl *c, const struct ctl_args *a)
{
    struct jval *body = jval_new_object(), *rows = jval_new_array();
    int64_t wanted, from = INT64_MAX;
    const char *query = query_of(c, a);
    int rc = query && limit_of(a, SEARCH_DEFAULT, &wanted) ? CTL_DONE : CTL_USAGE;
    while (rc == CTL_DONE && wanted > 0 && from > 0) {
        struct client_reply r;
        rc = ask(c, query, "before", from, wanted < PAGE_MAX ? wanted : PAGE_MAX, &r);
        const struct jval *page = jval_get(r.body, "audit");
        for (size_t i = 0; i < jval_count(page); i++, wanted--)
            jval_push(rows, jval_ref((struct jval *)(uintptr_t)jval_item(page, i)));
        from = number(r.body, "next");
        client_reply_deinit(&r);
    }
    if (rc == CTL_DONE && !c->json)
        print_table(rows);
    jval_set(body, "audit", rows);
    jval_set(body, "next", from > 0 ? jval_new_int(from) : jval_new_null());
    if (rc == CTL_DONE)
        (void)ctl_printed(c, body);
    jval_free(&body);
    return rc;
}

/* ---- tail ---- */

/* What came after `*at`, oldest first, until there is no more. */
static int go_on(struct ctl *c, const char *query, int64_t *at)
{
    for (;;) {
        struct client_reply r;
        const int rc = ask(c, query, "after", *at, PAGE_MAX, &r);
        if (rc != CTL_DONE)
            return rc;
        const struct jval *page = jval_get(r.body, "audit");
        for (size_t i = 0; i < jval_count(page); i++)
            print(c, jval_item(page, i));
        *at = number(r.body, "looked");
        const bool more = number(r.body, "next") > 0;
        client_reply_deinit(&r);
        if (!more)
            return fflush(stdout) == 0 ? CTL_DONE : CTL_REFUSED;
    }
}

int ctl_audit_tail(struct ctl *c, const struct ctl_args *a)
{
    int64_t wanted, at = 0;
    struct client_reply r;
    const char *query = query_of(c, a);
    if (!query || !limit_of(a, TAIL_DEFAULT, &wanted))
        return CTL_USAGE;
    int rc = newest(c, &at);
    if (rc == CTL_DONE && at > 0) {
        rc = ask(c, query, "before", at + 1, wanted < PAGE_MAX ? wanted : PAGE_MAX, &r);
        const struct jval *page = jval_get(r.body, "audit");
        for (size_t i = jval_count(page); i-- > 0;)
            print(c, jval_item(page, i));
        client_reply_deinit(&r);
    }
    struct ctl each = *c; /* this may go on for weeks */
    each.arena = arena_new();
    while (rc == CTL_DONE && ctl_option(a, "follow")) {
        arena_reset(each.arena);
        rc = go_on(&each, query, &at);
        if (rc == CTL_DONE)
            (void)sleep(POLL_SECONDS);
    }
    arena_free(&each.arena);
    return rc;
}

/* ---- export and verify ---- */

int ctl_audit_export(struct ctl *c, const struct ctl_args *a)
{
    int64_t at = 0;
    const char *query = query_of(c, a);
    if (!query)
        return CTL_USAGE;
    c->json = true; /* a line of JSON each, whether asked for or not */
    return go_on(c, query, &at);
}

static int print_verdict(const struct jval *body)
{
    bool good = false, met = false;
    const struct jval *bad = jval_get(body, "bad");
    const char *head = said(body, "head");
    (void)jval_bool(jval_get(body, "good"), &good);
    if (!good) {
        fprintf(stderr, "usherctl: the chain breaks at entry %lld: ", (long long)number(bad, "n"));
        table_text(stderr, said(bad, "what") ? said(bad, "what") : "?");
        fputc('\n', stderr);
        return CTL_REFUSED;
    }
    printf("The chain holds: %lld entries", (long long)number(body, "rows"));
    if (number(body, "first") > 0)
        printf(", from number %lld on", (long long)number(body, "first"));
    puts(".");
    if (number(body, "older") > 0)
        printf("%lld of them are older than the chain and prove nothing.\n",
               (long long)number(body, "older"));
    if (jval_bool(jval_get(body, "head_met"), &met))
        puts(met ? "The head that was given is in it."
                 : "The head that was given is older than the oldest entry kept: it cannot be "
                   "compared.");
    if (head)
        printf("Head: %s\n", head);
    return CTL_DONE;
}

int ctl_audit_verify(struct ctl *c, const struct ctl_args *a)
{
    struct buf path;
    struct client_reply r;
    buf_init(&path, 1024);
    buf_text(&path, "/api/v1/audit/verify");
    if (ctl_option(a, "head")) {
        buf_byte(&path, '?');
        form_add(&path, "head", ctl_option(a, "head"));
    }
    int rc = buf_ok(&path) ? client_get(c, path.p, &r) : ctl_misused("that is too long");
    if (rc == CTL_DONE) {
        bool good = false;
        (void)jval_bool(jval_get(r.body, "good"), &good);
        if (ctl_printed(c, r.body))
            rc = good ? CTL_DONE : CTL_REFUSED;
        else
            rc = print_verdict(r.body);
        client_reply_deinit(&r);
    }
    buf_deinit(&path);
    return rc;
}
