/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/access.h"

#include <stdlib.h>

#include "session/index.h"
#include "sys/seal.h"

#define ROOM_SWEEP 1024 /* slots looked at for room when the table is full */
#define SWEEP_MOVES 64  /* a slot that is looked at lets so many move while growing */
#define TEXT_MAX 16384
#define FULL "the table of %zu access tokens is full"
#define SHARE 4 /* an app may have so many for each that is free */

enum text { APP = 0, SCOPES, RESOURCE, GRANT, ACCOUNT, MORE, FIRST, TEXTS };
/* What ends with all its tokens. */
enum owner { OF_GRANT = 0, OF_ACCOUNT, OWNERS };
static const enum text owner_text[OWNERS] = {[OF_GRANT] = GRANT, [OF_ACCOUNT] = ACCOUNT};

struct entry {
    unsigned char hash[32];
    int64_t created, expires;
    /* Others of the same grant, of the same account; the index knows the first. An API that
     * exchanges tokens makes thousands of one grant. */
    struct {
        struct entry *next, *prev;
    } of[OWNERS];
    bool ended;
    uint16_t at[TEXTS]; /* of `text`; 0: none (text begins with a byte that is nobody's) */
    char text[];
};

/* What an app has of the table. Stays: there are never many apps. */
struct share {
    size_t n; /* entries, and places kept for it */
    char app[];
};

struct access {
    struct index by_hash, first[OWNERS], by_app;
    size_t max, cursor;
    size_t reserved; /* places kept for rows on their way to the store */
    uint64_t changes;
    int64_t lacks_until;
};

static uint64_t key_of(const unsigned char hash[32])
{
    uint64_t key;
    memcpy(&key, hash, sizeof key);
    return key;
}

/* FNV-1a. Ids of grants and accounts are random and ours, so nobody can aim at one slot. */
static uint64_t key_of_id(const char *id)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *id; id++)
        h = (h ^ (unsigned char)*id) * 0x100000001b3u;
    return h ^ h >> 32;
}

static const char *text_of(const struct entry *e, enum text which)
{
    return e->at[which] ? e->text + e->at[which] : NULL;
}

static bool same_hash(const void *p, const void *hash)
{
    return seal_equal(((const struct entry *)p)->hash, hash, 32);
}

static bool same_grant(const void *p, const void *id)
{
    return strcmp(text_of(p, GRANT), id) == 0;
}

static bool same_account(const void *p, const void *id)
{
    return strcmp(text_of(p, ACCOUNT), id) == 0;
}

static struct entry *first_of(const struct access *t, enum owner o, const char *id)
{
    static index_same_fn *const same[OWNERS] = {
        [OF_GRANT] = same_grant, [OF_ACCOUNT] = same_account};
    return index_find(&t->first[o], key_of_id(id), same[o], id);
}

static void link_in(struct access *t, struct entry *e, enum owner o)
{
    const char *id = text_of(e, owner_text[o]);
    struct entry *first = id ? first_of(t, o, id) : NULL;
    if (first) {
        e->of[o].prev = first;
        e->of[o].next = first->of[o].next;
        first->of[o].next = e;
        if (e->of[o].next)
            e->of[o].next->of[o].prev = e;
    } else if (id) {
        index_put(&t->first[o], key_of_id(id), e);
    }
}

static void link_out(struct access *t, struct entry *e, enum owner o)
{
    const char *id = text_of(e, owner_text[o]);
    struct entry *next = e->of[o].next, *prev = e->of[o].prev;
    if (next)
        next->of[o].prev = prev;
    if (prev) {
        prev->of[o].next = next;
    } else if (id) {
        index_remove(&t->first[o], key_of_id(id), e);
        if (next)
            index_put(&t->first[o], key_of_id(id), next);
    }
}

static bool same_app(const void *p, const void *id)
{
    return strcmp(((const struct share *)p)->app, id) == 0;
}

static struct share *share_of(struct access *t, const char *app)
{
    struct share *s = index_find(&t->by_app, key_of_id(app), same_app, app);
    if (s)
        return s;
    const size_t n = strlen(app) + 1;
    s = mem_alloc(sizeof *s + n);
    memcpy(s->app, app, n);
    index_put(&t->by_app, key_of_id(app), s);
    return s;
}

struct access *access_new(size_t max)
{
    struct access *t = mem_alloc(sizeof *t);
    t->max = max;
    index_init(&t->by_hash);
    index_init(&t->by_app);
    for (int o = 0; o < OWNERS; o++)
        index_init(&t->first[o]);
    return t;
}

void access_free(struct access **tp)
{
    struct access *t = *tp;
    *tp = NULL;
    if (t == NULL)
        return;
    for (size_t i = 0; i < index_size(&t->by_hash); i++)
        free(index_at(&t->by_hash, i));
    for (size_t i = 0; i < index_size(&t->by_app); i++)
        free(index_at(&t->by_app, i));
    index_deinit(&t->by_hash);
    index_deinit(&t->by_app);
    for (int o = 0; o < OWNERS; o++)
        index_deinit(&t->first[o]);
    free(t);
}

size_t access_count(const struct access *t)
{
    return t->by_hash.n;
}

uint64_t access_changes(const struct access *t)
{
    return t->changes;
}

void access_lack(struct access *t, int64_t until)
{
    t->lacks_until = until;
}

bool access_is_complete(const struct access *t, int64_t now)
{
    return t->lacks_until <= now;
}

/* ---- in and out: there is no other way, so what was good and is not any more is counted here ---
 */

static void put_in(struct access *t, struct entry *e)
{
    t->changes += e->ended;
    share_of(t, text_of(e, APP))->n++;
    index_put(&t->by_hash, key_of(e->hash), e);
    link_in(t, e, OF_GRANT);
    link_in(t, e, OF_ACCOUNT);
}

/* What expired is nobody's answer any more: only the clock has to be asked. */
static void let_go(struct access *t, struct entry *e)
{
    share_of(t, text_of(e, APP))->n--;
    index_remove(&t->by_hash, key_of(e->hash), e);
    link_out(t, e, OF_GRANT);
    link_out(t, e, OF_ACCOUNT);
    free(e);
}

static void drop(struct access *t, struct entry *e)
{
    t->changes++;
    let_go(t, e);
}

size_t access_sweep(struct access *t, int64_t now, size_t budget)
{
    size_t n = 0;
    for (; budget > 0; budget--) {
        index_move(&t->by_hash, SWEEP_MOVES);
        index_move(&t->first[OF_GRANT], SWEEP_MOVES);
        index_move(&t->first[OF_ACCOUNT], SWEEP_MOVES);
        index_move(&t->by_app, SWEEP_MOVES);
        if (t->cursor >= index_size(&t->by_hash))
            t->cursor = 0;
        struct entry *e = index_at(&t->by_hash, t->cursor);
        if (e && e->expires <= now) {
            let_go(t, e); /* what moves into the slot is looked at next */
            n++;
        } else {
            t->cursor++;
        }
    }
    return n;
}

static bool has_room(struct access *t, int64_t now)
{
    if (t->by_hash.n + t->reserved >= t->max)
        access_sweep(t, now, ROOM_SWEEP);
    return t->by_hash.n + t->reserved < t->max;
}

static bool fits(const struct access *t, const struct share *s)
{
    const size_t used = t->by_hash.n + t->reserved;
    return used < t->max && s->n / SHARE < t->max - used;
}

static int find_room(struct access *t, const char *app, int64_t now, struct err *err)
{
    const struct share *s = share_of(t, app);
    if (!fits(t, s))
        access_sweep(t, now, ROOM_SWEEP);
    if (fits(t, s))
        return 0;
    if (t->by_hash.n + t->reserved >= t->max)
        return err_set(err, ERR_LIMITED, FULL, t->max);
    return err_set(err, ERR_LIMITED,
                   "app %s has %zu of %zu access tokens in memory, and what is free is for others: "
                   "raise max_tokens of [issuer], or shorten the app's access_lifetime",
                   app, s->n, t->max);
}

int access_reserve(struct access *t, const char *app, int64_t now, struct err *err)
{
    if (find_room(t, app, now, err) < 0)
        return -1;
    t->reserved++;
    share_of(t, app)->n++;
    return 0;
}

void access_release(struct access *t, const char *app)
{
    t->reserved--;
    share_of(t, app)->n--;
}

static struct entry *entry_new(const struct access_token_row *row, struct err *err)
{
    const bool own = !row->first || strcmp(row->first, row->app) == 0; /* nearly all are */
    const char *const texts[TEXTS] = {[APP] = row->app,
                                      [SCOPES] = row->scopes,
                                      [RESOURCE] = row->resource,
                                      [GRANT] = row->grant,
                                      [ACCOUNT] = row->account,
                                      [MORE] = row->more,
                                      [FIRST] = own ? NULL : row->first};
    size_t n = 1;
    for (int i = 0; i < TEXTS; i++)
        n += texts[i] ? strlen(texts[i]) + 1 : 0;
    if (n > TEXT_MAX) {
        (void)err_set(err, ERR_LIMITED, "an access token says too much");
        return NULL;
    }
    struct entry *e = mem_alloc(sizeof *e + n);
    memcpy(e->hash, row->hash, sizeof e->hash);
    e->created = row->created;
    e->expires = row->expires;
    e->ended = row->ended != 0;
    n = 1;
    for (int i = 0; i < TEXTS; i++) {
        if (texts[i] == NULL)
            continue;
        e->at[i] = (uint16_t)n;
        memcpy(e->text + n, texts[i], strlen(texts[i]) + 1);
        n += strlen(texts[i]) + 1;
    }
    return e;
}

int access_add(struct access *t, const struct access_token_row *row, int64_t now, struct err *err)
{
    struct entry *was = index_find(&t->by_hash, key_of(row->hash), same_hash, row->hash);
    if (was && was->ended)
        return 0;
    if (!was && row->ended == 0 && !has_room(t, now)) /* an end always finds room */
        return err_set(err, ERR_LIMITED, FULL, t->max);
    struct entry *e = entry_new(row, err);
    if (e == NULL)
        return -1;
    if (was)
        drop(t, was);
    put_in(t, e);
    return 0;
}

int access_offer(struct access *t, const struct access_token_row *row, int64_t now, struct err *err)
{
    if (row->ended == 0 && find_room(t, row->app, now, err) < 0)
        return -1;
    return access_add(t, row, now, err);
}

int access_find(const struct access *t, const unsigned char hash[32], int64_t now,
                struct access_view *out)
{
    const struct entry *e = index_find(&t->by_hash, key_of(hash), same_hash, hash);
    if (e == NULL || e->expires <= now)
        return 0;
    *out = (struct access_view){.app = text_of(e, APP),
                                .grant = text_of(e, GRANT),
                                .account = text_of(e, ACCOUNT),
                                .first = text_of(e, e->at[FIRST] || !e->at[GRANT] ? FIRST : APP),
                                .scopes = text_of(e, SCOPES),
                                .resource = text_of(e, RESOURCE),
                                .more = text_of(e, MORE),
                                .created = e->created,
                                .expires = e->expires,
                                .ended = e->ended};
    return 1;
}

static size_t end_all(struct access *t, enum owner o, const char *id)
{
    size_t n = 0;
    for (struct entry *e = first_of(t, o, id), *next; e; e = next, n++) {
        next = e->of[o].next;
        drop(t, e);
    }
    t->changes++; /* it may be of one that is not here */
    return n;
}

size_t access_end_grant(struct access *t, const char *grant)
{
    return end_all(t, OF_GRANT, grant);
}

size_t access_end_account(struct access *t, const char *account)
{
    return end_all(t, OF_ACCOUNT, account);
}
