#include "graph/lmdb/page.h"

#include <string.h>

/* What the node at `offset` takes; 0 if it does not fit the page. */
static size_t node_size(const uint8_t *page, uint32_t page_size, size_t offset, bool leaf)
{
    if (offset % 2 || offset + NODE_HEADER > page_size)
        return 0;
    const uint8_t *node = page + offset;
    size_t size = NODE_HEADER + node_key_size(node);
    if (leaf)
        size += load_le16(node + NODE_FLAGS) & F_BIGDATA ? sizeof(uint64_t) : node_data_size(node);
    size += size % 2;
    return size <= page_size - offset ? size : 0;
}

/* The nodes must fill the page from its upper mark to its end, one after the other without gaps, in any order. */
static bool nodes_are_sound(const uint8_t *page, uint32_t page_size, bool leaf)
{
    uint16_t node_at[PAGE_SIZE_MAX / 2]; /* by offset / 2: size of the node there, 0 for none */
    size_t lower = load_le16(page + PAGE_LOWER), upper = load_le16(page + PAGE_UPPER);
    if (lower <= PAGE_HEADER || lower % 2 || upper < lower || upper > page_size)
        return false;
    memset(node_at, 0, page_size / 2 * sizeof *node_at);
    unsigned count = page_nodes(page);
    for (unsigned i = 0; i < count; i++) {
        size_t offset = load_le16(page + PAGE_HEADER + 2 * i), size = node_size(page, page_size, offset, leaf);
        if (size == 0 || node_at[offset / 2])
            return false;
        node_at[offset / 2] = (uint16_t)size;
    }
    size_t at = upper;
    for (; at < page_size && node_at[at / 2]; count--)
        at += node_at[at / 2];
    return at == page_size && count == 0;
}

bool page_is_sound(const uint8_t *page, uint32_t page_size, uint64_t number, bool leaf)
{
    return load_le64(page + PAGE_NUMBER) == number && load_le16(page + PAGE_FLAGS) == (leaf ? P_LEAF : P_BRANCH) &&
           nodes_are_sound(page, page_size, leaf);
}

int page_compare_keys(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}
