-- A folder of `unktx analyze` in DuckDB: a view over each table, with types from the folder's datapackage.json, and NULL apart from an
-- empty text. Set the folder, then: duckdb < duckdb.sql (or `make engines` in the source, which runs it through Node.js).
SET VARIABLE folder = 'unktx-out';

-- ---- views ----

-- types by table, in the order of its columns
CREATE OR REPLACE TABLE manifest AS
SELECT resource.name AS name, list(CASE field.type WHEN 'integer' THEN 'BIGINT' WHEN 'number' THEN 'DOUBLE'
    WHEN 'boolean' THEN 'BOOLEAN' ELSE 'VARCHAR' END ORDER BY place) AS types
FROM (SELECT resource, unnest(resource.schema.fields) AS field, generate_subscripts(resource.schema.fields, 1) AS place
      FROM (SELECT unnest(resources) AS resource FROM read_json(getvariable('folder') || '/datapackage.json'))
      WHERE resource.schema IS NOT NULL)
GROUP BY resource.name;

SET VARIABLE types_tdags = (SELECT types FROM manifest WHERE name = 'tdags');
CREATE OR REPLACE VIEW tdags AS FROM read_csv(getvariable('folder') || '/tdags.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_tdags'), allow_quoted_nulls = false);

SET VARIABLE types_classes = (SELECT types FROM manifest WHERE name = 'classes');
CREATE OR REPLACE VIEW classes AS FROM read_csv(getvariable('folder') || '/classes.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_classes'), allow_quoted_nulls = false);

SET VARIABLE types_txs = (SELECT types FROM manifest WHERE name = 'txs');
CREATE OR REPLACE VIEW txs AS FROM read_csv(getvariable('folder') || '/txs.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_txs'), allow_quoted_nulls = false);

SET VARIABLE types_arcs = (SELECT types FROM manifest WHERE name = 'arcs');
CREATE OR REPLACE VIEW arcs AS FROM read_csv(getvariable('folder') || '/arcs.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_arcs'), allow_quoted_nulls = false);

SET VARIABLE types_leaves = (SELECT types FROM manifest WHERE name = 'leaves');
CREATE OR REPLACE VIEW leaves AS FROM read_csv(getvariable('folder') || '/leaves.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_leaves'), allow_quoted_nulls = false);

SET VARIABLE types_outputs = (SELECT types FROM manifest WHERE name = 'outputs');
CREATE OR REPLACE VIEW outputs AS FROM read_csv(getvariable('folder') || '/outputs.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_outputs'), allow_quoted_nulls = false);

-- only where the blk files were there
SET VARIABLE types_unlocks = (SELECT types FROM manifest WHERE name = 'unlocks');
CREATE OR REPLACE VIEW unlocks AS FROM read_csv(getvariable('folder') || '/unlocks.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_unlocks'), allow_quoted_nulls = false);

SET VARIABLE types_keys = (SELECT types FROM manifest WHERE name = 'keys');
CREATE OR REPLACE VIEW keys AS FROM read_csv(getvariable('folder') || '/keys.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_keys'), allow_quoted_nulls = false);

SET VARIABLE types_hashes = (SELECT types FROM manifest WHERE name = 'hashes');
CREATE OR REPLACE VIEW hashes AS FROM read_csv(getvariable('folder') || '/hashes.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_hashes'), allow_quoted_nulls = false);

SET VARIABLE types_ties = (SELECT types FROM manifest WHERE name = 'ties');
CREATE OR REPLACE VIEW ties AS FROM read_csv(getvariable('folder') || '/ties.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_ties'), allow_quoted_nulls = false);

SET VARIABLE types_groups = (SELECT types FROM manifest WHERE name = 'groups');
CREATE OR REPLACE VIEW "groups" AS FROM read_csv(getvariable('folder') || '/groups.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_groups'), allow_quoted_nulls = false);

SET VARIABLE types_stats = (SELECT types FROM manifest WHERE name = 'stats');
CREATE OR REPLACE VIEW stats AS FROM read_csv(getvariable('folder') || '/stats.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_stats'), allow_quoted_nulls = false);

SET VARIABLE types_stats_by_day = (SELECT types FROM manifest WHERE name = 'stats-by-day');
CREATE OR REPLACE VIEW stats_by_day AS FROM read_csv(getvariable('folder') || '/stats-by-day.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_stats_by_day'), allow_quoted_nulls = false);

-- only with an index (analyze --index); leave these two out without one
SET VARIABLE types_payers = (SELECT types FROM manifest WHERE name = 'payers');
CREATE OR REPLACE VIEW payers AS FROM read_csv(getvariable('folder') || '/payers.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_payers'), allow_quoted_nulls = false);

SET VARIABLE types_payees = (SELECT types FROM manifest WHERE name = 'payees');
CREATE OR REPLACE VIEW payees AS FROM read_csv(getvariable('folder') || '/payees.csv', header = true, delim = ',', quote = '"',
    escape = '"', types = getvariable('types_payees'), allow_quoted_nulls = false);

-- ---- questions ----

-- the paper's Table III of this chain
CREATE OR REPLACE VIEW table3 AS
(SELECT 'common' AS part, tdags, height, nodes, edges, roots, family, class_id FROM classes ORDER BY tdags DESC, class_id LIMIT 10)
UNION ALL
(SELECT 'highest', tdags, height, nodes, edges, roots, family, class_id FROM classes ORDER BY height DESC, nodes DESC, class_id LIMIT 5);

-- the groups that share most: who they are, by how much they hold
CREATE OR REPLACE VIEW top_groups AS
SELECT group_id, "group", dags, outputs, txs, value_sat / 1e8 AS value_btc, key_ties + hash_ties + preimage_ties AS ties,
    make_timestamp(first_time * 1000000) AS first_date, families
FROM "groups" ORDER BY value_sat DESC, group_id LIMIT 10;

-- where the value of each T-DAG's first transaction went: every arc that can be reached from it, however it branches and joins again
CREATE OR REPLACE VIEW value_path AS
WITH RECURSIVE reached AS (
    SELECT t.dag_id, a.from_height, a.from_tx_index, a.from_vout, a.to_height, a.to_tx_index, a.value_sat
    FROM tdags t JOIN arcs a ON a.dag_id = t.dag_id AND a.from_txid = t.first_txid AND a.from_height = t.first_height
    UNION
    SELECT a.dag_id, a.from_height, a.from_tx_index, a.from_vout, a.to_height, a.to_tx_index, a.value_sat
    FROM reached r JOIN arcs a ON a.from_height = r.to_height AND a.from_tx_index = r.to_tx_index)
SELECT * FROM reached;

FROM table3;
FROM top_groups;
SELECT dag_id, count(*) AS outputs, max(to_height) - min(from_height) AS blocks FROM value_path GROUP BY dag_id ORDER BY outputs DESC,
    dag_id LIMIT 5;

-- ---- Parquet ----

-- one folder a year, which any engine reads in parallel
COPY (SELECT *, year(make_timestamp(time * 1000000)) AS year FROM txs) TO 'txs-by-year'
    (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (year), OVERWRITE_OR_IGNORE);
COPY (SELECT *, year(make_timestamp(time * 1000000)) AS year FROM outputs) TO 'outputs-by-year'
    (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (year), OVERWRITE_OR_IGNORE);
SELECT year, count(*) AS txs, sum(value_out_sat) / 1e8 AS btc
FROM read_parquet('txs-by-year/*/*.parquet', hive_partitioning = true) GROUP BY year ORDER BY year;
