/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit.h"

#include <stdatomic.h>

#include "store/audit_chain.h"
#include "store/audit_parts.h"
#include "store/driver.h"
#include "sys/network.h"

/* ---- adding ----------------------------------------------------------------------------------
 */

static void bind_row(struct db_stmt *st, const struct audit_row *row)
{
    const char *const texts[] = {AUDIT_TEXTS(row)};
    db_int(st, 1, row->n);
    db_int(st, 2, row->at);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        db_text(st, (int)i + 3, texts[i]);
    db_blob(st, 17, row->hash, sizeof row->hash);
}

/* Only one transaction at a time gets here, on SQLite and on PostgreSQL (store/driver.h), and an
 * engine of this process alone is asked once: what is undone is forgotten. */
static int know_head(struct db *db, struct err *err)
{
    struct audit_head head;
    if (db->head.known)
        return 0;
    if (audit_head_get(db, &head, err) < 0)
        return -1;
    db->head.n = head.n;
    memcpy(db->head.hash, head.hash, sizeof head.hash);
    db->head.known = true;
    return 0;
}

int64_t audit_add(struct db *db, const struct audit_row *asked, struct err *err)
{
    char agent[AUDIT_AGENT_MAX + 1], network[NETWORK_TEXT];
    struct audit_row row = *asked;
    if (know_head(db, err) < 0)
        return -1;
    row.n = db->head.n + 1;
    if (strcmp(row.actor_kind, "account") == 0)
        row.actor_name = NULL;
    if (row.user_agent) {
        text_display(str_of(row.user_agent), agent, AUDIT_AGENT_MAX);
        row.user_agent = agent;
    }
    if (row.ip && db->short_ips && atomic_load_explicit(db->short_ips, memory_order_relaxed))
        row.ip = network_of(row.ip, network);
    audit_hash(db->head.hash, &row, row.hash);

    struct db_stmt *st = db_named(db, "audit.add");
    bind_row(st, &row);
    if (db_run(st, err) < 0)
        return -1;
    db->head.n = row.n;
    memcpy(db->head.hash, row.hash, sizeof row.hash);
    return row.n;
}

/* ---- reading ---------------------------------------------------------------------------------
 */

void audit_read_row(struct db_stmt *st, struct audit_row *row)
{
    *row = (struct audit_row){.n = db_col_int(st, 0),
                              .at = db_col_int(st, 1),
                              .actor_kind = db_col_text(st, 2),
                              .actor = db_col_text(st, 3),
                              .actor_name = db_col_text(st, 4),
                              .ip = db_col_text(st, 5),
                              .request_id = db_col_text(st, 6),
                              .user_agent = db_col_text(st, 7),
                              .action = db_col_text(st, 8),
                              .object = db_col_text(st, 9),
                              .provider = db_col_text(st, 10),
                              .app = db_col_text(st, 11),
                              .was = db_col_text(st, 12),
                              .became = db_col_text(st, 13),
                              .outcome = db_col_text(st, 14),
                              .reason = db_col_text(st, 15)};
    struct str hash = db_col_null(st, 16) ? (struct str){NULL, 0} : db_col_blob(st, 16);
    row->chained = hash.n == sizeof row->hash;
    if (row->chained)
        memcpy(row->hash, hash.p, sizeof row->hash);
}

static int ends(struct db *db, int64_t *oldest, int64_t *newest, struct err *err)
{
    struct db_stmt *st = db_named(db, "audit.ends");
    if (db_step(st, err) != 1)
        return err_set(err, ERR_INTERNAL, "the audit has no ends");
    *oldest = db_col_int(st, 0);
    *newest = db_col_int(st, 1);
    db_end(st);
    return 0;
}

static const char *any(const char *text)
{
    return text ? text : "";
}

static void bind_filter(struct db_stmt *st, const struct audit_filter *f)
{
    const char *action = any(f->action);
    const bool noun = str_ends(str_of(action), ".");
    db_int(st, 3, f->limit);
    db_int(st, 4, f->since);
    db_int(st, 5, f->until > 0 ? f->until : INT64_MAX);
    db_text(st, 6, any(f->actor));
    db_text(st, 7, any(f->account));
    db_text(st, 8, noun ? "" : action);
    db_text(st, 9, noun ? action : "");
    db_text(st, 10, any(f->object));
    db_text(st, 11, any(f->provider));
    db_text(st, 12, any(f->app));
    db_text(st, 13, any(f->ip));
    db_text(st, 14, any(f->outcome));
}

/* The numbers that are looked at. false: there are none. */
static bool window(const struct audit_filter *f, int64_t oldest, int64_t newest, int64_t *low,
                   int64_t *high)
{
    if (newest == 0)
        return false;
    if (f->forward) {
        *low = f->from >= oldest ? f->from + 1 : oldest;
        *high = *low <= newest - AUDIT_LOOK_MAX ? *low + AUDIT_LOOK_MAX - 1 : newest;
    } else {
        *high = f->from > 0 && f->from <= newest ? f->from - 1 : newest;
        *low = *high >= oldest + AUDIT_LOOK_MAX ? *high - AUDIT_LOOK_MAX + 1 : oldest;
    }
    return *low <= *high;
}

int audit_each(struct db *db, const struct audit_filter *filter,
               int (*each)(void *arg, const struct audit_row *row, struct err *err), void *arg,
               struct audit_page *page, struct err *err)
{
    int64_t oldest = 0, newest = 0, low, high, n = 0, last = 0;
    struct audit_row row;
    int rc;
    *page = (struct audit_page){.looked = filter->from};
    if (ends(db, &oldest, &newest, err) < 0)
        return -1;
    if (!window(filter, oldest, newest, &low, &high))
        return 0;
    struct db_stmt *st = db_named(db, filter->forward ? "audit.forward" : "audit.back");
    db_int(st, 1, low);
    db_int(st, 2, high);
    bind_filter(st, filter);
    while ((rc = db_step(st, err)) == 1) {
        audit_read_row(st, &row);
        last = row.n;
        n++;
        if (each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    if (rc < 0)
        return -1;
    page->looked = n == filter->limit ? last : filter->forward ? high : low;
    const bool more = filter->forward ? page->looked < newest : page->looked > oldest;
    page->next = more ? page->looked : 0;
    return 0;
}
