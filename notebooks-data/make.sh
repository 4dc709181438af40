#!/bin/sh
# Makes the tables of this folder:
#   sh notebooks-data/make.sh [UNKTX [DIR [SCAN OPTIONS]]]
# with the program UNKTX (default: build/unktx), into DIR (default: this folder). Without options of `unktx scan` the chain is
# the bundled one; with them (--datadir ~/.bitcoin) it is yours, and its store stays in DIR/store. LABELS names a file of labels of
# addresses (default: of the bundled chain labels.csv, else none); with one the chain is indexed too, which payers and payees need
# (with the same options but --nulldata, which `unktx index` does not have).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
unktx=${1:-$root/build/unktx}
into=${2:-$root/notebooks-data}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$into"
if [ $# -gt 2 ]; then
    shift 2
    store=$into/store
    LABELS=${LABELS:-}
else
    LABELS=${LABELS:-$root/notebooks-data/labels.csv}
    set -- --datadir "$root/tests/fixtures/regtest-xor"
    store=$work/store
fi

"$unktx" scan --quiet "$@" --store "$store"
for rules in core-0.18 core-0.19 core-22; do
    mkdir -p "$into/$rules"
    "$unktx" dags --store "$store" --rules "$rules" -o "$work/$rules" >/dev/null
    cp "$work/$rules/tdags.csv" "$work/$rules/classes.csv" "$into/$rules"
done
for table in txs arcs leaves ties groups; do
    cp "$work/core-0.18/$table.csv" "$into/core-0.18"
done
cp "$work/core-0.18/summary.json" "$into"
"$unktx" outputs --store "$store" --rules core-0.18 -o "$into/core-0.18/outputs.csv"
"$unktx" templates --store "$store" --rules core-0.18 -o "$into/core-0.18/templates.csv"
"$unktx" stats --store "$store" -o "$into/stats.csv"
"$unktx" stats --store "$store" --by day -o "$into/stats-by-day.csv"
# the paper's section V.E: with its own patterns, with all known scripts
"$unktx" dags --store "$store" --exclude-scripts "$root/notebooks-data/paper-scripts.txt" -o "$work/paper" >/dev/null
cp "$work/paper/summary.json" "$into/without-paper-scripts.json"
"$unktx" dags --store "$store" --exclude-scripts @known -o "$work/known" >/dev/null
cp "$work/known/summary.json" "$into/without-known-scripts.json"
# payers and payees with the labels of their addresses
if [ -n "$LABELS" ]; then
    left=$#
    while [ "$left" -gt 0 ]; do
        option=$1
        shift
        left=$((left - 1))
        case $option in
        --nulldata)
            [ "$left" -eq 0 ] || { shift; left=$((left - 1)); }
            ;;
        --nulldata=*) ;;
        *) set -- "$@" "$option" ;;
        esac
    done
    "$unktx" index --quiet "$@" --store "$store"
    "$unktx" flows --store "$store" --labels "$LABELS" -o "$work/flows" >/dev/null
    cp "$work/flows/payers.csv" "$work/flows/payees.csv" "$into/core-0.18"
fi
