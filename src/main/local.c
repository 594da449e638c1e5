/* SPDX-License-Identifier: Apache-2.0 */
#include "main/local.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "main/harden.h"
#include "web/page.h"

#define CONNECTIONS 64 /* a few people, some scripts, a scraper */
#define IDLE_SECONDS 75
#define DEADLINE_SECONDS 60

const char *local_user(struct arena *a)
{
    const struct passwd *pw = getpwuid(geteuid());
    return pw ? arena_dup(a, pw->pw_name) : NULL;
}

static int judge(const char *folder, const struct stat *st, uid_t uid, struct err *err)
{
    if (!S_ISDIR(st->st_mode))
        return err_set(err, ERR_MISCONFIGURED, "[admin] socket: %s is no folder", folder);
    if (st->st_uid != 0 && st->st_uid != uid)
        return err_set(err, ERR_MISCONFIGURED,
                       "[admin] socket: %s belongs to somebody else than root and our user",
                       folder);
    if (st->st_mode & 022)
        return err_set(err, ERR_MISCONFIGURED,
                       "[admin] socket: others may write to %s: chmod go-w, or another folder",
                       folder);
    return 0;
}

static int folder_use(const char *folder, const char *user, struct err *err)
{
    uid_t uid;
    gid_t gid;
    struct stat st;
    int result = -1;
    if (harden_target(user, &uid, &gid, err) != 0)
        return -1;
    const bool made = mkdir(folder, 0700) == 0;
    const int why = errno;
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        err_set(err, ERR_MISCONFIGURED, "[admin] socket: %s: %s", folder,
                strerror(fd < 0 && why != EEXIST ? why : errno));
        goto out;
    }
    if (!made) {
        result = judge(folder, &st, uid, err);
        goto out;
    }
    /* Only what we made ourselves is given away. */
    if ((uid != st.st_uid && fchown(fd, uid, gid) != 0) || fchmod(fd, 0755) != 0)
        err_set(err, ERR_MISCONFIGURED, "[admin] socket: %s: %s", folder, strerror(errno));
    else
        result = 0;
out:
    if (fd >= 0)
        close(fd);
    return result;
}

int local_folder(const char *path, const char *user, struct err *err)
{
    const char *slash = strrchr(path, '/');
    char folder[128];
    const size_t n = slash == path ? 1 : (size_t)(slash - path);
    if (n >= sizeof folder)
        return err_set(err, ERR_MISCONFIGURED, "[admin] socket: the path is too long");
    memcpy(folder, path, n);
    folder[n] = 0;
    return folder_use(folder, user, err);
}

struct serve *local_open(const char *path, struct loop *l, struct metrics *m, struct web_app *app,
                         struct err *err)
{
    char listen[128];
    const struct serve_options o = {.listen = listen,
                                    .admin = true,
                                    .mode = 0600,
                                    .max_connections = CONNECTIONS,
                                    .idle_seconds = IDLE_SECONDS,
                                    .deadline_seconds = DEADLINE_SECONDS,
                                    .metrics = m};
    snprintf(listen, sizeof listen, "unix:%s", path); /* judged with the configuration */
    struct serve *s = serve_new(l, &o, web_routes, web_routes_n, app, err);
    if (s)
        serve_set_error_page(s, page_refused);
    else
        err_context(err, "[admin] socket");
    return s;
}
