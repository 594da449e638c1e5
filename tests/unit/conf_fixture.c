/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct conf_fixture cx;

static const char *const levels[] = {"debug", "info", "warn", NULL};
const struct usher_setting cx_rows[CX_ROWS] = {
    USHER_SET_TEXT(struct cx_server, listen, .value = "127.0.0.1:8080", .label = "Address",
                   .help = "Where to listen."),
    USHER_SET_TEXT(struct cx_server, name, .label = "Name"),
    USHER_SET_URL(struct cx_server, url, .label = "Public address", .example = "https://a.example"),
    USHER_SET_INT(struct cx_server, workers, .value = "2", .min = 1, .max = 64, .label = "Workers"),
    USHER_SET_DURATION(struct cx_server, idle, .value = "75s", .min = 1, .max = 3600,
                       .label = "Idle"),
    USHER_SET_SIZE(struct cx_server, body, .value = "64k", .label = "Body",
                   .flags = USHER_ADVANCED),
    USHER_SET_BOOL(struct cx_server, cache, .value = "yes", .label = "Cache"),
    USHER_SET_CHOICE(struct cx_server, level, .value = "info", .choices = levels, .label = "Level"),
    USHER_SET_LIST(struct cx_server, hosts, .value = "a.example b.example", .label = "Hosts"),
    USHER_SET_SECRET(struct cx_server, token, .label = "Token", .help = "Who may read metrics."),
};
void cx_setup(void)
{
    conf_problems_init(&cx.problems);
    cx.arena = arena_new();
    cx.secrets = conf_secrets_new();
    memset(&cx.server, 0, sizeof cx.server);
    snprintf(cx.folder, sizeof cx.folder, "conf-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(cx.folder));
    snprintf(cx.path, sizeof cx.path, "%s/usher.conf", cx.folder);
}

void cx_teardown(void)
{
    static const char *const names[] = {"usher.conf", "secret", "link"};
    char name[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "%s/%s", cx.folder, names[i]);
        unlink(name);
    }
    rmdir(cx.folder);
    conf_problems_deinit(&cx.problems);
    conf_secrets_free(&cx.secrets);
    arena_free(&cx.arena);
}

void cx_apply_file(const struct conf_file *f)
{
    const struct conf_table t = {"server", "CT_SERVER", cx_rows, CX_ROWS, &cx.server};
    conf_apply(&(const struct conf_source){.file = f}, &t, 1, cx.arena, cx.secrets, &cx.problems);
}

void cx_apply(const char *text)
{
    struct conf_file *f = conf_file_text("t.conf", str_of(text), CONF_SECTIONS, &cx.problems);
    if (f)
        cx_apply_file(f);
    conf_file_free(&f);
}

void cx_expect(const char *lines)
{
    ck_assert_str_eq(cx.problems.text.p, lines);
    unsigned n = 0;
    for (const char *c = lines; *c; c++)
        n += *c == '\n';
    ck_assert_uint_eq(cx.problems.n, n);
}

void cx_write_file(const char *name, const void *p, size_t n, mode_t mode)
{
    char full[128];
    snprintf(full, sizeof full, "%s/%s", cx.folder, name);
    unlink(full);
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

void cx_read_and_apply(void)
{
    struct conf_file *f = conf_file_read(cx.path, CONF_SECTIONS, &cx.problems);
    if (f)
        cx_apply_file(f);
    conf_file_free(&f);
}

const char *cx_token(void)
{
    const struct secret *s = conf_secrets_get(cx.secrets, "token");
    return s ? secret_reveal(s).p : NULL;
}
