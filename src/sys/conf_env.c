/* SPDX-License-Identifier: Apache-2.0 */
/* conf's view of the environment: the process's own, or a copy from before it was wiped. */
#include <stdlib.h>
#include <string.h>

#include "sys/conf.h"

extern char **environ;

struct conf_env {
    char **v; /* NULL-ended, as environ */
    size_t n;
};

struct conf_env *conf_env_copy(void)
{
    struct conf_env *e = mem_alloc(sizeof *e);
    while (environ && environ[e->n])
        e->n++;
    e->v = mem_alloc((e->n + 1) * sizeof *e->v);
    for (size_t i = 0; i < e->n; i++)
        e->v[i] = mem_dup(environ[i]);
    return e;
}

void conf_env_free(struct conf_env **env)
{
    struct conf_env *e = *env;
    if (!e)
        return;
    *env = NULL;
    for (size_t i = 0; i < e->n; i++) {
        seal_wipe(e->v[i], strlen(e->v[i]));
        free(e->v[i]);
    }
    free(e->v);
    free(e);
}

const char *conf_env_at(const struct conf_env *e, size_t i)
{
    if (e)
        return i < e->n ? e->v[i] : NULL;
    return environ ? environ[i] : NULL;
}

const char *conf_env_get(const struct conf_env *e, const char *name)
{
    const size_t n = strlen(name);
    const char *one;
    if (!e)
        return getenv(name);
    for (size_t i = 0; (one = conf_env_at(e, i)); i++)
        if (strncmp(one, name, n) == 0 && one[n] == '=')
            return one + n + 1;
    return NULL;
}
