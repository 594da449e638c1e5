#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# banned.sh: calls and options that have no place here, and what to use instead.
. "$(dirname "$0")/lib.sh"

# Kind (a call, or any text) : pattern : where it is banned : why. One blank around the colons.
rules() {
    cat <<'RULES'
call : str(cpy|cat|ncpy|ncat)|stpn?cpy|v?sprintf|gets : ^(src|plugins)/ : without a bound, or with half of one: base/buf, snprintf
call : strtok(_r)? : ^(src|plugins)/ : writes into its input: str_split
call : ato(i|l|ll|f)|v?[fs]?scanf : ^(src|plugins)/ : takes anything for a number: text_int
call : s?rand(om)?|rand_r|[dlm]rand48 : . : guessable: sys/random
call : system|popen : . : no shell
call : mktemp|tmpnam|tempnam : . : a race: mkstemp, mkdtemp
call : alloca : . : a stack without limit: base/arena
call : localtime|gmtime|asctime|ctime : . : one buffer for all threads: the _r forms
call : _?setjmp|sigsetjmp|longjmp|siglongjmp : ^(src/([^p]|p[^r])|src/provider/[^h]|plugins/|tests/) : jumps over clean-up
text : (^|[^A-Za-z0-9_])signal\([A-Z0-9]+, *[^S ] : . : means different things: sigaction (SIG_IGN is fine)
call : MHD_create_post_processor|MHD_post_process : . : lets broken escapes through: base/form
call : MHD_lookup_connection_value|MHD_get_connection_values : . : cuts at NUL: the _n forms
call : regcomp|regexec|pcre2?_[a-z0-9_]+ : ^(src|plugins)/ : backtracks on what others wrote (DOS-10): compare text, as app/rule does
call : curl_easy_perform : ^src/([^c]|c[^t]) : blocks: net/fetch
call : sleep|usleep|nanosleep : ^src/(base|sys|net|store|provider|login|session|live|admin|web)/ : blocks a loop
call : exit|_exit|v?printf|puts|putchar|perror : ^src/(base|net|store|provider|login|session|live|admin|web)/ : a library returns its errors
call : exit|abort|v?f?printf|puts|perror|f?open|socket|connect|time|getenv|malloc|calloc|realloc|free : ^plugins/ : no I/O, clock or memory of its own
text : MHD_USE_[A-Z_]*(THREAD|AUTO|INTERNALLY)|MHD_OPTION_THREAD_POOL_SIZE : ^src/ : stalls: docs/decisions/0001
text : CURLOPT_FOLLOWLOCATION, *[^0 ] : . : leaves the origin that was checked
text : CURLOPT_ACCEPT_ENCODING : . : unpacks bombs
text : CURLOPT_SSL_VERIFY(PEER|HOST), *0 : . : no TLS without verification
RULES
}

{
    rules
    c_files src plugins tests | while read -r file; do
        c_code "$file" | awk -v file="$file" 'NF { print file ":" FNR ":\t" $0 }'
    done
} | awk -F'\t' '
NF == 1 {
    split($0, f, " : ")
    # Neither a member (host->random) nor the end of a longer name.
    pattern[++n] = f[1] == "call" ? "(^|[^A-Za-z0-9_.>])(" f[2] ") *\\(" : f[2]
    where[n] = f[3]; why[n] = f[4]
    next
}
{
    for (i = 1; i <= n; i++)
        if ($1 ~ where[i] && $0 ~ pattern[i]) print $1 " banned here: " why[i]
}' | lint_end
