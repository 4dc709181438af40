/* The tables of what ties outputs together: of `unktx keys` and `unktx ties`. */
#include "cli/output/schema.h"

#define COUNT(columns) (sizeof(columns) / sizeof *(columns))

#define PLACE                                                                                                          \
    {"height", COLUMN_INTEGER, 0, "block height", "block of the output's transaction"},                                \
        {"tx_index", COLUMN_INTEGER, 0, NULL, "place of that transaction in the block; 0 is the coinbase"},            \
        {"txid", COLUMN_STRING, 0, NULL, "transaction of the output"},                                                 \
    {                                                                                                                  \
        "vout", COLUMN_INTEGER, 0, NULL, "number of the output in it"                                                  \
    }

#define MEMBERS "T-DAGs and single unknown outputs, which are those of transactions without an arc"

static const struct column keys[] = {
    PLACE,
    {"role", COLUMN_STRING, 0, NULL,
     "pubkey; multisig; script (a push of the form of a key in any other script); scriptSig (shown by the input that "
     "spends the output)"},
    {"number", COLUMN_INTEGER, 0, NULL, "1, 2, ... among the keys of the script or the scriptSig, at most 300"},
    {"of", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "public keys", "how many the multisig script has; else empty"},
    {"spender_txid", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "for scriptSig: transaction that spends the output; else empty"},
    {"spender_vin", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL, "for scriptSig: number of the input; else empty"},
    {"key", COLUMN_STRING, 0, NULL,
     "the key as it stands there, in hexadecimal: 33 bytes from 02 or 03, or 65 from 04, 06 or 07"},
    {"compressed", COLUMN_BOOLEAN, 0, NULL, "1 for 33 bytes"},
    {"on_curve", COLUMN_BOOLEAN, 0, NULL,
     "1 for a point of the curve; a key that is none carries data or burns the output, and ties nothing"},
    {"marker", COLUMN_BOOLEAN, 0, NULL,
     "1 for a burn or marker key, which nobody has: all bytes after the first are the same; it ties nothing"},
    {"p2pkh", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "the P2PKH address of the key; a view, to join the table with data that know only addresses: the output has none. "
     "Empty for a key off the curve"},
    {"p2sh_p2wpkh", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "likewise: P2WPKH in P2SH (BIP 49); empty for an uncompressed key too, as this and the next two are"},
    {"p2wpkh", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "likewise: P2WPKH (BIP 84)"},
    {"p2tr", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "likewise: P2TR without a script path (BIP 86); empty too where libsecp256k1 was built without extrakeys"},
    {"first_height", COLUMN_INTEGER, 0, "block height",
     "first block that shows the key, by an unknown output or its spender; compressed or not, it is the same key"},
    {"last_height", COLUMN_INTEGER, 0, "block height", "last block that does"},
    {"dags", COLUMN_INTEGER, 0, "T-DAGs", "in how many of them it is shown"},
    {"members", COLUMN_INTEGER, 0, MEMBERS, "in how many of them it is shown"},
    {"dag_id", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL,
     "T-DAG of the output, as 'unktx dags' numbers them with the same options; empty for a single output"},
    {"dag", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "its name, see dag in tdags.csv"},
    {"label", COLUMN_STRING, COLUMN_WITH_LABELS | COLUMN_MAY_BE_EMPTY, NULL,
     "labels that the files of --labels give to the addresses of the key, each once, " LABELS_MEANING},
    DAG_LABEL,
};

static const struct column hashes[] = {
    PLACE,
    {"role", COLUMN_STRING, 0, NULL, "script"},
    {"number", COLUMN_INTEGER, 0, NULL, "1, 2, ... among the hash locks of the script, at most 16"},
    {"operation", COLUMN_STRING, 0, NULL, "OP_RIPEMD160, OP_SHA1, OP_SHA256, OP_HASH160 or OP_HASH256"},
    {"hash", COLUMN_STRING, 0, NULL, "in hexadecimal, in the order of the script"},
    {"of_key", COLUMN_BOOLEAN, 0, NULL, "1 after OP_DUP OP_HASH160: what is asked for is a public key"},
    {"marker", COLUMN_BOOLEAN, 0, NULL, "1 for a hash whose bytes are all the same; it ties nothing"},
    {"preimage", COLUMN_STRING, COLUMN_MAY_BE_EMPTY | COLUMN_EMPTY_TEXT, NULL,
     "in hexadecimal, once an input that spends this or another unknown output with the same hash has shown it; two "
     "quotes for one of no bytes"},
    {"preimage_txid", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "transaction that first showed it"},
    {"preimage_vin", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL, "number of the input that did"},
    {"first_height", COLUMN_INTEGER, 0, "block height", "first block that shows the hash, or opens it"},
    {"last_height", COLUMN_INTEGER, 0, "block height", "last block that does"},
    {"dags", COLUMN_INTEGER, 0, "T-DAGs", "in how many of them the hash is"},
    {"members", COLUMN_INTEGER, 0, MEMBERS, "in how many of them the hash is"},
    {"dag_id", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL,
     "T-DAG of the output, as 'unktx dags' numbers them with the same options; empty for a single output"},
    {"dag", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "its name, see dag in tdags.csv"},
    DAG_LABEL,
};

static const struct column ties[] = {
    {"group_id", COLUMN_INTEGER, 0, NULL, "group of the two, see groups.csv"},
    {"group", COLUMN_STRING, 0, NULL, "its name"},
    {"kind", COLUMN_STRING, 0, NULL,
     "what they share: key; hash (of a hash lock); preimage; with --payers also address (of a payer or payee) and "
     "transaction (of the outpoint of a payer or payee)"},
    {"value", COLUMN_STRING, COLUMN_MAY_BE_EMPTY | COLUMN_EMPTY_TEXT, NULL,
     "the thing itself, in hexadecimal; a key on the curve in its compressed form; an address or txid as printed; two "
     "quotes for a preimage of no bytes"},
    {"members", COLUMN_INTEGER, 0, MEMBERS, "how many share it"},
    {"dag_id", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL,
     "T-DAG that shows it first; empty for a single output, which is then txid and vout"},
    {"dag", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "its name, see dag in tdags.csv"},
    {"txid", COLUMN_STRING, 0, NULL, "evidence: transaction of the outpoint that shows it"},
    {"vout", COLUMN_INTEGER, 0, NULL, "number of the output in it"},
    {"role", COLUMN_STRING, 0, NULL,
     "where it is shown: pubkey, multisig or script of the output; scriptSig that spends it; payer or payee, which the "
     "outpoint then is"},
    {"tied_dag_id", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL, "the T-DAG that is tied to it; empty likewise"},
    {"tied_dag", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "its name"},
    {"tied_txid", COLUMN_STRING, 0, NULL, "its evidence, likewise"},
    {"tied_vout", COLUMN_INTEGER, 0, NULL, "number of the output in it"},
    {"tied_role", COLUMN_STRING, 0, NULL, "likewise"},
    DAG_LABEL_NAMED("dag_label", "the T-DAG dag"),
    DAG_LABEL_NAMED("tied_dag_label", "the T-DAG tied_dag"),
};

static const struct column groups[] = {
    {"group_id", COLUMN_INTEGER, 0, NULL, "1, 2, ... in order of first transaction"},
    {"group", COLUMN_STRING, 0, NULL,
     "name of the group, made as that of a T-DAG, of its first transaction in chain order; groups that begin with "
     "single outputs of one transaction have the same name"},
    {"dags", COLUMN_INTEGER, 0, "T-DAGs", "how many it has"},
    {"outputs", COLUMN_INTEGER, 0, "outputs", "how many single unknown outputs it has"},
    {"txs", COLUMN_INTEGER, 0, "transactions", "those of its T-DAGs, and those that create its single outputs"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "value of all unknown outputs of its T-DAGs, and of its single ones"},
    {"first_height", COLUMN_INTEGER, 0, "block height", "block of its first transaction"},
    {"last_height", COLUMN_INTEGER, 0, "block height", "block of its last transaction"},
    {"first_time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time in the header of the block first_height"},
    {"last_time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time in the header of the block last_height"},
    {"families", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "families of its T-DAGs, each once, in the order of tdags.csv, with a space between two; empty where it has none"},
    {"key_ties", COLUMN_INTEGER, 0, "ties", "rows of ties.csv of that kind"},
    {"hash_ties", COLUMN_INTEGER, 0, "ties", "likewise"},
    {"preimage_ties", COLUMN_INTEGER, 0, "ties", "likewise"},
    {"address_ties", COLUMN_INTEGER, 0, "ties", "likewise; 0 without --payers"},
    {"transaction_ties", COLUMN_INTEGER, 0, "ties", "likewise; 0 without --payers"},
    {"label", COLUMN_STRING, COLUMN_WITH_LABELS | COLUMN_MAY_BE_EMPTY, NULL,
     "labels of its T-DAGs, each once, " LABELS_MEANING},
};

const struct table_schema schema_keys = {
    .name = "keys",
    .command = "keys",
    .rows = "a row for each place of a public key, in the order in which the chain shows them",
    .columns = keys,
    .columns_count = COUNT(keys),
    .primary_key = "height,tx_index,vout,role,number",
    .foreign_keys = {{"dag_id", "tdags", "dag_id"}},
};

const struct table_schema schema_hashes = {
    .name = "hashes",
    .command = "keys --hashes",
    .rows = "a row for each hash lock of an unknown output, in chain order",
    .columns = hashes,
    .columns_count = COUNT(hashes),
    .primary_key = "height,tx_index,vout,number",
    .foreign_keys = {{"dag_id", "tdags", "dag_id"}},
};

const struct table_schema schema_ties = {
    .name = "ties",
    .command = "ties",
    .rows = "for each thing that is shared, a row for each that has it but the first",
    .columns = ties,
    .columns_count = COUNT(ties),
    .foreign_keys = {{"group_id", "groups", "group_id"},
                     {"dag_id", "tdags", "dag_id"},
                     {"tied_dag_id", "tdags", "dag_id"}},
};

const struct table_schema schema_groups = {
    .name = "groups",
    .command = "ties",
    .rows = "a row for each group, in order of first transaction",
    .columns = groups,
    .columns_count = COUNT(groups),
    .primary_key = "group_id",
};
