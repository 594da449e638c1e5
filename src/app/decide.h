/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide: may this subject do this at this path of an app, and why. The path alone is judged, never
 * the query. The exact path wins, then the longest prefix; of that path's entries the first for the
 * method decides, and if there is none for it, nobody may. Where no path matches, the app's own
 * `require` decides; an app with paths and no `require` of its own lets nobody in there, an app
 * with neither everybody who is signed in. Who came through a provider that the app does not take
 * is nobody in it.
 *
 * In an app with paths, a path that two programs may read differently (app/path.h) is no request
 * that could be judged.
 */
#ifndef APP_DECIDE_H
#define APP_DECIDE_H

#include "app/app.h"

enum app_verdict {
    APP_ALLOW = 0,
    APP_SIGN_IN, /* nobody is signed in, and it may help */
    APP_DENY,
    APP_BAD_PATH
};
struct app_decision {
    enum app_verdict verdict;
    const char *reason;          /* our own words */
    const struct app_path *path; /* whose rule decided; NULL: not a path's */
    const struct rule *rule;     /* what decided; NULL: no rule */
    const char *require;         /* the same as written */
    bool as_nobody;              /* the app does not take people of this provider */
};

/* `path` raw as in a URL, NULL: the app as a whole, as when somebody signs in to it; `method` NULL:
 * not known, then only entries for all methods match. */
struct app_decision app_decide(const struct app *app, const struct app_subject *s, const char *path,
                               const char *method);
/* The same with its trace: {"verdict", "reason", "path", "require", "terms"}. */
struct jval *app_explain(const struct app *app, const struct app_subject *s, const char *path,
                         const char *method);
const char *app_verdict_name(enum app_verdict v); /* "allow", "sign_in", "deny", "bad_path" */

#endif
