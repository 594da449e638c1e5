/* SPDX-License-Identifier: Apache-2.0 */
#include "web/device.h"

#include <check.h>

#define MOZILLA "Mozilla/5.0 "
#define WEBKIT " AppleWebKit/537.36 (KHTML, like Gecko) "

static const struct {
    const char *header, *text;
} rows[] = {
    {MOZILLA "(X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"},
    {MOZILLA "(Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
     "Firefox on Windows"},
    {MOZILLA "(Windows NT 10.0; Win64; x64)" WEBKIT "Chrome/142.0.0.0 Safari/537.36",
     "Chrome on Windows"},
    {MOZILLA "(Windows NT 10.0; Win64; x64)" WEBKIT "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
     "Edge on Windows"},
    {MOZILLA "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
             "Version/18.1 Safari/605.1.15",
     "Safari on Mac"},
    {MOZILLA "(Macintosh; Intel Mac OS X 10_15_7)" WEBKIT "Chrome/142.0.0.0 Safari/537.36 "
             "OPR/125.0.0.0",
     "Opera on Mac"},
    {MOZILLA "(iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
             "Version/18.1 Mobile/15E148 Safari/604.1",
     "Safari on iPhone"},
    {MOZILLA "(iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
             "CriOS/142.0 Mobile/15E148 Safari/604.1",
     "Chrome on iPad"},
    {MOZILLA "(iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
             "FxiOS/145.0 Mobile/15E148 Safari/605.1.15",
     "Firefox on iPhone"},
    {MOZILLA "(Linux; Android 15; SM-S921B)" WEBKIT "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile "
             "Safari/537.36",
     "Samsung Internet on Android"},
    {MOZILLA "(Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "Firefox on Android"},
    {MOZILLA "(X11; CrOS x86_64 14541.0.0)" WEBKIT "Chrome/142.0.0.0 Safari/537.36",
     "Chrome on ChromeOS"},
    {MOZILLA "(X11; Linux x86_64)" WEBKIT "HeadlessChrome/142.0.0.0 Safari/537.36",
     "Chrome on Linux"},
    {MOZILLA "(Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
     "Internet Explorer on Windows"},
    {MOZILLA "(X11; Linux x86_64)", "Linux"},
    {"curl/8.14.1", "curl"},
    {"python-requests/2.32.3", "A Python script"},
    {"Firefox/1", "Firefox"},
    /* Unknown stays unknown. */
    {NULL, NULL},
    {"", NULL},
    {"Mozilla/5.0", NULL},
    {"NotFirefox/1.0", NULL},
    {"Macintoshy", "Mac"},
    {"MyLinux", NULL},
    {"<script>alert(1)</script>", NULL},
    {"firefox on windows", NULL},
};

START_TEST(words_people_know)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = device_text(rows[i].header, a);
        ck_assert_pstr_eq(text, rows[i].text);
    }
    arena_free(&a);
}
END_TEST

Suite *suite_device(void);
Suite *suite_device(void)
{
    Suite *s = suite_create("device");
    TCase *tc = tcase_create("device");
    tcase_add_test(tc, words_people_know);
    suite_add_tcase(s, tc);
    return s;
}
