#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# walkthrough.sh: docs/writing-a-provider.md as a reader would follow it. Blocks with `file=` become
# files, blocks with `run` are run, in order, against an installed copy of the headers.
set -eu
umask 022
doc=$top_srcdir/docs/writing-a-provider.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
unset MAKEFLAGS MAKELEVEL MFLAGS

make -C "$top_builddir" -s install-usherincludeHEADERS install-pkgconfigDATA DESTDIR="$work/root" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$work/root" -name usher-provider.pc)")
PKG_CONFIG_SYSROOT_DIR=$work/root
BUILD=$top_builddir
DESTDIR=$work/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR BUILD DESTDIR

mkdir -p "$work/walk/acme"
cd "$work/walk"
# The compiler of this build stands in for cc.
ln -s "$(command -v "${CC%% *}")" "$work/cc"
PATH=$work:$PATH
awk '
/^```/ && !inside {
    inside = 1; file = ""; run = 0
    for (i = 2; i <= NF; i++) {
        if ($i == "run") run = 1
        if ($i ~ /^file=/) file = substr($i, 6)
    }
    next
}
/^```/ { inside = 0; next }
inside && file != "" { print > file }
inside && run { print > "run.sh" }
' "$doc"
[ "$(grep -c . run.sh)" -ge 4 ]
echo "$ cat run.sh"; cat run.sh
sh -eux run.sh

# Exactly one dynamic symbol, and the loader likes it where it was installed.
[ "$(nm -D --defined-only acme.so | awk '{ print $3 }')" = usher_provider ]
installed=$DESTDIR$(pkg-config --variable=providerdir usher-provider)
sed -i 's/^client_id = .*/client_id = id/' acme.conf
"$BUILD/tests/abi/provider_tool" "$installed" acme.conf
echo 'team = a/b' >bad && sed '/^team/d' acme.conf >acme2 && cat bad acme2 >acme.conf
if "$BUILD/tests/abi/provider_tool" "$installed" acme.conf >said; then exit 1; fi
grep -q 'team is a name, not a path' said
