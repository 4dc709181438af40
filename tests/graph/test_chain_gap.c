/* Each block of a real chain with stale branches is lost in turn: what is called certain must be of the best chain that
 * the node itself told, whatever is left of the files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "graph/scan/chain_gap.h"
#include "tests/support/plan.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

static struct {
    struct blkdir dir;
    struct blk_scan *scans;
    struct hash256 genesis;
    struct hash256 *best; /* by height: as the node told */
    uint32_t height;
} place;

static int set_up(void **state)
{
    (void)state;
    struct table truth = table_read("tests/fixtures/regtest-xor/truth/blocks.csv");
    place.height = (uint32_t)truth.rows - 1;
    place.best = must_alloc(truth.rows, sizeof *place.best);
    for (size_t row = 0; row < truth.rows; row++)
        assert_true(hash256_parse(table_get(&truth, row, "hash"), &place.best[row]));
    table_free(&truth);
    place.genesis = place.best[0];
    assert_int_equal(blkdir_open("tests/fixtures/regtest-xor", NULL, &place.dir, NULL), STATUS_OK);
    place.scans = must_alloc(place.dir.count, sizeof *place.scans);
    for (size_t f = 0; f < place.dir.count; f++)
        assert_int_equal(blk_scan_file(&place.dir, f, NULL, &place.scans[f], NULL), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t f = 0; f < place.dir.count; f++)
        blk_scan_free(&place.scans[f]);
    free(place.scans);
    free(place.best);
    blkdir_free(&place.dir);
    return 0;
}

/* The blocks without `count` of the best branch from height `first` on, not linked. The best block of height `moved`
 * lies where that of `moved_to` does. */
static struct chain *blocks_without(uint32_t first, uint32_t count, uint32_t moved, const struct chain_block *moved_to)
{
    struct chain *whole, *chain;
    assert_int_equal(chain_new(&place.genesis, &whole, NULL), STATUS_OK); /* only to hash headers */
    assert_int_equal(chain_new(&place.genesis, &chain, NULL), STATUS_OK);
    for (size_t f = 0; f < place.dir.count; f++) {
        for (size_t r = 0; r < place.scans[f].count; r++) {
            const struct blk_record *record = &place.scans[f].records[r];
            uint32_t node;
            assert_int_equal(chain_add(whole, record->header, 0, 8, record->size, &node, NULL), STATUS_OK);
            const struct hash256 *hash = &chain_at(whole, node)->hash;
            bool lost = false;
            for (uint32_t h = first; h < first + count && h <= place.height; h++)
                lost |= hash256_equal(hash, &place.best[h]);
            bool is_moved = moved_to && hash256_equal(hash, &place.best[moved]);
            uint32_t file = is_moved ? moved_to->file : (uint32_t)f, size = is_moved ? moved_to->size : record->size;
            uint64_t offset = is_moved ? moved_to->offset : record->offset + 8;
            if (!lost)
                assert_int_equal(chain_add(chain, record->header, file, offset, size, NULL, NULL), STATUS_OK);
        }
    }
    chain_free(whole);
    return chain;
}

static struct chain *chain_without(uint32_t first, uint32_t count)
{
    struct chain *chain = blocks_without(first, count, 0, NULL);
    assert_int_equal(chain_link(chain, NULL, NULL), STATUS_OK);
    return chain;
}

/* How many blocks of the chain up to `height` are not those of the best branch. */
static uint32_t count_wrong(const struct chain *chain, uint32_t height)
{
    uint32_t wrong = 0;
    for (uint32_t h = 0; h <= height; h++)
        wrong += !hash256_equal(&chain_active(chain, h)->hash, &place.best[h]);
    return wrong;
}

static void test_nothing_lost(void **state)
{
    (void)state;
    struct chain *chain = chain_without(0, 0);
    uint32_t height;
    assert_int_equal(chain_gap_certain_height(&place.dir, chain, &height, NULL), STATUS_OK);
    assert_int_equal(height, place.height);
    assert_int_equal(count_wrong(chain, height), 0);
    chain_free(chain);
}

static void test_every_block_lost(void **state)
{
    (void)state;
    uint32_t misled = 0, short_by = 0;
    for (uint32_t lost = 1; lost + 2 <= place.height; lost++) { /* above it are two blocks or more */
        struct chain *chain = chain_without(lost, 1);
        uint32_t height;
        assert_int_equal(chain_gap_certain_height(&place.dir, chain, &height, NULL), STATUS_OK);
        assert_true(height < lost);
        assert_int_equal(count_wrong(chain, height), 0);
        misled += chain_height(chain) >= lost;
        short_by += lost - 1 - height;
        chain_free(chain);
    }
    /* There were stale branches that would have been taken, and being certain costs few blocks. */
    print_message("%u gaps with a stale branch at the same height, %u blocks given up\n", misled, short_by);
    assert_true(misled > 0);
    assert_true(short_by < place.height / 5);
}

static void test_damaged_tip_takes_nothing_along(void **state)
{
    (void)state;
    struct chain *chain = chain_without(place.height - 1, 1);
    uint32_t height;
    assert_int_equal(chain_detached(chain), 1);
    assert_int_equal(chain_gap_certain_height(&place.dir, chain, &height, NULL), STATUS_OK);
    assert_int_equal(height, chain_height(chain));
    chain_free(chain);
}

/* ---- a chain that begins above genesis ---- */

static struct chain_part part_of(const struct chain *chain)
{
    struct chain_part part;
    assert_int_equal(chain_gap_find_part(&place.dir, chain, &place.genesis, &part, NULL), STATUS_OK);
    assert_true(part.lowest != CHAIN_NONE);
    return part;
}

/* Without the first blocks the next one is found, with its height, and what stands on it is the best branch. */
static void test_part(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < place.height; first++) {
        struct chain *chain = blocks_without(0, first, 0, NULL);
        struct chain_part part = part_of(chain), branch;
        assert_true(part.named && !part.contradicts);
        assert_int_equal(part.height, first);
        assert_int_equal(part.above, place.height - first);
        assert_true(hash256_equal(&chain_at(chain, part.lowest)->hash, &place.best[first]));
        uint32_t node = chain_find(chain, &place.best[place.height - 1]);
        assert_int_equal(chain_gap_branch_of(chain, node, &branch, NULL), STATUS_OK);
        assert_int_equal(branch.lowest, part.lowest);
        assert_int_equal(branch.above, place.height - 1 - first);
        chain_set_root(chain, &place.best[first], first);
        assert_int_equal(chain_link(chain, NULL, NULL), STATUS_OK);
        assert_int_equal(chain_base(chain), first);
        assert_int_equal(chain_height(chain), place.height);
        assert_true(first == 0 || chain_active(chain, first - 1) == NULL);
        for (uint32_t h = first; h <= place.height; h++)
            assert_true(hash256_equal(&chain_active(chain, h)->hash, &place.best[h]));
        chain_free(chain);
    }
}

/* Of two pieces that which reaches highest, however short; but no single block, which may be one whose header is
 * damaged. */
static void test_pieces(void **state)
{
    (void)state;
    for (uint32_t left = 1; left < 4; left++) {
        uint32_t first = place.height + 1 - left;
        struct chain *chain = blocks_without(first - 1, 1, 0, NULL);
        struct chain_part part = part_of(chain);
        assert_true(part.named);
        assert_int_equal(part.height, left > 1 ? first : 0);
        chain_free(chain);
    }
}

/* The lowest block names another height than those above it go with. */
static void test_part_contradicts(void **state)
{
    (void)state;
    struct chain *whole = chain_without(0, 0);
    struct chain *chain = blocks_without(0, 100, 100, chain_active(whole, 120));
    struct chain_part part = part_of(chain);
    assert_true(!part.named && part.contradicts);
    assert_true(hash256_equal(&chain_at(chain, part.lowest)->hash, &place.best[100]));
    chain_free(chain);
    chain_free(whole);
}

/* Every second block lies where the one above it does, and so names a height too many: even steps from the lowest one
 * meet none of them. */
static void test_part_contradicts_between(void **state)
{
    (void)state;
    struct chain *whole = chain_without(0, 0), *chain;
    uint32_t first = 100, node;
    assert_int_equal(chain_new(&place.genesis, &chain, NULL), STATUS_OK);
    for (uint32_t h = first; h <= place.height - (place.height - first) % 2; h++) {
        const struct chain_block *own = chain_active(whole, h), *block = chain_active(whole, h + (h - first) % 2);
        const uint8_t *bytes;
        struct blk_reader reader = {0};
        assert_int_equal(blk_read(&reader, &place.dir, own->file, own->offset, own->size, &bytes, NULL), STATUS_OK);
        assert_int_equal(chain_add(chain, bytes, block->file, block->offset, block->size, &node, NULL), STATUS_OK);
        blk_reader_free(&reader);
    }
    struct chain_part part = part_of(chain);
    assert_true(!part.named && part.contradicts);
    chain_free(chain);
    chain_free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_lost),
        cmocka_unit_test(test_every_block_lost),
        cmocka_unit_test(test_damaged_tip_takes_nothing_along),
        cmocka_unit_test(test_part),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_part_contradicts),
        cmocka_unit_test(test_part_contradicts_between),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
