#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# generated.sh: what is made from the settings tables is up to date: the samples of oidc and oauth2,
# and the marked parts of docs/configuration.md and docs/providers/*.md (docs/describe.sh). Every
# provider known by name has its page. `generated.sh write`, or `./dev docs`, makes them again.
set -u
cd "$top_srcdir" || exit 99
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

describe() { sh docs/describe.sh "$top_builddir/usherd" "$top_builddir/plugins/.libs" "$@"; }
fail() { echo "FAILED: $1"; failed=1; }

# fresh FILE ARGUMENTS…: FILE is what describe.sh makes of them.
fresh() {
    file=$1
    shift
    if ! describe "$@" >"$work/made"; then
        fail "$file: usherd does not say it"
    elif [ "$mode" = write ]; then
        cmp -s "$work/made" "$file" || { cat "$work/made" >"$file" && echo "wrote $file"; }
    else
        diff -u "$file" "$work/made" || fail "$file is stale: ./dev docs"
    fi
}
mode=${1-check}

for plugin in oidc oauth2; do
    fresh "providers.d/$plugin.conf.sample" sample "$plugin"
done
for page in docs/configuration.md docs/providers/*.md; do
    fresh "$page" "$page"
    grep -q -- 'usherd --describe ' "$page" || fail "$page: nothing in it is from a table"
done
for sample in providers.d/*.conf.sample; do
    name=$(basename "$sample" .conf.sample)
    grep -qxF -- "<!-- usherd --describe $name markdown -->" "docs/providers/$name.md" ||
        fail "docs/providers/$name.md does not tell about $name"
done
for plugin in "$top_builddir"/plugins/.libs/*.so; do
    name=$(basename "$plugin" .so)
    grep -qxF -- ".\\\" usherd --describe $name man" docs/man/usher-provider.5.in ||
        fail "docs/man/usher-provider.5.in does not tell about the plugin $name"
    [ -e "docs/providers/$name.md" ] || fail "the plugin $name has no page docs/providers/$name.md"
done
exit $failed
