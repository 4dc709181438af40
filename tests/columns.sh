#!/bin/sh
# The lists of columns in the man pages and docs/tables.md are those of cli/output/schema_*.c: between the lines
# `.\" columns TABLE` and `.\" end of columns` stands what `unktx columns man TABLE` prints. Prints the files that are not
# current; exit status 1 if there is one. With the word "write" it brings them up to date (make columns).
set -u
cd "$(dirname "$0")/.."
program=${UNKTX:-build/unktx}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
old=0
settle() { # the new text of a file
    cmp -s "$1" "$2" && return
    if [ "$mode" = write ]; then cat "$1" >"$2"; else echo "$2: not current: make columns"; old=1; fi
}
mode=${1:-check}
for page in cli/man/*.1; do
    awk -v program="$program" '
        /^\.\\" columns / { print; fflush(); if (inside || system(program " columns man " $3)) exit 1; inside = 1; next }
        /^\.\\" end of columns$/ { inside = 0 }
        !inside { print }
        END { if (inside) exit 1 }' "$page" >"$place/page" || { echo "$page: a list of columns is wrong"; exit 1; }
    settle "$place/page" "$page"
done
"$program" columns markdown >"$place/tables" || exit 1
settle "$place/tables" docs/tables.md
exit $old
