/* SPDX-License-Identifier: Apache-2.0 */
#include "live/watch.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"

/* IN_CREATE matters for folders only: a file that was made is told again when it was written. */
#define MASK                                                                                       \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_CREATE |            \
     IN_DELETE_SELF | IN_MOVE_SELF)
#define GONE (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)
#define PLACES (1 + 2 * WATCH_FOLDERS)

/* One folder, and what in it matters. Two may be the same folder, and then have the same number. */
struct place {
    int wd;     /* -1: none */
    char *name; /* only this entry; NULL: all but hidden ones and editors' copies */
};

struct watch {
    struct loop *loop;
    watch_fn *fn;
    void *arg;
    int fd;
    struct loop_watch *ready;
    struct loop_timer *timer;
    struct mono first; /* change of a burst that was not told yet; 0: there is none */
    bool last;         /* it is told at its longest, whatever comes in between */
    pthread_mutex_t lock;
    struct place v[PLACES]; /* usher.conf in its folder; each folder in its own, and it */
};

static bool name_matters(const struct place *p, const char *name)
{
    const size_t n = strlen(name);
    if (p->name)
        return strcmp(p->name, name) == 0;
    return n > 0 && name[0] != '.' && name[n - 1] != '~';
}

static bool matters(struct watch *w, const struct inotify_event *e)
{
    bool yes = (e->mask & IN_Q_OVERFLOW) != 0; /* nobody knows what */
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < PLACES; i++) {
        struct place *p = &w->v[i];
        if (p->wd < 0 || p->wd != e->wd)
            continue;
        if (e->mask & GONE)
            yes = true;
        else if (e->len > 0 && (!(e->mask & IN_CREATE) || (e->mask & IN_ISDIR)))
            yes = yes || name_matters(p, e->name);
        if (e->mask & IN_IGNORED)
            p->wd = -1;
    }
    pthread_mutex_unlock(&w->lock);
    return yes;
}

static void note(struct watch *w)
{
    const struct mono now = loop_now(w->loop);
    if (w->first.ns == 0)
        w->first = now;
    const int64_t left = WATCH_LONGEST_MS - mono_ms(w->first, now);
    if (w->last)
        return;
    w->last = left < WATCH_QUIET_MS;
    loop_timer_set(w->timer, left < 0 ? 0 : w->last ? left : WATCH_QUIET_MS);
}

static void on_ready(void *arg, int fd, unsigned events)
{
    struct watch *w = arg;
    _Alignas(struct inotify_event) char room[16 * 1024];
    bool yes = false;
    ssize_t n;
    (void)events;
    while ((n = read(fd, room, sizeof room)) > 0)
        for (char *p = room; p < room + n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)p;
            yes = matters(w, e) || yes;
            p += sizeof *e + e->len;
        }
    if (yes)
        note(w);
}

static void on_quiet(void *arg)
{
    struct watch *w = arg;
    w->first.ns = 0;
    w->last = false;
    w->fn(w->arg);
}

struct watch *watch_new(struct loop *l, watch_fn *fn, void *arg, struct err *err)
{
    const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        (void)err_set(err, ERR_INTERNAL, "inotify: %s", strerror(errno));
        return NULL;
    }
    struct watch *w = mem_alloc(sizeof *w);
    *w = (struct watch){.loop = l, .fn = fn, .arg = arg, .fd = fd};
    for (size_t i = 0; i < PLACES; i++)
        w->v[i].wd = -1;
    pthread_mutex_init(&w->lock, NULL);
    w->ready = loop_watch_add(l, fd, LOOP_READ, on_ready, w);
    w->timer = loop_timer_add(l, on_quiet, w);
    return w;
}

void watch_free(struct watch **watch)
{
    struct watch *w = *watch;
    if (!w)
        return;
    *watch = NULL;
    loop_watch_del(&w->ready);
    loop_timer_del(&w->timer);
    close(w->fd);
    for (size_t i = 0; i < PLACES; i++)
        free(w->v[i].name);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* The number of a folder; the kernel gives the same for the same folder. */
static int look_at(const struct watch *w, const char *folder, struct err *err)
{
    const int wd = inotify_add_watch(w->fd, folder, MASK | IN_ONLYDIR);
    if (wd < 0)
        (void)err_set(err, ERR_MISCONFIGURED, "%.160s cannot be watched: %s", folder,
                      errno == ENOSPC ? "fs.inotify.max_user_watches is used up" : strerror(errno));
    return wd;
}

/* Watches the folder `path` lies in, for `path` alone. */
static struct place beside(const struct watch *w, const char *path, struct err *err)
{
    char folder[PATH_MAX];
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    const char *end = path + n, *name = end;
    while (name > path && name[-1] != '/')
        name--;
    const size_t before = (size_t)(name - path);
    if (before >= sizeof folder) {
        (void)err_set(err, ERR_MISCONFIGURED, "%.100s is too long a path", path);
        return (struct place){.wd = -1};
    }
    memcpy(folder, path, before);
    folder[before] = 0;
    return (struct place){.wd = look_at(w, before ? folder : ".", err),
                          .name = mem_dupn(name, (size_t)(end - name))};
}

static bool uses(const struct place *v, int wd)
{
    for (size_t i = 0; i < PLACES; i++)
        if (v[i].wd == wd)
            return true;
    return false;
}

/* The folder, and itself in the one above, where it is seen to come and go. */
static void cover_folder(const struct watch *w, const struct watch_folder *folder,
                         struct place new[2], struct err *err)
{
    struct err above = ERR_INIT, within = ERR_INIT;
    new[0] = new[1] = (struct place){.wd = -1};
    if (!folder->path)
        return;
    new[0] = beside(w, folder->path, &above);
    new[1].wd = look_at(w, folder->path, &within);
    if (new[1].wd < 0 && !(folder->optional && access(folder->path, F_OK) != 0))
        *err = within; /* the folder above is a help only */
}

int watch_cover(struct watch *w, const char *file, const struct watch_folder folders[WATCH_FOLDERS],
                struct err *err)
{
    struct err first = ERR_INIT, last = ERR_INIT;
    struct place old[PLACES], new[PLACES];
    new[0] = beside(w, file, &first);
    for (size_t i = 0; i < WATCH_FOLDERS; i++)
        cover_folder(w, &folders[i], new + 1 + 2 * i, &last);
    pthread_mutex_lock(&w->lock);
    memcpy(old, w->v, sizeof old);
    memcpy(w->v, new, sizeof new);
    pthread_mutex_unlock(&w->lock);
    for (size_t i = 0; i < PLACES; i++) {
        if (old[i].wd >= 0 && !uses(new, old[i].wd))
            (void)inotify_rm_watch(w->fd, old[i].wd);
        free(old[i].name);
    }
    if (first.kind != ERR_NONE)
        *err = first;
    else if (last.kind != ERR_NONE)
        *err = last;
    return err->kind == ERR_NONE ? 0 : -1;
}
