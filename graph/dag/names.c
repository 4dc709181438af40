#include "graph/dag/names.h"

#include <stdlib.h>

#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/sort.h"

struct named {
    uint64_t key; /* the first digits as a number */
    uint32_t dag;
};

/* What a comparison of names looks at. */
struct long_name {
    const struct hash256 *txid;
    uint32_t dag;
};

static const struct hash256 *first_txid(const struct forest *forest, const struct tdags *tdags, uint32_t dag)
{
    return &forest->txs[tdags_first_tx(tdags, dag)].txid;
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
    const struct hash256 *x = ((const struct long_name *)a)->txid, *y = ((const struct long_name *)b)->txid;
    unsigned alike = bytes_alike(x, y);
    if (alike == HASH256_SIZE)
        return 0;
    return (int)x->bytes[HASH256_SIZE - 1 - alike] - (int)y->bytes[HASH256_SIZE - 1 - alike];
}

/* Gives each of a few names with equal first digits one byte more than it has in common with a neighbour. */
static enum status lengthen(const struct forest *forest, struct tdags *tdags, const struct named *named, size_t count)
{
    struct long_name *list = mem_alloc(count, sizeof *list);
    if (!list)
        return STATUS_NOMEM;
    for (size_t i = 0; i < count; i++)
        list[i] = (struct long_name){first_txid(forest, tdags, named[i].dag), named[i].dag};
    qsort(list, count, sizeof *list, compare_txids);
    for (size_t i = 0; i + 1 < count; i++) {
        unsigned alike = bytes_alike(list[i].txid, list[i + 1].txid);
        uint8_t needed = (uint8_t)(2 * (alike < HASH256_SIZE ? alike + 1 : alike));
        for (size_t j = i; j <= i + 1; j++) {
            struct tdag_name *name = &tdags->names[list[j].dag - 1];
            name->digits = name->digits < needed ? needed : name->digits;
        }
    }
    mem_free(list);
    return STATUS_OK;
}

enum status tdags_name(const struct forest *forest, struct tdags *tdags, struct fault *fault)
{
    struct named *list = mem_alloc(tdags->count, sizeof *list), *spare = mem_alloc(tdags->count, sizeof *list);
    enum status status = list && spare && mem_renew(&tdags->names, tdags->count, sizeof *tdags->names) ? STATUS_OK
                                                                                                       : STATUS_NOMEM;
    for (uint32_t d = 1; status == STATUS_OK && d <= tdags->count; d++) {
        const struct hash256 *txid = first_txid(forest, tdags, d);
        uint64_t key = load_le64(txid->bytes + HASH256_SIZE - sizeof key);
        list[d - 1] = (struct named){key, d};
        tdags->names[d - 1] = (struct tdag_name){(uint32_t)(key >> 32), (uint32_t)key, TDAG_NAME_MIN};
    }
    struct named *sorted = status == STATUS_OK ? sort_by_key(list, spare, tdags->count, sizeof *list) : NULL;
    for (size_t i = 0, end; status == STATUS_OK && i < tdags->count; i = end) {
        for (end = i + 1; end < tdags->count && sorted[end].key == sorted[i].key; end++)
            ;
        if (end - i > 1)
            status = lengthen(forest, tdags, sorted + i, end - i);
    }
    mem_free(list);
    mem_free(spare);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

char *tdag_put_name(const struct forest *forest, const struct tdags *tdags, uint32_t dag, char *out)
{
    const struct tdag_name *name = &tdags->names[dag - 1];
    char *end = hash256_digits((uint64_t)name->high << 32 | name->low, out);
    if (name->digits == TDAG_NAME_MIN)
        return end;
    char hex[HASH256_HEX_SIZE];
    hash256_hex(first_txid(forest, tdags, dag), hex);
    memcpy(out, hex, name->digits);
    return out + name->digits;
}
