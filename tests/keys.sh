#!/bin/sh
# `unktx keys` and `unktx ties` against a parser, a curve and address codecs in Python (tests/keys.py) that read the blk files themselves.
set -u
cd "$(dirname "$0")/.."
unktx=${UNKTX:-build/unktx}
python=$(sh tests/python.sh) || { echo "no python3: keys.csv is checked by nobody else"; exit 0; }
"$python" -c 'import hashlib; hashlib.new("ripemd160")' 2>/dev/null ||
    { echo "this python3 has no RIPEMD-160: keys.csv is checked by nobody else"; exit 0; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
chain=tests/fixtures/regtest-xor
"$unktx" scan --quiet --datadir $chain --store "$place/store" &&
    "$unktx" keys --quiet --store "$place/store" --rules core-22 -o "$place/keys.csv" &&
    "$unktx" keys --quiet --hashes --store "$place/store" --rules core-22 -o "$place/hashes.csv" &&
    "$unktx" ties --store "$place/store" --rules core-22 -o "$place/ties" >/dev/null 2>&1 &&
    "$unktx" index --quiet --datadir $chain --store "$place/store" &&
    "$unktx" ties --payers --max-degree 8 --store "$place/store" --rules core-22 -o "$place/payers" >/dev/null 2>&1 &&
    "$unktx" flows --store "$place/store" --rules core-22 -o "$place/flows" >/dev/null 2>&1 &&
    cp "$place/flows/payers.csv" "$place/flows/payees.csv" "$place/payers" || exit 1
"$python" -B tests/keys.py $chain "$place/keys.csv" "$place/hashes.csv" "$place/ties" "$place/payers"
