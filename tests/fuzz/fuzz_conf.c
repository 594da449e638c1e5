/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file. The first byte says what it is: 'b' for a bare one (keys only), else one
 * with sections. Whatever it holds:
 *   - what is read stands in the input, whole, on the line it is said to be on: inih neither cut
 *     nor joined nor moved anything;
 *   - a key or section is there once; problems are one line of text each;
 *   - a value that was accepted says the same when written as text and read again;
 *   - a secret of the input is in no problem.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/conf.h"
#include "sys/conf_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct all {
    const char *text, *url;
    int64_t number, seconds, bytes;
    bool flag;
    int choice;
    const char *const *list;
    struct usher_secret secret;
};

static const char *const choices[] = {"one", "two", "three", NULL};
static const struct usher_setting rows[] = {
    USHER_SET_TEXT(struct all, text, .flags = USHER_REQUIRED),
    USHER_SET_URL(struct all, url, .value = "https://a.example/"),
    USHER_SET_INT(struct all, number, .min = -5, .max = INT64_MAX),
    USHER_SET_DURATION(struct all, seconds, .value = "75s", .max = 86400 * 365),
    USHER_SET_SIZE(struct all, bytes, .value = "64k"),
    USHER_SET_BOOL(struct all, flag, .value = "yes"),
    USHER_SET_CHOICE(struct all, choice, .choices = choices, .value = "two"),
    USHER_SET_LIST(struct all, list, .value = "a b"),
    USHER_SET_SECRET(struct all, secret),
};
#define N_ROWS (sizeof rows / sizeof *rows)

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* The line with that number, found without the parser's help. */
static struct str line_at(struct str text, int number)
{
    for (; number > 1; number--) {
        const char *nl = memchr(text.p, '\n', text.n);
        must(nl != NULL);
        text.n -= (size_t)(nl + 1 - text.p);
        text.p = nl + 1;
    }
    const char *nl = text.n ? memchr(text.p, '\n', text.n) : NULL;
    return (struct str){text.p, nl ? (size_t)(nl - text.p) : text.n};
}

static void check_entry(const struct conf_file *f, size_t i, struct str text)
{
    const struct conf_entry *e = conf_file_at(f, i);
    struct str line = line_at(text, e->line);
    const char *eq = memchr(line.p, '=', line.n);
    must(eq != NULL);
    if (line.p[line.n - 1] == '\r')
        line.n--;
    must(str_is(str_trim((struct str){line.p, (size_t)(eq - line.p)}), e->key));
    must(str_is(str_trim((struct str){eq + 1, (size_t)(line.p + line.n - eq - 1)}), e->value));
    must(text_utf8(str_of(e->value)) && !strpbrk(e->value, "\n\r\x1b"));
    int at = 0;
    must(conf_file_get(f, e->section, e->key, &at) == e->value && at == e->line);
}

static void check_problems(const struct conf_problems *p)
{
    unsigned n = 0;
    for (size_t i = 0; i < p->text.n; i++)
        n += p->text.p[i] == '\n';
    must(p->text.over ? n <= p->n : n == p->n);
    must(text_utf8((struct str){p->text.p, p->text.n}) || p->text.over || p->text.n == 0);
}

static void check_values(const struct all *config, struct arena *a)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const char *text = conf_text(&rows[i], config, a);
        struct all again = {0};
        struct err err = ERR_INIT;
        if (!text || (rows[i].type == USHER_URL && !*text))
            continue;
        must(conf_set(&rows[i], &again, text, a, &err) == 0);
        const char *twice = conf_text(&rows[i], &again, a);
        must(twice && strcmp(text, twice) == 0);
    }
}

/* Long enough not to be part of a message by chance, and nowhere else in the input (names of keys
 * may be in problems). */
static void check_secret(const struct conf_secrets *s, const struct conf_problems *p,
                         struct str text)
{
    const struct secret *secret = conf_secrets_get(s, "secret");
    if (!secret || secret_len(secret) < 24)
        return;
    struct str v = secret_reveal(secret);
    unsigned times = 0;
    for (size_t i = 0; i + v.n <= text.n; i++)
        times += memcmp(text.p + i, v.p, v.n) == 0;
    must(times > 1 || strstr(p->text.p, v.p) == NULL);
}

/* Every entry is in one part, and every part can be read by itself. */
static void check_parts(const struct conf_file *f, struct arena *a, struct conf_secrets *secrets,
                        struct conf_problems *p)
{
    size_t entries = 0;
    int line;
    for (size_t i = 0; conf_file_part(f, i, &line); i++) {
        struct all config = {0};
        struct conf_file *part = conf_file_part_take(f, i);
        const struct conf_table t = {"", i ? NULL : "FUZZ_CONF", rows, N_ROWS, &config};
        entries += conf_file_count(part);
        conf_apply(&(const struct conf_source){.file = part}, &t, 1, a, secrets, p);
        conf_file_free(&part);
    }
    must(entries == conf_file_count(f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const enum conf_shape shape = data[0] == 'b'   ? CONF_BARE
                                  : data[0] == 'p' ? CONF_PARTS
                                                   : CONF_SECTIONS;
    struct str text = {(const char *)data + 1, size - 1};
    struct all config = {0};
    struct arena *a = arena_new();
    struct conf_secrets *secrets = conf_secrets_new();
    struct conf_problems p;
    conf_problems_init(&p);
    struct conf_file *f = conf_file_text("fuzz", text, shape, &p);
    if (f && shape == CONF_PARTS) {
        check_parts(f, a, secrets, &p);
    } else if (f) {
        const struct conf_table t = {shape == CONF_SECTIONS ? "main" : "", "FUZZ_CONF", rows,
                                     N_ROWS, &config};
        for (size_t i = 0; i < conf_file_count(f); i++)
            check_entry(f, i, text);
        conf_apply(&(const struct conf_source){.file = f}, &t, 1, a, secrets, &p);
        if (p.n == 0)
            must(config.text && *config.text);
        check_values(&config, a);
        check_secret(secrets, &p, text);
    } else {
        must(p.n > 0);
    }
    check_problems(&p);
    conf_file_free(&f);
    conf_problems_deinit(&p);
    conf_secrets_free(&secrets);
    arena_free(&a);
    return 0;
}
