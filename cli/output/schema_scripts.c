/* The tables of outputs and their counts: of `unktx outputs`, `unktx templates` and `unktx stats`. */
#include "cli/output/schema.h"

#define COUNT(columns) (sizeof(columns) / sizeof *(columns))

static const struct column outputs[] = {
    {"height", COLUMN_INTEGER, 0, "block height", "block of its transaction"},
    {"tx_index", COLUMN_INTEGER, 0, NULL, "place of the transaction in the block; 0 is the coinbase"},
    {"txid", COLUMN_STRING, 0, NULL, "its transaction"},
    {"vout", COLUMN_INTEGER, 0, NULL, "its number in the transaction"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "its value"},
    {"kind", COLUMN_STRING, 0, NULL, "nonstandard, nulldata, pubkey or multisig"},
    {"script_hex", COLUMN_STRING, COLUMN_MAY_BE_EMPTY | COLUMN_EMPTY_TEXT, NULL,
     "the scriptPubKey in hexadecimal; an empty script is written as two quotes"},
    {"keys", COLUMN_INTEGER, 0, "public keys", "in a pubkey or multisig script; 0 for other kinds"},
    {"keys_on_curve", COLUMN_INTEGER, 0, "public keys",
     "how many of them are points of the curve; a key that is none carries data or burns the output"},
    {"spender_height", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "block height",
     "block of the transaction that spends it; empty when unspent"},
    {"spender_txid", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "transaction that spends it; empty when unspent"},
    {"spender_vin", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL,
     "number of the input that spends it; empty when unspent"},
    {"time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time in the header of the block height"},
    {"dag", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "name of the T-DAG that its transaction is in, also where --compress or --exclude-scripts leaves that one out; "
     "empty where it is in none"},
};

static const struct column templates[] = {
    {"template", COLUMN_STRING, COLUMN_MAY_BE_EMPTY | COLUMN_EMPTY_TEXT, NULL,
     "the asm with each push of data replaced by its length, as in OP_HASH160 <20> OP_EQUAL; two quotes for "
     "an empty script; "
     "(other) where there are more than 65,536 templates"},
    {"kind", COLUMN_STRING, 0, NULL, "nonstandard, nulldata, pubkey or multisig"},
    {"outputs", COLUMN_INTEGER, 0, "outputs", "those of this template and kind"},
    {"spent", COLUMN_INTEGER, 0, "outputs", "those of them that have a spender"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "value of all of them"},
    {"first_height", COLUMN_INTEGER, 0, "block height", "block that creates the first"},
    {"last_height", COLUMN_INTEGER, 0, "block height", "block that creates the last"},
    {"scripts", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "names of the known scripts that at least one of these outputs is, in alphabetical order with a space between "
     "two"},
};

static const struct column stats[] = {
    {"period", COLUMN_STRING, 0, NULL, "total, the block height, YYYY-MM-DD, YYYY-MM or YYYY, by --by"},
    {"blocks", COLUMN_INTEGER, 0, "blocks", "those of the period"},
    {"txs", COLUMN_INTEGER, 0, "transactions", "all of them, stored or not"},
    {"inputs", COLUMN_INTEGER, 0, "inputs", "all of them, coinbases' included"},
    {"outputs", COLUMN_INTEGER, 0, "outputs", "all of them"},
    {"KIND", COLUMN_INTEGER, 0, "outputs", "for each kind: how many"},
    {"KIND_sat", COLUMN_INTEGER, 0, "satoshi", "for each kind: their value"},
    {"unknown_txs_RULES", COLUMN_INTEGER, 0, "transactions",
     "for each rule set: those with an unknown output, nulldata included"},
};

static const struct column protocols[] = {
    {"protocol", COLUMN_STRING, 0, NULL,
     "the first entry of the list of known scripts, in its order, that the output matches by what stands after "
     "OP_RETURN: the witness commitment of BIP 141, Omni, Runes, merge-mining marks and others, each with its source "
     "in "
     "known-scripts.tsv; other for the rest. Marks of two bytes are met by chance too. Counterparty has no mark to be "
     "seen (its messages are encrypted with RC4), nor has VeriBlock, which is among the outputs of 80 bytes "
     "(op-return-80)"},
    {"outputs", COLUMN_INTEGER, 0, "outputs", "nulldata outputs of the protocol"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "their value"},
    {"first_height", COLUMN_INTEGER, 0, "block height", "block of the first"},
    {"last_height", COLUMN_INTEGER, 0, "block height", "block of the last"},
};

const struct table_schema schema_outputs = {
    .name = "outputs",
    .command = "outputs",
    .rows = "a row for each unknown output of the rule set, in chain order",
    .columns = outputs,
    .columns_count = COUNT(outputs),
    .primary_key = "height,tx_index,vout",
};

const struct table_schema schema_templates = {
    .name = "templates",
    .command = "templates",
    .rows = "a row for each template and kind of unknown outputs, the most common first",
    .columns = templates,
    .columns_count = COUNT(templates),
    .primary_key = "template,kind",
};

const struct table_schema schema_stats = {
    .name = "stats",
    .command = "stats",
    .rows = "a row for each period, or one for the whole chain, in order of time",
    .columns = stats,
    .columns_count = COUNT(stats),
    .primary_key = "period",
};

const struct table_schema schema_stats_by_day = {
    .name = "stats-by-day",
    .command = "stats --by day",
    .rows = "a row for each day (UTC) with a block, in order of time",
    .columns = stats,
    .columns_count = COUNT(stats),
    .primary_key = "period",
};

const struct table_schema schema_protocols = {
    .name = "protocols",
    .command = "stats --nulldata",
    .rows = "a row for each protocol of nulldata outputs that was found, the most common first, then by name",
    .columns = protocols,
    .columns_count = COUNT(protocols),
    .primary_key = "protocol",
};
