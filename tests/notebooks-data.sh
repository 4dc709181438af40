#!/bin/sh
# The published tables against what the program UNKTX (default: build/unktx) writes now, byte for byte; and each column of
# them must have an entry in their README. Prints what differs; exit status 1 if something does.
set -u
cd "$(dirname "$0")/.."
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
sh notebooks-data/make.sh "${UNKTX:-build/unktx}" "$made" || exit 1
for file in README.md make.sh paper-scripts.txt labels.csv notebook.py unknown-transactions.ipynb; do
    cp "notebooks-data/$file" "$made"
done
if ! diff -rq notebooks-data "$made"; then
    echo "notebooks-data is out of date: sh notebooks-data/make.sh"
    exit 1
fi
undescribed=$(
    for table in notebooks-data/*.csv notebooks-data/*/*.csv; do
        head -n 1 "$table" | tr ',' '\n'
    done | sort -u | while read -r column; do
        # a kind's value is described by the kind
        case $column in
        *_sat) grep -q "\`$column\`\|\`${column%_sat}\`" notebooks-data/README.md || echo "$column" ;;
        *) grep -q "\`$column\`" notebooks-data/README.md || echo "$column" ;;
        esac
    done
)
[ -z "$undescribed" ] && exit 0
# shellcheck disable=SC2086 # a list of words
printf 'notebooks-data/README.md does not describe the column %s\n' $undescribed
exit 1
