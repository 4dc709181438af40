/* The tables of a graph with whole numbers for ids: of `unktx export edges`. */
#include "cli/output/schema.h"

#define COUNT(columns) (sizeof(columns) / sizeof *(columns))

static const struct column nodes[] = {
    {"id", COLUMN_INTEGER, 0, NULL,
     "0, 1, ... without a gap, in chain order; a root comes before the outputs of its transaction"},
    {"type", COLUMN_STRING, 0, NULL,
     "root (the inputs of a transaction, see roots in tdags.csv) or output; tx with --nodes txs"},
    {"dag_id", COLUMN_INTEGER, 0, NULL, "the T-DAG, as 'unktx dags' numbers them with the same options"},
    {"dag", COLUMN_STRING, 0, NULL, "its name, see dag in tdags.csv"},
    {"height", COLUMN_INTEGER, 0, "block height", "block of the transaction"},
    {"tx_index", COLUMN_INTEGER, 0, NULL, "place of the transaction in the block; 0 is the coinbase"},
    {"txid", COLUMN_STRING, 0, NULL, "the transaction, of an output that which creates it"},
    {"vout", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL, "number of the output in it; empty for a root and a tx"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi",
     "value of the output; of a root and a tx that of all outputs of the transaction"},
    {"kind", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "kind of the output; empty for a root and a tx"},
    {"time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time in the header of the block"},
};

static const struct column edges[] = {
    {"source", COLUMN_INTEGER, 0, NULL,
     "id of the node that it leads from: a root or a spent unknown output; with --nodes txs the transaction that "
     "creates the output"},
    {"target", COLUMN_INTEGER, 0, NULL,
     "id of the node that it leads to: an output of the root's transaction, or of the one that spends the source; with "
     "--nodes txs that one itself"},
    {"dag_id", COLUMN_INTEGER, 0, NULL, "T-DAG of both"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "value of the output that is spent; from a root that of the target"},
    {"time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time of the target"},
};

const struct table_schema schema_nodes = {
    .name = "nodes",
    .command = "export edges",
    .rows = "a row for each node of a T-DAG, in order of id",
    .columns = nodes,
    .columns_count = COUNT(nodes),
    .primary_key = "id",
};

const struct table_schema schema_edges = {
    .name = "edges",
    .command = "export edges",
    .rows = "a row for each edge of a T-DAG, in order of source and target; with --nodes txs two transactions have as "
            "many as outputs that one creates and the other spends",
    .columns = edges,
    .columns_count = COUNT(edges),
    .foreign_keys = {{"source", "nodes", "id"}, {"target", "nodes", "id"}},
};
