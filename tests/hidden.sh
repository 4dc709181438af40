#!/bin/sh
# `unktx hidden` against a reading of its own of a chain with planted scripts and of the bundled chain, in ../shared/fixtures with what the
# node's RPC tells of each output: tests/hidden.py. The same by any number of threads.
set -u
cd "$(dirname "$0")/.."
unktx=${UNKTX:-build/unktx}
python=$(sh tests/python.sh) || { echo "no python3: hidden scripts are checked by nobody else"; exit 0; }
"$python" -c 'import hashlib; hashlib.new("ripemd160")' 2>/dev/null ||
    { echo "this python3 has no RIPEMD-160: hidden scripts are checked by nobody else"; exit 0; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$python" -B tests/hidden.py chain "$place/planted" || exit 1
node=../shared/fixtures/regtest-xor
rpc=$node/truth/outputs.csv
[ -e "$node/regtest" ] || { echo "no $node: the node's answers are not compared"; node=tests/fixtures/regtest-xor rpc=; }
for chain in "$place/planted" "$node"; do
    store=$(mktemp -d "$place/store-XXXXXX")
    [ "$chain" = "$node" ] && answers=$rpc || answers=
    "$unktx" index --quiet --datadir "$chain" --store "$store" &&
        "$unktx" hidden --quiet --threads 4 --dags --store "$store" -o "$place/table.csv" &&
        "$unktx" hidden --quiet --threads 4 --list --store "$store" -o "$place/list.csv" &&
        "$unktx" hidden --quiet --threads 1 --store "$store" | cmp - "$place/table.csv" &&
        "$unktx" hidden --quiet --threads 1 --list --store "$store" | cmp - "$place/list.csv" || exit 1
    "$python" -B tests/hidden.py check "$chain" "$place/list.csv" "$place/table.csv" $answers || exit 1
    "$unktx" dags --rules hidden --store "$store" -o "$place/dags" >"$place/said" 2>&1 || { cat "$place/said"; exit 1; }
    "$python" -B tests/hidden.py dags "$chain" "$place/dags/summary.json" || exit 1
    rm -r "$place/dags"
done
