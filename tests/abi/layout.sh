#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# layout.sh: the plugin ABI as it was shipped. A line of layout.txt that changes breaks every plugin
# there is; sizes may only grow, with new members at the end (then bump USHER_ABI_MINOR).
set -u
built=$top_builddir/tests/abi/layout
golden=$top_srcdir/tests/abi/layout.txt
if [ "$("$built" | sed -n 's/^usher_param //p')" != 32 ]; then
    echo "the golden layout is that of 64-bit machines"
    exit 77
fi
"$built" | diff -u "$golden" - || exit 1

# Nothing in the header was forgotten in layout.c.
members=$(sed -n '/^struct usher_[a-z]* {$/,/^};/p' "$top_srcdir/src/usher/provider.h" |
    sed -e 's|/\*.*||' -e '/^ *\*/d' | grep -c '^    .*;')
listed=$(grep -c '\.' "$golden")
[ "$listed" -ge "$members" ] || { echo "layout.c lists $listed members, the header has $members"; exit 1; }
