/* The saved table of outpoints: what is saved comes back, and what is damaged or made up is no harm. */
#include "tests/graph/outpoint_model.h"

static void save_and_load(uint64_t n)
{
    struct outpoints *table, *other;
    struct model model;
    struct chunks chunks = {0};
    assert_int_equal(outpoints_new(seed, &table, NULL), STATUS_OK);
    assert_int_equal(outpoints_new(seed, &other, NULL), STATUS_OK);
    model_new(&model, n + 1);
    for (uint64_t i = 0; i < n; i++)
        add(table, &model, i);
    for (uint64_t i = 0; i < n; i += 3)
        assert_true(outpoints_remove(table, hash_of(table, i), i));
    double start = now();
    assert_int_equal(outpoints_save(table, put, &chunks), STATUS_OK);
    double saved = now();
    assert_int_equal(outpoints_load(other, 2, get, &chunks), STATUS_OK);
    print_message("%llu: save %.1f ms, load %.1f ms\n", (unsigned long long)n, (saved - start) * 1e3,
                  (now() - saved) * 1e3);
    assert_int_equal(outpoints_count(other), outpoints_count(table));
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(find(other, &model, i, UINT64_MAX), i % 3 ? i : OUTPOINT_NONE);
    add(other, &model, n);
    assert_int_equal(find(other, &model, n, UINT64_MAX), n);
    outpoints_free(table);
    outpoints_free(other);
    model_free(&model);
    chunks_free(&chunks);
}

static void test_save_and_load(void **state)
{
    (void)state;
    const char *size = getenv("OUTPOINTS");
    save_and_load(0);
    save_and_load(1);
    save_and_load(5000);
    save_and_load(size ? strtoull(size, NULL, 10) : 400000);
}

static void test_damaged_chunks(void **state)
{
    (void)state;
    seed_random();
    struct outpoints *table, *other;
    struct model model;
    struct chunks chunks = {0};
    assert_int_equal(outpoints_new(seed, &table, NULL), STATUS_OK);
    assert_int_equal(outpoints_new((const uint8_t *)"another secret..", &other, NULL), STATUS_OK);
    model_new(&model, 200000);
    for (uint64_t i = 0; i < 200000; i++)
        add(table, &model, i);
    assert_int_equal(outpoints_save(table, put, &chunks), STATUS_OK);
    assert_int_equal(chunks.count, OUTPOINTS_CHUNKS);
    chunks.count = 0;
    assert_int_equal(outpoints_load(table, 2, get, &chunks), STATUS_NOT_FOUND);
    chunks.count = OUTPOINTS_CHUNKS;
    chunks.count--;
    assert_int_equal(outpoints_load(table, 2, get, &chunks), STATUS_FORMAT);
    assert_int_equal(outpoints_count(table), 0);
    chunks.count++;
    assert_int_equal(outpoints_load(other, 2, get, &chunks), STATUS_FORMAT);
    for (uint32_t i = 0; i < 500; i++) {
        uint32_t n = i < 80 ? 0 : (uint32_t)next_random() % OUTPOINTS_CHUNKS;
        size_t at = i < 80 ? i : next_random() % chunks.size[n], whole = chunks.size[n];
        uint8_t bit = (uint8_t)(1u << next_random() % 8);
        chunks.bytes[n][at] ^= bit;
        assert_int_equal(outpoints_load(table, 2, get, &chunks), STATUS_FORMAT);
        chunks.bytes[n][at] ^= bit;
        chunks.size[n] = at;
        assert_int_equal(outpoints_load(table, 2, get, &chunks), STATUS_FORMAT);
        chunks.size[n] = whole;
    }
    assert_int_equal(outpoints_load(table, 2, get, &chunks), STATUS_OK);
    assert_int_equal(outpoints_count(table), 200000);
    outpoints_free(table);
    outpoints_free(other);
    model_free(&model);
    chunks_free(&chunks);
}

/* As docs/store-format.md says it. */
static uint64_t checksum_of(const uint8_t *chunk, size_t size)
{
    uint64_t sums[5] = {1, 2, 3, 4, size};
    for (size_t i = 0; i < (size - 16) / 8 + 4; i++) {
        bool last = i >= (size - 16) / 8;
        uint64_t word = last ? sums[i - (size - 16) / 8] : load_le64(chunk + 16 + 8 * i);
        uint64_t *sum = &sums[last ? 4 : i % 4];
        *sum = (*sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        *sum = *sum << 31 | *sum >> 33;
    }
    return sums[4];
}

static enum status any_outpoint(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    (void)context;
    memset(txid->bytes, (int)ordinal, HASH256_SIZE);
    *vout = 0;
    return ordinal % 3 ? STATUS_OK : STATUS_NOT_FOUND;
}

/* Whatever a loaded table holds, it is used as far as it goes. */
static void use(struct outpoints *table)
{
    struct chunks saved = {0};
    for (uint64_t i = 0; i < 3000; i++) {
        uint8_t prevout[TX_PREVOUT_SIZE];
        uint64_t ordinal;
        prevout_of(i, prevout);
        uint64_t hash = outpoints_hash(table, prevout);
        (void)outpoints_candidate(table, hash);
        (void)outpoints_remove(table, hash, i % 2000);
        (void)!outpoints_find(table, prevout, hash, UINT64_MAX, any_outpoint, NULL, &ordinal);
        (void)!outpoints_add(table, prevout, hash, 5000 + i, any_outpoint, NULL, NULL);
    }
    outpoints_end_window(table);
    assert_int_equal(outpoints_save(table, put, &saved), STATUS_OK);
    chunks_free(&saved);
}

/* Chunks that somebody made, with their checksums: wrong answers, but no access outside of them. The bytes are at the
 * end of their own allocation, for the sanitizer to see. */
static void test_made_chunks(void **state)
{
    (void)state;
    seed_random();
    unsigned loaded = 0;
    struct model model;
    struct chunks chunks = {0};
    model_new(&model, 2000);
    model.count = 2000;
    for (uint64_t i = 0; i < model.count; i++) {
        model.name[i] = i;
        model.in[i] = true;
    }
    save_model(&model, &chunks);
    assert_int_equal(load_le64(chunks.bytes[5] + 8), checksum_of(chunks.bytes[5], chunks.size[5]));
    for (int i = 0; i < 300; i++) {
        uint32_t n = (uint32_t)next_random() % OUTPOINTS_CHUNKS;
        struct outpoints *table;
        uint8_t *bytes = chunks.bytes[n], *whole = malloc(chunks.size[n]);
        memcpy(whole, bytes, chunks.size[n]);
        for (uint64_t flips = 1 + next_random() % 40; flips > 0; flips--) {
            size_t header = 24 + next_random() % 48, anywhere = 24 + next_random() % (chunks.size[n] - 24);
            bytes[next_random() % 8 ? anywhere : header] ^= (uint8_t)(1u << next_random() % 8);
        }
        store_le64(bytes + 8, checksum_of(bytes, chunks.size[n]));
        assert_int_equal(outpoints_new(seed, &table, NULL), STATUS_OK);
        enum status status = outpoints_load(table, 1, get, &chunks);
        assert_true(status == STATUS_OK || status == STATUS_FORMAT);
        loaded += status == STATUS_OK;
        use(table);
        outpoints_free(table);
        free(bytes);
        chunks.bytes[n] = whole;
    }
    print_message("%u of 300 were taken\n", loaded);
    assert_in_range(loaded, 20, 280);
    chunks_free(&chunks);
    model_free(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_save_and_load),
        cmocka_unit_test(test_damaged_chunks),
        cmocka_unit_test(test_made_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
