#include "graph/index/waiting.h"

#include "parser/mem.h"

#define WAITING_MAX 1024u
#define NO_CLAIM SIZE_MAX

struct waiting_spend {
    struct hidden_spend spend;
    struct tx tx;
    struct tx_input input;
    size_t claim; /* its number, or NO_CLAIM */
};

enum status waiting_open(struct waiting *waiting)
{
    waiting->spends = mem_alloc(WAITING_MAX, sizeof *waiting->spends);
    waiting->claims = mem_alloc(WAITING_MAX, sizeof *waiting->claims);
    return waiting->spends && waiting->claims ? STATUS_OK : STATUS_NOMEM;
}

void waiting_free(struct waiting *waiting)
{
    mem_free(waiting->spends);
    mem_free(waiting->claims);
    *waiting = (struct waiting){0};
}

size_t waiting_bytes(void) { return WAITING_MAX * (sizeof(struct waiting_spend) + sizeof(struct taproot_claim)); }

void waiting_drop(struct waiting *waiting) { waiting->count = waiting->claims_count = 0; }

bool waiting_is_full(const struct waiting *waiting) { return waiting->count == WAITING_MAX; }

void waiting_add(struct waiting *waiting, const struct hidden_spend *spend, const uint8_t *program,
                 const uint8_t *witness, size_t witness_size)
{
    struct waiting_spend *kept = &waiting->spends[waiting->count++];
    struct taproot_claim *claim = &waiting->claims[waiting->claims_count];
    struct hidden_spend own = *spend;
    own.way = hidden_read(own.kind, program, own.input, witness, witness_size, own.scripts, &own.count, claim);
    own.tx = &kept->tx;
    own.input = &kept->input;
    *kept = (struct waiting_spend){.spend = own, .tx = *spend->tx, .input = *spend->input, .claim = NO_CLAIM};
    if (claim->output)
        kept->claim = waiting->claims_count++;
}

enum status waiting_flush(struct waiting *waiting, const struct taproot *taproot, waiting_show *show, void *context)
{
    enum status status = taproot_check(taproot, waiting->claims, waiting->claims_count);
    for (size_t i = 0; i < waiting->count && status == STATUS_OK; i++) {
        struct waiting_spend *kept = &waiting->spends[i];
        if (kept->claim != NO_CLAIM && !waiting->claims[kept->claim].holds) {
            kept->spend.way = HIDDEN_NOT_PROVEN;
            kept->spend.count = 0;
        }
        status = show(context, &kept->spend);
    }
    waiting_drop(waiting);
    return status;
}
