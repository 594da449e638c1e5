#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sizes.sh: files up to 600 lines, functions up to 60, six parameters, 100 columns.
. "$(dirname "$0")/lib.sh"

functions() {
    c_code "$1" | awk -v file="$1" '
    function say(line, text) { print file ":" line ": " text }
    # Parameters of the first pair of parentheses in a declaration.
    function parameters(text,   i, c, depth, commas, any) {
        for (i = index(text, "("); i > 0 && i <= length(text); i++) {
            c = substr(text, i, 1)
            if (c == "(") depth++
            else if (c == ")") { if (--depth == 0) break }
            else if (c == "," && depth == 1) commas++
            else if (c != " ") any = 1
        }
        return any ? commas + 1 : 0
    }
    function head_end() {
        sub(/__attribute__.*/, "", head)
        # The shape of a libmicrohttpd callback is not ours to choose.
        if (parameters(head) > 6 && head !~ /struct MHD_Connection \*/)
            say(head_line, parameters(head) " parameters, six is the most")
        head = ""
    }
    continued { continued = /\\$/; next } # macros
    /^#/ { continued = /\\$/; next }
    /^\{$/ { start = FNR; head_end(); inside = 1; next }
    /^\}/ {
        if (inside && FNR - start - 1 > 60) say(start, (FNR - start - 1) " lines in a function, 60 is the most")
        inside = 0; head = ""
        next
    }
    inside { next }
    /^[A-Za-z_].*\) \{$/ { say(FNR, "the brace of a function stands on its own line") }
    {
        if (head == "") head_line = FNR
        head = head " " $0
        if (/[;{}]$/) head_end()
    }'
}

columns() {
    # One byte is left of each UTF-8 character; a tab counts as one.
    awk -v file="$1" '{ gsub(/[\200-\277]/, "") }
        length($0) > 100 { print file ":" FNR ": " length($0) " columns, 100 is the most" }' "$1"
}

long_files() {
    all_files | grep -E '^(src|plugins|tests)/|^dev$' |
        grep -E '(\.(c|h|sh|py|js|mjs|sql|html|css)|/run|^dev)$' | while read -r file; do
        [ -f "$file" ] || continue
        lines=$(wc -l <"$file")
        [ "$lines" -le 600 ] || echo "$file: $lines lines, 600 is the most"
    done
}

{
    c_files src plugins tests | while read -r file; do
        functions "$file"
        columns "$file"
    done
    long_files
} | lint_end
