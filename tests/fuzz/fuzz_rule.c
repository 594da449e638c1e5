/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules and paths. The input is lines: an expression, a pattern of a path, and a request's path.
 * What parses must answer, negating it twice must change nothing, and nobody who is signed out may
 * pass but by `anyone`, `nobody` and `network:`. What path_read takes must be readable in one way:
 * decoding it once more gives nothing new, and no segment may lead anywhere.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/path.h"
#include "app/rule.h"
#include "usher/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds)
        abort();
}

static const struct rule *negated_twice(struct str text, struct arena *a)
{
    struct err err = ERR_INIT;
    const struct rule *r = NULL;
    const char *twice = arena_printf(a, "not (not (%.*s))", (int)text.n, text.p);
    return rule_parse(str_of(twice), a, &r, &err) == 0 ? r : NULL;
}

static void try_rule(struct str text, struct arena *a)
{
    struct err err = ERR_INIT;
    const struct rule *r = NULL;
    const struct app_subject nobody = app_nobody("192.0.2.7");
    struct app_subject ann = nobody;
    if (rule_parse(text, a, &r, &err) != 0) {
        must(err.kind == ERR_INVALID && err.text[0]);
        return;
    }
    ann.signed_in = true;
    ann.account = "a";
    ann.provider = "discord";
    ann.email = "ann@example.com";
    ann.email_evidence = USHER_EVIDENCE_AUTHORITATIVE;
    ann.groups = "discord:1,discord:2";
    ann.roles = "admin";
    const struct rule *twice = negated_twice(text, a);
    must(!twice || (rule_ask(twice, &ann) == rule_ask(r, &ann) &&
                    rule_ask(twice, &nobody) == rule_ask(r, &nobody)));
    const char *copy = arena_str(a, text);
    if (!strstr(copy, "anyone") && !strstr(copy, "nobody") && !strstr(copy, "network:"))
        must(rule_ask(r, &nobody) == RULE_UNKNOWN);
    struct jval *trace = rule_trace(r, &ann);
    must(jval_count(trace) >= 1 && jval_count(trace) <= RULE_TERMS_MAX);
    jval_free(&trace);
}

static void try_path(const struct path *p, struct arena *a)
{
    struct path again;
    const char *with_root = arena_printf(a, "%s/", p->text);
    must(p->n == 0 || p->text[0] == '/');
    must(!strstr(with_root, "//") && !strstr(with_root, "/./") && !strstr(with_root, "/../"));
    must(!strpbrk(p->text, ";\\") && strlen(p->text) == p->n);
    if (!strpbrk(with_root, "%?#")) { /* what is left to decode is data, and no triplet */
        must(path_read(str_of(with_root), &again));
        must(again.n == p->n && memcmp(again.text, p->text, p->n) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct str rest = {(const char *)data, size}, rule, pattern, raw;
    struct path_pattern pp;
    static struct path path;
    struct err err = ERR_INIT;
    if (str_split(&rest, '\n', &rule))
        try_rule(rule, a);
    const bool has = str_split(&rest, '\n', &pattern);
    if (has && str_split(&rest, '\n', &raw) && path_read(raw, &path)) {
        const char *text = arena_str(a, pattern);
        try_path(&path, a);
        if (!memchr(pattern.p, 0, pattern.n) && path_pattern_read(text, &pp, &err) == 0 &&
            path_matches(&pp, &path))
            must(pp.prefix || path.n == pp.n);
    }
    arena_free(&a);
    return 0;
}
