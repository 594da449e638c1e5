/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_tool sample PLUGINS NAME       the sample file of a plugin, from its table
 * provider_tool check PLUGINS FILE...     what `usherd --check` says about provider files
 *
 * A file's name up to the first dot is the provider's id.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provider/load.h"
#include "provider/registry.h"

static int sample(const char *dir, const char *name)
{
    struct err err = ERR_INIT;
    const struct usher_provider *p = plugin_load(dir, name, &err);
    if (!p) {
        fprintf(stderr, "%s\n", err.text);
        return EXIT_FAILURE;
    }
    const struct conf_table tables[] = {
        {.section = "", .rows = provider_common_settings, .n = provider_common_n},
        {.section = "", .rows = p->settings, .n = p->n_settings},
    };
    struct buf b;
    buf_init(&b, 256 * 1024);
    conf_sample(&tables[0], &b);
    buf_printf(&b, "\n# ---- what plugin %s wants to know\n", p->name);
    conf_sample(&tables[1], &b);
    fputs(b.p, stdout);
    buf_deinit(&b);
    return EXIT_SUCCESS;
}

/* 0 if the provider is fine and usable. */
static int check(const char *dir, const char *path)
{
    static char text[65536];
    const struct registry_options o = {.plugin_dir = dir};
    struct conf_problems problems;
    const char *slash = strrchr(path, '/');
    char id[64];
    snprintf(id, sizeof id, "%s", slash ? slash + 1 : path);
    id[strcspn(id, ".")] = 0;
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        fclose(f);
    conf_problems_init(&problems);
    struct registry *r = registry_text(&o, id, (struct str){text, n}, &problems);
    const struct provider *p = registry_find(r, id);
    bool good = p && p->usable && problems.n == 0;
    printf("%s %s: %s\n", good ? "ok" : "FAILED", id, good ? p->plugin->name : problems.text.p);
    registry_free(&r);
    conf_problems_deinit(&problems);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    int failed = argc < 4;
    if (argc == 4 && strcmp(argv[1], "sample") == 0)
        return sample(argv[2], argv[3]);
    for (int i = 3; i < argc; i++)
        failed |= check(argv[2], argv[i]);
    return failed;
}
