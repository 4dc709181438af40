#!/bin/sh
# What unktx export writes, read by Python's sqlite3, igraph and networkx, and against the CSV tables: tests/export.py.
set -u
cd "$(dirname "$0")/.."
case ${UNKTX:=build/unktx} in /*) ;; *) UNKTX=$PWD/$UNKTX ;; esac
python=$(sh tests/python.sh) || { echo "no python3: exports are read by nobody else"; exit 0; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$python" -B tests/export.py "$UNKTX" "$place" tests/fixtures/regtest-xor tests/fixtures/dup-txid tests/fixtures/crash
