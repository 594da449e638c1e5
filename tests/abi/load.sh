#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# load.sh: what the loader refuses, with real shared objects, and in which words. PLUG-01, PLUG-02,
# PLUG-03, PLUG-07, PLUG-10, PLUG-12, PLUG-13 (symbols.sh), PLUG-14.
set -u
umask 022
try=$top_builddir/tests/abi/try_load
src=$top_srcdir/tests/abi/bad/good.c
work=$(mktemp -d) && mkdir "$work/p" && chmod 755 "$work" "$work/p"
trap 'rm -rf "$work"' EXIT
failed=0

build() { # build NAME FLAGS...
    name=$1; shift
    $CC -I"$top_srcdir/src" -O1 -fPIC -shared -fvisibility=hidden -Wl,-z,relro,-z,now \
        -DNAME="\"$name\"" "$@" -o "$work/p/$name.so" "$src" || { echo "cannot build $name"; exit 99; }
}
# expect NAME PATTERN: what the loader says about it.
expect() {
    said=$("$try" "$work/p" "$1" 2>&1)
    if echo "$said" | grep -qE "$2" && [ "$(printf %s "$said" | wc -c)" -lt 300 ]; then
        echo "ok: $(printf %.40s "$1"): $said"
    else
        echo "FAILED: $(printf %.40s "$1"): expected $2, got: $said"; failed=1
    fi
}
refused() { expect "$1" "^misconfigured: plugin [^:]*: .*$2"; }

build good;  expect good '^ok good$'

# PLUG-01: another ABI, impossible sizes, another architecture.
build major -DMAJOR=2;                       refused major 'plugin ABI 2, this usher speaks 1: build it again'
build magic -DMAGIC=7;                       refused magic 'no usher plugin'
build small -DSIZE=64;                       refused small '64 bytes, expected at least'
build huge -DSIZE=60000;                     refused huge 'no descriptor'
build zero -DSIZE=0;                         refused zero 'no usher plugin'
cp "$work/p/good.so" "$work/p/arch.so"
printf '\001' | dd of="$work/p/arch.so" bs=1 seek=4 conv=notrunc 2>/dev/null; refused arch 'another architecture'
cp "$work/p/good.so" "$work/p/machine.so"
printf '\377\177' | dd of="$work/p/machine.so" bs=1 seek=18 conv=notrunc 2>/dev/null
refused machine 'another architecture'

# PLUG-02: what is no plugin at all.
build none -DNO_SYMBOL;                      refused none 'exports no usher_provider'
build function -DFUNCTION;                   refused function 'is no descriptor'
build tiny -DTINY;                           refused tiny 'is no descriptor'
: >"$work/p/empty.so";                       refused empty 'is empty'
echo 'hello, I am no shared object, but long enough to be read as a header of one' >"$work/p/text.so"
refused text 'no shared object'
head -c 40 "$work/p/good.so" >"$work/p/head.so";    refused head 'no shared object'
for n in 100 600 2000 5000 9000 12000; do
    head -c $n "$work/p/good.so" >"$work/p/cut.so"
    refused cut 'is cut short'
done
mkdir "$work/p/folder.so";                   refused folder 'no regular file'
mkfifo "$work/p/pipe.so";                    refused pipe 'no regular file'
refused absent 'there is no absent.so in'
$CC -o "$work/p/program.so" -x c - <<'C' && refused program '(is a program|no shared object)'
int main(void) { return 0; }
C
build named -UNAME -DNAME='"other"';         refused named 'another name than its file'
build stepless -DSTEP=NULL;                  refused stepless 'no step function'
build label -DLABEL='"two\nlines"';          refused label 'label'
build key -DSETTING='.key="Bad Key"';        refused key 'no valid key'
build twice -DSETTING='.key="where"';        refused twice 'where and where clash'
build core -DSETTING='.key="client_id",.offset=0'; refused core "usher's own"
build outside -DSETTING='.key="x",.offset=8'; refused outside 'outside the config struct'
build overlap -DSETTING='.key="x",.offset=0'; refused overlap 'share memory'

# PLUG-03: who could have written it.
build mode;     chmod g+w "$work/p/mode.so"; refused mode 'written by group or others'
ln -s good.so "$work/p/link.so";             refused link 'symbolic link'
if [ "$(id -u)" = 0 ]; then
    build owner; chown 12345 "$work/p/owner.so"; refused owner 'owned by uid 12345'
fi
chmod 777 "$work/p";                         refused good 'written by group or others'
chmod 1777 "$work/p";                        refused good 'written by group or others'
chmod 755 "$work/p"; chmod 777 "$work";      refused good 'written by group or others'
chmod 755 "$work"
ln -s p "$work/by-link" && said=$("$try" "$work/by-link" good) && [ "$said" = "ok good" ] || failed=1

# PLUG-07: names, not paths.
long=$(printf 'a%.0s' $(seq 4096))
for name in ../p/good /etc/passwd good.so 'go od' 'good;id' '$(id)' 'Good' '' "$long" 'go*'; do
    expect "$name" '^misconfigured: a plugin name is at most'
done

# PLUG-10, PLUG-14: constructors run only in files that passed the above, and must not change us.
build signal -DCONSTRUCT_SIGNAL;             refused signal 'changed a signal handler'
build cwd -DCONSTRUCT_CWD;                   refused cwd 'changed the working directory'
build umask -DCONSTRUCT_UMASK;               refused umask 'changed the umask'
build locale -DCONSTRUCT_LOCALE;             refused locale 'changed the locale'
build rpath -Wl,-rpath,/nowhere;             refused rpath 'search path'
build stack -Wl,-z,execstack;                refused stack 'executable stack'
build keep -Wl,-z,nodelete;                  refused keep 'nodelete'
cat >"$work/lib.c" <<'C'
int beyond(void);
int beyond(void) { return 1; }
C
$CC -shared -fPIC -Wl,-soname,libbeyond.so.1 -o "$work/libbeyond.so" "$work/lib.c"
build needs -Wl,--no-as-needed -L"$work" -lbeyond; refused needs 'needs libbeyond.so.1'
$CC -DNAME='"undefined"' -I"$top_srcdir/src" -fPIC -shared -o "$work/p/undefined.so" -x c "$src" -x c - <<'C'
int nowhere(void); int use(void); int use(void) { return nowhere(); }
C
refused undefined 'does not load.*nowhere'

# Two plugins that export the same symbol, and one file replaced by another, do not meet.
build second
said=$("$try" "$work/p" good second good undefined good | tr '\n' ' ')
case $said in 'ok good ok second ok good misconf'*' ok good ') ;; *) echo "FAILED: $said"; failed=1 ;; esac
exit $failed
