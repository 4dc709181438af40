#!/bin/sh
# Sets unktx up on a base Debian 12 or 13 and shows or checks it:
#   sh bootstrap.sh demo    install what is missing, build, analyze the bundled chain, show the tables
#   sh bootstrap.sh check   the same, then run every test
# Packages are installed only where they are missing (as root, or with sudo); where nothing is missing nothing is asked.
set -eu
cd "$(dirname "$0")"

say() { printf '%s\n' "bootstrap: $*" >&2; }

# The Debian packages whose command or library is not here yet.
missing() {
    for pair in cc:gcc make:make pkg-config:pkg-config; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "${pair#*:}"
    done
    [ -e /usr/include/stdio.h ] || printf '%s ' libc6-dev
    for pair in lmdb:liblmdb-dev igraph:libigraph-dev libsecp256k1:libsecp256k1-dev nettle:nettle-dev \
        yaml-0.1:libyaml-dev libmicrohttpd:libmicrohttpd-dev sqlite3:libsqlite3-dev libzstd:libzstd-dev cmocka:libcmocka-dev; do
        pkg-config --exists "${pair%%:*}" 2>/dev/null || printf '%s ' "${pair#*:}"
    done
}

install_packages() {
    if ! command -v apt-get >/dev/null 2>&1; then
        say "this is no Debian; install a C compiler with OpenMP, GNU make, pkg-config and the development files of:"
        say "  LMDB (0.9.24+), igraph (0.10.2+), libsecp256k1 (0.2+), nettle (3.8+),"
        say "  libyaml (0.2.5+), libmicrohttpd (0.9.75+), SQLite (3.40+), libzstd (1.5.4+), cmocka (1.1.5+)"
        say "and then run this again. Missing here: $*"
        exit 1
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            say "these packages are missing: $*"
            say "install them as root (apt-get install $*) and run this again"
            exit 1
        fi
        as_root=sudo
    fi
    say "installing: $*"
    # shellcheck disable=SC2086 # as_root is empty or one word
    { $as_root apt-get update -q &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"; } >&2
}

build() {
    packages=$(missing)
    # shellcheck disable=SC2086 # a list of words
    [ -z "$packages" ] || install_packages $packages
    make -j"$(nproc 2>/dev/null || echo 1)" all >&2
}

demo() {
    build
    chain=tests/fixtures/regtest-xor
    say "analyzing the bundled chain ($chain) into build/demo"
    rm -rf build/demo
    build/unktx analyze --datadir "$chain" -o build/demo
}

case "${1:-}" in
demo) demo ;;
check)
    demo
    make -j"$(nproc 2>/dev/null || echo 1)" check
    ;;
*)
    echo "usage: sh bootstrap.sh demo|check" >&2
    exit 2
    ;;
esac
