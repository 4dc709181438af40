/* store_model: a store in a folder of one test, and what it must hold: for the test programs of the store. */
#ifndef UNKTX_TESTS_GRAPH_STORE_MODEL_H
#define UNKTX_TESTS_GRAPH_STORE_MODEL_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/store/store.h"
#include "graph/test_hooks.h"
#include "parser/network.h"
#include "tests/graph/blocks.h"

static char folder[64];
static struct fault fault;
static struct store_identity identity;

static inline int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/unktx-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    strcat(folder, "/store");
    identity = (struct store_identity){.genesis = network_by_name("regtest")->genesis};
    memcpy(identity.magic, network_by_name("regtest")->magic, 4);
    fault = (struct fault){0};
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    static const char *const files[] = {"data.mdb", "lock.mdb", "writer.lock"};
    char path[128];
    chmod(folder, 0700);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
    *strrchr(folder, '/') = '\0';
    kv_map_step(0);
    return rmdir(folder);
}

static inline struct store *open_store(enum store_mode mode)
{
    struct store *store = NULL;
    enum status status = store_open(folder, mode, mode == STORE_WRITE ? &identity : NULL, &store, &fault);
    if (status != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    return store;
}

/* Opening fails with that status and a text that has these words in it. */
static inline void expect_refusal(enum store_mode mode, const struct store_identity *as, enum status status,
                                  const char *words)
{
    struct store *store = NULL;
    assert_int_equal(store_open(folder, mode, as, &store, &fault), status);
    assert_null(store);
    if (!strstr(fault.text, words))
        fail_msg("'%s' is not in '%s'", words, fault.text);
}

static inline void add_to_store(struct store *store, const struct chain *chain, uint32_t b)
{
    const struct test_block *block = &chain->blocks[b];
    assert_int_equal(store_begin_block(store, &block->record, &fault), STATUS_OK);
    for (uint32_t t = 0; t < block->record.stored_txs; t++) {
        struct buffer blob = {0};
        uint32_t vouts[OUTPUTS_MAX];
        const struct test_tx *tx = &block->txs[t];
        assert_int_equal(outputs_of(tx, &blob, vouts), STATUS_OK);
        assert_int_equal(store_totals_of(store).tracked, tx->record.first_ordinal);
        assert_int_equal(store_add_tx(store, &tx->record, blob.bytes, blob.size, vouts, tx->spends, &fault), STATUS_OK);
        buffer_free(&blob);
    }
    assert_int_equal(store_end_block(store, &fault), STATUS_OK);
}

/* Forgets the model's blocks from `blocks` on. */
static inline void chain_cut(struct chain *chain, uint32_t blocks)
{
    for (; chain->count > blocks; chain->count--) {
        struct test_block *block = &chain->blocks[chain->count - 1];
        for (uint32_t t = 0; t < block->record.stored_txs; t++)
            chain->tracked_count -= block->txs[t].record.tracked;
        chain->txs -= block->record.stored_txs;
        free(block->txs);
    }
}

static inline void expect_totals(const struct store *store, const struct chain *chain)
{
    struct store_totals totals = store_totals_of(store);
    assert_int_equal(totals.blocks, chain->count);
    assert_int_equal(totals.txs, chain->txs);
    assert_int_equal(totals.tracked, chain->tracked_count);
    if (chain->count > 0)
        assert_memory_equal(totals.tip.bytes, chain->blocks[chain->count - 1].record.hash.bytes, 32);
}

/* What is committed, in whole, batch by batch. */
static inline void expect_batches(const struct store_reader *reader, const struct chain *chain)
{
    uint32_t b = 0;
    for (size_t i = 0; i < store_batches(reader); i++) {
        struct batch_view view;
        size_t found;
        assert_int_equal(store_batch(reader, i, &view, &fault), STATUS_OK);
        assert_true(batch_view_intact(&view));
        assert_int_equal(view.first_height, b);
        for (uint32_t n = view.block_count; n > 0; n--, b++) {
            expect_block(chain, b, &view, true);
            assert_int_equal(store_batch_of_height(reader, b, &found, &fault), STATUS_OK);
            assert_int_equal(found, i);
        }
    }
    assert_int_equal(b, chain->count);
    size_t found;
    assert_int_equal(store_batch_of_height(reader, b, &found, &fault), STATUS_NOT_FOUND);
}

/* Single outpoints and blocks, committed or pending. */
static inline void expect_lookups(const struct store_reader *reader, const struct chain *chain)
{
    struct block_record block;
    struct hash256 txid;
    uint32_t vout;
    for (uint32_t b = 0; b < chain->count; b += 1 + below(7)) {
        assert_int_equal(store_block(reader, b, &block, &fault), STATUS_OK);
        expect_block_record(&chain->blocks[b].record, &block);
    }
    assert_int_equal(store_block(reader, chain->count, &block, &fault), STATUS_NOT_FOUND);
    for (size_t i = 0; i < chain->tracked_count; i += 1 + below(5)) {
        assert_int_equal(store_outpoint(reader, i, &txid, &vout, &fault), STATUS_OK);
        assert_memory_equal(txid.bytes, chain->tracked[i].txid.bytes, 32);
        assert_int_equal(vout, chain->tracked[i].vout);
    }
    assert_int_equal(store_outpoint(reader, chain->tracked_count, &txid, &vout, &fault), STATUS_FORMAT);
}

#endif
