/* SPDX-License-Identifier: Apache-2.0 */
#include "web/device.h"

struct mark {
    const char *mark, *name;
};

/* The first that is there counts: many browsers also claim to be those below them. */
static const struct mark browsers[] = {
    {"Edg/", "Edge"},
    {"EdgA/", "Edge"},
    {"EdgiOS/", "Edge"},
    {"OPR/", "Opera"},
    {"OPT/", "Opera"},
    {"Vivaldi/", "Vivaldi"},
    {"YaBrowser/", "Yandex Browser"},
    {"SamsungBrowser/", "Samsung Internet"},
    {"DuckDuckGo/", "DuckDuckGo"},
    {"Epiphany/", "GNOME Web"},
    {"Firefox/", "Firefox"},
    {"FxiOS/", "Firefox"},
    {"Focus/", "Firefox Focus"},
    {"CriOS/", "Chrome"},
    {"GSA/", "Google app"},
    {"Chromium/", "Chromium"},
    {"Chrome/", "Chrome"},
    {"Safari/", "Safari"},
    {"MSIE ", "Internet Explorer"},
    {"Trident/", "Internet Explorer"},
    {"curl/", "curl"},
    {"Wget/", "Wget"},
    {"python-requests/", "A Python script"},
    {"Python-urllib/", "A Python script"},
    {"Go-http-client/", "A Go program"},
};

static const struct mark systems[] = {
    {"iPhone", "iPhone"},   {"iPad", "iPad"},       {"Android", "Android"},
    {"CrOS", "ChromeOS"},   {"Windows", "Windows"}, {"Macintosh", "Mac"},
    {"FreeBSD", "FreeBSD"}, {"OpenBSD", "OpenBSD"}, {"Linux", "Linux"},
};

/* Where a word begins, so that no longer name that ends alike counts; but "HeadlessChrome/" is
 * Chrome. */
static bool says(const char *text, const char *mark)
{
    for (const char *at = strstr(text, mark); at; at = strstr(at + 1, mark))
        if (at == text || strchr(" (;/", at[-1]) ||
            (at - text >= 8 && memcmp(at - 8, "Headless", 8) == 0))
            return true;
    return false;
}

static const char *named(const char *text, const struct mark *marks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (says(text, marks[i].mark))
            return marks[i].name;
    return NULL;
}

const char *device_text(const char *user_agent, struct arena *a)
{
    if (!user_agent)
        return NULL;
    const char *browser = named(user_agent, browsers, sizeof browsers / sizeof *browsers);
    const char *system = named(user_agent, systems, sizeof systems / sizeof *systems);
    if (browser && system)
        return arena_printf(a, "%s on %s", browser, system);
    return browser ? browser : system;
}
