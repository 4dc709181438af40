#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "graph/scan/outpoints.h"
#include "parser/mem.h"

/* The model: every output that was ever added, and what became of it; outpoints are small numbers spread over 36 bytes.
 */
struct model {
    uint64_t *name; /* of ordinal i */
    bool *in;       /* neither taken out nor replaced in an earlier round */
    uint64_t count, round_begin;
};

static uint64_t rng;
static uint64_t next_random(void)
{
    uint64_t z = rng += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void seed_random(void)
{
    const char *given = getenv("TEST_SEED");
    rng = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (TEST_SEED=... repeats it)\n", (unsigned long long)rng);
}

static const uint8_t seed[16] = "a secret of us";

static void prevout_of(uint64_t name, uint8_t prevout[TX_PREVOUT_SIZE])
{
    memset(prevout, 0x5a, TX_PREVOUT_SIZE);
    store_le64(prevout + 8, name >> 1);
    store_le32(prevout + 32, (uint32_t)name & 1);
}

static enum status resolve(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    const struct model *model = context;
    uint8_t prevout[TX_PREVOUT_SIZE];
    if (ordinal >= model->count)
        return STATUS_NOT_FOUND;
    prevout_of(model->name[ordinal], prevout);
    memcpy(txid->bytes, prevout, 32);
    *vout = load_le32(prevout + 32);
    return STATUS_OK;
}

static uint64_t hash_of(const struct outpoints *table, uint64_t name)
{
    uint8_t prevout[TX_PREVOUT_SIZE];
    prevout_of(name, prevout);
    return outpoints_hash(table, prevout);
}

static void model_new(struct model *model, size_t room)
{
    *model = (struct model){.name = calloc(room, 8), .in = calloc(room, 1)};
    assert_non_null(model->name);
    assert_non_null(model->in);
}
static void model_free(struct model *model)
{
    free(model->name);
    free(model->in);
}

static void add(struct outpoints *table, struct model *model, uint64_t name)
{
    uint8_t prevout[TX_PREVOUT_SIZE];
    prevout_of(name, prevout);
    uint64_t ordinal = model->count;
    model->name[ordinal] = name;
    model->in[ordinal] = true;
    model->count++;
    assert_int_equal(outpoints_add(table, prevout, outpoints_hash(table, prevout), ordinal, resolve, model, NULL),
                     STATUS_OK);
}

static uint64_t find(const struct outpoints *table, struct model *model, uint64_t name, uint64_t limit)
{
    uint8_t prevout[TX_PREVOUT_SIZE];
    uint64_t ordinal = 0;
    prevout_of(name, prevout);
    uint64_t hash = outpoints_hash(table, prevout);
    assert_int_equal(outpoints_find(table, prevout, hash, limit, resolve, model, &ordinal), STATUS_OK);
    if (ordinal != OUTPOINT_NONE) {
        assert_true(outpoints_probe(table, hash));
        assert_true(outpoints_candidate(table, hash));
    }
    return ordinal;
}

/* By looking at every output there was. */
static uint64_t model_find(const struct model *model, uint64_t name, uint64_t limit)
{
    for (uint64_t i = limit < model->count ? limit : model->count; i-- > 0;)
        if (model->name[i] == name)
            return model->in[i] ? i : OUTPOINT_NONE;
    return OUTPOINT_NONE;
}

static bool model_remove(struct model *model, uint64_t ordinal)
{
    bool was = model->in[ordinal];
    for (uint64_t i = 0; was && i <= ordinal; i++)
        if (model->name[i] == model->name[ordinal])
            model->in[i] = false;
    return was;
}

/* Outputs that have a later one of the same name are out of reach now. */
static void model_end_window(struct model *model)
{
    for (uint64_t i = 0; i < model->count; i++)
        for (uint64_t j = i + 1; model->in[i] && j < model->count; j++)
            if (model->name[j] == model->name[i])
                model->in[i] = false;
}

static uint64_t model_count(const struct model *model)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < model->count; i++)
        count += model->in[i] && model_find(model, model->name[i], UINT64_MAX) == i;
    return count;
}

/* ---- saved tables ---- */

struct chunks {
    uint8_t *bytes[OUTPOINTS_CHUNKS];
    size_t size[OUTPOINTS_CHUNKS];
    uint32_t count;
};

static enum status put(void *context, uint32_t chunk, const void *bytes, size_t size)
{
    struct chunks *chunks = context;
    assert_int_equal(chunk, chunks->count);
    assert_true(chunk < OUTPOINTS_CHUNKS);
    chunks->bytes[chunk] = malloc(size);
    memcpy(chunks->bytes[chunk], bytes, size);
    chunks->size[chunk] = size;
    chunks->count++;
    return STATUS_OK;
}

static enum status get(void *context, uint32_t chunk, const uint8_t **bytes, size_t *size)
{
    struct chunks *chunks = context;
    if (chunk >= chunks->count)
        return STATUS_NOT_FOUND;
    *bytes = chunks->bytes[chunk];
    *size = chunks->size[chunk];
    return STATUS_OK;
}

/* As a commit may do: the same bytes elsewhere, and nothing of use where they were; at any alignment. */
static void move_chunks(struct chunks *chunks)
{
    for (uint32_t i = 0; i < chunks->count; i++) {
        uint8_t *copy = malloc(chunks->size[i]);
        memcpy(copy, chunks->bytes[i], chunks->size[i]);
        memset(chunks->bytes[i], 0xff, chunks->size[i]);
        free(chunks->bytes[i]);
        chunks->bytes[i] = copy;
    }
}

static void chunks_free(struct chunks *chunks)
{
    for (uint32_t i = 0; i < chunks->count; i++)
        free(chunks->bytes[i]);
    chunks->count = 0;
}

static void expect_same_chunks(const struct chunks *a, const struct chunks *b)
{
    assert_int_equal(a->count, OUTPOINTS_CHUNKS);
    assert_int_equal(b->count, OUTPOINTS_CHUNKS);
    for (uint32_t i = 0; i < OUTPOINTS_CHUNKS; i++) {
        assert_int_equal(a->size[i], b->size[i]);
        assert_memory_equal(a->bytes[i], b->bytes[i], a->size[i]);
    }
}

/* The model's outputs that can be spent, saved from a table that never had any other. */
static void save_model(struct model *model, struct chunks *chunks)
{
    struct outpoints *table;
    assert_int_equal(outpoints_new(seed, &table, NULL), STATUS_OK);
    for (uint64_t i = 0; i < model->count; i++) {
        uint8_t prevout[TX_PREVOUT_SIZE];
        prevout_of(model->name[i], prevout);
        if (model_find(model, model->name[i], UINT64_MAX) == i)
            assert_int_equal(outpoints_add(table, prevout, outpoints_hash(table, prevout), i, resolve, model, NULL),
                             STATUS_OK);
    }
    assert_int_equal(outpoints_save(table, put, chunks), STATUS_OK);
    outpoints_free(table);
}

/* Saves the table, and loads what was saved into another one that takes its place. */
static void begin_anew(struct outpoints **table, struct model *model, struct chunks *chunks)
{
    struct chunks saved = {0}, expected = {0};
    struct outpoints *other;
    outpoints_end_window(*table);
    model_end_window(model);
    assert_int_equal(outpoints_save(*table, put, &saved), STATUS_OK);
    save_model(model, &expected);
    expect_same_chunks(&saved, &expected);
    chunks_free(&expected);
    assert_int_equal(outpoints_new(seed, &other, NULL), STATUS_OK);
    outpoints_free(*table);
    chunks_free(chunks);
    *chunks = saved;
    assert_int_equal(outpoints_load(other, 2, get, chunks), STATUS_OK);
    *table = other;
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
        for (int step = 0; step < 900; step++) {
            uint64_t name = next_random() % names;
            switch (next_random() % 20) {
            case 0:
                outpoints_end_window(table);
                model_end_window(&model);
                break;
            case 1:
            case 2:
            case 3:
            case 4:
            case 5:
            case 6:
            case 7: add(table, &model, name); break;
            case 8:
            case 9:
            case 10:
            case 11:
                if (model.count > 0) {
                    uint64_t ordinal = next_random() % model.count;
                    uint64_t hash = hash_of(table, model.name[ordinal]);
                    assert_int_equal(outpoints_remove(table, hash, ordinal), model_remove(&model, ordinal));
                }
                break;
            case 12:
                move_chunks(&chunks);
                assert_int_equal(outpoints_moved(table), STATUS_OK);
                if (next_random() % 8 == 0)
                    begin_anew(&table, &model, &chunks);
                break;
            default: {
                uint64_t limit = next_random() % 4 ? next_random() % (model.count + 2) : UINT64_MAX;
                assert_int_equal(find(table, &model, name, limit), model_find(&model, name, limit));
            }
            }
        }
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
                steps += i - (uint32_t)((segment->slots[i] >> 32) * segment->homes >> 32) + 1;
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

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
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
        cmocka_unit_test(test_random_against_model),
        cmocka_unit_test(test_long_replacement),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_memory_and_filter),
        cmocka_unit_test(test_save_and_load),
        cmocka_unit_test(test_damaged_chunks),
        cmocka_unit_test(test_made_chunks),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
