/* SPDX-License-Identifier: Apache-2.0 */
#include "store/dbfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

#define LOCK_TRIES 40 /* together the time a predecessor needs to stop */
#define LOCK_PAUSE_MS 50
#define HEADER 100 /* https://www.sqlite.org/fileformat.html, 1.3 */

static int refuse(const struct dbfile *f, struct err *err, const char *what)
{
    return err_set(err, ERR_MISCONFIGURED, "%s %s", f->path, what);
}

static int failed(const struct dbfile *f, struct err *err, const char *doing)
{
    return err_set(err, ERR_MISCONFIGURED, "%s: %s: %s", f->path, doing, strerror(errno));
}

/* ---- the folder ---------------------------------------------------------------------------------
 */

static int find_folder(struct dbfile *f, const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (path[0] != '/')
        return err_set(err, ERR_MISCONFIGURED, "sqlite: wants an absolute path");
    if (slash[1] == '\0' || strcmp(slash, "/.") == 0 || strcmp(slash, "/..") == 0)
        return err_set(err, ERR_MISCONFIGURED, "%s is a folder, not a file", path);

    char *parent = mem_dupn(path, slash == path ? 1 : (size_t)(slash - path));
    char *real = realpath(parent, NULL);
    free(parent);
    if (!real)
        return err_set(err, ERR_MISCONFIGURED, "the folder of %s: %s", path, strerror(errno));
    size_t room = strlen(real) + strlen(slash) + 8;
    f->path = mem_alloc(room);
    f->new_path = mem_alloc(room);
    snprintf(f->path, room, "%s%s", strcmp(real, "/") == 0 ? "" : real, slash);
    snprintf(f->new_path, room, "%s.new", f->path);
    f->base = strrchr(f->path, '/') + 1;
    f->dir = open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    free(real);
    if (f->dir < 0)
        return failed(f, err, "its folder");

    struct stat st;
    if (fstat(f->dir, &st) < 0)
        return failed(f, err, "its folder");
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return refuse(f, err, "lies in a folder that others may write to");
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return refuse(f, err, "lies in a folder of another user");
    return 0;
}

/* ---- one daemon at a time -----------------------------------------------------------------------
 */

static int take_lock(struct dbfile *f, struct err *err)
{
    char *name = mem_alloc(strlen(f->base) + 8);
    snprintf(name, strlen(f->base) + 8, "%s-lock", f->base);
    f->lock = openat(f->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    free(name);
    struct stat st;
    if (f->lock < 0 || fstat(f->lock, &st) < 0)
        return failed(f, err, "its lock file");
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
        return refuse(f, err, "has a lock file that is not ours");

    for (int i = 0; flock(f->lock, LOCK_EX | LOCK_NB) < 0; i++) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return failed(f, err, "its lock");
        if (i == LOCK_TRIES)
            return refuse(f, err, "is in use by another usherd");
        (void)poll(NULL, 0, LOCK_PAUSE_MS);
    }
    return 0;
}

/* ---- the file -----------------------------------------------------------------------------------
 */

static int judge(const struct dbfile *f, const struct stat *st, struct err *err)
{
    if (S_ISLNK(st->st_mode))
        return refuse(f, err, "is a symbolic link");
    if (!S_ISREG(st->st_mode))
        return refuse(f, err, "is no regular file");
    if (st->st_uid != geteuid())
        return refuse(f, err, "belongs to another user");
    if (st->st_mode & (S_IRWXG | S_IRWXO))
        return refuse(f, err, "can be read by others: chmod 600 it");
    if (st->st_nlink != 1)
        return refuse(f, err, "has a second name (hard link)");
    return 0;
}

/* The files SQLite keeps beside it. *log: bytes in the write-ahead log. */
static int judge_companions(const struct dbfile *f, off_t *log, struct err *err)
{
    static const char *const endings[] = {"-wal", "-shm", "-journal"};
    char *name = mem_alloc(strlen(f->base) + 16);
    int rc = 0;

    *log = 0;
    for (size_t i = 0; i < sizeof endings / sizeof *endings && rc == 0; i++) {
        struct stat st;
        snprintf(name, strlen(f->base) + 16, "%s%s", f->base, endings[i]);
        if (fstatat(f->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno != ENOENT)
                rc = failed(f, err, endings[i]);
            continue;
        }
        rc = judge(f, &st, err);
        if (rc < 0)
            err_context(err, "%s file", endings[i]);
        if (i == 0)
            *log = st.st_size;
    }
    free(name);
    return rc;
}

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int judge_header(const struct dbfile *f, const unsigned char *head, size_t n, off_t log,
                        struct err *err)
{
    if (n == 0 && f->size == 0)
        return refuse(f, err, "is empty: restore a backup, or remove it to begin anew");
    if (n < HEADER || memcmp(head, "SQLite format 3", 16) != 0)
        return refuse(f, err, "is no SQLite database");
    uint32_t page = (uint32_t)head[16] << 8 | head[17];
    page = page == 1 ? 65536 : page;
    /* The page count only means something if the last writer knew it, and the log may hold the
     * rest. */
    if (log == 0 && be32(head + 24) == be32(head + 92) && (off_t)page * be32(head + 28) > f->size)
        return refuse(f, err, "is cut short: restore a backup");
    return 0;
}

static int inspect(struct dbfile *f, struct err *err)
{
    off_t log = 0;
    if (judge_companions(f, &log, err) < 0)
        return -1;
    /* A FIFO or device is told from its entry: opening it could block or have effects. */
    struct stat st;
    if (fstatat(f->dir, f->base, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT)
            return failed(f, err, "looking at it");
        if (log > 0)
            return refuse(f, err, "is missing but its -wal file is there: restore a backup");
        f->fresh = true;
        return 0;
    }
    if (judge(f, &st, err) < 0)
        return -1;

    int fd = openat(f->dir, f->base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        int rc = failed(f, err, "opening it");
        if (fd >= 0)
            close(fd);
        return rc;
    }
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    f->size = st.st_size;
    unsigned char head[HEADER];
    ssize_t n = pread(fd, head, sizeof head, 0);
    int rc = n < 0 ? failed(f, err, "reading it") : judge(f, &st, err);
    if (rc == 0)
        rc = judge_header(f, head, (size_t)n, log, err);
    close(fd);
    return rc;
}

int dbfile_open(struct dbfile *f, const char *path, struct err *err)
{
    *f = (struct dbfile){.dir = -1, .lock = -1};
    if (find_folder(f, path, err) == 0 && take_lock(f, err) == 0 && inspect(f, err) == 0)
        return 0;
    dbfile_close(f);
    return -1;
}

void dbfile_close(struct dbfile *f)
{
    if (f->lock >= 0)
        close(f->lock);
    if (f->dir >= 0)
        close(f->dir);
    free(f->path);
    free(f->new_path);
    *f = (struct dbfile){.dir = -1, .lock = -1};
}

int dbfile_begin(struct dbfile *f, struct err *err)
{
    if (unlink(f->new_path) < 0 && errno != ENOENT)
        return failed(f, err, "removing what an interrupted start left");
    int fd = open(f->new_path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(f, err, "creating it");
    close(fd);
    return 0;
}

int dbfile_adopt(struct dbfile *f, struct err *err)
{
    struct stat st;
    int fd = open(f->new_path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return failed(f, err, "creating it");
    int rc = fsync(fd) < 0 || fstat(fd, &st) < 0 ? -1 : 0;
    close(fd);
    /* Never over something that came in between. */
    if (rc < 0 || linkat(AT_FDCWD, f->new_path, f->dir, f->base, 0) < 0 ||
        unlink(f->new_path) < 0 || fsync(f->dir) < 0)
        return failed(f, err, "creating it");
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    f->size = st.st_size;
    f->fresh = false;
    return 0;
}

int dbfile_same(const struct dbfile *f, struct err *err)
{
    struct stat st;
    if (lstat(f->path, &st) < 0)
        return failed(f, err, "looking at it again");
    if (st.st_dev != f->dev || st.st_ino != f->ino)
        return refuse(f, err, "was swapped while starting");
    return judge(f, &st, err);
}
