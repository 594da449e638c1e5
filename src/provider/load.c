/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "provider/elf.h"
#include "provider/guard.h"
#include "provider/schema.h"

#define PLUGIN_NAME_MAX 32
#define IMAGE_MAX (32u << 20)
#define LEG_MAX 65536

/* One loaded plugin. The descriptor of its file stays open: the dynamic linker compares names
 * before inodes, and /proc/self/fd/N must not come to mean another file. */
struct loaded {
    struct loaded *next;
    dev_t dev;
    ino_t ino;
    int fd;
    void *handle;
    struct arena *arena; /* the settings table of desc */
    struct usher_provider desc;
};

/* Shared objects are process-wide whatever we do, so this list is too. */
static pthread_mutex_t loaded_lock = PTHREAD_MUTEX_INITIALIZER;
static struct loaded *loaded_first;

bool plugin_name_valid(const char *name)
{
    size_t n = name ? strnlen(name, PLUGIN_NAME_MAX + 1) : 0;
    if (n == 0 || n > PLUGIN_NAME_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
              name[i] == '_' || name[i] == '-'))
            return false;
    return true;
}

/* ---- the descriptor ------------------------------------------------------------------------- */

static bool line_valid(const char *text, size_t max, bool needed)
{
    if (!text)
        return !needed;
    struct str s = {text, strnlen(text, max + 1)};
    if (s.n > max || (needed && s.n == 0) || !text_utf8(s))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

static int check_texts(const struct usher_provider *d, struct err *err)
{
    if (!line_valid(d->label, 60, true))
        return err_set(err, ERR_MISCONFIGURED, "its label is missing or not usable");
    if (!line_valid(d->version, 32, true))
        return err_set(err, ERR_MISCONFIGURED, "its version is missing or not usable");
    if (!line_valid(d->steps, 2000, false))
        return err_set(err, ERR_MISCONFIGURED, "its steps are not usable");
    if (d->home && (!line_valid(d->home, 300, true) || strncmp(d->home, "https://", 8) != 0))
        return err_set(err, ERR_MISCONFIGURED, "its home must be an https URL");
    if (d->scopes && !schema_scopes_valid(d->scopes))
        return err_set(err, ERR_MISCONFIGURED,
                       "its scopes must be tokens separated by single blanks");
    for (size_t i = 0; d->origins && d->origins[i]; i++)
        if (i >= 16 || !schema_is_origin(d->origins[i]))
            return err_set(err, ERR_MISCONFIGURED,
                           "its origins must be like https://host, at most 16");
    return 0;
}

int plugin_check(const struct usher_provider *raw, const char *name, struct arena *a,
                 struct usher_provider *out, struct err *err)
{
    const size_t least = offsetof(struct usher_provider, step) + sizeof raw->step;
    memset(out, 0, sizeof *out);
    if (!raw || raw->size < offsetof(struct usher_provider, name) || raw->magic != USHER_ABI_MAGIC)
        return err_set(err, ERR_MISCONFIGURED, "is no usher plugin (wrong magic)");
    if (raw->abi_major != USHER_ABI_MAJOR)
        return err_set(err, ERR_MISCONFIGURED,
                       "was built for plugin ABI %u, this usher speaks %u: build it again",
                       (unsigned)raw->abi_major, USHER_ABI_MAJOR);
    if (raw->size < least || raw->size > 65536)
        return err_set(err, ERR_MISCONFIGURED,
                       "has a descriptor of %zu bytes, expected at least %zu", raw->size, least);
    memcpy(out, raw, raw->size < sizeof *out ? raw->size : sizeof *out);
    out->size = sizeof *out;
    if (!out->name || strnlen(out->name, PLUGIN_NAME_MAX + 1) > PLUGIN_NAME_MAX ||
        strcmp(out->name, name) != 0)
        return err_set(err, ERR_MISCONFIGURED, "calls itself by another name than its file");
    if (!out->step)
        return err_set(err, ERR_MISCONFIGURED, "has no step function");
    if (out->leg_size > LEG_MAX)
        return err_set(err, ERR_MISCONFIGURED, "wants more than %d bytes for a leg", LEG_MAX);
    if (check_texts(out, err) < 0)
        return -1;
    out->settings = schema_copy(out->settings, out->n_settings, out->config_size, a, err);
    return out->settings ? 0 : -1;
}

/* ---- the file ------------------------------------------------------------------------------- */

/* Owned by root or us, and written by nobody else. `shared`: a sticky folder like /tmp will do. */
static int check_owner(const struct stat *st, bool shared, struct err *err)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return err_set(err, ERR_MISCONFIGURED,
                       "is owned by uid %u, not by root or usher's user (chown root)",
                       (unsigned)st->st_uid);
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !(shared && (st->st_mode & S_ISVTX)))
        return err_set(err, ERR_MISCONFIGURED, "can be written by group or others (chmod go-w)");
    return 0;
}

/* The folder `part` below `fd`, which is closed; `last`: it holds the plugins. */
static int open_below(int fd, struct str part, bool last, struct err *err)
{
    char name[NAME_MAX + 1];
    struct stat st;
    snprintf(name, sizeof name, "%.*s", (int)part.n, part.p);
    int below = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int why = errno;
    close(fd);
    if (below < 0 || fstat(below, &st) < 0)
        err_set(err, ERR_MISCONFIGURED, "%s", strerror(below < 0 ? why : errno));
    else if (check_owner(&st, !last, err) == 0)
        return below;
    err_context(err, "folder %.40s", name);
    if (below >= 0)
        close(below);
    return -1;
}

/* Walks from the root, so that no folder above can be swapped by somebody else afterwards. */
static int open_folder(const char *dir, struct err *err)
{
    char path[PATH_MAX];
    if (!realpath(dir, path))
        return err_set(err, ERR_MISCONFIGURED, "plugin folder %.120s: %s", dir, strerror(errno));
    struct str rest = str_of(path), part, next;
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool more = str_split(&rest, '/', &part) && str_split(&rest, '/', &part); /* after the root */
    while (fd >= 0 && more && part.n) {
        more = str_split(&rest, '/', &next);
        fd = open_below(fd, part, !more, err);
        part = next;
    }
    if (fd < 0)
        err_context(err, "plugin folder %.100s", dir);
    return fd;
}

static int open_file(const char *dir, const char *name, struct stat *st, struct err *err)
{
    char file[PLUGIN_NAME_MAX + 4];
    snprintf(file, sizeof file, "%s.so", name);
    int folder = open_folder(dir, err);
    if (folder < 0)
        return -1;
    int fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    int why = errno;
    close(folder);
    if (fd < 0) {
        if (why == ENOENT)
            return err_set(err, ERR_MISCONFIGURED, "there is no %s in %.120s", file, dir);
        return err_set(err, ERR_MISCONFIGURED, "%s",
                       why == ELOOP ? "is a symbolic link" : strerror(why));
    }
    if (fstat(fd, st) < 0)
        err_set(err, ERR_INTERNAL, "fstat: %s", strerror(errno));
    else if (!S_ISREG(st->st_mode))
        err_set(err, ERR_MISCONFIGURED, "is no regular file");
    else if (st->st_size > (off_t)IMAGE_MAX)
        err_set(err, ERR_MISCONFIGURED, "is larger than %u bytes", IMAGE_MAX);
    else if (check_owner(st, false, err) == 0)
        return fd;
    close(fd);
    return -1;
}

static int check_image(int fd, size_t n, struct err *err)
{
    if (n == 0)
        return elf_check("", 0, err);
    void *image = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (image == MAP_FAILED)
        return err_set(err, ERR_INTERNAL, "mmap: %s", strerror(errno));
    int rc = elf_check(image, n, err);
    munmap(image, n);
    return rc;
}

/* The symbol must be data, of this very object, and as large as it says. */
static const struct usher_provider *find_symbol(void *handle, struct err *err)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    struct link_map *map = NULL;
    const struct usher_provider *raw = dlsym(handle, USHER_PROVIDER_SYMBOL);
    if (!raw || !dladdr1(raw, &info, (void **)(void *)&symbol, RTLD_DL_SYMENT) || !symbol ||
        dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || (ElfW(Addr))info.dli_fbase != map->l_addr ||
        !info.dli_sname || strcmp(info.dli_sname, USHER_PROVIDER_SYMBOL) != 0) {
        err_set(err, ERR_MISCONFIGURED, "exports no " USHER_PROVIDER_SYMBOL);
        return NULL;
    }
    if (ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT ||
        symbol->st_size < offsetof(struct usher_provider, name) || raw->size > symbol->st_size) {
        err_set(err, ERR_MISCONFIGURED,
                "exports a " USHER_PROVIDER_SYMBOL " that is no descriptor");
        return NULL;
    }
    return raw;
}

static struct loaded *load_file(int fd, const char *name, const struct stat *st, struct err *err)
{
    char path[64];
    if (check_image(fd, (size_t)st->st_size, err) < 0)
        return NULL;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct guard *guard = guard_take();
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *changed = guard_compare(&guard);
    if (!handle) {
        const char *why = dlerror();
        err_set(err, ERR_MISCONFIGURED, "does not load: %.160s", why ? why : "unknown reason");
        return NULL;
    }
    struct loaded *l = mem_alloc(sizeof *l);
    *l = (struct loaded){
        .dev = st->st_dev, .ino = st->st_ino, .fd = fd, .handle = handle, .arena = arena_new()};
    const struct usher_provider *raw = NULL;
    if (changed)
        err_set(err, ERR_MISCONFIGURED, "changed %s of the process while it was loaded", changed);
    else
        raw = find_symbol(handle, err);
    if (raw && plugin_check(raw, name, l->arena, &l->desc, err) == 0)
        return l;
    arena_free(&l->arena);
    dlclose(handle);
    free(l);
    return NULL;
}

const struct usher_provider *plugin_load(const char *dir, const char *name, struct err *err)
{
    if (!plugin_name_valid(name)) {
        err_set(err, ERR_MISCONFIGURED,
                "a plugin name is at most %d of a-z, 0-9, '-' and '_', and no path",
                PLUGIN_NAME_MAX);
        return NULL;
    }
    struct stat st;
    struct loaded *l = NULL;
    int fd = open_file(dir, name, &st, err);
    if (fd < 0)
        goto out;
    pthread_mutex_lock(&loaded_lock);
    for (l = loaded_first; l; l = l->next)
        if (l->dev == st.st_dev && l->ino == st.st_ino)
            break;
    if (l) {
        close(fd);
        if (strcmp(l->desc.name, name) != 0) { /* a hard link under another name */
            l = NULL;
            err_set(err, ERR_MISCONFIGURED, "calls itself by another name than its file");
        }
    } else if ((l = load_file(fd, name, &st, err)) != NULL) {
        l->next = loaded_first;
        loaded_first = l;
    } else {
        close(fd);
    }
    pthread_mutex_unlock(&loaded_lock);
out:
    if (!l)
        err_context(err, "plugin %s", name);
    return l ? &l->desc : NULL;
}
