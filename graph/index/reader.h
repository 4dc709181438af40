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
    const uint8_t *inputs;   /* the page seen last, NULL at first */
    const uint8_t *outputs;  /* the same */
    uint64_t inputs_page;
    uint64_t outputs_page;
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
