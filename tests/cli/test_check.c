/* `unktx check` over stores that lie: each has one wrong field, and where the field is in a batch its checksum is
 * right. A store of another version is refused. The digest does not depend on threads, batches or seed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "graph/lmdb/kv.h"
#include "graph/scan/outpoints.h"
#include "graph/store/store.h"
#include "graph/test_hooks.h"
#include "tests/support/chaingen.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"

enum { META, BATCHES, DIRECTORY, FILES, SNAPSHOT };
static const char *const tables[] = {"meta", "batches", "directory", "files", "snapshot"};
static const struct kv_words words = {.noun = "store", .verb = "scan"};

/* The value under test: what a lie changes. */
struct value {
    uint8_t bytes[1 << 20];
    size_t size;
};

static int set_up(void **state)
{
    (void)state;
    char data[512];
    dir = temp_dir();
    snprintf(data, sizeof data, "%s/data", dir);
    struct gen_options options = {
        .dir = data, .seed = 3, .block_bytes = 3000, .planted_per_10k = 5000, .stale_every = 5};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 20, 0);
    gen_tdags(gen, 30);
    gen_close(gen);
    kv_map_step((size_t)1 << 20);
    assert_int_equal(command_exit("scan --quiet --datadir %s --store %s/good --threads 1", data, dir), 0);
    return 0;
}

static char *digest_of(const char *store, unsigned threads)
{
    struct run run = command_run("check --store %s/%s --threads %u", dir, store, threads);
    assert_int_equal(run.exit_status, 0);
    char *digest = strdup(run.out);
    run_free(&run);
    return digest;
}

/* ---- lies ---- */

struct place {
    unsigned table;
    uint8_t key[8];
    size_t key_size;
    struct value *value;
};

static bool write_value(struct kv_txn *txn, void *context)
{
    const struct place *place = context;
    return kv_put(txn, place->table, place->key, place->key_size, place->value->bytes, place->value->size);
}

static bool no_create(struct kv_txn *txn, void *context)
{
    (void)txn;
    (void)context;
    return false;
}

typedef void lie_fn(struct value *value);

/* A copy of the good store in which `lie` has changed the value of a key. */
static void make_lie(unsigned table, const void *key, size_t key_size, lie_fn *lie)
{
    static struct value value;
    struct kv *kv = NULL;
    struct kv_view *view = NULL;
    struct fault fault = {0};
    const uint8_t *bytes;
    struct place place = {.table = table, .key_size = key_size, .value = &value};
    memcpy(place.key, key, key_size);
    remove_tree(path_of("%s/lie", dir));
    make_dirs(path_of("%s/lie", dir));
    copy_file(path_of("%s/good/data.mdb", dir), path_of("%s/lie/data.mdb", dir));
    assert_int_equal(kv_open(path_of("%s/lie", dir), KV_WRITE, &words, tables, 5, no_create, NULL, &kv, &fault),
                     STATUS_OK);
    assert_int_equal(kv_view_open(kv, &view, &fault), STATUS_OK);
    assert_int_equal(kv_get(view, table, key, key_size, &bytes, &value.size, &fault), STATUS_OK);
    assert_true(value.size <= sizeof value.bytes);
    memcpy(value.bytes, bytes, value.size);
    lie(&value);
    kv_view_close(view);
    assert_int_equal(kv_write(kv, value.size, write_value, &place, &fault), STATUS_OK);
    kv_close(kv);
}

/* The lie is found, and the message has these words. */
static void expect_found(const char *says)
{
    struct run run = command_run("check --store %s/lie --threads 1", dir);
    if (run.exit_status != 1 || !strstr(run.err, says))
        fail_msg("exit status %d, '%s' has no '%s'", run.exit_status, run.err, says);
    run_free(&run);
}

static void expect_lie(unsigned table, const char *name, lie_fn *lie, const char *says)
{
    make_lie(table, name, strlen(name), lie);
    expect_found(says);
}

/* In the first value of a table with keys of that size. */
static void expect_first_lie(unsigned table, size_t key_size, lie_fn *lie, const char *says)
{
    static const uint8_t zeros[8];
    make_lie(table, zeros, key_size, lie);
    expect_found(says);
}

/* ---- in a batch ---- */

static void sum_up(struct value *value)
{
    uint8_t digest[32];
    sha256(value->bytes + 16, value->size - 16, digest);
    memcpy(value->bytes + 8, digest, 8);
}

static uint8_t *writable(const uint8_t *bytes) { return (uint8_t *)(uintptr_t)bytes; }

/* Calls `at` for each transaction of the batch until it is true. */
typedef bool tx_fn(const struct tx_view *tx);

static void at_tx(struct value *value, tx_fn *at)
{
    struct batch_view view;
    struct block_record block;
    struct tx_view tx;
    bool done = false;
    assert_int_equal(batch_view_open(&view, value->bytes, value->size), STATUS_OK);
    while (!done && batch_next_block(&view, &block) == STATUS_OK)
        while (!done && batch_next_tx(&view, &tx) == STATUS_OK)
            done = at(&tx);
    assert_true(done);
    sum_up(value);
}

static void lie_checksum(struct value *value) { value->bytes[8]++; }
static void lie_header(struct value *value)
{
    value->bytes[40]++;
    sum_up(value);
}
static void lie_index_place(struct value *value)
{
    uint8_t *index = value->bytes + value->size - 8;
    store_le32(index, load_le32(index) + 1);
    sum_up(value);
}
static void lie_index_vout(struct value *value)
{
    value->bytes[value->size - 4]++;
    sum_up(value);
}

static bool spend_late(const struct tx_view *tx)
{
    if (tx->tx.spends == 0)
        return false;
    uint8_t *end = writable(tx->spends.end);
    end[-1] = 0x7f; /* the last digit of the last ordinal: the largest of that length */
    return tx->tx.first_ordinal < 0x7f || (cursor_left(&tx->spends) > 2 && end[-2] >= 0x80);
}
static void lie_spend(struct value *value) { at_tx(value, spend_late); }

/* In the first output of the first transaction whose first output has that kind. */
static bool change_first(const struct tx_view *tx, enum kind kind, size_t at, unsigned bits)
{
    uint8_t *first = writable(tx->outputs.at);
    if ((*first & 15) != kind)
        return false;
    first[at] ^= (uint8_t)bits;
    return true;
}
static bool change_kind(const struct tx_view *tx)
{
    return change_first(tx, KIND_PUBKEY, 0, KIND_PUBKEY ^ KIND_NULLDATA);
}
static bool change_mask(const struct tx_view *tx) { return change_first(tx, KIND_NONSTANDARD, 0, 1u << 4); }
static bool change_value(const struct tx_view *tx) { return change_first(tx, KIND_NONSTANDARD, 1, 1); }
static void lie_kind(struct value *value) { at_tx(value, change_kind); }
static void lie_mask(struct value *value) { at_tx(value, change_mask); }
static void lie_value(struct value *value) { at_tx(value, change_value); }

static bool change_protocol(const struct tx_view *tx)
{
    struct tx_view outputs = *tx;
    struct output_record output;
    struct multisig keys;
    assert_int_equal(tx_next_output(&outputs, &output), STATUS_OK);
    if (output.kind != KIND_NONSTANDARD || multisig_read(output.script, output.script_size, &keys))
        return false;
    writable(outputs.outputs.at)[-1] = PROTOCOL_OMNI;
    return true;
}
static void lie_protocol(struct value *value) { at_tx(value, change_protocol); }

static bool change_tracked(const struct tx_view *tx)
{
    uint8_t *numbers = writable(tx->outputs.at);
    for (uint8_t *at = numbers - 1; at > numbers - 12; at--) /* the txid stands before the numbers */
        if (memcmp(at - 32, tx->tx.txid.bytes, 32) == 0 && at[0] < 0x80 && at[1] < 0x7f && tx->tx.outputs < 100) {
            at[1]++; /* how many outputs it has */
            return true;
        }
    return false;
}
static void lie_outputs(struct value *value) { at_tx(value, change_tracked); }

/* The first block's own fields: hash, time, bits of the kinds, transactions, inputs, outputs. */
static void lie_in_block(struct value *value, size_t at)
{
    value->bytes[BATCH_HEADER_SIZE + at] ^= 1;
    sum_up(value);
}
static void lie_hash(struct value *value) { lie_in_block(value, 3); }
static void lie_time(struct value *value) { lie_in_block(value, 32); }
static void lie_txs(struct value *value)
{
    value->bytes[BATCH_HEADER_SIZE + 38] += 40;
    sum_up(value);
}
static void lie_block_outputs(struct value *value)
{
    value->bytes[BATCH_HEADER_SIZE + 40]++;
    sum_up(value);
}
static void lie_kind_count(struct value *value)
{
    value->bytes[BATCH_HEADER_SIZE + 41]++;
    sum_up(value);
}

static void test_batch(void **state)
{
    (void)state;
    const struct {
        lie_fn *lie;
        const char *says;
    } lies[] = {
        {lie_checksum, "checksum"},
        {lie_header, "damaged"},
        {lie_index_place, "the index of outputs"},
        {lie_index_vout, "the index of outputs"},
        {lie_spend, "comes later"},
        {lie_kind, "kind is not that of its script"},
        {lie_mask, "rule sets are not those of its script"},
        {lie_protocol, "no keys that could carry it"},
        {lie_value, "counts by kind"},
        {lie_outputs, "do not decode"},
        {lie_hash, "genesis block"},
        {lie_time, "its header"},
        {lie_txs, "do not add up"},
        {lie_block_outputs, "do not add up"},
        {lie_kind_count, "do not fit"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        print_message("lie %zu: %s\n", i, lies[i].says);
        expect_first_lie(BATCHES, 8, lies[i].lie, lies[i].says);
    }
}

/* A block hash further up is only known by the header of the block after it. */
static void lie_parent(struct value *value)
{
    struct batch_view view;
    struct block_record block;
    assert_int_equal(batch_view_open(&view, value->bytes, value->size), STATUS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(batch_next_block(&view, &block), STATUS_OK);
    for (uint8_t *at = value->bytes; at < value->bytes + value->size - 32; at++)
        if (memcmp(at, block.hash.bytes, 32) == 0) {
            at[5] ^= 1;
            sum_up(value);
            return;
        }
    fail();
}

static void test_parent(void **state)
{
    (void)state;
    expect_first_lie(BATCHES, 8, lie_parent, "its parent");
}

/* ---- beside the batches ---- */

static void lie_blocks(struct value *value) { value->bytes[0]++; }
static void lie_stored_txs(struct value *value) { value->bytes[4]++; }
static void lie_tracked(struct value *value) { value->bytes[12]++; }
static void lie_tip(struct value *value) { value->bytes[20 + 7] ^= 4; }
static void lie_newer(struct value *value) { value->bytes[0] = STORE_VERSION_PARTIAL + 1; }
static void lie_older(struct value *value) { value->bytes[0] = 0; }
static void lie_genesis(struct value *value) { value->bytes[8 + 9] ^= 16; }
static void lie_magic(struct value *value) { value->bytes[5] ^= 1; }
static void lie_nulldata(struct value *value) { value->bytes[40] ^= 1; }
static void lie_nulldata_more(struct value *value) { value->bytes[40] = 2; }
static void lie_first_height(struct value *value) { value->bytes[0] = 1; }
static void lie_first_tx(struct value *value) { value->bytes[8] = 1; }
static void lie_short(struct value *value) { value->size--; }

static void test_meta(void **state)
{
    (void)state;
    expect_lie(META, "totals", lie_blocks, "directory and totals differ");
    expect_lie(META, "totals", lie_stored_txs, "totals are not those of its batches");
    expect_lie(META, "totals", lie_tracked, "totals are not those of its batches");
    expect_lie(META, "totals", lie_tip, "it is not the tip");
    expect_lie(META, "totals", lie_short, "totals are malformed");
    expect_lie(META, "identity", lie_genesis, "genesis block");
    expect_lie(META, "identity", lie_magic, "two networks");
    expect_lie(META, "identity", lie_nulldata, "do not fit");
    expect_lie(META, "identity", lie_nulldata_more, "identity is malformed");
    expect_lie(META, "identity", lie_short, "identity is malformed");
    expect_first_lie(DIRECTORY, 8, lie_first_height, "directory is malformed");
    expect_first_lie(DIRECTORY, 8, lie_first_tx, "directory is malformed");
    expect_first_lie(DIRECTORY, 8, lie_short, "directory is malformed");
}

/* With advice, and without being touched. */
static void test_version(void **state)
{
    (void)state;
    size_t before_size, after_size;
    expect_lie(META, "identity", lie_older, "delete it and run 'unktx scan' again");
    expect_lie(META, "identity", lie_newer, "use a newer unktx, or 'unktx scan' with another --store");
    char *before = read_file(path_of("%s/lie/data.mdb", dir), &before_size);
    struct run run = command_run("scan --quiet --datadir %s/data --store %s/lie", dir, dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "use a newer unktx"));
    run_free(&run);
    char *after = read_file(path_of("%s/lie/data.mdb", dir), &after_size);
    assert_int_equal(before_size, after_size);
    assert_memory_equal(before, after, before_size);
    free(before);
    free(after);
}

static void lie_record_offset(struct value *value) { value->bytes[24 + 6] = 1; }
static void lie_record_size(struct value *value) { store_le32(value->bytes + 24 + 8, 80); }
static void lie_header_bits(struct value *value) { value->bytes[24 + 12 + 74] = 0; }
static void lie_records(struct value *value) { value->bytes[16]++; }

static void test_files(void **state)
{
    (void)state;
    expect_first_lie(FILES, 4, lie_record_offset, "not in order or not inside");
    expect_first_lie(FILES, 4, lie_record_size, "not in order or not inside");
    expect_first_lie(FILES, 4, lie_header_bits, "proof-of-work");
    expect_first_lie(FILES, 4, lie_records, "it is malformed");
    expect_first_lie(FILES, 4, lie_short, "it is malformed");
}

/* ---- snapshot ---- */

static enum status put_chunk(void *context, uint32_t chunk, const void *bytes, size_t size)
{
    return store_put_snapshot(context, chunk, bytes, size, NULL);
}

static enum status no_outpoint(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    (void)context;
    (void)ordinal;
    memset(txid, 0, sizeof *txid);
    *vout = 0;
    return STATUS_OK;
}

/* A snapshot of a table with one output, whatever the chain; one of bytes that are no table; and one of another
 * version, which is as good as none. */
static void test_snapshot(void **state)
{
    (void)state;
    static const uint8_t prevout[TX_PREVOUT_SIZE] = {1, 2, 3}, older[] = {'u', 'X', 'T', 'P', 2, 0, 0, 0, 9};
    enum { WRONG, MALFORMED, OLDER, CASES };
    for (int i = 0; i < CASES; i++) {
        struct store *reading = NULL, *store = NULL;
        struct outpoints *table = NULL;
        struct fault fault = {0};
        remove_tree(path_of("%s/lie", dir));
        make_dirs(path_of("%s/lie", dir));
        copy_file(path_of("%s/good/data.mdb", dir), path_of("%s/lie/data.mdb", dir));
        assert_int_equal(store_open(path_of("%s/lie", dir), STORE_READ, NULL, &reading, &fault), STATUS_OK);
        struct store_identity identity = *store_identity_of(reading);
        store_close(reading);
        assert_int_equal(store_open(path_of("%s/lie", dir), STORE_WRITE, &identity, &store, &fault), STATUS_OK);
        assert_int_equal(outpoints_new(store_seed(store), &table, &fault), STATUS_OK);
        uint64_t hash = outpoints_hash(table, prevout);
        assert_int_equal(outpoints_add(table, prevout, hash, 1, no_outpoint, NULL, &fault), STATUS_OK);
        if (i == WRONG)
            assert_int_equal(outpoints_save(table, put_chunk, store), STATUS_OK);
        else if (i == MALFORMED)
            assert_int_equal(store_put_snapshot(store, 0, prevout, sizeof prevout, &fault), STATUS_OK);
        else
            assert_int_equal(store_put_snapshot(store, 0, older, sizeof older, &fault), STATUS_OK);
        assert_int_equal(store_commit(store, &fault), STATUS_OK);
        outpoints_free(table);
        store_close(store);
        if (i == OLDER)
            assert_int_equal(command_exit("check --store %s/lie --threads 1", dir), 0);
        else
            expect_found(i == WRONG ? "not what the store's blocks leave" : "the outpoint table is malformed");
    }
}

/* ---- any bit ---- */

/* A store with one bit changed anywhere, half of the time in a page's first bytes: check ends in an error with a text,
 * or nothing was lost and the digest is the same. */
static void test_any_bit(void **state)
{
    (void)state;
    enum { FLIPS = 1500, PAGE = 4096 };
    const char *given = getenv("TEST_SEED");
    struct rng rng = {given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL)};
    print_message("seed %llu (TEST_SEED=... repeats it)\n", (unsigned long long)rng.state);
    size_t size;
    unsigned found = 0;
    char *digest = digest_of("good", 1), *bytes = read_file(path_of("%s/good/data.mdb", dir), &size);
    remove_tree(path_of("%s/lie", dir));
    make_dirs(path_of("%s/lie", dir));
    for (int i = 0; i < FLIPS; i++) {
        size_t at = rng_below(&rng, (uint32_t)size);
        if (i % 2)
            at = at / PAGE * PAGE + rng_below(&rng, 160);
        char bit = (char)(1 << rng_below(&rng, 8));
        bytes[at] ^= bit;
        write_file(path_of("%s/lie/data.mdb", dir), bytes, size);
        bytes[at] ^= bit;
        struct run run = command_run("check --store %s/lie --threads 1", dir);
        if (run.exit_status == 1 ? run.err[0] == '\0' : run.exit_status != 0 || strcmp(run.out, digest) != 0)
            fail_msg("byte %zu: exit status %d, %s%s", at, run.exit_status, run.err, run.out);
        found += run.exit_status == 1;
        run_free(&run);
    }
    print_message("%u of %u found, the others changed nothing\n", found, FLIPS);
    assert_in_range(found, FLIPS / 10, FLIPS);
    free(digest);
    free(bytes);
}

/* ---- the digest ---- */

static void test_digest(void **state)
{
    (void)state;
    char *one = digest_of("good", 1), *four = digest_of("good", 4);
    assert_string_equal(one, four);
    /* another seed, other batches: ten commits instead of one */
    for (int height = 2; height <= 20; height += 2)
        assert_int_equal(command_exit("scan --quiet --datadir %s/data --store %s/steps --to-height %d --threads 2", dir,
                                      dir, height),
                         0);
    assert_int_equal(command_exit("scan --quiet --datadir %s/data --store %s/steps", dir, dir), 0);
    char *steps = digest_of("steps", 2);
    assert_string_equal(one, steps);
    free(one);
    free(four);
    free(steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch),   cmocka_unit_test(test_parent), cmocka_unit_test(test_meta),
        cmocka_unit_test(test_version), cmocka_unit_test(test_files),  cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_any_bit), cmocka_unit_test(test_digest),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
