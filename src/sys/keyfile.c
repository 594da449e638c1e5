/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "sys/random.h"
#include "sys/seal.h"

#define FILE_MAX ((size_t)16 * 1024)
#define LINE_LEN (2 * KEYFILE_ID + 1 + 2 * KEYFILE_KEY)
#define DISTINCT_MIN 8 /* a random key has about 30 different bytes; all zeros has one */

struct keyring {
    size_t n;
    struct keyfile_key keys[KEYFILE_KEYS_MAX];
};

const struct keyfile_key *keyfile_current(const struct keyring *k)
{
    return &k->keys[k->n - 1];
}

const struct keyfile_key *keyfile_find(const struct keyring *k, const unsigned char id[KEYFILE_ID])
{
    for (size_t i = 0; i < k->n; i++)
        if (memcmp(k->keys[i].id, id, KEYFILE_ID) == 0)
            return &k->keys[i];
    return NULL;
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

static int line_parse(struct keyring *k, struct str line, const char *path, unsigned number,
                      struct err *err)
{
    struct keyfile_key *key = &k->keys[k->n];
    unsigned char bytes[KEYFILE_KEY];
    struct str id, hex;
    size_t n = 0;
    bool good = false;

    if (line.n == 0 || line.p[0] == '#')
        return 0;
    if (k->n == KEYFILE_KEYS_MAX)
        return err_set(err, ERR_MISCONFIGURED, "%s:%u: more than %d keys", path, number,
                       KEYFILE_KEYS_MAX);
    if (!str_split(&line, ' ', &id) || !str_split(&line, ' ', &hex) || line.n != 0 ||
        !text_hex_decode(id, key->id, KEYFILE_ID, &n) || n != KEYFILE_ID)
        return err_set(err, ERR_MISCONFIGURED,
                       "%s:%u: expected a key id of %d hex digits and a key", path, number,
                       2 * KEYFILE_ID);
    if (keyfile_find(k, key->id))
        return err_set(err, ERR_MISCONFIGURED, "%s:%u: key id is used twice", path, number);
    if (!text_hex_decode(hex, bytes, sizeof bytes, &n) || n != sizeof bytes)
        (void)err_set(err, ERR_MISCONFIGURED, "%s:%u: a key has exactly %d hex digits", path,
                      number, 2 * KEYFILE_KEY);
    else if (key_weak(bytes))
        (void)err_set(err, ERR_MISCONFIGURED, "%s:%u: this key is not random", path, number);
    else
        good = true;
    if (good) {
        key_extract(key, bytes);
        k->n++;
    }
    seal_wipe(bytes, sizeof bytes);
    return good ? 0 : -1;
}

static int text_parse(struct keyring *k, struct str text, const char *path, struct err *err)
{
    struct str line;

    for (unsigned number = 1; str_split(&text, '\n', &line); number++)
        if (line_parse(k, line, path, number, err) < 0)
            return -1;
    if (k->n == 0)
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

/* 1 and the ring filled, 0: there is no such file. */
static int file_read(struct keyring *k, const char *path, struct err *err)
{
    char text[FILE_MAX + 1];
    size_t n = 0;
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
    while (n < sizeof text && (got = read(fd, text + n, sizeof text - n)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            (void)err_set(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
            goto out;
        }
        n += (size_t)got;
    }
    if (n == sizeof text)
        (void)err_set(err, ERR_MISCONFIGURED, "%s: too large for a key file", path);
    else if (text_parse(k, (struct str){text, n}, path, err) == 0)
        result = 1;
out:
    seal_wipe(text, sizeof text);
    (void)close(fd);
    return result;
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

/* Make the new name survive a power cut. */
static int folder_sync(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        !slash ? mem_dup(".") : mem_dupn(path, slash == path ? 1 : (size_t)(slash - path));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        (void)close(fd);
    free(folder);
    return result;
}

/* A new key under a name of its own, then linked to `path`: unlike rename, link cannot replace the
 * key another process made meanwhile. Whoever loses that race reads the winner's file. */
static int file_make(const char *path, struct err *err)
{
    struct {
        unsigned char id[KEYFILE_ID], bytes[KEYFILE_KEY];
    } key;
    char line[LINE_LEN + 2], unique[32], *tmp = NULL;
    size_t room = strlen(path) + sizeof unique + 2;
    int fd = -1, result = -1;

    rng_fill(&key, sizeof key);
    rng_id(unique);
    tmp = mem_alloc(room);
    (void)snprintf(tmp, room, "%s.%s", path, unique);
    text_hex(key.id, KEYFILE_ID, line);
    line[2 * KEYFILE_ID] = ' ';
    text_hex(key.bytes, KEYFILE_KEY, line + 2 * KEYFILE_ID + 1);
    line[LINE_LEN] = '\n';

    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || text_write(fd, line, LINE_LEN + 1) != 0 ||
        (link(tmp, path) != 0 && errno != EEXIST) || folder_sync(path) != 0)
        (void)err_set(err, ERR_MISCONFIGURED, "%s: cannot be made: %s", path, strerror(errno));
    else
        result = 0;
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(tmp);
    }
    seal_wipe(&key, sizeof key);
    seal_wipe(line, sizeof line);
    free(tmp);
    return result;
}

struct keyring *keyring_open(const char *path, bool create, struct err *err)
{
    struct keyring *k = mem_alloc(sizeof *k);
    int found = file_read(k, path, err);

    if (found == 0 && create && file_make(path, err) == 0)
        found = file_read(k, path, err);
    if (found == 0)
        (void)err_set(err, ERR_MISCONFIGURED, "%s: there is no key file", path);
    if (found != 1)
        keyring_free(&k);
    return k;
}

struct keyring *keyring_fixed(const unsigned char key[32])
{
    struct keyring *k = mem_alloc(sizeof *k);
    unsigned char hash[32];

    seal_sha256((struct str){(const char *)key, KEYFILE_KEY}, hash);
    memcpy(k->keys[0].id, hash, KEYFILE_ID);
    key_extract(&k->keys[0], key);
    k->n = 1;
    return k;
}

void keyring_free(struct keyring **k)
{
    if (!*k)
        return;
    seal_wipe(*k, sizeof **k);
    free(*k);
    *k = NULL;
}
