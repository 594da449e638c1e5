/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/date.h"

#include <string.h>
#include <time.h>

#include "base/text.h"

#define DAY 86400

/* The first second of a day, UTC. */
static bool read_day(const char *text, int64_t *seconds)
{
    struct str rest = str_of(text), part[4];
    struct tm day = {.tm_sec = 0};
    int64_t n[3];
    size_t k = 0;
    while (k < 4 && str_split(&rest, '-', &part[k]))
        k++;
    if (k != 3 || part[0].n != 4 || part[1].n != 2 || part[2].n != 2)
        return false;
    for (k = 0; k < 3; k++)
        if (!text_int(part[k], &n[k]) || n[k] < 1)
            return false;
    day.tm_year = (int)n[0] - 1900;
    day.tm_mon = (int)n[1] - 1;
    day.tm_mday = (int)n[2];
    *seconds = (int64_t)timegm(&day); /* which sets what is out of range right: 31 February */
    return day.tm_mon == n[1] - 1 && day.tm_mday == n[2];
}

bool date_read(const char *text, int64_t *seconds)
{
    const int64_t now = (int64_t)time(NULL);
    int64_t left;
    if (text_duration(str_of(text), &left)) {
        const bool some = left > 0 && left < INT64_C(100) * 366 * DAY;
        *seconds = some ? now + left : 0;
        return some && strpbrk(text, "smhd"); /* a number alone could be anything */
    }
    if (!read_day(text, seconds))
        return false;
    *seconds += DAY - 1;
    return *seconds > now;
}

bool date_read_past(const char *text, int64_t *seconds)
{
    const int64_t now = (int64_t)time(NULL);
    int64_t ago;
    if (text_duration(str_of(text), &ago)) {
        *seconds = now - ago;
        return *seconds >= 0;
    }
    return read_day(text, seconds) && *seconds >= 0 && *seconds <= now;
}
