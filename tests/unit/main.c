/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit tests in one program: every suite of `unit_tests` in Makefile.am, which becomes
 * suites.h while building. CK_RUN_SUITE=url tests/unit/unit runs one of them; CK_FORK=no helps in
 * a debugger.
 */
#include <check.h>
#include <stdlib.h>

#define SUITE(name) Suite *suite_##name(void);
#include "suites.h"
#undef SUITE

int main(void)
{
    /* The library's 4 seconds are short for a sanitizer build on a busy machine; and who waits a
     * minute in vain is to say what for. */
    setenv("CK_DEFAULT_TIMEOUT", "60", 0);
    setenv("CK_TIMEOUT_MULTIPLIER", "2", 0);

    SRunner *runner = srunner_create(NULL);
#define SUITE(name) srunner_add_suite(runner, suite_##name());
#include "suites.h"
#undef SUITE
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
