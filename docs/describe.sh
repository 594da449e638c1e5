#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# describe.sh: fill a page with what usherd says of its settings.
# Usage: describe.sh USHERD PLUGIN_DIR FILE, or describe.sh USHERD PLUGIN_DIR sample PLUGIN
#
# In FILE, a Markdown page or the frame of a man page, everything between such lines is made anew:
#     <!-- usherd --describe discord markdown -->     or     .\" usherd --describe discord man
#     <!-- end of what usherd says -->                       .\" end of what usherd says
# In Markdown the folders of this build become those of a distribution; in the frame of a man page
# @sysconfdir@ and its like become those of this build. make exports them.
set -eu
LC_ALL=C.UTF-8
export LC_ALL
umask 022

# What is set for a daemon on this machine does not belong in here.
for name in $(env | sed -n 's/^\(USHER_[A-Z0-9_]*\)=.*/\1/p'); do unset "$name"; done

usherd=$1 plugins=$2
# usherd refuses plugins in folders of other people, as a source tree may well be. (On a machine whose
# /tmp is mounted noexec, TMPDIR names a better place.)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/plugins"
cp "$plugins"/*.so "$work/plugins"
chmod 755 "$work" "$work/plugins" "$work/plugins"/*
printf '[providers]\nplugin_dir = %s\n' "$work/plugins" >"$work/usher.conf"

say() { "$usherd" -c "$work/usher.conf" --describe "$@"; }

places() {
    sed -e "s|$sysconfdir/usher|/etc/usher|g" -e "s|$localstatedir/lib/usher|/var/lib/usher|g" \
        -e "s|$providerdir|/usr/lib/usher/providers|g" -e "s|$runstatedir/usher|/run/usher|g"
}

folders() {
    sed -e "s|@sysconfdir@|$sysconfdir|g" -e "s|@localstatedir@|$localstatedir|g" \
        -e "s|@providerdir@|$providerdir|g"
}

fill() {
    told=
    while IFS= read -r line; do
        case $line in *'end of what usherd says'*) told= ;; esac
        [ -z "$told" ] || continue
        printf '%s\n' "$line"
        case $line in
        '<!-- usherd --describe '*' -->' | '.\" usherd --describe '*)
            words=${line#*--describe }
            # shellcheck disable=SC2086 # what and form are two words
            say ${words% -->}
            told=$line
            ;;
        esac
    done <"$1"
    [ -z "$told" ] || { echo "$1: no end behind: $told" >&2; return 1; }
}

case $3 in
sample)
    echo '# SPDX-License-Identifier: Apache-2.0'
    say "$4" sample
    ;;
*)
    fill "$3" >"$work/filled" # a pipe would hide that it failed
    case $3 in *.md) places ;; *) folders ;; esac <"$work/filled"
    ;;
esac
