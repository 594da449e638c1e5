#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# floors.sh: who may include what. Downward or within your own room; never sideways, never up; each
# foreign library in its own file. The picture is in docs/architecture.md.
. "$(dirname "$0")/lib.sh"

c_files src plugins | while read -r file; do
    sed -n 's/^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*\([<"][^>"]*[>"]\).*/\1/p' "$file" |
        sed "s|^|$file |"
done | awk '
BEGIN {
    n = split("usher 0 base 1 sys 2 net 3 store 3 provider 4 session 4 app 4 login 5 issuer 5 live 6 admin 7 web 8 main 9 fake 9 ctl 9", a, " ")
    for (i = 1; i < n; i += 2) floor[a[i]] = a[i + 1]

    # Foreign headers, and the files that may see them.
    home["jansson.h"] = "^src/base/json[.]c$"
    home["openssl/"] = "^src/sys/(seal|random|jose|jwk|jws_key)[.]c$"
    home["ini.h"] = "^src/sys/conf[a-z_]*[.]c$"
    home["curl/"] = "^src/(net/fetch[a-z_]*[.][ch]|ctl/client[.]c)$"
    home["sqlite3.h"] = "^src/store/sqlite[.]c$"
    home["libpq-fe.h"] = "^src/store/pgsql[.]c$"
    home["microhttpd.h"] = "^src/web/serve[a-z_]*[.][ch]$"
    home["dlfcn.h"] = "^src/provider/load[.]c$"
    home["link.h"] = "^src/provider/(load|elf)[.]c$"
    home["elf.h"] = "^src/provider/elf[.]c$"
    home["setjmp.h"] = "^src/provider/host[.]h$" # out of a plugin that may hold nothing
    home["sanitizer/"] = "^src/base/arena[.]c$"
    home["arpa/inet.h"] = "^src/(base/url[.]c$|(sys|net|web|fake)/)" # inet_pton is pure

    # What the system gives: to the pure floors, and to the rest.
    pure = "^(std[a-z]*|string|strings|ctype|errno|limits|inttypes|float|math|assert)[.]h$"
    posix = "^((sys|netinet|net|linux)/[a-z0-9_]+|pthread|unistd|fcntl|time|signal|netdb|poll|" \
        "dirent|pwd|grp|getopt|locale|libgen|sched|semaphore|fnmatch|syslog|spawn|endian|malloc|" \
        "ifaddrs|termios)[.]h$"
}
function say(text) { print file ": " text }
{
    file = $1; kind = substr($2, 1, 1); header = substr($2, 2, length($2) - 2)
    split(file, part, "/")
    plugin = part[1] == "plugins"; room = part[2]
    if (!plugin && !(room in floor)) { say("src/" room " is no room of tests/lint/floors.sh"); next }

    if (kind == "<") {
        for (h in home) {
            if (index(header, h) == 1) {
                if (file !~ home[h]) say("<" header "> belongs in " home[h])
                next
            }
        }
        if (header ~ pure) next
        if (plugin || room == "usher" || room == "base") say("<" header ">: standard headers only, here")
        else if (header !~ posix) say("<" header "> is of no library this project uses")
        next
    }
    if (plugin) {
        if (header !~ /^usher\/(provider|kit)[.]h$/) say("\"" header "\": a plugin sees usher/provider.h and usher/kit.h")
        next
    }
    if (split(header, to, "/") != 2) { say("\"" header "\": paths are rooted at src/"); next }
    if (!(to[1] in floor)) { say("\"" header "\" is in no room"); next }
    if (to[1] == room) next
    if (floor[to[1]] == floor[room]) say("\"" header "\" lies sideways of " room)
    if (floor[to[1]] + 0 > floor[room] + 0) say("\"" header "\" lies above " room)
}' | lint_end
