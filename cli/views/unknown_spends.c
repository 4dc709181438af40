#include "cli/views/unknown_spends.h"

#include "cli/inputs/opened_store.h"
#include "cli/inputs/spend_links.h"
#include "cli/views/membership.h"
#include "parser/search.h"

enum status unknown_spends_open(const struct settings *settings, struct tx_index *index, struct unknown_spends *spends,
                                struct fault *fault)
{
    spends->rules = settings->rules;
    enum status status = opened_store_open(settings, &spends->store, fault);
    if (status == STATUS_OK)
        status = spend_links_reach_tip(index, spends->store, fault);
    if (status == STATUS_OK)
        status = forest_load(spends->store, (unsigned)settings->threads, &spends->forest, fault);
    return status == STATUS_OK ? opened_store_go_on(fault) : status;
}

void unknown_spends_close(struct unknown_spends *spends)
{
    forest_free(&spends->forest);
    store_close(spends->store);
    *spends = (struct unknown_spends){0};
}

bool unknown_spends_has(const struct unknown_spends *spends, const struct index_tx *tx, uint32_t vout)
{
    const struct forest *forest = &spends->forest;
    uint32_t number = membership_find(forest, tx->height, tx->index, &tx->txid);
    if (number == FOREST_NONE)
        return false;
    size_t end = forest->txs[number + 1].first_output;
    size_t at = LOWER_BOUND(o, forest->txs[number].first_output, end, forest->outputs[o].vout < vout);
    return at < end && forest->outputs[at].vout == vout && (forest->outputs[at].unknown >> spends->rules & 1);
}
