#!/bin/sh
# Debian packages, `make deb` calls it: unktx (the program) and libunktx-dev (library, header, example), into BUILD/deb. They
# are built in BUILD/package with the flags of dpkg-buildflags(1), all of its hardening among them. Dependencies are those that
# dpkg-shlibdeps finds in the binary. The same source gives the same bytes, in whatever folder. From the environment: BUILD,
# VERSION, MAKE, DEBFULLNAME and DEBEMAIL (the maintainer), SOURCE_DATE_EPOCH, and what dpkg-buildflags reads. Needs dpkg-dev.
set -eu
cd "$(dirname "$0")/.."
umask 022
mkdir -p "${BUILD:=build}/deb"
place=$(cd "$BUILD/deb" && pwd)
maintainer="${DEBFULLNAME:-The unktx maintainers} <${DEBEMAIL:-unktx@example.org}>"
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(stat -c %Y CHANGELOG.md)}"
architecture=$(dpkg-architecture -qDEB_HOST_ARCH)
libraries=/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)

# no link-time optimisation: libunktx.a is one object, linked from machine code
export DEB_BUILD_MAINT_OPTIONS="${DEB_BUILD_MAINT_OPTIONS:-hardening=+all optimize=-lto}"
flag() { dpkg-buildflags --get "$1"; }

rm -rf "${place:?}"/*
${MAKE:-make} -s install BUILD="$BUILD/package" CFLAGS="$(flag CFLAGS)" CPPFLAGS="$(flag CPPFLAGS)" LDFLAGS="$(flag LDFLAGS)" \
    PREFIX=/usr LIBDIR="$libraries" ZSH_FOLDER=vendor-completions DESTDIR="$place/unktx"
mkdir -p "$place/libunktx-dev/usr/lib" "$place/libunktx-dev/usr/share/doc/libunktx-dev/examples" "$place/debian"
mv "$place/unktx$libraries" "$place/libunktx-dev/usr/lib/"
mv "$place/unktx/usr/include" "$place/libunktx-dev/usr/"
rmdir "$place/unktx/usr/lib"
install -m 644 examples/unknown_outputs.c "$place/libunktx-dev/usr/share/doc/libunktx-dev/examples/"
strip --remove-section=.comment --remove-section=.note "$place/unktx/usr/bin/unktx"
strip --strip-debug --remove-section=.comment --enable-deterministic-archives "$place/libunktx-dev$libraries/libunktx.a"
gzip -9n "$place"/unktx/usr/share/man/man1/*.1

# dpkg-shlibdeps reads debian/control of the folder that it is called in. Libraries that the program loads itself are not named in it,
# but in objects that the Makefile made to find their names.
printf 'Source: unktx\n\nPackage: unktx\nArchitecture: any\n' >"$place/debian/control"
loaded=$(cd "$BUILD/package/made" && pwd)
depends=$(cd "$place" && dpkg-shlibdeps -O unktx/usr/bin/unktx "$loaded"/*.so | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ]

documents() { # PACKAGE
    folder=$place/$1/usr/share/doc/$1
    mkdir -p "$folder"
    {
        printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: unktx\n\n'
        printf 'Files: *\n%s\nLicense: Expat\n' "$(sed -n 's/^Copyright (c)/Copyright:/p' LICENSE)"
        sed '1,/^Copyright/d; /./!d; s/^/ /' LICENSE
    } >"$folder/copyright"
    printf 'unktx (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md of the source.\n\n -- %s  %s\n' "$VERSION" "$maintainer" \
        "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$folder/changelog.gz"
}

package() { # NAME SECTION DEPENDS SUMMARY, the description on stdin
    mkdir -p "$place/$1/DEBIAN"
    # as dpkg-gencontrol reckons it: the size of a folder is another one on each file system
    size=$(find "$place/$1/usr" -type f -printf '%s\n' -o -printf '1\n' | awk '{ kib += int(($1 + 1023) / 1024) } END { print kib }')
    {
        printf 'Package: %s\nSource: unktx\nVersion: %s\nArchitecture: %s\n' "$1" "$VERSION" "$architecture"
        printf 'Maintainer: %s\nInstalled-Size: %s\nDepends: %s\nSection: %s\nPriority: optional\nDescription: %s\n' \
            "$maintainer" "$size" "$3" "$2" "$4"
        sed 's/^/ /'
    } >"$place/$1/DEBIAN/control"
    (cd "$place/$1" && find usr -type f | LC_ALL=C sort | xargs md5sum >DEBIAN/md5sums)
    dpkg-deb --root-owner-group -Zxz --build "$place/$1" "$place/$1_${VERSION}_$architecture.deb" >/dev/null
    echo "$place/$1_${VERSION}_$architecture.deb"
}

documents unktx
documents libunktx-dev
# lintian looks for words misspelt in whatever of the machine code is letters
mkdir -p "$place/unktx/usr/share/lintian/overrides"
echo 'unktx: spelling-error-in-binary *' >"$place/unktx/usr/share/lintian/overrides/unktx"
package unktx utils "$depends" "unknown transactions of Bitcoin, from block files to graphs" <<'END'
Finds the outputs of a Bitcoin chain from which the reference client infers
no address, links them to the transactions that spend them, and classifies the
graphs that arise. Reads the block files of a full node, which may be running.
END
package libunktx-dev libdevel "libc6-dev, libsecp256k1-dev, nettle-dev" "Bitcoin block files and their outputs - library" <<'END'
Walks the block files of a Bitcoin full node: blocks of the chain of most
work, their outputs, what kind of script each has, and in which releases of
Bitcoin Core it has no address. A static library, its header and an example.
END
