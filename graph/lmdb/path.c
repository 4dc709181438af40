#include "graph/lmdb/path.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "graph/lmdb/page.h"
#include "parser/mem.h"

struct paths {
    struct pages_file file;
    uint32_t page_size;
    uint64_t pages;     /* of the file when it was opened; those that it grew by are read and looked at each time */
    const uint8_t *map; /* of these */
    uint8_t *sound;     /* a bit for each of these */
};

struct key {
    uint8_t bytes[PAGE_KEY_MAX];
    size_t size;
};

struct tree {
    struct paths *paths;
    struct fault *fault;
    uint64_t root;
    unsigned depth;
};

/* Which node of each level leads to the leaf. */
struct path {
    unsigned at[PAGE_DEPTH_MAX];
    unsigned count[PAGE_DEPTH_MAX];
    unsigned given; /* so many levels are not chosen but taken */
    int end;        /* the others lead to the key (0), or to the first (1) or last (-1) leaf below */
    bool bound_low;
    bool bound_high;
    struct key low;  /* no key of the leaf is below it */
    struct key high; /* every key of the leaf is below it */
};

static enum status damaged(const struct tree *tree, uint64_t page)
{
    return pages_damaged(&tree->paths->file, page * tree->paths->page_size, "a page is malformed", tree->fault);
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

static bool is_in_file(const struct paths *paths, uint64_t first, uint64_t count)
{
    struct stat info;
    uint64_t pages = paths->pages;
    if ((first >= pages || count > pages - first) && fstat(paths->file.fd, &info) == 0)
        pages = (uint64_t)info.st_size / paths->page_size;
    return first < pages && count <= pages - first;
}

/* Values lie in the page or in pages of the file. */
static bool values_are_sound(const struct paths *paths, const uint8_t *page)
{
    for (unsigned i = 0; i < page_nodes(page); i++) {
        const uint8_t *node = page_node(page, i);
        unsigned flags = load_le16(node + NODE_FLAGS);
        if (flags != 0 && flags != F_BIGDATA)
            return false;
        if (flags == F_BIGDATA &&
            !is_in_file(paths, load_le64(node_data(node)), page_count_of(node_data_size(node), paths->page_size)))
            return false;
    }
    return true;
}

static bool was_sound(const struct paths *paths, uint64_t number)
{
    return number < paths->pages && __atomic_load_n(&paths->sound[number / 8], __ATOMIC_RELAXED) >> number % 8 & 1;
}

static bool look_at(struct paths *paths, const uint8_t *page, uint64_t number, bool leaf)
{
    if (!page_is_sound(page, paths->page_size, number, leaf) || !keys_are_sound(page, leaf) ||
        (leaf && !values_are_sound(paths, page)))
        return false;
    if (number < paths->pages)
        __atomic_fetch_or(&paths->sound[number / 8], (uint8_t)(1u << number % 8), __ATOMIC_RELAXED);
    return true;
}

/* NULL with *status if it is damaged or cannot be read. `buffer` is for a page that is not in the map. A page that was
 * sound may have been the other kind of page since. */
static const uint8_t *get_page(const struct tree *tree, uint64_t number, bool leaf, uint8_t *buffer,
                               enum status *status)
{
    struct paths *paths = tree->paths;
    const uint8_t *page = number < paths->pages ? paths->map + number * paths->page_size : buffer;
    if (page == buffer) {
        *status = is_in_file(paths, number, 1)
                      ? pages_read(&paths->file, number * paths->page_size, buffer, paths->page_size, tree->fault)
                      : damaged(tree, number);
        if (*status != STATUS_OK)
            return NULL;
    }
    bool known = was_sound(paths, number) && load_le16(page + PAGE_FLAGS) == (leaf ? P_LEAF : P_BRANCH);
    if (known || look_at(paths, page, number, leaf))
        return page;
    *status = damaged(tree, number);
    return NULL;
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
    uint8_t buffer[PAGE_SIZE_MAX];
    uint64_t number = tree->root;
    enum status status = STATUS_OK;
    path->bound_low = path->bound_high = false;
    for (unsigned level = 0; level < tree->depth; level++) {
        bool leaf = level + 1 == tree->depth;
        const uint8_t *page = get_page(tree, number, leaf, buffer, &status);
        if (!page)
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

/* The leaf before (-1) or after (1) that of the path, if there is one. */
static enum status follow_neighbour(const struct tree *tree, const struct path *path, int side)
{
    struct path neighbour = *path;
    unsigned level = tree->depth - 1;
    while (level > 0 && (side < 0 ? path->at[level - 1] == 0 : path->at[level - 1] + 1 == path->count[level - 1]))
        level--;
    if (level == 0)
        return STATUS_OK;
    neighbour.at[level - 1] = side < 0 ? neighbour.at[level - 1] - 1 : neighbour.at[level - 1] + 1;
    neighbour.given = level;
    neighbour.end = side;
    return follow(tree, &neighbour, NULL);
}

enum status path_check(struct paths *paths, const uint8_t *record, const void *key, size_t key_size,
                       enum path_reach reach, struct fault *fault)
{
    struct tree tree = {
        .paths = paths, .fault = fault, .root = load_le64(record + DB_ROOT), .depth = load_le16(record + DB_DEPTH)};
    struct path path = {.given = 0};
    struct key wanted = {.size = key_size};
    if (tree.root == PAGE_NO_ROOT && tree.depth == 0)
        return STATUS_OK;
    if (tree.depth == 0 || tree.depth > PAGE_DEPTH_MAX)
        return damaged(&tree, 0);
    if (key_size > 0)
        memcpy(wanted.bytes, key, key_size);
    enum status status = follow(&tree, &path, &wanted);
    unsigned at = path.at[tree.depth - 1], count = path.count[tree.depth - 1];
    if (status == STATUS_OK && (reach == PATH_BOTH || (reach == PATH_STEP && at == 0)))
        status = follow_neighbour(&tree, &path, -1);
    if (status == STATUS_OK && (reach == PATH_BOTH || (reach == PATH_STEP && at + 1 >= count)))
        status = follow_neighbour(&tree, &path, 1);
    return status;
}

/* ---- opening ---- */

static enum status map_file(struct paths *paths, struct fault *fault)
{
    struct stat info;
    if (fstat(paths->file.fd, &info) != 0)
        return fault_errno(fault, paths->file.path, FAULT_NO_OFFSET, "cannot read the %s", paths->file.noun);
    paths->pages = (uint64_t)info.st_size / paths->page_size;
    void *map = mmap(NULL, (size_t)(paths->pages * paths->page_size), PROT_READ, MAP_SHARED, paths->file.fd, 0);
    if (map == MAP_FAILED)
        return fault_errno(fault, paths->file.path, FAULT_NO_OFFSET, "cannot read the %s", paths->file.noun);
    paths->map = map;
    paths->sound = mem_alloc((size_t)(paths->pages / 8 + 1), 1);
    return paths->sound ? STATUS_OK : fault_nomem(fault);
}

enum status paths_open(const struct pages_file *file, uint32_t page_size, struct paths **out, struct fault *fault)
{
    *out = NULL;
    struct paths *paths = mem_alloc(1, sizeof *paths);
    if (!paths)
        return fault_nomem(fault);
    paths->file = *file;
    paths->page_size = page_size;
    enum status status = map_file(paths, fault);
    if (status == STATUS_OK)
        *out = paths;
    else
        paths_close(paths);
    return status;
}

void paths_close(struct paths *paths)
{
    if (!paths)
        return;
    if (paths->map) /* as mmap gave it, which is not const. NOLINTNEXTLINE(performance-no-int-to-ptr) */
        munmap((void *)(uintptr_t)paths->map, (size_t)(paths->pages * paths->page_size));
    mem_free(paths->sound);
    mem_free(paths);
}
