/* SPDX-License-Identifier: Apache-2.0 */
#include "base/colour.h"

#include <stdlib.h>
#include <string.h>

#define HEX "0123456789abcdefABCDEF"

bool colour_valid(const char *text)
{
    return strlen(text) == 6 && strspn(text, HEX) == 6;
}

/* One channel of sRGB in linear light, by a cubic that is off by less than 0.002. */
static double linear(unsigned long channel)
{
    const double c = (double)(channel & 0xff) / 255;
    return c * (c * (c * 0.305306011 + 0.682171111) + 0.012522878);
}

const char *colour_ink(const char *text)
{
    const unsigned long rgb = strtoul(text, NULL, 16);
    const double light =
        0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8) + 0.0722 * linear(rgb);
    /* (1 + 0.05) / (light + 0.05) against (light + 0.05) / 0.05: even at 0.179. */
    return light > 0.179 ? "#000000" : "#ffffff";
}
