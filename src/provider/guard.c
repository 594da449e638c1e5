/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/guard.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

#define SIGNALS 65

struct guard {
    struct sigaction actions[SIGNALS];
    bool known[SIGNALS];
    char *locale;
    int cwd; /* descriptor, -1: the folder is not readable */
    unsigned umask;
};

/* umask(2) cannot be read without being set, which other threads would see. */
static unsigned read_umask(void)
{
    char line[128];
    unsigned mask = 0;
    FILE *f = fopen("/proc/self/status", "re");
    if (!f)
        return 0;
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "Umask:", 6) == 0)
            mask = (unsigned)strtoul(line + 6, NULL, 8);
    fclose(f);
    return mask;
}

static void (*handler_of(const struct sigaction *a))(int)
{
    return a->sa_handler; /* shares its storage with sa_sigaction */
}

struct guard *guard_take(void)
{
    struct guard *g = mem_alloc(sizeof *g);
    for (int s = 1; s < SIGNALS; s++)
        g->known[s] = sigaction(s, NULL, &g->actions[s]) == 0;
    g->locale = mem_dup(setlocale(LC_ALL, NULL));
    g->cwd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g->umask = read_umask();
    return g;
}

static bool restore_cwd(const struct guard *g)
{
    struct stat before, after;
    if (g->cwd < 0 || fstat(g->cwd, &before) < 0)
        return true;
    if (stat(".", &after) == 0 && before.st_dev == after.st_dev && before.st_ino == after.st_ino)
        return true;
    if (fchdir(g->cwd) < 0)
        abort(); /* relative paths would mean something else from here on */
    return false;
}

const char *guard_compare(struct guard **gp)
{
    struct guard *g = *gp;
    const char *changed = NULL;
    for (int s = 1; s < SIGNALS; s++) {
        struct sigaction now;
        if (!g->known[s] || sigaction(s, NULL, &now) < 0 ||
            handler_of(&now) == handler_of(&g->actions[s]))
            continue;
        sigaction(s, &g->actions[s], NULL);
        changed = "a signal handler";
    }
    if (strcmp(g->locale, setlocale(LC_ALL, NULL)) != 0) {
        setlocale(LC_ALL, g->locale);
        changed = "the locale";
    }
    if (!restore_cwd(g))
        changed = "the working directory";
    if (read_umask() != g->umask) {
        umask((mode_t)g->umask);
        changed = "the umask";
    }
    if (g->cwd >= 0)
        close(g->cwd);
    free(g->locale);
    free(g);
    *gp = NULL;
    return changed;
}
