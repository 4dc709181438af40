/* reader: an open index, as its three parts see it: tx_index.c opens it and finds blocks, tx_lookup.c finds
 * transactions, spend_lookup.c what inputs spend and what spends outputs. For these only. */
#ifndef UNKTX_GRAPH_INDEX_READER_H
#define UNKTX_GRAPH_INDEX_READER_H

#include "graph/index/format.h"
#include "parser/search.h"

/* The page of late spends of one run that was looked into last. It is the page to look into for every pair from `first`
 * on that is below `next`. */
struct pairs_page {
    bool loaded;
    const uint8_t *bytes;
    size_t count;
    uint8_t first[PAIR_SIZE]; /* big-endian, as in the key */
    uint8_t next[PAIR_SIZE];  /* where the next page of the run begins; all ones after the last page */
};

/* Tables whose pages may be looked at through windows; of txids the oldest run. */
enum windowed { WINDOW_TXIDS, WINDOW_TXS, WINDOW_OUTPUTS, WINDOWS };

/* Pages of a table whose checksum was looked at: a bit each. */
struct known_pages {
    uint8_t *bits;   /* NULL: none yet */
    uint64_t number; /* of bits, a power of 2 */
};

/* The page of a table of fixed width that was looked into last. */
struct records_page {
    const uint8_t *bytes; /* NULL: none */
    uint64_t number;
};

struct tx_index {
    struct shared *shared; /* NULL: the kv is the builder's */
    struct kv *kv;
    struct kv_view *view;
    struct kv_cursor *cursors[INDEX_TABLE_COUNT];
    struct kv_window *windows[WINDOWS]; /* NULL: pages are looked at where they are */
    struct index_state state;
    uint8_t seed[INDEX_SEED_SIZE];
    uint8_t begun[INDEX_BEGUN_SIZE];
    struct index_hasher hasher;
    struct index_tx txs[TXS_A_PAGE_MAX]; /* the page of transactions decoded last */
    unsigned txs_count;
    unsigned txs_left;       /* of that page, which are not decoded yet */
    const uint8_t *txs_page; /* its bytes, while some are left */
    const uint8_t *txs_rest; /* the first of those */
    const uint8_t *txs_end;  /* of the page */
    struct known_pages known[INDEX_TABLE_COUNT];
    struct records_page blocks;
    struct records_page inputs;
    struct records_page outputs;
    struct pairs_page late_pages[INDEX_RUNS_MAX];
};

/* STATUS_FORMAT itself, so that a static analyser sees that it never says OK. */
static inline enum status damaged(const struct tx_index *index, const char *what, struct fault *fault)
{
    (void)kv_damaged(index->kv, what, fault);
    return STATUS_FORMAT;
}

/* STATUS_NOT_FOUND: "the index has no WHAT NUMBER". */
enum status index_has_no(const struct tx_index *index, const char *what, uint64_t number, struct fault *fault)
    MUST_CHECK;

/* The page as the table's window shows it, if there is one. */
static inline enum status look_at_page(struct tx_index *index, enum windowed table, size_t size, const uint8_t **page,
                                       struct fault *fault)
{
    struct kv_window *window = index->windows[table];
    return window ? kv_window_look(window, *page, size, page, fault) : STATUS_OK;
}

/* Takes the checksum off a pair that was read; STATUS_FORMAT if it is not right. */
static inline enum status unseal(const struct tx_index *index, enum index_table table, struct kv_pair *pair,
                                 struct fault *fault)
{
    return index_unseal(index->kv, table, pair, fault);
}

/* The same for a page that many look-ups come to, whose checksum is looked at once: `page` tells it from all others of
 * its table, see index_page_at. */
enum status index_unseal_page(struct tx_index *index, enum index_table table, uint64_t page, struct kv_pair *pair,
                              struct fault *fault) MUST_CHECK;

/* What tells values of so many bytes at least from each other, by where they lie. Whoever takes a page for a known one
 * by it has to see himself that the page is that of its key. */
#define PAGE_AT_LEAST 2048u
static inline uint64_t index_page_at(const uint8_t *value) { return (uintptr_t)value / PAGE_AT_LEAST; }

/* kv_floor, with the checksum looked at and taken off. */
enum status index_floor(struct tx_index *index, enum index_table table, const void *key, size_t key_size,
                        struct kv_pair *pair, struct fault *fault) MUST_CHECK;

/* The pair after the one that the table's cursor is at, the same way: where what is looked for would be between the
 * two, it is not there only if both keys are what they were. */
enum status index_next(struct tx_index *index, enum index_table table, struct kv_pair *pair, struct fault *fault)
    MUST_CHECK;

/* ---- pages of fixed-width records ---- */

/* Bytes that a page has at least, if its table has so many records. */
static inline size_t page_need(uint64_t page, uint64_t total, size_t a_page, size_t record)
{
    uint64_t left = total - page * a_page;
    return (left < a_page ? (size_t)left : a_page) * record;
}

/* Loads a page, of `need` bytes at least. */
enum status index_load_page(struct tx_index *index, enum index_table table, uint64_t number, size_t need,
                            struct records_page *page, struct fault *fault) MUST_CHECK;
/* The same of a table with so many records, unless it is the page that was loaded last. */
static inline enum status records_page(struct tx_index *index, enum index_table table, uint64_t number, uint64_t total,
                                       size_t a_page, size_t record, struct records_page *page, struct fault *fault)
{
    bool loaded = page->bytes && page->number == number;
    return loaded ? STATUS_OK
                  : index_load_page(index, table, number, page_need(number, total, a_page, record), page, fault);
}

/* ---- pages of pairs ---- */

/* How many pairs of the page are not above `pair`. */
static inline size_t pairs_up_to(const uint8_t *bytes, size_t count, const uint8_t pair[PAIR_SIZE])
{
    return LOWER_BOUND(i, 0, count, memcmp(bytes + i * PAIR_SIZE, pair, PAIR_SIZE) <= 0);
}

static inline bool is_of_run(const struct kv_pair *page, uint32_t run)
{
    return page->key_size == PAIR_KEY_SIZE && run_of_key(page->key) == run;
}

#endif
