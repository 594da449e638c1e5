/* SPDX-License-Identifier: Apache-2.0 */
#include "app/secrets.h"

#include <stdlib.h>

#include "base/arena.h"
#include "sys/random.h"
#include "sys/seal.h"

struct entry {
    unsigned char hash[32];
    char *id, *app; /* owned */
    int64_t expires, used;
    bool fresh; /* used since somebody took note of it */
};

/* In the order of their hashes. There are a few thousand at most, and they seldom change. */
struct app_secrets {
    struct entry *v;
    size_t n, room;
    uint64_t changes;
};

void app_secret_make(char *secret, unsigned char hash[32])
{
    unsigned char random[32];
    rng_fill(random, sizeof random);
    memcpy(secret, APP_SECRET_PREFIX, sizeof APP_SECRET_PREFIX);
    text_b64url(random, sizeof random, secret + strlen(APP_SECRET_PREFIX));
    seal_wipe(random, sizeof random);
    seal_sha256(str_of(secret), hash);
}

/* Where it is, or would have to be. What the search tells by its time is about hashes of secrets,
 * which nobody can aim. */
static size_t place_of(const struct app_secrets *t, const unsigned char hash[32])
{
    size_t low = 0, high = t->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (memcmp(t->v[middle].hash, hash, 32) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_at(struct app_secrets *t, size_t i)
{
    t->changes++;
    free(t->v[i].id);
    free(t->v[i].app);
    memmove(&t->v[i], &t->v[i + 1], (t->n - i - 1) * sizeof *t->v);
    t->n--;
}

void app_secrets_drop(struct app_secrets *t, const char *id)
{
    for (size_t i = t->n; i > 0; i--)
        if (strcmp(t->v[i - 1].id, id) == 0)
            remove_at(t, i - 1);
}

void app_secrets_drop_of(struct app_secrets *t, const char *app)
{
    for (size_t i = t->n; i > 0; i--)
        if (strcmp(t->v[i - 1].app, app) == 0)
            remove_at(t, i - 1);
}

void app_secrets_put(struct app_secrets *t, const struct app_secret_row *row)
{
    app_secrets_drop(t, row->id);
    if (t->n == t->room) {
        t->room = t->room ? t->room * 2 : 16;
        t->v = mem_grow(t->v, t->room * sizeof *t->v);
    }
    t->changes++;
    const size_t i = place_of(t, row->hash);
    memmove(&t->v[i + 1], &t->v[i], (t->n - i) * sizeof *t->v);
    t->n++;
    t->v[i] = (struct entry){.id = mem_dup(row->id),
                             .app = mem_dup(row->app),
                             .expires = row->expires,
                             .used = row->last_used};
    memcpy(t->v[i].hash, row->hash, 32);
}

uint64_t app_secrets_changes(const struct app_secrets *t)
{
    return t->changes;
}

static bool is_good(const struct entry *e, int64_t now)
{
    return e->expires == 0 || now < e->expires;
}

bool app_secrets_has(const struct app_secrets *t, const char *app, int64_t now)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->v[i].app, app) == 0 && is_good(&t->v[i], now))
            return true;
    return false;
}

bool app_secrets_check(struct app_secrets *t, const char *app, struct str secret, int64_t now)
{
    unsigned char hash[32];
    seal_sha256(secret, hash);
    const size_t i = place_of(t, hash);
    if (i == t->n || !seal_equal(t->v[i].hash, hash, 32) || strcmp(t->v[i].app, app) != 0 ||
        !is_good(&t->v[i], now))
        return false;
    t->v[i].used = now;
    t->v[i].fresh = true;
    return true;
}

size_t app_secrets_take_used(struct app_secrets *t,
                             void (*each)(void *arg, const char *id, int64_t used), void *arg,
                             size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n && n < max; i++) {
        if (!t->v[i].fresh)
            continue;
        t->v[i].fresh = false;
        each(arg, t->v[i].id, t->v[i].used);
        n++;
    }
    return n;
}

static int load_one(void *arg, const struct app_secret_row *row, struct err *err)
{
    (void)err;
    app_secrets_put(arg, row);
    return 0;
}

int app_secrets_read(struct app_secrets *t, struct db *db, struct err *err)
{
    while (t->n > 0)
        remove_at(t, t->n - 1);
    return app_secret_each(db, NULL, load_one, t, err);
}

static int load_all(struct db *db, void *arg, struct err *err)
{
    return app_secrets_read(arg, db, err);
}

struct app_secrets *app_secrets_empty(void)
{
    return mem_alloc(sizeof(struct app_secrets));
}

void app_secrets_take(struct app_secrets *t, struct app_secrets *from)
{
    const struct app_secrets before = *t;
    for (size_t i = 0; i < from->n; i++) {
        const size_t was = place_of(&before, from->v[i].hash);
        if (was == before.n || memcmp(before.v[was].hash, from->v[i].hash, 32) != 0)
            continue;
        from->v[i].used = before.v[was].used;
        from->v[i].fresh = before.v[was].fresh;
    }
    *t = *from;
    t->changes = before.changes + 1;
    *from = before;
}

struct app_secrets *app_secrets_new(struct store *s, struct err *err)
{
    struct app_secrets *t = app_secrets_empty();
    if (store_read_now(s, load_all, t, err) != STORE_DONE)
        app_secrets_free(&t);
    return t;
}

void app_secrets_free(struct app_secrets **tp)
{
    struct app_secrets *t = *tp;
    *tp = NULL;
    if (t == NULL)
        return;
    while (t->n > 0)
        remove_at(t, t->n - 1);
    free(t->v);
    free(t);
}
