/* The checksums of the index: whatever byte of a value or of its key is another one, what reads the index gives the
 * right answers or says that it is damaged; nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "graph/index/format.h"
#include "graph/index/page_sum.h"
#include "graph/test_hooks.h"
#include "tests/support/index_builds.h"
#include "tests/support/run.h"

enum { FIRST = 100, SECOND = 115, THIRD = 120, FORKED = 4, LAST = 122 }; /* heights */

/* Where a pair of a table lies in the file. */
struct place {
    size_t key;
    size_t key_size;
    size_t value;
    size_t value_size;
};

static struct {
    char *dir;
    char data[512];
    char store[512]; /* an index in steps, whose last blocks were taken back once */
    char file[600];
    int fd;
    char *bytes; /* of the file */
    size_t size;
    struct index_totals totals;
    struct index_block *blocks;
    struct index_tx *txs;
    struct index_output *outputs;
    uint64_t *inputs;
    struct rng rng;
} test;

/* ---- the checksum ---- */

static uint32_t turn(uint32_t word, unsigned bits) { return word << bits | word >> (32 - bits); }
static uint32_t with_word(uint32_t sum, uint32_t word) { return turn((sum ^ word) * 0x9e3779b1u, 15); }

static uint32_t word_at(const uint8_t *bytes, size_t size, size_t at)
{
    uint32_t word = 0;
    for (size_t i = 0; i < 4 && at + i < size; i++)
        word |= (uint32_t)bytes[at + i] << 8 * i;
    return word;
}

/* docs/index-format.md, read a second time. */
static uint32_t sum_as_described(uint32_t table, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    uint32_t sum = with_word(table + 1, (uint32_t)(key_size * 65536 + size)), sums[32], eight[8] = {0};
    for (size_t at = 0; at < key_size; at += 4)
        sum = with_word(sum, word_at(key, key_size, at));
    for (size_t at = 0; at < size && size < 64; at += 4)
        sum = with_word(sum, word_at(value, size, at));
    if (size < 64)
        return sum;
    for (uint32_t i = 0; i < 32; i++)
        sums[i] = i + 1;
    for (size_t i = 0; i < (size / 128 + 1) * 32; i++)
        sums[i % 32] = turn(sums[i % 32] ^ word_at(value, size, 4 * i), 13) * 5;
    for (size_t i = 0; i < 32; i++)
        eight[i % 8] = turn(eight[i % 8] ^ sums[i], 13) * 5;
    for (size_t i = 0; i < 8; i++)
        sum = with_word(sum, eight[i]);
    return sum;
}

static void test_sum(void **state)
{
    (void)state;
    uint8_t key[32], value[INDEX_ROOM];
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)rng_below(&test.rng, 256);
    for (unsigned i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)rng_below(&test.rng, 256);
    for (size_t size = 0; size <= sizeof value; size++) {
        uint32_t table = (uint32_t)(size % 10), sum = page_sum(table, key, size % 33, value, size);
        assert_int_equal(sum, sum_as_described(table, key, size % 33, value, size));
        assert_int_equal(sum, page_sum_plain(table, key, size % 33, value, size));
    }
}

/* One byte that is another one makes another sum. */
static void test_sum_of_each_byte(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 4, 5, 63, 64, 100, 128, 410, INDEX_ROOM - 1, INDEX_ROOM};
    uint8_t key[12] = {0}, value[INDEX_ROOM] = {0};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint32_t sum = page_sum(TABLE_TXIDS, key, sizeof key, value, sizes[s]);
        for (size_t at = 0; at < sizeof key + sizes[s]; at++) {
            uint8_t *byte = at < sizeof key ? &key[at] : &value[at - sizeof key], before = *byte;
            for (unsigned change = 1; change < 256; change += at < 300 ? 1 : 17) {
                *byte = (uint8_t)(before ^ change);
                assert_int_not_equal(page_sum(TABLE_TXIDS, key, sizeof key, value, sizes[s]), sum);
            }
            *byte = (uint8_t)rng_below(&test.rng, 256);
            sum = page_sum(TABLE_TXIDS, key, sizeof key, value, sizes[s]);
        }
        assert_int_not_equal(page_sum(TABLE_LATE_SPENDS, key, sizeof key, value, sizes[s]), sum);
    }
}

/* ---- what is right ---- */

static void read_all(void)
{
    struct tx_index *index = index_opened(test.store);
    struct index_totals totals = test.totals = index_totals_of(index);
    test.blocks = must_alloc(totals.blocks, sizeof *test.blocks);
    test.txs = must_alloc(totals.txs, sizeof *test.txs);
    test.outputs = must_alloc(totals.outputs, sizeof *test.outputs);
    test.inputs = must_alloc(totals.inputs, sizeof *test.inputs);
    for (uint32_t i = 0; i < totals.blocks; i++)
        assert_int_equal(index_block_at(index, i, &test.blocks[i], NULL), STATUS_OK);
    for (uint64_t i = 0; i < totals.txs; i++)
        assert_int_equal(index_tx_at(index, i, &test.txs[i], NULL), STATUS_OK);
    assert_int_equal(index_outputs(index, 0, (uint32_t)totals.outputs, test.outputs, NULL), STATUS_OK);
    assert_int_equal(index_inputs(index, 0, (uint32_t)totals.inputs, test.inputs, NULL), STATUS_OK);
    assert_true(index_state_of(index)->runs > 1 && index_state_of(index)->late_spends > 0);
    assert_true(index_state_of(index)->cut_input < totals.inputs);
    index_close(index);
}

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    kv_map_step((size_t)1 << 20);
    test.dir = temp_dir();
    snprintf(test.data, sizeof test.data, "%s/data", test.dir);
    snprintf(test.store, sizeof test.store, "%s/store", test.dir);
    test.rng = (struct rng){(uint64_t)time(NULL)};
    print_message("seed %ju\n", (uintmax_t)test.rng.state);
    struct gen_options options = index_chain(test.data);
    make_dirs(test.data);
    options.block_bytes = 8000;
    static const uint32_t heights[] = {FIRST, SECOND, THIRD, LAST};
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
        struct gen *gen = gen_open(&options);
        if (i + 1 == sizeof heights / sizeof *heights)
            gen_fork(gen, gen_height(gen) - FORKED);
        gen_blocks(gen, heights[i] - gen_height(gen), 0);
        gen_close(gen);
        index_built(test.data, test.store);
    }
    read_all();
    snprintf(test.file, sizeof test.file, "%s/tio/data.mdb", test.store);
    test.bytes = read_file(test.file, &test.size);
    test.fd = open(test.file, O_RDWR | O_CLOEXEC);
    return test.fd < 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(test.fd);
    remove_tree(test.dir);
    free(test.dir);
    free(test.bytes);
    free(test.blocks);
    free(test.txs);
    free(test.outputs);
    free(test.inputs);
    return 0;
}

/* ---- reading a damaged index ---- */

/* True if that is the right answer; false if the index is said to be damaged. */
static bool is_right(enum status status, const struct fault *fault, const void *got, const void *wanted, size_t size)
{
    if (status == STATUS_FORMAT && strstr(fault->text, "damaged") && strstr(fault->text, "unktx index"))
        return false;
    if (status != STATUS_OK)
        fail_msg("status %d: %s", (int)status, fault->text);
    assert_memory_equal(got, wanted, size);
    return true;
}

static bool is_right_block(enum status status, const struct fault *fault, const struct index_block *got,
                           const struct index_block *wanted)
{
    const uint64_t numbers[] = {got->height, got->time, got->txs, got->first_tx, got->file, got->offset, got->size},
                   right[] = {wanted->height, wanted->time,   wanted->txs, wanted->first_tx,
                              wanted->file,   wanted->offset, wanted->size};
    return is_right(status, fault, numbers, right, sizeof right) &&
           is_right(status, fault, &got->hash, &wanted->hash, sizeof got->hash);
}

static bool read_blocks(struct tx_index *index)
{
    struct fault fault = {0};
    struct index_block block = {0};
    bool right = true;
    for (uint32_t i = 0; i < test.totals.blocks && right; i++) {
        const struct index_block *wanted = &test.blocks[i];
        enum status status = index_block_at(index, i, &block, &fault);
        right = is_right_block(status, &fault, &block, wanted);
        if (!right)
            break;
        status = index_block_find(index, &wanted->hash, &block, &fault);
        right = is_right_block(status, &fault, &block, wanted);
    }
    return right;
}

enum way { BY_NUMBER, BY_INPUT, BY_OUTPUT, BY_TXID, WAYS };

static bool read_tx(struct tx_index *index, const struct index_tx *wanted, enum way way)
{
    struct fault fault = {0};
    struct index_tx tx = {0};
    enum status status = way == BY_NUMBER   ? index_tx_at(index, wanted->number, &tx, &fault)
                         : way == BY_INPUT  ? index_tx_of_input(index, wanted->first_input, &tx, &fault)
                         : way == BY_OUTPUT ? index_tx_of_output(index, wanted->first_output, &tx, &fault)
                                            : index_tx_find(index, &wanted->txid, UINT64_MAX, &tx, &fault);
    return is_right(status, &fault, &tx, wanted, sizeof tx);
}

/* Each is on another page than the one before, which the index has at hand. */
static bool read_txs(struct tx_index *index)
{
    bool right = true;
    for (enum way way = 0; way < WAYS; way++)
        for (uint64_t i = 0; i < test.totals.txs && right; i++)
            right = read_tx(index, &test.txs[i * 7919 % test.totals.txs], way);
    return right;
}

static bool read_ends(struct tx_index *index)
{
    struct fault fault = {0};
    struct index_output output = {0};
    uint64_t spent;
    bool right = true;
    for (uint64_t i = 0; i < test.totals.outputs && right; i++)
        right = is_right(index_outputs(index, i, 1, &output, &fault), &fault, &output, &test.outputs[i], sizeof output);
    for (uint64_t i = 0; i < test.totals.inputs && right; i++)
        right = is_right(index_inputs(index, i, 1, &spent, &fault), &fault, &spent, &test.inputs[i], sizeof spent);
    return right;
}

/* Those of that table first: most end with the first that is wrong. */
static bool read_index(enum index_table table)
{
    struct tx_index *index = NULL;
    struct fault fault = {0};
    enum status status = index_open(test.store, &index, &fault);
    if (status != STATUS_OK) {
        if (status != STATUS_FORMAT || !strstr(fault.text, "this program knows version 3: delete it and index again"))
            assert_false(is_right(status, &fault, NULL, NULL, 0));
        return false;
    }
    bool of_ends = table == TABLE_OUTPUTS || table == TABLE_INPUTS || table == TABLE_LATE_SPENDS;
    bool right = (of_ends ? read_ends : read_txs)(index) && (of_ends ? read_txs : read_ends)(index) &&
                 read_blocks(index);
    index_close(index);
    return right;
}

/* ---- where things are ---- */

/* Each page of the file begins with its number, and the map of the file with a page. */
static size_t offset_of(const uint8_t *at)
{
    const uint8_t *page = at - (uintptr_t)at % 4096;
    return load_le64(page) * 4096 + (size_t)(at - page);
}

static bool no_create(struct kv_txn *txn, void *context)
{
    (void)txn;
    (void)context;
    return false;
}

/* The pairs of a table, in order. */
static size_t find_places(enum index_table table, struct place places[], size_t most)
{
    struct kv *kv;
    struct kv_view *view;
    struct kv_cursor *cursor;
    struct kv_pair pair;
    size_t count = 0;
    assert_int_equal(kv_open(path_of("%s/tio", test.store), KV_READ, &index_words, index_table_names, INDEX_TABLE_COUNT,
                             no_create, NULL, &kv, NULL),
                     STATUS_OK);
    assert_int_equal(kv_view_open(kv, &view, NULL), STATUS_OK);
    assert_int_equal(kv_cursor_open(view, table, &cursor, NULL), STATUS_OK);
    while (count < most && kv_next(cursor, &pair, NULL) == STATUS_OK)
        places[count++] = (struct place){offset_of(pair.key), pair.key_size, offset_of(pair.value), pair.value_size};
    kv_cursor_close(cursor);
    kv_view_close(view);
    kv_close(kv);
    for (size_t i = 0; i < count; i++)
        assert_true(places[i].value + places[i].value_size <= test.size);
    return count;
}

static void put(size_t at, const char *bytes, size_t size)
{
    assert_int_equal(pwrite(test.fd, bytes, size, (off_t)at), (ssize_t)size);
}

/* Another byte there, once. */
static bool read_with_another(enum index_table table, size_t at)
{
    char byte = (char)(test.bytes[at] ^ (char)(1 + rng_below(&test.rng, 255)));
    put(at, &byte, 1);
    bool right = read_index(table);
    put(at, test.bytes + at, 1);
    return right;
}

enum { PLACES = 400 };

/* Of the first, the middle and the last value of each table: each byte of the key and of a small value, each third one
 * of a page. */
static void test_each_byte(void **state)
{
    (void)state;
    struct place places[PLACES];
    for (enum index_table table = TABLE_META; table < INDEX_TABLE_COUNT; table++) {
        size_t count = find_places(table, places, PLACES), flips = 0, unseen = 0;
        assert_true(count > 2 && count < PLACES);
        for (unsigned which = 0; which < 3; which++) {
            const struct place *place = &places[which == 0 ? 0 : which == 1 ? count / 2 : count - 1];
            size_t step = place->value_size < 500 ? 1 : 3, phase = rng_below(&test.rng, (uint32_t)step);
            for (size_t i = 0; i < place->key_size; i++, flips++)
                unseen += read_with_another(table, place->key + i);
            for (size_t i = phase; i < place->value_size; i += step, flips++)
                unseen += read_with_another(table, place->value + i);
        }
        print_message("%s: %zu bytes, %zu of them told by nothing\n", index_table_names[table], flips, unseen);
        assert_in_range(unseen, 0, table == TABLE_META ? strlen("begun") : 0); /* the key of what may be missing */
    }
    assert_true(read_index(TABLE_TXS));
}

/* Swaps so many bytes of the file. */
static void swap(size_t a, size_t b, size_t size)
{
    char one[4096], other[4096];
    assert_int_equal(pread(test.fd, one, size, (off_t)a), (ssize_t)size);
    assert_int_equal(pread(test.fd, other, size, (off_t)b), (ssize_t)size);
    put(a, other, size);
    put(b, one, size);
}

/* In LMDB's records of two keys: the sizes of their values, and the numbers of the pages that these are in. */
static void swap_records(const struct place *a, const struct place *b)
{
    swap(a->key - 8, b->key - 8, 4);
    swap(a->key + a->key_size, b->key + b->key_size, 8);
}

/* A page in the place of its neighbour, and a key that leads to the page of its neighbour. */
static void test_swapped_pages(void **state)
{
    (void)state;
    static const enum index_table tables[] = {TABLE_BLOCKS, TABLE_TXS, TABLE_INPUTS, TABLE_OUTPUTS, TABLE_TXIDS};
    struct place places[PLACES];
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        size_t count = find_places(tables[t], places, PLACES), swaps = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            const struct place *a = &places[i], *b = &places[i + 1];
            if (a->value % 4096 != 16 || b->value % 4096 != 16) /* in a page with others */
                continue;
            swap_records(a, b);
            assert_false(read_index(tables[t]));
            swap_records(a, b);
            if (a->value_size == b->value_size) {
                swap(a->value, b->value, a->value_size);
                assert_false(read_index(tables[t]));
                swap(a->value, b->value, a->value_size);
            }
            swaps++;
        }
        print_message("%s: %zu pairs of pages\n", index_table_names[tables[t]], swaps);
        assert_true(swaps > 0);
    }
    assert_true(read_index(TABLE_TXS));
}

/* ---- building on a damaged index ---- */

/* Blocks are added to an index with another byte: what comes of it is right, or is said to be damaged. */
static void test_additions(void **state)
{
    (void)state;
    enum { FLIPS = 200 };
    static const enum index_table tables[] = {TABLE_BLOCKS,  TABLE_TXS,         TABLE_INPUTS,
                                              TABLE_OUTPUTS, TABLE_LATE_SPENDS, TABLE_TXIDS};
    struct index_options options = index_options_for(test.data, test.store);
    struct place places[PLACES];
    struct index_result result;
    unsigned told = 0, right = 0;
    static const uint32_t heights[] = {FIRST, FIRST + 12, FIRST + 16, UINT32_MAX}; /* the last merges all but FIRST's */
    remove_tree(test.store);
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
        options.to_height = heights[i];
        if (heights[i] < UINT32_MAX)
            index_built_with(&options);
    }
    size_t size;
    char *base = read_file(test.file, &size);
    for (unsigned i = 0; i < FLIPS; i++) {
        enum index_table table = tables[i % (sizeof tables / sizeof *tables)];
        struct fault fault = {0};
        write_file(test.file, base, size);
        size_t count = find_places(table, places, PLACES);
        const struct place *place = &places[i % 4 < 2 ? count - 1 : rng_below(&test.rng, (uint32_t)count)];
        size_t at = i % 8 == 7 ? place->key + rng_below(&test.rng, (uint32_t)place->key_size)
                               : place->value + rng_below(&test.rng, (uint32_t)place->value_size);
        char bit = (char)(1 << rng_below(&test.rng, 7));
        base[at] ^= bit;
        write_file(test.file, base, size);
        base[at] ^= bit;
        enum status status = index_build(&options, &result, &fault);
        if (status != STATUS_OK) {
            assert_false(is_right(status, &fault, NULL, NULL, 0));
            told++;
        } else {
            assert_int_equal(result.damages, 0);
            right += read_index(table);
        }
    }
    print_message("of %u additions %u were refused, %u made a right index\n", FLIPS, told, right);
    assert_in_range(told, FLIPS / 8, FLIPS);
    free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum),           cmocka_unit_test(test_sum_of_each_byte), cmocka_unit_test(test_each_byte),
        cmocka_unit_test(test_swapped_pages), cmocka_unit_test(test_additions),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
