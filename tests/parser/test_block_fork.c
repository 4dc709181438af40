/* Blocks of the BLAKE2b fork, with the header of a test vector of Bitcoin Knots. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/block.h"
#include "tests/support/run.h"

#define FIXTURE "tests/fixtures/regtest-xor"
#define FORK_HEADER 164u

/* Headers of the Knots vectors (src/test/data/block_header_v2.json): bit 31 is set and the height is at byte 128. */
static void test_vectors_of_knots(void **state)
{
    (void)state;
    static const char *const hex =
        "000000a01f1e1d1c1b1a191817161514131211100f0e0d0c0b0a0908070605040302010000112233445566778899aabbccddeeff001020"
        "30"
        "405060708090a0b0c0d0e0f0a8913577ffff001d0df0ad0b44332211efcdab89ffeeddccbbaa998877665544332211005802000003001c"
        "00"
        "0000000000000000000000000000000040d10c008967452301efcdab8967452301efcdab8967452301efcdab8967452301efcdab";
    uint8_t header[FORK_HEADER];
    assert_int_equal(strlen(hex), 2 * FORK_HEADER);
    for (size_t i = 0; i < FORK_HEADER; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        header[i] = (uint8_t)byte;
    }
    assert_true(block_claims_fork(header));
    struct records records = records_read(FIXTURE "/regtest/blocks");
    const struct record *from = &records.list[9];
    uint8_t *block = calloc(1, from->size + 84 - 8);
    memcpy(block, header, FORK_HEADER);
    memcpy(block + 36, from->bytes + 8 + 36, 32); /* with the merkle root of these transactions */
    memcpy(block + FORK_HEADER, from->bytes + 88, from->size - 88);
    struct block_verifier verifier = {0};
    struct block_counts counts;
    uint32_t height;
    bool nomem;
    assert_true(block_is_of_fork(&verifier, block, from->size + 84 - 8, &counts, &height, &nomem));
    assert_int_equal(height, 840000);
    for (size_t size = 0; size < from->size + 84 - 8; size++)
        assert_false(block_is_of_fork(&verifier, block, size, &counts, &height, &nomem));
    block[36] ^= 1;
    assert_false(block_is_of_fork(&verifier, block, from->size + 84 - 8, &counts, &height, &nomem));
    block_verifier_free(&verifier);
    free(block);
    records_free(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors_of_knots)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
