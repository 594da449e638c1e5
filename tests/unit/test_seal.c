/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/seal.h"

#include <check.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

Suite *suite_seal(void);

static const unsigned char KEY_A[32] = "0123456789abcdef0123456789abcdef";
static const unsigned char KEY_B[32] = "fedcba9876543210fedcba9876543210";

static void hex_is(const unsigned char *p, const char *hex)
{
    char text[65];

    text_hex(p, 32, text);
    ck_assert_str_eq(text, hex);
}

START_TEST(sha256_vectors) /* FIPS 180-2 appendix B */
{
    unsigned char out[32];

    seal_sha256(STR(""), out);
    hex_is(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    seal_sha256(STR("abc"), out);
    hex_is(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    seal_sha256(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), out);
    hex_is(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}
END_TEST

START_TEST(hmac_vectors) /* RFC 4231 cases 1, 2 and 6; the kept context forgets the last key */
{
    unsigned char out[32];
    char key[131];

    memset(key, 0x0b, 20);
    seal_hmac_sha256((struct str){key, 20}, STR("Hi There"), out);
    hex_is(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    seal_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), out);
    hex_is(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    seal_hmac_sha256((struct str){key, sizeof key},
                     STR("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    hex_is(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

START_TEST(hmac_keys_by_turns) /* a key used again is not set again */
{
    const struct str a = {(const char *)KEY_A, 32}, part = {(const char *)KEY_A, 20};
    unsigned char b_key[32], first[32], again[32], of_b[32], of_part[32];
    memset(b_key, 0x5a, sizeof b_key);
    const struct str b = {(const char *)b_key, sizeof b_key};
    seal_hmac_sha256(a, STR("text"), first);
    seal_hmac_sha256(a, STR("other text"), of_b);
    seal_hmac_sha256(a, STR("text"), again);
    ck_assert_mem_eq(first, again, 32);
    seal_hmac_sha256(b, STR("text"), of_b);
    ck_assert_mem_ne(first, of_b, 32);
    seal_hmac_sha256(part, STR("text"), of_part);
    ck_assert_mem_ne(of_part, of_b, 32);
    seal_hmac_sha256(b, STR("text"), again);
    ck_assert_mem_eq(of_b, again, 32);
    seal_hmac_sha256(a, STR("text"), again);
    ck_assert_mem_eq(first, again, 32);
    b_key[31] ^= 1; /* the copy decides, not where the key lies */
    seal_hmac_sha256(b, STR("text"), again);
    ck_assert_mem_ne(of_b, again, 32);
}
END_TEST

START_TEST(hmac_empty_key) /* the library would take it */
{
    unsigned char out[32];

    seal_hmac_sha256(STR(""), STR("text"), out);
}
END_TEST

START_TEST(secrets)
{
    struct secret *s = secret_new("a\0b", 3), *copy = secret_dup(s), *empty = secret_new(NULL, 0);

    ck_assert_uint_eq(secret_len(s), 3);
    ck_assert(str_eq(secret_reveal(copy), (struct str){"a\0b", 3}));
    ck_assert_int_eq(secret_reveal(s).p[3], 0);
    ck_assert(secret_eq(s, (struct str){"a\0b", 3}));
    ck_assert(!secret_eq(s, STR("a")));
    ck_assert(!secret_eq(s, (struct str){"a\0c", 3}));
    ck_assert(secret_eq(empty, STR("")));
    ck_assert(!secret_eq(NULL, STR("")));
    ck_assert_uint_eq(secret_len(NULL), 0);
    ck_assert_ptr_null(secret_dup(NULL));
    secret_free(&s);
    ck_assert_ptr_null(s);
    secret_free(&s);
    secret_free(&copy);
    secret_free(&empty);
    ck_assert(seal_equal("abc", "abc", 3));
    ck_assert(!seal_equal("abc", "abd", 3));
    ck_assert(seal_equal(NULL, NULL, 0));
}
END_TEST

START_TEST(wipe)
{
    char p[] = "password";

    seal_wipe(p, sizeof p);
    for (size_t i = 0; i < sizeof p; i++)
        ck_assert_int_eq(p[i], 0);
    seal_wipe(NULL, 0);
}
END_TEST

static void seal_text(const struct keyring *k, const char *aad, const char *plain, struct buf *out)
{
    buf_init(out, 4096);
    keyring_seal(k, "test", str_of(aad), str_of(plain), out);
    ck_assert(buf_ok(out));
}

static int unseal(const struct keyring *k, const char *purpose, const char *aad, struct str sealed,
                  struct buf *out)
{
    struct err err = ERR_INIT;

    buf_clear(out);
    int result = keyring_unseal(k, purpose, str_of(aad), sealed, out, &err);
    ck_assert_int_eq(err.kind, result == 0 ? ERR_NONE : ERR_INVALID);
    if (result != 0)
        ck_assert_uint_eq(out->n, 0);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return result;
}

START_TEST(seal_round_trip)
{
    struct keyring *k = keyring_fixed(KEY_A);
    struct buf sealed, plain;

    buf_init(&plain, 4096);
    for (size_t n = 0; n <= 100; n++) {
        char text[101];

        memset(text, 'x', n);
        text[n] = '\0';
        seal_text(k, "row 1", text, &sealed);
        ck_assert_uint_eq(sealed.n, 4 + 12 + n + 16);
        ck_assert_int_eq(unseal(k, "test", "row 1", buf_view(&sealed), &plain), 0);
        ck_assert_str_eq(plain.p, text);
        buf_deinit(&sealed);
    }
    buf_deinit(&plain);
    keyring_free(&k);
    ck_assert_ptr_null(k);
    keyring_free(&k);
}
END_TEST

START_TEST(seal_binds_all) /* STATE-04, SESS-06: purpose, aad, key and every single bit */
{
    struct keyring *a = keyring_fixed(KEY_A), *b = keyring_fixed(KEY_B);
    struct buf sealed, plain;

    buf_init(&plain, 4096);
    seal_text(a, "row 1", "the plain text", &sealed);
    struct str good = buf_view(&sealed);
    ck_assert_int_eq(unseal(a, "test", "row 1", good, &plain), 0);
    ck_assert_int_eq(unseal(a, "other", "row 1", good, &plain), -1);
    ck_assert_int_eq(unseal(a, "test", "row 2", good, &plain), -1);
    ck_assert_int_eq(unseal(a, "test", "", good, &plain), -1);
    ck_assert_int_eq(unseal(b, "test", "row 1", good, &plain), -1);
    for (size_t bit = 0; bit < 8 * sealed.n; bit++) {
        sealed.p[bit / 8] = (char)(sealed.p[bit / 8] ^ (1 << bit % 8));
        ck_assert_int_eq(unseal(a, "test", "row 1", good, &plain), -1);
        sealed.p[bit / 8] = (char)(sealed.p[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t n = 0; n < sealed.n; n++)
        ck_assert_int_eq(unseal(a, "test", "row 1", (struct str){sealed.p, n}, &plain), -1);
    buf_byte(&sealed, 'x');
    ck_assert_int_eq(unseal(a, "test", "row 1", buf_view(&sealed), &plain), -1);
    buf_deinit(&sealed);
    buf_deinit(&plain);
    keyring_free(&a);
    keyring_free(&b);
}
END_TEST

/* A key that was derived is used again for the same ring and purpose only, however they take turns.
 */
START_TEST(seal_keys_by_turns)
{
    static const char *const purposes[] = {"a", "b", "just as many as are kept, or 31",
                                           "a purpose of more bytes than are kept", ""};
    enum { N = sizeof purposes / sizeof *purposes };
    struct keyring *rings[] = {keyring_fixed(KEY_A), keyring_fixed(KEY_B)};
    struct buf sealed[N][2], plain;

    buf_init(&plain, 4096);
    ck_assert_uint_eq(strlen(purposes[2]), 31);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < 2; j++) {
            buf_init(&sealed[i][j], 4096);
            keyring_seal(rings[j], purposes[i], STR("row"), STR("text"), &sealed[i][j]);
        }
    for (size_t j = 0; j < 2; j++)
        for (size_t i = 0; i < N; i++)
            for (size_t other = 0; other < N; other++)
                ck_assert_int_eq(
                    unseal(rings[j], purposes[other], "row", buf_view(&sealed[i][j]), &plain),
                    other == i ? 0 : -1);
    for (size_t i = 0; i < 2 * N; i++)
        buf_deinit(&sealed[i / 2][i % 2]);
    buf_deinit(&plain);
    keyring_free(&rings[0]);
    keyring_free(&rings[1]);
}
END_TEST

START_TEST(seal_is_fresh) /* SESS-07: the same text never looks the same twice */
{
    struct keyring *k = keyring_fixed(KEY_A);
    struct buf one, two;

    seal_text(k, "", "text", &one);
    seal_text(k, "", "text", &two);
    ck_assert(memcmp(one.p + 4, two.p + 4, 12) != 0);
    ck_assert(memcmp(one.p + 16, two.p + 16, 4) != 0);
    buf_deinit(&one);
    buf_deinit(&two);
    keyring_free(&k);
}
END_TEST

START_TEST(seal_over_limit)
{
    struct keyring *k = keyring_fixed(KEY_A);
    struct buf out;

    buf_init(&out, 20);
    keyring_seal(k, "test", STR(""), STR("text"), &out);
    ck_assert(!buf_ok(&out));
    buf_deinit(&out);
    keyring_free(&k);
}
END_TEST

START_TEST(derive_separates)
{
    struct keyring *a = keyring_fixed(KEY_A), *b = keyring_fixed(KEY_B);
    unsigned char one[32], two[32];
    struct buf from_a, from_b;

    seal_text(a, "", "", &from_a);
    seal_text(b, "", "", &from_b);
    const unsigned char *id_a = (const unsigned char *)from_a.p;
    const unsigned char *id_b = (const unsigned char *)from_b.p;

    ck_assert_int_eq(keyring_derive(a, id_a, "pkce", STR("flow 1"), one), 0);
    ck_assert_int_eq(keyring_derive(a, id_a, "pkce", STR("flow 1"), two), 0);
    ck_assert(memcmp(one, two, 32) == 0);
    ck_assert_int_eq(keyring_derive(a, id_a, "nonce", STR("flow 1"), two), 0);
    ck_assert(memcmp(one, two, 32) != 0);
    ck_assert_int_eq(keyring_derive(a, id_a, "pkce", STR("flow 2"), two), 0);
    ck_assert(memcmp(one, two, 32) != 0);
    /* Purpose and info do not run into each other. */
    ck_assert_int_eq(keyring_derive(a, id_a, "pkcef", STR("low 1"), two), 0);
    ck_assert(memcmp(one, two, 32) != 0);
    ck_assert_int_eq(keyring_derive(b, id_b, "pkce", STR("flow 1"), two), 0);
    ck_assert(memcmp(one, two, 32) != 0);
    ck_assert_int_eq(keyring_derive(a, id_b, "pkce", STR("flow 1"), two), -1);
    buf_deinit(&from_a);
    buf_deinit(&from_b);
    keyring_free(&a);
    keyring_free(&b);
}
END_TEST

START_TEST(derive_vector) /* RFC 5869 by hand: HMAC(HMAC(zeros, key), info || 0x01) */
{
    struct keyring *k = keyring_fixed(KEY_A);
    static const char zeros[32];
    static const char info[] = "usher/v1/derive/pkce\0flow 1\x01";
    unsigned char id[32], extracted[32], expect[32], out[32];

    seal_sha256((struct str){(const char *)KEY_A, 32}, id);
    seal_hmac_sha256((struct str){zeros, 32}, (struct str){(const char *)KEY_A, 32}, extracted);
    seal_hmac_sha256((struct str){(char *)extracted, 32}, (struct str){info, sizeof info - 1},
                     expect);
    ck_assert_int_eq(keyring_derive(k, id, "pkce", STR("flow 1"), out), 0);
    ck_assert(memcmp(out, expect, 32) == 0);
    keyring_free(&k);
}
END_TEST

/* ---- the key file ---- */

static char dir[64], path[96];

static void dir_make(void)
{
    (void)snprintf(dir, sizeof dir, "/tmp/usher-seal-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/keys", dir);
}

static void dir_remove(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(dir), 0); /* and nothing else was left there */
}

static void file_write(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert(fputs(text, f) >= 0);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

/* A file that is refused, with a text that holds `why` and no key. */
static void refused(const char *why)
{
    struct err err = ERR_INIT;

    ck_assert_ptr_null(keyring_open(path, true, &err));
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
    ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
    ck_assert_ptr_null(strstr(err.text, "a1b2c3d4"));
}

#define LINE_1 "00000001 a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90\n"
#define LINE_2 "00000002 b1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f91\n"

START_TEST(file_created_once)
{
    struct err err = ERR_INIT;
    struct buf sealed, plain;
    struct stat st;

    ck_assert_ptr_null(keyring_open(path, false, &err));
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
    err_clear(&err);
    umask(0);
    struct keyring *first = keyring_open(path, true, &err);
    ck_assert_msg(first != NULL, "%s", err.text);
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(S_ISREG(st.st_mode));
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_uint_eq(st.st_nlink, 1);

    struct keyring *again = keyring_open(path, true, &err);
    ck_assert_msg(again != NULL, "%s", err.text);
    seal_text(first, "", "text", &sealed);
    buf_init(&plain, 100);
    ck_assert_int_eq(unseal(again, "test", "", buf_view(&sealed), &plain), 0);
    ck_assert_str_eq(plain.p, "text");
    buf_deinit(&sealed);
    buf_deinit(&plain);
    keyring_free(&first);
    keyring_free(&again);
}
END_TEST

START_TEST(file_rotation) /* SESS-27: the newest line seals, older lines still unseal */
{
    struct err err = ERR_INIT;
    struct buf old_sealed, new_sealed, plain;

    buf_init(&plain, 100);
    file_write(LINE_1, 0600);
    struct keyring *old = keyring_open(path, false, &err);
    file_write("# keys\n\n" LINE_1 LINE_2, 0400);
    struct keyring *both = keyring_open(path, false, &err);
    file_write(LINE_2, 0600);
    struct keyring *new = keyring_open(path, false, &err);
    ck_assert(old && both && new);
    seal_text(old, "", "text", &old_sealed);
    seal_text(both, "", "text", &new_sealed);
    ck_assert(memcmp(old_sealed.p, "\0\0\0\1", 4) == 0);
    ck_assert(memcmp(new_sealed.p, "\0\0\0\2", 4) == 0);
    ck_assert_int_eq(unseal(both, "test", "", buf_view(&old_sealed), &plain), 0);
    ck_assert_int_eq(unseal(both, "test", "", buf_view(&new_sealed), &plain), 0);
    ck_assert_int_eq(unseal(new, "test", "", buf_view(&new_sealed), &plain), 0);
    ck_assert_int_eq(unseal(new, "test", "", buf_view(&old_sealed), &plain), -1);
    buf_deinit(&old_sealed);
    buf_deinit(&new_sealed);
    buf_deinit(&plain);
    keyring_free(&old);
    keyring_free(&both);
    keyring_free(&new);
}
END_TEST

START_TEST(file_modes_refused)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0666, 0777};

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        file_write(LINE_1, modes[i]);
        refused("chmod 600");
    }
}
END_TEST

START_TEST(file_kinds_refused)
{
    struct err err = ERR_INIT;
    char real[128];

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    refused("not a regular file");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    refused("not a regular file");
    ck_assert_int_eq(rmdir(path), 0);

    file_write(LINE_1, 0600);
    (void)snprintf(real, sizeof real, "%s.real", path);
    ck_assert_int_eq(rename(path, real), 0);
    ck_assert_int_eq(symlink(real, path), 0);
    refused("symbolic link");
    ck_assert_int_eq(unlink(real), 0);
    refused("symbolic link"); /* dangling: nothing is made behind it */
    ck_assert_int_ne(access(real, F_OK), 0);
    ck_assert_int_eq(unlink(path), 0);

    ck_assert_ptr_null(keyring_open("/nonexistent/folder/keys", true, &err));
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
}
END_TEST

START_TEST(file_owner_refused)
{
    if (geteuid() != 0)
        return; /* only root can give files away */
    file_write(LINE_1, 0600);
    ck_assert_int_eq(chown(path, 12345, 12345), 0);
    refused("belongs to user 12345");
}
END_TEST

/* CONF-05 */
START_TEST(file_contents_refused)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "holds no key"},
        {"# nothing\n", "holds no key"},
        {"00000001\n", "keys:1: expected a key id"},
        {"0001 a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90\n",
         "expected a key id"},
        {"0000000x a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90\n", "key id"},
        {"00000001 a1b2c3d4e5f60718293a4b5c6d7e8f90\n", "exactly 64 hex digits"}, /* too short */
        {"00000001 a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9000\n",
         "exactly 64"},
        {"00000001 a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8fzz\n",
         "exactly 64"},
        {"00000001 a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90 x\n",
         "expected"},
        {"00000001 0000000000000000000000000000000000000000000000000000000000000000\n",
         "not random"},
        {LINE_1 LINE_1, "keys:2: key id is used twice"},
        {LINE_1 "\ngarbage\n", "keys:3: "},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_write(cases[i].text, 0600);
        refused(cases[i].why);
    }
}
END_TEST

START_TEST(file_too_large)
{
    char *text = malloc(20000);

    memset(text, '#', 19999);
    text[19999] = '\0';
    file_write(text, 0600);
    refused("too large");
    free(text);
}
END_TEST

static void *open_and_seal(void *arg)
{
    struct err err = ERR_INIT;
    struct keyring *k = keyring_open(path, true, &err);
    struct buf *out = arg;

    buf_init(out, 100);
    if (k)
        keyring_seal(k, "test", STR(""), STR("text"), out);
    keyring_free(&k);
    return NULL;
}

START_TEST(file_race) /* many starts at once agree on one key; threads free what they kept */
{
    struct err err = ERR_INIT;
    pthread_t threads[8];
    struct buf sealed[8], plain;

    for (size_t i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, open_and_seal, &sealed[i]), 0);
    for (size_t i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    struct keyring *k = keyring_open(path, false, &err);
    ck_assert_msg(k != NULL, "%s", err.text);
    buf_init(&plain, 100);
    for (size_t i = 0; i < 8; i++) {
        ck_assert_int_eq(unseal(k, "test", "", buf_view(&sealed[i]), &plain), 0);
        buf_deinit(&sealed[i]);
    }
    buf_deinit(&plain);
    keyring_free(&k);
}
END_TEST

Suite *suite_seal(void)
{
    Suite *s = suite_create("seal");
    TCase *memory = tcase_create("memory"), *file = tcase_create("file");

    tcase_add_test(memory, sha256_vectors);
    tcase_add_test(memory, hmac_vectors);
    tcase_add_test(memory, hmac_keys_by_turns);
    tcase_add_test_raise_signal(memory, hmac_empty_key, 6 /* SIGABRT */);
    tcase_add_test(memory, secrets);
    tcase_add_test(memory, wipe);
    tcase_add_test(memory, seal_round_trip);
    tcase_add_test(memory, seal_binds_all);
    tcase_add_test(memory, seal_keys_by_turns);
    tcase_add_test(memory, seal_is_fresh);
    tcase_add_test(memory, seal_over_limit);
    tcase_add_test(memory, derive_separates);
    tcase_add_test(memory, derive_vector);
    suite_add_tcase(s, memory);
    tcase_add_checked_fixture(file, dir_make, dir_remove);
    tcase_add_test(file, file_created_once);
    tcase_add_test(file, file_rotation);
    tcase_add_test(file, file_modes_refused);
    tcase_add_test(file, file_kinds_refused);
    tcase_add_test(file, file_owner_refused);
    tcase_add_test(file, file_contents_refused);
    tcase_add_test(file, file_too_large);
    tcase_add_test(file, file_race);
    suite_add_tcase(s, file);
    return s;
}
