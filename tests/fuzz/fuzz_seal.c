/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed values and key files. The first byte says how the rest is taken:
 *   U  a sealed value: nothing opens but what the seeds hold, and those all begin with "seed:"
 *   R  two bytes, then text: sealed and opened again; then with one bit changed, which must not
 * open K  a key file: what is taken must seal and open
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (32u * 1024)

static const unsigned char fixed[32] = "0123456789abcdef0123456789abcdef";
static char path[64];

static void must(int ok)
{
    if (!ok)
        abort();
}

static void path_remove(void)
{
    (void)unlink(path);
}

static void open_value(const struct keyring *k, struct str sealed)
{
    struct err err = ERR_INIT;
    struct buf out;

    buf_init(&out, INPUT_MAX);
    if (keyring_unseal(k, "fuzz", STR("aad"), sealed, &out, &err) == 0)
        must(str_starts(buf_view(&out), "seed:"));
    else
        must(err.kind == ERR_INVALID && out.n == 0);
    buf_deinit(&out);
}

static void round_trip(const struct keyring *k, unsigned bit, struct str plain)
{
    struct err err = ERR_INIT;
    struct buf sealed, out;

    buf_init(&sealed, 2 * INPUT_MAX);
    buf_init(&out, 2 * INPUT_MAX);
    keyring_seal(k, "round trip", plain, plain, &sealed);
    must(buf_ok(&sealed) && sealed.n == plain.n + 32);
    must(keyring_unseal(k, "round trip", plain, buf_view(&sealed), &out, &err) == 0);
    must(str_eq(buf_view(&out), plain));
    buf_clear(&out);
    bit %= (unsigned)sealed.n * 8;
    sealed.p[bit / 8] = (char)(sealed.p[bit / 8] ^ (1 << bit % 8));
    must(keyring_unseal(k, "round trip", plain, buf_view(&sealed), &out, &err) == -1);
    must(out.n == 0 && err.kind == ERR_INVALID);
    buf_deinit(&sealed);
    buf_deinit(&out);
}

static void read_file(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    struct keyring *k = NULL;
    FILE *f = NULL;

    if (!path[0]) {
        (void)snprintf(path, sizeof path, "/tmp/usher-fuzz-%ld", (long)getpid());
        must(atexit(path_remove) == 0);
    }
    (void)umask(077);
    f = fopen(path, "wb");
    must(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
    k = keyring_open(path, false, &err);
    must(k ? err.kind == ERR_NONE : err.kind == ERR_MISCONFIGURED && err.text[0]);
    if (k)
        round_trip(k, 7, STR("text"));
    keyring_free(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keyring *k = NULL;

    if (size < 3 || size > INPUT_MAX)
        return 0;
    k = keyring_fixed(fixed);
    if (data[0] == 'U')
        open_value(k, (struct str){(const char *)data + 1, size - 1});
    else if (data[0] == 'R')
        round_trip(k, data[1] * 256u + data[2], (struct str){(const char *)data + 3, size - 3});
    else if (data[0] == 'K')
        read_file(data + 1, size - 1);
    keyring_free(&k);
    return 0;
}
