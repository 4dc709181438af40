/* outpoint_model: what the outpoint table is compared with, for its two test programs: a list of all outputs that is
 * searched from end to end. And where tests save a table to. */
#ifndef UNKTX_TESTS_GRAPH_OUTPOINT_MODEL_H
#define UNKTX_TESTS_GRAPH_OUTPOINT_MODEL_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "graph/scan/outpoints.h"

/* The model: every output that was ever added, and what became of it; outpoints are small numbers spread over 36 bytes.
 */
struct model {
    uint64_t *name; /* of ordinal i */
    bool *in;       /* neither removed nor replaced in an earlier window */
    uint64_t count;
    uint64_t window_begin;
};

static uint64_t rng;
static inline uint64_t next_random(void)
{
    uint64_t z = rng += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline void seed_random(void)
{
    const char *given = getenv("TEST_SEED");
    rng = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (TEST_SEED=... repeats it)\n", (unsigned long long)rng);
}

static const uint8_t seed[16] = "a secret of us";

static inline void prevout_of(uint64_t name, uint8_t prevout[TX_PREVOUT_SIZE])
{
    memset(prevout, 0x5a, TX_PREVOUT_SIZE);
    store_le64(prevout + 8, name >> 1);
    store_le32(prevout + 32, (uint32_t)name & 1);
}

static inline enum status resolve(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
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

static inline uint64_t hash_of(const struct outpoints *table, uint64_t name)
{
    uint8_t prevout[TX_PREVOUT_SIZE];
    prevout_of(name, prevout);
    return outpoints_hash(table, prevout);
}

static inline void model_new(struct model *model, size_t room)
{
    *model = (struct model){.name = calloc(room, 8), .in = calloc(room, 1)};
    assert_non_null(model->name);
    assert_non_null(model->in);
}
static inline void model_free(struct model *model)
{
    free(model->name);
    free(model->in);
}

static inline void add(struct outpoints *table, struct model *model, uint64_t name)
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

static inline uint64_t find(const struct outpoints *table, struct model *model, uint64_t name, uint64_t limit)
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
static inline uint64_t model_find(const struct model *model, uint64_t name, uint64_t limit)
{
    for (uint64_t i = limit < model->count ? limit : model->count; i-- > 0;)
        if (model->name[i] == name)
            return model->in[i] ? i : OUTPOINT_NONE;
    return OUTPOINT_NONE;
}

static inline bool model_remove(struct model *model, uint64_t ordinal)
{
    bool was = model->in[ordinal];
    for (uint64_t i = 0; was && i <= ordinal; i++)
        if (model->name[i] == model->name[ordinal])
            model->in[i] = false;
    return was;
}

/* Outputs that have a later one of the same name are out of reach now. */
static inline void model_end_window(struct model *model)
{
    for (uint64_t i = 0; i < model->count; i++)
        for (uint64_t j = i + 1; model->in[i] && j < model->count; j++)
            if (model->name[j] == model->name[i])
                model->in[i] = false;
}

static inline uint64_t model_count(const struct model *model)
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

static inline enum status put(void *context, uint32_t chunk, const void *bytes, size_t size)
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

static inline enum status get(void *context, uint32_t chunk, const uint8_t **bytes, size_t *size)
{
    struct chunks *chunks = context;
    if (chunk >= chunks->count)
        return STATUS_NOT_FOUND;
    *bytes = chunks->bytes[chunk];
    *size = chunks->size[chunk];
    return STATUS_OK;
}

/* As a commit may do: the same bytes elsewhere, and nothing of use where they were; at any alignment. */
static inline void move_chunks(struct chunks *chunks)
{
    for (uint32_t i = 0; i < chunks->count; i++) {
        uint8_t *copy = malloc(chunks->size[i]);
        memcpy(copy, chunks->bytes[i], chunks->size[i]);
        memset(chunks->bytes[i], 0xff, chunks->size[i]);
        free(chunks->bytes[i]);
        chunks->bytes[i] = copy;
    }
}

static inline void chunks_free(struct chunks *chunks)
{
    for (uint32_t i = 0; i < chunks->count; i++)
        free(chunks->bytes[i]);
    chunks->count = 0;
}

static inline void expect_same_chunks(const struct chunks *a, const struct chunks *b)
{
    assert_int_equal(a->count, OUTPOINTS_CHUNKS);
    assert_int_equal(b->count, OUTPOINTS_CHUNKS);
    for (uint32_t i = 0; i < OUTPOINTS_CHUNKS; i++) {
        assert_int_equal(a->size[i], b->size[i]);
        assert_memory_equal(a->bytes[i], b->bytes[i], a->size[i]);
    }
}

/* The model's outputs that can be spent, saved from a table that never had any other. */
static inline void save_model(struct model *model, struct chunks *chunks)
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
static inline void begin_anew(struct outpoints **table, struct model *model, struct chunks *chunks)
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

static inline double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
