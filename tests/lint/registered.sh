#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# registered.sh: nothing lies beside the build. Every source, embedded file, unit test, fuzz target,
# recorded flow and sample is in a list of Makefile.am; every fuzz target has a corpus; every
# START_TEST is added to a case.
. "$(dirname "$0")/lib.sh"

listed() { grep -qE "(^|[[:space:]])$(echo "$1" | sed 's/[.]/[.]/g')([[:space:]]|\$)" Makefile.am; }

{
    {
        c_files src
        find src/store/schema src/web/html src/web/assets src/provider/steps -type f 2>/dev/null
        find tests -name '*.h' -o -path 'tests/unit/test_*.c' 2>/dev/null
        find tests/flows -name '*.flow' 2>/dev/null
        find providers.d apps.d docs/providers -type f 2>/dev/null
        find tests/lint tests/docs -name '*.sh' 2>/dev/null | grep -v /lib.sh
    } | while read -r file; do
        listed "$file" || echo "$file: in no list of Makefile.am"
    done
    find plugins -name '*.c' 2>/dev/null | while read -r file; do
        listed "${file%.c}.la" || echo "$file: in no list of Makefile.am"
    done
    find tests/fuzz -name 'fuzz_*.c' 2>/dev/null | while read -r file; do
        name=$(basename "$file" .c)
        listed "tests/fuzz/$name" || echo "$file: in no list of Makefile.am"
        [ -n "$(ls "tests/fuzz/corpus/${name#fuzz_}" 2>/dev/null)" ] ||
            echo "$file: nothing in tests/fuzz/corpus/${name#fuzz_}"
    done
    c_files tests | while read -r file; do
        sed -n 's/^START_TEST(\([a-z0-9_]*\)).*/\1/p' "$file" | while read -r test; do
            [ "$(grep -cw "$test" "$file")" -gt 1 ] ||
                echo "$file: $test is in no case"
        done
    done
} | lint_end
