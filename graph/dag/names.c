#include "graph/dag/names.h"

#include <stdbool.h>
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

/* Two bits for each of some hashes of keys: whether none, one or more keys had it. Only keys of the last sort may be
 * equal, and they are few. */
struct marks {
    uint8_t *bits; /* of four hashes a byte */
    unsigned shift;
    uint32_t shared; /* keys of the last sort */
};

enum { MARK_NONE, MARK_ONE, MARK_MORE };

/* Eight hashes a key or more. */
static enum status begin_marks(struct marks *marks, uint32_t count)
{
    unsigned bits = 6;
    while ((uint64_t)1 << bits < (uint64_t)count * 8)
        bits++;
    *marks = (struct marks){.bits = mem_alloc_large((size_t)1 << (bits - 2), 1), .shift = 64 - bits};
    return marks->bits ? STATUS_OK : STATUS_NOMEM;
}

static uint8_t *find_mark(const struct marks *marks, uint64_t key, unsigned *at)
{
    uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15) >> marks->shift;
    *at = (unsigned)(hash & 3) * 2;
    return &marks->bits[hash >> 2];
}

static void add_mark(struct marks *marks, uint64_t key)
{
    unsigned at;
    uint8_t *bits = find_mark(marks, key, &at);
    unsigned mark = *bits >> at & 3;
    if (mark == MARK_MORE)
        marks->shared++;
    else
        *bits = (uint8_t)(*bits + (1u << at));
    if (mark == MARK_ONE)
        marks->shared += 2;
}

static bool is_shared(const struct marks *marks, uint64_t key)
{
    unsigned at;
    const uint8_t *bits = find_mark(marks, key, &at);
    return (*bits >> at & 3) == MARK_MORE;
}

/* Lengthens the names whose first digits are another's, too. */
static enum status lengthen_all(const struct forest *forest, struct tdags *tdags, const struct marks *marks)
{
    struct named *list = mem_alloc(marks->shared, sizeof *list), *spare = mem_alloc(marks->shared, sizeof *list);
    enum status status = list && spare ? STATUS_OK : STATUS_NOMEM;
    uint32_t count = 0;
    for (uint32_t d = 1; status == STATUS_OK && d <= tdags->count; d++) {
        uint64_t key = (uint64_t)tdags->names[d - 1].high << 32 | tdags->names[d - 1].low;
        if (is_shared(marks, key))
            list[count++] = (struct named){key, d};
    }
    const struct named *sorted = status == STATUS_OK ? sort_by_key(list, spare, count, sizeof *list) : NULL;
    for (uint32_t i = 0, end; status == STATUS_OK && i < count; i = end) {
        for (end = i + 1; end < count && sorted[end].key == sorted[i].key; end++)
            ;
        if (end - i > 1)
            status = lengthen(forest, tdags, sorted + i, end - i);
    }
    mem_free(list);
    mem_free(spare);
    return status;
}

enum status tdags_name(const struct forest *forest, struct tdags *tdags, struct fault *fault)
{
    struct marks marks;
    enum status status = begin_marks(&marks, tdags->count);
    if (status == STATUS_OK && !mem_renew(&tdags->names, tdags->count, sizeof *tdags->names))
        status = STATUS_NOMEM;
    for (uint32_t d = 1; status == STATUS_OK && d <= tdags->count; d++) {
        if (d + FOREST_AHEAD <= tdags->count)
            __builtin_prefetch(first_txid(forest, tdags, d + FOREST_AHEAD));
        const struct hash256 *txid = first_txid(forest, tdags, d);
        uint64_t key = load_le64(txid->bytes + HASH256_SIZE - sizeof key);
        tdags->names[d - 1] = (struct tdag_name){(uint32_t)(key >> 32), (uint32_t)key, TDAG_NAME_MIN};
        add_mark(&marks, key);
    }
    if (status == STATUS_OK)
        status = lengthen_all(forest, tdags, &marks);
    mem_free(marks.bits);
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
