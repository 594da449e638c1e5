/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/logout.h"

#include "app/client.h"
#include "issuer/hint.h"
#include "issuer/parts.h"
#include "store/oauth_grant.h"
#include "sys/clock.h"
#include "sys/log.h"

struct judging {
    struct issuer *issuer;
    struct issuer_logout_call in;
    struct issuer_logout out;
    const char *id, *uri; /* the app's id, and where it wants people to go; NULL: not said */
    struct hint hint;
    bool hinted;  /* there is a hint, and it is ours */
    bool known;   /* the person is signed in to the app by this session */
    bool same;    /* what the hint speaks of is this session */
    bool allowed; /* the app may send people there */
    issuer_logout_fn *done;
    void *arg;
};

static const char *get(struct judging *j, const char *name)
{
    const char *value = NULL;
    const int rc = form_get(j->in.form, name, &value);
    if (rc < 0)
        j->out.verdict = LOGOUT_INVALID;
    return rc == 1 && value[0] ? arena_dup(j->in.arena, value) : NULL;
}

/* The app that the request names; an ID token that is not ours, or is another app's, takes all
 * trust from the rest. */
static void read_app(struct judging *j, const char *token)
{
    const struct app *app = NULL;
    j->hinted = token && hint_read(j->issuer, token, j->in.arena, &j->hint);
    if (j->hinted && !j->id)
        j->id = j->hint.app;
    if (j->id && (!token || (j->hinted && strcmp(j->id, j->hint.app) == 0)))
        app = j->issuer->apps ? apps_find(j->issuer->apps, j->id) : NULL;
    if (!app || !app->usable) {
        j->hinted = false;
        j->id = NULL;
        return;
    }
    j->out.app = arena_dup(j->in.arena, app->label);
    j->allowed = j->uri && client_lists(app->common.post_logout_redirect_uris, str_of(j->uri));
}

static void conclude(struct judging *j)
{
    if (j->allowed && (j->hinted || j->known))
        j->out.target = j->uri;
    if (j->hinted && j->same && (!j->uri || j->out.target))
        j->out.verdict = LOGOUT_PROVEN;
    j->done(j->arg, &j->out);
}

/* A session that was renewed has another id than the ID token says; its grants know both. */
static int match(void *arg, const struct oauth_grant_row *row, struct err *err)
{
    struct judging *j = arg;
    (void)err;
    if (strcmp(row->app, j->id) != 0)
        return 0;
    j->known = true;
    if (j->hinted && j->hint.session && row->sid && row->account &&
        strcmp(row->sid, j->hint.session) == 0 && strcmp(row->account, j->hint.account) == 0)
        j->same = true;
    return 0;
}

static int look(struct db *db, void *arg, struct err *err)
{
    struct judging *j = arg;
    const struct oauth_grant_filter f = {.session = j->in.session};
    return oauth_grant_each(db, &f, wall_seconds(clock_wall()), match, j, err);
}

static void on_look(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct judging *j = arg;
    j->issuer->under_way--;
    if (outcome == STORE_DONE) {
        conclude(j);
        return;
    }
    log_error(NULL, LOG_ERROR, "logout.failed", err);
    j->out.verdict = LOGOUT_FAILED;
    j->done(j->arg, &j->out);
}

void issuer_logout_judge(struct issuer *i, const struct issuer_logout_call *c,
                         issuer_logout_fn *done, void *arg)
{
    struct judging *j = arena_alloc(c->arena, sizeof *j);
    *j = (struct judging){
        .issuer = i, .in = *c, .out = {.verdict = LOGOUT_ASK}, .done = done, .arg = arg};
    const char *token = get(j, "id_token_hint");
    j->id = get(j, "client_id");
    j->uri = get(j, "post_logout_redirect_uri");
    j->out.state = get(j, "state");
    if (j->out.verdict == LOGOUT_INVALID) {
        done(arg, &j->out);
        return;
    }
    read_app(j, token);
    j->same = j->hinted && c->session && j->hint.session &&
              strcmp(j->hint.account, c->account) == 0 && strcmp(j->hint.session, c->session) == 0;
    if (!j->id || !c->session || j->same) {
        conclude(j);
        return;
    }
    i->under_way++;
    if (store_read(i->o.store, look, i->o.loop, on_look, j))
        return;
    i->under_way--;
    log_event(NULL, LOG_WARN, "store.busy", LF_TEXT("job", "whose session it is"));
    j->out.verdict = LOGOUT_FAILED;
    done(arg, &j->out);
}
