/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf: settings by typed tables (struct usher_setting of usher/provider.h), from INI files read by
 * inih, the environment, and defaults. One table serves parsing, --check, manuals, samples and
 * forms. Every value knows where it came from. All errors of a run are collected, each with file,
 * line, what is wrong, and what to do ("did you mean"). Nothing defaults silently.
 *
 * A value for KEY in section SECTION may come from exactly one of: the file, the environment
 * variable PREFIX_KEY; secrets also from KEY_file (the content of a file, mode checked, one
 * trailing newline removed; relative to the configuration file's folder, absolute in
 * PREFIX_KEY_FILE) or KEY_env (another environment variable). The environment wins over the file;
 * two spellings in one place are an error. KEY in a variable's name is upper case with '_' for '-'.
 *
 * Lists are parted by blanks, or by one comma between entries; an empty list is none.
 */
#ifndef SYS_CONF_H
#define SYS_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "sys/seal.h"
#include "usher/provider.h"

/* One thing that is wrong. */
struct conf_fault {
    const char *file; /* or "environment", or what a row is called */
    int line;         /* 0: none */
    const char *key;  /* as it is written, "section.key" in a file of sections; or NULL */
    const char *text;
};

/* Everything wrong with a configuration, in order, as a text of "file:line: text" lines and one by
 * one. Beyond a limit they are only counted. */
struct conf_problems {
    struct buf text; /* one problem a line */
    unsigned n;
    struct arena *arena;
    struct conf_fault *kept;
    size_t n_kept, room;
};
void conf_problems_init(struct conf_problems *p);
void conf_problems_deinit(struct conf_problems *p);
void conf_problem(struct conf_problems *p, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same about one setting; key may be NULL. */
void conf_problem_key(struct conf_problems *p, const char *file, int line, const char *key,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Those that are kept; NULL behind the last. Borrowed until the next one is added. */
size_t conf_problems_n(const struct conf_problems *p);
const struct conf_fault *conf_problems_at(const struct conf_problems *p, size_t i);
/* Why a thing cannot be used whose problems begin at number `from`: the first of them, with the
 * place where it stands if that says something. */
const char *conf_problems_reason(const struct conf_problems *p, size_t from, bool with_place,
                                 struct arena *a);

/* The environment as it was when it was copied: the process's own is wiped once it has been read
 * (main/harden.h), and a reload must find the same values. Immutable; wiped when freed. NULL stands
 * for the process's own. */
struct conf_env;
struct conf_env *conf_env_copy(void);
void conf_env_free(struct conf_env **e);
const char *conf_env_get(const struct conf_env *e, const char *name);
/* "NAME=value" of each, NULL behind the last. */
const char *conf_env_at(const struct conf_env *e, size_t i);

/* One file, read: sections and keys as written. Strict: no inline comments, no quotes, no
 * multi-line values, no duplicate sections or keys, no keys before a section, UTF-8 without byte
 * order mark, lines of at most 8 KiB; a regular file, no symbolic link, owned by root or us, not
 * writable by others, and not readable by others if it holds a secret. NULL when nothing could be
 * read; lines that were refused are problems, the rest is there. */
struct conf_file;
enum conf_shape {
    CONF_SECTIONS = 0, /* as above */
    CONF_BARE,         /* no sections */
    CONF_PARTS         /* keys first, then sections of any name, each a thing of its own */
};
struct conf_file *conf_file_read(const char *path, enum conf_shape shape, struct conf_problems *p);
/* The same for a file that was in its folder a moment ago: if it is not any more, *gone becomes
 * true, and that is no problem. */
struct conf_file *conf_file_read_listed(const char *path, enum conf_shape shape, bool *gone,
                                        struct conf_problems *p);
struct conf_file *conf_file_text(const char *name, struct str text, enum conf_shape shape,
                                 struct conf_problems *p);
/* The same from pairs that were read already, like a row of the database: keys and values under the
 * same rules, no sections, no lines. Copies. Never holds secrets: those are given by themselves. */
struct conf_pair {
    const char *key, *value;
};
struct conf_file *conf_file_pairs(const char *name, const struct conf_pair *pairs, size_t n,
                                  struct conf_problems *p);
void conf_file_free(struct conf_file **f);
/* Of a file of parts: what part i is called, and the line of its header. Part 0 is what stands in
 * front of them all, and is called "". NULL behind the last. Several may have one name. */
const char *conf_file_part(const struct conf_file *f, size_t i, int *line);
/* That part as a bare file; free it before the whole. */
struct conf_file *conf_file_part_take(const struct conf_file *f, size_t i);
/* Value of a key, or NULL; *line says where. Section "" for a bare file. */
const char *conf_file_get(const struct conf_file *f, const char *section, const char *key,
                          int *line);
const char *conf_file_name(const struct conf_file *f);

/* Secrets cannot live in a config struct: they stay in this store, by key. */
struct conf_secrets;
struct conf_secrets *conf_secrets_new(void);
void conf_secrets_free(struct conf_secrets **s); /* wipes */
const struct secret *conf_secrets_get(const struct conf_secrets *s, const char *key);
void conf_secrets_set(struct conf_secrets *s, const char *key, struct secret *take);

struct conf_table {
    const char *section;    /* "" for a provider file */
    const char *env_prefix; /* "USHER_SERVER", "USHER_PROVIDER_DISCORD"; NULL: no variables */
    const struct usher_setting *rows;
    size_t n;
    void *config; /* zeroed struct to fill; strings go to the arena */
};

/* Where the values come from. Pairs (conf_file_pairs) are the whole truth: the environment has no
 * say in them, and a variable that would have one elsewhere is a problem; their secrets are
 * `secrets`. */
struct conf_given {
    const char *key;
    const struct secret *secret;
};
struct conf_source {
    const struct conf_file *file; /* NULL: none */
    const struct conf_env *env;   /* NULL: the process's own */
    const struct conf_given *secrets;
    size_t n_secrets;
};

/* Fill each table's struct from a source. Sections and keys that no table knows are problems;
 * environment variables below a table's prefix only when they look like a slip in a known name,
 * because other tables may lie below the same prefix ("a" and "a-b"). Several tables may share a
 * section (core and plugin rows of a provider). */
void conf_apply(const struct conf_source *from, const struct conf_table *tables, size_t n,
                struct arena *a, struct conf_secrets *secrets, struct conf_problems *p);
/* `label =` is as good as no label: a text that is empty becomes NULL. */
void conf_drop_empty(const struct usher_setting *rows, size_t n, void *config);
/* One value by a row's rules into the struct: what conf_apply and forms share. An error does not
 * repeat the value. */
int conf_set(const struct usher_setting *row, void *config, const char *value, struct arena *a,
             struct err *err) __attribute__((warn_unused_result));
/* The value as text, as an admin would write it; secrets give NULL. */
const char *conf_text(const struct usher_setting *row, const void *config, struct arena *a);
/* "1s to 1m" for a row that has limits, or NULL. */
const char *conf_range(const struct usher_setting *row, struct arena *a);

#endif
