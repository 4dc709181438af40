/* The tables of outputs and their counts: of `unktx outputs`, `unktx templates` and `unktx stats`. */
#include "cli/output/schema.h"

#define COUNT(columns) (sizeof(columns) / sizeof *(columns))

static const struct column outputs[] = {
    {"height", COLUMN_INTEGER, 0, "block height", "block of its transaction"},
    {"tx_index", COLUMN_INTEGER, 0, NULL, "place of the transaction in the block; 0 is the coinbase"},
    {"txid", COLUMN_STRING, 0, NULL, "its transaction"},
    {"vout", COLUMN_INTEGER, 0, NULL, "its number in the transaction"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "its value"},
    {"kind", COLUMN_STRING, 0, NULL,
     "nonstandard, nulldata, pubkey or multisig; of the rule set hidden also scripthash, witness_v0_scripthash or "
     "witness_v1_taproot"},
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
    {"protocol", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "what its keys or its data carry: counterparty, stamps, omni (where the scriptSig of an input shows the sender), "
     "chancecoin, ppk, rsk, key-burn or data-keys (docs/model.md, section 10); of nulldata as the table protocols "
     "names it; empty where no protocol is known"},
    {"spendable", COLUMN_STRING, 0, NULL, "yes, no or unknown, as far as the script and its keys tell"},
    {"spendable_reason", COLUMN_STRING, 0, NULL,
     "yes: spent, anyone-can-spend, enough-keys; no: data-keys, burnt-keys or keys-off-curve leave fewer keys than "
     "signatures are asked for, op-return, always-fails; unknown: undecided"},
    DAG_LABEL,
};

static const struct column templates[] = {
    {"template", COLUMN_STRING, COLUMN_MAY_BE_EMPTY | COLUMN_EMPTY_TEXT, NULL,
     "the asm with each push of data replaced by its length, as in OP_HASH160 <20> OP_EQUAL; two quotes for an empty "
     "script; (other) where there are more than 65,536 templates"},
    {"kind", COLUMN_STRING, 0, NULL,
     "nonstandard, nulldata, pubkey or multisig; of the rule set hidden also scripthash, witness_v0_scripthash or "
     "witness_v1_taproot"},
    {"outputs", COLUMN_INTEGER, 0, "outputs", "those of this template and kind"},
    {"spent", COLUMN_INTEGER, 0, "outputs", "those of them that have a spender"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "value of all of them"},
    {"first_height", COLUMN_INTEGER, 0, "block height", "block that creates the first"},
    {"last_height", COLUMN_INTEGER, 0, "block height", "block that creates the last"},
    {"scripts", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "names of the known scripts that at least one of these outputs is, in alphabetical order with a space between "
     "two"},
    {"protocol", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "protocols that at least one of them is of, as in outputs, in alphabetical order with a space between two"},
    {"spendable", COLUMN_STRING, 0, NULL, "each of yes, no and unknown that at least one of them has, as in outputs"},
    {"spendable_reason", COLUMN_STRING, 0, NULL, "each reason that at least one of them has, as in outputs"},
};

static const struct column unlocks[] = {
    {"dag_id", COLUMN_INTEGER, 0, NULL, "T-DAG of the output, as 'unktx dags' numbers them with the same options"},
    {"txid", COLUMN_STRING, 0, NULL, "transaction of the output"},
    {"vout", COLUMN_INTEGER, 0, NULL, "number of the output in it"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "value of the output"},
    {"kind", COLUMN_STRING, 0, NULL, "nonstandard, pubkey or multisig"},
    {"template", COLUMN_STRING, COLUMN_MAY_BE_EMPTY | COLUMN_EMPTY_TEXT, NULL,
     "of its script: the asm with each push of data replaced by its length; two quotes for an empty script"},
    {"spender_height", COLUMN_INTEGER, 0, "block height", "block of the transaction that spends it"},
    {"spender_txid", COLUMN_STRING, 0, NULL, "transaction that spends it"},
    {"spender_vin", COLUMN_INTEGER, 0, NULL, "number of the input that spends it"},
    {"unlock", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "what the script asked for on the way that was taken: signature; multisig (several signatures, or "
     "OP_CHECKMULTISIG with one or more); preimage (bytes whose hash the script has, public keys apart); "
     "signature+preimage; time (a time condition and none of these); nothing (no item was shown, or anyone can spend "
     "the script); other. Where the run of the script does not tell, what was shown decides. This and all that "
     "follows but dag is empty where the spender is not in the blk files any more"},
    {"branch", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "for each OP_IF and OP_NOTIF on the way: 1 where its first part ran, 0 where the other one did; a ? at the end "
     "where the others are not known: the run of the script with what was shown came to what it does not follow, or "
     "(? alone) to an end that no valid spend has; empty for a script without any"},
    {"time", COLUMN_BOOLEAN, COLUMN_MAY_BE_EMPTY, NULL,
     "1 if OP_CHECKLOCKTIMEVERIFY or OP_CHECKSEQUENCEVERIFY was on the way (in blocks from before BIP 65 and BIP 112 "
     "these did nothing), else 0"},
    {"script_sig_template", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "template of the input's scriptSig; two quotes for an empty one"},
    {"signatures", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "items",
     "items shown that are ECDSA signatures in DER, strict or as loose as old blocks have them"},
    {"keys", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "items",
     "items shown that have the form of a public key and are not counted as preimages"},
    {"preimages", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "items",
     "items shown whose hash the script compares with one of its own, but for the hash of a public key"},
    {"numbers", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "items", "other items shown of 1 to 4 bytes"},
    {"empty", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "items", "items shown without a byte"},
    {"data", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "items", "all other items shown"},
    {"operations", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "operations",
     "operations in the scriptSig that are no push; releases that relay such are old"},
    {"strict_der", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "items", "signatures that are strict DER (BIP 66)"},
    {"low_s", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "items",
     "signatures whose s is at most half of the curve's order (BIP 62, BIP 146)"},
    {"sighashes", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "sighash types of the signatures, each once, in order of their bytes with a space between two: ALL, NONE, SINGLE, "
     "each also with |ANYONECANPAY; 0x.. for a byte without a name"},
    {"dag", COLUMN_STRING, 0, NULL, "name of the T-DAG, see dag in tdags.csv"},
    DAG_LABEL,
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
     "of nulldata the first entry of the list of known scripts, in its order, that the output matches by what stands "
     "after OP_RETURN: the witness commitment of BIP 141, Omni, Runes, merge-mining marks and others, each with its "
     "source in known-scripts.tsv (marks of two bytes are met by chance too; Counterparty has no mark to be seen "
     "there, its messages being encrypted with RC4, nor has VeriBlock, which is among the outputs of 80 bytes, "
     "op-return-80); of other kinds what their keys carry, see protocol in the table outputs; other for the rest"},
    {"outputs", COLUMN_INTEGER, 0, "outputs", "those of the row"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "their value"},
    {"first_height", COLUMN_INTEGER, 0, "block height", "block of the first"},
    {"last_height", COLUMN_INTEGER, 0, "block height", "block of the last"},
    {"kind", COLUMN_STRING, 0, NULL,
     "nonstandard, nulldata, pubkey or multisig; of the rule set hidden also scripthash, witness_v0_scripthash or "
     "witness_v1_taproot"},
    {"spendable", COLUMN_STRING, 0, NULL, "yes, no or unknown, see the table outputs"},
    {"spendable_reason", COLUMN_STRING, 0, NULL, "why, see the table outputs"},
};

static const struct column find[] = {
    {"found", COLUMN_STRING, 0, NULL,
     "output: an unknown output of the rule set; payer: an input of a T-DAG's transaction that spends a known output; "
     "payee: a known output of one; tdag: a T-DAG, by its name, or since one of the others is in it"},
    {"by", COLUMN_STRING, 0, NULL,
     "what of it was sought: script (all of it), address, key (a public key that the script pushes), hash (a push of "
     "20 or 32 bytes), data (any other push), or of a T-DAG name or contents"},
    {"txid", COLUMN_STRING, 0, NULL, "transaction of the output or input; of a T-DAG the first"},
    {"position", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL,
     "number of the output in it, of a payer of the input; empty for a T-DAG"},
    {"height", COLUMN_INTEGER, 0, "block height", "block of the transaction"},
    {"time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time in the header of the block"},
    {"value_sat", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "satoshi", "value of the output; empty for a T-DAG"},
    {"kind", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "kind of the output; empty for a T-DAG"},
    {"push", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "the push that tells, in hexadecimal, at most its first 520 bytes; empty where the script as a whole does"},
    {"address", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "the address that was sought and is met here"},
    {"dag", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "name of its T-DAG, see dag in tdags.csv; empty for none"},
    {"label", COLUMN_STRING, COLUMN_WITH_LABELS | COLUMN_MAY_BE_EMPTY, NULL,
     "labels that the files of --labels give to the address, with a semicolon and a space between two"},
    DAG_LABEL,
};

static const struct column compare[] = {
    {"network", COLUMN_STRING, 0, NULL, "of which the figure is: main, testnet3, testnet4, signet or regtest"},
    {"figure", COLUMN_STRING, 0, NULL, "what is counted, see FIGURES in unktx-compare(1)"},
    {"as_of", COLUMN_STRING, 0, NULL, "a height, a year, month or day (its end, in UTC), or tip, as the list has it"},
    {"height", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, "block height",
     "the last block that ours counts; empty on another network and beyond the tip"},
    {"published", COLUMN_INTEGER, 0, NULL, "the figure as the source has it"},
    {"ours", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL, "the store's, as of the height; empty where there is none"},
    {"difference", COLUMN_INTEGER, COLUMN_MAY_BE_EMPTY, NULL, "ours less published; empty as ours"},
    {"verdict", COLUMN_STRING, 0, NULL,
     "equal; close (within one in a hundred of what was published); differs; beyond the tip; not available (see "
     "needs); not asked for on this network"},
    {"source", COLUMN_STRING, 0, NULL, "who published it"},
    {"note", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "how the source counts where that is another way, such as by the shape of a script instead of by Core's rule"},
    {"needs", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, "what would make it available; empty where it is"},
};

const struct table_schema schema_compare = {
    .name = "compare",
    .command = "compare",
    .rows = "a row for each published figure, those that are built in first, in the order of the files",
    .columns = compare,
    .columns_count = COUNT(compare),
};

const struct table_schema schema_find_rows = {
    .name = "find",
    .command = "find",
    .rows =
        "a row for each output, payer, payee and T-DAG that has what was sought: outputs, payers, payees and T-DAGs, "
        "each in chain order",
    .columns = find,
    .columns_count = COUNT(find),
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

const struct table_schema schema_unlocks = {
    .name = "unlocks",
    .command = "unlocks",
    .rows = "a row for each spent unknown output of the rule set, in order of the input that spends it",
    .columns = unlocks,
    .columns_count = COUNT(unlocks),
    .primary_key = "spender_height,spender_txid,spender_vin",
    .foreign_keys = {{"dag_id", "tdags", "dag_id"}},
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
    .command = "stats --protocols",
    .rows = "a row for each protocol, kind and reason that was found, the most common first, then by name",
    .columns = protocols,
    .columns_count = COUNT(protocols),
    .primary_key = "protocol,kind,spendable_reason",
};
