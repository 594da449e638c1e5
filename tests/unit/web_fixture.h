/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_fixture: every route of usher on an ephemeral port, on top of login_fixture: real store,
 * sessions, plugin and sockets; only the upstream is made up. https://usher.test behind a proxy.
 */
#ifndef TESTS_WEB_FIXTURE_H
#define TESTS_WEB_FIXTURE_H

#include <check.h>

#include "admin/admin.h"
#include "http_client.h"
#include "login_fixture.h"
#include "web/app.h"
#include "web/page.h"

#define WEB_HOST "Host: usher.test\r\n"

struct web_fixture {
    struct live *live;
    struct web_app app;
    struct serve *serve;
    int port;
    struct http_answer a; /* the last answer */
    char bind[64];        /* this browser's cookies, "" when it has none */
    char session[64];
};
extern struct web_fixture wfx;

void web_fixture_open(void);
/* The same at http://localhost. */
void web_fixture_open_http(void);
void web_fixture_close(void);
/* This app beside the fixture's hosts; settings as in app/source.h. */
void web_fixture_app(const char *id, const char *settings);

/* Into wfx.a. `lines`: more header lines, each with its end. The status. */
int web_get(const char *target, const char *lines);
int web_head(const char *target, const char *lines);
int web_post(const char *target, const char *lines, const char *form);
const char *web_header(const char *name);
bool web_says(const char *text); /* in the body */
/* "Cookie: ...\r\n" of this browser. Static, overwritten by the next call. */
const char *web_cookies(void);
/* `pattern` with `value` for each '$'; in lfx.arena. */
const char *web_fill(const char *pattern, const char *value);
/* Remember the cookies that wfx.a sets. */
void web_take_cookies(void);

/* GET /login/toy with this query ("" or "?..."), as this browser; expects the hop. */
void web_start(const char *query);
/* The callback that belongs to it: "/callback/toy?state=...&code=c0de". */
const char *web_callback(void);
/* All the way; this browser is signed in. */
void web_sign_in(void);
bool web_signed_in(void); /* asks /api/v1/me with wfx.session */

/* LOCAL400 of the case list: our own page, no way on, no session, nothing asked of the upstream. */
void web_expect_local_400(int status);

#endif
