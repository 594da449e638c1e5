/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_file: what conf.c needs of a file beyond sys/conf.h: its entries one by one, whether secrets
 * may stand in it, and files that hold one secret. For the conf files only.
 *
 * Files are opened without following a symbolic link, must be regular, owned by root or by us, not
 * writable by others, and not lie in a folder where anybody may replace them. A file with a secret
 * must also be closed to other readers; root may open it to one group (0640 root:usher).
 */
#ifndef SYS_CONF_FILE_H
#define SYS_CONF_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "sys/seal.h"

#define CONF_NAME_MAX 48            /* of sections and keys: inih cuts at 49 without a word */
#define CONF_PART_MAX 1024          /* of the name of a part */
#define CONF_LINE_MAX (8u * 1024)   /* without its end */
#define CONF_FILE_MAX (256u * 1024) /* a whole file */
#define CONF_KEYS_MAX 1000u
#define CONF_SECTIONS_MAX 100u
#define CONF_SECRET_MAX (64u * 1024)

struct conf_file;

struct conf_entry {
    const char *section, *key, *value;
    int line;
};
size_t conf_file_count(const struct conf_file *f);
const struct conf_entry *conf_file_at(const struct conf_file *f, size_t i);

/* Its sections; the line of the header. NULL behind the last. */
const char *conf_file_section(const struct conf_file *f, size_t i, int *line);
/* The folder it lies in, with '/' at the end, or "" for a text. */
const char *conf_file_folder(const struct conf_file *f);
/* NULL if secrets may stand in this file, else what its mode should be. */
const char *conf_file_secret_advice(const struct conf_file *f);
/* Made by conf_file_pairs. */
bool conf_file_is_pairs(const struct conf_file *f);

/* The content of a file that holds one secret, without its one trailing newline. NULL with err. */
struct secret *conf_secret_read(const char *path, struct err *err)
    __attribute__((warn_unused_result));
/* A secret from any source: not empty, not over the limit, no NUL, no byte order mark, no newline
 * at its end. */
struct secret *conf_secret_check(struct str bytes, struct err *err)
    __attribute__((warn_unused_result));

#endif
