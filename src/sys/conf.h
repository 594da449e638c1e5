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

/* Everything wrong with a configuration, in order: "file:line: text". */
struct conf_problems {
    struct buf text; /* one problem a line */
    unsigned n;
};
void conf_problems_init(struct conf_problems *p);
void conf_problems_deinit(struct conf_problems *p);
void conf_problem(struct conf_problems *p, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* One file, read: sections and keys as written. Strict: no inline comments, no quotes, no
 * multi-line values, no duplicate sections or keys, no keys before a section (unless `bare`, where
 * there are no sections), UTF-8 without byte order mark, lines of at most 8 KiB; a regular file, no
 * symbolic link, owned by root or us, not writable by others, and not readable by others if it
 * holds a secret. NULL when nothing could be read; lines that were refused are problems, the rest
 * is there. */
struct conf_file;
struct conf_file *conf_file_read(const char *path, bool bare, struct conf_problems *p);
struct conf_file *conf_file_text(const char *name, struct str text, bool bare,
                                 struct conf_problems *p);
void conf_file_free(struct conf_file **f);
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
    const char *env_prefix; /* "USHER_SERVER", "USHER_PROVIDER_DISCORD" */
    const struct usher_setting *rows;
    size_t n;
    void *config; /* zeroed struct to fill; strings go to the arena */
};

/* Fill each table's struct from f (may be NULL) and the environment. Sections and keys that no
 * table knows are problems; environment variables below a table's prefix only when they look like a
 * slip in a known name, because other tables may lie below the same prefix ("a" and "a-b"). Several
 * tables may share a section (core and plugin rows of a provider). */
void conf_apply(const struct conf_file *f, const struct conf_table *tables, size_t n,
                struct arena *a, struct conf_secrets *secrets, struct conf_problems *p);
/* One value by a row's rules into the struct: what conf_apply and forms share. */
int conf_set(const struct usher_setting *row, void *config, const char *value, struct arena *a,
             struct err *err) __attribute__((warn_unused_result));
/* The value as text, as an admin would write it; secrets give NULL. */
const char *conf_text(const struct usher_setting *row, const void *config, struct arena *a);
/* "1s to 1m" for a row that has limits, or NULL. */
const char *conf_range(const struct usher_setting *row, struct arena *a);
/* A commented sample file of a table. */
void conf_sample(const struct conf_table *table, struct buf *out);

#endif
