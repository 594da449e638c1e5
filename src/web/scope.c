/* SPDX-License-Identifier: Apache-2.0 */
#include "web/scope.h"

static const struct {
    const char *scope, *text;
    bool fixed;
} known[] = {
    {"openid", "a number that stands for your account", true},
    {"profile", "your name, username and picture", false},
    {"email", "your e-mail address", false},
    {"groups", "the groups and teams you are in elsewhere", false},
    {"roles", "your roles on this site", false},
    {"offline_access", "all of this also while you are not there", false},
};

struct jval *scope_entry(struct arena *a, struct str scope)
{
    struct jval *o = jval_new_object();
    const char *name = arena_dupn(a, scope.p, scope.n), *text = name;
    bool fixed = false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_is(scope, known[i].scope)) {
            text = known[i].text;
            fixed = known[i].fixed;
        }
    jval_set_text(o, "name", name);
    jval_set_text(o, "text", text);
    jval_set_bool(o, "fixed", fixed);
    return o;
}

struct jval *scope_list(struct arena *a, const char *scopes)
{
    struct str rest = str_of(scopes), word;
    struct jval *list = jval_new_array();
    while (str_split(&rest, ' ', &word))
        if (word.n > 0)
            jval_push(list, scope_entry(a, word));
    return list;
}

const char *scope_words(struct arena *a, const char *scopes)
{
    struct str rest = str_of(scopes), word;
    const char *line = "";
    while (str_split(&rest, ' ', &word)) {
        if (word.n == 0)
            continue;
        struct jval *o = scope_entry(a, word);
        const char *text = jval_text(jval_get(o, "text"));
        line = line[0] ? arena_printf(a, "%s; %s", line, text) : arena_dup(a, text);
        jval_free(&o);
    }
    return line;
}
