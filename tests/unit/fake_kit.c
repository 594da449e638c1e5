/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_kit.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake *kit_fake;
static struct arena *arena;
static char *kept;

void kit_start(void)
{
    struct err err = ERR_INIT;

    kit_fake = fake_new(&(struct fake_options){0}, &err);
    ck_assert_msg(kit_fake != NULL, "%s", err.text);
    arena = arena_new();
}

void kit_stop(void)
{
    fake_free(&kit_fake);
    arena_free(&arena);
    free(kept);
    kept = NULL;
}

static int dial(void)
{
    const char *colon = strrchr(kit_fake->base, ':');
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    sa.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    return fd;
}

struct reply kit_raw(const char *bytes, size_t max, int ms)
{
    struct reply r = {.body = ""};
    const int fd = dial();
    char *mark;
    size_t cap = 65536;

    free(kept);
    kept = r.text = mem_alloc(cap + 1);
    ck_assert(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL) == (ssize_t)strlen(bytes));
    while (r.n < max) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t k;

        if (poll(&p, 1, ms) <= 0)
            break;
        if (r.n + 65536 > cap) {
            cap *= 2;
            kept = r.text = mem_grow(r.text, cap + 1);
        }
        k = recv(fd, r.text + r.n, 65536 < cap - r.n ? 65536 : cap - r.n, 0);
        if (k <= 0)
            break;
        r.n += (size_t)k;
    }
    close(fd);
    r.text[r.n] = 0;
    if (strncmp(r.text, "HTTP/1.1 ", 9) == 0)
        r.status = (int)strtol(r.text + 9, NULL, 10);
    mark = strstr(r.text, "\r\n\r\n");
    if (mark)
        r.body = mark + 4;
    return r;
}

struct reply kit_request(const char *method, const char *path, const char *headers,
                         const char *body)
{
    return kit_raw(
        arena_printf(arena,
                     "%s %s HTTP/1.1\r\nHost: fake\r\nConnection: close\r\n%sContent-Length: "
                     "%zu\r\n\r\n%s",
                     method, path, headers, strlen(body), body),
        1u << 27, 20000);
}

struct reply kit_get(const char *path)
{
    return kit_request("GET", path, "", "");
}

struct reply kit_post(const char *path, const char *form)
{
    return kit_request("POST", path, "Content-Type: application/x-www-form-urlencoded\r\n", form);
}

const char *kit_header(const struct reply *r, const char *name)
{
    const char *line = strstr(r->text, arena_printf(arena, "\r\n%s: ", name));
    const char *value = line ? line + strlen(name) + 4 : NULL;

    return value && value < r->body ? arena_dupn(arena, value, strcspn(value, "\r")) : NULL;
}

void kit_fault(const char *spec)
{
    const struct reply r = kit_post("/fake/faults", spec);

    ck_assert_msg(r.status == 200, "%s: %s", spec, r.body);
}

const char *kit_param(const char *location, const char *name)
{
    const char *query = strchr(location, '?'), *value = NULL;
    struct fields f;

    if (!query || form_parse(arena, str_of(query + 1), 50, &f, &(struct err)ERR_INIT) < 0)
        return "";
    return form_get(&f, name, &value) == 1 ? value : "";
}

const char *kit_code(const struct realm *r, const char *scope, const char *person, const char *more)
{
    struct buf b;
    struct reply got;

    buf_init(&b, 4096);
    buf_printf(&b, "%s?response_type=code&client_id=usher-dev&state=st&nonce=nonce-1",
               r->authorize);
    form_add(&b, "redirect_uri", KIT_REDIRECT);
    form_add(&b, "scope", scope);
    form_add(&b, "fake_person", person);
    buf_text(&b, KIT_CHALLENGE_PARAMS);
    buf_text(&b, more);
    got = kit_get(b.p);
    buf_deinit(&b);
    ck_assert_msg(got.status == 302, "%d %s", got.status, got.body);
    return kit_param(kit_header(&got, "Location"), "code");
}

struct reply kit_exchange(const struct realm *r, const char *code, const char *more)
{
    struct buf b;
    struct reply got;

    buf_init(&b, 4096);
    form_add(&b, "grant_type", "authorization_code");
    form_add(&b, "code", code);
    form_add(&b, "redirect_uri", KIT_REDIRECT);
    form_add(&b, "client_id", "usher-dev");
    form_add(&b, "client_secret", "usher-dev-secret");
    form_add(&b, "code_verifier", KIT_VERIFIER);
    buf_text(&b, more);
    got = kit_post(r->token, b.p);
    buf_deinit(&b);
    return got;
}

struct jval *kit_tokens(const struct realm *r, const char *scope, const char *person)
{
    const struct reply got = kit_exchange(r, kit_code(r, scope, person, ""), "");

    return got.status == 200
               ? jval_parse(str_of(got.body), 16u << 20, JSON_DEPTH_MAX, &(struct err)ERR_INIT)
               : NULL;
}
