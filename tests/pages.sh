#!/bin/sh
# Stores and indexes where the system has pages of 16 and of 64 KiB, as on some Arm and POWER machines: begun there and continued
# with the pages of this machine, and the other way round, they have the digests of tests/digests.txt. A library that is loaded
# first tells that size, which LMDB asks for. Skips, and says so, with a sanitizer, whose own library must be the first.
set -u
cd "$(dirname "$0")/.."
case ${CC:=cc} in *-fsanitize*) echo "pages: not with a sanitizer: skipped"; exit 0 ;; esac
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
wrong() { echo "pages: $*"; exit 1; }
cat >"$place/pages.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
long sysconf(int name)
{
    long (*real)(int) = (long (*)(int))dlsym(RTLD_NEXT, "sysconf");
    return name == _SC_PAGESIZE ? atol(getenv("PAGE_SIZE")) : real(name);
}
END
# shellcheck disable=SC2086 # CC may have options
$CC -shared -fPIC -o "$place/pages.so" "$place/pages.c" -ldl || wrong "the library does not compile"
chain=tests/fixtures/regtest-xor
here() { "${UNKTX:-build/unktx}" "$@" || wrong "unktx $* fails"; }
there() { PAGE_SIZE=$size LD_PRELOAD=$place/pages.so "${UNKTX:-build/unktx}" "$@" || wrong "unktx $* fails with pages of $size"; }
part() { # WHERE STORE SCAN-OPTIONS
    where=$1
    shift
    $where scan --quiet --nulldata store --datadir $chain --store "$@"
    $where index --quiet --datadir $chain --store "$1"
}
expected=$(sed -n '2,3s/ .*//p' tests/digests.txt)
for size in 16384 65536; do
    for order in "there here" "here there"; do
        store=$place/$size-${order%% *}
        part "${order%% *}" "$store" --to-height 120
        part "${order##* }" "$store"
        for where in here there; do
            [ "$($where check --store "$store" | sed -n 's/^\(index_\)*digest //p')" = "$expected" ] ||
                wrong "pages of $size, $order: read $where the store is another"
        done
        # the first meta page says which size LMDB took, 32768 at most
        made=$(od -An -tu4 -j 40 -N 4 "$store/data.mdb" | tr -d ' ')
        [ "$order" = "here there" ] || [ "$made" = $((size < 32768 ? size : 32768)) ] || wrong "LMDB has pages of $made for $size"
    done
done
