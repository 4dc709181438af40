#!/bin/sh
# An installed copy: examples/unknown_outputs.c is built against it as pkg-config says and must print what the bundled chain's
# node says of its outputs; whatever the umask, all may read it; `make uninstall` leaves no file behind. From the environment: BUILD, CC (with a sanitizer's flags),
# MAKE. Exit status 1 if something is wrong.
set -u
cd "$(dirname "$0")/.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
wrong() { echo "install: $*"; exit 1; }
to_place() { ${MAKE:-make} -s "$1" BUILD="${BUILD:-build}" PREFIX=/usr LIBDIR=/usr/lib/unktx-test DESTDIR="$place"; }

(umask 077 && to_place install) || wrong "make install fails"
for file in bin/unktx include/unktx.h lib/unktx-test/libunktx.a share/man/man1/unktx.1 share/unktx/known-scripts.tsv share/unktx/known-figures.tsv \
    share/bash-completion/completions/unktx share/zsh/site-functions/_unktx share/fish/vendor_completions.d/unktx.fish; do
    [ -s "$place/usr/$file" ] || wrong "no /usr/$file"
done
closed=$(find "$place/usr" \( -type d ! -perm 755 \) -o \( -type f ! -perm 644 ! -path '*/bin/unktx' \))
[ -z "$closed" ] || wrong "not for all to read:" $closed
case ${CC:-} in
*-fsanitize*) ;;
*) sh tests/hardened.sh "$place/usr/bin/unktx" || exit 1 ;;
esac
other=$(nm -g --defined-only "$place/usr/lib/unktx-test/libunktx.a" | awk 'NF == 3 && $3 !~ /^unktx_/ { print $3 }')
[ -z "$other" ] || wrong "libunktx.a has names of others:" $other

export PKG_CONFIG_PATH="$place/usr/lib/unktx-test/pkgconfig"
[ "$(pkg-config --modversion unktx)" = "$("$place/usr/bin/unktx" --version | cut -d' ' -f2)" ] || wrong "versions differ"
export PKG_CONFIG_SYSROOT_DIR="$place"
# shellcheck disable=SC2046,SC2086 # lists of words
${CC:-cc} -std=c99 -Wall -Wextra -Werror -o "$place/example" examples/unknown_outputs.c $(pkg-config --cflags --libs unktx) ||
    wrong "the example does not build"
chain=tests/fixtures/regtest-xor
"$place/example" $chain regtest >"$place/printed" || wrong "the example fails"
{ echo height,txid,vout,value_sat,kind
  awk -F, 'NR > 1 && $7 == 0 { print $1 "," $2 "," $3 "," $4 "," $6 }' $chain/truth/outputs.csv
} >"$place/true"
[ "$(wc -l <"$place/true")" -gt 1000 ] || wrong "the truth lists no unknown outputs"
# the node lists the transactions of a block in any order
LC_ALL=C sort -o "$place/true" "$place/true"
LC_ALL=C sort "$place/printed" | cmp -s - "$place/true" || wrong "the example and the node differ"
"$place/example" "$place" >/dev/null 2>"$place/said" && wrong "the example takes a folder without blocks"
grep -q 'blocks' "$place/said" || wrong "no reason given for a folder without blocks"

to_place uninstall >/dev/null || wrong "make uninstall fails"
left=$(find "$place/usr" ! -type d)
[ -z "$left" ] || wrong "left behind:" $left
