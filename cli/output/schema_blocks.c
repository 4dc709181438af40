/* The tables of blocks and what is in them: of `unktx blocks`, `unktx dump` and `unktx travel`. */
#include "cli/output/schema.h"

#define COUNT(columns) (sizeof(columns) / sizeof *(columns))

static const struct column blocks[] = {
    {"file", COLUMN_STRING, 0, NULL,
     "base name of the blk file, or its path where two files have the same base name; a byte that is no text as a "
     "backslash, x and two hexadecimal digits"},
    {"offset", COLUMN_INTEGER, 0, "bytes", "where the record's magic begins in the file"},
    {"size", COLUMN_INTEGER, 0, "bytes", "of the block"},
    {"hash", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "of the block; empty for one of the BLAKE2b fork, whose hash is another function"},
    {"prev_hash", COLUMN_STRING, 0, NULL, "of its predecessor"},
    {"height", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "block height",
     "from the chain, else the number that the coinbase begins with (BIP 34), else empty; of the BLAKE2b fork: the one "
     "in the header"},
    {"state", COLUMN_STRING, 0, NULL,
     "active: on the branch with the most work from the genesis block; stale: on another one; detached: without a way "
     "to genesis in these files; fork: of the BLAKE2b fork (Bitcoin Knots 29.4), which is not followed"},
    {"txs", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "transactions", "how many; empty if the block does not parse"},
    {"inputs", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "inputs",
     "how many, a coinbase's input included; empty if the block does not parse"},
    {"outputs", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "outputs", "how many; empty if the block does not parse"},
    {"KIND", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "outputs",
     "for each kind: how many; empty if the block does not parse"},
    {"verify", COLUMN_STRING, COLUMN_WITH_VERIFY, NULL, "ok, or what is wrong; only with --verify"},
};

static const struct column dump_blocks[] = {
    {"height", COLUMN_INTEGER, 0, "block height", "of the block"},
    {"hash", COLUMN_STRING, 0, NULL, "of the block"},
    {"time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "in its header"},
    {"txs", COLUMN_INTEGER, 0, "transactions", "how many"},
    {"inputs", COLUMN_INTEGER, 0, "inputs", "how many; a coinbase has one"},
    {"outputs", COLUMN_INTEGER, 0, "outputs", "how many"},
    {"size", COLUMN_INTEGER, 0, "bytes", "of the block"},
    {"file", COLUMN_INTEGER, 0, NULL, "number in the name of its blk file"},
    {"offset", COLUMN_INTEGER, 0, "bytes", "where the record's magic begins in the file, as in the table blocks"},
};

#define PLACE_OF_TX                                                                                                    \
    {"height", COLUMN_INTEGER, 0, "block height", "block of the transaction"},                                         \
        {"tx_index", COLUMN_INTEGER, 0, NULL, "place of the transaction in the block; 0 is the coinbase"},             \
    {                                                                                                                  \
        "txid", COLUMN_STRING, 0, NULL, "hash of the transaction"                                                      \
    }

static const struct column dump_txs[] = {
    PLACE_OF_TX,
    {"inputs", COLUMN_INTEGER, 0, "inputs", "how many"},
    {"outputs", COLUMN_INTEGER, 0, "outputs", "how many"},
    {"value_out_sat", COLUMN_INTEGER, 0, "satoshi", "value of all its outputs"},
    {"fee_sat", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "satoshi",
     "what its inputs have more than its outputs; empty for a coinbase"},
    {"size", COLUMN_INTEGER, 0, "bytes", "in the block"},
    {"weight", COLUMN_INTEGER, 0, "weight units", "of BIP 141"},
    {"segwit", COLUMN_BOOLEAN, 0, NULL, "1 if it is serialised with witnesses, else 0"},
};

static const struct column dump_inputs[] = {
    PLACE_OF_TX,
    {"vin", COLUMN_INTEGER, 0, NULL, "number of the input in the transaction"},
    {"prev_txid", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "transaction of the output that it spends; empty for a coinbase"},
    {"prev_vout", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL,
     "number of the output that it spends; empty for a coinbase"},
    {"prev_height", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "block height",
     "block of the output that it spends; empty for a coinbase"},
    {"value_sat", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "satoshi",
     "value of the output that it spends; empty for a coinbase"},
    {"kind", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "kind of the output that it spends; empty for a coinbase"},
};

static const struct column dump_outputs[] = {
    PLACE_OF_TX,
    {"vout", COLUMN_INTEGER, 0, NULL, "number of the output in the transaction"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "its value"},
    {"kind", COLUMN_STRING, 0, NULL, "its kind"},
    {"spender_height", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "block height",
     "block of the transaction that spends it; empty when unspent"},
    {"spender_txid", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "transaction that spends it; empty when unspent"},
    {"spender_vin", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL,
     "number of the input that spends it; empty when unspent"},
    {"script_hex", COLUMN_STRING, COLUMN_WITH_SCRIPTS | COLUMN_MAY_BE_EMPTY | COLUMN_EMPTY_TEXT, NULL,
     "its script, in hexadecimal"},
    {"address", COLUMN_STRING, COLUMN_WITH_SCRIPTS | COLUMN_MAY_BE_EMPTY, NULL,
     "the address of its script, a view; empty for scripts without one"},
};

static const struct column travel[] = {
    {"depth", COLUMN_INTEGER, 0, "steps", "1, 2, ... from where the walk began"},
    {"from_txid", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "transaction of the output; empty for the input of a coinbase"},
    {"from_vout", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL,
     "number of the output in it; empty for the input of a coinbase"},
    {"to_txid", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "transaction that spends it; empty when unspent"},
    {"to_vin", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL, "number of the input that spends it; empty when unspent"},
    {"value_sat", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "satoshi",
     "value of the output; empty for the input of a coinbase"},
    {"kind", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "kind of the output; empty for the input of a coinbase"},
    {"from_height", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "block height",
     "block of the output; empty for the input of a coinbase"},
    {"to_height", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "block height",
     "block of the transaction that spends it; empty when unspent"},
};

const struct table_schema schema_blocks = {
    .name = "blocks",
    .command = "blocks",
    .rows = "a row for each block record, in order of the files",
    .columns = blocks,
    .columns_count = COUNT(blocks),
    .primary_key = "file,offset",
};

const struct table_schema schema_dump_blocks = {
    .name = "dump-blocks",
    .command = "dump blocks",
    .rows = "a row for each block, in chain order",
    .columns = dump_blocks,
    .columns_count = COUNT(dump_blocks),
    .primary_key = "height",
};

const struct table_schema schema_dump_txs = {
    .name = "dump-txs",
    .command = "dump txs",
    .rows = "a row for each transaction, in chain order",
    .columns = dump_txs,
    .columns_count = COUNT(dump_txs),
    .primary_key = "height,tx_index",
    .foreign_keys = {{"height", "dump-blocks", "height"}},
};

const struct table_schema schema_dump_inputs = {
    .name = "dump-inputs",
    .command = "dump inputs",
    .rows = "a row for each input, in chain order",
    .columns = dump_inputs,
    .columns_count = COUNT(dump_inputs),
    .primary_key = "height,tx_index,vin",
    .foreign_keys = {{"height,tx_index", "dump-txs", "height,tx_index"}},
};

const struct table_schema schema_dump_outputs = {
    .name = "dump-outputs",
    .command = "dump outputs",
    .rows = "a row for each output, in chain order",
    .columns = dump_outputs,
    .columns_count = COUNT(dump_outputs),
    .primary_key = "height,tx_index,vout",
    .foreign_keys = {{"height,tx_index", "dump-txs", "height,tx_index"}},
};

const struct table_schema schema_travel = {
    .name = "travel",
    .command = "travel",
    .rows = "a row for each output met and the input that spends it, breadth first",
    .columns = travel,
    .columns_count = COUNT(travel),
};
