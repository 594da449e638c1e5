/* SPDX-License-Identifier: Apache-2.0 */
/* What a trial may show of parameters and addresses, and the date of an answer. */
#include <stdio.h>

#include "base/url.h"
#include "login/trial_parts.h"

#define QUERY_MAX 64

/* Parameters and headers whose values tell nothing that must stay between us and the upstream. */
static const char *const harmless[] = {"accept",
                                       "audience",
                                       "client_assertion_type",
                                       "client_id",
                                       "code_challenge_method",
                                       "grant_type",
                                       "prompt",
                                       "redirect_uri",
                                       "resource",
                                       "response_mode",
                                       "response_type",
                                       "scope",
                                       "ui_locales",
                                       "user-agent",
                                       "access_type",
                                       "max_age",
                                       "hd",
                                       "content-type",
                                       NULL};

static bool is_harmless(const char *name)
{
    for (size_t i = 0; harmless[i]; i++)
        if (str_is_nocase(str_of(name), harmless[i]))
            return true;
    return false;
}

struct jval *trial_param(const char *name, const char *value)
{
    struct jval *o = jval_new_object();
    char masked[140];
    jval_set_text(o, "name", name);
    snprintf(masked, sizeof masked, "[%.120s]", name);
    jval_set_text(o, "value", is_harmless(name) && value ? value : masked);
    return o;
}

struct jval *trial_params(const struct fetch_part *v, size_t n)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < n; i++)
        jval_push(list, trial_param(v[i].name, v[i].secret ? NULL : v[i].before));
    return list;
}

void trial_put_url(struct jval *entry, const char *url)
{
    struct arena *a = arena_new();
    struct fields f = {NULL, 0};
    struct err ignored = ERR_INIT; /* then the names are not shown either */
    const size_t n = strcspn(url, "?#");
    struct jval *list = jval_new_array();
    jval_set_text(entry, "url", arena_dupn(a, url, n));
    if (url[n] == '?' && form_parse(a, str_of(url + n + 1), QUERY_MAX, &f, &ignored) != 0)
        f.n = 0;
    for (size_t i = 0; i < f.n; i++)
        jval_push(list, trial_param(f.v[i].name, f.v[i].value));
    jval_set(entry, "query", list);
    arena_free(&a);
}

struct jval *trial_redirect_entry(const char *url)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "step", "authorize");
    jval_set_text(o, "method", "GET");
    trial_put_url(o, url);
    return o;
}

/* ---- the date -------------------------------------------------------------------------------- */

/* Days from 1970-01-01 in the Gregorian calendar. */
static int64_t days_from(int64_t year, int month, int day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int64_t y = year - 1;
    return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) -
           (1969 / 4 - 1969 / 100 + 1969 / 400) + before[month] + (leap && month > 1) + day - 1;
}

/* `n` digits, or -1. */
static int digits(const char *p, size_t n)
{
    int64_t value;
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return -1;
    return text_int((struct str){p, n}, &value) ? (int)value : -1;
}

int64_t trial_date(const char *text)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    /* Where it is not a digit or a name: "Sun, 06 Nov 1994 08:49:37 GMT". */
    static const char shape[] = "???, ?? ??? ???? ??:??:?? GMT";
    int month = 0;
    if (!text || strlen(text) != sizeof shape - 1)
        return -1;
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] != '?' && shape[i] != text[i])
            return -1;
    while (month < 12 && memcmp(names + 3 * month, text + 8, 3) != 0)
        month++;
    const int day = digits(text + 5, 2), year = digits(text + 12, 4);
    const int hour = digits(text + 17, 2), minute = digits(text + 20, 2);
    const int second = digits(text + 23, 2);
    if (month == 12 || year < 1970 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 60)
        return -1;
    return days_from(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}
