/* Any bytes as a transaction: what they show of its outputs is the same each time, is of the transaction only, and is
 * nothing where an output has no keys. */
#include <string.h>

#include "parser/protocol.h"
#include "parser/spendable.h"
#include "parser/tx.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static void check_output(struct protocol_tx *found, struct protocol_tx *again, const struct tx_output *out)
{
    enum protocol of_tx = protocol_tx_next(found, out->script, out->script_size);
    must(of_tx < PROTOCOLS_OF_TX, "it is one that a transaction shows");
    must(of_tx == protocol_tx_next(again, out->script, out->script_size), "it is the same again");
    struct multisig m;
    bool has_keys = multisig_read(out->script, out->script_size, &m);
    must(of_tx == PROTOCOL_NONE || has_keys, "only keys carry it");
    enum kind kind = script_kind(out->script, out->script_size);
    must((kind == KIND_MULTISIG) == (has_keys && m.keys_fit), "m of n keys is one reading");
    if (!script_unknown_rules(kind, out->script, out->script_size))
        return;
    enum protocol protocol = protocol_of_output(of_tx, kind, out->script, out->script_size);
    must(of_tx == PROTOCOL_NONE || protocol == of_tx, "the transaction says more than the script");
    must(!has_keys || protocol_data_keys(protocol, &m) >> m.keys == 0, "there are no more carriers than keys");
    (void)spendable_judge(kind, out->script, out->script_size, protocol, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct protocol_tx found, again;
    struct cursor c = cursor_over(data, size);
    struct tx tx;
    struct tx_input in;
    struct tx_output out;
    protocol_tx_begin(&found, data, size);
    protocol_tx_begin(&again, data, size);
    tx_begin(&c, &tx);
    for (uint32_t i = 0; i < tx.inputs && cursor_ok(&c); i++)
        tx_input(&c, &in);
    tx_outputs(&c, &tx);
    for (uint32_t i = 0; i < tx.outputs && cursor_ok(&c); i++) {
        tx_output(&c, &out);
        if (cursor_ok(&c))
            check_output(&found, &again, &out);
    }
    return 0;
}
