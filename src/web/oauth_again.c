/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that are given again. APIs ask about one token with every request they get, so the same
 * bytes come many times a second. What they are told depends on memory and store alone, and the
 * issuer says whether either changed (issuer_moment): within one second, and while nothing did, the
 * same credentials and body get the answer that was made for them, ready to be sent. Whatever ends
 * a token, a secret, an app or a key, and any write to the store where that counts, makes another
 * moment, and in that nothing of this one is known.
 *
 * Kept by the SHA-256 of what was asked, each in the place its hash says; the next one takes it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "sys/seal.h"
#include "web/oauth.h"

#define PLACES 1024u     /* a power of two */
#define ASKED_MAX 4096u  /* bytes of what was asked */
#define ANSWER_MAX 4096u /* ... and of what was answered */
#define FORGET_MS 1000

struct place {
    unsigned char hash[32];
    struct reply *reply; /* NULL: nothing is here */
};

/* Of calls that depend on the same. */
struct answers {
    struct issuer_moment at;
    struct place *places; /* PLACES of them; NULL: there was none yet */
    uint16_t used[PLACES];
    size_t n_used;
};

struct oauth_again {
    struct answers about[ISSUER_ABOUTS];
    struct loop_timer *timer;
};

static void forget(struct answers *a)
{
    while (a->n_used > 0)
        reply_free(&a->places[a->used[--a->n_used]].reply);
}

/* What is about people is not kept longer than it is good for. */
static void on_timer(void *arg)
{
    struct oauth_again *t = arg;
    for (size_t i = 0; i < ISSUER_ABOUTS; i++)
        forget(&t->about[i]);
}

struct oauth_again *oauth_again_new(struct loop *loop)
{
    struct oauth_again *t = mem_alloc(sizeof *t);
    t->timer = loop_timer_add(loop, on_timer, t);
    return t;
}

void oauth_again_free(struct oauth_again **tp)
{
    struct oauth_again *t = *tp;
    *tp = NULL;
    if (t == NULL)
        return;
    loop_timer_del(&t->timer);
    for (size_t i = 0; i < ISSUER_ABOUTS; i++) {
        forget(&t->about[i]);
        free(t->about[i].places);
    }
    free(t);
}

bool oauth_again_ask(struct oauth_asked *q, struct request *rq, const struct web_app *app)
{
    const struct oauth_op *op = request_route(rq)->data;
    const struct fields *query = request_query(rq);
    const struct str body = request_body(rq);
    const char *authorization, *origin;
    *q = (struct oauth_asked){.rq = rq, .app = app};
    if (op->about == ISSUER_NOTHING || app->again == NULL || query == NULL || query->n > 0 ||
        request_header(rq, "Origin", &origin) != 0 ||
        request_header(rq, "Authorization", &authorization) != 1)
        return false;
    const size_t n = strlen(authorization) + 1; /* with the NUL, which no header holds */
    if (n + body.n > ASKED_MAX)
        return false;
    char *all = arena_alloc(request_arena(rq), n + body.n);
    memcpy(all, authorization, n);
    memcpy(all + n, body.p, body.n);
    seal_sha256((struct str){all, n + body.n}, q->hash);
    q->about = op->about;
    q->at = issuer_moment(app->issuer, op->about);
    return true;
}

static struct place *place_of(struct answers *a, const struct oauth_asked *q)
{
    uint32_t n;
    memcpy(&n, q->hash, sizeof n);
    return &a->places[n & (PLACES - 1)];
}

static bool same_moment(const struct issuer_moment *a, const struct issuer_moment *b)
{
    return a->second == b->second && a->changes == b->changes;
}

bool oauth_again_send(const struct oauth_asked *q)
{
    struct answers *a = &q->app->again->about[q->about];
    if (a->n_used == 0 || !same_moment(&a->at, &q->at))
        return false;
    const struct place *p = place_of(a, q);
    if (p->reply == NULL || !seal_equal(p->hash, q->hash, sizeof p->hash) ||
        !reply_again(q->rq, 200, p->reply))
        return false;
    issuer_repeated(q->app->issuer, q->about);
    return true;
}

bool oauth_again_keep(const struct oauth_asked *q, const struct reply_header *headers, size_t n,
                      struct str body)
{
    struct oauth_again *t = q->app->again;
    struct answers *a = &t->about[q->about];
    const struct issuer_moment now = issuer_moment(q->app->issuer, q->about);
    const bool still = same_moment(&now, &q->at) && body.n <= ANSWER_MAX;
    struct reply *reply = still ? reply_make_body(headers, n, body) : NULL;
    if (reply == NULL)
        return false;
    if (!same_moment(&a->at, &now))
        forget(a);
    a->at = now;
    if (a->places == NULL)
        a->places = mem_alloc(PLACES * sizeof *a->places);
    if (a->n_used == 0)
        loop_timer_set(t->timer, FORGET_MS);
    struct place *p = place_of(a, q);
    if (p->reply == NULL)
        a->used[a->n_used++] = (uint16_t)(p - a->places);
    reply_free(&p->reply);
    p->reply = reply;
    memcpy(p->hash, q->hash, sizeof p->hash);
    return reply_again(q->rq, 200, reply);
}
