#!/bin/sh
# `unktx unlocks` against a parser and an interpreter in Python (tests/unlocks.py) that read the blk files themselves.
set -u
cd "$(dirname "$0")/.."
unktx=${UNKTX:-build/unktx}
python=$(sh tests/python.sh) || { echo "no python3: unlocks.csv is checked by nobody else"; exit 0; }
"$python" -c 'import hashlib; hashlib.new("ripemd160")' 2>/dev/null ||
    { echo "this python3 has no RIPEMD-160: unlocks.csv is checked by nobody else"; exit 0; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
chain=tests/fixtures/regtest-xor
"$unktx" scan --quiet --datadir $chain --store "$place/store" &&
    "$unktx" unlocks --quiet --store "$place/store" --rules core-22 -o "$place/unlocks.csv" || exit 1
# every tenth transaction, and all of a block with every kind of script; first as the store alone has them
sed 1d $chain/truth/txs.csv | awk -F, 'NR % 10 == 1 || $1 == 200 { print $3 }' >"$place/txids"
"$unktx" show --scripts --format json --store "$place/store" - <"$place/txids" >"$place/stored.json" 2>"$place/not-stored"
test $? -eq 1 || { cat "$place/not-stored"; exit 1; }
"$unktx" index --quiet --datadir $chain --store "$place/store" &&
    "$unktx" tx --scripts --format json --store "$place/store" - <"$place/txids" >"$place/txs.json" &&
    "$unktx" show --scripts --format json --store "$place/store" - <"$place/txids" >"$place/linked.json" || exit 1
"$python" -B tests/unlocks.py $chain "$place/unlocks.csv" "$place"/*.json
