#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# samples.sh: every providers.d/*.conf.sample is accepted as it stands. So it is with each of its
# commented blocks taken into use, in the place of what the block changes.
set -u
tool=$top_builddir/tests/abi/provider_tool
plugins=$top_builddir/plugins/.libs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

accepted() { # accepted FILE WHAT
    said=$("$tool" "$plugins" "$1") || { failed=1; said="$said ($2)"; }
    echo "$said"
}

# The sample with its Nth commented block in use; empty when there are fewer.
variant() {
    awk -v want="$1" '
    { line[NR] = $0 }
    /^#[a-z0-9_]+ =/ { if (!open) n++; open = 1; if (n == want) { split($1, k, "#"); use[NR] = k[2]; taken[k[2]] = NR } }
    /^$/ { open = 0 }
    END {
        if (n < want) exit
        for (i = 1; i <= NR; i++) {
            key = line[i]; sub(/ =.*/, "", key)
            if (i in use) { if (taken[use[i]] == i) print substr(line[i], 2) }
            else if (key in taken) continue
            else if (key == "client_secret" && ("client_auth" in taken)) continue # public client
            else print line[i]
        }
    }' "$2"
}

for sample in "$top_srcdir"/providers.d/*.conf.sample; do
    copy=$work/$(basename "$sample" .sample)
    made= # from the table: its blocks hold examples that need not fit each other, or files
    grep -q 'every setting of the plugin' "$sample" && made=yes
    cp "$sample" "$copy"
    grep -q '^client_secret = ' "$copy" || echo 'client_secret = YOUR-CLIENT-SECRET' >>"$copy"
    accepted "$copy" 'as it stands'
    block=1
    while [ -z "$made" ] && variant $block "$sample" >"$copy" && [ -s "$copy" ]; do
        accepted "$copy" "with block $block"
        block=$((block + 1))
    done
done
exit $failed
