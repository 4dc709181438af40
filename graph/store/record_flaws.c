#include "graph/store/record_flaws.h"

/* The output's script must be what the record says it is. */
const char *record_wrong_output(const struct output_record *output)
{
    if (output->unknown == 0)
        return NULL;
    if (!output->script && output->script_size > 0)
        return "an unknown output has no script";
    if (script_kind(output->script, output->script_size) != output->kind)
        return "an output's kind is not that of its script";
    if (script_unknown_rules(output->kind, output->script, output->script_size) != (output->unknown & RULES_ALL))
        return "an output's rule sets are not those of its script";
    struct multisig keys;
    if (output->protocol != PROTOCOL_NONE && !multisig_read(output->script, output->script_size, &keys))
        return "an output has a protocol and no keys that could carry it";
    return NULL;
}

/* Kinds that some rule set calls unknown and that can be spent are all stored; of the others a part is. */
const char *record_wrong_counts(const struct block_counts *all, const struct block_counts *stored, bool nulldata_stored)
{
    uint64_t outputs = 0;
    for (unsigned k = 0; k < KINDS; k++) {
        outputs += all->kind_count[k];
        bool complete = k == KIND_NONSTANDARD || k == KIND_PUBKEY || k == KIND_MULTISIG ||
                        (k == KIND_NULLDATA && nulldata_stored);
        if (stored->kind_count[k] > all->kind_count[k] || (complete && stored->kind_count[k] != all->kind_count[k]) ||
            (complete && stored->kind_value_sat[k] != all->kind_value_sat[k]))
            return "its counts by kind do not fit its stored outputs";
    }
    if (outputs != all->outputs || all->txs > all->inputs || all->txs > all->outputs)
        return "its counts of transactions, inputs and outputs do not add up";
    for (unsigned r = 0; r < RULES; r++) {
        if (all->unknown_txs[r] > all->txs || stored->unknown_txs[r] > all->unknown_txs[r] ||
            (nulldata_stored && stored->unknown_txs[r] != all->unknown_txs[r]))
            return "its count of unknown transactions does not fit its stored transactions";
    }
    return NULL;
}

const char *record_wrong_maybe(const struct block_record *block, const uint32_t stored[RULES], bool nulldata_stored)
{
    for (unsigned r = 0; r < RULES; r++) {
        if (stored[r] > block->maybe_txs[r] || (nulldata_stored && stored[r] != block->maybe_txs[r]))
            return "its count of inputs from before the store's first block does not fit its stored transactions";
    }
    return NULL;
}
