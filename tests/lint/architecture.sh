#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# architecture.sh: docs/architecture.md has one line, `- room/name: what it is for`, for each pair of
# .c and .h (or what there is of one) in src/, one for each plugin, and none for what is gone.
. "$(dirname "$0")/lib.sh"

page=docs/architecture.md
lines() { sed -n 's|^- `\([a-z]*/[a-z0-9_-]*\)`: .*|\1|p' "$page"; }

{
    pairs=$(c_files src plugins | sed -e 's|^src/||' -e 's|\.[ch]$||' | sort -u)
    for pair in $pairs; do
        n=$(lines | grep -cx "$pair")
        [ "$n" -eq 1 ] || echo "$page: $n lines for $pair, one is wanted: - \`$pair\`: what it is for"
    done
    for line in $(lines); do
        echo "$pairs" | grep -qx "$line" || echo "$page: $line is gone"
    done
} | lint_end
