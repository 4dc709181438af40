/* outpoints: which tracked output an input spends. A bitmap filter small enough for the cache in front of a compact
 * table (8 bytes a slot: ordinal and a tag of a keyed hash); the outpoints themselves stay in the store, where a tag
 * that matches is compared exactly (through the caller's function).
 *
 * The table has two parts. A saved one is read where it lies, in the store's file: loading it costs its checksum and a
 * copy of its filter, so that a scan of a few blocks need not wait for millions of outputs. What changes is in memory:
 * a tombstone (a bit) for each saved slot whose output was removed, and a table of what was added since.
 *
 * Memory: at most 22 bytes for each output added since it was loaded, 4 for each that was loaded, growth included, and
 * 96 KiB. The hash is keyed with the store's secret seed, since txids are chosen by whoever makes a transaction.
 *
 * Equal outpoints (the repeated coinbase txids of BIP 30): the table holds the latest; within one window of blocks
 * (until outpoints_end_window; here several windows of the pipeline) the earlier ones stay reachable for spends between
 * the two.
 *
 * Thread rule: changes by one thread; outpoints_probe and outpoints_find by any number of threads between changes. */
#ifndef UNKTX_GRAPH_SCAN_OUTPOINTS_H
#define UNKTX_GRAPH_SCAN_OUTPOINTS_H

#include "parser/bytes.h"
#include "parser/status.h"
#include "parser/tx.h"

#define OUTPOINT_NONE UINT64_MAX

#define OUTPOINTS_SEGMENTS 256u
#define OUTPOINTS_CHUNKS 64u /* that a table is saved in: four segments each */

/* Public only so that the three functions of every input's path are inlined; all fields are the module's own. */
struct outpoints {
    uint64_t key[8];
    uint64_t fingerprint;  /* of the seed: a table that was saved under another seed has another one */
    uint64_t *filter;      /* a key sets four bits of one word */
    uint64_t filter_words; /* as many for each segment */
    uint64_t filter_left;  /* additions until the filter is built anew */
    uint64_t count;
    struct outpoints_segment {
        uint64_t *slots;     /* sorted by tag, with gaps; 0 is a gap; the last is always one */
        uint32_t home_slots; /* the search for a tag begins at one of so many slots */
        uint32_t size;       /* slots: the home slots and a tail after them */
        uint32_t count;
    } segments[OUTPOINTS_SEGMENTS];      /* what was added since the table was loaded */
    struct outpoints_saved *saved;       /* what was loaded; NULL: nothing */
    struct outpoints_replaced *replaced; /* in this window, in order of the replacing ordinal */
    size_t replaced_count;
    size_t replaced_capacity;
};

/* The outpoint that has this ordinal, for the exact compare. */
typedef enum status outpoints_resolve(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout);

enum status outpoints_new(const uint8_t seed[16], struct outpoints **table, struct fault *fault) MUST_CHECK;
void outpoints_free(struct outpoints *table);

/* An outpoint as an input has it. */
static inline void outpoints_prevout(const struct hash256 *txid, uint32_t vout, uint8_t prevout[TX_PREVOUT_SIZE])
{
    memcpy(prevout, txid->bytes, HASH256_SIZE);
    store_le32(prevout + HASH256_SIZE, vout);
}

/* The keyed hash of a prevout (txid and vout as in an input: 36 bytes).
 *
 * NH (Black et al., "UMAC", CRYPTO 1999): two different prevouts, chosen without knowledge of the key, give the same
 * 128-bit sum with a probability of at most 2^-64; the last, keyed, multiplication brings it down to 64 bits. Nobody
 * outside sees hash, key or timing, so nobody can do better than guess. */
static inline uint64_t outpoints_hash(const struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE])
{
    const uint64_t *k = table->key;
    unsigned __int128 sum = (unsigned __int128)(load_le64(prevout) + k[0]) * (load_le64(prevout + 8) + k[1]);
    sum += (unsigned __int128)(load_le64(prevout + 16) + k[2]) * (load_le64(prevout + 24) + k[3]);
    sum += (unsigned __int128)(load_le32(prevout + 32) + k[4]) * k[5];
    unsigned __int128 mix = (unsigned __int128)((uint64_t)sum ^ k[6]) * ((uint64_t)(sum >> 64) ^ k[7]);
    return (uint64_t)mix ^ (uint64_t)(mix >> 64);
}

/* The filter uses the upper 32 bits of the hash, which the table keeps: so it can be built anew from the table. */
static inline uint64_t outpoints_filter_bits(uint64_t hash)
{
    uint32_t mixed = (uint32_t)(hash >> 32) * 0x9e3779b1u;
    return UINT64_C(1) << (mixed >> 26) | UINT64_C(1) << (mixed >> 20 & 63) | UINT64_C(1) << (mixed >> 14 & 63) |
           UINT64_C(1) << (mixed >> 8 & 63);
}
static inline uint64_t outpoints_filter_at(uint64_t words, uint64_t hash) { return (hash >> 32) * words >> 32; }
static inline const uint64_t *outpoints_filter_word(const struct outpoints *table, uint64_t hash)
{
    return &table->filter[outpoints_filter_at(table->filter_words, hash)];
}

/* False: certainly not in the table (one access to the filter). At most 2 % of what is not in the table gives true. */
static inline bool outpoints_probe(const struct outpoints *table, uint64_t hash)
{
    uint64_t bits = outpoints_filter_bits(hash);
    return (*outpoints_filter_word(table, hash) & bits) == bits;
}

/* Prefetches the filter's word for `hash`. */
static inline void outpoints_prefetch(const struct outpoints *table, uint64_t hash)
{
    __builtin_prefetch(outpoints_filter_word(table, hash));
}

/* Prefetches what outpoints_add will read. */
void outpoints_prefetch_add(const struct outpoints *table, uint64_t hash);

/* Prefetches what outpoints_candidate and outpoints_find will read. */
void outpoints_prefetch_slot(const struct outpoints *table, uint64_t hash);

/* As outpoints_probe, by the table itself: wrong once in 2^32 / count of what is not in it. One cache miss; for inputs
 * that passed the filter, before the store is asked about them. */
bool outpoints_candidate(const struct outpoints *table, uint64_t hash);

/* Adds output `ordinal` (larger than all before). If an equal outpoint is there, this one takes its locator, and the
 * former one can only be found with a `limit` up to this ordinal, until outpoints_end_window. O(1) expected. */
enum status outpoints_add(struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash,
                          uint64_t ordinal, outpoints_resolve *resolve, void *context, struct fault *fault) MUST_CHECK;

/* The latest output with this outpoint whose ordinal is below `limit`, or OUTPOINT_NONE in *ordinal. O(1) expected. */
enum status outpoints_find(const struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash,
                           uint64_t limit, outpoints_resolve *resolve, void *context, uint64_t *ordinal) MUST_CHECK;

/* Removes output `ordinal`, and with it every earlier one of the same outpoint; false if it was not there (a
 * double spend). O(1) expected. */
bool outpoints_remove(struct outpoints *table, uint64_t hash, uint64_t ordinal);

/* Outputs that a later one replaced since the last call are forgotten. */
void outpoints_end_window(struct outpoints *table);

uint64_t outpoints_count(const struct outpoints *table);

/* Save and load: the table as OUTPOINTS_CHUNKS chunks of bytes. `put` is called with chunk 0, 1, ... The same outputs
 * give the same bytes. Only between windows. O(n): some 10 ns an output. */
typedef enum status outpoints_put(void *context, uint32_t chunk, const void *bytes, size_t size);
enum status outpoints_save(struct outpoints *table, outpoints_put *put, void *context) MUST_CHECK;

/* A loaded table answers as the saved one. The bytes that `get` gives are borrowed until the table is freed, and asked
 * for again by outpoints_moved. Damaged bytes, or too few, are STATUS_FORMAT; STATUS_NOT_FOUND: there is no chunk 0.
 * After an error the table is empty. O(n / threads): below 1 ns an output. Bytes that somebody made with a checksum can
 * make answers wrong, and no access outside them. */
typedef enum status outpoints_get(void *context, uint32_t chunk, const uint8_t **bytes, size_t *size);
enum status outpoints_load(struct outpoints *table, unsigned threads, outpoints_get *get, void *context) MUST_CHECK;

/* True of a chunk that another version of unktx saved: outpoints_load refuses it, but it is no damage. */
bool outpoints_is_of_other_version(const uint8_t *chunk, size_t size);

/* The bytes that a table was loaded from may be elsewhere now (a commit of the store), the same as they were. To be
 * called before anything else is asked of the table; outpoints_save does it itself after each `put`. O(1). */
enum status outpoints_moved(struct outpoints *table) MUST_CHECK;

#endif
