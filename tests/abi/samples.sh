#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# samples.sh: every providers.d/*.conf.sample is accepted as it stands, and those that are made from
# a plugin's table (oidc, oauth2) are up to date: `samples.sh write` makes them again.
set -u
tool=$top_builddir/tests/abi/provider_tool
plugins=$top_builddir/plugins/.libs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

made() { # made NAME: the sample from the table
    echo '# SPDX-License-Identifier: Apache-2.0'
    echo "# Any provider that speaks $2, by configuration: every setting there is. Made from the"
    echo "# plugin's table. Copy to ID.conf, where ID is the name in the callback URL to register:"
    echo '# https://YOUR-HOST/callback/ID'
    "$tool" sample "$plugins" "$1" | sed -e "s/^#plugin =.*/plugin = $1/" \
        -e 's/^#client_id =.*/client_id = YOUR-CLIENT-ID/'
}
for one in 'oidc OpenID-Connect' 'oauth2 OAuth-2.0'; do
    set -- $one "$@"
    made "$1" "$(echo "$2" | tr - ' ')" >"$work/made"
    sample=$top_srcdir/providers.d/$1.conf.sample
    [ "${3-}" != write ] || cp "$work/made" "$sample"
    diff -u "$sample" "$work/made" || { echo "FAILED: $1.conf.sample is stale"; failed=1; }
    shift 2
done

for sample in "$top_srcdir"/providers.d/*.conf.sample; do
    copy=$work/$(basename "$sample" .sample)
    cp "$sample" "$copy"
    grep -q '^client_secret = ' "$copy" || echo 'client_secret = YOUR-CLIENT-SECRET' >>"$copy"
    "$tool" check "$plugins" "$copy" || failed=1
    # What is commented out is no less true: every setting of it exists.
    keys=$(sed -n 's/^#\([a-z0-9_]*\) =.*/\1/p' "$sample" | sed 's/_file$//' | sort -u)
    plugin=$(sed -n 's/^plugin = //p' "$sample")
    for key in $keys; do
        "$tool" sample "$plugins" "$plugin" | grep -qE "^#?$key(_file)? =" ||
            { echo "FAILED: $(basename "$sample"): there is no setting $key"; failed=1; }
    done
done
exit $failed
