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

void tx_id_parts(const struct tx *tx, struct sha256_part parts[3])
{
    memset(parts, 0, 3 * sizeof *parts);
    if (!tx->segwit) {
        parts[0] = (struct sha256_part){tx->start, (size_t)(tx->end - tx->start)};
        return;
    }
    parts[0] = (struct sha256_part){tx->start, 4};
    parts[1] = (struct sha256_part){tx->body, (size_t)(tx->body_end - tx->body)};
    parts[2] = (struct sha256_part){tx->end - 4, 4};
}

void tx_id(const struct tx *tx, struct hash256 *txid)
{
    struct sha256_part parts[3];
    tx_id_parts(tx, parts);
    sha256d_parts(parts, tx->segwit ? 3 : 1, txid);
}
