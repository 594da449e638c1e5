#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# log-events.sh: docs/log-events.md has one line, `- event.name: what it says`, for each event name
# in a call of log_event or log_error in src/, and none for what is gone. Names are literals there:
# who reads a line in the log must find its call.
. "$(dirname "$0")/lib.sh"

page=docs/log-events.md
names() { sed -n 's|^- `\([^`]*\)`.*|\1|p' "$page" 2>/dev/null; }

# file:line, a blank, the call up to its fields, on one line. line_make is how log.c itself speaks.
calls() {
    c_files src | grep -v '^src/sys/log\.h$' | while read -r file; do
        awk -v file="$file" '
        { sub(/^[ \t]*(\/\*|\*[ \/]).*/, "") }
        !call && !/^[A-Za-z]/ && match($0, /(^|[^A-Za-z0-9_])(log_event|log_error|line_make)\(/) {
            own = substr($0, RSTART, RLENGTH) ~ /line_make/
            text = substr($0, RSTART + RLENGTH); line = FNR; call = 1
        }
        call {
            if (FNR > line) text = text " " $0
            if (text !~ /LF_[A-Z]+\(|;/) next
            sub(/LF_[A-Z]+\(.*/, "", text)
            if (!own || text ~ /"/) print file ":" line, text
            call = 0
        }' "$file"
    done
}

literals() { grep -oE '"[^"]*"' | tr -d '"'; }

all=$(calls)
{
    echo "$all" | grep . | while read -r where text; do
        found=$(echo "$text" | literals)
        [ -n "$found" ] || echo "$where: the event has no literal name"
        for name in $found; do
            echo "$name" | grep -qxE '[a-z]+\.[a-z_]+' ||
                echo "$where: $name is no event name, room.what_happened"
            [ "$(names | grep -cxF "$name")" -eq 1 ] ||
                echo "$page: one line is wanted for $name of $where: - \`$name\`: what it says"
        done
    done
    for name in $(names); do
        echo "$all" | literals | grep -qxF "$name" || echo "$page: $name is gone"
    done
} | lint_end
