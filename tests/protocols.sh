#!/bin/sh
# What unktx says of planted outputs of every protocol, and of whole transactions of mainnet: tests/protocols.py makes the chain, with
# encoders of its own, and compares. Each must be named, and no other; the same by any number of threads; and each
# --protocol selects its rows.
set -u
cd "$(dirname "$0")/.."
unktx=${UNKTX:-build/unktx}
python=$(sh tests/python.sh) || { echo "no python3: protocols in a chain are checked by nobody else"; exit 0; }
"$python" -c 'import hashlib; hashlib.new("ripemd160")' 2>/dev/null ||
    { echo "this python3 has no RIPEMD-160: protocols in a chain are checked by nobody else"; exit 0; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$python" -B tests/protocols.py chain "$place/data" "$place/truth.csv" || exit 1
for threads in 1 4; do
    store=$place/store$threads
    "$unktx" scan --quiet --verify --threads $threads --datadir "$place/data" --store "$store" &&
        "$unktx" outputs --quiet --threads $threads --store "$store" --rules core-22 -o "$place/outputs.csv" &&
        "$unktx" templates --quiet --threads $threads --store "$store" --rules core-22 -o "$place/templates.csv" &&
        "$unktx" stats --quiet --protocols --threads $threads --store "$store" -o "$place/protocols.csv" || exit 1
    "$python" -B tests/protocols.py check "$place/truth.csv" "$place" || exit 1
    for table in outputs templates protocols; do
        [ $threads = 1 ] && mv "$place/$table.csv" "$place/$table-1.csv"
    done
done
for table in outputs templates protocols; do
    cmp "$place/$table-1.csv" "$place/$table.csv" || exit 1
done
column=$(head -n 1 "$place/outputs.csv" | tr , '\n' | grep -nx protocol | cut -d: -f1)
for protocol in counterparty stamps omni chancecoin ppk rsk key-burn data-keys other; do
    value=$protocol
    [ $protocol = other ] && value=
    awk -F, -v c="$column" -v v="$value" 'NR == 1 || $c == v' "$place/outputs.csv" >"$place/wanted.csv"
    "$unktx" outputs --store "$place/store1" --rules core-22 --protocol $protocol | cmp - "$place/wanted.csv" || exit 1
    [ "$(wc -l <"$place/wanted.csv")" -gt 1 ] || { echo "protocols: none of $protocol"; exit 1; }
    sum=$("$unktx" templates --store "$place/store1" --rules core-22 --protocol $protocol | awk -F, 'NR > 1 { sum += $3 } END { print sum }')
    [ "$sum" = "$(($(wc -l <"$place/wanted.csv") - 1))" ] || { echo "protocols: templates --protocol $protocol counts $sum"; exit 1; }
done
"$unktx" check --store "$place/store4" >"$place/check.txt" && "$unktx" check --store "$place/store1" | cmp - "$place/check.txt"
