#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# names.sh: no file names a place on somebody's machine or a package registry's host.
. "$(dirname "$0")/lib.sh"

# Brackets keep this file out of its own net.
start='(^|[^A-Za-z0-9_.}/-])'
places="$start/(wor[k]|far[m]|hom[e]|roo[t]|User[s]|tm[p]/wt)/|\.\./share[d]|C:.User[s]"
registries='registr[y]\.[a-z0-9-]+\.|npmj[s]\.(org|com)|pyp[i]\.org|yarnpk[g]\.com|artifactor[y]|verdacci[o]|prox[y]\.golang'

all_files | grep -vE '\.(png|jpg|ico|woff2)$' | while read -r file; do
    case $file in build-aux/* | m4/l* | configure | aclocal.m4 | Makefile.in) continue ;; esac
    [ -f "$file" ] || continue
    grep -nIE "$places" "$file" | sed "s|^\([0-9]*\):.*|$file:\1: names a place on a machine|"
    grep -nIE "$registries" "$file" | sed "s|^\([0-9]*\):.*|$file:\1: names a package registry|"
done | lint_end
