/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_tool PLUGINS FILE...     what `usherd --check` says about provider files
 *
 * A file's name up to the first dot is the provider's id.
 */
#include <stdio.h>
#include <string.h>

#include "provider/registry.h"

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
    int failed = argc < 3;
    for (int i = 2; i < argc; i++)
        failed |= check(argv[1], argv[i]);
    return failed;
}
