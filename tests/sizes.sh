#!/bin/sh
# Functions of at most 45 lines, from the line that names them to the closing brace, and C files of at most 500 lines.
# Prints each breach; exit status 1 if there is one. Relies on clang-format's layout: braces of functions stand in the
# first column.
set -u
cd "$(dirname "$0")/.."
find cli classify examples graph include parser tests -name '*.[ch]' | sort | xargs awk '
    function end_file() {
        if (lines > 500) { print file ": " lines " lines in a file"; wrong = 1 }
    }
    FNR == 1 { end_file(); file = FILENAME; body = 0 }
    { lines = FNR }
    /^[a-zA-Z_]/ && !body { head = FNR; name = $0 }
    /^{$/ { body = 1 }
    /^}/ {
        if (body && FNR - head + 1 > 45) {
            sub(/\(.*/, "", name)
            sub(/.*[ *]/, "", name)
            print FILENAME ":" head ": " FNR - head + 1 " lines in " name "()"
            wrong = 1
        }
        body = 0
    }
    END { end_file(); exit wrong }'
