#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# spdx.sh: each source and script says its licence in its first three lines. What travels to a
# browser (HTML, CSS, SVG) and what a person fills in does not.
. "$(dirname "$0")/lib.sh"

all_files | while read -r file; do
    [ -f "$file" ] || continue
    case $file in
    m4/usher* | *.ac | *.am) ;;
    m4/* | build-aux/* | configure) continue ;; # made by autoreconf, in an archive
    *.[ch] | *.sh | *.py | *.js | *.mjs | *.sql) ;;
    *) head -c 2 "$file" | grep -q '^#!' || continue ;;
    esac
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
        echo "$file:1: no SPDX-License-Identifier: Apache-2.0"
done | lint_end
