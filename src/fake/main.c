/* SPDX-License-Identifier: Apache-2.0 */
/* usher-fake: the command line. */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake/fake.h"
#include "sys/random.h"

static const char usage[] =
    "usher-fake [options]: look-alikes of Discord, Google and an OpenID provider\n"
    "  --listen ADDRESS:PORT  loopback only; port 0: any (default 127.0.0.1:0)\n"
    "  --ready-file FILE      write the base URL there once requests are answered\n"
    "  --client ID:SECRET     a client, instead of usher-dev:usher-dev-secret; may\n"
    "                         be repeated\n"
    "  --auto                 no page: the first person signs in, or login_hint\n"
    "  --fault SPEC           as POST /fake/faults takes it:\n"
    "                         'path=/google/token&fault=slow&ms=500'\n"
    "  --seed N               codes and tokens that are the same in every run\n"
    "  --help                 print this\n";

struct arguments {
    struct fake_options fake;
    const char *ready_file, *faults[16];
    size_t n_faults;
};

/* splitmix64, under a lock: the same bytes in every run, and nothing more is wanted of them. */
struct seeded {
    pthread_mutex_t lock;
    uint64_t state;
};

static void seeded_fill(void *ctx, void *out, size_t n)
{
    struct seeded *s = ctx;
    unsigned char *p = out;

    pthread_mutex_lock(&s->lock);
    while (n > 0) {
        uint64_t z = (s->state += 0x9e3779b97f4a7c15u);

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        for (int i = 0; i < 8 && n > 0; i++, n--, z >>= 8)
            *p++ = (unsigned char)z;
    }
    pthread_mutex_unlock(&s->lock);
}

static int add_client(struct arguments *a, char *text)
{
    char *colon = strchr(text, ':');

    if (!colon || a->fake.n_clients == FAKE_CLIENTS_MAX)
        return -1;
    *colon = 0;
    a->fake.clients[a->fake.n_clients++] = (struct fake_client){text, colon + 1};
    return 0;
}

/* -1: go on; otherwise the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *a, struct seeded *seed)
{
    static const struct option all[] = {
        {"listen", 1, NULL, 'l'}, {"ready-file", 1, NULL, 'r'}, {"client", 1, NULL, 'c'},
        {"auto", 0, NULL, 'a'},   {"fault", 1, NULL, 'f'},      {"seed", 1, NULL, 's'},
        {"help", 0, NULL, 'h'},   {NULL, 0, NULL, 0},
    };
    int64_t n;
    int c;

    while ((c = getopt_long(argc, argv, "h", all, NULL)) != -1) {
        if (c == 'l')
            a->fake.listen = optarg;
        else if (c == 'r')
            a->ready_file = optarg;
        else if (c == 'a')
            a->fake.approve = true;
        else if (c == 'f' && a->n_faults < 16)
            a->faults[a->n_faults++] = optarg;
        else if (c == 's' && text_int(str_of(optarg), &n)) {
            seed->state = (uint64_t)n;
            rng_set_source(seeded_fill, seed);
        } else if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        } else if (c != 'c' || add_client(a, optarg) < 0) {
            fputs(usage, stderr);
            return 2;
        }
    }
    return optind == argc ? -1 : 2;
}

static int add_faults(struct fake *f, const struct arguments *a, struct err *err)
{
    struct arena *arena = arena_new();
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < a->n_faults; i++) {
        struct fields spec;

        rc = form_parse(arena, str_of(a->faults[i]), HTTP_FIELDS_MAX, &spec, err);
        if (rc == 0)
            rc = faults_add(f->faults, &spec, err);
    }
    arena_free(&arena);
    return rc;
}

/* Whole or not at all: written beside and renamed. */
static int write_ready(const char *file, const char *base)
{
    char part[4096];
    FILE *out;
    int n = snprintf(part, sizeof part, "%s.new", file);

    if (n < 0 || (size_t)n >= sizeof part || !(out = fopen(part, "we")))
        return -1;
    n = fprintf(out, "%s\n", base);
    if (fclose(out) != 0 || n < 0)
        return -1;
    return rename(part, file);
}

static int run(const struct arguments *a)
{
    struct err err = ERR_INIT;
    struct fake *f;
    sigset_t ends;
    int got, rc = 1;

    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    f = fake_new(&a->fake, &err);
    if (!f || add_faults(f, a, &err) < 0) {
        fprintf(stderr, "usher-fake: %s\n", err.text);
        goto out;
    }
    keys_make(f->keys);
    fprintf(stderr,
            "usher-fake: WARNING: imitations of Discord and Google on %s, for development only; "
            "nothing "
            "here is secure.\n",
            f->base);
    if (a->ready_file && write_ready(a->ready_file, f->base) < 0) {
        fprintf(stderr, "usher-fake: cannot write %s\n", a->ready_file);
        goto out;
    }
    if (!a->ready_file) {
        printf("%s\n", f->base);
        fflush(stdout);
    }
    rc = sigwait(&ends, &got) == 0 ? 0 : 1;
out:
    fake_free(&f);
    return rc;
}

int main(int argc, char **argv)
{
    struct seeded seed = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct arguments a = {0};
    const int status = read_arguments(argc, argv, &a, &seed);

    return status >= 0 ? status : run(&a);
}
