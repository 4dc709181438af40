/* The table of outpoints: adding, finding, removing, and what an adversary can do to it. */
#include "tests/graph/outpoint_model.h"

#include <malloc.h>

#include "parser/mem.h"

/* One thing that a scan may do, taken at random. */
static void step_at_random(struct outpoints **table, struct model *model, struct chunks *chunks, uint64_t names)
{
    uint64_t name = next_random() % names, kind = next_random() % 20;
    if (kind == 0) {
        outpoints_end_window(*table);
        model_end_window(model);
    } else if (kind < 8) {
        add(*table, model, name);
    } else if (kind < 12 && model->count > 0) {
        uint64_t ordinal = next_random() % model->count, hash = hash_of(*table, model->name[ordinal]);
        assert_int_equal(outpoints_remove(*table, hash, ordinal), model_remove(model, ordinal));
    } else if (kind == 12) {
        move_chunks(chunks);
        assert_int_equal(outpoints_moved(*table), STATUS_OK);
        if (next_random() % 8 == 0)
            begin_anew(table, model, chunks);
    } else {
        uint64_t limit = next_random() % 4 ? next_random() % (model->count + 2) : UINT64_MAX;
        assert_int_equal(find(*table, model, name, limit), model_find(model, name, limit));
    }
}

static void test_random_against_model(void **state)
{
    (void)state;
    seed_random();
    for (int run = 0; run < 60; run++) {
        struct outpoints *table;
        struct model model;
        struct chunks chunks = {0};
        uint64_t names = 1 + next_random() % 40;
        assert_int_equal(outpoints_new(seed, &table, NULL), STATUS_OK);
        model_new(&model, 1000);
        for (int step = 0; step < 900; step++)
            step_at_random(&table, &model, &chunks, names);
        assert_int_equal(outpoints_count(table), model_count(&model));
        outpoints_free(table);
        model_free(&model);
        chunks_free(&chunks);
    }
}

/* ---- prevouts made to fall on one another ---- */

enum { FLOOD = 60000 };

/* Prevouts of a family differ in few bits, or only in how two words share a sum. */
static void flood_prevout(unsigned family, uint32_t i, uint8_t prevout[TX_PREVOUT_SIZE])
{
    uint32_t bit = i % 245, other = (bit + 1 + i / 245) % 256;
    memset(prevout, 0, TX_PREVOUT_SIZE);
    switch (family) {
    case 0: store_le32(prevout + 32, i); break; /* outputs of one transaction */
    case 1: store_le32(prevout + 32, i << 15); break;
    case 2: store_le64(prevout, i); break;
    case 3: store_le64(prevout + 24, (uint64_t)i << 44); break;
    case 4: /* two bits of the txid */
        prevout[bit / 8] ^= (uint8_t)(1u << bit % 8);
        prevout[other / 8] ^= (uint8_t)(1u << other % 8);
        break;
    default: /* a sum that stays */ store_le64(prevout, i); store_le64(prevout + 8, UINT64_MAX - i);
    }
}

struct flood {
    unsigned family;
    uint64_t resolved;
};

static enum status resolve_flood(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    struct flood *flood = context;
    uint8_t prevout[TX_PREVOUT_SIZE];
    flood->resolved++;
    flood_prevout(flood->family, (uint32_t)ordinal, prevout);
    memcpy(txid->bytes, prevout, 32);
    *vout = load_le32(prevout + 32);
    return STATUS_OK;
}

/* How many slots all searches that hit look at together: the work that a flood is meant to raise. */
static uint64_t steps_of(const struct outpoints *table)
{
    uint64_t steps = 0;
    for (unsigned s = 0; s < OUTPOINTS_SEGMENTS; s++) {
        const struct outpoints_segment *segment = &table->segments[s];
        for (uint32_t i = 0; i < segment->size; i++)
            if (segment->slots[i] != 0)
                steps += i - (uint32_t)((segment->slots[i] >> 32) * segment->home_slots >> 32) + 1;
    }
    return steps;
}

static uint32_t fullest_of(const struct outpoints *table)
{
    uint32_t fullest = 0;
    for (unsigned s = 0; s < OUTPOINTS_SEGMENTS; s++)
        if (table->segments[s].count > fullest)
            fullest = table->segments[s].count;
    return fullest;
}

/* Under any key an adversary's outpoints cost what random ones do: equal hashes once in 2^32 pairs, short searches, and
 * no segment much fuller than the others. */
static void test_flood(void **state)
{
    (void)state;
    seed_random();
    for (unsigned family = 0; family < 6; family++) {
        uint8_t secret[16];
        struct outpoints *table;
        struct flood flood = {.family = family};
        store_le64(secret, next_random());
        store_le64(secret + 8, next_random());
        assert_int_equal(outpoints_new(secret, &table, NULL), STATUS_OK);
        for (uint32_t i = 0; i < FLOOD; i++) {
            uint8_t prevout[TX_PREVOUT_SIZE];
            flood_prevout(family, i, prevout);
            uint64_t hash = outpoints_hash(table, prevout);
            assert_int_equal(outpoints_add(table, prevout, hash, i, resolve_flood, &flood, NULL), STATUS_OK);
        }
        uint64_t count = outpoints_count(table);
        double steps = (double)steps_of(table) / (double)count;
        print_message("family %u: %.2f steps, fullest segment %u of %u, %llu compared\n", family, steps,
                      fullest_of(table), FLOOD / OUTPOINTS_SEGMENTS, (unsigned long long)flood.resolved);
        assert_true(count > FLOOD / 3 && steps < 8);
        assert_in_range(fullest_of(table), 1, 2 * FLOOD / OUTPOINTS_SEGMENTS);
        assert_in_range(flood.resolved, FLOOD - count, FLOOD - count + 20);
        outpoints_free(table);
    }
}

static enum status resolve_last(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    const uint8_t *prevout = context;
    assert_int_equal(ordinal, UINT32_MAX - UINT64_C(1));
    memcpy(txid->bytes, prevout, HASH256_SIZE);
    *vout = load_le32(prevout + HASH256_SIZE);
    return STATUS_OK;
}

/* The last ordinal for which there is room, and the one after it. */
static void test_last_ordinal(void **state)
{
    (void)state;
    struct outpoints *table;
    struct fault fault = {0};
    uint8_t prevout[TX_PREVOUT_SIZE];
    uint64_t found, last = UINT32_MAX - UINT64_C(1);
    assert_int_equal(outpoints_new(seed, &table, NULL), STATUS_OK);
    flood_prevout(0, 1, prevout);
    uint64_t hash = outpoints_hash(table, prevout);
    assert_int_equal(outpoints_add(table, prevout, hash, last + 1, resolve_last, prevout, &fault), STATUS_LIMIT);
    assert_non_null(strstr(fault.text, "too many unknown outputs"));
    assert_int_equal(outpoints_add(table, prevout, hash, last, resolve_last, prevout, &fault), STATUS_OK);
    assert_int_equal(outpoints_find(table, prevout, hash, OUTPOINT_NONE, resolve_last, prevout, &found), STATUS_OK);
    assert_int_equal(found, last);
    outpoints_free(table);
}

/* What an attacker's chain of one repeated transaction would do: the square of its length would take minutes. */
static void test_long_replacement(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct outpoints *table;
    struct model model;
    assert_int_equal(outpoints_new(seed, &table, NULL), STATUS_OK);
    model_new(&model, N);
    for (int i = 0; i < N; i++)
        add(table, &model, 7);
    for (uint64_t i = 0; i < N; i++) {
        assert_int_equal(find(table, &model, 7, i + 1), i);
        assert_true(outpoints_remove(table, hash_of(table, 7), i));
        assert_false(outpoints_remove(table, hash_of(table, 7), i));
    }
    assert_int_equal(outpoints_count(table), 0);
    outpoints_free(table);
    model_free(&model);
}

static size_t held(const struct outpoints *table)
{
    size_t bytes = malloc_usable_size((void *)(uintptr_t)table) + malloc_usable_size(table->filter);
    for (unsigned s = 0; s < OUTPOINTS_SEGMENTS; s++)
        bytes += malloc_usable_size(table->segments[s].slots);
    return bytes;
}

static void test_memory_and_filter(void **state)
{
    (void)state;
    const char *size = getenv("OUTPOINTS");
    uint64_t n = size ? strtoull(size, NULL, 10) : 1000000;
    struct outpoints *table;
    struct model model;
    assert_int_equal(outpoints_new(seed, &table, NULL), STATUS_OK);
    model_new(&model, n);
    double start = now();
    for (uint64_t i = 0; i < n; i++) {
        add(table, &model, i);
        /* twice the filter, as when it is rebuilt, and one segment twice */
        if (i % 4096 == 0 || i + 1 == n)
            assert_true(held(table) + table->filter_words * 8 + held(table) / OUTPOINTS_SEGMENTS <
                        22 * (i + 1) + (96u << 10));
    }
    print_message("add: %.0f ns each, %.2f bytes each, filter %.2f\n", (now() - start) / (double)n * 1e9,
                  (double)held(table) / (double)n, (double)table->filter_words * 8 / (double)n);
    assert_int_equal(outpoints_count(table), n);
    uint64_t passed = 0, candidates = 0;
    uint8_t prevout[TX_PREVOUT_SIZE];
    start = now();
    for (uint64_t i = n; i < 2 * n; i++) {
        prevout_of(i, prevout);
        passed += outpoints_probe(table, outpoints_hash(table, prevout));
    }
    print_message("probe and hash: %.1f ns each\n", (now() - start) / (double)n * 1e9);
    for (uint64_t i = n; i < 2 * n; i++)
        candidates += outpoints_candidate(table, hash_of(table, i));
    print_message("false positives: filter %.2f %%, table %.4f %%\n", 100.0 * (double)passed / (double)n,
                  100.0 * (double)candidates / (double)n);
    assert_true(passed < n * 3 / 100);
    assert_true(candidates < n / 1000 + n * n / (UINT64_C(1) << 31));
    for (uint64_t i = 0; i < n; i += 1 + i % 7)
        assert_int_equal(find(table, &model, i, UINT64_MAX), i);
    outpoints_free(table);
    model_free(&model);
}

static void test_no_memory(void **state)
{
    (void)state;
    bool done = false;
    for (long allowed = 0; !done; allowed++) {
        struct outpoints *table = NULL;
        struct model model;
        model_new(&model, 100);
        mem_fail_after(allowed);
        enum status status = outpoints_new(seed, &table, NULL);
        for (uint64_t i = 0; i < 50 && status == STATUS_OK; i++) {
            uint8_t prevout[TX_PREVOUT_SIZE];
            prevout_of(i % 30, prevout);
            model.name[model.count++] = i % 30;
            status = outpoints_add(table, prevout, outpoints_hash(table, prevout), i, resolve, &model, NULL);
        }
        mem_fail_after(-1);
        done = status == STATUS_OK;
        assert_true(done || status == STATUS_NOMEM);
        outpoints_free(table);
        model_free(&model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_against_model), cmocka_unit_test(test_long_replacement),
        cmocka_unit_test(test_last_ordinal),         cmocka_unit_test(test_flood),
        cmocka_unit_test(test_memory_and_filter),    cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
