#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# symbols.sh: each plugin exports exactly one symbol, read-only after relocation, and needs nothing
# beyond libc (sanitizers bring symbols of their own).
set -u
failed=0
libc=$($CC -print-file-name=libc.so.6)
say() { echo "$1"; failed=1; }
for la in "$top_builddir"/plugins/*.la; do
    name=$(basename "$la" .la)
    so=$top_builddir/plugins/.libs/$name.so
    [ -f "$so" ] || { say "$so is missing"; continue; }
    defined=$(nm -D --defined-only "$so" | awk '{ print $NF }' | grep -v -e '^__asan' -e '^__odr_asan')
    [ "$defined" = usher_provider ] || say "$name: exports $(echo $defined)"
    readelf -lW "$so" | grep -q GNU_RELRO || say "$name: its descriptor stays writable (no RELRO)"
    # A sanitizer's library stands in for libc's, and then the names carry no version.
    beyond=
    for symbol in $(nm -D --undefined-only "$so" | grep -v -e ' w ' -e '@GLIBC' |
        awk '{ print $NF }' | grep -v -e '^__asan' -e '^__ubsan' -e '^__tsan' -e '^__sanitizer'); do
        nm -D --defined-only "$libc" | grep -qE " $symbol(@.*)?\$" || beyond="$beyond $symbol"
    done
    [ -z "$beyond" ] || say "$name: needs$beyond"
    # No data of its own that is not constant.
    written=$(nm "$so" 2>/dev/null | awk '$2 ~ /^[bBdD]$/ { print $3 }' |
        grep -v -e '^_' -e '^usher_provider$' -e '^completed' -e '^settings$' -e asan -e '^\.L')
    for symbol in $written; do
        section=$(nm -f sysv "$so" | awk -F'|' -v s="$symbol" '{ gsub(/ /, "", $1) } $1 == s { gsub(/ /, "", $7); print $7 }')
        case $section in .data.rel.ro*) ;; *) say "$name: $symbol is no constant ($section)" ;; esac
    done
done
exit $failed
