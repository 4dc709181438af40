#include "graph/lmdb/pages.h"

#include <errno.h>
#include <sys/stat.h>

#include "graph/lmdb/page.h"
#include "parser/mem.h"
#include "parser/file.h"

/* Of a meta page; names as in LMDB's mdb.c. */
enum {
    META_MAGIC = PAGE_HEADER,
    META_VERSION = PAGE_HEADER + 4,
    META_DBS = PAGE_HEADER + 24, /* of the free pages, then the main one; the first one's pad is the page size */
    META_LAST = META_DBS + 2 * DB_SIZE,
    META_TXN = META_LAST + 8,
    META_END = META_TXN + 8,
};
enum { FLAG_INTEGERKEY = 8 };

#define MAGIC 0xBEEFC0DEu
#define VERSION 1u /* MDB_DATA_VERSION */
#define METAS 2u

enum meta_kind { META_OK, META_NONE, META_OTHER_VERSION };

enum tree_kind { TREE_FREE, TREE_MAIN, TREE_DATA };

struct tree {
    enum tree_kind kind;
    unsigned depth;
    bool leaves; /* are looked at */
    uint64_t entries;
    uint8_t key[PAGE_KEY_MAX]; /* the last key seen */
    size_t key_size;
    bool bound; /* it was a separator, which the next key may equal */
};

struct walk {
    const struct pages_file *file;
    struct fault *fault;
    uint32_t page_size;
    uint64_t size;   /* of the file */
    uint64_t last;   /* page */
    uint64_t leaves; /* that may still be looked at */
    bool branches;   /* also of trees with more */
    bool whole;      /* all of them were */
    uint8_t *used;   /* a bit for each page */
    uint8_t *pages;  /* one of each level of a tree and of each of the two trees under the walk */
};

enum status pages_damaged(const struct pages_file *file, uint64_t offset, const char *what, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, file->path, offset,
                     "the %s is damaged (%s): delete it and run 'unktx %s' again", file->noun, what, file->verb);
}

enum status pages_read(const struct pages_file *file, uint64_t offset, uint8_t *bytes, size_t size, struct fault *fault)
{
    ssize_t got = file_read_at(file->fd, bytes, size, offset);
    if (got < 0)
        return fault_errno(fault, file->path, offset, "cannot read the %s", file->noun);
    if ((size_t)got < size)
        return pages_damaged(file, offset + (uint64_t)got, "its file is cut short", fault);
    return STATUS_OK;
}

static enum status damaged(const struct walk *walk, uint64_t page, const char *what)
{
    return pages_damaged(walk->file, page * walk->page_size, what, walk->fault);
}

static enum status read_at(const struct walk *walk, uint64_t offset, uint8_t *bytes, size_t size)
{
    return pages_read(walk->file, offset, bytes, size, walk->fault);
}

static enum status size_of(const struct pages_file *file, uint64_t *size, struct fault *fault)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0)
        return fault_errno(fault, file->path, FAULT_NO_OFFSET, "cannot read the %s", file->noun);
    *size = (uint64_t)info.st_size;
    return STATUS_OK;
}

/* ---- meta pages ---- */

static bool meta_is_sound(const uint8_t *meta, uint32_t page_size, uint64_t file_size)
{
    /* A page that was given back within its transaction is never written: the file may end a little before the last. */
    uint64_t most = file_size / page_size + file_size / page_size / 4 + 1024;
    return load_le32(meta + META_DBS + DB_PAD) == page_size &&
           load_le16(meta + META_DBS + DB_FLAGS) == FLAG_INTEGERKEY && load_le64(meta + META_LAST) >= METAS - 1 &&
           load_le64(meta + META_LAST) < most;
}

static bool is_page_size(uint32_t size)
{
    return size >= PAGE_SIZE_MIN && size <= PAGE_SIZE_MAX && (size & (size - 1)) == 0;
}

/* In LMDB's order (mdb_env_read_header): the kind of the page, the magic, and all 32 bits of the data version. */
static enum meta_kind meta_kind_of(const uint8_t *page)
{
    if (!(load_le16(page + PAGE_FLAGS) & P_META) || load_le32(page + META_MAGIC) != MAGIC)
        return META_NONE;
    return load_le32(page + META_VERSION) == VERSION ? META_OK : META_OTHER_VERSION;
}

/* LMDB refuses these files too; a library that takes another version must not see one, since the other checks do not
 * know it. */
static enum status not_ours(const struct pages_file *file, enum meta_kind kind, struct fault *fault)
{
    if (kind == META_NONE)
        return fault_set(fault, STATUS_FORMAT, file->path, FAULT_NO_OFFSET,
                         "this is not an unktx %s, or its beginning is damaged: delete it and run 'unktx %s' again",
                         file->noun, file->verb);
    return fault_set(fault, STATUS_FORMAT, file->path, FAULT_NO_OFFSET,
                     "written by an LMDB library of another format: delete the %s and run 'unktx %s' again", file->noun,
                     file->verb);
}

bool pages_are_half_begun(int fd, uint64_t size)
{
    uint8_t meta[META_END];
    if (size == 0)
        return true;
    return file_read_at(fd, meta, sizeof meta, 0) == (ssize_t)sizeof meta && meta_kind_of(meta) == META_OK &&
           size < (uint64_t)METAS * load_le32(meta + META_DBS + DB_PAD) && load_le64(meta + META_TXN) == 0;
}

enum status pages_check_meta(const struct pages_file *file, struct fault *fault)
{
    struct walk walk = {.file = file, .fault = fault, .page_size = PAGE_SIZE_MIN};
    uint8_t meta[META_END];
    enum status status = size_of(file, &walk.size, fault);
    if (status != STATUS_OK)
        return status;
    for (uint64_t i = 0; i < METAS; i++) {
        status = read_at(&walk, i * walk.page_size, meta, sizeof meta);
        if (status != STATUS_OK)
            return status;
        enum meta_kind kind = meta_kind_of(meta);
        if (kind != META_OK)
            return not_ours(file, kind, fault);
        uint32_t page_size = load_le32(meta + META_DBS + DB_PAD);
        if (!is_page_size(page_size) || (i > 0 && page_size != walk.page_size) ||
            !meta_is_sound(meta, page_size, walk.size))
            return damaged(&walk, i, "a meta page");
        walk.page_size = page_size;
    }
    return STATUS_OK;
}

/* The meta page of that transaction. */
static enum status read_meta(struct walk *walk, uint64_t txn, uint8_t meta[META_END])
{
    enum status status = read_at(walk, 0, meta, META_END);
    if (status != STATUS_OK)
        return status;
    walk->page_size = load_le32(meta + META_DBS + DB_PAD);
    if (!is_page_size(walk->page_size))
        return damaged(walk, 0, "a meta page");
    for (uint64_t i = 0; i < METAS; i++) {
        status = read_at(walk, i * walk->page_size, meta, META_END);
        if (status != STATUS_OK)
            return status;
        if (load_le64(meta + META_TXN) == txn)
            return meta_kind_of(meta) == META_OK && meta_is_sound(meta, walk->page_size, walk->size)
                       ? STATUS_OK
                       : damaged(walk, i, "a meta page");
    }
    return fault_set(walk->fault, STATUS_BUSY, walk->file->path, FAULT_NO_OFFSET,
                     "unktx %s is writing to the %s too fast to follow: run the command again", walk->file->verb,
                     walk->file->noun);
}

/* ---- one page ---- */

/* Takes pages into use; false if one is out of range or in use already. */
static bool claim(struct walk *walk, uint64_t first, uint64_t count)
{
    if (first < METAS || first > walk->last || count == 0 || count > walk->last - first + 1)
        return false;
    for (uint64_t page = first; page < first + count; page++) {
        uint8_t bit = (uint8_t)(1u << page % 8);
        if (walk->used[page / 8] & bit)
            return false;
        walk->used[page / 8] |= bit;
    }
    return true;
}

static enum status read_page(struct walk *walk, uint64_t number, bool leaf, uint8_t *page)
{
    if (!claim(walk, number, 1))
        return damaged(walk, number, "a page is used twice or is none of the file");
    enum status status = read_at(walk, number * walk->page_size, page, walk->page_size);
    if (status != STATUS_OK)
        return status;
    if (!page_is_sound(page, walk->page_size, number, leaf))
        return damaged(walk, number, "a page is malformed");
    return STATUS_OK;
}

/* ---- keys ---- */

static int compare_keys(enum tree_kind kind, const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    if (kind == TREE_FREE) {
        uint64_t x = load_le64(a), y = load_le64(b);
        return (x > y) - (x < y);
    }
    return page_compare_keys(a, a_size, b, b_size);
}

/* Keys and separators must ascend; a separator may equal the key that follows it. */
static bool take_key(struct tree *tree, const uint8_t *node, bool bound)
{
    size_t size = node_key_size(node);
    const uint8_t *key = node_key(node);
    if (size == 0 || size > PAGE_KEY_MAX || (tree->kind == TREE_FREE && size != sizeof(uint64_t)))
        return false;
    if (tree->key_size > 0) {
        int order = compare_keys(tree->kind, tree->key, tree->key_size, key, size);
        if (order > 0 || (order == 0 && (!tree->bound || bound)))
            return false;
    }
    memcpy(tree->key, key, size);
    tree->key_size = size;
    tree->bound = bound;
    return true;
}

/* ---- values ---- */

/* A list of free pages: their number, then the pages, the last first. */
static enum status take_free(struct walk *walk, uint64_t page, const uint8_t *list, size_t size)
{
    uint64_t count = size >= 8 ? load_le64(list) : UINT64_MAX, before = UINT64_MAX;
    if (size % 8 || count > size / 8 - 1)
        return damaged(walk, page, "a list of free pages");
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t number = load_le64(list + 8 * i);
        if (number >= before || !claim(walk, number, 1))
            return damaged(walk, page, "a list of free pages");
        before = number;
    }
    return STATUS_OK;
}

static bool is_large_page(const uint8_t *page, uint64_t count)
{
    return load_le16(page + PAGE_FLAGS) == P_OVERFLOW && load_le32(page + PAGE_COUNT) == count;
}

static enum status take_large_free(struct walk *walk, uint64_t first, uint64_t count, size_t size)
{
    uint8_t *page = mem_alloc(PAGE_HEADER + size, 1);
    if (!page)
        return fault_nomem(walk->fault);
    enum status status = read_at(walk, first * walk->page_size, page, PAGE_HEADER + size);
    if (status == STATUS_OK && (load_le64(page + PAGE_NUMBER) != first || !is_large_page(page, count)))
        status = damaged(walk, first, "a page is malformed");
    if (status == STATUS_OK)
        status = take_free(walk, first, page + PAGE_HEADER, size);
    mem_free(page);
    return status;
}

/* A value in pages of its own. */
static enum status take_large(struct walk *walk, const struct tree *tree, const uint8_t *node)
{
    uint64_t first = load_le64(node_data(node));
    size_t size = node_data_size(node);
    uint64_t count = page_count_of(size, walk->page_size);
    if (!claim(walk, first, count))
        return damaged(walk, first, "a page is used twice or is none of the file");
    if ((first + count) * walk->page_size > walk->size)
        return damaged(walk, first, "its file is cut short");
    return tree->kind == TREE_FREE ? take_large_free(walk, first, count, size) : STATUS_OK;
}

/* Of a node in a page: where two would not fit, mdb.c gives the value pages of its own (me_nodemax). */
static size_t node_size_max(uint32_t page_size) { return ((page_size - PAGE_HEADER) / 2 & ~1u) - sizeof(uint16_t); }

/* The number that the page gives itself is right if the file has the same bytes there, the value's first ones too. */
int pages_check_value(int fd, uint32_t page_size, size_t key_size, const void *value, size_t size, bool *sound)
{
    const uint8_t *page = (const uint8_t *)value - PAGE_HEADER;
    uint8_t there[PAGE_HEADER + 64];
    size_t compared = PAGE_HEADER + (size < 64 ? size : 64);
    /* The pages of a file that was made where pages are larger need not be aligned to their size in memory. */
    *sound = (uintptr_t)page % page_size != 0 && NODE_HEADER + key_size + size <= node_size_max(page_size);
    uint64_t number = *sound ? 0 : load_le64(page + PAGE_NUMBER);
    if (*sound || !is_large_page(page, page_count_of(size, page_size)) || number > INT64_MAX / page_size)
        return 0;
    ssize_t got = file_read_at(fd, there, compared, number * page_size);
    *sound = got == (ssize_t)compared && memcmp(there, page, compared) == 0;
    return got < 0 ? errno : 0;
}

static enum status walk_tree(struct walk *walk, enum tree_kind kind, const uint8_t *db, uint64_t page);

/* One entry of a leaf; `page` is where it stands. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as LMDB's trees, 32 levels and one tree in another. */
static enum status take_value(struct walk *walk, const struct tree *tree, uint64_t page, const uint8_t *node)
{
    unsigned flags = load_le16(node + NODE_FLAGS);
    size_t size = node_data_size(node);
    const uint8_t *data = node_data(node);
    if (tree->kind == TREE_MAIN)
        return flags == F_SUBDATA && size == DB_SIZE ? walk_tree(walk, TREE_DATA, data, page)
                                                     : damaged(walk, page, "its list of databases");
    if (flags == F_BIGDATA)
        return take_large(walk, tree, node);
    if (flags != 0)
        return damaged(walk, page, "a page is malformed");
    return tree->kind == TREE_FREE ? take_free(walk, page, data, size) : STATUS_OK;
}

/* ---- trees ---- */

/* NOLINTNEXTLINE(misc-no-recursion): as deep as LMDB's trees, 32 levels and one tree in another. */
static enum status walk_leaf(struct walk *walk, struct tree *tree, uint64_t number, const uint8_t *page)
{
    enum status status = STATUS_OK;
    unsigned count = page_nodes(page);
    for (unsigned i = 0; i < count && status == STATUS_OK; i++) {
        const uint8_t *node = page_node(page, i);
        status = take_key(tree, node, false) ? take_value(walk, tree, number, node)
                                             : damaged(walk, number, "keys out of order");
    }
    tree->entries += count;
    return status;
}

/* Recurses as deep as the tree, PAGE_DEPTH_MAX at most. The first separator of a branch says nothing. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as LMDB's trees, 32 levels and one tree in another. */
static enum status walk_page(struct walk *walk, struct tree *tree, uint64_t number, unsigned level)
{
    /* the page of the main tree must stay while one that it names is walked */
    uint8_t *page = walk->pages + (size_t)(level + (tree->kind == TREE_DATA ? PAGE_DEPTH_MAX : 0)) * walk->page_size;
    bool leaf = level + 1 == tree->depth;
    enum status status = read_page(walk, number, leaf, page);
    if (status != STATUS_OK)
        return status;
    if (leaf)
        return walk_leaf(walk, tree, number, page);
    unsigned count = page_nodes(page);
    if (count < 2)
        return damaged(walk, number, "a page is malformed");
    for (unsigned i = 0; i < count && status == STATUS_OK; i++) {
        const uint8_t *node = page_node(page, i);
        if (i > 0 && !take_key(tree, node, true))
            return damaged(walk, number, "keys out of order");
        if (tree->leaves || level + 2 < tree->depth)
            status = walk_page(walk, tree, node_child(node), level + 1);
        else if (!claim(walk, node_child(node), 1))
            status = damaged(walk, node_child(node), "a page is used twice or is none of the file");
    }
    return status;
}

/* LMDB goes to the root before it goes to a key. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as LMDB's trees, 32 levels and one tree in another. */
static enum status walk_large_tree(struct walk *walk, struct tree *tree, uint64_t root)
{
    walk->whole = false;
    if (root == PAGE_NO_ROOT)
        return STATUS_OK;
    if (walk->branches)
        return walk_page(walk, tree, root, 0);
    return claim(walk, root, 1) ? STATUS_OK : damaged(walk, root, "a page is used twice or is none of the file");
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as LMDB's trees, 32 levels and one tree in another. */
static enum status walk_tree(struct walk *walk, enum tree_kind kind, const uint8_t *db, uint64_t page)
{
    struct tree tree = {.kind = kind, .depth = load_le16(db + DB_DEPTH)};
    uint64_t root = load_le64(db + DB_ROOT), entries = load_le64(db + DB_ENTRIES);
    if (load_le16(db + DB_FLAGS) != (kind == TREE_FREE ? FLAG_INTEGERKEY : 0) || tree.depth > PAGE_DEPTH_MAX ||
        (root == PAGE_NO_ROOT) != (tree.depth == 0))
        return damaged(walk, page, "the root of a tree");
    uint64_t leaves = load_le64(db + DB_LEAVES);
    tree.leaves = leaves <= walk->leaves || kind != TREE_DATA;
    if (!tree.leaves)
        return walk_large_tree(walk, &tree, root);
    walk->leaves -= leaves <= walk->leaves ? leaves : 0;
    enum status status = root == PAGE_NO_ROOT ? STATUS_OK : walk_page(walk, &tree, root, 0);
    if (status == STATUS_OK && tree.entries != entries)
        status = damaged(walk, page, "a tree has more or fewer entries than it says");
    return status;
}

enum status pages_check(const struct pages_file *file, uint64_t txn, uint64_t leaves, bool branches, bool *whole,
                        struct fault *fault)
{
    struct walk walk = {.file = file, .fault = fault, .leaves = leaves, .branches = branches, .whole = true};
    uint8_t meta[META_END];
    enum status status = size_of(file, &walk.size, fault);
    if (status == STATUS_OK)
        status = read_meta(&walk, txn, meta);
    if (status != STATUS_OK)
        return status;
    walk.last = load_le64(meta + META_LAST);
    walk.used = mem_alloc((size_t)(walk.last / 8 + 1), 1);
    walk.pages = mem_resize(NULL, 2 * (size_t)PAGE_DEPTH_MAX, walk.page_size); /* most of them are never touched */
    if (!walk.used || !walk.pages)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = walk_tree(&walk, TREE_MAIN, meta + META_DBS + DB_SIZE, 0);
    if (status == STATUS_OK)
        status = walk_tree(&walk, TREE_FREE, meta + META_DBS, 0);
    *whole = walk.whole;
    mem_free(walk.used);
    mem_free(walk.pages);
    return status;
}
