#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh: write the C tables of base/embed.h. Usage: embed.sh sql FILE… html FILE… assets FILE…
# The words sql, html, assets, samples, steps and fake open a table; everything else is a file that goes into it.
set -eu

tables=$(mktemp -d)
trap 'rm -rf "$tables"' EXIT
table= all= count=0

echo '/* Made by src/embed.sh; do not edit. */'
echo '#include "base/embed.h"'
for word in "$@"; do
    case $word in
    sql | html | assets | samples | steps | fake)
        table=$word all="$all $word"
        : >"$tables/$table"
        ;;
    *)
        count=$((count + 1))
        echo "static const char file_$count[] = {"
        od -An -v -tu1 "$word" | sed -e 's/[0-9][0-9]*/(char)&,/g'
        echo '0};'
        version=$(cksum <"$word" | tr ' ' -)
        echo "    {\"$(basename "$word")\", file_$count, sizeof file_$count - 1, \"$version\"}," >>"$tables/$table"
        ;;
    esac
done
for table in $all; do
    echo "const struct embedded embedded_$table[] = {"
    cat "$tables/$table"
    echo '    {0, 0, 0, 0},'
    echo '};'
done
