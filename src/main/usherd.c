/* SPDX-License-Identifier: Apache-2.0 */
/* usherd: the daemon, and what its command line asks for instead. */
#include <stdio.h>
#include <unistd.h>

#include "live/build.h"
#include "live/config.h"
#include "main/daemon.h"
#include "main/harden.h"
#include "main/manual.h"
#include "main/options.h"
#include "sys/log.h"

static int report(const struct conf_problems *p)
{
    fputs(p->text.p, stderr);
    fprintf(stderr, "usherd: %u problem%s in the configuration\n", p->n, p->n == 1 ? "" : "s");
    return EXIT_WRONG;
}

static int check(const struct config *c, struct conf_problems *p)
{
    const struct registry_options o = build_registry_options(c, NULL);
    const struct apps_options ao = build_apps_options(c, NULL, NULL);
    struct registry *r = registry_load(&o, p);
    struct apps *a = apps_load(&ao, p);
    const size_t n = registry_count(r), m = apps_count(a);
    registry_free(&r);
    apps_free(&a);
    if (p->n > 0)
        return report(p);
    printf("usherd: the configuration is fine; %zu provider%s, %zu app%s\n", n, n == 1 ? "" : "s",
           m, m == 1 ? "" : "s");
    return 0;
}

/* c may be NULL where no plugin is needed. */
static int describe(const struct options *o, const struct config *c)
{
    struct err err = ERR_INIT;
    struct buf out;
    buf_init(&out, 1024 * 1024);
    int result = manual_print(o->what, o->form, c ? c->providers.plugin_dir : NULL, &out, &err);
    if (result != 0)
        fprintf(stderr, "usherd: %s\n", err.text);
    else if (!buf_ok(&out) || fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0)
        result = 1;
    buf_deinit(&out);
    return result < 0 ? EXIT_WRONG : result;
}

static int run(struct config *c, const struct options *o)
{
    struct err err = ERR_INIT;
    if (log_open(STDERR_FILENO, (enum log_format)c->log.format, (enum log_level)c->log.level,
                 &err) != 0) {
        fprintf(stderr, "usherd: %s\n", err.text);
        return 1;
    }
    const struct daemon_args args = {.config = c,
                                     .config_path = o->config,
                                     .config_required = o->config_given,
                                     .ready_file = o->ready_file};
    const int result = daemon_run(&args, &err);
    if (result != 0)
        log_error(NULL, LOG_ERROR, "daemon.failed", &err);
    log_close();
    return result == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct options o = {.config = USHER_CONF_DIR "/usher.conf"};
    struct conf_problems p;
    int status = options_read(argc, argv, &o);
    if (status >= 0)
        return status;
    if (o.describe && !manual_needs_plugin(o.what))
        return describe(&o, NULL);
    harden_process();
    conf_problems_init(&p);
    struct config *c = config_load(o.config, o.config_given, NULL, &p);
    if (c == NULL)
        status = report(&p);
    else if (o.describe)
        status = describe(&o, c);
    else
        status = o.check ? check(c, &p) : run(c, &o);
    config_free(&c);
    conf_problems_deinit(&p);
    return status;
}
