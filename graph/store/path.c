#include "graph/store/path.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/store/page.h"

struct key {
    uint8_t bytes[PAGE_KEY_MAX];
    size_t size;
};

struct tree {
    const struct pages_file *file;
    struct fault *fault;
    uint32_t page_size;
    uint64_t pages; /* of the file */
    uint64_t root;
    unsigned depth;
};

/* Which node of each level leads to the leaf. */
struct path {
    unsigned at[PAGE_DEPTH_MAX], count[PAGE_DEPTH_MAX];
    unsigned given; /* so many levels are not chosen but taken */
    int end;        /* the others lead to the key (0), or to the first (1) or last (-1) leaf below */
    bool bound_low, bound_high;
    struct key low, high; /* keys of the leaf are not below the one and are below the other */
};

static enum status damaged(const struct tree *tree, uint64_t page)
{
    return pages_damaged(tree->file, page * tree->page_size, "a page is malformed", tree->fault);
}

static int compare(const uint8_t *node, const struct key *key)
{
    return page_compare_keys(node_key(node), node_key_size(node), key->bytes, key->size);
}

/* Keys ascend and are as long as LMDB takes them; the first one of a branch says nothing. */
static bool keys_are_sound(const uint8_t *page, bool leaf)
{
    unsigned count = page_nodes(page);
    for (unsigned i = leaf ? 0 : 1; i < count; i++) {
        const uint8_t *node = page_node(page, i), *before = page_node(page, i > 0 ? i - 1 : 0);
        if (node_key_size(node) == 0 || node_key_size(node) > PAGE_KEY_MAX)
            return false;
        if (i > (leaf ? 0 : 1) &&
            page_compare_keys(node_key(before), node_key_size(before), node_key(node), node_key_size(node)) >= 0)
            return false;
    }
    return leaf || count >= 2;
}

/* Values lie in the page or in pages of the file. */
static bool values_are_sound(const struct tree *tree, const uint8_t *page)
{
    for (unsigned i = 0; i < page_nodes(page); i++) {
        const uint8_t *node = page_node(page, i);
        unsigned flags = load_le16(node + NODE_FLAGS);
        if (flags != 0 && flags != F_BIGDATA)
            return false;
        if (flags == F_BIGDATA) {
            uint64_t first = load_le64(node_data(node)), count = page_count_of(node_data_size(node), tree->page_size);
            if (first >= tree->pages || count > tree->pages - first)
                return false;
        }
    }
    return true;
}

static enum status read_page(const struct tree *tree, uint64_t number, bool leaf, uint8_t *page)
{
    if (number >= tree->pages)
        return damaged(tree, number);
    enum status status = pages_read(tree->file, number * tree->page_size, page, tree->page_size, tree->fault);
    if (status != STATUS_OK)
        return status;
    return page_is_sound(page, tree->page_size, number, leaf) && keys_are_sound(page, leaf) &&
                   (!leaf || values_are_sound(tree, page))
               ? STATUS_OK
               : damaged(tree, number);
}

/* As LMDB searches: in a leaf the first node that is not below the key, in a branch the last one that is not above. */
static unsigned find(const uint8_t *page, bool leaf, const struct key *key)
{
    unsigned low = leaf ? 0 : 1, high = page_nodes(page);
    while (low < high) {
        unsigned middle = (low + high) / 2;
        int order = compare(page_node(page, middle), key);
        if (order < 0 || (order == 0 && !leaf))
            low = middle + 1;
        else
            high = middle;
    }
    return leaf ? low : low - 1;
}

static void set_key(struct key *key, const uint8_t *node)
{
    key->size = node_key_size(node);
    memcpy(key->bytes, node_key(node), key->size);
}

/* The child at `at` holds the keys between its separator and the next one. */
static void narrow(struct path *path, const uint8_t *page, unsigned at)
{
    if (at > 0 && (!path->bound_low || compare(page_node(page, at), &path->low) > 0)) {
        set_key(&path->low, page_node(page, at));
        path->bound_low = true;
    }
    if (at + 1 < page_nodes(page) && (!path->bound_high || compare(page_node(page, at + 1), &path->high) < 0)) {
        set_key(&path->high, page_node(page, at + 1));
        path->bound_high = true;
    }
}

/* LMDB does not search from the root where the key is in the leaf that it has: both ways must end at the same one. */
static bool is_within(const struct path *path, const uint8_t *leaf)
{
    return (!path->bound_low || compare(page_node(leaf, 0), &path->low) >= 0) &&
           (!path->bound_high || compare(page_node(leaf, page_nodes(leaf) - 1), &path->high) < 0);
}

static enum status follow(const struct tree *tree, struct path *path, const struct key *key)
{
    uint8_t page[PAGE_SIZE_MAX];
    uint64_t number = tree->root;
    path->bound_low = path->bound_high = false;
    for (unsigned level = 0; level < tree->depth; level++) {
        bool leaf = level + 1 == tree->depth;
        enum status status = read_page(tree, number, leaf, page);
        if (status != STATUS_OK)
            return status;
        unsigned count = page_nodes(page);
        if (level >= path->given)
            path->at[level] = path->end == 0 ? find(page, leaf, key) : path->end > 0 ? 0 : count - 1;
        path->count[level] = count;
        if (leaf)
            return is_within(path, page) ? STATUS_OK : damaged(tree, number);
        if (path->at[level] >= count) /* another process has changed the file: not what the first look saw */
            return damaged(tree, number);
        narrow(path, page, path->at[level]);
        number = node_child(page_node(page, path->at[level]));
    }
    return STATUS_OK;
}

/* The leaf before (-1) or behind (1) that of the path, if there is one. */
static enum status follow_beside(const struct tree *tree, const struct path *path, int side)
{
    struct path beside = *path;
    unsigned level = tree->depth - 1;
    while (level > 0 && (side < 0 ? path->at[level - 1] == 0 : path->at[level - 1] + 1 == path->count[level - 1]))
        level--;
    if (level == 0)
        return STATUS_OK;
    beside.at[level - 1] = side < 0 ? beside.at[level - 1] - 1 : beside.at[level - 1] + 1;
    beside.given = level;
    beside.end = side;
    return follow(tree, &beside, NULL);
}

enum status path_check(const struct pages_file *file, uint32_t page_size, const uint8_t *record, const void *key,
                       size_t key_size, enum path_reach reach, struct fault *fault)
{
    struct tree tree = {.file = file, .fault = fault, .page_size = page_size, .root = load_le64(record + DB_ROOT),
                        .depth = load_le16(record + DB_DEPTH)};
    struct path path = {.given = 0};
    struct key wanted = {.size = key_size};
    struct stat info;
    if (fstat(file->fd, &info) != 0)
        return fault_errno(fault, file->path, FAULT_NO_OFFSET, "cannot read the %s", file->noun);
    tree.pages = (uint64_t)info.st_size / page_size;
    if (tree.root == PAGE_NO_ROOT && tree.depth == 0)
        return STATUS_OK;
    if (tree.depth == 0 || tree.depth > PAGE_DEPTH_MAX)
        return damaged(&tree, 0);
    if (key_size > 0)
        memcpy(wanted.bytes, key, key_size);
    enum status status = follow(&tree, &path, &wanted);
    unsigned at = path.at[tree.depth - 1], count = path.count[tree.depth - 1];
    if (status == STATUS_OK && (reach == PATH_BOTH || (reach == PATH_STEP && at == 0)))
        status = follow_beside(&tree, &path, -1);
    if (status == STATUS_OK && (reach == PATH_BOTH || (reach == PATH_STEP && at + 1 >= count)))
        status = follow_beside(&tree, &path, 1);
    return status;
}
