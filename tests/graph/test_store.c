/* A store against a model of it: what is appended, committed and taken back. */
#include "tests/graph/store_model.h"

#include "parser/mem.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"

static void test_empty(void **state)
{
    (void)state;
    struct chain chain = {0};
    struct store_reader *reader;
    expect_refusal(STORE_READ, NULL, STATUS_NOT_FOUND, "unktx scan");
    struct store *store = open_store(STORE_WRITE);
    uint8_t seed[STORE_SEED_SIZE];
    memcpy(seed, store_seed(store), sizeof seed);
    expect_totals(store, &chain);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    store_close(store);
    store = open_store(STORE_READ);
    assert_memory_equal(seed, store_seed(store), sizeof seed);
    assert_memory_equal(store_identity_of(store)->genesis.bytes, identity.genesis.bytes, 32);
    assert_string_equal(store_path(store), folder);
    expect_totals(store, &chain);
    assert_int_equal(store_reader_open(store, &reader, &fault), STATUS_OK);
    expect_batches(reader, &chain);
    store_reader_close(reader);
    store_close(store);
}

/* A commit of nothing writes nothing, so that it waits for no disk. */
static void test_nothing_to_commit(void **state)
{
    (void)state;
    struct chain chain = {0};
    char path[4096];
    size_t before_size, after_size;
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    struct store *store = open_store(STORE_WRITE);
    chain_grow(&chain, 0, 3);
    for (uint32_t b = 0; b < chain.count; b++)
        add_to_store(store, &chain, b);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    char *before = read_file(path, &before_size);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    store_close(store);
    store = open_store(STORE_WRITE);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    expect_totals(store, &chain);
    store_close(store);
    char *after = read_file(path, &after_size);
    assert_int_equal(after_size, before_size);
    assert_memory_equal(after, before, before_size);
    free(before);
    free(after);
    chain_free_all(&chain);
}

/* Adds, commits, takes back, closes and opens at random; everything must be as in the model after each step. */
/* A store under work, with a reader that stays open, and the model of it. */
struct work {
    struct chain chain;
    struct store *store;
    struct store_reader *reader;
    uint32_t committed;
};

static void open_work(struct work *work)
{
    work->store = open_store(STORE_WRITE);
    assert_int_equal(store_reader_open(work->store, &work->reader, &fault), STATUS_OK);
}

static void close_work(struct work *work)
{
    store_reader_close(work->reader);
    store_close(work->store);
}

static void step_at_random(struct work *work)
{
    struct chain *chain = &work->chain;
    uint32_t old = chain->count, kind = below(7);
    if (kind < 3) {
        chain_grow(chain, 0, below(3) ? below(40) : 1000);
        for (uint32_t b = old; b < chain->count; b++)
            add_to_store(work->store, chain, b);
    } else if (kind < 5) {
        assert_int_equal(store_commit(work->store, &fault), STATUS_OK);
        work->committed = chain->count;
    } else if (kind == 5) {
        uint32_t to = below(5) ? chain->count - below(chain->count + 1) / (1 + below(40)) : chain->count;
        assert_int_equal(store_rollback(work->store, to, &fault), STATUS_OK);
        chain_cut(chain, to);
        work->committed = chain->count;
    } else {
        close_work(work);
        chain_cut(chain, work->committed);
        open_work(work);
    }
}

static void test_random_against_model(void **state)
{
    (void)state;
    struct work work = {.committed = 0};
    seed_random();
    kv_map_step(1 << 20);
    open_work(&work);
    for (int step = 0; step < 50; step++) {
        step_at_random(&work);
        expect_totals(work.store, &work.chain);
        assert_int_equal(store_reader_refresh(work.reader, &fault), STATUS_OK);
        expect_lookups(work.reader, &work.chain);
        if (work.committed == work.chain.count)
            expect_batches(work.reader, &work.chain);
        assert_true(work.committed == work.chain.count || store_pending(work.store) > 0);
    }
    close_work(&work);
    chain_free_all(&work.chain);
}

/* Growth far beyond the first map, with readers open meanwhile, and what the store costs. */
static void test_map_growth(void **state)
{
    (void)state;
    seed_random();
    kv_map_step(1 << 20);
    struct chain chain = {0};
    struct store_reader *readers[3];
    struct store *store = open_store(STORE_WRITE);
    size_t bytes = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(store_reader_open(store, &readers[i], &fault), STATUS_OK);
    for (uint32_t b = 0; b < 16000; b++) {
        if (b % 1000 == 0)
            chain_grow(&chain, 0, 1000);
        add_to_store(store, &chain, b);
        if (store_pending(store) > 3 << 20 || b == 15999) {
            bytes += store_pending(store);
            assert_int_equal(store_commit(store, &fault), STATUS_OK);
        }
    }
    for (int i = 0; i < 3; i++) {
        expect_lookups(readers[i], &chain);
        store_reader_close(readers[i]);
    }
    char path[128];
    struct stat file;
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    assert_int_equal(stat(path, &file), 0);
    print_message("%zu bytes of batches, file of %lld\n", bytes, (long long)file.st_size);
    assert_true(bytes > 10u << 20);
    assert_true((size_t)file.st_size < bytes + bytes / 20 + 64 * store_page_size(path));
    store_close(store);
    store = open_store(STORE_READ);
    assert_int_equal(store_reader_open(store, &readers[0], &fault), STATUS_OK);
    expect_batches(readers[0], &chain);
    store_reader_close(readers[0]);
    store_close(store);
    chain_free_all(&chain);
}

struct seen {
    uint32_t count;
    uint32_t numbers[8];
    char values[8][8];
};

static enum status see(void *context, uint32_t number, const uint8_t *value, size_t size)
{
    struct seen *seen = context;
    seen->numbers[seen->count] = number;
    memcpy(seen->values[seen->count++], value, size);
    return number == 99 ? STATUS_INTERRUPTED : STATUS_OK;
}

static void test_files(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct store *store = open_store(STORE_WRITE);
    assert_int_equal(store_put_file(store, 700, "seven", 6, &fault), STATUS_OK);
    assert_int_equal(store_put_file(store, 3, "three", 6, &fault), STATUS_OK);
    assert_int_equal(store_put_file(store, 256, "", 0, &fault), STATUS_OK);
    assert_int_equal(store_put_file(store, 3, "drei", 5, &fault), STATUS_OK);
    assert_int_equal(store_each_file(store, see, &seen, &fault), STATUS_OK);
    assert_int_equal(seen.count, 0);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    assert_int_equal(store_put_file(store, 5, "lost", 5, &fault), STATUS_OK);
    store_close(store);
    store = open_store(STORE_WRITE);
    assert_int_equal(store_each_file(store, see, &seen, &fault), STATUS_OK);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.numbers[0], 3);
    assert_string_equal(seen.values[0], "drei");
    assert_int_equal(seen.numbers[1], 256);
    assert_int_equal(seen.numbers[2], 700);
    assert_string_equal(seen.values[2], "seven");
    assert_int_equal(store_drop_file(store, 256, &fault), STATUS_OK);
    assert_int_equal(store_drop_file(store, 257, &fault), STATUS_OK);
    assert_int_equal(store_put_file(store, 99, "x", 2, &fault), STATUS_OK);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    seen.count = 0;
    assert_int_equal(store_each_file(store, see, &seen, &fault), STATUS_INTERRUPTED);
    assert_int_equal(seen.count, 2);
    store_close(store);
}

static void put_chunks(struct store *store, uint32_t count, uint8_t mark)
{
    static uint8_t bytes[1 << 20];
    memset(bytes, mark, sizeof bytes);
    for (uint32_t i = 0; i < count; i++) {
        store_le32(bytes, i);
        assert_int_equal(store_put_snapshot(store, i, bytes, sizeof bytes, &fault), STATUS_OK);
    }
}

static void expect_chunks(const struct store *store, uint32_t count, uint8_t mark)
{
    const uint8_t *bytes;
    size_t size;
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(store_get_snapshot(store, i, &bytes, &size, &fault), STATUS_OK);
        assert_int_equal(size, 1 << 20);
        assert_int_equal(load_le32(bytes), i);
        assert_int_equal(bytes[size - 1], mark);
    }
    assert_int_equal(store_get_snapshot(store, count, &bytes, &size, &fault), STATUS_NOT_FOUND);
}

static void test_snapshot_replaced(void **state)
{
    (void)state;
    seed_random();
    struct chain chain = {0};
    struct store *store = open_store(STORE_WRITE);
    chain_make(&chain, 0, 0, 0, 20);
    add_to_store(store, &chain, 0);
    put_chunks(store, 3, 'a');
    expect_chunks(store, 0, 0);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    expect_chunks(store, 3, 'a');
    store_close(store);

    store = open_store(STORE_WRITE);
    expect_chunks(store, 3, 'a');
    put_chunks(store, 2, 'b');
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    expect_chunks(store, 2, 'b');
    put_chunks(store, 40, 'c'); /* more than is held in memory, so half is written, and the old one stays */
    expect_chunks(store, 2, 'b');
    store_close(store);

    store = open_store(STORE_WRITE); /* as after a crash before the commit */
    expect_chunks(store, 2, 'b');
    store_close(store);
    chain_free_all(&chain);
}

/* To which blocks a snapshot belongs, and when it goes. */
static void test_snapshot_blocks(void **state)
{
    (void)state;
    seed_random();
    struct chain chain = {0};
    struct store *store = open_store(STORE_WRITE);
    chain_make(&chain, 0, 0, 0, 20);
    add_to_store(store, &chain, 0);
    add_to_store(store, &chain, 1);
    put_chunks(store, 40, 'd');
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    expect_chunks(store, 40, 'd');
    assert_int_equal(store_snapshot_blocks(store), 2);
    add_to_store(store, &chain, 2); /* blocks without a new one: it stays that of two blocks */
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    expect_chunks(store, 40, 'd');
    assert_int_equal(store_snapshot_blocks(store), 2);
    assert_int_equal(store_rollback(store, 2, &fault), STATUS_OK);
    expect_chunks(store, 40, 'd');
    add_to_store(store, &chain, 2);
    put_chunks(store, 2, 'e');
    add_to_store(store, &chain, 3); /* made before the last block: never counts */
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    expect_chunks(store, 40, 'd');
    assert_int_equal(store_snapshot_blocks(store), 2);
    put_chunks(store, 2, 'f');
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    expect_chunks(store, 2, 'f');
    assert_int_equal(store_snapshot_blocks(store), 4);
    assert_int_equal(store_rollback(store, 2, &fault), STATUS_OK);
    expect_chunks(store, 0, 0);
    assert_int_equal(store_snapshot_blocks(store), 0);
    store_close(store);
    chain_free_all(&chain);
}

static void test_no_memory(void **state)
{
    (void)state;
    seed_random();
    struct chain chain = {0};
    chain_make(&chain, 0, 0, 0, 1);
    bool done = false;
    for (long allowed = 0; !done; allowed++) {
        struct store *store = NULL;
        struct store_reader *reader = NULL;
        mem_fail_after(allowed);
        enum status status = store_open(folder, STORE_WRITE, &identity, &store, &fault);
        if (status == STATUS_OK)
            status = store_reader_open(store, &reader, &fault);
        if (status == STATUS_OK && store_totals_of(store).blocks == 0)
            status = store_begin_block(store, &chain.blocks[0].record, &fault);
        if (status == STATUS_OK)
            status = store_end_block(store, &fault);
        if (status == STATUS_OK)
            status = store_put_file(store, 1, "x", 1, &fault);
        if (status == STATUS_OK)
            status = store_put_snapshot(store, 0, "x", 1, &fault);
        if (status == STATUS_OK)
            status = store_commit(store, &fault);
        if (status == STATUS_OK)
            status = store_rollback(store, 0, &fault);
        mem_fail_after(-1);
        done = status == STATUS_OK;
        assert_true(done || status == STATUS_NOMEM);
        store_reader_close(reader);
        store_close(store);
    }
    chain_free_all(&chain);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_empty),     CASE(test_random_against_model), CASE(test_map_growth),
        CASE(test_files),     CASE(test_snapshot_replaced),    CASE(test_snapshot_blocks),
        CASE(test_no_memory), CASE(test_nothing_to_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
