/* The tables of T-DAGs: of `unktx dags` and `unktx flows`. A txid is no key, with its T-DAG neither: those of two
 * coinbases, and then of their spenders, can be equal (before BIP 30), and later transactions can join them. A
 * transaction's place in the chain is one. */
#include "cli/output/schema.h"

#define COUNT(columns) (sizeof(columns) / sizeof *(columns))

#define NAME_MEANING                                                                                                   \
    "name of the T-DAG, which stays unless an older transaction joins: the first hexadecimal digits of its first "     \
    "txid, 16 or as many as no other begins with"

#define ADDRESS_LABEL                                                                                                  \
    {                                                                                                                  \
        "label", COLUMN_STRING, COLUMN_WITH_LABELS | COLUMN_MAY_BE_EMPTY, NULL,                                        \
            "labels that the files of --labels give to the address, " LABELS_MEANING                                   \
    }

static const struct column tdags[] = {
    {"dag_id", COLUMN_INTEGER, 0, NULL, "1, 2, ... in order of first transaction"},
    {"class_id", COLUMN_STRING, 0, NULL,
     "isomorphism class: 32 hexadecimal digits, the same on every machine; a ? follows where the class could not be "
     "decided"},
    {"family", COLUMN_STRING, 0, NULL,
     "chain, fan-out, fan-in, peeling-chain, out-tree, in-tree, gather-scatter, polytree, scatter-gather, bipartite, "
     "series-parallel, stack or general: the first that fits the graph of transactions"},
    {"txs", COLUMN_INTEGER, 0, "transactions", "how many it has; all of them under --compress too"},
    {"nodes", COLUMN_INTEGER, 0, "nodes", "roots, and outputs of its transactions"},
    {"edges", COLUMN_INTEGER, 0, "edges",
     "from each root to the outputs of its transaction, and from each spent unknown output to the outputs of its "
     "spender"},
    {"roots", COLUMN_INTEGER, 0, "nodes",
     "nodes that stand for the inputs of a transaction with an unknown output that is a coinbase or spends a known "
     "output"},
    {"leaves", COLUMN_INTEGER, 0, "nodes", "known outputs, and unspent outputs of any kind"},
    {"height", COLUMN_INTEGER, 0, "edges", "longest path, at least 2"},
    {"width", COLUMN_INTEGER, 0, "nodes", "most nodes at one depth"},
    {"spent_unknown", COLUMN_INTEGER, 0, "outputs", "unknown outputs with a spender"},
    {"unspent_unknown", COLUMN_INTEGER, 0, "outputs", "unknown outputs without a spender, nulldata among them"},
    {"known_leaves", COLUMN_INTEGER, 0, "outputs", "known outputs"},
    {"mixed_spenders", COLUMN_INTEGER, 0, "transactions", "those that spend unknown and known outputs together"},
    {"first_height", COLUMN_INTEGER, 0, "block height", "block of its first transaction"},
    {"last_height", COLUMN_INTEGER, 0, "block height", "block of its last transaction"},
    {"first_time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time in the header of the block first_height"},
    {"last_time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time in the header of the block last_height"},
    {"root_value_sat", COLUMN_INTEGER, 0, "satoshi", "value of the outputs of its roots' transactions"},
    {"moved_value_sat", COLUMN_INTEGER, 0, "satoshi", "value of its spent unknown outputs"},
    {"leaf_value_sat", COLUMN_INTEGER, 0, "satoshi", "value of its leaves"},
    {"first_txid", COLUMN_STRING, 0, NULL, "its first transaction in chain order"},
    {"scripts", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "names of the known scripts that at least one unknown output of its transactions is, spent or not (nulldata is "
     "passed over), in alphabetical order with a space between two; compression takes none away"},
    {"orderliness", COLUMN_NUMBER, 0, "0 to 1",
     "how few roles its transactions have, by place and surroundings: 1 - log(roles) / log(transactions); this and the "
     "next five are 0 where two transactions or the like cannot tell"},
    {"symmetry", COLUMN_NUMBER, 0, "0 to 1", "log(automorphisms) / log(nodes!)"},
    {"repetition", COLUMN_NUMBER, 0, "0 to 1",
     "share of the nodes that its most frequent step makes: transactions alike in inputs and outputs, spent and not"},
    {"fan_out_regularity", COLUMN_NUMBER, 0, "0 to 1",
     "how far the transactions that lead on agree in their number of outputs"},
    {"equal_values", COLUMN_NUMBER, 0, "0 to 1", "how far the values of outputs agree"},
    {"cadence", COLUMN_NUMBER, 0, "0 to 1", "how steady the gaps between its blocks are, in blocks or in seconds"},
    {"chain_frequency", COLUMN_NUMBER, 0, "transactions per day",
     "how many transactions it has per day from the first to the last; a span of less than 600 seconds is taken for "
     "600"},
    {"automation", COLUMN_NUMBER, 0, "0 to 1",
     "mean of orderliness, repetition, fan_out_regularity, equal_values and cadence. The formulas, and how well they "
     "tell planted patterns from chance, are in docs/measures.md of the source"},
    {"fee_sat", COLUMN_INTEGER, COLUMN_WITH_INDEX, "satoshi", "fees of its transactions"},
    {"payer_value_sat", COLUMN_INTEGER, COLUMN_WITH_INDEX, "satoshi",
     "value of the known outputs that inputs of its transactions spend"},
    {"dag", COLUMN_STRING, 0, NULL, NAME_MEANING},
    {"unlock_signature", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1",
     "share of its spent unknown outputs that were unlocked by signature (unlocks.csv); those that compression removes "
     "count too; empty where there is none, or not all their spenders could be read"},
    {"unlock_multisig", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1", "likewise: multisig"},
    {"unlock_preimage", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1", "likewise: preimage"},
    {"unlock_signature_preimage", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1",
     "likewise: signature+preimage"},
    {"unlock_time", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1", "likewise: time"},
    {"unlock_nothing", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1", "likewise: nothing"},
    {"unlock_other", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1", "likewise: other"},
    {"label", COLUMN_STRING, COLUMN_WITH_LABELS | COLUMN_MAY_BE_EMPTY, NULL,
     "labels of its payers and payees (where the store has an index) and those that the files of --labels give to its "
     "name or to the txid of one of its transactions, " LABELS_MEANING},
    {"paper_class", COLUMN_STRING, COLUMN_WITH_PAPER_CLASSES | COLUMN_MAY_BE_EMPTY, NULL,
     "class by the paper's equality (its Definitions 11 and 12), which is coarser than isomorphism: 32 hexadecimal "
     "digits, the same on every machine; empty where it was not worked out: without --compress only "
     "for a T-DAG of more than 65,536 transactions whose ways part and meet too often, with it for smaller ones of "
     "that kind too, see section 9 of docs/model.md"},
    {"maybe_roots", COLUMN_INTEGER, COLUMN_WITH_PARTIAL, "nodes",
     "of its roots those that may not be roots in the whole chain: their transactions have an input whose creator is "
     "below the store's first block"},
    {"inputs_before", COLUMN_INTEGER, COLUMN_WITH_PARTIAL, "inputs",
     "of its transactions, whose creator is below the store's first block; 0: it is a T-DAG of the whole chain as it "
     "is"},
};

static const struct column classes[] = {
    {"class_id", COLUMN_STRING, 0, NULL,
     "32 hexadecimal digits, the same on every machine; a ? follows where the class could not be decided"},
    {"tdags", COLUMN_INTEGER, 0, "T-DAGs", "how many are in the class"},
    {"height", COLUMN_INTEGER, 0, "edges", "longest path in each of them"},
    {"nodes", COLUMN_INTEGER, 0, "nodes", "of each of them"},
    {"edges", COLUMN_INTEGER, 0, "edges", "of each of them"},
    {"roots", COLUMN_INTEGER, 0, "nodes", "of each of them"},
    {"txs", COLUMN_INTEGER, 0, "transactions",
     "of each of them. Under --compress those that are left: a transaction of which no output is left does not count, "
     "and those whose outputs have the same parents count once, since nothing tells them apart; T-DAGs of one class "
     "can differ in all their transactions (txs of tdags.csv), not in these. Of a class that could not be decided: all "
     "transactions of its first T-DAG"},
    {"family", COLUMN_STRING, 0, NULL, "of each of them"},
    {"automorphisms_log10", COLUMN_NUMBER, 0, NULL,
     "logarithm to base 10 of the number of symmetries of the T-DAG as a graph of nodes"},
    {"first_dag_id", COLUMN_INTEGER, 0, NULL, "dag_id of the first T-DAG of the class"},
    {"scripts", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "all names that one of its T-DAGs has"},
    {"first_dag", COLUMN_STRING, 0, NULL, "name of that T-DAG, see dag in tdags.csv"},
    {"unlock_signature", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1",
     "share of the spent unknown outputs of all its T-DAGs that were unlocked by signature, as in tdags.csv; empty "
     "where that of one of these is for want of a spender"},
    {"unlock_multisig", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1", "likewise: multisig"},
    {"unlock_preimage", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1", "likewise: preimage"},
    {"unlock_signature_preimage", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1",
     "likewise: signature+preimage"},
    {"unlock_time", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1", "likewise: time"},
    {"unlock_nothing", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1", "likewise: nothing"},
    {"unlock_other", COLUMN_NUMBER, COLUMN_WITH_UNLOCKS | COLUMN_MAY_BE_EMPTY, "0 to 1", "likewise: other"},
    {"paper_class", COLUMN_STRING, COLUMN_WITH_PAPER_CLASSES | COLUMN_MAY_BE_EMPTY, NULL,
     "that of each of its T-DAGs, see tdags.csv; classes with the same one are equal to the paper. Empty also for one "
     "that could not be decided, since its T-DAGs may differ"},
    {"maybe_tdags", COLUMN_INTEGER, COLUMN_WITH_PARTIAL, "T-DAGs",
     "of its T-DAGs those that may be other ones in the whole chain: inputs_before of tdags.csv is not 0"},
};

static const struct column txs[] = {
    {"dag_id", COLUMN_INTEGER, 0, NULL, "its T-DAG"},
    {"height", COLUMN_INTEGER, 0, "block height", "its block"},
    {"tx_index", COLUMN_INTEGER, 0, NULL, "its place in the block; 0 is the coinbase"},
    {"txid", COLUMN_STRING, 0, NULL, "its hash"},
    {"is_root", COLUMN_BOOLEAN, 0, NULL, "1 if it has a root, else 0"},
    {"unknown_inputs", COLUMN_INTEGER, 0, "inputs", "those that spend an unknown output"},
    {"known_inputs", COLUMN_INTEGER, 0, "inputs", "all others, a coinbase's input included"},
    {"unknown_outputs", COLUMN_INTEGER, 0, "outputs", "those that are unknown, nulldata included"},
    {"known_outputs", COLUMN_INTEGER, 0, "outputs", "all others"},
    {"depth", COLUMN_INTEGER, 0, "edges", "of its outputs: longest path from a root"},
    {"value_out_sat", COLUMN_INTEGER, 0, "satoshi", "value of all its outputs"},
    {"time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time in the header of the block"},
    {"dag", COLUMN_STRING, 0, NULL, NAME_MEANING},
    DAG_LABEL,
    {"maybe_root", COLUMN_BOOLEAN, COLUMN_WITH_PARTIAL, NULL,
     "1 if it has a root that may not be a root in the whole chain, see inputs_before; else 0"},
    {"inputs_before", COLUMN_INTEGER, COLUMN_WITH_PARTIAL, "inputs",
     "those whose creator is below the store's first block: they may spend unknown outputs, and count as known_inputs"},
};

static const struct column arcs[] = {
    {"dag_id", COLUMN_INTEGER, 0, NULL, "the T-DAG"},
    {"from_txid", COLUMN_STRING, 0, NULL, "transaction of the output"},
    {"from_vout", COLUMN_INTEGER, 0, NULL, "number of the output in it"},
    {"to_txid", COLUMN_STRING, 0, NULL, "transaction that spends it"},
    {"to_vin", COLUMN_INTEGER, 0, NULL, "number of the input in it"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "value of the output"},
    {"kind", COLUMN_STRING, 0, NULL, "kind of the output"},
    {"dag", COLUMN_STRING, 0, NULL, NAME_MEANING},
    {"from_height", COLUMN_INTEGER, 0, "block height", "block of from_txid"},
    {"from_tx_index", COLUMN_INTEGER, 0, NULL, "place of from_txid in it; 0 is the coinbase"},
    {"to_height", COLUMN_INTEGER, 0, "block height", "block of to_txid"},
    {"to_tx_index", COLUMN_INTEGER, 0, NULL, "place of to_txid in it; 0 is the coinbase"},
    DAG_LABEL,
};

static const struct column leaves[] = {
    {"dag_id", COLUMN_INTEGER, 0, NULL, "the T-DAG"},
    {"txid", COLUMN_STRING, 0, NULL, "transaction of the output"},
    {"vout", COLUMN_INTEGER, 0, NULL, "number of the output in it"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "value of the output"},
    {"kind", COLUMN_STRING, 0, NULL, "kind of the output"},
    {"unknown", COLUMN_BOOLEAN, 0, NULL, "1 if unknown in the rule set, else 0"},
    {"dag", COLUMN_STRING, 0, NULL, NAME_MEANING},
    {"height", COLUMN_INTEGER, 0, "block height", "block of txid"},
    {"tx_index", COLUMN_INTEGER, 0, NULL, "place of txid in it; 0 is the coinbase"},
    DAG_LABEL,
};

static const struct column payers[] = {
    {"dag_id", COLUMN_INTEGER, 0, NULL, "the T-DAG"},
    {"txid", COLUMN_STRING, 0, NULL, "its transaction that has the input"},
    {"vin", COLUMN_INTEGER, 0, NULL, "number of the input in it"},
    {"from_txid", COLUMN_STRING, 0, NULL, "transaction of the output that the input spends"},
    {"from_vout", COLUMN_INTEGER, 0, NULL, "number of the output in it"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "value of the output"},
    {"kind", COLUMN_STRING, 0, NULL, "kind of the output"},
    {"address", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "of the output, as current releases of Bitcoin Core show it; empty for pubkey and multisig, which have none, and "
     "where the blk files of the index are gone"},
    {"time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time in the header of the block of txid"},
    {"dag", COLUMN_STRING, 0, NULL, NAME_MEANING},
    {"height", COLUMN_INTEGER, 0, "block height", "block of txid"},
    {"tx_index", COLUMN_INTEGER, 0, NULL, "place of txid in it; 0 is the coinbase"},
    ADDRESS_LABEL,
    DAG_LABEL,
};

static const struct column payees[] = {
    {"dag_id", COLUMN_INTEGER, 0, NULL, "the T-DAG"},
    {"txid", COLUMN_STRING, 0, NULL, "transaction of the output"},
    {"vout", COLUMN_INTEGER, 0, NULL, "number of the output in it"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "value of the output"},
    {"kind", COLUMN_STRING, 0, NULL, "kind of the output"},
    {"address", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "of the output, as current releases of Bitcoin Core show it; empty for pubkey and multisig, which have none, and "
     "where the blk files of the index are gone"},
    {"spent", COLUMN_BOOLEAN, 0, NULL, "1 if some input of the chain spends it, else 0"},
    {"time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time in the header of the block of txid"},
    {"spender_txid", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "transaction that spends it; empty when unspent"},
    {"spender_vin", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL,
     "number of the input that spends it; empty when unspent"},
    {"spender_height", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "block height",
     "block of the transaction that spends it; empty when unspent"},
    {"dag", COLUMN_STRING, 0, NULL, NAME_MEANING},
    {"height", COLUMN_INTEGER, 0, "block height", "block of txid"},
    {"tx_index", COLUMN_INTEGER, 0, NULL, "place of txid in it; 0 is the coinbase"},
    ADDRESS_LABEL,
    DAG_LABEL,
};

static const struct column changes[] = {
    {"dag", COLUMN_STRING, 0, NULL, "name of the T-DAG; of one that is gone, the name it had"},
    {"change", COLUMN_STRING, 0, NULL,
     "new: none of its transactions was in a T-DAG before; grown: all transactions of one T-DAG and more; merged: "
     "transactions of several T-DAGs; shrunk: not all transactions of the one that it was, since a reorganisation took "
     "some or parted it; renamed: its transactions and numbers are as before, but its name is another one, since a "
     "reorganisation put another of them first, or since another name begins likewise now; gone: none of its "
     "transactions is in a T-DAG now. T-DAGs that are as before have no row"},
    {"txs_before", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "transactions",
     "of the T-DAG before, of a merged one of that whose name stays, else of the oldest; empty if new"},
    {"txs", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "transactions", "now; empty if gone"},
    {"nodes_before", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "nodes", "as txs_before"},
    {"nodes", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "nodes", "now; empty if gone"},
    {"moved_value_sat_before", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "satoshi", "as txs_before"},
    {"moved_value_sat", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "satoshi", "now; empty if gone"},
    {"joined", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "names before that are not its own now: of the other T-DAGs of a merged one, and its own of before where an older "
     "transaction has joined or has come first; with a space between two"},
    DAG_LABEL_NAMED("dag_label", "the T-DAG, now"),
};

const struct table_schema schema_changes = {
    .name = "changes",
    .command = "dags",
    .rows =
        "a row for each T-DAG that is not as it was in the run before into the same folder: those of now in order of "
        "their first transaction, then those that are gone",
    .columns = changes,
    .columns_count = COUNT(changes),
};

const struct table_schema schema_tdags = {
    .name = "tdags",
    .command = "dags",
    .rows = "a row for each T-DAG, in order of its first transaction",
    .columns = tdags,
    .columns_count = COUNT(tdags),
    .primary_key = "dag_id",
    .foreign_keys = {{"class_id", "classes", "class_id"}},
};

const struct table_schema schema_classes = {
    .name = "classes",
    .command = "dags",
    .rows = "a row for each class, the most common first, then by class_id",
    .columns = classes,
    .columns_count = COUNT(classes),
    .primary_key = "class_id",
};

const struct table_schema schema_txs = {
    .name = "txs",
    .command = "dags",
    .rows = "a row for each transaction of a T-DAG, in chain order",
    .columns = txs,
    .columns_count = COUNT(txs),
    .primary_key = "height,tx_index",
    .foreign_keys = {{"dag_id", "tdags", "dag_id"}},
};

const struct table_schema schema_arcs = {
    .name = "arcs",
    .command = "dags",
    .rows = "a row for each spent unknown output, in order of its transaction and from_vout",
    .columns = arcs,
    .columns_count = COUNT(arcs),
    .primary_key = "to_height,to_tx_index,to_vin",
    .foreign_keys = {{"dag_id", "tdags", "dag_id"},
                     {"from_height,from_tx_index", "txs", "height,tx_index"},
                     {"to_height,to_tx_index", "txs", "height,tx_index"}},
};

const struct table_schema schema_leaves = {
    .name = "leaves",
    .command = "dags",
    .rows = "a row for each known or unspent output of a T-DAG's transactions, in chain order",
    .columns = leaves,
    .columns_count = COUNT(leaves),
    .primary_key = "height,tx_index,vout",
    .foreign_keys = {{"dag_id", "tdags", "dag_id"}, {"height,tx_index", "txs", "height,tx_index"}},
};

const struct table_schema schema_payers = {
    .name = "payers",
    .command = "flows",
    .rows = "a row for each input of a T-DAG's transaction that spends a known output, in chain order",
    .columns = payers,
    .columns_count = COUNT(payers),
    .primary_key = "height,tx_index,vin",
    .foreign_keys = {{"dag_id", "tdags", "dag_id"}, {"height,tx_index", "txs", "height,tx_index"}},
};

const struct table_schema schema_payees = {
    .name = "payees",
    .command = "flows",
    .rows = "a row for each known output of a T-DAG's transaction, in chain order",
    .columns = payees,
    .columns_count = COUNT(payees),
    .primary_key = "height,tx_index,vout",
    .foreign_keys = {{"dag_id", "tdags", "dag_id"}, {"height,tx_index", "txs", "height,tx_index"}},
};
