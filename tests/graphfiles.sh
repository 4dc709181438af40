#!/bin/sh
# GraphML, GEXF and DOT as others read them: python3-igraph, networkx (as gexf too), and pydot for DOT. Says which of them are not here.
set -u
cd "$(dirname "$0")/.."
unktx=${UNKTX:-build/unktx}
python=$(sh tests/python.sh) || { echo "no python3: GraphML and DOT are read by nobody else"; exit 0; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$unktx" analyze --quiet --index --datadir tests/fixtures/regtest-xor -o "$place" >/dev/null || exit 1
for tool in igraph networkx gexf pydot; do
    "$python" -B tests/graphfiles.py $tool "$unktx" "$place/store" "$place"
    case $? in
    0) ;;
    77) echo "$tool is not here: it has not read what unktx show writes" ;;
    *) exit 1 ;;
    esac
done
