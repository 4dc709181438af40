/* The tables of `unktx hidden`. */
#include "cli/output/schema.h"

#define COUNT(columns) (sizeof(columns) / sizeof *(columns))

#define HIDDEN_IN                                                                                                      \
    {                                                                                                                  \
        "hidden_in", COLUMN_STRING, 0, NULL,                                                                           \
            "p2sh: a redeem script; p2sh-p2wsh: the witness script of a redeem script that is P2WSH (which has a row " \
            "of its own); p2wsh: a witness script; p2tr: a tap script"                                                 \
    }
#define LEAF_VERSION                                                                                                   \
    {                                                                                                                  \
        "leaf_version", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,                                                      \
            "of a tap script, in hexadecimal: c0 is that of BIP 342; of others nobody can read the script yet; empty " \
            "for what is no tap script"                                                                                \
    }
#define KIND_MEANING                                                                                                   \
    "what Core's Solver calls the script; nonstandard for a leaf version other than c0, and for nearly all tap "       \
    "scripts"
#define TEMPLATE_MEANING "the asm with each push of data replaced by its length; two quotes for an empty script"

static const struct column hidden[] = {
    {"period", COLUMN_STRING, 0, NULL, "total, the block height, YYYY-MM-DD, YYYY-MM or YYYY of the spend, by --by"},
    HIDDEN_IN,
    {"shown", COLUMN_STRING, 0, NULL,
     "script: one that hashes to the output; key-path: none, since the spend of a taproot output shows a signature by "
     "its key; not-proven: nothing that hashes to the output, as from before the rule was binding"},
    {"kind", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL, KIND_MEANING "; empty where no script is shown"},
    {"template", COLUMN_STRING, COLUMN_MAY_BE_EMPTY | COLUMN_EMPTY_TEXT, NULL,
     TEMPLATE_MEANING "; (other) where there are more than 65,536 rows; empty where no script is shown"},
    LEAF_VERSION,
    {"spends", COLUMN_INTEGER, 0, "inputs", "those that show such a script"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "value of the outputs that they spend"},
    {"first_height", COLUMN_INTEGER, 0, "block height", "block of the first of them"},
    {"last_height", COLUMN_INTEGER, 0, "block height", "block of the last"},
    {"annexes", COLUMN_INTEGER, 0, "inputs", "those of them whose witness has an annex (BIP 341) beside a tap script"},
    {"scripts", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "names of the known scripts that at least one of these scripts is, in alphabetical order with a space between "
     "two"},
};

static const struct column scripts[] = {
    {"height", COLUMN_INTEGER, 0, "block height", "block of the spend"},
    {"time", COLUMN_INTEGER, 0, "seconds since 1970-01-01 UTC", "time in the header of that block"},
    {"tx_index", COLUMN_INTEGER, 0, NULL, "place of the spender in the block"},
    {"txid", COLUMN_STRING, 0, NULL, "the spender"},
    {"vin", COLUMN_INTEGER, 0, NULL, "number of its input"},
    {"spent_txid", COLUMN_STRING, 0, NULL, "transaction of the output that is spent"},
    {"spent_vout", COLUMN_INTEGER, 0, NULL, "number of the output in it"},
    {"value_sat", COLUMN_INTEGER, 0, "satoshi", "value of the output"},
    HIDDEN_IN,
    {"kind", COLUMN_STRING, 0, NULL, KIND_MEANING},
    {"template", COLUMN_STRING, COLUMN_MAY_BE_EMPTY | COLUMN_EMPTY_TEXT, NULL, TEMPLATE_MEANING},
    LEAF_VERSION,
    {"annex", COLUMN_BOOLEAN, 0, NULL, "1 if the witness has an annex (BIP 341) beside a tap script, else 0"},
    {"scripts", COLUMN_STRING, COLUMN_MAY_BE_EMPTY, NULL,
     "names of the known scripts that it is, in alphabetical order with a space between two"},
    {"script_hex", COLUMN_STRING, COLUMN_MAY_BE_EMPTY | COLUMN_EMPTY_TEXT, NULL,
     "the script in hexadecimal; two quotes for an empty one"},
};

const struct table_schema schema_hidden = {
    .name = "hidden",
    .command = "hidden",
    .rows =
        "a row for each period, place, kind and template of the scripts that spenders showed, in order of time, the "
        "most common first",
    .columns = hidden,
    .columns_count = COUNT(hidden),
    .primary_key = "period,hidden_in,shown,kind,template,leaf_version",
};

const struct table_schema schema_hidden_scripts = {
    .name = "hidden_scripts",
    .command = "hidden --list",
    .rows =
        "a row for each script that an input showed, in the order of the inputs, a redeem script before its witness "
        "script",
    .columns = scripts,
    .columns_count = COUNT(scripts),
    .primary_key = "height,tx_index,vin,hidden_in",
};
