# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# lib.sh: what the lints share. Sourced. A lint looks at the tree in LINT_ROOT (a seeded one, in
# selftest.sh) or at this one, writes `file:line: what is wrong` per finding, and pipes them into
# `lint_end`, which fails if there is any.

set -u
lint_dir=$(cd "$(dirname "$0")" && pwd)
cd "${LINT_ROOT:-$lint_dir/../..}" || exit 99
export LC_ALL=C

# The project's own C files under the given folders: no builds, nothing generated.
c_files() {
    find "$@" -name '*.[ch]' -type f 2>/dev/null |
        grep -v -e '^src/base/embed\.c$' -e '^src/fake/pages\.c$' -e '^tests/unit/suites\.h$' -e /node_modules/ | sort
}

# Every file of the project: what git knows, or all there is in an unpacked archive.
all_files() {
    git ls-files --cached --others --exclude-standard 2>/dev/null | grep . ||
        find . -type d \( -name '_*' -o -name build -o -name node_modules \) -prune -o -type f -print |
        sed 's|^\./||' | sort
}

# C without comments and without the text inside quotes; lines stay where they are.
c_code() {
    awk '
    {
        out = ""; n = length($0); quote = ""
        for (i = 1; i <= n; i++) {
            c = substr($0, i, 1); two = substr($0, i, 2)
            if (comment) { if (two == "*/") { comment = 0; i++ } continue }
            if (quote != "") {
                if (c == "\\") { i++; continue }
                if (c == quote) { quote = ""; out = out c }
                continue
            }
            if (two == "/*") { comment = 1; i++; continue }
            if (two == "//") break
            if (c == "\"" || c == "'\''") quote = c
            out = out c
        }
        sub(/[ \t]+$/, "", out)
        print out
    }' "$1"
}

lint_end() { sort -u | awk '{ print } END { exit NR > 0 }'; }
