/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dbfile: the embedded database as a file, before SQLite sees it. Refuses what is no regular file
 * of ours, what others can read or swap, what is empty, cut short or no database at all; nothing is
 * ever made anew in place of something that is there. Holds a lock, so that a second daemon cannot
 * serve sessions the first one knows nothing about.
 *
 * A new database is built beside its final name and renamed once it is complete.
 */
#ifndef STORE_DBFILE_H
#define STORE_DBFILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct dbfile {
    char *path;       /* absolute, the folder without symbolic links */
    char *new_path;   /* where a new one is built */
    const char *base; /* the last part of `path` */
    int dir, lock;    /* descriptors */
    bool fresh;       /* there is none yet */
    dev_t dev;
    ino_t ino;
    off_t size;
};

int dbfile_open(struct dbfile *f, const char *path, struct err *err)
    __attribute__((warn_unused_result));
void dbfile_close(struct dbfile *f);
/* An empty file at new_path, mode 0600; what an interrupted attempt left there goes. */
int dbfile_begin(struct dbfile *f, struct err *err) __attribute__((warn_unused_result));
/* What is at new_path is complete: make it durable under its name. */
int dbfile_adopt(struct dbfile *f, struct err *err) __attribute__((warn_unused_result));
/* Whether `path` still is the file that was checked. */
int dbfile_same(const struct dbfile *f, struct err *err) __attribute__((warn_unused_result));

#endif
