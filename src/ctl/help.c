/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/help.h"

#include <string.h>

#include "base/text.h"

#define LINE_MAX_COLUMNS 79
#define LEFT_MAX_COLUMNS 27 /* what is longer has a line to itself */

static bool below(const struct ctl_command *c, const char *first)
{
    const size_t n = first ? strlen(first) : 0;
    return !first || (strncmp(c->name, first, n) == 0 && (c->name[n] == ' ' || !c->name[n]));
}

/* ---- lines and columns */

/* In lines that begin at column `indent`; the first is there already. */
static void print_text(FILE *out, const char *text, size_t indent)
{
    struct str rest = str_of(text), word;
    size_t column = indent;
    while (str_split(&rest, ' ', &word)) {
        if (column > indent && column + 1 + word.n > LINE_MAX_COLUMNS) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        fprintf(out, "%s%.*s", column > indent ? " " : "", (int)word.n, word.p);
        column += word.n + (column > indent);
    }
    fputc('\n', out);
}

static void print_row(FILE *out, const char *left, size_t width, const char *text)
{
    if (strlen(left) > width)
        fprintf(out, "  %s\n%*s", left, (int)width + 4, "");
    else
        fprintf(out, "  %-*s  ", (int)width, left);
    print_text(out, text, width + 4);
}

static void widen(size_t *width, const char *left)
{
    const size_t n = strlen(left);
    if (n > *width && n <= LEFT_MAX_COLUMNS)
        *width = n;
}

#define LEFT_BYTES 64

static void option_left(const struct ctl_option *o, char left[LEFT_BYTES])
{
    snprintf(left, LEFT_BYTES, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
}

static void command_left(const struct ctl_command *c, char left[LEFT_BYTES])
{
    snprintf(left, LEFT_BYTES, "%s%s%s", c->name, c->args[0] ? " " : "", c->args);
}

/* ---- what --help prints */

static size_t options_width(size_t width, const struct ctl_option *v, size_t n)
{
    char left[LEFT_BYTES];
    for (size_t i = 0; i < n; i++) {
        option_left(&v[i], left);
        widen(&width, left);
    }
    return width;
}

static void print_options(FILE *out, const struct ctl_command *c)
{
    char left[LEFT_BYTES];
    const size_t own = c ? c->n_options : 0;
    size_t width = options_width(0, ctl_global_options, ctl_global_options_n);
    if (own > 0) {
        width = options_width(width, c->options, own);
        fputs("\nOptions\n", out);
    }
    for (size_t i = 0; i < own; i++) {
        option_left(&c->options[i], left);
        print_row(out, left, width, c->options[i].help);
    }
    fputs("\nOptions of every command\n", out);
    for (size_t i = 0; i < ctl_global_options_n; i++) {
        option_left(&ctl_global_options[i], left);
        print_row(out, left, width, ctl_global_options[i].help);
    }
}

/* Both belong to one group: "provider add" and "provider edit". */
static bool akin(const struct ctl_command *a, const struct ctl_command *b)
{
    const size_t n = strcspn(a->name, " ");
    return n == strcspn(b->name, " ") && strncmp(a->name, b->name, n) == 0;
}

static bool alone(size_t i)
{
    return (i == 0 || !akin(&ctl_commands[i - 1], &ctl_commands[i])) &&
           (i + 1 == ctl_commands_n || !akin(&ctl_commands[i], &ctl_commands[i + 1]));
}

static void print_commands(FILE *out, const char *first)
{
    char left[LEFT_BYTES];
    size_t width = 0;
    for (size_t i = 0; i < ctl_commands_n; i++) {
        command_left(&ctl_commands[i], left);
        if (below(&ctl_commands[i], first))
            widen(&width, left);
    }
    for (size_t i = 0; i < ctl_commands_n; i++) {
        const struct ctl_command *c = &ctl_commands[i];
        if (!below(c, first))
            continue;
        if (!first && i > 0 && !akin(c - 1, c) && !(alone(i - 1) && alone(i)))
            fputc('\n', out);
        command_left(c, left);
        print_row(out, left, width, c->summary);
    }
}

void help_group(FILE *out, const char *first)
{
    fprintf(out, "usherctl %s: one of\n", first);
    print_commands(out, first);
}

static void print_one(FILE *out, const struct ctl_command *c)
{
    fprintf(out, "usage: usherctl %s%s%s [options]\n\n", c->name, c->args[0] ? " " : "", c->args);
    print_text(out, c->summary, 0);
    if (c->help) {
        fputc('\n', out);
        print_text(out, c->help, 0);
    }
    print_options(out, c);
}

void help_print(FILE *out, const struct ctl_command *c, const char *first)
{
    if (c) {
        print_one(out, c);
        return;
    }
    for (size_t i = 0; first && i < ctl_commands_n; i++)
        if (below(&ctl_commands[i], first)) {
            help_group(out, first);
            return;
        }
    fputs("usherctl: administer usher\n\n"
          "usage: usherctl COMMAND [options]\n"
          "       usherctl COMMAND --help      more about a command, or a group of them\n\n"
          "Commands\n",
          out);
    print_commands(out, NULL);
    print_options(out, NULL);
    fputc('\n', out);
    print_text(out,
               "Exit status: 0 done, 1 refused or found wrong, 2 misused, 3 no answer, 4 not "
               "allowed, 5 changed by somebody else meanwhile.",
               0);
}

/* ---- shell completion: every word that may follow what is there */

static void print_words(size_t depth, const char *before)
{
    struct str printed[128];
    size_t n = 0;
    for (size_t i = 0; i < ctl_commands_n; i++) {
        struct str rest = str_of(ctl_commands[i].name), word = {NULL, 0};
        bool fits = true;
        for (size_t k = 0; k <= depth && fits; k++) {
            fits = str_split(&rest, ' ', &word);
            if (fits && k < depth)
                fits = str_is(word, before);
        }
        for (size_t k = 0; k < n && fits; k++)
            fits = !str_eq(printed[k], word);
        if (fits && n < 128) {
            printed[n++] = word;
            printf(" %.*s", (int)word.n, word.p);
        }
    }
}

/* The first words that have second ones. */
static void print_groups(void)
{
    const char *last = "";
    for (size_t i = 0; i < ctl_commands_n; i++) {
        const size_t n = strcspn(ctl_commands[i].name, " ");
        if (!ctl_commands[i].name[n] || strncmp(last, ctl_commands[i].name, n + 1) == 0)
            continue;
        last = ctl_commands[i].name;
        char first[32];
        snprintf(first, sizeof first, "%.*s", (int)n, last);
        printf("        %s) words=\"", first);
        print_words(1, first);
        fputs("\" ;;\n", stdout);
    }
}

/* The options of each command, behind those of every one. */
static void print_command_options(void)
{
    for (size_t i = 0; i < ctl_commands_n; i++) {
        const struct ctl_command *k = &ctl_commands[i];
        if (k->n_options == 0)
            continue;
        printf("        \"%s%s) words+=\"", k->name, strchr(k->name, ' ') ? "\"" : " \"*");
        for (size_t o = 0; o < k->n_options; o++)
            printf(" --%s", k->options[o].name);
        fputs("\" ;;\n", stdout);
    }
}

int ctl_completion(struct ctl *c, const struct ctl_args *a)
{
    (void)c;
    (void)a;
    fputs("# bash completion for usherctl, made by `usherctl completion bash`\n"
          "_usherctl() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} words=\n"
          "    if [[ $word == -* ]]; then words=\"",
          stdout);
    for (size_t i = 0; i < ctl_global_options_n; i++)
        printf(" --%s", ctl_global_options[i].name);
    fputs("\"\n        case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n", stdout);
    print_command_options();
    fputs("        esac\n    elif [[ $COMP_CWORD -eq 1 ]]; then words=\"", stdout);
    print_words(0, "");
    fputs("\"\n    elif [[ $COMP_CWORD -eq 2 ]]; then case ${COMP_WORDS[1]} in\n", stdout);
    print_groups();
    fputs("        esac\n"
          "    elif [[ $COMP_CWORD -eq 3 && ${COMP_WORDS[1]} == provider && "
          "${COMP_WORDS[2]} != add ]]; then\n"
          "        words=$(usherctl provider list --json 2>/dev/null |\n"
          "            grep -o '\"id\":\"[a-z0-9-]*\"' | cut -d'\"' -f4)\n"
          "    fi\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "}\n"
          "complete -F _usherctl usherctl\n",
          stdout);
    return CTL_DONE;
}

/* ---- the manual page, in mdoc(7) */

static void print_roff(const char *text)
{
    for (bool start = true; *text; start = false, text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
    }
    putchar('\n');
}

static void manual_options(const struct ctl_option *v, size_t n)
{
    fputs(".Bl -tag -width Ds\n", stdout);
    for (size_t i = 0; i < n; i++) {
        printf(".It Fl \\-%s%s%s\n", v[i].name, v[i].arg ? " Ar " : "", v[i].arg ? v[i].arg : "");
        print_roff(v[i].help);
    }
    fputs(".El\n", stdout);
}

int ctl_manual(struct ctl *c, const struct ctl_args *a)
{
    (void)c;
    (void)a;
    fputs(
        ".\\\" SPDX-License-Identifier: Apache-2.0\n"
        ".\\\" Made by `usherctl manual` from the table of commands.\n"
        ".Dd $Mdocdate$\n.Dt USHERCTL 1\n.Os usher\n"
        ".Sh NAME\n.Nm usherctl\n.Nd administer usher\n"
        ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar arguments\n.Op Ar options\n"
        ".Sh DESCRIPTION\nTalks to a running\n.Xr usherd 8\nover its admin socket, or to one "
        "elsewhere over https with an API token.\nSecrets are never arguments: they are asked for "
        "without echo, or read from standard input.\n"
        ".Sh COMMANDS\n.Bl -tag -width Ds\n",
        stdout);
    for (size_t i = 0; i < ctl_commands_n; i++) {
        const struct ctl_command *k = &ctl_commands[i];
        printf(".It Cm %s%s%s\n", k->name, k->args[0] ? " Ar " : "", k->args);
        print_roff(k->summary);
        if (k->help) {
            fputs(".Pp\n", stdout);
            print_roff(k->help);
        }
        if (k->n_options > 0)
            manual_options(k->options, k->n_options);
    }
    fputs(".El\n.Sh OPTIONS\n", stdout);
    manual_options(ctl_global_options, ctl_global_options_n);
    fputs(".Sh EXIT STATUS\n0 done; 1 refused, or a test found something wrong; 2 misused; 3 no "
          "answer; 4 not allowed; 5 changed by somebody else meanwhile.\n"
          ".Sh SEE ALSO\n.Xr usherd 8 ,\n.Xr usher.conf 5\n",
          stdout);
    return CTL_DONE;
}
