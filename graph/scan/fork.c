#include "graph/scan/fork.h"

#include "graph/scan/filemap.h"

enum status fork_find(struct fork *fork, struct fault *fault)
{
    enum status status = STATUS_OK;
    /* A block that both have stands on blocks that both have. Mostly that is true of the last one, so it comes first.
     */
    uint32_t low = fork->first, high = fork->blocks <= fork->end ? fork->blocks : fork->end + 1;
    for (uint32_t middle = high - 1; low < high && status == STATUS_OK; middle = low + (high - low) / 2) {
        struct hash256 hash;
        status = fork->hash_at(fork->context, middle, &hash, fault);
        if (status == STATUS_OK && hash256_equal(&hash, &chain_active(fork->chain, middle)->hash))
            low = middle + 1;
        else
            high = middle;
    }
    fork->common = low;
    fork->shorter = low == fork->end + 1 && !fork->tip_chosen;
    if (fork->shorter)
        fork->target = fork->to_height < fork->blocks ? fork->to_height + 1 : fork->blocks;
    fork->keep = fork->shorter ? fork->blocks : low;
    fork->keep = fork->keep > fork->target ? fork->target : fork->keep;
    return status;
}

enum status fork_knows_first_block(const struct fork *fork, bool *knows, struct fault *fault)
{
    struct hash256 hash;
    enum status status = fork->hash_at(fork->context, 1, &hash, fault);
    uint32_t node = status == STATUS_OK ? chain_find(fork->chain, &hash) : CHAIN_NONE;
    *knows = node != CHAIN_NONE && chain_at(fork->chain, node)->file != FILEMAP_GONE;
    return status;
}
