#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "graph/store/record.h"
#include "parser/mem.h"
#include "tests/graph/blocks.h"

/* Reads a whole batch with every list to its end; the first status that ends it. */
static enum status read_all(const uint8_t *bytes, size_t size, uint64_t *steps)
{
    struct batch_view view;
    struct block_record block;
    struct tx_view tx;
    struct output_record output;
    struct output_place place = {0};
    struct spend_record spend;
    struct hash256 txid;
    uint32_t vout;
    volatile uint8_t sum = 0;
    enum status status = batch_view_open(&view, bytes, size);
    if (status != STATUS_OK)
        return status;
    for (uint64_t i = 0; i < view.tracked; i++)
        if (batch_outpoint(&view, view.first_ordinal + i, &txid, &vout) == STATUS_OK)
            sum = (uint8_t)(sum + txid.bytes[31]);
    for (uint64_t i = 0; i < view.tracked; i++)
        if (batch_output(&view, &place, view.first_ordinal + i, &output) == STATUS_OK && output.script_size > 0)
            sum = (uint8_t)(sum + output.script[output.script_size - 1]);
    while ((status = batch_next_block(&view, &block)) == STATUS_OK) {
        while ((status = batch_next_tx(&view, &tx)) == STATUS_OK) {
            while ((status = tx_next_output(&tx, &output)) == STATUS_OK) {
                for (uint32_t i = 0; i < output.script_size; i++)
                    sum = (uint8_t)(sum + output.script[i]);
                ++*steps;
            }
            if (status == STATUS_NOT_FOUND)
                while ((status = tx_next_spend(&tx, &spend)) == STATUS_OK)
                    ++*steps;
            if (status != STATUS_NOT_FOUND)
                return status;
            ++*steps;
        }
        if (status != STATUS_NOT_FOUND)
            return status;
        ++*steps;
    }
    return status;
}

static void test_round_trip(void **state)
{
    (void)state;
    seed_random();
    for (int run = 0; run < 200; run++) {
        struct chain chain = {0};
        struct batch batch = {0};
        uint32_t blocks = 1 + below(6);
        chain_make(&chain, 1000, 7, 70, blocks);
        batch_reset(&batch, 1000, 7, 70);
        for (uint32_t b = 0; b < blocks; b++)
            add_block(&chain, b, &batch);
        size_t size = batch_size(&batch);
        uint8_t *bytes = malloc(size);
        batch_write(&batch, bytes);
        struct batch_view view;
        assert_int_equal(batch_view_open(&view, bytes, size), STATUS_OK);
        assert_true(batch_view_intact(&view));
        for (uint32_t b = 0; b < blocks; b++)
            expect_block(&chain, b, &view, below(4) != 0);
        struct block_record block;
        assert_int_equal(batch_next_block(&view, &block), STATUS_NOT_FOUND);
        expect_outpoints(&chain, &view);
        batch_free(&batch);
        free(bytes);
        chain_free_all(&chain);
    }
}

static void test_peek(void **state)
{
    (void)state;
    seed_random();
    struct chain chain = {0};
    struct batch batch = {0};
    chain_make(&chain, 0, 0, 0, 5);
    batch_reset(&batch, 0, 0, 0);
    for (uint32_t b = 0; b < 5; b++) {
        struct batch_view view;
        add_block(&chain, b, &batch);
        batch_peek(&batch, &view);
        for (uint32_t i = 0; i <= b; i++)
            expect_block(&chain, i, &view, true);
    }
    struct hash256 txid;
    uint32_t vout;
    for (uint64_t i = 0; i < chain.tracked_count; i++) {
        assert_int_equal(batch_peek_outpoint(&batch, i, &txid, &vout), STATUS_OK);
        assert_memory_equal(txid.bytes, chain.tracked[i].txid.bytes, 32);
        assert_int_equal(vout, chain.tracked[i].vout);
    }
    assert_int_equal(batch_peek_outpoint(&batch, chain.tracked_count, &txid, &vout), STATUS_FORMAT);
    batch_free(&batch);
    chain_free_all(&chain);
}

static uint8_t *encode_some(uint32_t blocks, size_t *size)
{
    struct chain chain = {0};
    struct batch batch = {0};
    chain_make(&chain, 5, 6, 7, blocks);
    batch_reset(&batch, 5, 6, 7);
    for (uint32_t b = 0; b < blocks; b++)
        add_block(&chain, b, &batch);
    *size = batch_size(&batch);
    uint8_t *bytes = malloc(*size);
    batch_write(&batch, bytes);
    batch_free(&batch);
    chain_free_all(&chain);
    return bytes;
}

/* Cut anywhere, with and without a length field that agrees: always told, never read beyond (exact copies for ASan). */
static void test_truncated(void **state)
{
    (void)state;
    seed_random();
    size_t size;
    uint64_t steps = 0;
    uint8_t *bytes = encode_some(4, &size);
    assert_int_equal(read_all(bytes, size, &steps), STATUS_NOT_FOUND);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *part = malloc(cut);
        memcpy(part, bytes, cut);
        assert_int_equal(read_all(part, cut, &steps), STATUS_FORMAT);
        if (cut >= BATCH_HEADER_SIZE) {
            store_le32(part + 4, (uint32_t)cut);
            assert_int_equal(read_all(part, cut, &steps), STATUS_FORMAT);
        }
        free(part);
    }
    free(bytes);
}

/* Bytes changed at random: any answer but a crash, and never more pieces than bytes. */
static void test_hostile(void **state)
{
    (void)state;
    seed_random();
    unsigned caught = 0;
    for (int run = 0; run < 20000; run++) {
        size_t size;
        uint64_t steps = 0;
        static uint8_t *whole;
        static size_t whole_size;
        if (run % 200 == 0) {
            free(whole);
            whole = encode_some(1 + below(3), &whole_size);
        }
        size = whole_size;
        uint8_t *bytes = malloc(size);
        memcpy(bytes, whole, size);
        for (uint32_t flips = 1 + below(4); flips > 0; flips--) {
            size_t at = below(2) ? below((uint32_t)size) : 8 + below(100);
            if (at < size)
                bytes[at] = below(3) ? (uint8_t)next_random() : 0xff;
        }
        enum status status = read_all(bytes, size, &steps);
        assert_true(status == STATUS_FORMAT || status == STATUS_NOT_FOUND);
        assert_true(steps <= size);
        struct batch_view view;
        if (memcmp(bytes, whole, size) != 0 && batch_view_open(&view, bytes, size) == STATUS_OK)
            assert_false(batch_view_intact(&view));
        caught += status == STATUS_FORMAT;
        free(bytes);
        if (run == 19999)
            free(whole);
    }
    print_message("%u of 20000 told by the decoder alone\n", caught);
}

/* LEB128 by hand: DWARF 5, section 7.6, gives 2, 127, 128, 129, 12857. */
static void test_varint(void **state)
{
    (void)state;
    const struct {
        uint64_t value;
        size_t size;
        uint8_t bytes[10];
    } vectors[] = {
        {2, 1, {2}},
        {127, 1, {0x7f}},
        {128, 2, {0x80, 1}},
        {129, 2, {0x81, 1}},
        {12857, 2, {0xb9, 0x64}},
        {UINT64_MAX, 10, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct buffer buffer = {0};
        assert_int_equal(buffer_add_varint(&buffer, vectors[i].value), STATUS_OK);
        assert_int_equal(buffer.size, vectors[i].size);
        assert_memory_equal(buffer.bytes, vectors[i].bytes, buffer.size);
        buffer_free(&buffer);
    }
}

/* An output whose value has a malformed varint after its kind. */
static void test_malformed_varint(void **state)
{
    (void)state;
    const struct {
        size_t size;
        uint8_t bytes[13];
        enum status status;
    } vectors[] = {
        {2, {0x04, 0x05}, STATUS_OK},
        {3, {0x04, 0x85, 0x01}, STATUS_OK},
        {3, {0x04, 0x85, 0x00}, STATUS_FORMAT},                                                  /* not the shortest */
        {2, {0x04, 0x85}, STATUS_FORMAT},                                                        /* cut */
        {11, {0x04, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, STATUS_OK},     /* 2^64 - 1 */
        {11, {0x04, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, STATUS_FORMAT}, /* 2^64 and more */
        {12, {0x04, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00}, STATUS_FORMAT}, /* 11 bytes */
        {2, {0x0b, 0x05}, STATUS_FORMAT},   /* no such kind */
        {3, {0x84, 0x05, 0x00}, STATUS_OK}, /* the rule set hidden alone */
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct tx_view tx = {.outputs = cursor_over(vectors[i].bytes, vectors[i].size), .outputs_left = 1};
        struct output_record output;
        assert_int_equal(tx_next_output(&tx, &output), vectors[i].status);
    }
}

/* Ten blocks like those of the mainnet of 2020 without stored transactions: a fixed cost for each block. */
static void test_small(void **state)
{
    (void)state;
    struct batch batch = {0};
    batch_reset(&batch, 600000, 0, 0);
    for (uint32_t h = 600000; h < 600010; h++) {
        struct block_record block = {.height = h, .time = 1577836800};
        block.counts = (struct block_counts){
            .txs = 2500, .inputs = 6000, .outputs = 7000, .unknown_txs = {300, 300, 300}};
        for (unsigned k = KIND_NULLDATA; k <= KIND_WITNESS_V0_SCRIPTHASH; k += k == KIND_NULLDATA ? 3 : 1) {
            block.counts.kind_count[k] = 1500;
            block.counts.kind_value_sat[k] = k == KIND_NULLDATA ? 0 : 500000000000;
        }
        assert_int_equal(batch_begin_block(&batch, &block), STATUS_OK);
        assert_int_equal(batch_end_block(&batch), STATUS_OK);
    }
    print_message("%zu bytes a block\n", (batch_size(&batch) - BATCH_HEADER_SIZE) / 10);
    assert_true((batch_size(&batch) - BATCH_HEADER_SIZE) / 10 <= 90);
    batch_free(&batch);
}

static void test_no_memory(void **state)
{
    (void)state;
    seed_random();
    struct chain chain = {0};
    chain_make(&chain, 0, 0, 0, 2);
    bool done = false;
    for (long allowed = 0; !done; allowed++) {
        struct batch batch = {0};
        batch_reset(&batch, 0, 0, 0);
        mem_fail_after(allowed);
        enum status status = try_add_block(&chain, 0, &batch);
        if (status == STATUS_OK)
            status = try_add_block(&chain, 1, &batch);
        mem_fail_after(-1);
        done = status == STATUS_OK;
        assert_true(done || status == STATUS_NOMEM);
        batch_free(&batch);
    }
    chain_free_all(&chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_peek),      cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_hostile),    cmocka_unit_test(test_varint),    cmocka_unit_test(test_malformed_varint),
        cmocka_unit_test(test_small),      cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
