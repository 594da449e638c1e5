/* SPDX-License-Identifier: Apache-2.0 */
/* usherd: the daemon's command line. */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "live/config.h"
#include "main/daemon.h"
#include "main/harden.h"
#include "provider/registry.h"
#include "sys/log.h"

#define EXIT_WRONG 2 /* the configuration or the command line */

static const char usage[] =
    "usherd [options]: the usher daemon\n"
    "  -c, --config FILE      settings (default: " USHER_CONF_DIR "/usher.conf)\n"
    "      --check            say what is wrong with the settings, start nothing\n"
    "      --sample           print a usher.conf with every setting and its default\n"
    "      --ready-file FILE  write the public URL there once requests are answered\n"
    "  -V, --version          print the version\n"
    "  -h, --help             print this\n";

struct options {
    const char *config, *ready_file;
    bool config_given, check;
};

static int print_sample(void)
{
    struct buf out;
    buf_init(&out, 256 * 1024);
    config_sample(&out);
    fwrite(out.p, 1, out.n, stdout);
    buf_deinit(&out);
    return 0;
}

/* -1: go on; otherwise the exit status. */
static int options_read(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
        {"sample", no_argument, NULL, 's'},       {"ready-file", required_argument, NULL, 'r'},
        {"version", no_argument, NULL, 'V'},      {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;
    while ((c = getopt_long(argc, argv, "c:Vh", known, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->config = optarg;
            o->config_given = true;
            break;
        case 'k': o->check = true; break;
        case 's': return print_sample();
        case 'r': o->ready_file = optarg; break;
        case 'V': puts("usherd " PACKAGE_VERSION); return 0;
        case 'h': fputs(usage, stdout); return 0;
        default: fputs(usage, stderr); return EXIT_WRONG;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "usherd: \"%s\" is not expected here\n%s", argv[optind], usage);
    return EXIT_WRONG;
}

static int report(const struct conf_problems *p)
{
    fputs(p->text.p, stderr);
    fprintf(stderr, "usherd: %u problem%s in the configuration\n", p->n, p->n == 1 ? "" : "s");
    return EXIT_WRONG;
}

static int check(const struct config *c, struct conf_problems *p)
{
    const struct registry_options o = {.providers_dir = c->providers.dir,
                                       .plugin_dir = c->providers.plugin_dir,
                                       .environment = true,
                                       .allow_http_loopback = c->providers.allow_http_loopback};
    struct registry *r = registry_load(&o, p);
    const size_t n = registry_count(r);
    registry_free(&r);
    if (p->n > 0)
        return report(p);
    printf("usherd: the configuration is fine; %zu provider%s\n", n, n == 1 ? "" : "s");
    return 0;
}

static int run(struct config *c, const struct options *o)
{
    struct err err = ERR_INIT;
    if (log_open(STDERR_FILENO, (enum log_format)c->log.format, (enum log_level)c->log.level,
                 &err) != 0) {
        fprintf(stderr, "usherd: %s\n", err.text);
        return 1;
    }
    const int result = daemon_run(c, o->ready_file, &err);
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
    harden_process();
    conf_problems_init(&p);
    struct config *c = config_load(o.config, o.config_given, NULL, &p);
    if (c == NULL)
        status = report(&p);
    else
        status = o.check ? check(c, &p) : run(c, &o);
    config_free(&c);
    conf_problems_deinit(&p);
    return status;
}
