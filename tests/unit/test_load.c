/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider/load, schema and elf, as far as they need no file: descriptors, settings tables, damaged
 * images. Real shared objects are in tests/abi/load.sh.
 */
#include "provider/load.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "provider/elf.h"
#include "provider/schema.h"

Suite *suite_load(void);

struct config {
    const char *text;
    int64_t number;
    struct usher_secret secret;
    int choice;
};
static const char *const choices[] = {"one", "two", NULL};

static struct arena *arena;
static struct usher_setting rows[4];
static struct usher_provider plugin;

static void step(struct usher_call *call, const struct usher_event *ev, struct usher_action *a)
{
    (void)call;
    (void)ev;
    a->kind = USHER_FAIL;
}

static void reset(void)
{
    const struct usher_setting good[] = {
        USHER_SET_TEXT(struct config, text, .label = "Text", .value = "x"),
        USHER_SET_INT(struct config, number, .label = "Number", .value = "3", .min = 1, .max = 5),
        USHER_SET_SECRET(struct config, secret, .label = "Secret"),
        USHER_SET_CHOICE(struct config, choice, .label = "Choice", .choices = choices,
                         .value = "two"),
    };
    memcpy(rows, good, sizeof rows);
    plugin = (struct usher_provider){USHER_PROVIDER_HEAD,
                                     .name = "test",
                                     .label = "Test",
                                     .version = "1",
                                     .settings = rows,
                                     .n_settings = 4,
                                     .config_size = sizeof(struct config),
                                     .step = step};
}

static void setup(void)
{
    reset();
    arena = arena_new();
}

static void teardown(void)
{
    arena_free(&arena);
}

static void good(void)
{
    struct usher_provider out;
    struct err err = ERR_INIT;
    ck_assert_msg(plugin_check(&plugin, "test", arena, &out, &err) == 0, "%s", err.text);
}

static void bad(const char *words)
{
    struct usher_provider out;
    struct err err = ERR_INIT;
    ck_assert_int_eq(plugin_check(&plugin, "test", arena, &out, &err), -1);
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
    ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
    reset();
}

/* PLUG-07 */
START_TEST(names_are_plain)
{
    ck_assert(plugin_name_valid("discord"));
    ck_assert(plugin_name_valid("my-idp_2"));
    static const char *const no[] = {
        "",        "a/b", "..", ".", "a.so", "A", "a b", "a\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "\xc3\xa9"};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        ck_assert(!plugin_name_valid(no[i]));
    ck_assert(!plugin_name_valid(NULL));
}
END_TEST

START_TEST(descriptors_are_judged)
{
    static const char *const origins[] = {"https://a.example", "https://b.example:8443", NULL};
    static const char *const no_origin[] = {"https://a.example/", NULL};
    static const char *const no_https[] = {"http://a.example", NULL};
    good();
    plugin.origins = origins;
    good();
    plugin.origins = no_origin;
    bad("its origins");
    plugin.origins = no_https;
    bad("its origins");
    plugin.magic = 1;
    bad("no usher plugin");
    plugin.abi_major = 9;
    bad("plugin ABI 9");
    plugin.size = 100;
    bad("descriptor of 100 bytes");
    plugin.name = "other";
    bad("another name");
    plugin.name = NULL;
    bad("another name");
    plugin.label = "\x1b[1m";
    bad("label");
    plugin.label = NULL;
    bad("label");
    plugin.version = "";
    bad("version");
    plugin.home = "http://x";
    bad("home");
    plugin.steps = "a\nb";
    bad("steps");
    plugin.scopes = " a";
    bad("scopes");
    plugin.step = NULL;
    bad("no step");
    plugin.leg_size = 1u << 30;
    bad("for a leg");
    plugin.config_size = 1u << 30;
    bad("too large");
    plugin.n_settings = 1000;
    bad("too large");
    plugin.settings = NULL;
    bad("impossible size");
}
END_TEST

START_TEST(settings_are_judged)
{
    rows[0].key = "Text";
    bad("no valid key");
    rows[0].key = NULL;
    bad("no valid key");
    rows[0].type = 77;
    bad("type 77");
    rows[0].offset = 8;
    bad("share memory");
    rows[0].offset = sizeof(struct config);
    bad("outside");
    rows[0].offset = SIZE_MAX - 3;
    bad("outside");
    rows[0].offset = 1;
    bad("outside");
    rows[0].key = "number";
    bad("clash");
    rows[0].key = "client_secret";
    bad("usher's own");
    rows[0].key = "client_secret_file";
    bad("usher's own");
    rows[0].key = "secret_env";
    bad("clash");
    rows[0].flags = USHER_ORIGIN;
    bad("only a URL");
    rows[0].label = NULL;
    bad("label");
    rows[0].help = "\xff";
    bad("label");
    rows[1].value = "9";
    bad("its own default");
    rows[1].min = 9;
    bad("min is above max");
    rows[2].value = "hush";
    bad("no default");
    rows[3].choices = NULL;
    bad("choices");
    rows[3].value = "three";
    bad("its own default");
    rows[0].choices = choices;
    bad("choices");
}
END_TEST

/* Evolution: a plugin from the future has larger structs; the stride is what it says. */
START_TEST(larger_structs_are_read_as_far_as_known)
{
    struct future_setting {
        struct usher_setting now;
        const char *more;
    } future_rows[2];
    struct future_provider {
        struct usher_provider now;
        void *more[4];
    } future;
    struct usher_provider out;
    struct err err = ERR_INIT;
    memset(future_rows, 0x5a, sizeof future_rows);
    memset(&future, 0x5a, sizeof future);
    for (int i = 0; i < 2; i++) {
        future_rows[i].now = rows[i];
        future_rows[i].now.size = sizeof *future_rows;
    }
    future.now = plugin;
    future.now.size = sizeof future;
    future.now.abi_minor = 7;
    future.now.settings = &future_rows[0].now;
    future.now.n_settings = 2;
    ck_assert_msg(plugin_check(&future.now, "test", arena, &out, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(out.size, sizeof out);
    ck_assert_str_eq(out.settings[1].key, "number");
    ck_assert_uint_eq(out.settings[1].size, sizeof(struct usher_setting));
}
END_TEST

/* PLUG-02: any prefix and any single damaged byte of a real image: an answer, never a crash. */
START_TEST(damaged_images_are_survived)
{
    const char *build = getenv("top_builddir");
    char path[512];
    snprintf(path, sizeof path, "%s/plugins/.libs/discord.so", build ? build : ".");
    int fd = open(path, O_RDONLY);
    struct stat st;
    struct err err = ERR_INIT;
    ck_assert_msg(fd >= 0 && fstat(fd, &st) == 0, "%s", path);
    size_t n = (size_t)st.st_size;
    unsigned char *image = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    ck_assert_ptr_ne(image, MAP_FAILED);
    ck_assert_msg(elf_check(image, n, &err) == 0, "%s", err.text);
    unsigned refused = 0;
    for (size_t cut = 0; cut < 4096; cut++) {
        unsigned char *copy = malloc(cut ? cut : 1); /* so that a sanitizer sees the end */
        memcpy(copy, image, cut);
        err_clear(&err);
        refused += elf_check(copy, cut, &err) < 0;
        free(copy);
    }
    ck_assert_uint_eq(refused, 4096);
    for (size_t at = 0; at < 1024 && at < n; at++) {
        unsigned char was = image[at];
        for (int bit = 0; bit < 8; bit++) {
            image[at] = (unsigned char)(was ^ (1 << bit));
            err_clear(&err);
            refused += elf_check(image, n, &err) < 0;
        }
        image[at] = was;
    }
    ck_assert_uint_gt(refused, 4096);
    munmap(image, n);
    close(fd);
}
END_TEST

START_TEST(urls_and_scopes)
{
    const char *origin = NULL;
    bool loopback = true;
    struct err err = ERR_INIT;
    ck_assert_int_eq(
        schema_url("https://A.example:443/x?y", false, arena, &origin, &loopback, &err), 0);
    ck_assert_str_eq(origin, "https://a.example");
    ck_assert(!loopback);
    ck_assert_int_eq(schema_url("http://127.0.0.1:80/", true, arena, &origin, &loopback, &err), 0);
    ck_assert(loopback);
    ck_assert_int_eq(schema_url("http://127.0.0.1/", false, arena, NULL, NULL, &err), -1);
    err_clear(&err);
    ck_assert_int_eq(schema_url("http://localhost.evil.example/", true, arena, NULL, NULL, &err),
                     -1);
    ck_assert(schema_scopes_valid(""));
    ck_assert(schema_scopes_valid("a b,c https://x/y"));
    ck_assert(!schema_scopes_valid("a "));
    ck_assert(!schema_scopes_valid("a\tb"));
    ck_assert(!schema_scopes_valid("caf\xc3\xa9"));
}
END_TEST

Suite *suite_load(void)
{
    Suite *s = suite_create("load");
    TCase *tc = tcase_create("load");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, names_are_plain);
    tcase_add_test(tc, descriptors_are_judged);
    tcase_add_test(tc, settings_are_judged);
    tcase_add_test(tc, larger_structs_are_read_as_far_as_known);
    tcase_add_test(tc, damaged_images_are_survived);
    tcase_add_test(tc, urls_and_scopes);
    suite_add_tcase(s, tc);
    return s;
}
