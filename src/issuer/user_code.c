/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/user_code.h"

#include "sys/random.h"
#include "sys/seal.h"

#define LETTERS "BCDFGHJKLMNPQRSTVWXZ"
#define N_LETTERS (sizeof LETTERS - 1)
#define FAIR (256 / N_LETTERS * N_LETTERS) /* a byte from there on would favour some letters */
#define HYPHEN_AT 4

void user_code_make(char *out)
{
    unsigned char byte;
    for (size_t n = 0; n < USER_CODE_LEN;) {
        if (n == HYPHEN_AT) {
            out[n++] = '-';
            continue;
        }
        rng_fill(&byte, 1);
        if (byte < FAIR)
            out[n++] = LETTERS[byte % N_LETTERS];
    }
    out[USER_CODE_LEN] = '\0';
}

bool user_code_read(const char *typed, char *out)
{
    size_t n = 0;
    for (; *typed; typed++) {
        const char ch = *typed >= 'a' && *typed <= 'z' ? (char)(*typed - 'a' + 'A') : *typed;
        if (ch == ' ' || ch == '\t' || ch == '-')
            continue;
        if (n == HYPHEN_AT)
            out[n++] = '-';
        if (n == USER_CODE_LEN || !strchr(LETTERS, ch))
            return false;
        out[n++] = ch;
    }
    out[n] = '\0';
    return n == USER_CODE_LEN;
}

void user_code_hash(const char *code, unsigned char hash[32])
{
    seal_sha256(str_of(code), hash);
}
