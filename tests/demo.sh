# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The demo behind `./dev run` (which sources this): usherd with its state in build/run (with another
# port in build/run-PORT), and for every provider without credentials its look-alike in usher-fake.
#
# Real ones: USHER_PROVIDER_DISCORD_CLIENT_ID and _CLIENT_SECRET in the environment, or
# providers.d/discord.conf; likewise google. PORT picks the port (8080).

port=${PORT:-8080}
state=$out/run
if [ "$port" != 8080 ]; then state=$out/run-$port; fi
url=http://127.0.0.1:$port
if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then # before anything a running demo reads is touched
    die "Port $port is taken, maybe by another ./dev run. PORT=8081 ./dev run takes another one."
fi
socket=$state/run/admin.sock
if [ ${#socket} -gt 100 ]; then socket=${XDG_RUNTIME_DIR:-/tmp}/usher-demo-$(id -u)-$port/admin.sock; fi # its path has a limit
umask 077
mkdir -p "$state/providers.d"
rm -f "$state"/*.ready "$state"/providers.d/*.conf

# Whether the admin has given credentials for a provider.
is_real() {
    local name=USHER_PROVIDER_${1^^}_CLIENT_ID
    [ -n "${!name-}" ] || [ -e "$top/providers.d/$1.conf" ]
}

ready() { # FILE PID LOG
    for _ in $(seq 200); do
        [ -s "$1" ] && return 0
        kill -0 "$2" 2>/dev/null || break
        sleep 0.05
    done
    sed 's/^/    /' "$3" >&2
    die "it did not start; the log is above"
}

stop_demo() {
    trap - INT TERM EXIT
    for pid in $usherd_pid $fake_pid; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null
    echo
    exit "${1:-0}"
}
usherd_pid='' fake_pid=''
trap 'stop_demo 0' INT TERM
trap 'stop_demo $?' EXIT

fakes=''
for id in discord google; do is_real $id || fakes="$fakes $id"; done

if [ -n "$fakes" ]; then
    "$root/bin/usher-fake" --listen "127.0.0.1:${FAKE_PORT:-0}" --ready-file "$state/fake.ready" >"$state/fake.log" 2>&1 &
    fake_pid=$!
    ready "$state/fake.ready" $fake_pid "$state/fake.log"
    upstream=$(cat "$state/fake.ready")
fi

client="client_id = usher-dev
client_secret = usher-dev-secret"
case "$fakes " in *" discord "*)
    printf '%s\n' "$client" "authorize_url = $upstream/discord/oauth2/authorize" \
        "api_url = $upstream/discord/api/v10" "cdn_url = $upstream/discord/cdn" \
        >"$state/providers.d/discord.conf" ;;
esac
case "$fakes " in *" google "*)
    printf '%s\n' "$client" "issuer = $upstream/google" >"$state/providers.d/google.conf" ;;
esac
for file in "$top"/providers.d/*.conf; do
    if [ -e "$file" ]; then cp "$file" "$state/providers.d/"; fi
done

cat >"$state/usher.conf" <<CONF
[server]
listen = 127.0.0.1:$port
public_url = $url
site_name = usher demo

[store]
url = sqlite:$state/usher.db
key_file = $state/usher.key

[admin]
socket = $socket

[providers]
dir = $state/providers.d
plugin_dir = $root/lib/usher/providers
allow_http_loopback = $([ -n "$fakes" ] && echo yes || echo no)
CONF

"$root/sbin/usherd" --config "$state/usher.conf" --ready-file "$state/usher.ready" 2>"$state/usher.log" &
usherd_pid=$!
ready "$state/usher.ready" $usherd_pid "$state/usher.log"

echo
echo "  ${bold}Open  $url/$plain"
echo
echo "  callback URLs to register with each provider:"
for id in discord google; do
    note=''
    case "$fakes " in *" $id "*) note="$dim  (look-alike for now: no credentials given)$plain" ;; esac
    printf '    %-8s %s/callback/%s%s\n' "$id" "$url" "$id" "$note"
done
echo
echo "  To administer: ${root#"$top"/}/bin/usherctl --socket ${socket#"$top"/} setup-link"
echo "  Log: ${state#"$top"/}/usher.log. Ctrl-C stops everything."
wait $usherd_pid
stop_demo $?
