/* tx_scripts: what the blk files have of a transaction and neither store nor index keeps: version, lock time,
 * sequences, scripts and witnesses, as text or JSON. Thread rule: one thread. */
#ifndef UNKTX_CLI_VIEWS_TX_SCRIPTS_H
#define UNKTX_CLI_VIEWS_TX_SCRIPTS_H

#include "cli/inputs/address_labels.h"
#include "parser/network.h"
#include "parser/tx.h"

/* A transaction's pieces, which are asked for in order. Borrows the bytes. */
struct tx_scripts {
    const struct network *network; /* of the addresses; NULL: main */
    bool json;
    const struct address_labels *labels; /* NULL: without --labels */
    struct tx tx;
    struct cursor inputs;
    struct cursor witnesses;
    struct cursor outputs;
    uint32_t next_input;
    uint32_t next_output;
};

/* False if the bytes are not those of the transaction `txid`. O(size). */
bool tx_scripts_open(struct tx_scripts *scripts, const uint8_t *bytes, size_t size, const struct hash256 *txid);

/* Each appends what it names; STATUS_NOMEM without memory. As text whole lines; as JSON pairs with a comma before each,
 * for inside an object: "version" and "locktime" of the transaction; "sequence", "script_sig_hex", "script_sig_asm" and
 * "witness" of an input; "script_hex", "script_asm" and "address" (null: none) of an output, and with labels those
 * of the address, "labels". Numbers of inputs and outputs ascend from one call to the next, and there are as many.
 * O(what lies between). */
enum status tx_scripts_head(const struct tx_scripts *scripts, struct text *text) MUST_CHECK;
enum status tx_scripts_input(struct tx_scripts *scripts, struct text *text, uint32_t vin) MUST_CHECK;
enum status tx_scripts_output(struct tx_scripts *scripts, struct text *text, uint32_t vout) MUST_CHECK;

/* A script in hexadecimal and as asm, each with the name before it. STATUS_NOMEM. */
enum status tx_scripts_put_script(struct text *text, bool json, const char *name, const uint8_t *script, size_t size)
    MUST_CHECK;

#endif
