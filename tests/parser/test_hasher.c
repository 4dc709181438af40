/* Every kernel that the processor has against nettle, which hashes one message after the other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "parser/hasher.h"

#include "tests/parser/hex.h"

static uint32_t seed = 20261122;

static uint32_t next_random(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

static void expect_hash(const struct hasher_message *m)
{
    const struct sha256_part parts[] = {{m->first, HASHER_END}, {m->body, m->body_size}, {m->last, HASHER_END}};
    struct hash256 expected;
    sha256d_parts(parts, 3, &expected);
    assert_true(hash256_equal(m->out, &expected));
    if (m->copy)
        assert_true(hash256_equal(m->copy, &expected));
}

/* Each length, 1 to 17 messages of it at once, in memory that ends where the message does. */
static void lengths_of(enum hasher_kernel kernel)
{
    for (size_t size = 0; size <= 300; size++) {
        uint8_t *body = malloc(size ? size : 1), ends[8];
        for (size_t i = 0; i < size; i++)
            body[i] = (uint8_t)next_random();
        for (size_t i = 0; i < sizeof ends; i++)
            ends[i] = (uint8_t)next_random();
        struct hasher_message messages[17];
        struct hash256 hashes[18];
        size_t count = 1 + size % 17;
        memset(hashes, 0xee, sizeof hashes);
        for (size_t i = 0; i < count; i++)
            messages[i] = (struct hasher_message){ends + i % 4, body, size, ends + 4 - i % 4, &hashes[i], NULL};
        hasher_messages(kernel, messages, count);
        for (size_t i = 0; i < count; i++)
            expect_hash(&messages[i]);
        assert_int_equal(hashes[count].bytes[0], 0xee);
        free(body);
    }
}

/* Lists of any length, of messages of mixed lengths, some far longer than the rest, some wanted twice. */
static void mixes_of(enum hasher_kernel kernel)
{
    static uint8_t data[200000];
    static struct hasher_message messages[HASHER_BATCH];
    static struct hash256 hashes[HASHER_BATCH + 1], copies[HASHER_BATCH + 1];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)next_random();
    for (unsigned round = 0; round < 120; round++) {
        size_t count = round < 40 ? round : round == 40 ? HASHER_BATCH : next_random() % 300;
        static const size_t bounds[] = {70, 700, 9000};
        size_t bound = bounds[round % 3];
        for (size_t i = 0; i < count; i++) {
            bool giant = next_random() % 100 == 0;
            size_t size = next_random() % (giant ? 100000 : bound), at = next_random() % (sizeof data - size);
            messages[i] = (struct hasher_message){data + next_random() % 1000, data + at,  size,
                                                  data + next_random() % 1000, &hashes[i], i % 3 ? NULL : &copies[i]};
        }
        memset(hashes, 0xee, sizeof hashes);
        memset(copies, 0xee, sizeof copies);
        hasher_messages(kernel, messages, count);
        for (size_t i = 0; i < count; i++)
            expect_hash(&messages[i]);
        assert_int_equal(hashes[count].bytes[0], 0xee);
        assert_int_equal(copies[1].bytes[31], 0xee);
    }
}

static void parents_of(enum hasher_kernel kernel)
{
    struct hash256 nodes[140], parents[71], expected;
    for (size_t count = 0; count <= 70; count++) {
        for (size_t i = 0; i < 2 * count; i++)
            for (size_t b = 0; b < HASH256_SIZE; b++)
                nodes[i].bytes[b] = (uint8_t)next_random();
        memset(parents, 0xee, sizeof parents);
        hasher_parents(kernel, nodes, count, parents);
        for (size_t i = 0; i < count; i++) {
            sha256d(nodes[2 * i].bytes, 2 * HASH256_SIZE, &expected);
            assert_true(hash256_equal(&parents[i], &expected));
        }
        assert_int_equal(parents[count].bytes[0], 0xee);
    }
}

static void for_all_kernels(void (*test)(enum hasher_kernel))
{
    print_message("seed %u\n", seed);
    for (enum hasher_kernel kernel = HASHER_SINGLE; kernel < HASHER_KERNELS; kernel++)
        if (hasher_has(kernel))
            test(kernel);
        else
            print_message("this processor has no kernel \"%s\": skipped\n", hasher_name(kernel));
}

static void test_lengths(void **state)
{
    (void)state;
    for_all_kernels(lengths_of);
}

static void test_mixes(void **state)
{
    (void)state;
    for_all_kernels(mixes_of);
}

static void test_parents(void **state)
{
    (void)state;
    for_all_kernels(parents_of);
}

/* Block 170's two transactions' ids and its merkle root, by every kernel. */
static void test_block_170(void **state)
{
    (void)state;
    struct hash256 nodes[2], root;
    const char *ids[2] = {"b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082",
                          "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[32];
        from_hex(ids[i], bytes);
        for (size_t b = 0; b < 32; b++)
            nodes[i].bytes[b] = bytes[31 - b];
    }
    for (enum hasher_kernel kernel = HASHER_SINGLE; kernel < HASHER_KERNELS; kernel++) {
        if (!hasher_has(kernel))
            continue;
        hasher_parents(kernel, nodes, 1, &root);
        assert_hash(&root, "7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff");
    }
}

/* The environment chooses among what the processor has: so nettle, the way of every machine, is tried on all. */
static void test_choice(void **state)
{
    (void)state;
    const char *wanted = getenv("UNKTX_HASHER");
    assert_true(hasher_has(HASHER_SINGLE) && hasher_has(hasher_best()));
    for (enum hasher_kernel kernel = HASHER_SINGLE; kernel < HASHER_KERNELS; kernel++)
        if (hasher_has(kernel) && strcmp(wanted, hasher_name(kernel)) == 0)
            assert_int_equal(hasher_best(), kernel);
}

int main(void)
{
    setenv("UNKTX_HASHER", "single", 0);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lengths), cmocka_unit_test(test_mixes),
                                       cmocka_unit_test(test_parents), cmocka_unit_test(test_choice),
                                       cmocka_unit_test(test_block_170)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
