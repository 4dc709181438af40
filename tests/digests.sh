#!/bin/sh
# The same bytes on every machine: SHA-256 of what every command writes for the bundled chain, and the digests that `unktx check`
# gives of its stores, against tests/digests.txt, which was made on x86-64. Each way of hashing (UNKTX_HASHER) and each number of
# threads must give the same. Prints what differs; exit status 1 if something does.
#   sh tests/digests.sh write   (make digests) writes the file anew, for a change that is meant to change what is written.
set -u
cd "$(dirname "$0")/.."
root=$PWD
case ${UNKTX:=build/unktx} in /*) ;; *) UNKTX=$root/$UNKTX ;; esac
# in memory where that can be: a disk takes its time for thousands of commits
[ -n "${TMPDIR:-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
wrong() { echo "digests: $*"; exit 1; }
run() { "$UNKTX" "$@" || wrong "unktx $* ended with exit status $?"; }
chain=$root/tests/fixtures/regtest-xor
mkdir "$place/out" && cd "$place/out" || exit 1
store=../store

# a store and its index by each kernel and number of threads; that of the processor's own choice is used for the rest
make_store() { # STORE THREADS, with UNKTX_HASHER from the environment; prints what check finds
    run scan --quiet --verify --nulldata store --threads "$2" --datadir "$chain" --store "$1"
    run index --quiet --threads "$2" --datadir "$chain" --store "$1"
    run check --store "$1" --threads "$2"
}
make_store $store 4 >check-nulldata.txt
for way in single-1 single-4 pairs-1 sixteen-1; do
    export UNKTX_HASHER="${way%-*}"
    make_store ../store-$way "${way#*-}" >../check.txt
    cmp -s check-nulldata.txt ../check.txt || wrong "with UNKTX_HASHER=$UNKTX_HASHER and ${way#*-} threads the store is another"
done
unset UNKTX_HASHER

run analyze --quiet --datadir "$chain" -o analyze >analyze.txt
run check --store analyze/store >check.txt
rm -r analyze/store
for rules in core-0.18 core-0.19 core-22; do
    run dags --store $store --rules $rules -o dags-$rules >dags-$rules.txt
    run outputs --store $store --rules $rules -o outputs-$rules.csv
    run templates --store $store --rules $rules --nulldata -o templates-$rules.csv
    run report --store $store --rules $rules -o report-$rules.html
done
run dags --store $store --compress -o dags-compress >dags-compress.txt
run dags --store $store --paper-classes --no-unlocks -o dags-paper-classes >dags-paper-classes.txt
run dags --store $store --exclude-scripts @known -o dags-without-known >dags-without-known.txt
for by in automation orderliness height value; do
    run dags --store $store --top 12 --by $by -o dags-top >dags-top-$by.txt
done
rm -r dags-top
for period in total block day month year; do
    run stats --store $store --by $period -o stats-$period.csv
done
run stats --store $store --nulldata -o stats-nulldata.csv
run stats --store $store --protocols -o stats-protocols.csv
run blocks --verify -o blocks.csv "$chain"
for table in blocks txs inputs outputs; do
    run dump --store $store $table -o dump-$table.csv
done
# T-DAGs drawn, in each format: the first ones and the most automatic
for dag in $(seq 1 10) $(awk '$2 ~ /^[01]\.[0-9]+$/ { print $1 }' dags-top-automation.txt); do
    for format in text dot graphml gexf svg; do
        run show --store $store --dag "$dag" --format $format
    done
done >show.txt
txid=$(sed -n 2p dags-core-0.18/txs.csv | tr ',' '\n' | grep -xE '[0-9a-f]{64}' | head -n 1)
for format in csv dot graphml; do
    run travel --store $store --format $format "$txid" -o travel.$format
done
run tx --store $store --format json 200 -o tx.json

{
    echo "# What unktx writes for the bundled chain, on any machine: tests/digests.sh compares, make digests makes it anew on x86-64."
    sed -n 's/^\(index_\)*digest \(.*\)/\2  \1digest of the store/p' check-nulldata.txt check.txt
    find . -type f | LC_ALL=C sort | sed 's,^\./,,' | xargs sha256sum
} >../digests.txt
if [ "${1:-}" = write ]; then
    cp ../digests.txt "$root/tests/digests.txt"
    exit
fi
diff "$root/tests/digests.txt" ../digests.txt && exit 0
echo "digests: < is what x86-64 wrote, > what this machine writes. A change that means to write something else has the new"
echo "digests: file in its commit (make digests, on x86-64), and says in its message which tables change and why"
exit 1
