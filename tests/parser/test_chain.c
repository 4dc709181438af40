/* The chain is compared with what a node answered for its own files, and with work computed by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "parser/blkfile.h"
#include "parser/chain.h"
#include "parser/mem.h"
#include "parser/sha256.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define BITS_WORK_2 0x207fffffu /* regtest's: 2^256 / 2^255 */

/* ---- headers made here ---- */

struct header {
    uint8_t bytes[BLOCK_HEADER_SIZE];
    struct hash256 hash;
};

/* `tag` makes siblings differ. */
static struct header make_header(const struct hash256 *prev, uint32_t bits, uint32_t tag)
{
    struct header header = {.bytes = {1}};
    if (prev)
        memcpy(header.bytes + 4, prev->bytes, HASH256_SIZE);
    store_le32(header.bytes + 68, tag);
    store_le32(header.bytes + 72, bits);
    sha256d(header.bytes, BLOCK_HEADER_SIZE, &header.hash);
    return header;
}

static uint32_t add(struct chain *chain, const struct header *header)
{
    uint32_t node;
    assert_int_equal(chain_add(chain, header->bytes, 0, 8, 81, &node, NULL), STATUS_OK);
    return node;
}

static struct chain *new_chain(const struct header *genesis)
{
    struct chain *chain;
    assert_int_equal(chain_new(&genesis->hash, &chain, NULL), STATUS_OK);
    return chain;
}

static uint32_t link_to_tip(struct chain *chain)
{
    assert_int_equal(chain_link(chain, NULL, NULL), STATUS_OK);
    return chain_find(chain, &chain_active(chain, chain_height(chain))->hash);
}

/* ---- tests ---- */

#define MOST                                                                                                           \
    {                                                                                                                  \
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff                 \
    }

static void test_work_of_compact_targets(void **state)
{
    (void)state;
    static const struct {
        uint32_t bits;
        uint8_t work[16]; /* little-endian, at most 2^128 - 1 */
    } cases[] = {
        {0x1d00ffff, {0x01, 0x00, 0x01, 0x00, 0x01}}, /* 2^256 / (0xffff * 2^208 + 1) = 0x100010001 */
        {0x207fffff, {2}},
        {0x2100ffff, {1}},  /* 2^256 / (0xffff * 2^240 + 1) */
        {0x03000001, MOST}, /* target 1: 2^255 */
        {0x01010000, MOST},
        {0x0300ffff, MOST}, /* target 0xffff: 2^240 */
        {0x1300ffff,
         {[14] = 0x01, [12] = 0x01, [10] = 0x01, [8] = 0x01, [6] = 0x01, [4] = 0x01, [2] = 0x01, [0] = 0x01}},
        {0x1100ffff, MOST}, /* 2^256 / (0xffff * 2^112 + 1) > 2^128 */
        {0x00000000, {0}},
        {0x01003456, {0}}, /* mantissa shifted away */
        {0x04923456, {0}}, /* negative */
        {0x22000100, {0}}, /* overflow by one bit */
        {0x23000001, {0}},
        {0xff123456, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct header genesis = make_header(NULL, cases[i].bits, 0);
        struct chain *chain = new_chain(&genesis);
        assert_memory_equal(chain_at(chain, add(chain, &genesis))->work, cases[i].work, 16);
        chain_free(chain);
    }
}

static void test_sum_of_work_saturates(void **state)
{
    (void)state;
    struct header genesis = make_header(NULL, 0x1101ffff, 0); /* a little more than 2^127 each */
    struct header second = make_header(&genesis.hash, 0x1101ffff, 1), third = make_header(&second.hash, BITS_WORK_2, 2);
    struct chain *chain = new_chain(&genesis);
    uint8_t most[16];
    memset(most, 0xff, sizeof most);
    add(chain, &genesis);
    uint32_t node = add(chain, &second), last = add(chain, &third);
    assert_int_equal(link_to_tip(chain), node); /* no more work than its predecessor, which was first */
    assert_memory_equal(chain_at(chain, node)->work, most, 16);
    assert_memory_equal(chain_at(chain, last)->work, most, 16);
    chain_free(chain);
}

static void test_more_work_beats_more_blocks(void **state)
{
    (void)state;
    struct header genesis = make_header(NULL, BITS_WORK_2, 0);
    struct header a1 = make_header(&genesis.hash, BITS_WORK_2, 1), a2 = make_header(&a1.hash, BITS_WORK_2, 2);
    struct header heavy = make_header(&genesis.hash, 0x201fffff, 3); /* 2^256 / 2^253 = 8 > 4 */
    struct chain *chain = new_chain(&genesis);
    uint32_t n2 = add(chain, &a2), n1 = add(chain, &a1);
    add(chain, &genesis);
    uint32_t h = add(chain, &heavy);
    assert_int_equal(link_to_tip(chain), h);
    assert_int_equal(chain_height(chain), 1);
    assert_int_equal(chain_at(chain, n2)->state, CHAIN_STALE);
    assert_int_equal(chain_at(chain, n2)->height, 2);
    assert_int_equal(chain_at(chain, n2)->prev, n1);
    assert_null(chain_active(chain, 2));
    chain_free(chain);
}

static void test_first_tip_wins_a_tie(void **state)
{
    (void)state;
    struct header genesis = make_header(NULL, BITS_WORK_2, 0);
    struct header a1 = make_header(&genesis.hash, BITS_WORK_2, 1), a2 = make_header(&a1.hash, BITS_WORK_2, 2);
    struct header b1 = make_header(&genesis.hash, BITS_WORK_2, 3), b2 = make_header(&b1.hash, BITS_WORK_2, 4);
    struct chain *chain = new_chain(&genesis);
    add(chain, &genesis);
    add(chain, &a1);
    uint32_t first = add(chain, &b2); /* the tips' own order counts, not that of their parents */
    add(chain, &a2);
    add(chain, &b1);
    add(chain, &b2);
    assert_int_equal(chain_count(chain), 5);
    assert_int_equal(link_to_tip(chain), first);
    chain_free(chain);
}

static void test_later_blocks_join(void **state)
{
    (void)state;
    struct header genesis = make_header(NULL, BITS_WORK_2, 0);
    struct header a1 = make_header(&genesis.hash, BITS_WORK_2, 1), a2 = make_header(&a1.hash, BITS_WORK_2, 2);
    struct header a3 = make_header(&a2.hash, BITS_WORK_2, 3), b1 = make_header(&genesis.hash, BITS_WORK_2, 4);
    struct chain *chain = new_chain(&genesis);
    struct fault fault = {0};
    add(chain, &a3);
    assert_int_equal(chain_link(chain, NULL, &fault), STATUS_NOT_FOUND);
    add(chain, &genesis);
    add(chain, &b1);
    assert_int_equal(chain_link(chain, NULL, &fault), STATUS_OK);
    assert_int_equal(chain_height(chain), 1);
    assert_int_equal(chain_detached(chain), 1);
    assert_int_equal(chain_link(chain, &a3.hash, &fault), STATUS_NOT_FOUND);
    assert_int_equal(chain_link(chain, &a2.hash, &fault), STATUS_NOT_FOUND);
    add(chain, &a2);
    add(chain, &a1);
    assert_int_equal(chain_link(chain, NULL, &fault), STATUS_OK);
    assert_int_equal(chain_height(chain), 3);
    assert_int_equal(chain_detached(chain), 0);
    const uint8_t work[16] = {8};
    assert_memory_equal(chain_active(chain, 3)->work, work, 16);
    assert_int_equal(chain_link(chain, &b1.hash, &fault), STATUS_OK);
    assert_memory_equal(&chain_active(chain, 1)->hash, &b1.hash, sizeof b1.hash);
    assert_null(chain_active(chain, 2));
    chain_free(chain);
}

/* A block that is in the files several times can move to each of its places, once. */
static void test_copies_of_a_block(void **state)
{
    (void)state;
    struct header genesis = make_header(NULL, BITS_WORK_2, 0), a1 = make_header(&genesis.hash, BITS_WORK_2, 1);
    struct chain *chain = new_chain(&genesis);
    uint32_t g = add(chain, &genesis), node;
    bool seen[5] = {false};
    for (uint32_t file = 0; file < 5; file++)
        assert_int_equal(chain_add(chain, a1.bytes, file, 8 + file, 100 + file, &node, NULL), STATUS_OK);
    assert_int_equal(chain_count(chain), 2);
    assert_int_equal(chain_at(chain, node)->file, 0);
    for (unsigned i = 0; i < 5; i++) {
        const struct chain_block *block = chain_at(chain, node);
        assert_true(block->file < 5 && !seen[block->file]);
        assert_int_equal(block->offset, 8 + block->file);
        assert_int_equal(block->size, 100 + block->file);
        seen[block->file] = true;
        assert_int_equal(chain_next_copy(chain, node), i < 4);
    }
    assert_false(chain_next_copy(chain, g));
    chain_free(chain);
}

/* A block without a place takes the first that is added, and no copy without one. */
static void test_copies_without_a_place(void **state)
{
    (void)state;
    struct header genesis = make_header(NULL, BITS_WORK_2, 0);
    struct chain *chain = new_chain(&genesis);
    uint32_t node;
    assert_int_equal(chain_add(chain, genesis.bytes, CHAIN_NONE, 8, 100, &node, NULL), STATUS_OK);
    assert_int_equal(chain_add(chain, genesis.bytes, CHAIN_NONE, 9, 101, NULL, NULL), STATUS_OK);
    assert_int_equal(chain_at(chain, node)->file, CHAIN_NONE);
    assert_int_equal(chain_add(chain, genesis.bytes, 3, 10, 102, NULL, NULL), STATUS_OK);
    assert_int_equal(chain_add(chain, genesis.bytes, CHAIN_NONE, 11, 103, NULL, NULL), STATUS_OK);
    assert_int_equal(chain_at(chain, node)->file, 3);
    assert_int_equal(chain_at(chain, node)->offset, 10);
    assert_false(chain_next_copy(chain, node));
    chain_free(chain);
}

/* 300,000 blocks, the tip first: deep enough to end any recursion. */
static void test_deep_chain_in_reverse(void **state)
{
    (void)state;
    enum { DEPTH = 300000 };
    struct header *headers = calloc(DEPTH, sizeof *headers);
    assert_non_null(headers);
    for (uint32_t i = 0; i < DEPTH; i++)
        headers[i] = make_header(i ? &headers[i - 1].hash : NULL, BITS_WORK_2, i);
    struct chain *chain = new_chain(&headers[0]);
    for (uint32_t i = DEPTH; i-- > 0;)
        add(chain, &headers[i]);
    assert_int_equal(link_to_tip(chain), 0);
    assert_int_equal(chain_height(chain), DEPTH - 1);
    for (uint32_t i = 0; i < DEPTH; i += 997)
        assert_memory_equal(&chain_active(chain, i)->hash, &headers[i].hash, HASH256_SIZE);
    chain_free(chain);
    free(headers);
}

static void test_allocation_failure_is_reported(void **state)
{
    (void)state;
    struct header genesis = make_header(NULL, BITS_WORK_2, 0), next = make_header(&genesis.hash, BITS_WORK_2, 1);
    bool done = false;
    for (long allowed = 0; !done && allowed < 100; allowed++) {
        struct chain *chain = NULL;
        mem_fail_after(allowed);
        enum status status = chain_new(&genesis.hash, &chain, NULL);
        if (status == STATUS_OK)
            status = chain_add(chain, genesis.bytes, 0, 8, 81, NULL, NULL);
        if (status == STATUS_OK)
            status = chain_add(chain, next.bytes, 0, 8, 81, NULL, NULL);
        if (status == STATUS_OK)
            status = chain_link(chain, NULL, NULL);
        mem_fail_after(-1);
        chain_free(chain);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        done = status == STATUS_OK;
        assert_false(done && allowed == 0);
    }
    assert_true(done);
}

/* ---- a node's own chains ---- */

struct place {
    size_t file;
    size_t record;
};

/* Adds all records of a blocks folder, in the order of the files or shuffled. */
static struct chain *read_chain(const char *path, bool shuffled)
{
    struct blkdir dir;
    assert_int_equal(blkdir_open(path, "regtest", &dir, NULL), STATUS_OK);
    struct blk_scan *scans = calloc(dir.count, sizeof *scans);
    size_t total = 0, at = 0;
    for (size_t i = 0; i < dir.count; i++) {
        assert_int_equal(blk_scan_file(&dir, i, NULL, &scans[i], NULL), STATUS_OK);
        total += scans[i].count;
    }
    struct place *places = calloc(total, sizeof *places);
    for (size_t i = 0; i < dir.count; i++)
        for (size_t r = 0; r < scans[i].count; r++)
            places[at++] = (struct place){i, r};
    for (size_t i = total; shuffled && i > 1; i--) {
        size_t other = (size_t)rand() % i;
        struct place swap = places[i - 1];
        places[i - 1] = places[other];
        places[other] = swap;
    }
    struct chain *chain;
    assert_int_equal(chain_new(&network_by_name("regtest")->genesis, &chain, NULL), STATUS_OK);
    for (size_t i = 0; i < total; i++) {
        const struct blk_record *record = &scans[places[i].file].records[places[i].record];
        assert_int_equal(
            chain_add(chain, record->header, (uint32_t)places[i].file, record->offset + 8, record->size, NULL, NULL),
            STATUS_OK);
    }
    for (size_t i = 0; i < dir.count; i++)
        blk_scan_free(&scans[i]);
    free(scans);
    free(places);
    blkdir_free(&dir);
    return chain;
}

/* The active blocks are those that the node lists, at the same heights. */
static void compare_with_node(const struct chain *chain, const char *folder)
{
    struct table blocks = table_read(path_of("%s/truth/blocks.csv", folder));
    assert_int_equal(chain_height(chain) + 1, blocks.rows);
    for (uint32_t height = 0; height < blocks.rows; height++) {
        struct hash256 hash;
        assert_int_equal(table_number(&blocks, height, table_column(&blocks, "height")), height);
        assert_true(hash256_parse(table_get(&blocks, height, "hash"), &hash));
        const struct chain_block *block = chain_active(chain, height);
        assert_memory_equal(&block->hash, &hash, sizeof hash);
        assert_int_equal(block->height, height);
        assert_int_equal(block->state, CHAIN_ACTIVE);
        assert_int_equal(block->time, table_number(&blocks, height, table_column(&blocks, "time")));
    }
    table_free(&blocks);
}

static void node_tip(const char *folder, struct hash256 *tip)
{
    struct json json = json_open(path_of("%s/truth/chain.json", folder));
    assert_true(hash256_parse(json_find(&json, "tip_hash"), tip));
    json_close(&json);
}

static void check_folder(const char *folder, bool has_tie, bool most_work_is_invalid)
{
    struct hash256 tip;
    node_tip(folder, &tip);
    for (unsigned round = 0; round < 4; round++) {
        struct chain *chain = read_chain(folder, round > 0);
        bool pin = most_work_is_invalid || (has_tie && round > 0);
        assert_int_equal(chain_link(chain, NULL, NULL), STATUS_OK);
        if (most_work_is_invalid)
            assert_memory_not_equal(&chain_active(chain, chain_height(chain))->hash, &tip, sizeof tip);
        if (pin)
            assert_int_equal(chain_link(chain, &tip, NULL), STATUS_OK);
        compare_with_node(chain, folder);
        assert_int_equal(chain_detached(chain), 0);
        chain_free(chain);
    }
}

static void test_bundled_chains_as_the_node_saw_them(void **state)
{
    (void)state;
    check_folder("tests/fixtures/regtest-xor", false, false);
    check_folder("tests/fixtures/crash", false, false);
    check_folder("tests/fixtures/dup-txid", false, false);
    check_folder("tests/fixtures/genesis", false, false);
}

static void test_shared_chains_as_the_node_saw_them(void **state)
{
    (void)state;
    if (!path_exists("../shared/fixtures")) {
        print_message("skipped: no ../shared/fixtures here, so no chain with two tips of equal work and none that its "
                      "node found invalid\n");
        skip();
    }
    check_folder("../shared/fixtures/regtest-xor", false, false);
    check_folder("../shared/fixtures/extras/crash", false, false);
    check_folder("../shared/fixtures/extras/padding", false, false);
    check_folder("../shared/fixtures/extras/tie", true, false);
    check_folder("../shared/fixtures/extras/invalid", false, true);
}

int main(void)
{
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_of_compact_targets),
        cmocka_unit_test(test_sum_of_work_saturates),
        cmocka_unit_test(test_more_work_beats_more_blocks),
        cmocka_unit_test(test_first_tip_wins_a_tie),
        cmocka_unit_test(test_later_blocks_join),
        cmocka_unit_test(test_copies_of_a_block),
        cmocka_unit_test(test_copies_without_a_place),
        cmocka_unit_test(test_deep_chain_in_reverse),
        cmocka_unit_test(test_allocation_failure_is_reported),
        cmocka_unit_test(test_bundled_chains_as_the_node_saw_them),
        cmocka_unit_test(test_shared_chains_as_the_node_saw_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
