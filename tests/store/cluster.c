/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 30000

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static bool find_server(struct cluster *c)
{
    glob_t found;
    bool ok = glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0;
    if (ok) {
        const char *path = found.gl_pathv[found.gl_pathc - 1];
        int n = (int)(strrchr(path, '/') - path);
        ok = snprintf(c->bin, sizeof c->bin, "%.*s", n, path) < (int)sizeof c->bin;
    }
    globfree(&found);
    return ok;
}

/* The user the server runs as: PostgreSQL refuses root. */
static const struct passwd *server_user(void)
{
    const struct passwd *pw = geteuid() == 0 ? getpwnam("postgres") : getpwuid(geteuid());
    if (!pw)
        fail("no user to run PostgreSQL as");
    return pw;
}

/* argv[0] becomes the whole path: by its name alone the server looks for itself in PATH, where
 * Debian does not put it. */
static pid_t launch(const struct cluster *c, char *argv[])
{
    char path[260], log[128];
    snprintf(path, sizeof path, "%s/%s", c->bin, argv[0]);
    snprintf(log, sizeof log, "%s/log", c->dir);
    const struct passwd *pw = server_user();
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        fail("fork"); /* kill(-1) would be everybody */
    if (pid > 0)
        return pid;

    if (geteuid() == 0 && (initgroups(pw->pw_name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 ||
                           setuid(pw->pw_uid) < 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (getppid() != parent)
        _exit(126);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 || chdir(c->dir) < 0)
        _exit(126);
    argv[0] = path;
    execv(path, argv);
    _exit(127);
}

static void show_log(const struct cluster *c)
{
    char path[128], line[512];
    snprintf(path, sizeof path, "%s/log", c->dir);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        fputs(line, stderr);
    if (f)
        fclose(f);
}

static void start_server(struct cluster *c)
{
    char data[80], sock[96];
    snprintf(data, sizeof data, "%s/data", c->dir);
    snprintf(sock, sizeof sock, "%s/.s.PGSQL.5432", c->dir);
    char *argv[] = {"postgres",
                    "-D",
                    data,
                    "-k",
                    c->dir,
                    "-c",
                    "listen_addresses=",
                    "-c",
                    "fsync=off", /* the server is killed, the machine is not */
                    "-c",
                    "shared_buffers=16MB",
                    "-c",
                    "max_connections=40",
                    NULL};
    c->pid = launch(c, argv);
    char ready[100];
    snprintf(ready, sizeof ready, "%s/data/postmaster.pid", c->dir);
    for (int ms = 0; ms < START_MS; ms += 20) {
        char text[512] = "";
        FILE *f = fopen(ready, "r");
        size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
        text[n] = '\0';
        if (f)
            fclose(f);
        /* A killed server leaves its file behind. */
        if (strtol(text, NULL, 10) == c->pid && strstr(text, "\nready"))
            return;
        if (waitpid(c->pid, NULL, WNOHANG) == c->pid)
            break;
        poll(NULL, 0, 20);
    }
    show_log(c);
    fprintf(stderr, "PostgreSQL did not start\n");
    exit(EXIT_FAILURE);
}

bool cluster_start(struct cluster *c)
{
    memset(c, 0, sizeof *c);
    if (!find_server(c))
        return false;
    const struct passwd *pw = server_user();
    snprintf(c->dir, sizeof c->dir, "/tmp/usher-pgsql-XXXXXX");
    if (!mkdtemp(c->dir) || (geteuid() == 0 && chown(c->dir, pw->pw_uid, pw->pw_gid) < 0))
        fail("a folder for PostgreSQL");
    char data[80];
    snprintf(data, sizeof data, "%s/data", c->dir);
    char *argv[] = {"initdb", "-D", data,   "-U",         "usher", "--auth=trust",
                    "-N",     "-E", "UTF8", "--locale=C", NULL};
    int status = 0;
    if (waitpid(launch(c, argv), &status, 0) < 0 || status != 0) {
        show_log(c);
        fail("initdb");
    }
    start_server(c);
    snprintf(c->url, sizeof c->url, "postgresql:///postgres?user=usher&host=%s", c->dir);
    return true;
}

void cluster_crash(struct cluster *c)
{
    if (c->pid <= 0)
        return;
    kill(c->pid, SIGQUIT);
    waitpid(c->pid, NULL, 0);
    c->pid = 0;
}

void cluster_restart(struct cluster *c)
{
    start_server(c);
}

static int wipe(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void cluster_stop(struct cluster *c)
{
    if (!c->dir[0] || c->pid <= 0)
        return;
    kill(c->pid, SIGINT);
    waitpid(c->pid, NULL, 0);
    c->pid = 0;
    nftw(c->dir, wipe, 16, FTW_DEPTH | FTW_PHYS);
    c->dir[0] = '\0';
}
