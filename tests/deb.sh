#!/bin/sh
# The Debian packages of `make deb`: unpacked elsewhere, the program runs and the library has its files; built again in another
# folder they are the same.
# Skips, and says so, where dpkg-dev is missing or the build is for a sanitizer. Exit status 1 if something is wrong.
set -u
cd "$(dirname "$0")/.."
for tool in dpkg-deb dpkg-shlibdeps dpkg-architecture; do
    command -v "$tool" >/dev/null || { echo "deb: $tool is not here: skipped"; exit 0; }
done
case ${CC:-} in *-fsanitize*) echo "deb: not with a sanitizer: skipped"; exit 0 ;; esac
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
wrong() { echo "deb: $*"; exit 1; }
# Without what takes the compiler long. A part of the debugging information stays (-g1): it names the folder, and a difference there
# would be one of the build id, which the stripped program keeps.
export DEB_CFLAGS_APPEND="-Og -g1"
build() { # FOLDER BUILD
    ${MAKE:-make} -s -C "$1" deb BUILD="$2" >"$place/said" 2>&1 || { cat "$place/said"; wrong "make deb fails"; }
}

here=${BUILD:-build}/check # of these flags alone, not those of an earlier `make deb`
build . "$here"
architecture=$(dpkg-architecture -qDEB_HOST_ARCH)
deb=$(echo "$here"/deb/unktx_*.deb)
dev=$(echo "$here"/deb/libunktx-dev_*.deb)
mkdir "$place/source"
cp -p Makefile CHANGELOG.md LICENSE "$place/source"
cp -pR parser graph classify cli include examples debian "$place/source"
build "$place/source" other
for file in "$deb" "$dev"; do
    cmp "$file" "$place/source/other/deb/${file##*/}" || wrong "built in another folder, ${file##*/} differs"
done
dpkg-deb -x "$deb" "$place/root" && dpkg-deb -x "$dev" "$place/root" || wrong "the packages do not unpack"
usr=$place/root/usr
for file in share/man/man1/unktx-dags.1.gz share/unktx/known-scripts.tsv share/unktx/known-figures.tsv share/bash-completion/completions/unktx \
    share/zsh/vendor-completions/_unktx share/fish/vendor_completions.d/unktx.fish share/doc/unktx/copyright include/unktx.h \
    share/doc/libunktx-dev/examples/unknown_outputs.c; do
    [ -s "$usr/$file" ] || wrong "no /usr/$file"
done
if command -v lintian >/dev/null; then
    lintian --display-info --fail-on error,warning,info "$deb" "$dev" >"$place/said" 2>/dev/null || { cat "$place/said"; wrong "lintian complains"; }
else
    echo "deb: lintian is not here"
fi
sh tests/hardened.sh "$usr/bin/unktx" || exit 1
[ "$("$usr/bin/unktx" --version)" = "unktx $(dpkg-deb -f "$deb" Version)" ] || wrong "versions differ"
for package in "$deb" "$dev"; do
    [ "$(dpkg-deb -f "$package" Architecture)" = "$architecture" ] || wrong "$package is not for $architecture"
done
dpkg-deb -f "$deb" Depends | grep -q 'libc6.*liblmdb0' || wrong "dependencies missing: $(dpkg-deb -f "$deb" Depends)"
[ -z "$(dpkg-deb -c "$deb" | awk '$2 != "root/root"')" ] || wrong "files that are not root's"
"$usr/bin/unktx" analyze --quiet --datadir tests/fixtures/regtest-xor -o "$place/out" >/dev/null || wrong "analyze fails"
[ -s "$place/out/classes.csv" ] || wrong "no classes.csv"
