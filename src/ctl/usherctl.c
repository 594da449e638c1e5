/* SPDX-License-Identifier: Apache-2.0 */
/* usherctl: from the command line to a command of the table. */
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/client.h"
#include "ctl/help.h"

int ctl_misused(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("usherctl: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    return CTL_USAGE;
}

const char *ctl_option(const struct ctl_args *a, const char *name)
{
    for (size_t i = a->n_options; i-- > 0;)
        if (strcmp(a->option[i].name, name) == 0)
            return a->option[i].value;
    return NULL;
}

bool ctl_printed(const struct ctl *c, const struct jval *body)
{
    struct buf out;
    if (!c->json)
        return false;
    buf_init(&out, 64u * 1024 * 1024);
    jval_render(body, &out);
    fwrite(out.p, 1, out.n, stdout);
    fputc('\n', stdout);
    buf_deinit(&out);
    return true;
}

/* ---- which command */

static size_t words_of(const char *name)
{
    size_t n = 1;
    for (; *name; name++)
        n += *name == ' ';
    return n;
}

/* Whether the words typed begin with the command's. */
static bool is_called(const struct ctl_command *c, char **words, size_t n)
{
    struct str rest = str_of(c->name), word;
    if (words_of(c->name) > n)
        return false;
    for (size_t i = 0; str_split(&rest, ' ', &word); i++)
        if (!str_is(word, words[i]))
            return false;
    return true;
}

static const struct ctl_command *find_command(char **words, size_t n)
{
    const struct ctl_command *best = NULL;
    for (size_t i = 0; i < ctl_commands_n; i++)
        if (is_called(&ctl_commands[i], words, n) &&
            (!best || words_of(best->name) < words_of(ctl_commands[i].name)))
            best = &ctl_commands[i];
    return best;
}

/* ---- options: they may stand anywhere, "--name value" or "--name=value" */

static const struct ctl_option *known(const struct ctl_option *v, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(name, v[i].name))
            return &v[i];
    return NULL;
}

static const struct ctl_option *option_named(const struct ctl_command *c, struct str name)
{
    const struct ctl_option *o = known(ctl_global_options, ctl_global_options_n, name);
    return o || !c ? o : known(c->options, c->n_options, name);
}

/* What was typed, parted into words and options. `command` is NULL in the first round, which only
 * looks for the words; then every option passes, and none takes the next word with it unless it is
 * known to by some command. */
struct typed {
    char *word[CTL_ARGS_MAX + 4];
    size_t n;
};

static bool takes_value(struct str name)
{
    const struct ctl_option *o = option_named(NULL, name);
    for (size_t i = 0; !o && i < ctl_commands_n; i++)
        o = known(ctl_commands[i].options, ctl_commands[i].n_options, name);
    return o && o->arg;
}

/* What follows "--", or NULL for what is no option. */
static const char *option_text(const char *arg)
{
    if (strcmp(arg, "-f") == 0)
        return "follow";
    return strncmp(arg, "--", 2) == 0 && arg[2] ? arg + 2 : NULL;
}

/* What stands behind "--" is no option: an id may begin so. */
static bool ends_options(const char *arg)
{
    return strcmp(arg, "--") == 0;
}

static int part(int argc, char **argv, struct typed *t)
{
    static char help[] = "help";
    bool plain = false;
    for (int i = 1; i < argc; i++) {
        const char *option = plain ? NULL : option_text(argv[i]);
        if (!plain && ends_options(argv[i])) {
            plain = true;
            continue;
        }
        if (option) {
            const struct str name = {option, strcspn(option, "=")};
            if (!option[name.n] && takes_value(name))
                i++;
            continue;
        }
        if (t->n == sizeof t->word / sizeof *t->word)
            return ctl_misused("too many words");
        t->word[t->n++] = !plain && strcmp(argv[i], "-h") == 0 ? help : argv[i];
    }
    return CTL_DONE;
}

static int read_option(const struct ctl_command *cmd, char **argv, int argc, int *i,
                       struct ctl_args *a)
{
    const char *text = option_text(argv[*i]);
    const struct str name = {text, strcspn(text, "=")};
    const char *value = text[name.n] ? text + name.n + 1 : NULL;
    const struct ctl_option *o = option_named(cmd, name);
    if (!o)
        return ctl_misused("there is no option --%.*s here; see --help", (int)name.n, name.p);
    if (!o->arg && value)
        return ctl_misused("--%s takes no value", o->name);
    if (o->arg && !value) {
        if (*i + 1 >= argc)
            return ctl_misused("--%s needs %s", o->name, o->arg);
        value = argv[++*i];
    }
    if (a->n_options == CTL_OPTIONS_MAX)
        return ctl_misused("too many options");
    a->option[a->n_options].name = o->name;
    a->option[a->n_options++].value = value ? value : "";
    return CTL_DONE;
}

static int read_args(const struct ctl_command *cmd, int argc, char **argv, struct ctl_args *a)
{
    size_t skip = cmd ? words_of(cmd->name) : 0;
    bool plain = false;
    for (int i = 1; i < argc; i++) {
        if (!plain && ends_options(argv[i])) {
            plain = true;
        } else if (!plain && option_text(argv[i])) {
            const int rc = read_option(cmd, argv, argc, &i, a);
            if (rc != CTL_DONE)
                return rc;
        } else if (skip > 0) {
            skip--;
        } else if (a->n == CTL_ARGS_MAX) {
            return ctl_misused("too many arguments");
        } else {
            a->v[a->n++] = argv[i];
        }
    }
    return CTL_DONE;
}

/* ---- running */

static const char *setting(const struct ctl_args *a, const char *option, const char *env)
{
    const char *value = ctl_option(a, option);
    if (!value)
        value = getenv(env);
    return value && *value ? value : NULL;
}

static int run(const struct ctl_command *cmd, const struct ctl_args *a)
{
    struct ctl c = {.arena = arena_new(),
                    .socket = setting(a, "socket", "USHER_SOCKET"),
                    .url = setting(a, "url", "USHER_URL"),
                    .token_file = setting(a, "token-file", "USHER_TOKEN_FILE"),
                    .json = ctl_option(a, "json") != NULL};
    int rc;
    if (!c.socket)
        c.socket = USHER_ADMIN_SOCKET;
    if (a->n < cmd->min)
        rc = ctl_misused("usage: usherctl %s %s", cmd->name, cmd->args);
    else if (a->n > cmd->max)
        rc = ctl_misused("\"%s\" is not expected; usage: usherctl %s %s", a->v[cmd->max], cmd->name,
                         cmd->args);
    else
        rc = cmd->run(&c, a);
    client_free(&c.client);
    arena_free(&c.arena);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "usherctl: cannot write the answer\n");
        rc = rc == CTL_DONE ? CTL_REFUSED : rc;
    }
    return rc;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return argc == 1 || strcmp(argv[1], "help") == 0;
}

static int unknown(const struct typed *t)
{
    if (t->n == 0)
        return ctl_misused("which command? See usherctl --help");
    const char *first = t->word[0];
    for (size_t i = 0; i < ctl_commands_n; i++)
        if (strncmp(ctl_commands[i].name, first, strlen(first)) == 0 &&
            ctl_commands[i].name[strlen(first)] == ' ') {
            help_group(stderr, first);
            return CTL_USAGE;
        }
    const char *names[128];
    size_t n = 0;
    char *storage = mem_alloc(ctl_commands_n * 32);
    for (size_t i = 0; i < ctl_commands_n && n < 127; i++) {
        char *word = storage + 32 * i;
        snprintf(word, 32, "%.*s", (int)strcspn(ctl_commands[i].name, " "), ctl_commands[i].name);
        names[n++] = word;
    }
    names[n] = NULL;
    const char *near = text_nearest(first, names);
    const int rc = ctl_misused("there is no command \"%s\"%s%s%s; see usherctl --help", first,
                               near ? ", did you mean \"" : "", near ? near : "", near ? "\"" : "");
    free(storage);
    return rc;
}

int main(int argc, char **argv)
{
    struct typed t = {.n = 0};
    struct ctl_args a = {.n = 0};
    setlocale(LC_CTYPE, "");
    int rc = part(argc, argv, &t);
    if (rc != CTL_DONE)
        return rc;
    char **words = t.word;
    size_t n = t.n;
    if (n > 0 && strcmp(words[0], "help") == 0) {
        words++;
        n--;
    }
    const struct ctl_command *cmd = find_command(words, n);
    if (asks_for_help(argc, argv)) {
        help_print(stdout, cmd, n > 0 ? words[0] : NULL);
        return CTL_DONE;
    }
    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        puts("usherctl " PACKAGE_VERSION);
        return CTL_DONE;
    }
    if (!cmd)
        return unknown(&t);
    rc = read_args(cmd, argc, argv, &a);
    return rc == CTL_DONE ? run(cmd, &a) : rc;
}
