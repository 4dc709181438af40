#include "graph/dag/names.h"

#include <stdlib.h>

#include "parser/mem.h"
#include "parser/sort.h"

struct named {
    uint64_t key; /* the first digits of the txid as printed, which begins with the last byte */
    uint32_t dag;
    const struct hash256 *txid;
};

static const struct hash256 *first_txid(const struct forest *forest, const struct tdags *tdags, uint32_t dag)
{
    return &forest->txs[tdags->members[tdags->first[dag - 1]]].txid;
}

/* How many bytes are alike from the last on. */
static unsigned bytes_alike(const struct hash256 *a, const struct hash256 *b)
{
    unsigned count = 0;
    while (count < HASH256_SIZE && a->bytes[HASH256_SIZE - 1 - count] == b->bytes[HASH256_SIZE - 1 - count])
        count++;
    return count;
}

static int compare_txids(const void *a, const void *b)
{
    const struct hash256 *x = ((const struct named *)a)->txid, *y = ((const struct named *)b)->txid;
    unsigned alike = bytes_alike(x, y);
    if (alike == HASH256_SIZE)
        return 0;
    return (int)x->bytes[HASH256_SIZE - 1 - alike] - (int)y->bytes[HASH256_SIZE - 1 - alike];
}

/* Gives each of a few names with equal first digits one byte more than it has in common with a neighbour. */
static void lengthen(struct named *named, size_t count, uint8_t *digits)
{
    qsort(named, count, sizeof *named, compare_txids);
    for (size_t i = 0; i + 1 < count; i++) {
        unsigned alike = bytes_alike(named[i].txid, named[i + 1].txid);
        uint8_t needed = (uint8_t)(2 * (alike < HASH256_SIZE ? alike + 1 : alike));
        for (size_t j = i; j <= i + 1; j++) {
            if (digits[named[j].dag - 1] < needed)
                digits[named[j].dag - 1] = needed;
        }
    }
}

enum status tdags_name(const struct forest *forest, struct tdags *tdags, struct fault *fault)
{
    struct named *list = mem_alloc(tdags->count, sizeof *list), *spare = mem_alloc(tdags->count, sizeof *list);
    uint8_t *digits = mem_alloc(tdags->count, 1);
    bool enough = list && spare && digits;
    for (uint32_t d = 1; enough && d <= tdags->count; d++) {
        const struct hash256 *txid = first_txid(forest, tdags, d);
        uint64_t key = 0;
        for (unsigned i = 0; i < 8; i++)
            key = key << 8 | txid->bytes[HASH256_SIZE - 1 - i];
        list[d - 1] = (struct named){key, d, txid};
        digits[d - 1] = TDAG_NAME_MIN;
    }
    struct named *sorted = enough ? sort_by_key(list, spare, tdags->count, sizeof *list) : NULL;
    for (size_t i = 0, end; enough && i < tdags->count; i = end) {
        for (end = i + 1; end < tdags->count && sorted[end].key == sorted[i].key; end++)
            ;
        if (end - i > 1)
            lengthen(sorted + i, end - i, digits);
    }
    mem_free(list);
    mem_free(spare);
    mem_free(tdags->name_digits);
    tdags->name_digits = digits;
    return enough ? STATUS_OK : fault_nomem(fault);
}

char *tdag_put_name(const struct forest *forest, const struct tdags *tdags, uint32_t dag, char *out)
{
    char hex[HASH256_HEX_SIZE];
    size_t digits = tdags->name_digits[dag - 1];
    hash256_hex(first_txid(forest, tdags, dag), hex);
    memcpy(out, hex, digits);
    return out + digits;
}
