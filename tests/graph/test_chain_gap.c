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

/* The chain without `count` blocks of the best branch from height `first` on. */
static struct chain *chain_without(uint32_t first, uint32_t count)
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
            if (!lost)
                assert_int_equal(
                    chain_add(chain, record->header, (uint32_t)f, record->offset + 8, record->size, NULL, NULL),
                    STATUS_OK);
        }
    }
    chain_free(whole);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_lost),
        cmocka_unit_test(test_every_block_lost),
        cmocka_unit_test(test_damaged_tip_takes_nothing_along),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
