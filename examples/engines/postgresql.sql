-- After `manifest.py postgresql FOLDER | psql DATABASE`: the questions of duckdb.sql. psql DATABASE -f postgresql.sql

-- the paper's Table III of this chain
(SELECT 'common' AS part, tdags, height, nodes, edges, roots, family, class_id FROM classes ORDER BY tdags DESC, class_id LIMIT 10)
UNION ALL
(SELECT 'highest', tdags, height, nodes, edges, roots, family, class_id FROM classes ORDER BY height DESC, nodes DESC, class_id LIMIT 5);

-- the groups that share most, by how much they hold
SELECT group_id, "group", dags, outputs, txs, value_sat / 1e8 AS value_btc, key_ties + hash_ties + preimage_ties AS ties,
    to_timestamp(first_time) AT TIME ZONE 'UTC' AS first_date, families
FROM groups ORDER BY value_sat DESC, group_id LIMIT 10;

-- where the value of each T-DAG's first transaction went
WITH RECURSIVE reached AS (
    SELECT t.dag_id, a.from_height, a.from_tx_index, a.from_vout, a.to_height, a.to_tx_index, a.value_sat
    FROM tdags t JOIN arcs a ON a.dag_id = t.dag_id AND a.from_txid = t.first_txid AND a.from_height = t.first_height
    UNION
    SELECT a.dag_id, a.from_height, a.from_tx_index, a.from_vout, a.to_height, a.to_tx_index, a.value_sat
    FROM reached r JOIN arcs a ON a.from_height = r.to_height AND a.from_tx_index = r.to_tx_index)
SELECT dag_id, count(*) AS outputs, max(to_height) - min(from_height) AS blocks FROM reached GROUP BY dag_id
ORDER BY outputs DESC, dag_id LIMIT 5;
