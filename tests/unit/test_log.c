/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "sys/clock.h"
#include "sys/log.h"

/* A pipe as the log's reader; what was written is in `got` after finish(). */
static int ends[2];
static char got[4 << 20];
static size_t got_n;

static void start(enum log_format format)
{
    struct err err = ERR_INIT;
    struct clock_fake fake = {{0}, {1763633472123000}};
    clock_set_fake(&fake);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(log_open(ends[1], format, LOG_INFO, &err), 0);
}

static void drain(void)
{
    ssize_t n;
    while ((n = read(ends[0], got + got_n, sizeof got - 1 - got_n)) > 0)
        got_n += (size_t)n;
    got[got_n] = 0;
}

/* Until so many lines have come: a writer that finds nobody reading drops lines, as it should. */
static void drain_until(unsigned lines)
{
    unsigned have = 0;
    for (size_t seen = 0; have < lines;) {
        for (; seen < got_n; seen++)
            have += got[seen] == '\n';
        if (have < lines) {
            struct pollfd pfd = {.fd = ends[0], .events = POLLIN};
            ck_assert_int_eq(poll(&pfd, 1, -1), 1);
            drain();
        }
    }
}

static void finish(void)
{
    log_close();
    drain();
    close(ends[0]);
    close(ends[1]);
    clock_set_fake(NULL);
}

static void reset(void)
{
    got_n = 0;
    got[0] = 0;
}

#define HEAD_JSON                                                                                  \
    "{\"time\":\"2025-11-20T10:11:12.123Z\",\"level\":\"info\",\"event\":\"test.line\""
#define HEAD_FMT "time=2025-11-20T10:11:12.123Z level=info event=test.line"

START_TEST(json_line)
{
    start(LOG_AUTO); /* no terminal: JSON */
    log_event(NULL, LOG_INFO, "test.line", LF_TEXT("a", "b c"), LF_INT("n", INT64_MIN),
              LF_BOOL("t", 1), LF_BOOL("f", 0), LF_TEXT("none", NULL), LF_TEXT("empty", ""));
    finish();
    ck_assert_str_eq(got, HEAD_JSON ",\"a\":\"b c\",\"n\":-9223372036854775808,\"t\":true,"
                                    "\"f\":false,\"none\":null,\"empty\":\"\"}\n");
}
END_TEST

START_TEST(logfmt_line)
{
    start(LOG_LOGFMT);
    log_event(NULL, LOG_INFO, "test.line", LF_TEXT("plain", "a/b:c-9"), LF_TEXT("q", "b c"),
              LF_TEXT("eq", "x=y"), LF_TEXT("quote", "say \"hi\"\\"), LF_INT("n", 7),
              LF_TEXT("empty", ""));
    finish();
    ck_assert_str_eq(got,
                     HEAD_FMT " plain=a/b:c-9 q=\"b c\" eq=\"x=y\" quote=\"say \\\"hi\\\"\\\\\" n=7"
                              " empty=\"\"\n");
}
END_TEST

START_TEST(contexts_chain_from_the_outside_in_and_the_inner_name_wins)
{
    const struct log_field outer_f[] = {LF_TEXT("request", "r1"), LF_TEXT("step", "hidden")};
    const struct log_field inner_f[] = {LF_TEXT("flow", "f1"), LF_TEXT("step", "token")};
    const struct log_ctx outer = {NULL, outer_f, 2}, inner = {&outer, inner_f, 2};
    start(LOG_JSON);
    log_event(&inner, LOG_INFO, "test.line", LF_INT("ms", 3));
    log_write(&outer, LOG_INFO, "test.line", NULL, 0);
    finish();
    ck_assert_str_eq(got, HEAD_JSON
                     ",\"request\":\"r1\",\"flow\":\"f1\",\"step\":\"token\",\"ms\":3}\n" HEAD_JSON
                     ",\"request\":\"r1\",\"step\":\"hidden\"}\n");
}
END_TEST

/* What must never pass as it is, and what it becomes. */
static const struct {
    const char *in, *out;
} escapes[] = {
    {"a\nb", "a\\nb"},
    {"a\r\tb", "a\\r\\tb"},
    {"\x1b[31mred", "\\u001b[31mred"}, /* ANSI */
    {"\xc2\x9b"
     "31m",
     "\\u009b31m"}, /* C1 CSI */
    {"\x9b"
     "31m",
     "\xef\xbf\xbd"
     "31m"}, /* the same as a bare byte */
    {"\x01\x08\x7f", "\\u0001\\u0008\\u007f"},
    {"a\"b\\c", "a\\\"b\\\\c"},
    {"\xe2\x80\xae"
     "evil",
     "\\u202eevil"},                                  /* RLO */
    {"\xe2\x81\xa6x\xe2\x81\xa9", "\\u2066x\\u2069"}, /* LRI, PDI */
    {"\xe2\x80\xa8", "\\u2028"},
    {"\xef\xbb\xbf"
     "x",
     "\\ufeffx"},
    {"\xf3\xa0\x81\x81", "\\udb40\\udc41"}, /* a tag character, as a pair */
    {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
     "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong '/' */
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xe2\x82", "\xef\xbf\xbd"}, /* cut short */
    {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
};

START_TEST(values_are_escaped)
{
    char expect[600];
    start(LOG_JSON);
    log_event(NULL, LOG_INFO, "test.line", LF_TEXT("v", escapes[_i].in));
    finish();
    snprintf(expect, sizeof expect, HEAD_JSON ",\"v\":\"%s\"}\n", escapes[_i].out);
    ck_assert_str_eq(got, expect);
    reset();
    start(LOG_LOGFMT);
    log_event(NULL, LOG_INFO, "test.line", LF_TEXT("v", escapes[_i].in));
    finish();
    snprintf(expect, sizeof expect, HEAD_FMT " v=\"%s\"\n", escapes[_i].out);
    ck_assert_str_eq(got, expect);
    reset();
}
END_TEST

/* Whatever bytes a value holds, the line is one line of JSON in which they do no harm. */
START_TEST(every_byte_and_pair_gives_valid_json)
{
    start(LOG_JSON);
    unsigned lines = 0;
    for (unsigned a = 1; a < 256; a++) {
        for (unsigned b = 1; b < 256; b += 3) {
            const char v[] = {(char)a, (char)b, 'x', 0};
            log_event(NULL, LOG_INFO, "test.line", LF_TEXT("v", v));
            lines++;
        }
        drain_until(lines);
    }
    finish();
    char *line = got, *end;
    for (; (end = strchr(line, '\n')); line = end + 1, lines--) {
        *end = 0;
        for (const char *p = line; *p; p++)
            if ((unsigned char)*p < 0x20 || *p == 0x7f)
                ck_abort_msg("byte %d", *p);
        struct err err = ERR_INIT;
        struct jval *v = jval_parse(str_of(line), 65536, 4, &err);
        ck_assert_msg(v != NULL, "%s: %s", err.text, line);
        jval_free(&v);
    }
    ck_assert_uint_eq(lines, 0);
}
END_TEST

START_TEST(values_are_cut_at_512_bytes_on_a_character_boundary)
{
    char v[1000], expect[1200];
    memset(v, 'a', 511);
    memcpy(v + 511, "\xc3\xa9xyz", 6); /* é would straddle byte 512 */
    start(LOG_JSON);
    log_event(NULL, LOG_INFO, "test.line", LF_TEXT("v", v));
    memset(v, 'b', 512);
    v[512] = 0;
    log_event(NULL, LOG_INFO, "test.line", LF_TEXT("v", v));
    finish();
    memset(v, 'a', 511);
    v[511] = 0;
    snprintf(expect, sizeof expect, HEAD_JSON ",\"v\":\"%s\xe2\x80\xa6\"}\n", v);
    ck_assert_mem_eq(got, expect, strlen(expect));
    ck_assert_ptr_nonnull(strstr(got, "bbb\"}\n"));
    reset();
    memset(v, 'c', 513);
    v[513] = 0;
    start(LOG_LOGFMT);
    log_event(NULL, LOG_INFO, "test.line", LF_TEXT("v", v));
    finish();
    ck_assert_uint_eq(got_n, strlen(HEAD_FMT) + 3 + 1 + 512 + 3 + 2);
}
END_TEST

START_TEST(a_line_has_a_limit_and_stays_valid)
{
    char v[513];
    memset(v, 1, 512); /* each becomes six bytes */
    v[512] = 0;
    start(LOG_JSON);
    log_event(NULL, LOG_INFO, "test.line", LF_TEXT("a", v), LF_TEXT("b", v), LF_TEXT("c", v),
              LF_INT("d", 1));
    finish();
    ck_assert_uint_le(got_n, 8192);
    struct err err = ERR_INIT;
    struct jval *j = jval_parse((struct str){got, got_n - 1}, 65536, 4, &err);
    ck_assert_ptr_nonnull(j);
    bool cut = false;
    ck_assert(jval_bool(jval_get(j, "cut"), &cut) && cut);
    ck_assert_ptr_nonnull(jval_get(j, "b"));
    ck_assert_ptr_null(jval_get(j, "c"));
    jval_free(&j);
}
END_TEST

START_TEST(levels_and_errors)
{
    struct err err = ERR_INIT;
    (void)err_set(&err, ERR_UPSTREAM_BAD, "no subject in the answer");
    start(LOG_LOGFMT);
    ck_assert(!log_wanted(LOG_DEBUG));
    ck_assert(log_wanted(LOG_INFO));
    log_event(NULL, LOG_DEBUG, "test.line", LF_INT("n", 1));
    log_error(NULL, LOG_DEBUG, "test.line", &err);
    ck_assert_int_eq(err.line > 0, 1);
    err.line = 42;
    log_error(NULL, LOG_ERROR, "test.failed", &err);
    finish();
    ck_assert_str_eq(
        got, "time=2025-11-20T10:11:12.123Z level=error event=test.failed kind=upstream_bad "
             "error=\"no subject in the answer\" where=test_log.c:42\n");
}
END_TEST

START_TEST(opening_twice_is_an_error)
{
    struct err err = ERR_INIT;
    start(LOG_JSON);
    ck_assert_int_eq(log_open(ends[1], LOG_JSON, LOG_INFO, &err), -1);
    finish();
    log_close();
}
END_TEST

/* A reader that never reads: callers go on, what does not fit is counted, closing ends. */
START_TEST(a_stuck_reader_blocks_nobody)
{
    char v[512];
    memset(v, 'x', 511);
    v[511] = 0;
    uint64_t before = log_dropped();
    start(LOG_JSON);
    for (int i = 0; i < 20000; i++) /* ten times what fits */
        log_event(NULL, LOG_INFO, "test.line", LF_TEXT("v", v));
    uint64_t dropped = log_dropped() - before;
    ck_assert_uint_gt(dropped, 10000);
    log_close();
    /* Every line was either written or counted. */
    drain();
    uint64_t lines = 0;
    for (size_t i = 0; i < got_n; i++)
        lines += got[i] == '\n';
    ck_assert_uint_eq(lines + log_dropped() - before, 20000);
    close(ends[0]);
    close(ends[1]);
    clock_set_fake(NULL);
}
END_TEST

START_TEST(dropped_lines_are_told_when_the_reader_is_back)
{
    char v[512];
    memset(v, 'x', 511);
    v[511] = 0;
    start(LOG_JSON);
    for (int i = 0; i < 8000; i++)
        log_event(NULL, LOG_INFO, "test.line", LF_TEXT("v", v));
    for (int i = 0; i < 500 && !strstr(got, "log.dropped"); i++) {
        struct pollfd p = {.fd = ends[0], .events = POLLIN};
        poll(&p, 1, 20);
        drain();
    }
    finish();
    ck_assert_ptr_nonnull(strstr(got, "\"level\":\"warn\",\"event\":\"log.dropped\",\"lines\":"));
}
END_TEST

START_TEST(a_reader_that_went_away_costs_only_its_lines)
{
    uint64_t before = log_dropped();
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    start(LOG_JSON);
    close(ends[0]);
    for (int i = 0; i < 10; i++)
        log_event(NULL, LOG_INFO, "test.line", LF_INT("i", i));
    log_close();
    close(ends[1]);
    clock_set_fake(NULL);
    ck_assert_uint_ge(log_dropped() - before, 10);
}
END_TEST

static void *writer(void *arg)
{
    for (int i = 0; i < 2000; i++)
        log_event(NULL, LOG_INFO, "test.line", LF_TEXT("who", arg), LF_INT("i", i));
    return NULL;
}

START_TEST(lines_of_two_threads_stay_whole_and_in_order)
{
    pthread_t threads[2];
    char names[2][2] = {"a", "b"};
    start(LOG_LOGFMT);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, writer, names[i]), 0);
    for (size_t lines = 0, seen = 0; lines < 4000;) {
        struct pollfd p = {.fd = ends[0], .events = POLLIN};
        ck_assert_int_gt(poll(&p, 1, 10000), 0);
        drain();
        for (; seen < got_n; seen++)
            lines += got[seen] == '\n';
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    finish();
    int next[2] = {0, 0};
    char *line = got, *end;
    for (; (end = strchr(line, '\n')); line = end + 1) {
        char who;
        int i;
        *end = 0;
        ck_assert_int_eq(sscanf(line, HEAD_FMT " who=%c i=%d", &who, &i), 2);
        ck_assert_int_eq(next[who - 'a']++, i);
    }
    ck_assert_int_eq(next[0] + next[1], 4000);
}
END_TEST

START_TEST(without_log_open_lines_go_to_standard_error)
{
    int saved = dup(STDERR_FILENO);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    dup2(ends[1], STDERR_FILENO);
    log_event(NULL, LOG_WARN, "test.line", LF_INT("n", 1));
    dup2(saved, STDERR_FILENO);
    close(saved);
    drain();
    ck_assert_ptr_nonnull(strstr(got, ",\"level\":\"warn\",\"event\":\"test.line\",\"n\":1}\n"));
    close(ends[0]);
    close(ends[1]);
}
END_TEST

Suite *suite_log(void);
Suite *suite_log(void)
{
    Suite *s = suite_create("log");
    TCase *t = tcase_create("log");
    tcase_add_checked_fixture(t, reset, NULL);
    tcase_add_test(t, json_line);
    tcase_add_test(t, logfmt_line);
    tcase_add_test(t, contexts_chain_from_the_outside_in_and_the_inner_name_wins);
    tcase_add_loop_test(t, values_are_escaped, 0, (int)(sizeof escapes / sizeof *escapes));
    tcase_add_test(t, every_byte_and_pair_gives_valid_json);
    tcase_add_test(t, values_are_cut_at_512_bytes_on_a_character_boundary);
    tcase_add_test(t, a_line_has_a_limit_and_stays_valid);
    tcase_add_test(t, levels_and_errors);
    tcase_add_test(t, opening_twice_is_an_error);
    tcase_add_test(t, a_stuck_reader_blocks_nobody);
    tcase_add_test(t, dropped_lines_are_told_when_the_reader_is_back);
    tcase_add_test(t, a_reader_that_went_away_costs_only_its_lines);
    tcase_add_test(t, lines_of_two_threads_stay_whole_and_in_order);
    tcase_add_test(t, without_log_open_lines_go_to_standard_error);
    suite_add_tcase(s, t);
    return s;
}
