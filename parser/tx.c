#include "parser/tx.h"

void tx_skip_witness(struct cursor *c, uint32_t inputs)
{
    bool any = false;
    for (uint32_t i = 0; i < inputs && cursor_ok(c); i++) {
        uint64_t items = cursor_compact(c);
        any |= items > 0;
        for (uint64_t item = 0; item < items && cursor_ok(c); item++)
            cursor_take(c, cursor_compact(c));
    }
    if (!any)
        cursor_fail(c);
}

void tx_id(const struct tx *tx, struct hash256 *txid)
{
    if (!tx->segwit) {
        sha256d(tx->start, (size_t)(tx->end - tx->start), txid);
        return;
    }
    const struct sha256_part parts[] = {
        {tx->start, 4},
        {tx->body, (size_t)(tx->body_end - tx->body)},
        {tx->end - 4, 4},
    };
    sha256d_parts(parts, 3, txid);
}
