/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "sys/clock.h"
#include "sys/random.h"
#include "sys/seal.h"

#define FILE_MAX ((size_t)16 * 1024)
#define DISTINCT_MIN 8 /* a random key has about 30 different bytes; all zeros has one */

struct keys {
    size_t n;
    struct keyfile_key v[KEYRING_KEYS_MAX];
};

/* What changes lies behind a pointer: sealing with a ring does not change the ring. */
struct keyring {
    char *path; /* NULL: no file */
    struct ring *ring;
};

struct ring {
    pthread_mutex_t lock; /* held for the copying of a key */
    struct keys keys;
};

static struct keyring *ring_new(const struct keys *keys, const char *path)
{
    struct keyring *k = mem_alloc(sizeof *k);

    k->path = path ? mem_dup(path) : NULL;
    k->ring = mem_alloc(sizeof *k->ring);
    k->ring->keys = *keys;
    pthread_mutex_init(&k->ring->lock, NULL);
    return k;
}

/* The one place that changes a ring in use. */
static void ring_swap(struct keyring *k, const struct keys *keys)
{
    pthread_mutex_lock(&k->ring->lock);
    seal_wipe(&k->ring->keys, sizeof k->ring->keys);
    k->ring->keys = *keys;
    pthread_mutex_unlock(&k->ring->lock);
}

static const struct keyfile_key *keys_find(const struct keys *keys, const unsigned char *id)
{
    for (size_t i = 0; i < keys->n; i++)
        if (memcmp(keys->v[i].id, id, KEYFILE_ID) == 0)
            return &keys->v[i];
    return NULL;
}

void keyfile_current(const struct keyring *k, struct keyfile_key *out)
{
    pthread_mutex_lock(&k->ring->lock);
    *out = k->ring->keys.v[k->ring->keys.n - 1];
    pthread_mutex_unlock(&k->ring->lock);
}

bool keyfile_find(const struct keyring *k, const unsigned char id[KEYFILE_ID],
                  struct keyfile_key *out)
{
    pthread_mutex_lock(&k->ring->lock);
    const struct keyfile_key *key = keys_find(&k->ring->keys, id);
    if (key)
        *out = *key;
    pthread_mutex_unlock(&k->ring->lock);
    return key != NULL;
}

void keyring_current(const struct keyring *k, unsigned char id[4])
{
    pthread_mutex_lock(&k->ring->lock);
    memcpy(id, k->ring->keys.v[k->ring->keys.n - 1].id, KEYFILE_ID);
    pthread_mutex_unlock(&k->ring->lock);
}

size_t keyring_list(const struct keyring *k, struct keyring_key out[KEYRING_KEYS_MAX])
{
    pthread_mutex_lock(&k->ring->lock);
    const struct keys *keys = &k->ring->keys;
    size_t n = keys->n;
    for (size_t i = 0; i < n; i++) {
        memcpy(out[i].id, keys->v[i].id, KEYFILE_ID);
        out[i].made = keys->v[i].made;
        out[i].current = i == n - 1;
    }
    pthread_mutex_unlock(&k->ring->lock);
    return n;
}

/* HKDF-Extract of RFC 5869 without salt. */
static void key_extract(struct keyfile_key *key, const unsigned char bytes[KEYFILE_KEY])
{
    static const char no_salt[32];

    seal_hmac_sha256((struct str){no_salt, sizeof no_salt},
                     (struct str){(const char *)bytes, KEYFILE_KEY}, key->prk);
}

static bool key_weak(const unsigned char *key)
{
    bool seen[256] = {false};
    unsigned distinct = 0;

    for (size_t i = 0; i < KEYFILE_KEY; i++) {
        distinct += !seen[key[i]];
        seen[key[i]] = true;
    }
    return distinct < DISTINCT_MIN;
}

/* "id key [made]" into its parts. */
static bool line_split(struct str line, struct keyfile_key *key, struct str *hex)
{
    struct str id, made;
    size_t n = 0;

    key->made = 0;
    return str_split(&line, ' ', &id) && str_split(&line, ' ', hex) &&
           (!line.p || (str_split(&line, ' ', &made) && !line.p && text_int(made, &key->made) &&
                        key->made > 0)) &&
           text_hex_decode(id, key->id, KEYFILE_ID, &n) && n == KEYFILE_ID;
}

static int line_parse(struct keys *keys, struct str line, const char *path, unsigned number,
                      struct err *err)
{
    struct keyfile_key key;
    unsigned char bytes[KEYFILE_KEY];
    struct str hex;
    size_t n = 0;
    bool good = false;

    if (line.n == 0 || line.p[0] == '#')
        return 0;
    if (keys->n == KEYRING_KEYS_MAX)
        return err_set(err, ERR_MISCONFIGURED, "%s:%u: more than %d keys", path, number,
                       KEYRING_KEYS_MAX);
    if (!line_split(line, &key, &hex))
        return err_set(err, ERR_MISCONFIGURED,
                       "%s:%u: expected a key id of %d hex digits and a key", path, number,
                       2 * KEYFILE_ID);
    if (keys_find(keys, key.id))
        return err_set(err, ERR_MISCONFIGURED, "%s:%u: key id is used twice", path, number);
    if (!text_hex_decode(hex, bytes, sizeof bytes, &n) || n != sizeof bytes)
        (void)err_set(err, ERR_MISCONFIGURED, "%s:%u: a key has exactly %d hex digits", path,
                      number, 2 * KEYFILE_KEY);
    else if (key_weak(bytes))
        (void)err_set(err, ERR_MISCONFIGURED, "%s:%u: this key is not random", path, number);
    else
        good = true;
    if (good) {
        key_extract(&key, bytes);
        keys->v[keys->n++] = key;
    }
    seal_wipe(bytes, sizeof bytes);
    seal_wipe(&key, sizeof key);
    return good ? 0 : -1;
}

static int text_parse(struct keys *keys, struct str text, const char *path, struct err *err)
{
    struct str line;

    keys->n = 0;
    for (unsigned number = 1; str_split(&text, '\n', &line); number++)
        if (line_parse(keys, line, path, number, err) < 0)
            return -1;
    if (keys->n == 0)
        return err_set(err, ERR_MISCONFIGURED, "%s: holds no key", path);
    return 0;
}

/* All judgements are about the open descriptor: a path can be swapped between two looks. */
static int file_judge(int fd, const char *path, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_set(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_MISCONFIGURED, "%s: not a regular file", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return err_set(err, ERR_MISCONFIGURED,
                       "%s: belongs to user %u, not to the daemon's or root", path,
                       (unsigned)st.st_uid);
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return err_set(err, ERR_MISCONFIGURED, "%s: others may read or write it; chmod 600", path);
    if (st.st_size < 0 || (size_t)st.st_size > FILE_MAX)
        return err_set(err, ERR_MISCONFIGURED, "%s: too large for a key file", path);
    return 0;
}

/* 1 and all of its text in `text`, 0: there is no such file. */
static int file_text(const char *path, struct buf *text, struct err *err)
{
    char piece[1024];
    ssize_t got = 0;
    int result = -1;
    /* O_NONBLOCK: opening a FIFO must not hang before fstat can refuse it. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 && errno == ELOOP)
        return err_set(err, ERR_MISCONFIGURED, "%s: is a symbolic link", path);
    if (fd < 0)
        return err_set(err, ERR_MISCONFIGURED, "%s: %s", path, strerror(errno));
    if (file_judge(fd, path, err) < 0)
        goto out;
    while ((got = read(fd, piece, sizeof piece)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            (void)err_set(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
            goto out;
        }
        buf_add(text, piece, (size_t)got);
    }
    if (buf_ok(text))
        result = 1;
    else
        (void)err_set(err, ERR_MISCONFIGURED, "%s: too large for a key file", path);
out:
    seal_wipe(piece, sizeof piece);
    (void)close(fd);
    return result;
}

/* 1 and the keys, 0: there is no such file. */
static int file_read(struct keys *keys, const char *path, struct err *err)
{
    struct buf text;

    buf_init(&text, FILE_MAX);
    int found = file_text(path, &text, err);
    if (found == 1 && text_parse(keys, buf_view(&text), path, err) < 0)
        found = -1;
    buf_wipe(&text);
    return found;
}

static int text_write(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, p, n);

        if (put < 0 && errno != EINTR)
            return -1;
        if (put > 0) {
            p += put;
            n -= (size_t)put;
        }
    }
    return fsync(fd);
}

/* The folder `path` lies in. */
static int folder_open(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        !slash ? mem_dup(".") : mem_dupn(path, slash == path ? 1 : (size_t)(slash - path));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    free(folder);
    return fd;
}

/* Make the new name survive a power cut. */
static int folder_sync(const char *path)
{
    int fd = folder_open(path);
    int result = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        (void)close(fd);
    return result;
}

/* One process at a time makes or replaces the file: its folder is locked, because the file itself
 * is replaced. Closing what comes back unlocks. */
static int folder_lock(const char *path, struct err *err)
{
    int fd = folder_open(path);

    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return fd;
    (void)err_set(err, ERR_MISCONFIGURED, "%s: the folder cannot be locked: %s", path,
                  strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static void line_make(struct buf *text, int64_t made)
{
    unsigned char id[KEYFILE_ID], key[KEYFILE_KEY];
    char hex[2 * KEYFILE_KEY + 1];

    rng_fill(id, sizeof id);
    rng_fill(key, sizeof key);
    text_hex(id, sizeof id, hex);
    buf_text(text, hex);
    buf_byte(text, ' ');
    text_hex(key, sizeof key, hex);
    buf_text(text, hex);
    buf_printf(text, " %lld\n", (long long)made);
    seal_wipe(key, sizeof key);
    seal_wipe(hex, sizeof hex);
}

/* "path.new" of that text, durable; its name, which the caller frees and unlinks. The folder is
 * locked, so one that is there was left by somebody who was killed: it may hold a key that was
 * retired since, and goes. */
static char *file_beside(const char *path, struct str text, struct err *err)
{
    size_t room = strlen(path) + sizeof ".new";
    char *name = mem_alloc(room);

    (void)snprintf(name, room, "%s.new", path);
    (void)unlink(name);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0 && text_write(fd, text.p, text.n) == 0;

    if (!good)
        (void)err_set(err, ERR_MISCONFIGURED, "%s: cannot be made: %s", path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    if (good)
        return name;
    if (fd >= 0)
        (void)unlink(name);
    free(name);
    return NULL;
}

/* A new key under a name of its own, then linked to `path`: unlike rename, link cannot replace the
 * key another process made meanwhile. Whoever loses that race reads the winner's file. */
static int file_make(const char *path, struct err *err)
{
    struct buf text;
    int result = -1;
    int lock = folder_lock(path, err);

    if (lock < 0)
        return -1;
    buf_init(&text, FILE_MAX);
    line_make(&text, wall_seconds(clock_wall()));
    char *name = file_beside(path, buf_view(&text), err);
    buf_wipe(&text);
    if (!name)
        goto out;
    if ((link(name, path) != 0 && errno != EEXIST) || folder_sync(path) != 0)
        (void)err_set(err, ERR_MISCONFIGURED, "%s: cannot be made: %s", path, strerror(errno));
    else
        result = 0;
    (void)unlink(name);
    free(name);
out:
    (void)close(lock);
    return result;
}

struct keyring *keyring_open(const char *path, bool create, struct err *err)
{
    struct keys keys = {.n = 0};
    struct keyring *k = NULL;
    int found = file_read(&keys, path, err);

    if (found == 0 && create && file_make(path, err) == 0)
        found = file_read(&keys, path, err);
    if (found == 0)
        (void)err_set(err, ERR_MISCONFIGURED, "%s: there is no key file", path);
    if (found == 1)
        k = ring_new(&keys, path);
    seal_wipe(&keys, sizeof keys);
    return k;
}

struct keyring *keyring_fixed(const unsigned char key[32])
{
    struct keys keys = {.n = 1};
    unsigned char hash[32];

    seal_sha256((struct str){(const char *)key, KEYFILE_KEY}, hash);
    memcpy(keys.v[0].id, hash, KEYFILE_ID);
    key_extract(&keys.v[0], key);
    struct keyring *k = ring_new(&keys, NULL);
    seal_wipe(&keys, sizeof keys);
    return k;
}

void keyring_free(struct keyring **k)
{
    if (!*k)
        return;
    pthread_mutex_destroy(&(*k)->ring->lock);
    seal_wipe((*k)->ring, sizeof *(*k)->ring);
    free((*k)->ring);
    free((*k)->path);
    free(*k);
    *k = NULL;
}

/* ---- other keys ---- */

/* The new text in place of the file, in one step that survives a power cut. */
static int file_replace(const char *path, struct str text, struct err *err)
{
    char *name = file_beside(path, text, err);

    if (!name)
        return -1;
    bool renamed = rename(name, path) == 0;
    bool good = renamed && folder_sync(path) == 0;
    if (!good)
        (void)err_set(err, ERR_MISCONFIGURED, "%s: cannot be replaced: %s", path, strerror(errno));
    if (!renamed)
        (void)unlink(name);
    free(name);
    return good ? 0 : -1;
}

/* What `text` should become. */
typedef int edit_fn(const struct keys *keys, struct str text, const void *arg, struct buf *out,
                    struct err *err);

static int ring_edit(struct keyring *k, edit_fn *edit, const void *arg, struct err *err)
{
    struct keys keys = {.n = 0};
    struct buf old, new;
    int result = -1;

    buf_init(&old, FILE_MAX);
    buf_init(&new, FILE_MAX);
    int found = file_text(k->path, &old, err);
    if (found == 0)
        (void)err_set(err, ERR_MISCONFIGURED, "%s: the key file is gone", k->path);
    if (found != 1 || text_parse(&keys, buf_view(&old), k->path, err) < 0 ||
        edit(&keys, buf_view(&old), arg, &new, err) < 0)
        goto out;
    if (!buf_ok(&new))
        (void)err_set(err, ERR_MISCONFIGURED, "%s: too large for a key file", k->path);
    else if (text_parse(&keys, buf_view(&new), k->path, err) == 0 &&
             file_replace(k->path, buf_view(&new), err) == 0)
        result = 0;
    if (result == 0)
        ring_swap(k, &keys);
out:
    seal_wipe(&keys, sizeof keys);
    buf_wipe(&old);
    buf_wipe(&new);
    return result;
}

static int ring_edit_alone(struct keyring *k, edit_fn *edit, const void *arg, struct err *err)
{
    if (!k->path)
        return err_set(err, ERR_MISCONFIGURED, "this key ring has no file");
    int lock = folder_lock(k->path, err);
    if (lock < 0)
        return -1;
    int result = ring_edit(k, edit, arg, err);
    (void)close(lock);
    return result;
}

static int edit_append(const struct keys *keys, struct str text, const void *arg, struct buf *out,
                       struct err *err)
{
    if (keys->n == KEYRING_KEYS_MAX)
        return err_set(err, ERR_CONFLICT, "the key file holds %d keys, which is the most",
                       KEYRING_KEYS_MAX);
    buf_str(out, text);
    if (text.n > 0 && text.p[text.n - 1] != '\n')
        buf_byte(out, '\n');
    line_make(out, *(const int64_t *)arg);
    return 0;
}

static int edit_remove(const struct keys *keys, struct str text, const void *arg, struct buf *out,
                       struct err *err)
{
    struct str line;

    if (memcmp(keys->v[keys->n - 1].id, arg, KEYFILE_ID) == 0)
        return err_set(err, ERR_CONFLICT, "the key that seals cannot be removed");
    for (struct str rest = text; str_split(&rest, '\n', &line);) {
        struct keyfile_key key;
        struct str hex;
        bool its = line.n > 0 && line.p[0] != '#' && line_split(line, &key, &hex) &&
                   memcmp(key.id, arg, KEYFILE_ID) == 0;
        if (!its && (rest.p || line.n > 0)) {
            buf_str(out, line);
            buf_byte(out, '\n');
        }
    }
    return 0;
}

int keyring_rotate(struct keyring *k, int64_t now, struct err *err)
{
    return ring_edit_alone(k, edit_append, &now, err);
}

int keyring_retire(struct keyring *k, const unsigned char id[4], struct err *err)
{
    return ring_edit_alone(k, edit_remove, id, err);
}
