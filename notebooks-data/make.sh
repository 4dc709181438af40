#!/bin/sh
# Makes the tables of this folder from the bundled chain:
#   sh notebooks-data/make.sh [UNKTX [DIR]]
# with the program UNKTX (default: build/unktx), into DIR (default: this folder).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
unktx=${1:-$root/build/unktx}
into=${2:-$root/notebooks-data}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$unktx" scan --quiet --datadir "$root/tests/fixtures/regtest-xor" --store "$work/store"
for rules in core-0.18 core-0.19 core-22; do
    mkdir -p "$into/$rules"
    "$unktx" dags --store "$work/store" --rules "$rules" -o "$work/$rules" >/dev/null
    cp "$work/$rules/tdags.csv" "$work/$rules/classes.csv" "$into/$rules"
done
cp "$work/core-0.18/txs.csv" "$work/core-0.18/arcs.csv" "$work/core-0.18/leaves.csv" "$into/core-0.18"
"$unktx" outputs --store "$work/store" --rules core-0.18 -o "$into/core-0.18/outputs.csv"
cp "$work/core-0.18/summary.json" "$into"
"$unktx" stats --store "$work/store" -o "$into/stats.csv"
"$unktx" stats --store "$work/store" --by day -o "$into/stats-by-day.csv"
