/* SPDX-License-Identifier: Apache-2.0 */
/* Who is signed in: as a page for the person, as JSON for an app. */
#include <stdio.h>

#include "admin/admin.h"
#include "base/evidence.h"
#include "sys/clock.h"
#include "web/api.h"
#include "web/page.h"

const char *web_user_agent(struct request *rq)
{
    const char *value;
    return request_header(rq, "User-Agent", &value) == 1 ? value : NULL;
}

int web_session(const struct web_app *app, struct request *rq, struct session_view *out)
{
    struct str token;
    const int n = request_cookie(rq, str_of(app->jar.session_name), &token);
    if (n <= 0)
        return n;
    return sessions_check(app->sessions, token, wall_seconds(clock_wall()), out);
}

static void date_text(int64_t seconds, char out[32])
{
    char full[32];
    wall_text((struct wall){seconds * 1000000}, full);
    snprintf(out, 32, "%.10s %.5s UTC", full, full + 11);
}

static void set_if(struct jval *o, const char *key, const char *text)
{
    if (text[0] != 0)
        jval_set_text(o, key, text);
}

/* The first character, for when there is no picture. */
static void set_initial(struct jval *data, const char *name)
{
    char first[5];
    if (text_display(str_of(name), first, 4) == 0)
        return;
    size_t n = 1;
    while ((first[n] & 0xc0) == 0x80)
        n++;
    first[n] = 0;
    jval_set_text(data, "initial", first);
}

static void send_profile(struct request *rq, const struct web_app *app,
                         const struct session_view *v)
{
    char since[32], until[32];
    const struct provider *p = registry_find(app->registry, v->provider);
    const char *name = v->name[0] ? v->name : v->username[0] ? v->username : "Signed in";
    struct jval *data = jval_new_object();
    date_text(v->created, since);
    date_text(v->ends, until);
    jval_set_text(data, "name", name);
    set_initial(data, name);
    set_if(data, "username", v->username);
    set_if(data, "email", v->email);
    jval_set_bool(data, "email_proven", evidence_proves(v->email_evidence));
    set_if(data, "picture", v->picture);
    jval_set_text(data, "provider", p ? p->label : v->provider);
    jval_set_bool(data, "fake", p && p->fake);
    jval_set_text(data, "account", v->account);
    jval_set_text(data, "session", v->id);
    jval_set_text(data, "since", since);
    jval_set_text(data, "until", until);
    jval_set_bool(data, "admin", admin_is(app->admin, v->account));
    page_has_form(rq);
    page_send(rq, app, 200, "home", "Signed in", data);
}

void home_page(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    struct session_view v;
    if (web_session(app, rq, &v) == 1)
        send_profile(rq, app, &v);
    else
        signin_chooser(rq, app_);
}

static void add_groups(struct jval *o, const char *groups)
{
    struct err err = ERR_INIT;
    struct jval *list = groups[0] ? jval_parse(str_of(groups), JSON_SIZE_MAX, 4, &err) : NULL;
    jval_set(o, "groups", list ? list : jval_new_array());
}

/* As they are in headers; their names hold no comma. */
static void add_names(struct jval *o, const char *key, const char *joined)
{
    struct jval *list = jval_new_array();
    for (const char *p = joined; *p;) {
        char name[RIGHTS_NAME_MAX + 1];
        const size_t n = strcspn(p, ",");
        memcpy(name, p, n);
        name[n] = 0;
        jval_push(list, jval_new_text(name));
        p += n + (p[n] == ',');
    }
    jval_set(o, key, list);
}

void home_me(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    struct session_view v;
    if (web_session(app, rq, &v) != 1) {
        api_error(rq, 401, "not_signed_in", "Nobody is signed in here.");
        return;
    }
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", v.account);
    jval_set_text(o, "provider", v.provider);
    jval_set_text(o, "name", v.name[0] ? v.name : NULL);
    jval_set_text(o, "username", v.username[0] ? v.username : NULL);
    jval_set_text(o, "email", v.email[0] ? v.email : NULL);
    jval_set_bool(o, "email_verified", evidence_proves(v.email_evidence));
    jval_set_text(o, "email_evidence", evidence_name(v.email_evidence));
    jval_set_text(o, "picture", v.picture[0] ? v.picture : NULL);
    add_groups(o, v.groups);
    add_names(o, "roles", v.roles);
    add_names(o, "permissions", v.permissions);
    struct jval *session = jval_new_object();
    jval_set_text(session, "id", v.id);
    jval_set_int(session, "created", v.created);
    jval_set_int(session, "ends", v.ends);
    jval_set(o, "session", session);
    api_send(rq, 200, o);
}
