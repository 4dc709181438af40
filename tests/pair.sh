#!/bin/sh
# Two real transactions as unktx tells of them (tests/fixtures/mainnet-pair), against tests/pair.py, which parses and hashes them itself: the
# creator of an unknown output and its spender of 117 inputs, in a chain of one more block.
set -u
cd "$(dirname "$0")/.."
unktx=${UNKTX:-build/unktx}
python=$(sh tests/python.sh) || { echo "no python3: the real pair is parsed by nobody else"; exit 0; }
"$python" -c 'import hashlib; hashlib.new("ripemd160")' 2>/dev/null ||
    { echo "this python3 has no RIPEMD-160: the real pair is parsed by nobody else"; exit 0; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$python" -B tests/pair.py chain "$place/data" >"$place/txids" &&
    "$unktx" scan --quiet --datadir "$place/data" --store "$place/store" || exit 1
for rules in core-0.18 core-0.19 core-22; do
    "$unktx" unlocks --quiet --rules $rules --store "$place/store" -o "$place/unlocks-$rules.csv" || exit 1
done
"$unktx" show --scripts --format json --store "$place/store" - <"$place/txids" >"$place/txs.json" &&
    "$python" -B tests/pair.py check "$place"
