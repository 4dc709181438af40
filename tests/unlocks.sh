#!/bin/sh
# `unktx unlocks` against a parser and an interpreter in Python (tests/unlocks.py) that read the blk files themselves.
set -u
cd "$(dirname "$0")/.."
unktx=${UNKTX:-build/unktx}
python=$(command -v python3) || { echo "no python3: unlocks.csv is checked by nobody else"; exit 0; }
"$python" -c 'import hashlib; hashlib.new("ripemd160")' 2>/dev/null ||
    { echo "this python3 has no RIPEMD-160: unlocks.csv is checked by nobody else"; exit 0; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
chain=tests/fixtures/regtest-xor
"$unktx" scan --quiet --datadir $chain --store "$place/store" &&
    "$unktx" unlocks --store "$place/store" --rules core-22 -o "$place/unlocks.csv" || exit 1
"$python" -B tests/unlocks.py $chain "$place/unlocks.csv"
