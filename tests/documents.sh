#!/bin/sh
# What the documents refer to is there: files that are linked to, files and functions of the source that are named, and drawings
# as they are drawn now. Prints what is not; exit status 1 then. From the environment: UNKTX (default: build/unktx).
set -u
cd "$(dirname "$0")/.."
unktx=${UNKTX:-build/unktx}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
documents="README.md CONTRIBUTING.md CHANGELOG.md docs/*.md notebooks-data/README.md tests/fixtures/README.md"
wrong=$(
    # links, from the folder of the document; a #heading by the name that its line gets
    for document in $documents; do
        grep -oE '\]\([^)]+\)' "$document" | sed 's/^](//; s/)$//' | grep -v '^https\?:' | sort -u | while read -r link; do
            file=${link%%#*}
            [ -n "$file" ] && file=$(dirname "$document")/$file || file=$document
            [ -e "$file" ] || { echo "$document: no file $link"; continue; }
            case $link in *\#*) ;; *) continue ;; esac
            grep '^#' "$file" | sed 's/^#* //' | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-' | grep -qxF -- "${link#*#}" ||
                echo "$document: no heading $link"
        done
    done
    # files of the source by their path, functions by name()
    for document in $documents; do
        [ "$document" = CHANGELOG.md ] && continue # of its time
        grep -oE '`(parser|graph|classify|cli|include|examples|tests|docs|debian|notebooks-data)/[A-Za-z0-9_./-]*`' "$document" | tr -d '`' | grep -vE 'FOLDER|NAME|NOUN' | sort -u |
            while read -r path; do [ -e "$path" ] || echo "$document: no $path"; done
        grep -oE '`[a-z][a-z0-9_]*\(\)`' "$document" | tr -d '`()' | sort -u | while read -r function; do
            grep -rqw "$function" --include='*.[ch]' parser graph classify cli include tests || echo "$document: no function $function"
        done
    done
    # each drawing is used, and is what the script or the program draws
    for picture in docs/pictures/*.svg docs/pictures/*.png; do
        grep -q "pictures/$(basename "$picture"))" README.md docs/*.md || echo "$picture: in no document"
    done
    if python=$(sh tests/python.sh); then
        "$python" -B docs/pictures/draw.py "$place"
        for picture in "$place"/*.svg; do
            cmp -s "$picture" "docs/pictures/$(basename "$picture")" || echo "$(basename "$picture") is not current: python3 docs/pictures/draw.py"
        done
    fi
    "$unktx" scan --quiet --datadir tests/fixtures/regtest-xor --store "$place/store" &&
        "$unktx" show --quiet --store "$place/store" --dag 53 --format svg -o "$place/t-dag" || echo "no drawing of T-DAG 53"
    cmp -s "$place/t-dag" docs/pictures/t-dag.svg || echo "docs/pictures/t-dag.svg is not what unktx show --dag 53 --format svg draws"
)
[ -z "$wrong" ] && exit 0
printf '%s\n' "$wrong"
exit 1
