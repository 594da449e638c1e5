/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

static char text_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_is_nocase(struct str a, const char *text)
{
    size_t i = 0;
    while (i < a.n && text[i] && text_lower(a.p[i]) == text_lower(text[i]))
        i++;
    return i == a.n && text[i] == '\0';
}

bool str_starts(struct str a, const char *prefix)
{
    size_t n = strlen(prefix);
    return n == 0 || (a.n >= n && memcmp(a.p, prefix, n) == 0);
}

bool str_ends(struct str a, const char *suffix)
{
    size_t n = strlen(suffix);
    return n == 0 || (a.n >= n && memcmp(a.p + (a.n - n), suffix, n) == 0);
}

struct str str_trim(struct str a)
{
    while (a.n && (a.p[0] == ' ' || a.p[0] == '\t')) {
        a.p++;
        a.n--;
    }
    while (a.n && (a.p[a.n - 1] == ' ' || a.p[a.n - 1] == '\t'))
        a.n--;
    return a;
}

bool str_split(struct str *rest, char sep, struct str *piece)
{
    if (!rest->p)
        return false;
    const char *end = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    if (!end) {
        *piece = str_trim(*rest);
        *rest = (struct str){NULL, 0};
        return true;
    }
    size_t n = (size_t)(end - rest->p);
    *piece = str_trim((struct str){rest->p, n});
    rest->p += n + 1;
    rest->n -= n + 1;
    return true;
}

/* Decimal digits up to `most`; false when there are none or other bytes. */
static bool text_digits(struct str s, uint64_t most, uint64_t *out)
{
    uint64_t v = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (v > (most - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

bool text_int(struct str s, int64_t *out)
{
    bool negative = s.n && s.p[0] == '-';
    uint64_t v;
    if (negative) {
        s.p++;
        s.n--;
    }
    if (!text_digits(s, (uint64_t)INT64_MAX + negative, &v))
        return false;
    /* Through v - 1, so that INT64_MIN is reached without leaving the type. */
    *out = negative && v ? -(int64_t)(v - 1) - 1 : (int64_t)v;
    return true;
}

/* A number and one of the units' letters; the unit of a bare number is 1. */
static bool text_scaled(struct str s, const char *letters, const int64_t *scales, int64_t *out)
{
    int64_t scale = 1;
    const char *letter = s.n && s.p[s.n - 1] ? strchr(letters, s.p[s.n - 1]) : NULL;
    if (letter) {
        scale = scales[letter - letters];
        s.n--;
    }
    uint64_t v;
    if (!text_digits(s, (uint64_t)(INT64_MAX / scale), &v))
        return false;
    *out = (int64_t)v * scale;
    return true;
}

bool text_duration(struct str s, int64_t *seconds)
{
    static const int64_t scales[] = {1, 60, 3600, 86400};
    return text_scaled(s, "smhd", scales, seconds);
}

bool text_size(struct str s, int64_t *bytes)
{
    static const int64_t scales[] = {1 << 10, 1 << 20, 1 << 30};
    return text_scaled(s, "kmg", scales, bytes);
}

bool text_bool(struct str s, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        bool is = str_is_nocase(s, yes[i]);
        if (is || str_is_nocase(s, no[i])) {
            *out = is;
            return true;
        }
    }
    return false;
}

bool text_printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x21 || s.p[i] > 0x7e)
            return false;
    return true;
}

#define WORD_MAX 64

/* Optimal string alignment: insert, delete, replace, swap neighbours. */
unsigned text_distance(const char *a, const char *b)
{
    size_t m = strlen(a), n = strlen(b);
    if (m >= WORD_MAX || n >= WORD_MAX) /* no word we know; an upper bound will do */
        return strcmp(a, b) == 0 ? 0 : (unsigned)(m > n ? m : n);
    unsigned row[3][WORD_MAX];
    for (size_t j = 0; j <= n; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= m; i++) {
        unsigned *now = row[i % 3];
        const unsigned *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[m % 3][n];
}

const char *text_nearest(const char *word, const char *const *list)
{
    size_t n = strlen(word);
    unsigned near = n < 6 ? 1 : n < 10 ? 2 : 3;
    const char *found = NULL;
    for (; *list; list++) {
        unsigned d = text_distance(word, *list);
        if (d <= near && d < n && (!found || d < near)) {
            found = *list;
            near = d;
        }
    }
    return found;
}

size_t text_utf8_next(struct str s, uint32_t *code)
{
    unsigned char lead = (unsigned char)s.p[0];
    *code = lead;
    if (lead < 0x80)
        return 1;
    *code = TEXT_MALFORMED;
    if (lead < 0xc2 || lead > 0xf4) /* a continuation, an overlong form, or beyond U+10FFFF */
        return 1;
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    /* The second byte keeps out overlong forms, surrogates and what is beyond U+10FFFF. */
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    uint32_t value = lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char c = i < s.n ? (unsigned char)s.p[i] : 0;
        if (c < low || c > high)
            return i;
        low = 0x80;
        high = 0xbf;
        value = value << 6 | (c & 0x3fu);
    }
    *code = value;
    return length;
}

/* Eight bytes of ASCII without NUL. */
static bool text_plain8(const char *p)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return (((v - ones) | v) & ones << 7) == 0;
}

bool text_utf8(struct str s)
{
    while (s.n) {
        if (s.n >= 8 && text_plain8(s.p)) {
            s.p += 8;
            s.n -= 8;
            continue;
        }
        uint32_t code = (unsigned char)s.p[0];
        size_t n = 1;
        if (code >= 0x80)
            n = text_utf8_next(s, &code);
        if (code == TEXT_MALFORMED || code == 0)
            return false;
        s.p += n;
        s.n -= n;
    }
    return true;
}

/* What must not reach a page or a log as it is. */
static bool text_hostile(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xfeff || code == TEXT_MALFORMED;
}

/* What shows as nothing, so that a name made of it would be no name. */
static bool text_blank(uint32_t code)
{
    return code == ' ' || code == '\t' || code == 0xa0 || code == 0xad || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200b) || code == 0x202f || code == 0x205f ||
           code == 0x2060 || code == 0x3000 || code == 0x3164;
}

size_t text_display(struct str s, char *out, size_t max)
{
    size_t n = 0, visible = 0; /* visible: the length up to the last character that is no blank */
    while (s.n) {
        if (*s.p > ' ' && *s.p < 0x7f && n < max) { /* most of them, and nothing below */
            out[n++] = *s.p++;
            visible = n;
            s.n--;
            continue;
        }
        uint32_t code;
        size_t took = text_utf8_next(s, &code);
        bool blank = text_blank(code);
        const char *from = s.p;
        size_t length = took;
        if (text_hostile(code)) { /* a tab too, unless it goes with the blanks at the ends */
            from = "\xef\xbf\xbd";
            length = 3;
        }
        s.p += took;
        s.n -= took;
        if (blank && n == 0)
            continue;
        if (length > max - n)
            break;
        memcpy(out + n, from, length);
        n += length;
        if (!blank)
            visible = n;
    }
    out[visible] = '\0';
    return visible;
}

static const char b64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Value + 1 of each byte of the alphabet; 0 for every other byte. */
static const uint8_t b64_values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

size_t text_b64url_len(size_t n)
{
    return n / 3 * 4 + (n % 3 ? n % 3 + 1 : 0);
}

void text_b64url(const void *p, size_t n, char *out)
{
    const uint8_t *in = p;
    for (; n >= 3; n -= 3, in += 3) {
        uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *out++ = b64_alphabet[v >> 18];
        *out++ = b64_alphabet[v >> 12 & 63];
        *out++ = b64_alphabet[v >> 6 & 63];
        *out++ = b64_alphabet[v & 63];
    }
    if (n) {
        uint32_t v = (uint32_t)in[0] << 16 | (n == 2 ? (uint32_t)in[1] << 8 : 0);
        *out++ = b64_alphabet[v >> 18];
        *out++ = b64_alphabet[v >> 12 & 63];
        if (n == 2)
            *out++ = b64_alphabet[v >> 6 & 63];
    }
    *out = '\0';
}

/* Four characters to 24 bits; more than 24 bits when one is not of the alphabet. */
static uint32_t b64_quad(const uint8_t *in)
{
    uint32_t a = b64_values[in[0]] - 1u, b = b64_values[in[1]] - 1u;
    uint32_t c = b64_values[in[2]] - 1u, d = b64_values[in[3]] - 1u;
    if ((a | b | c | d) > 63)
        return UINT32_MAX;
    return a << 18 | b << 12 | c << 6 | d;
}

bool text_b64url_decode(struct str s, void *out, size_t room, size_t *n)
{
    size_t tail = s.n % 4;
    size_t length = s.n / 4 * 3 + (tail ? tail - 1 : 0);
    if (tail == 1 || length > room)
        return false;
    const uint8_t *in = (const uint8_t *)s.p;
    uint8_t *to = out;
    for (size_t quads = s.n / 4; quads; quads--, in += 4) {
        uint32_t v = b64_quad(in);
        if (v == UINT32_MAX)
            return false;
        *to++ = (uint8_t)(v >> 16);
        *to++ = (uint8_t)(v >> 8 & 255);
        *to++ = (uint8_t)(v & 255);
    }
    if (tail) {
        uint8_t last[4] = {in[0], in[1], 'A', 'A'};
        if (tail == 3)
            last[2] = in[2];
        uint32_t v = b64_quad(last);
        if (v == UINT32_MAX || v & (tail == 2 ? 0xffffu : 0xffu))
            return false;
        *to++ = (uint8_t)(v >> 16);
        if (tail == 3)
            *to++ = (uint8_t)(v >> 8 & 255);
    }
    *n = length;
    return true;
}

void text_hex(const void *p, size_t n, char *out)
{
    const uint8_t *in = p;
    for (size_t i = 0; i < n; i++) {
        *out++ = "0123456789abcdef"[in[i] >> 4];
        *out++ = "0123456789abcdef"[in[i] & 15];
    }
    *out = '\0';
}

int text_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = text_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool text_hex_decode(struct str s, void *out, size_t room, size_t *n)
{
    if (s.n % 2 || s.n / 2 > room)
        return false;
    uint8_t *to = out;
    for (size_t i = 0; i < s.n; i += 2) {
        int high = text_hex_digit(s.p[i]), low = text_hex_digit(s.p[i + 1]);
        if (high < 0 || low < 0)
            return false;
        *to++ = (uint8_t)(high << 4 | low);
    }
    *n = s.n / 2;
    return true;
}
