/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/act.h"

#include "base/json.h"

#define CLAIMS_MAX (16u * 1024) /* as much as a token's payload may hold */

/* NULL, or why the app cannot be put on top of them. */
static const char *judge(const struct jval *act, const char *app)
{
    for (size_t n = 1; jval_type(act) != JVAL_NONE; n++, act = jval_get(act, "act")) {
        const char *sub = jval_text(jval_get(act, "sub"));
        if (!sub)
            return "the claim act is broken";
        if (strcmp(sub, app) == 0)
            return "this app acts in this token already";
        if (n == ACT_MAX)
            return "this token went through too many apps";
    }
    return NULL;
}

int act_chain(struct arena *a, const char *claims, const char *apps[ACT_MAX])
{
    struct err err = ERR_INIT;
    int n = 0, depth;
    if (!claims || !strstr(claims, "\"act\":")) /* most tokens: no parser for them */
        return 0;
    struct jval *all = jval_parse(str_of(claims), CLAIMS_MAX, JSON_DEPTH_MAX, &err);
    const struct jval *first = jval_get(all, "act"), *act = first;
    for (depth = 0; jval_type(act) != JVAL_NONE && depth <= ACT_MAX; depth++)
        act = jval_get(act, "act");
    if (!all || depth > ACT_MAX)
        n = -1;
    for (act = first; n >= 0 && n < depth; n++, act = jval_get(act, "act")) {
        const char *sub = jval_text(jval_get(act, "sub"));
        if (!sub) {
            n = -1;
            break;
        }
        apps[depth - 1 - n] = arena_dup(a, sub);
    }
    jval_free(&all);
    return n;
}

const char *act_over(struct arena *a, const char *claims, const char *app, const char **why)
{
    struct err err = ERR_INIT;
    struct buf text;
    const char *out = NULL;
    struct jval *all =
        claims ? jval_parse(str_of(claims), CLAIMS_MAX, JSON_DEPTH_MAX, &err) : jval_new_object();
    const struct jval *before = jval_get(all, "act");
    struct jval *act = jval_new_object();
    buf_init(&text, CLAIMS_MAX);
    *why = jval_type(all) == JVAL_OBJECT ? judge(before, app) : "the token's claims are broken";
    if (*why)
        goto out;
    jval_set_text(act, "sub", app);
    if (before)
        jval_set(act, "act", jval_copy(before));
    jval_set(all, "act", jval_ref(act));
    jval_render(all, &text);
    if (buf_ok(&text))
        out = arena_str(a, buf_view(&text));
    else
        *why = "the token says too much";
out:
    buf_deinit(&text);
    jval_free(&act);
    jval_free(&all);
    return out;
}
