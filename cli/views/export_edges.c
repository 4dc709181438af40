#include "cli/views/export.h"

/* The nodes in order, with ids from 0. Outputs of the transactions of a T-DAG are its arcs (spent and unknown) and its
 * leaves (all others). A root has no vout. */
static const char make_nodes[] =
    "CREATE TABLE node (id INTEGER PRIMARY KEY, type TEXT, dag_id INTEGER, dag TEXT, height INTEGER, tx_index INTEGER,"
    " txid TEXT, vout INTEGER, value_sat INTEGER, kind TEXT, time INTEGER);"
    "INSERT INTO node SELECT row_number() OVER (ORDER BY o.height, o.tx_index, o.vout) - 1, iif(o.vout < 0, 'root',"
    " 'output'), t.dag_id, t.dag, t.height, t.tx_index, t.txid, nullif(o.vout, -1), o.value_sat, o.kind, t.time FROM ("
    "SELECT height, tx_index, -1 AS vout, value_out_sat AS value_sat, NULL AS kind FROM txs WHERE is_root "
    "UNION ALL SELECT from_height, from_tx_index, from_vout, value_sat, kind FROM arcs "
    "UNION ALL SELECT height, tx_index, vout, value_sat, kind FROM leaves) o "
    "JOIN txs t ON t.height = o.height AND t.tx_index = o.tx_index;"
    "CREATE INDEX node_place ON node (height, tx_index, vout)";

static const char make_txs[] =
    "CREATE TABLE node (id INTEGER PRIMARY KEY, type TEXT, dag_id INTEGER, dag TEXT, height INTEGER, tx_index INTEGER,"
    " txid TEXT, vout INTEGER, value_sat INTEGER, kind TEXT, time INTEGER);"
    "INSERT INTO node SELECT row_number() OVER (ORDER BY height, tx_index) - 1, 'tx', dag_id, dag, height, tx_index,"
    " txid, NULL, value_out_sat, NULL, time FROM txs;"
    "CREATE INDEX node_place ON node (height, tx_index)";

static const char list_nodes[] = "SELECT * FROM node ORDER BY id";

/* From each root to the outputs of its transaction, and from what is spent to those of its spender. */
static const char list_edges[] =
    "SELECT s.id, t.id, s.dag_id, t.value_sat, t.time FROM node s JOIN node t ON t.height = s.height AND"
    " t.tx_index = s.tx_index AND t.vout IS NOT NULL WHERE s.type = 'root' "
    "UNION ALL SELECT s.id, t.id, s.dag_id, s.value_sat, t.time FROM arcs a "
    "JOIN node s ON s.height = a.from_height AND s.tx_index = a.from_tx_index AND s.vout = a.from_vout "
    "JOIN node t ON t.height = a.to_height AND t.tx_index = a.to_tx_index AND t.vout IS NOT NULL ORDER BY 1, 2";

static const char list_arcs[] =
    "SELECT s.id, t.id, s.dag_id, a.value_sat, t.time FROM arcs a "
    "JOIN node s ON s.height = a.from_height AND s.tx_index = a.from_tx_index "
    "JOIN node t ON t.height = a.to_height AND t.tx_index = a.to_tx_index ORDER BY 1, 2, a.from_vout";

static enum status write_table(struct sqlite *database, const char *sql, struct outfolder *folder, const char *name,
                               const struct table_schema *schema, struct fault *fault)
{
    struct outfile file = {0};
    enum status status = outfolder_begin(folder, &file, name, fault);
    if (status == STATUS_OK)
        status = outfile_begin_table(&file, schema, 0, fault);
    if (status == STATUS_OK)
        status = sqlite_write_csv(database, sql, &file, fault);
    return outfile_finish(&file, status, fault);
}

enum status export_edges(struct sqlite *database, bool of_txs, struct outfolder *folder, struct fault *fault)
{
    enum status status = sqlite_run(database, of_txs ? make_txs : make_nodes, fault);
    if (status == STATUS_OK)
        status = write_table(database, list_nodes, folder, "nodes.csv", &schema_nodes, fault);
    if (status == STATUS_OK)
        status = write_table(database, of_txs ? list_arcs : list_edges, folder, "edges.csv", &schema_edges, fault);
    return status;
}
