/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/arena.h"

#define SECRET_MAX 65536

bool input_is_terminal(void)
{
    return isatty(STDIN_FILENO) == 1;
}

void input_wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

char *input_ask(const char *question, const char *hint)
{
    char *line = NULL;
    size_t room = 0;
    fprintf(stderr, "%s%s%s%s: ", question, hint ? " [" : "", hint ? hint : "", hint ? "]" : "");
    fflush(stderr);
    ssize_t n = getline(&line, &room, stdin);
    if (n < 0) {
        free(line);
        return NULL;
    }
    if (n > 0 && line[n - 1] == '\n')
        line[n - 1] = 0;
    return line;
}

bool input_confirm(const char *question)
{
    char *said = input_ask(question, "y/N");
    const bool yes = said && (strcmp(said, "y") == 0 || strcmp(said, "yes") == 0);
    free(said);
    return yes;
}

/* At most SECRET_MAX bytes, read into memory that is never moved, so that no copy stays behind. */
static char *read_all(int fd, bool line, const char *from, struct err *err)
{
    char *p = mem_alloc(SECRET_MAX + 2);
    size_t n = 0;
    ssize_t got = 0;
    while (n <= SECRET_MAX && !(line && n > 0 && p[n - 1] == '\n')) {
        got = read(fd, p + n, line ? 1 : SECRET_MAX + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    if (n > 0 && p[n - 1] == '\n')
        p[--n] = 0;
    if (got < 0)
        err_set(err, ERR_INVALID, "cannot read %s: %s", from, strerror(errno));
    else if (n == 0)
        err_set(err, ERR_INVALID, "there is no secret in %s", from);
    else if (n > SECRET_MAX || memchr(p, 0, n))
        err_set(err, ERR_INVALID, "what is in %s is no secret: over %d bytes, or binary", from,
                SECRET_MAX);
    if (err->kind == ERR_NONE)
        return p;
    explicit_bzero(p, SECRET_MAX + 2);
    free(p);
    return NULL;
}

static struct termios before_asking;

/* What may end us while the terminal is silent. */
static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define ENDINGS (sizeof endings / sizeof *endings)

static void on_ending(int sig)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &before_asking);
    raise(sig); /* SA_RESETHAND: this time it ends us */
}

static char *ask_secret(const char *question, struct err *err)
{
    const struct sigaction act = {.sa_handler = on_ending, .sa_flags = (int)SA_RESETHAND};
    struct sigaction old[ENDINGS];
    struct termios silent;
    if (tcgetattr(STDIN_FILENO, &before_asking) != 0) {
        err_set(err, ERR_INVALID, "the terminal cannot be made silent: %s", strerror(errno));
        return NULL;
    }
    silent = before_asking;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(endings[i], &act, &old[i]);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    fprintf(stderr, "%s (not shown): ", question);
    fflush(stderr);
    char *secret = read_all(STDIN_FILENO, true, "what was typed", err);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_asking);
    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(endings[i], &old[i], NULL);
    fputc('\n', stderr);
    return secret;
}

char *input_secret(const char *question, struct err *err)
{
    if (input_is_terminal())
        return ask_secret(question, err);
    return read_all(STDIN_FILENO, false, "standard input", err);
}

char *input_secret_file(const char *path, struct err *err)
{
    struct stat st;
    char *secret = NULL;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0)
        err_set(err, ERR_INVALID, "cannot read %s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
        err_set(err, ERR_INVALID, "%s must be a file that only you can read (chmod 600)", path);
    else
        secret = read_all(fd, false, path, err);
    if (fd >= 0)
        close(fd);
    return secret;
}
