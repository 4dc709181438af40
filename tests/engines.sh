#!/bin/sh
# The recipes of examples/engines, run on the bundled chain: DuckDB (npm's @duckdb/node-api, which is installed into BUILD/engines),
# PostgreSQL and ClickHouse (servers of their own, with Debian's packages), SQLite, pandas and polars; against the CSV tables. Says what is not
# here and was not run. `make engines`.
set -u
cd "$(dirname "$0")/.."
root=$PWD
python=$(sh tests/python.sh) || { echo "engines: no python3"; exit 0; }
case ${UNKTX:=build/unktx} in /*) ;; *) UNKTX=$root/$UNKTX ;; esac
mkdir -p "${BUILD:=build}/engines"
npm_folder=$(cd "$BUILD/engines" && pwd)
place=$(mktemp -d)
server=
clickhouse=
trap 'stop_server; [ -z "$clickhouse" ] || kill -9 "$clickhouse"; rm -rf "$place"' EXIT
failed=0
fail() { echo "engines: $*"; failed=1; }
skip() { echo "engines: $*: not run"; }
rows() { tail -n +2 "$1" | wc -l; } # no field of these has a line break

"$UNKTX" analyze --quiet --index --rules core-22 --datadir tests/fixtures/regtest-xor -o "$place/unktx-out" >/dev/null || exit 1
"$UNKTX" export sqlite --quiet --store "$place/unktx-out" -o "$place/unktx.sqlite" || exit 1
tables=$place/unktx-out
sum() { awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i } NR > 1 { sum += $at } END { printf "%.0f", sum }' "$tables/$1.csv"; }
# what each engine is to find: T-DAGs, transactions, satoshis moved, spent unknown outputs, payers
expected="$(rows "$tables/tdags.csv")|$(rows "$tables/txs.csv")|$(sum arcs value_sat)|$(rows "$tables/arcs.csv")|$(rows "$tables/payers.csv")"

check_duckdb() {
    command -v npm >/dev/null && command -v node >/dev/null || { skip "DuckDB (no Node.js)"; return; }
    [ -d "$npm_folder/node_modules/@duckdb/node-api" ] ||
        npm install --silent --no-audit --no-fund --prefix "$npm_folder" @duckdb/node-api >/dev/null 2>&1 ||
        { skip "DuckDB (npm cannot install @duckdb/node-api)"; return; }
    # packages are looked for beside the program
    cp examples/engines/duckdb.mjs examples/engines/duckdb.sql "$npm_folder/"
    cat examples/engines/duckdb.sql - >"$place/more.sql" <<'END'
SELECT 'found', (SELECT count(*) FROM tdags) || '|' || (SELECT count(*) FROM txs) || '|' || (SELECT sum(value_sat) FROM arcs) || '|' ||
    (SELECT count(*) FROM arcs) || '|' || (SELECT count(*) FROM payers);
SELECT 'nulls', count(*) FILTER (spender_txid IS NULL) = count(*) FILTER (spendable_reason <> 'spent') AND
    count(*) FILTER (script_hex IS NULL) = 0 AND count(*) FILTER (script_hex = '') > 0 FROM outputs;
SELECT 'types', typeof(dag_id) || typeof(automation) || typeof(first_txid) FROM tdags LIMIT 1;
SELECT 'paths', (SELECT count(*) FROM value_path p JOIN arcs a ON a.from_height = p.from_height AND a.from_tx_index = p.from_tx_index AND
    a.from_vout = p.from_vout) > (SELECT count(*) FROM tdags);
SELECT 'parquet', (SELECT count(*) FROM read_parquet('outputs-by-year/*/*.parquet')) = (SELECT count(*) FROM outputs);
END
    (cd "$place" && node "$npm_folder/duckdb.mjs" "$tables" "$place/more.sql") >"$place/duckdb.out" || { fail "DuckDB failed"; return; }
    printf 'found\t%s\n' "$expected" | grep -qxFf - "$place/duckdb.out" || fail "DuckDB does not find $expected"
    for line in "nulls	true" "types	BIGINTDOUBLEVARCHAR" "paths	true" "parquet	true"; do
        grep -qxF "$line" "$place/duckdb.out" || fail "DuckDB does not say: $line"
    done
    grep -c '^common	' "$place/duckdb.out" | grep -qx 10 || fail "DuckDB: Table III is not whole"
    echo "engines: DuckDB read $tables"
}

stop_server() { [ -z "$server" ] || as_postgres "$server/pg_ctl" -D "$place/postgres" -m immediate stop >/dev/null 2>&1; }
# PostgreSQL's server does not run as root
as_postgres() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
check_postgresql() {
    for folder in /usr/lib/postgresql/*/bin; do [ -x "$folder/initdb" ] && bin=$folder; done
    [ -n "${bin:-}" ] || { skip "PostgreSQL (no server)"; return; }
    mkdir "$place/postgres" "$place/socket"
    chmod 755 "$place"
    [ "$(id -u)" != 0 ] || chown postgres "$place/postgres" "$place/socket"
    as_postgres "$bin/initdb" -D "$place/postgres" -A trust -U unktx -E UTF8 --locale=C >/dev/null 2>&1 || { skip "PostgreSQL (no cluster)"; return; }
    as_postgres "$bin/pg_ctl" -D "$place/postgres" -w -o "-k $place/socket -c listen_addresses='' -c fsync=off" -l "$place/postgres/log" start >/dev/null ||
        { skip "PostgreSQL (it does not start)"; return; }
    server=$bin
    sql() { "$bin/psql" -qAtX -h "$place/socket" -U unktx postgres "$@"; }
    "$python" -B examples/engines/manifest.py postgresql "$tables" | sql >/dev/null || fail "PostgreSQL does not take the tables"
    found=$(sql -c "SELECT (SELECT count(*) FROM tdags), (SELECT count(*) FROM txs), (SELECT sum(value_sat) FROM arcs), (SELECT count(*) FROM arcs), (SELECT count(*) FROM payers)")
    [ "$found" = "$expected" ] || fail "PostgreSQL finds $found, not $expected"
    [ "$(sql -c "SELECT count(*) FILTER (WHERE script_hex IS NULL) = 0 AND count(*) FILTER (WHERE script_hex = '') > 0 FROM outputs")" = t ] ||
        fail "PostgreSQL: an empty script is not an empty text"
    sql -f examples/engines/postgresql.sql >"$place/postgresql.out" || fail "PostgreSQL: postgresql.sql failed"
    [ "$(grep -c '^common|' "$place/postgresql.out")" = 10 ] || fail "PostgreSQL: Table III is not whole"
    echo "engines: PostgreSQL read $tables"
}

# A server of its own, whose clients find its port in their home.
check_clickhouse() {
    for tool in clickhouse-server clickhouse-client; do command -v $tool >/dev/null || { skip "ClickHouse (no $tool)"; return; }; done
    home=$place/clickhouse port=19009
    mkdir -p "$home/.clickhouse-client"
    echo "<config><port>$port</port></config>" >"$home/.clickhouse-client/config.xml"
    cat >"$home/users.xml" <<END
<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default><password/><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></default></users></yandex>
END
    cat >"$home/server.xml" <<END
<yandex><logger><level>error</level><log>$home/log</log><errorlog>$home/errors</errorlog></logger><tcp_port>$port</tcp_port>
<http_port>18123</http_port><listen_host>127.0.0.1</listen_host><path>$home/data/</path><tmp_path>$home/tmp/</tmp_path>
<users_config>$home/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>67108864</mark_cache_size></yandex>
END
    clickhouse-server --config-file="$home/server.xml" >"$home/said" 2>&1 &
    clickhouse=$!
    query() { HOME=$home clickhouse-client --query "$1"; }
    for again in 1 2 3 4 5 6 7 8 9 10; do query "SELECT 1" >/dev/null 2>&1 && break; sleep 1; done
    query "SELECT 1" >/dev/null 2>&1 || { skip "ClickHouse (it does not start)"; return; }
    "$python" -B examples/engines/manifest.py clickhouse "$tables" | HOME=$home sh -e || fail "ClickHouse does not take the tables"
    found=$(query "SELECT (SELECT count(*) FROM tdags), (SELECT count(*) FROM txs), (SELECT sum(value_sat) FROM arcs), (SELECT count(*) FROM arcs), (SELECT count(*) FROM payers)" | tr '\t' '|')
    [ "$found" = "$expected" ] || fail "ClickHouse finds $found, not $expected"
    echo "engines: ClickHouse read $tables"
}

check_sqlite() {
    found=$("$python" -B -c 'import sqlite3, sys
print(*sqlite3.connect(sys.argv[1]).execute("SELECT (SELECT count(*) FROM tdags), (SELECT count(*) FROM txs), (SELECT sum(value_sat) FROM arcs), (SELECT count(*) FROM arcs), (SELECT count(*) FROM payers)").fetchone(), sep="|")' "$place/unktx.sqlite")
    [ "$found" = "$expected" ] || fail "SQLite finds $found, not $expected"
    echo "engines: SQLite read the export"
}

check_frames() {
    for name in pandas polars; do
        "$python" -c "import $name" 2>/dev/null || { skip "$name"; continue; }
        "$python" -B "examples/engines/${name}_tables.py" "$tables" >"$place/$name.out" || fail "$name failed"
        grep -qE "^T-DAGs $(rows "$tables/tdags.csv") arcs $(rows "$tables/arcs.csv") values agree True\$" "$place/$name.out" || fail "$name: $(tail -n 1 "$place/$name.out")"
        echo "engines: $name read $tables"
    done
}

check_sqlite
check_frames
check_postgresql
check_duckdb
check_clickhouse
for name in "PySpark" "BigQuery"; do skip "$name"; done
exit $failed
