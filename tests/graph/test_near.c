/* Spends within a window against a search through all its transactions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "graph/index/near.h"
#include "parser/bytes.h"
#include "parser/hash256.h"
#include "tests/support/plan.h"

enum { TXS = 3000, OUTPUTS = 5, RECORD = HASH256_SIZE + 7, WINDOWS = 4 };

/* Of a window, where a transaction's txid has its number or, if it is there twice, that of an earlier one. */
struct window {
    uint8_t records[TXS * RECORD];
    uint32_t id[TXS];
    size_t first_output[TXS + 1];
    bool taken[TXS * OUTPUTS];
    size_t txs;
};

static void make_txid(uint32_t id, uint8_t txid[HASH256_SIZE])
{
    memset(txid, 0, HASH256_SIZE);
    store_le32(txid + id % 8 * 4, id + 1);
}

/* Some bits of it are the same for all. */
static uint32_t hash_of(uint32_t id, unsigned bits)
{
    return (uint32_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) >> bits << bits;
}

/* The only transaction before `spender` with that txid of all that were added; TXS: there is none, or are several. */
static size_t find(const struct window *window, uint32_t id, size_t spender)
{
    size_t found = TXS, count = 0;
    for (size_t tx = 0; tx < window->txs; tx++)
        if (window->id[tx] == id) {
            found = tx;
            count++;
        }
    return count == 1 && found < spender ? found : TXS;
}

static void add(struct near *near, struct window *window, struct rng *rng, unsigned bits)
{
    size_t tx = window->txs++, outputs = rng_below(rng, OUTPUTS + 1);
    uint32_t at = (uint32_t)(tx * RECORD + 3);
    window->id[tx] = tx > 0 && rng_below(rng, 100) == 0 ? window->id[rng_below(rng, (unsigned)tx)] : (uint32_t)tx;
    window->first_output[tx + 1] = window->first_output[tx] + outputs;
    make_txid(window->id[tx], window->records + at);
    near_add(near, hash_of(window->id[tx], bits), outputs, window->records, at);
}

/* One spend of an output of any transaction so far, one of the block beyond, or of none. */
static size_t spend(struct near *near, struct window *window, struct rng *rng, unsigned bits)
{
    uint8_t prevout[HASH256_SIZE + 4];
    size_t spender = rng_below(rng, (unsigned)window->txs), output = SIZE_MAX;
    uint32_t id = rng_below(rng, (unsigned)window->txs + 3), vout = rng_below(rng, OUTPUTS + 2);
    make_txid(id, prevout);
    store_le32(prevout + HASH256_SIZE, vout);
    size_t tx = find(window, id, spender);
    bool there = tx < TXS && vout < window->first_output[tx + 1] - window->first_output[tx];
    size_t expected = there ? window->first_output[tx] + vout : 0;
    bool takes = there && !window->taken[expected];
    assert_int_equal(near_take(near, hash_of(id, bits), prevout, spender, window->records, &output), takes);
    if (!takes)
        return 0;
    assert_int_equal(output, expected);
    window->taken[output] = true;
    return 1;
}

static void test_against_search(void **state)
{
    (void)state;
    static struct window window;
    struct rng rng = {(uint64_t)time(NULL)};
    struct near near = {0};
    size_t taken = 0;
    print_message("seed %ju\n", (uintmax_t)rng.state);
    for (unsigned w = 0; w < WINDOWS; w++) {
        unsigned bits = w % 2 ? 24 : 0; /* with 8 bits of a hash that differ, many meet */
        memset(&window, 0, sizeof window);
        near_clear(&near);
        while (window.txs < TXS) {
            size_t more = 1 + rng_below(&rng, 200);
            more = more < TXS - window.txs ? more : TXS - window.txs;
            assert_int_equal(near_reserve(&near, more, more * OUTPUTS), STATUS_OK);
            for (size_t i = 0; i < more; i++)
                add(&near, &window, &rng, bits);
            for (unsigned i = 0; i < 200; i++)
                taken += spend(&near, &window, &rng, bits);
        }
    }
    assert_true(taken > 100);
    near_free(&near);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_search)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
