/* SPDX-License-Identifier: Apache-2.0 */
#include "main/options.h"

#include <getopt.h>
#include <stdio.h>

#include "sys/conf_doc.h"

enum { LONG_ONLY = 256 }; /* and the row's number */

static const struct {
    char letter; /* 0: none */
    const char *name, *value, *help;
} rows[] = {
    {'c', "config", "FILE", "settings (default: " USHER_CONF_DIR "/usher.conf)"},
    {0, "check", NULL, "say what is wrong with the settings, and end"},
    {0, "describe", "[WHAT [FORM]]", "print settings: usher.conf, plugin or provider"},
    {0, "sample", NULL, "print a usher.conf with all settings"},
    {0, "ready-file", "FILE", "write the public URL there when ready"},
    {'V', "version", NULL, "print the version"},
    {'h', "help", NULL, "print this"},
};
#define N_ROWS (sizeof rows / sizeof *rows)
enum { CHECK = 1, DESCRIBE = 2, SAMPLE = 3, READY_FILE = 4 }; /* rows without a letter */

static void usage(FILE *to)
{
    fputs("usherd [options]: the usher daemon\n", to);
    for (size_t i = 0; i < N_ROWS; i++) {
        char left[64];
        snprintf(left, sizeof left, "  %c%c%c --%s%s%s", rows[i].letter ? '-' : ' ',
                 rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? ',' : ' ', rows[i].name,
                 rows[i].value ? " " : "", rows[i].value ? rows[i].value : "");
        fprintf(to, "%-30s  %s\n", left, rows[i].help);
    }
}

void options_man(struct buf *out)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        buf_text(out, ".TP\n");
        if (rows[i].letter)
            buf_printf(out, "\\fB\\-%c\\fR, ", rows[i].letter);
        buf_text(out, "\\fB\\-\\-");
        for (const char *c = rows[i].name; *c; c++)
            buf_printf(out, "%s%c", *c == '-' ? "\\" : "", *c);
        buf_printf(out, "\\fR%s\\fI%s\\fR\n", rows[i].value ? " " : "",
                   rows[i].value ? rows[i].value : "");
        conf_man_text(out, rows[i].help);
        buf_byte(out, '\n');
    }
}

static int wrong(const char *what)
{
    fprintf(stderr, "usherd: \"%s\" is not expected here\n", what);
    usage(stderr);
    return EXIT_WRONG;
}

/* What --describe is to tell about stands behind the options. */
static int take_words(int argc, char **argv, struct options *o)
{
    if (o->describe && !o->what && optind < argc)
        o->what = argv[optind++];
    if (o->describe && optind < argc)
        o->form = argv[optind++];
    return optind < argc ? wrong(argv[optind]) : -1;
}

/* One option; -1: go on. */
static int take(int c, struct options *o)
{
    switch (c) {
    case 'c':
        o->config = optarg;
        o->config_given = true;
        return -1;
    case LONG_ONLY + CHECK:
        o->check = true;
        return -1;
    case LONG_ONLY + SAMPLE:
        o->what = "usher.conf";
        o->describe = true;
        return -1;
    case LONG_ONLY + DESCRIBE:
        o->describe = true;
        return -1;
    case LONG_ONLY + READY_FILE:
        o->ready_file = optarg;
        return -1;
    case 'V':
        puts("usherd " PACKAGE_VERSION);
        return 0;
    case 'h':
        usage(stdout);
        return 0;
    default:
        usage(stderr);
        return EXIT_WRONG;
    }
}

int options_read(int argc, char **argv, struct options *o)
{
    struct option known[N_ROWS + 1] = {{NULL, 0, NULL, 0}};
    int c, status = -1;
    for (size_t i = 0; i < N_ROWS; i++)
        known[i] = (struct option){
            .name = rows[i].name,
            .has_arg = rows[i].value && *rows[i].value != '[' ? required_argument : no_argument,
            .val = rows[i].letter ? rows[i].letter : LONG_ONLY + (int)i};
    while (status < 0 && (c = getopt_long(argc, argv, "c:Vh", known, NULL)) != -1)
        status = take(c, o);
    return status < 0 ? take_words(argc, argv, o) : status;
}
