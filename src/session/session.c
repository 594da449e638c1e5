/* SPDX-License-Identifier: Apache-2.0 */
#include "session/session.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/header.h"
#include "session/chain.h"
#include "session/index.h"
#include "session/recent.h"
#include "session/record.h"
#include "session/seen.h"
#include "sys/random.h"
#include "sys/seal.h"

#define PER_ACCOUNT 100    /* unless told otherwise */
#define PROVIDERS_MAX 1000 /* names ever seen; they come from the configuration */
#define ROOM_SWEEP 1024    /* slots looked at for room when the table is full */
#define WAY_LOOK 64        /* sessions among which one is chosen to make way */
#define WAY_SLOTS 4096     /* slots looked at for them */
#define SWEEP_AHEAD 8      /* records are fetched so many slots before they are looked at */
#define SWEEP_MOVES 64     /* a slot that is looked at lets so many move while growing */

struct provider_name {
    char *raw, *header;
};

struct sessions {
    struct sessions_options o;
    sessions_ended_fn *on_end; /* NULL: nobody is told */
    void *on_end_arg;
    struct index by_hash;
    struct chain by_account;
    struct rights *rights;
    struct seen seen; /* since the last sessions_take_seen */
    struct provider_name *providers;
    uint16_t providers_n;
    size_t cursor; /* of the sweep */
    size_t hand;   /* of the search for one to make way */
    bool loading;
    uint64_t outside; /* sessions that did not fit */
    struct recent recent;
    size_t record_bytes;
    int64_t latest; /* the latest time anybody told */
};

void session_token_hash(struct str token, unsigned char hash[32])
{
    seal_sha256(token, hash);
}

void session_token_make(char *token, unsigned char hash[32])
{
    unsigned char random[32];
    rng_fill(random, sizeof random);
    text_b64url(random, sizeof random, token);
    seal_wipe(random, sizeof random);
    session_token_hash((struct str){token, SESSION_TOKEN_LEN}, hash);
}

static uint64_t key_of(const unsigned char hash[32])
{
    uint64_t key;
    memcpy(&key, hash, sizeof key);
    return key;
}

static bool same_hash(const void *p, const void *hash)
{
    const struct record *r = p;
    /* The strings will be wanted next; fetch them while the hash is on its way. */
    __builtin_prefetch((const char *)p + 64);
    __builtin_prefetch((const char *)p + 128);
    return seal_equal(r->hash, hash, sizeof r->hash);
}

static struct record *find(const struct sessions *t, const unsigned char hash[32])
{
    return index_find(&t->by_hash, key_of(hash), same_hash, hash);
}

struct sessions *sessions_new(const struct sessions_options *o)
{
    struct sessions *t = mem_alloc(sizeof *t);
    t->o = *o;
    if (t->o.max_per_account == 0)
        t->o.max_per_account = PER_ACCOUNT;
    index_init(&t->by_hash);
    chain_init(&t->by_account);
    t->rights = rights_new();
    return t;
}

void sessions_free(struct sessions **t)
{
    if (!*t)
        return;
    for (size_t i = 0; i < index_size(&(*t)->by_hash); i++)
        free(index_at(&(*t)->by_hash, i));
    index_deinit(&(*t)->by_hash);
    chain_deinit(&(*t)->by_account);
    rights_free(&(*t)->rights);
    for (size_t i = 0; i < (*t)->providers_n; i++) {
        free((*t)->providers[i].raw);
        free((*t)->providers[i].header);
    }
    free((*t)->providers);
    seen_deinit(&(*t)->seen);
    free(*t);
    *t = NULL;
}

/* ---- time ---------------------------------------------------------------------------------------
 */

static int64_t later(int64_t t, int64_t by)
{
    int64_t sum;
    return __builtin_add_overflow(t, by, &sum) ? INT64_MAX : sum;
}

/* A clock that was set back does not count. */
static int64_t tick(struct sessions *t, int64_t now)
{
    if (now > t->latest)
        t->latest = now;
    return t->latest;
}

/* The one judgement of validity. */
static bool valid(const struct sessions *t, const struct record *r, int64_t now)
{
    return now < r->ends && (t->o.idle_seconds <= 0 || now < later(r->seen, t->o.idle_seconds));
}

size_t sessions_take_seen(struct sessions *t,
                          void (*each)(void *arg, const unsigned char hash[32], int64_t seen),
                          void *arg, size_t max)
{
    return seen_take(&t->seen, each, arg, max);
}

uint64_t sessions_changes(const struct sessions *t)
{
    return t->recent.changes_n;
}

void sessions_changed(struct sessions *t, const char *account)
{
    recent_change(&t->recent, account);
}

/* ---- going --------------------------------------------------------------------------------------
 */

static void drop(struct sessions *t, struct record *r)
{
    index_remove(&t->by_hash, key_of(r->hash), r);
    chain_remove(&t->by_account, r);
    seen_forget(&t->seen, r);
    t->record_bytes -= record_bytes(r);
    rights_drop(t->rights, r->rights);
    free(r);
}

void sessions_on_end(struct sessions *t, sessions_ended_fn *fn, void *arg)
{
    t->on_end = fn;
    t->on_end_arg = arg;
}

static void tell_end(const struct sessions *t, const char *account, const char *id,
                     const char *next)
{
    if (t->on_end)
        t->on_end(t->on_end_arg, account, id, next);
}

int sessions_replace(struct sessions *t, const struct session_was *old, const char *account,
                     const char *next)
{
    struct record *r = find(t, old->hash);
    /* What is not here is in the store alone, unless it ended before. */
    const bool outside = !r && old->account && !recent_has_ended(&t->recent, key_of(old->hash));
    const char *whose = r ? record_string(r, RECORD_ACCOUNT) : old->account;
    recent_end(&t->recent, key_of(old->hash));
    if (r || outside)
        tell_end(t, whose, r ? record_string(r, RECORD_ID) : old->id,
                 account && strcmp(account, whose) == 0 ? next : NULL);
    if (!r)
        return 0;
    drop(t, r);
    return 1;
}

int sessions_end(struct sessions *t, const unsigned char hash[32])
{
    return sessions_replace(t, &(const struct session_was){.hash = hash}, NULL, NULL);
}

int sessions_end_of(struct sessions *t, const struct session_was *old)
{
    return sessions_replace(t, old, NULL, NULL);
}

static size_t end_chain(struct sessions *t, const char *account, const struct record *but,
                        bool told_one_by_one)
{
    size_t n = 0;
    sessions_changed(t, account);
    for (struct record *r = chain_next(&t->by_account, account, NULL), *next; r; r = next) {
        next = chain_next(&t->by_account, account, r);
        if (r == but)
            continue;
        recent_end(&t->recent, key_of(r->hash));
        if (told_one_by_one)
            tell_end(t, account, record_string(r, RECORD_ID), NULL);
        drop(t, r);
        n++;
    }
    return n;
}

size_t sessions_end_account(struct sessions *t, const char *account)
{
    tell_end(t, account, NULL, NULL);
    return end_chain(t, account, NULL, false);
}

size_t sessions_end_others(struct sessions *t, const char *account, const unsigned char but[32])
{
    return end_chain(t, account, find(t, but), true);
}

static bool through(const struct sessions *t, const struct record *r,
                    const struct session_identity *who)
{
    return strcmp(t->providers[r->provider].raw, who->provider) == 0 &&
           strcmp(record_string(r, RECORD_SUBJECT), who->subject) == 0;
}

size_t sessions_end_identity(struct sessions *t, const struct session_identity *who,
                             const unsigned char *but)
{
    size_t n = 0;
    sessions_changed(t, who->account);
    for (struct record *r = chain_next(&t->by_account, who->account, NULL), *next; r; r = next) {
        next = chain_next(&t->by_account, who->account, r);
        if (!through(t, r, who) || (but && memcmp(r->hash, but, sizeof r->hash) == 0))
            continue;
        recent_end(&t->recent, key_of(r->hash));
        tell_end(t, who->account, record_string(r, RECORD_ID), NULL);
        drop(t, r);
        n++;
    }
    return n;
}

size_t sessions_sweep(struct sessions *t, int64_t now, size_t budget)
{
    size_t n = 0;
    now = tick(t, now);

    for (; budget > 0; budget--) {
        index_move(&t->by_hash, SWEEP_MOVES);
        size_t size = index_size(&t->by_hash);
        if (t->cursor >= size)
            t->cursor = 0;
        if (t->cursor + SWEEP_AHEAD < size)
            __builtin_prefetch((char *)index_at(&t->by_hash, t->cursor + SWEEP_AHEAD) + 32);
        struct record *r = index_at(&t->by_hash, t->cursor);
        if (r && !valid(t, r, now)) {
            drop(t, r); /* a follower may have moved into this slot: look again */
            n++;
        } else {
            t->cursor++;
        }
    }
    return n;
}

/* ---- coming -------------------------------------------------------------------------------------
 */

static int provider_number(struct sessions *t, const char *name, uint16_t *number, struct err *err)
{
    for (uint16_t i = 0; i < t->providers_n; i++) {
        if (strcmp(t->providers[i].raw, name) == 0) {
            *number = i;
            return 0;
        }
    }
    if (t->providers_n == PROVIDERS_MAX)
        return err_set(err, ERR_LIMITED, "sessions of more than %d providers", PROVIDERS_MAX);

    struct buf header;
    buf_init(&header, RECORD_MAX);
    header_add(&header, name, false);
    if (!buf_ok(&header)) {
        buf_deinit(&header);
        return err_set(err, ERR_LIMITED, "a provider's name is too long");
    }
    t->providers = mem_grow(t->providers, (size_t)(t->providers_n + 1) * sizeof *t->providers);
    t->providers[t->providers_n] =
        (struct provider_name){.raw = mem_dup(name), .header = buf_take(&header)};
    *number = t->providers_n++;
    return 0;
}

bool sessions_crowded(const struct sessions *t, const char *account, unsigned char hash[32])
{
    const struct record *stale = NULL;
    size_t n = 0;
    for (struct record *r = chain_next(&t->by_account, account, NULL); r;
         r = chain_next(&t->by_account, account, r), n++)
        if (stale == NULL || r->seen < stale->seen)
            stale = r;
    if (stale)
        memcpy(hash, stale->hash, 32);
    return n >= t->o.max_per_account;
}

/* Better to lose: one whose last use is written down already, then the one not seen for longest. */
static bool leaves_before(const struct record *a, const struct record *b)
{
    const bool told = a->seen_at == 0, other_told = b->seen_at == 0;
    return told == other_told ? a->seen < b->seen : told;
}

/* Memory is full of live ones: one of them is in the store alone from now on. */
static bool make_way(struct sessions *t)
{
    const size_t size = index_size(&t->by_hash);
    struct record *stale = NULL;
    for (size_t i = 0, looked = 0; i < WAY_SLOTS && i < size && looked < WAY_LOOK; i++) {
        if (t->hand >= size)
            t->hand = 0;
        struct record *r = index_at(&t->by_hash, t->hand++);
        looked += r != NULL;
        if (r && (!stale || leaves_before(r, stale)))
            stale = r;
    }
    if (stale == NULL || !seen_leave(&t->seen, stale))
        return false;
    drop(t, stale);
    t->outside++;
    return true;
}

static bool is_full(const struct sessions *t)
{
    return t->by_hash.n >= t->o.max;
}

static int make_room(struct sessions *t, const struct record *r, struct err *err)
{
    if (r->ends <= t->latest)
        return err_set(err, ERR_INTERNAL,
                       "a session that would be over at once: the clock went back, or its "
                       "lifetime is none");
    unsigned char stale[32];
    if (sessions_crowded(t, record_string(r, RECORD_ACCOUNT), stale))
        return err_set(err, ERR_LIMITED, "an account with %zu sessions", t->o.max_per_account);
    if (!is_full(t) || sessions_sweep(t, t->latest, ROOM_SWEEP) > 0 || make_way(t))
        return 0;
    return err_set(err, ERR_LIMITED, "no room for another session beside %zu", t->o.max);
}

static struct record *record_of(const struct sessions *t, const struct session_row *row,
                                struct err *err)
{
    struct record *r = record_new(row, err);
    if (r && t->o.absolute_seconds > 0 && r->ends > later(r->created, t->o.absolute_seconds))
        r->ends = later(r->created, t->o.absolute_seconds);
    return r;
}

/* Takes the record. */
static int put(struct sessions *t, struct record *r, const struct session_row *row, struct err *err)
{
    if (make_room(t, r, err) < 0 || provider_number(t, row->provider, &r->provider, err) < 0 ||
        rights_take(t->rights, row->roles, &r->rights, err) < 0) {
        free(r);
        return -1;
    }
    r->stamp = rights_stamp(t->rights);
    index_put(&t->by_hash, key_of(r->hash), r);
    chain_add(&t->by_account, r);
    t->record_bytes += record_bytes(r);
    return 0;
}

int sessions_add(struct sessions *t, const struct session_row *row, struct err *err)
{
    struct record *r = record_of(t, row, err);
    if (!r)
        return -1;
    struct record *before = find(t, row->hash);
    if (before)
        drop(t, before); /* told twice: the newer word counts */
    return put(t, r, row, err);
}

/* ---- rows that come from the store later --------------------------------------------------------
 */

bool sessions_complete(const struct sessions *t)
{
    return !t->loading && t->outside == 0;
}

void sessions_loading(struct sessions *t)
{
    t->loading = true;
    t->outside = 0;
}

void sessions_loaded(struct sessions *t)
{
    t->loading = false;
}

bool sessions_has(const struct sessions *t, const unsigned char hash[32])
{
    return find(t, hash) != NULL;
}

int sessions_restore(struct sessions *t, const struct session_row *row,
                     const struct session_read *read, struct err *err)
{
    unsigned char stale[32];
    const int64_t now = tick(t, read->now);
    if (find(t, row->hash))
        return SESSION_HERE; /* and it knows more than the row */
    if (recent_has_ended(&t->recent, key_of(row->hash)))
        return SESSION_OVER;
    struct record *r = record_of(t, row, err);
    if (!r)
        return -1;
    const char *account = record_string(r, RECORD_ACCOUNT);
    seen_recall(&t->seen, r);
    int result = SESSION_OVER; /* one too many of an account is over, too */
    if (recent_has_changed(&t->recent, account, read->since)) {
        result = SESSION_CHANGED;
    } else if (!valid(t, r, now) || sessions_crowded(t, account, stale)) {
        result = SESSION_OVER;
    } else if (is_full(t) && !read->crowd_out) {
        t->outside++;
        result = SESSION_NO_ROOM;
    } else {
        return put(t, r, row, err) == 0 ? SESSION_HERE : -1;
    }
    free(r);
    return result;
}

/* ---- changing -----------------------------------------------------------------------------------
 */

int sessions_set_roles(struct sessions *t, const char *account, const char *roles, struct err *err)
{
    uint32_t set;
    int n = 0;
    sessions_changed(t, account);
    if (rights_take(t->rights, roles, &set, err) < 0)
        return -1;
    for (struct record *r = chain_next(&t->by_account, account, NULL); r;
         r = chain_next(&t->by_account, account, r), n++) {
        rights_drop(t->rights, r->rights);
        r->rights = rights_again(t->rights, set);
        r->stamp = rights_stamp(t->rights);
    }
    rights_drop(t->rights, set);
    return n;
}

void sessions_forget_role(struct sessions *t, const char *role)
{
    rights_forget(t->rights, role);
    recent_change_all(&t->recent);
}

struct rights *sessions_rights(const struct sessions *t)
{
    return t->rights;
}

/* ---- the hot path -------------------------------------------------------------------------------
 */

static void show(const struct sessions *t, const struct record *r, struct session_view *v)
{
    v->hash = r->hash;
    v->created = r->created;
    v->auth_time = r->auth_time;
    v->seen = r->seen;
    v->ends = r->ends;
    v->email_evidence = r->email_evidence;
    v->id = record_string(r, RECORD_ID);
    v->account = record_string(r, RECORD_ACCOUNT);
    v->provider = t->providers[r->provider].raw;
    v->subject = record_string(r, RECORD_SUBJECT);
    v->username = record_string(r, RECORD_USERNAME);
    v->name = record_string(r, RECORD_NAME);
    v->email = record_string(r, RECORD_EMAIL);
    v->picture = record_string(r, RECORD_PICTURE);
    v->groups = record_string(r, RECORD_GROUPS);
    v->amr = record_string(r, RECORD_AMR);
    v->header_user = record_string(r, RECORD_HEADER_USER);
    v->header_name = record_string(r, RECORD_HEADER_NAME);
    v->header_email = record_string(r, RECORD_HEADER_EMAIL);
    v->header_groups = record_string(r, RECORD_HEADER_GROUPS);
    v->header_provider = t->providers[r->provider].header;

    const struct rights_view rights = rights_show(t->rights, r->rights);
    v->roles = rights.roles;
    v->permissions = rights.permissions;
    v->stamp = r->stamp > rights.stamp ? r->stamp : rights.stamp;
}

/* In the place of the old one everywhere. */
static void replace(struct sessions *t, struct record *old, struct record *r)
{
    r->provider = old->provider;
    r->rights = rights_again(t->rights, old->rights);
    r->stamp = rights_stamp(t->rights);
    seen_replace(&t->seen, old, r);
    drop(t, old);
    index_put(&t->by_hash, key_of(r->hash), r);
    chain_add(&t->by_account, r);
    t->record_bytes += record_bytes(r);
}

int sessions_set_groups(struct sessions *t, const struct session_identity *who, const char *groups,
                        struct err *err)
{
    struct record *r = NULL, *is;
    int n = 0;
    sessions_changed(t, who->account);
    while ((r = chain_next(&t->by_account, who->account, r)) != NULL) {
        const bool same = strcmp(record_string(r, RECORD_GROUPS), groups ? groups : "") == 0;
        if (same || !through(t, r, who))
            continue;
        if (!(is = record_regrouped(r, who->provider, groups, err)))
            return -1;
        replace(t, r, is);
        r = NULL, n++; /* the chain is another one now */
    }
    return n;
}

int sessions_check(struct sessions *t, struct str token, int64_t now, struct session_view *out)
{
    unsigned char hash[32];
    if (token.n != SESSION_TOKEN_LEN)
        return 0;
    session_token_hash(token, hash);
    now = tick(t, now);
    struct record *r = find(t, hash);
    if (!r || !valid(t, r, now))
        return 0;
    seen_mark(&t->seen, r, now);
    show(t, r, out);
    return 1;
}

size_t sessions_count(const struct sessions *t)
{
    return t->by_hash.n;
}

size_t sessions_bytes(const struct sessions *t)
{
    return sizeof *t + t->record_bytes + index_bytes(&t->by_hash) + chain_bytes(&t->by_account) +
           seen_bytes(&t->seen);
}
