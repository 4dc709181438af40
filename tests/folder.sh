#!/bin/sh
# Output folders as another program reads them, and T-DAGs, their names and changes.csv against a second reading of the
# definitions: tests/folder.py.
set -u
cd "$(dirname "$0")/.."
case ${UNKTX:=build/unktx} in /*) ;; *) UNKTX=$PWD/$UNKTX ;; esac
python=$(sh tests/python.sh) || { echo "no python3: output folders are read by nobody else"; exit 0; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
shared=
[ -d ../shared/fixtures ] && shared=$(find ../shared/fixtures -mindepth 1 -maxdepth 1 -name 'regtest-*')
# shellcheck disable=SC2086 # a list of words
"$python" -B tests/folder.py "$UNKTX" "$place" $(find tests/fixtures -mindepth 2 -maxdepth 2 -name regtest -exec dirname {} \; | sort) $shared
