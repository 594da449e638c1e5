/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay FILE.flow…: play recorded conversations against the real plugins. Plugins come from
 * $USHER_PLUGIN_DIR, or from the build tree's plugins and tests/plugins. See docs/replay-tests.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay/sweep.h"

static const unsigned char ring_key[32] = "a key for replayed flows, 32 byt";

/* The folder that has the plugin, else the first one, whose error then tells. */
static const char *plugin_dir(struct arena *a, const char *plugin)
{
    const char *given = getenv("USHER_PLUGIN_DIR"), *top = getenv("top_builddir");
    if (given)
        return given;
    if (!top)
        top = ".";
    const char *tests = arena_printf(a, "%s/tests/plugins/.libs", top);
    if (access(arena_printf(a, "%s/%s.so", tests, plugin), R_OK) == 0)
        return tests;
    return arena_printf(a, "%s/plugins/.libs", top);
}

/* The plugin's name: a "plugin = x" line of CONFIG, or the provider's id. */
static const char *plugin_name(struct arena *a, const struct script *s)
{
    struct str rest = str_of(s->v[0].body), line, key;
    while (str_split(&rest, '\n', &line))
        if (str_split(&line, '=', &key) && str_is(key, "plugin"))
            return arena_str(a, str_trim(line));
    return s->provider;
}

static struct registry *load(const struct script *s, struct arena *a)
{
    struct conf_problems problems;
    const struct registry_options o = {.plugin_dir = plugin_dir(a, plugin_name(a, s)),
                                       .allow_http_loopback =
                                           strstr(s->v[0].body, "http://") != NULL};
    conf_problems_init(&problems);
    struct registry *r = registry_text(&o, s->provider, str_of(s->v[0].body), &problems);
    const struct provider *p = r ? registry_find(r, s->provider) : NULL;
    if (problems.n || !p || !p->usable) {
        fprintf(stderr, "%s: %s%s\n", s->path, problems.text.p, p && p->reason ? p->reason : "");
        registry_free(&r);
    }
    conf_problems_deinit(&problems);
    return r;
}

static int play(const char *path, const struct answer_keys *keys)
{
    struct arena *a = arena_new();
    struct script script;
    struct err err = ERR_INIT;
    struct run_outcome good;
    struct keyring *ring = keyring_fixed(ring_key);
    struct registry *registry = NULL;
    size_t runs = 0, wrong = 1;
    if (script_read(path, a, &script, &err) != 0) {
        fprintf(stderr, "%s: %s\n", path, err.text);
        goto out;
    }
    registry = load(&script, a);
    if (!registry)
        goto out;
    const struct run base = {.script = &script,
                             .provider = registry_find(registry, script.provider),
                             .keys = keys,
                             .ring = ring};
    run_script(&base, &good);
    if (*good.complaint) {
        fprintf(stderr, "%s\n", good.complaint);
        goto out;
    }
    wrong = sweep_script(&base, &good, &runs);
    printf("%s: %s, %zu faults, %zu wrong\n", path, good.done ? "done" : err_kind_name(good.kind),
           runs, wrong);
out:
    registry_free(&registry);
    keyring_free(&ring);
    arena_free(&a);
    return wrong ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct answer_keys keys;
    int failed = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: replay FILE.flow…\n");
        return EXIT_FAILURE;
    }
    answer_keys_make(&keys);
    for (int i = 1; i < argc; i++)
        failed |= play(argv[i], &keys);
    answer_keys_free(&keys);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
