#!/bin/sh
# A program whose built-in list of known scripts is empty, as one linked in a wrong way might be, ends with an error that says so
# wherever it needs the list: it neither leaves out names nor lets --exclude-scripts @known leave out nothing. Links the program
# once more with such a list. From the environment: BUILD, CC (with a sanitizer's flags). Exit status 1 if something is wrong.
set -u
cd "$(dirname "$0")/.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
wrong() { echo "built-in: $*"; exit 1; }
packages=$(sed -n 's/^PACKAGES = //p' Makefile)
chain=tests/fixtures/regtest-xor
objects=$(for source in cli/*.c cli/*/*.c; do echo "${BUILD:-build}/${source%.c}.o"; done)
for content in '' '35,10,'; do # no byte, and a comment without words
    mkdir -p "$place/made"
    echo "$content" >"$place/made/known-scripts.inc"
    # shellcheck disable=SC2046,SC2086 # lists of words; the list's own object comes before that of the library
    ${CC:-cc} -std=gnu11 -fopenmp -pthread -I. -I"$place/made" $(pkg-config --cflags $packages) -o "$place/unktx" \
        $objects graph/scripts/catalogue.c "${BUILD:-build}/libunktx.a" $(pkg-config --libs $packages) -lm || wrong "the program does not link"
    rm -rf "$place/store"
    "$place/unktx" scan --quiet --datadir $chain --store "$place/store" || wrong "scan needs no list, and fails"
    for command in "dags -o $place/out" "dags --exclude-scripts @known -o $place/out" "templates -o $place/out.csv" \
        "report -o $place/out.html" "stats --nulldata -o $place/out.csv"; do
        # shellcheck disable=SC2086 # a command and its options
        "$place/unktx" $command --store "$place/store" >/dev/null 2>"$place/said"
        [ $? = 1 ] || wrong "without a list unktx $command does not fail"
        grep -q 'the built-in list is empty' "$place/said" || wrong "unktx $command does not name the list: $(cat "$place/said")"
    done
done
