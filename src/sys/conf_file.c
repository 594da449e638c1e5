/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "sys/conf.h"

struct conf_header {
    const char *name;
    int line;
};

struct conf_file {
    char *name, *folder;
    char *bytes; /* the text, cut into NUL-ended pieces the entries point to; wiped */
    size_t bytes_n;
    const char *secret_advice; /* NULL: fit for secrets */
    bool pairs;
    struct conf_entry *entries;
    size_t n;
    struct conf_header *sections;
    size_t n_sections;
};

/* ---- bytes from files ------------------------------------------------------------------------ */

struct conf_bytes {
    char *p;
    size_t n;
    const char *secret_advice;
};

static void bytes_free(struct conf_bytes *b)
{
    if (b->p)
        seal_wipe(b->p, b->n);
    free(b->p);
    b->p = NULL;
}

static int check_folder(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? mem_dupn(path, (size_t)(slash - path) + 1) : mem_dup(".");
    struct stat st;
    int r = stat(folder, &st);
    if (r < 0)
        (void)err_set(err, ERR_MISCONFIGURED, "cannot look at its folder: %s", strerror(errno));
    else if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
        r = err_set(err, ERR_MISCONFIGURED,
                    "anybody can replace files in its folder, which has mode %04o: chmod o-w the "
                    "folder",
                    (unsigned)st.st_mode & 07777u);
    free(folder);
    return r;
}

/* What keeps a file of this mode from holding secrets; NULL if nothing does. */
static const char *secret_advice(const struct stat *st)
{
    unsigned open = (unsigned)st->st_mode & 0077u;
    if (open == 0 || (st->st_uid == 0 && open == 0040))
        return NULL;
    return st->st_uid == 0 ? "mode 0600, or 0640 and a group of usher's own, is wanted (chmod 0600)"
                           : "mode 0600 is wanted (chmod 0600)";
}

static int check_stat(const struct stat *st, struct err *err)
{
    unsigned mode = (unsigned)st->st_mode & 07777u;
    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_MISCONFIGURED, "is not a regular file");
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return err_set(err, ERR_MISCONFIGURED,
                       "belongs to user %u, who could change it: root or user %u must own it",
                       (unsigned)st->st_uid, (unsigned)geteuid());
    if (mode & 0022u)
        return err_set(err, ERR_MISCONFIGURED,
                       "mode %04o lets others write to it, 0644 or less is wanted (chmod go-w)",
                       mode);
    return 0;
}

static int read_all(int fd, size_t max, struct conf_bytes *out, struct err *err)
{
    out->p =
        mem_alloc(max + 1); /* one more, to notice what is too long; never moved, so wipeable */
    ssize_t got;
    while (out->n <= max && (got = read(fd, out->p + out->n, max + 1 - out->n)) != 0) {
        if (got < 0 && errno != EINTR)
            return err_set(err, ERR_MISCONFIGURED, "cannot be read: %s", strerror(errno));
        out->n += got > 0 ? (size_t)got : 0;
    }
    if (out->n > max)
        return err_set(err, ERR_MISCONFIGURED, "is larger than %zu KiB", max / 1024);
    return 0;
}

static int bytes_read(const char *path, size_t max, struct conf_bytes *out, struct err *err)
{
    int r = -1;
    *out = (struct conf_bytes){0};
    /* Non-blocking, so that a FIFO without a writer cannot hold us up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 && errno == ELOOP)
        (void)err_set(err, ERR_MISCONFIGURED,
                      "is a symbolic link: name the file it leads to instead");
    else if (fd < 0)
        (void)err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_MISCONFIGURED,
                      "cannot be opened: %s", strerror(errno));
    else if (fstat(fd, &st) < 0)
        (void)err_set(err, ERR_MISCONFIGURED, "cannot be read: %s", strerror(errno));
    else if (check_stat(&st, err) == 0 && check_folder(path, err) == 0) {
        out->secret_advice = secret_advice(&st);
        r = read_all(fd, max, out, err);
    }
    if (fd >= 0)
        close(fd);
    if (r < 0)
        bytes_free(out);
    return r;
}

/* ---- secrets --------------------------------------------------------------------------------- */

struct secret *conf_secret_check(struct str s, struct err *err)
{
    const char *wrong = NULL;
    if (s.n == 0)
        wrong = "is empty";
    else if (s.n > CONF_SECRET_MAX)
        wrong = "is larger than 64 KiB";
    else if (memchr(s.p, 0, s.n))
        wrong = "holds a NUL byte";
    else if (s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0)
        wrong = "begins with a byte order mark";
    else if (s.n >= 2 && (memcmp(s.p, "\xff\xfe", 2) == 0 || memcmp(s.p, "\xfe\xff", 2) == 0))
        wrong = "is UTF-16; plain bytes are wanted";
    else if (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r')
        wrong = "ends in more than one newline";
    if (!wrong)
        return secret_new(s.p, s.n);
    (void)err_set(err, ERR_MISCONFIGURED, "%s", wrong);
    return NULL;
}

struct secret *conf_secret_read(const char *path, struct err *err)
{
    struct conf_bytes b;
    struct secret *secret = NULL;
    if (bytes_read(path, CONF_SECRET_MAX, &b, err) < 0)
        return NULL;
    struct str s = {b.p, b.n};
    if (b.secret_advice) {
        (void)err_set(err, ERR_MISCONFIGURED, "can be read by others; %s", b.secret_advice);
        goto out;
    }
    if (s.n > 0 && s.p[s.n - 1] == '\n')
        s.n -= s.n > 1 && s.p[s.n - 2] == '\r' ? 2 : 1;
    secret = conf_secret_check(s, err);
out:
    bytes_free(&b);
    return secret;
}

/* ---- INI ------------------------------------------------------------------------------------- */

/*
 * Debian's inih reads lines of at most 199 bytes and handles the rest of a longer one as the next
 * line, cuts names at 49, takes ':' for '=', " ;" for a comment and an indented line for more of
 * the last value, and skips a byte order mark. None of that may happen silently. So every raw line
 * is judged here first, and inih gets a plain form of it: "[section]", or "key=." where the dot
 * stands for a value of any length that waits in `value`. A part's name is none of its business.
 */
struct conf_feed {
    struct conf_file *f;
    struct conf_problems *p;
    enum conf_shape shape;
    char *next, *end; /* what is left of the text */
    int line;
    const char *section, *key, *value; /* what inih should find in the line it has */
    int since;                         /* line of the header of that section */
    bool skip;                         /* below a section header that was refused */
};

static bool is_name(struct str s)
{
    if (s.n == 0 || s.n > CONF_NAME_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '_' || (s.p[i] == '-' && i > 0)))
            return false;
    return true;
}

static bool feed_wrong(struct conf_feed *feed, const char *what)
{
    conf_problem(feed->p, feed->f->name, feed->line, "%s", what);
    return false;
}

static void feed_wrong_key(struct conf_feed *feed, struct str key, const char *what)
{
    char full[2 * CONF_NAME_MAX + 2];
    const char *section = feed->section ? feed->section : "";
    snprintf(full, sizeof full, "%s%s%.*s", section, *section ? "." : "", (int)key.n, key.p);
    conf_problem_key(feed->p, feed->f->name, feed->line, full, "%.*s%s", (int)key.n, key.p, what);
}

static bool feed_section(struct conf_feed *feed, struct str line)
{
    struct conf_file *f = feed->f;
    feed->skip = true;
    if (line.p[line.n - 1] != ']')
        return feed_wrong(feed, "a section line is [name] and nothing else");
    struct str name = {line.p + 1, line.n - 2};
    const bool part = feed->shape == CONF_PARTS;
    if (part ? name.n == 0 || name.n > CONF_PART_MAX : !is_name(name))
        return feed_wrong(feed, part ? "what stands in [] is empty or too long"
                                     : "section names are lower-case letters, digits, '_' and '-'");
    if (feed->shape == CONF_BARE)
        return feed_wrong(feed, "this file has no sections: remove the line");
    if (f->n_sections == CONF_SECTIONS_MAX)
        return feed_wrong(feed, "too many sections");
    ((char *)line.p)[line.n - 1] = 0; /* our own copy of the text */
    for (size_t i = 0; i < f->n_sections && !part; i++)
        if (strcmp(f->sections[i].name, name.p) == 0) {
            conf_problem(feed->p, f->name, feed->line, "[%s] is there already, in line %d", name.p,
                         f->sections[i].line);
            return false;
        }
    f->sections[f->n_sections++] = (struct conf_header){name.p, feed->line};
    feed->section = name.p;
    feed->since = feed->line;
    feed->key = NULL;
    feed->skip = false;
    return true;
}

/* Things somebody may mean by a value that INI files of other programs have. */
static const char *value_trap(struct str v)
{
    for (size_t i = 1; i < v.n; i++)
        if ((v.p[i] == ';' || v.p[i] == '#') && (v.p[i - 1] == ' ' || v.p[i - 1] == '\t'))
            return ": comments go on lines of their own";
    if (v.n > 0 && (v.p[0] == ';' || v.p[0] == '#'))
        return ": comments go on lines of their own";
    if (v.n > 1 && (v.p[0] == '"' || v.p[0] == '\'') && v.p[v.n - 1] == v.p[0])
        return ": values are written without quotes";
    if (v.n > 0 && v.p[v.n - 1] == '\\')
        return ": a value cannot go on in the next line";
    return NULL;
}

static bool feed_key(struct conf_feed *feed, struct str line)
{
    const char *eq = memchr(line.p, '=', line.n);
    if (!eq)
        return feed_wrong(feed, "this is neither [section] nor key = value nor a comment");
    struct str key = str_trim((struct str){line.p, (size_t)(eq - line.p)});
    struct str value = str_trim((struct str){eq + 1, line.n - (size_t)(eq + 1 - line.p)});
    if (!is_name(key))
        return feed_wrong(feed,
                          "a line is key = value; keys are lower-case letters, digits and '_'");
    if (!feed->section && feed->shape == CONF_SECTIONS)
        return feed_wrong(feed, "this key is before any [section]");
    const char *trap = value_trap(value);
    if (trap) {
        feed_wrong_key(feed, key, trap);
        return false;
    }
    ((char *)key.p)[key.n] = 0; /* a blank or the '=' */
    ((char *)value.p)[value.n] = 0;
    feed->key = key.p;
    feed->value = value.p;
    return true;
}

/* Cuts the next raw line off the text. */
static bool feed_cut(struct conf_feed *feed, struct str *line)
{
    if (feed->next >= feed->end)
        return false;
    char *nl = memchr(feed->next, '\n', (size_t)(feed->end - feed->next));
    char *stop = nl ? nl : feed->end;
    *line = (struct str){feed->next, (size_t)(stop - feed->next)};
    feed->next = nl ? nl + 1 : feed->end;
    feed->line++;
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

static bool feed_judge(struct conf_feed *feed, struct str line)
{
    struct str text = str_trim(line);
    if (line.n > CONF_LINE_MAX)
        return feed_wrong(feed, "the line is longer than 8 KiB; long values go into files");
    for (size_t i = 0; i < line.n; i++)
        if (((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f)
            return feed_wrong(feed, "the line holds a control byte");
    if (!text_utf8(line))
        return feed_wrong(feed, "the line is not UTF-8");
    if (text.n == 0 || text.p[0] == '#' || text.p[0] == ';')
        return false;
    if (text.p != line.p)
        return feed_wrong(feed, "a line cannot begin with a blank, and a value has one line");
    if (text.p[0] == '[')
        return feed_section(feed, text);
    return !feed->skip && feed_key(feed, text);
}

/* What inih is told of a section. */
static const char *fed_section(const struct conf_feed *feed)
{
    return !feed->section ? "" : feed->shape == CONF_PARTS ? "part" : feed->section;
}

/* inih's reader: like fgets. Lines without content and refused ones never reach it. */
static char *feed_read(char *to, int room, void *ctx)
{
    struct conf_feed *feed = ctx;
    struct str line;
    while (feed_cut(feed, &line)) {
        feed->key = NULL;
        if (!feed_judge(feed, line))
            continue;
        int n = feed->key ? snprintf(to, (size_t)room, "%s=.\n", feed->key)
                          : snprintf(to, (size_t)room, "[%s]\n", fed_section(feed));
        return n > 0 && n < room ? to : NULL;
    }
    return NULL;
}

static int feed_take(void *ctx, const char *section, const char *key, const char *value)
{
    struct conf_feed *feed = ctx;
    struct conf_file *f = feed->f;
    const char *mine = feed->section ? feed->section : "";
    if (!feed->key || strcmp(section, fed_section(feed)) != 0 || strcmp(key, feed->key) != 0 ||
        strcmp(value, ".") != 0)
        return 0;
    for (size_t i = 0; i < f->n; i++)
        if (f->entries[i].line >= (feed->shape == CONF_PARTS ? feed->since : 0) &&
            strcmp(f->entries[i].section, mine) == 0 && strcmp(f->entries[i].key, key) == 0) {
            char text[64];
            snprintf(text, sizeof text, " is there already, in line %d", f->entries[i].line);
            feed_wrong_key(feed, str_of(key), text);
            return 1;
        }
    if (f->n == CONF_KEYS_MAX) {
        (void)feed_wrong(feed, "too many keys; the rest of the file is not read");
        feed->next = feed->end;
        return 1;
    }
    f->entries[f->n++] = (struct conf_entry){mine, feed->key, feed->value, feed->line};
    return 1;
}

static void conf_file_parse(struct conf_file *f, enum conf_shape shape, struct conf_problems *p)
{
    struct conf_feed feed = {.f = f, .p = p, .shape = shape, .next = f->bytes};
    feed.end = f->bytes + f->bytes_n;
    f->entries = mem_alloc(CONF_KEYS_MAX * sizeof *f->entries);
    f->sections = mem_alloc(CONF_SECTIONS_MAX * sizeof *f->sections);
    int r = ini_parse_stream(feed_read, &feed, feed_take, &feed);
    if (r != 0) /* inih saw something else in a line than we did */
        conf_problem(p, f->name, feed.line, "the file cannot be understood");
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Takes the bytes. NULL if they are no text at all. */
static struct conf_file *conf_file_make(const char *name, struct conf_bytes *b,
                                        enum conf_shape shape, struct conf_problems *p)
{
    const char *wrong = NULL;
    if (b->n >= 3 && memcmp(b->p, "\xef\xbb\xbf", 3) == 0)
        wrong = "begins with a byte order mark: save it as UTF-8 without one";
    else if (b->n >= 2 && (memcmp(b->p, "\xff\xfe", 2) == 0 || memcmp(b->p, "\xfe\xff", 2) == 0))
        wrong = "is UTF-16: save it as UTF-8";
    else if (memchr(b->p, 0, b->n))
        wrong = "holds a NUL byte: it is no text file";
    if (wrong) {
        conf_problem(p, name, 0, "%s", wrong);
        bytes_free(b);
        return NULL;
    }
    struct conf_file *f = mem_alloc(sizeof *f);
    f->name = mem_dup(name);
    f->folder = mem_dup("");
    f->bytes = b->p;
    f->bytes_n = b->n;
    f->secret_advice = b->secret_advice;
    conf_file_parse(f, shape, p);
    return f;
}

struct conf_file *conf_file_read(const char *path, enum conf_shape shape, struct conf_problems *p)
{
    bool gone = false;
    struct conf_file *f = conf_file_read_listed(path, shape, &gone, p);
    if (gone)
        conf_problem(p, path, 0, "cannot be opened: %s", strerror(ENOENT));
    return f;
}

struct conf_file *conf_file_read_listed(const char *path, enum conf_shape shape, bool *gone,
                                        struct conf_problems *p)
{
    struct conf_bytes b;
    struct err err = ERR_INIT;
    if (bytes_read(path, CONF_FILE_MAX, &b, &err) < 0) {
        *gone = err.kind == ERR_NOT_FOUND;
        if (!*gone)
            conf_problem(p, path, 0, "%s", err.text);
        return NULL;
    }
    struct conf_file *f = conf_file_make(path, &b, shape, p);
    const char *slash = strrchr(path, '/');
    if (f) {
        free(f->folder);
        f->folder = slash ? mem_dupn(path, (size_t)(slash - path) + 1) : mem_dup("./");
    }
    return f;
}

struct conf_file *conf_file_text(const char *name, struct str text, enum conf_shape shape,
                                 struct conf_problems *p)
{
    if (text.n > CONF_FILE_MAX) {
        conf_problem(p, name, 0, "is larger than %u KiB", CONF_FILE_MAX / 1024);
        return NULL;
    }
    struct conf_bytes b = {.p = mem_alloc(text.n + 1), .n = text.n};
    if (text.n > 0)
        memcpy(b.p, text.p, text.n);
    return conf_file_make(name, &b, shape, p);
}

/* What feed_judge and feed_key would have said of the line; NULL when it is fine. */
static const char *pair_wrong(struct str value)
{
    if (value.n > CONF_LINE_MAX)
        return "is longer than 8 KiB";
    for (size_t i = 0; i < value.n; i++)
        if (((unsigned char)value.p[i] < 0x20 && value.p[i] != '\t') || value.p[i] == 0x7f)
            return "holds a control byte";
    return text_utf8(value) ? NULL : "is not UTF-8";
}

static void pair_take(struct conf_file *f, const struct conf_pair *pair, struct conf_problems *p)
{
    const char *wrong = pair_wrong(str_of(pair->value));
    int line;
    if (!is_name(str_of(pair->key)))
        conf_problem_key(p, f->name, 0, pair->key,
                         "%.60s: keys are lower-case letters, digits and '_'", pair->key);
    else if (wrong)
        conf_problem_key(p, f->name, 0, pair->key, "%s: %s", pair->key, wrong);
    else if (conf_file_get(f, "", pair->key, &line))
        conf_problem_key(p, f->name, 0, pair->key, "%s is there already", pair->key);
    else
        f->entries[f->n++] = (struct conf_entry){"", pair->key, pair->value, 0};
}

/* Entries come to point into our own copy, blanks around values gone as in a file. */
static void pairs_copy(struct conf_file *f)
{
    for (size_t i = 0; i < f->n; i++)
        f->bytes_n += strlen(f->entries[i].key) + strlen(f->entries[i].value) + 2;
    char *to = f->bytes = mem_alloc(f->bytes_n + 1); /* zeroed */
    for (size_t i = 0; i < f->n; i++) {
        struct conf_entry *e = &f->entries[i];
        const size_t key = strlen(e->key) + 1;
        const struct str value = str_trim(str_of(e->value));
        e->key = memcpy(to, e->key, key);
        e->value = to + key;
        if (value.n > 0)
            memcpy(to + key, value.p, value.n);
        to += key + value.n + 1;
    }
}

struct conf_file *conf_file_pairs(const char *name, const struct conf_pair *pairs, size_t n,
                                  struct conf_problems *p)
{
    struct conf_file *f = mem_alloc(sizeof *f);
    f->name = mem_dup(name);
    f->folder = mem_dup("");
    f->pairs = true;
    if (n > CONF_KEYS_MAX) {
        conf_problem(p, name, 0, "more than %u settings", CONF_KEYS_MAX);
        n = CONF_KEYS_MAX;
    }
    f->entries = mem_alloc((n + 1) * sizeof *f->entries);
    for (size_t i = 0; i < n; i++)
        pair_take(f, &pairs[i], p);
    pairs_copy(f);
    return f;
}

void conf_file_free(struct conf_file **file)
{
    struct conf_file *f = *file;
    if (!f)
        return;
    *file = NULL;
    if (f->bytes)
        seal_wipe(f->bytes, f->bytes_n);
    free(f->bytes);
    free(f->entries);
    free(f->sections);
    free(f->name);
    free(f->folder);
    free(f);
}

const char *conf_file_part(const struct conf_file *f, size_t i, int *line)
{
    *line = 0;
    return i == 0 ? "" : conf_file_section(f, i - 1, line);
}

struct conf_file *conf_file_part_take(const struct conf_file *f, size_t i)
{
    const char *name = i > 0 ? f->sections[i - 1].name : NULL; /* its entries point there, too */
    struct conf_file *part = mem_alloc(sizeof *part);
    part->name = mem_dup(f->name);
    part->folder = mem_dup(f->folder);
    part->secret_advice = f->secret_advice;
    part->entries = mem_alloc((f->n + 1) * sizeof *part->entries);
    for (size_t k = 0; k < f->n; k++) {
        const struct conf_entry *e = &f->entries[k];
        if (name ? e->section == name : !*e->section)
            part->entries[part->n++] = (struct conf_entry){"", e->key, e->value, e->line};
    }
    return part;
}

const char *conf_file_get(const struct conf_file *f, const char *section, const char *key,
                          int *line)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->entries[i].section, section) == 0 && strcmp(f->entries[i].key, key) == 0) {
            *line = f->entries[i].line;
            return f->entries[i].value;
        }
    return NULL;
}

const char *conf_file_name(const struct conf_file *f)
{
    return f->name;
}

size_t conf_file_count(const struct conf_file *f)
{
    return f->n;
}

const struct conf_entry *conf_file_at(const struct conf_file *f, size_t i)
{
    return &f->entries[i];
}

const char *conf_file_section(const struct conf_file *f, size_t i, int *line)
{
    if (i >= f->n_sections)
        return NULL;
    *line = f->sections[i].line;
    return f->sections[i].name;
}

const char *conf_file_folder(const struct conf_file *f)
{
    return f->folder;
}

const char *conf_file_secret_advice(const struct conf_file *f)
{
    return f->secret_advice;
}

bool conf_file_is_pairs(const struct conf_file *f)
{
    return f->pairs;
}
