#!/bin/sh
# A program whose built-in list of known scripts, or of known figures, is empty, as one linked in a wrong way might be, ends with an
# error that says so wherever it needs the list: it neither leaves out names or figures nor lets --exclude-scripts @known leave out
# nothing. Links the program once more with such a list. From the environment: BUILD, CC (with a sanitizer's flags). Exit status 1 if something is wrong.
set -u
cd "$(dirname "$0")/.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
wrong() { echo "built-in: $*"; exit 1; }
packages=$(sed -n 's/^PACKAGES = //p' Makefile)
chain=tests/fixtures/regtest-xor
objects=$(for source in cli/*.c cli/*/*.c; do echo "${BUILD:-build}/${source%.c}.o"; done)
others=$(echo "$objects" | grep -v /known_figures.o) # those beside the object that has the list of known figures

link() { # LIST CONTENT OBJECT-OR-SOURCE...: the program with such a list
    rm -rf "$place/made"
    mkdir "$place/made"
    echo "$2" >"$place/made/$1.inc"
    shift 2
    # shellcheck disable=SC2046,SC2086 # lists of words; the list's own source comes before that of the library
    ${CC:-cc} -std=gnu11 -fopenmp -pthread -I. -I"$place/made" $(pkg-config --cflags $packages) -o "$place/unktx" \
        "$@" "${BUILD:-build}/libunktx.a" $(pkg-config --libs $packages) -lm || wrong "the program does not link"
}

refused() { # COMMAND OPTION...: it is an error that names the list
    "$place/unktx" "$@" --store "$place/store" >/dev/null 2>"$place/said"
    [ $? = 1 ] || wrong "without a list unktx $* does not fail"
    grep -q 'the built-in list is empty' "$place/said" || wrong "unktx $* does not name the list: $(cat "$place/said")"
}

for content in '' '35,10,'; do # no byte, and a comment without words
    # shellcheck disable=SC2086 # a list of words
    link known-scripts "$content" $objects graph/scripts/catalogue.c
    rm -rf "$place/store"
    "$place/unktx" scan --quiet --datadir $chain --store "$place/store" || wrong "scan needs no list, and fails"
    refused dags -o "$place/out"
    refused dags --exclude-scripts @known -o "$place/out"
    refused templates -o "$place/out.csv"
    refused report -o "$place/out.html"
    refused stats --nulldata -o "$place/out.csv"
    # shellcheck disable=SC2086
    link known-figures "$content" $others cli/inputs/known_figures.c
    refused compare
done
