#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# selftest.sh: each lint passes a small clean tree, and finds each violation planted in it.
set -u
lints=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

# A fresh clean tree; the current folder from here on.
fresh() {
    cd / && rm -rf "$tree" && mkdir -p "$tree" && cd "$tree" || exit 99
    mkdir -p src/base src/store src/web plugins tests/unit tests/fuzz/corpus/b docs
    spdx='/* SPDX-License-Identifier: Apache-2.0 */'
    for file in src/base/a.h src/base/a.c src/store/s.c src/web/w.c plugins/p.c tests/unit/test_a.c \
        tests/fuzz/fuzz_b.c; do
        echo "$spdx" >"$file"
    done
    printf '#include "base/a.h"\n\nint a(void)\n{\n    return 0; /* gets(x) */\n}\n' >>src/base/a.c
    printf 'START_TEST(one)\n{\n}\nEND_TEST\n    tcase_add_test(tc, one);\n' >>tests/unit/test_a.c
    echo x >tests/fuzz/corpus/b/1
    cat >Makefile.am <<'MAKE'
# SPDX-License-Identifier: Apache-2.0
files = src/base/a.c src/base/a.h src/store/s.c src/web/w.c
provider_LTLIBRARIES = plugins/p.la
unit_tests = tests/unit/test_a.c
fuzz_targets = tests/fuzz/fuzz_b
MAKE
    # shellcheck disable=SC2016
    printf -- '- `%s`: x\n' base/a store/s web/w plugins/p >docs/architecture.md
}

run() { LINT_ROOT=$tree sh "$lints/$1.sh" 2>&1; }

clean() {
    said=$(run "$1") && [ -z "$said" ] && return
    echo "$1 complains about a clean tree: $said"
    failed=1
}

# finds LINT TEXT: the lint fails, and says so once, in a line that holds TEXT.
finds() {
    if said=$(run "$1"); then
        echo "$1 let it pass: $2"
        failed=1
    elif [ "$(echo "$said" | grep -cF -- "$2")" -ne 1 ] || [ "$(echo "$said" | wc -l)" -ne 1 ]; then
        echo "$1 should say once '$2', and said: $said"
        failed=1
    fi
}

# includes FILE LINE TEXT, and code FILE LINE TEXT: plant one line and look.
includes() { fresh; echo "#include $2" >>"$1"; finds floors "$3"; }
code() { fresh; echo "$2" >>"$1"; finds banned "$1:$(wc -l <"$1"): banned here"; }

for lint in floors sizes banned registered architecture spdx names log-events; do
    fresh
    clean $lint
done

includes src/base/a.c '"store/s.h"' 'lies above base'
mkdir -p "$tree/src/net"
includes src/store/s.c '"net/fetch.h"' 'lies sideways of store'
includes src/store/s.c '"s.h"' 'rooted at src/'
includes src/store/s.c '"moon/s.h"' 'is in no room'
includes src/web/w.c '<jansson.h>' 'belongs in'
includes src/web/w.c '<openssl/evp.h>' 'belongs in'
includes src/web/w.c '<zlib.h>' 'no library'
includes src/base/a.c '<unistd.h>' 'standard headers only'
includes plugins/p.c '<sys/socket.h>' 'standard headers only'
includes plugins/p.c '"base/a.h"' 'a plugin sees'
fresh; mkdir src/moon; echo '#include "base/a.h"' >src/moon/m.c; finds floors 'is no room'

long() { i=0; while [ $i -lt "$1" ]; do i=$((i + 1)); echo "    a();"; done; }
fresh; { echo 'int b(void)'; echo '{'; long 61; echo '}'; } >>src/base/a.c; finds sizes '61 lines in a function'
fresh; { echo 'int b(void)'; echo '{'; long 60; echo '}'; } >>src/base/a.c; clean sizes
fresh; long 601 | sed 's/.*/#/' >>src/base/a.h; finds sizes '602 lines'
fresh; printf '%0101d\n' 0 | sed 's/^/\/\//' >>src/base/a.h; finds sizes '103 columns'
fresh; echo 'int f(int a, int b, int c, int d, int e, int (*f)(int, int), int g);' >>src/base/a.h
finds sizes '7 parameters'
fresh; printf 'int f(int a, int b, int c,\n      int d, int e, int (*f)(int, int));\n' >>src/base/a.h; clean sizes
fresh; printf 'int f(void) {\n}\n' >>src/base/a.c; finds sizes 'stands on its own line'

code src/base/a.c '    strcpy(a, b);'
code src/web/w.c '    regcomp(&re, pattern, 0);'
code src/base/a.c '    x = strncpy (a, b, 3);'
code src/base/a.c '    sprintf(a, "%s", b);'
code src/store/s.c '    n = atoi(s);'
code src/store/s.c '    n = sscanf(s, "%d", &i);'
code src/store/s.c '    n = rand();'
code src/store/s.c '    system("x");'
code src/store/s.c '    t = localtime(&now);'
code src/store/s.c '    if (setjmp(b))'
code src/store/s.c '    p = alloca(n);'
code src/store/s.c '    signal(SIGTERM, on_term);'
code src/web/w.c '    p = MHD_create_post_processor(c, 1, f, 0);'
code src/web/w.c '    d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0);'
code src/web/w.c '    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);'
code src/web/w.c '    printf("x");'
code plugins/p.c '    p = malloc(3);'
fresh; echo '    call->host->random(call, p, n); snprintf(b, n, "strcpy(x)"); localtime_r(a, b); signal(SIGPIPE, SIG_IGN);' >>src/store/s.c
clean banned
fresh; echo '    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);' >>src/web/w.c; clean banned

fresh; echo >src/base/lost.c; finds registered 'src/base/lost.c'
fresh; echo >tests/unit/test_lost.c; finds registered 'tests/unit/test_lost.c'
fresh; printf 'START_TEST(two)\n' >>tests/unit/test_a.c; finds registered 'two is in no case'
fresh; echo >plugins/lost.c; finds registered 'plugins/lost.c'
fresh; mkdir -p tests/flows/p; echo >tests/flows/p/lost.flow; finds registered 'tests/flows/p/lost.flow'
fresh; rm tests/fuzz/corpus/b/1; finds registered 'nothing in tests/fuzz/corpus/b'
fresh; mkdir -p src/store/schema; echo >src/store/schema/2.sql; finds registered 'src/store/schema/2.sql'
fresh; mkdir -p src/provider/steps; echo >src/provider/steps/x.txt; finds registered 'src/provider/steps/x.txt'
fresh; mkdir -p tests/docs; echo >tests/docs/lost.sh; finds registered 'tests/docs/lost.sh'

fresh; echo >src/base/lost.c; finds architecture '0 lines for base/lost'
fresh; rm src/web/w.c; finds architecture 'web/w is gone'
# shellcheck disable=SC2016
fresh; echo '- `web/w`: again' >>docs/architecture.md; finds architecture '2 lines for web/w'

fresh; echo 'int x;' >src/base/a.c; finds spdx 'src/base/a.c:1'
fresh; echo '#!/bin/sh' >tool; finds spdx 'tool:1'

fresh; echo "see /hom""e/somebody/x" >>docs/architecture.md; finds names 'names a place'
fresh; echo "https://registr""y.example.org/x" >>docs/architecture.md; finds names 'package registry'

# events CALL: a tree whose page knows web.known, and one call in web/w.c.
events() { fresh; printf -- '- `web.known`: x\n' >docs/log-events.md; printf '    %b\n' "$1" >>src/web/w.c; }
known='log_event(c, LOG_INFO, "web.known", LF_TEXT("a", "b.c"));'
events "$known"; clean log-events
events 'log_event(c, LOG_INFO,\n              a ? "web.known" : "web.other", LF_INT("n", 1));'
finds log-events 'one line is wanted for web.other of src/web/w.c:2'
events "$known\\n    log_error(c, LOG_ERROR, name, err);"; finds log-events 'src/web/w.c:3: the event has no literal name'
events "$known\\n    log_error(c, LOG_ERROR, \"Known\", err);"
echo '- `Known`: x' >>docs/log-events.md; finds log-events 'Known is no event name'
events "/* $known */"; finds log-events 'web.known is gone'

exit $failed
