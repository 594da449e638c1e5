/* SPDX-License-Identifier: Apache-2.0 */
#include "base/colour.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

Suite *suite_colour(void);

START_TEST(what_is_one)
{
    static const char *const good[] = {"000000", "ffffff", "FfA0b9", "012345"};
    static const char *const bad[] = {"",         "#",      "fff",    "#ffffff", "fffffff",
                                      "ffffg0",   "fffff ", " fffff", "red",     "fffff;",
                                      "ffffff\n", "0x1234", "-12345", "+12345"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(colour_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!colour_valid(bad[i]), "%s", bad[i]);
}
END_TEST

/* By the formula of WCAG 2.2, "relative luminance", to the letter. */
static double luminance(unsigned r, unsigned g, unsigned b)
{
    const unsigned v[] = {r, g, b};
    const double weight[] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        const double c = v[i] / 255.0;
        sum += weight[i] * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
}

START_TEST(ink_can_be_read_on_every_colour)
{
    for (unsigned r = 0; r < 256; r += 5)
        for (unsigned g = 0; g < 256; g += 3)
            for (unsigned b = 0; b < 256; b += 5) {
                char text[8];
                snprintf(text, sizeof text, "%02x%02x%02x", r, g, b);
                const double light = luminance(r, g, b);
                const double contrast = strcmp(colour_ink(text), "#ffffff") == 0
                                            ? 1.05 / (light + 0.05)
                                            : (light + 0.05) / 0.05;
                ck_assert_msg(contrast >= 4.5, "%s: %f", text, contrast);
            }
}
END_TEST

Suite *suite_colour(void)
{
    Suite *s = suite_create("colour");
    TCase *t = tcase_create("colour");
    tcase_add_test(t, what_is_one);
    tcase_add_test(t, ink_can_be_read_on_every_colour);
    suite_add_tcase(s, t);
    return s;
}
