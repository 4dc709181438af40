/* Counts of an index that contradict each other: each is a sound number alone, and is told before anything is read,
 * reserved or built by it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "graph/index/format.h"
#include "graph/test_hooks.h"
#include "tests/support/index_builds.h"
#include "tests/support/run.h"

enum { HEIGHT = 5, AT_BLOCK = HEIGHT * BLOCK_SIZE };

static struct {
    char *dir;
    char *data;
    char path[512]; /* of the index's file */
    char *bytes;    /* as it was built */
    size_t size;
} place;

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    kv_map_step((size_t)1 << 20);
    place.dir = temp_dir();
    place.data = temp_dir();
    struct gen_options options = index_chain(place.data);
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 2 * HEIGHT, 0);
    gen_close(gen);
    index_built(path_of("%s/regtest", place.data), place.dir);
    snprintf(place.path, sizeof place.path, "%s/tio/data.mdb", place.dir);
    place.bytes = read_file(place.path, &place.size);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(place.dir);
    remove_tree(place.data);
    free(place.dir);
    free(place.data);
    free(place.bytes);
    return 0;
}

/* ---- lies ---- */

/* A number of a value, and what is added to it. The checksum is then that of the lie. */
struct lie {
    size_t at;
    unsigned bytes;
    uint64_t more;
};

struct value {
    enum index_table table;
    const void *key;
    size_t key_size;
    uint8_t bytes[INDEX_PAGE];
    size_t size;
};

static bool no_create(struct kv_txn *txn, void *context)
{
    (void)txn;
    (void)context;
    return false;
}

static bool write_value(struct kv_txn *txn, void *context)
{
    const struct value *value = context;
    return kv_put(txn, value->table, value->key, value->key_size, value->bytes, value->size + INDEX_SUM_SIZE);
}

static void tell(struct value *value, const struct lie *lie)
{
    struct kv *kv;
    struct kv_view *view;
    const uint8_t *bytes;
    uint64_t number = 0;
    write_file(place.path, place.bytes, place.size);
    assert_int_equal(kv_open(path_of("%s/tio", place.dir), KV_WRITE, &index_words, index_table_names, INDEX_TABLE_COUNT,
                             no_create, NULL, &kv, NULL),
                     STATUS_OK);
    assert_int_equal(kv_view_open(kv, &view, NULL), STATUS_OK);
    assert_int_equal(kv_get(view, value->table, value->key, value->key_size, &bytes, &value->size, NULL), STATUS_OK);
    value->size -= INDEX_SUM_SIZE;
    assert_true(value->size <= INDEX_ROOM && lie->at + lie->bytes <= value->size);
    memcpy(value->bytes, bytes, value->size);
    kv_view_close(view);
    memcpy(&number, value->bytes + lie->at, lie->bytes);
    number += lie->more;
    memcpy(value->bytes + lie->at, &number, lie->bytes);
    index_seal(value->table, value->key, value->key_size, value->bytes, value->size);
    assert_int_equal(kv_write(kv, 2 * INDEX_PAGE, write_value, value, NULL), STATUS_OK);
    kv_close(kv);
}

static void assert_told(size_t lie, enum status status, const struct fault *fault)
{
    if (status != STATUS_FORMAT || !strstr(fault->text, "damaged"))
        fail_msg("lie %zu: status %d, %s", lie, (int)status, fault->text);
}

/* ---- what is asked ---- */

/* Of `state`: the offsets are those of docs/index-format.md. Nothing is read by such totals, and nothing built on. */
static void test_totals(void **state)
{
    (void)state;
    static const struct lie lies[] = {
        {0, 4, 1},
        {0, 4, (uint64_t)-1}, /* blocks */
        {4, 5, 1},
        {4, 5, (uint64_t)-1}, /* transactions */
        {9, 5, 1},
        {9, 5, (uint64_t)-1},      /* inputs */
        {9, 5, UINT64_C(1) << 39}, /* more than memory has room for */
        {14, 5, 1},
        {14, 5, (uint64_t)-1},       /* outputs */
        {19, 1, 1},                  /* tip */
        {51, 8, UINT64_C(1) << 40},  /* the input where it was cut */
        {59, 4, INDEX_RUNS_MAX - 1}, /* with the run of the next build there is no room for them */
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct value value = {.table = TABLE_META, .key = "state", .key_size = 5};
        struct fault fault = {0};
        struct tx_index *index = NULL;
        struct index_result result;
        tell(&value, &lies[i]);
        assert_told(i, index_open(place.dir, &index, &fault), &fault);
        fault = (struct fault){0};
        struct index_options options = index_options_for(path_of("%s/regtest", place.data), place.dir);
        assert_told(i, index_build(&options, &result, &fault), &fault);
    }
}

static void test_block(void **state)
{
    (void)state;
    static const uint8_t page[4] = {0};
    static const struct lie lies[] = {
        {AT_BLOCK + 36, 4, 1u << 31},          /* transactions */
        {AT_BLOCK + 40, 5, UINT64_C(1) << 39}, /* the first one */
        {AT_BLOCK + 45, 5, UINT64_C(1) << 39}, /* the first input */
        {AT_BLOCK + 50, 5, UINT64_C(1) << 39}, /* the first output */
        {AT_BLOCK + 67, 4, 1u << 31},          /* size */
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct value value = {.table = TABLE_BLOCKS, .key = page, .key_size = sizeof page};
        struct fault fault = {0};
        struct index_block block;
        tell(&value, &lies[i]);
        struct tx_index *index = index_opened(place.dir);
        assert_told(i, index_block_at(index, HEIGHT, &block, &fault), &fault);
        index_close(index);
    }
}

/* Where a block's inputs and outputs begin is also said by its transactions. */
static void test_block_and_transactions(void **state)
{
    (void)state;
    static const uint8_t page[4] = {0};
    static const struct lie lies[] = {{AT_BLOCK + 45, 5, 1}, {AT_BLOCK + 50, 5, (uint64_t)-1}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct value value = {.table = TABLE_BLOCKS, .key = page, .key_size = sizeof page};
        struct fault fault = {0};
        uint8_t digest[32];
        tell(&value, &lies[i]);
        assert_told(i, index_check(place.dir, 2, digest, &fault), &fault);
    }
}

/* Of a page of transactions: the numbers of its first one. */
static void test_transactions(void **state)
{
    (void)state;
    static const uint8_t page[5] = {0};
    static const struct lie lies[] = {{5, 5, UINT64_C(1) << 39}, {15, 4, 1u << 31}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct value value = {.table = TABLE_TXS, .key = page, .key_size = sizeof page};
        struct fault fault = {0};
        struct index_tx tx;
        tell(&value, &lies[i]);
        struct tx_index *index = index_opened(place.dir);
        assert_told(i, index_tx_at(index, 0, &tx, &fault), &fault);
        assert_told(i, index_tx_of_output(index, 0, &tx, &fault), &fault);
        index_close(index);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totals),
        cmocka_unit_test(test_block),
        cmocka_unit_test(test_block_and_transactions),
        cmocka_unit_test(test_transactions),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
