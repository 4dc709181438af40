#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph/store/store.h"
#include "graph/test_hooks.h"
#include "parser/mem.h"
#include "parser/network.h"
#include "tests/graph/blocks.h"

static char folder[64];
static struct fault fault;
static struct store_identity identity;

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/unktx-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    strcat(folder, "/store");
    identity = (struct store_identity){.genesis = network_by_name("regtest")->genesis};
    memcpy(identity.magic, network_by_name("regtest")->magic, 4);
    fault = (struct fault){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const files[] = {"data.mdb", "lock.mdb", "writer.lock"};
    char path[128];
    chmod(folder, 0700);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
    *strrchr(folder, '/') = '\0';
    kv_map_step(0);
    return rmdir(folder);
}

static struct store *open_store(enum store_mode mode)
{
    struct store *store = NULL;
    enum status status = store_open(folder, mode, mode == STORE_WRITE ? &identity : NULL, &store, &fault);
    if (status != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    return store;
}

/* Opening fails with that status and a text that has these words in it. */
static void expect_refusal(enum store_mode mode, const struct store_identity *as, enum status status, const char *words)
{
    struct store *store = NULL;
    assert_int_equal(store_open(folder, mode, as, &store, &fault), status);
    assert_null(store);
    if (!strstr(fault.text, words))
        fail_msg("'%s' is not in '%s'", words, fault.text);
}

static void add_to_store(struct store *store, const struct chain *chain, uint32_t b)
{
    const struct test_block *block = &chain->blocks[b];
    assert_int_equal(store_begin_block(store, &block->record, &fault), STATUS_OK);
    for (uint32_t t = 0; t < block->record.stored_txs; t++) {
        struct buffer blob = {0};
        uint32_t vouts[OUTPUTS_MAX];
        const struct test_tx *tx = &block->txs[t];
        assert_int_equal(outputs_of(tx, &blob, vouts), STATUS_OK);
        assert_int_equal(store_totals_of(store).tracked, tx->record.first_ordinal);
        assert_int_equal(store_add_tx(store, &tx->record, blob.bytes, blob.size, vouts, tx->spends, &fault), STATUS_OK);
        buffer_free(&blob);
    }
    assert_int_equal(store_end_block(store, &fault), STATUS_OK);
}

/* Forgets the model's blocks from `blocks` on. */
static void chain_cut(struct chain *chain, uint32_t blocks)
{
    for (; chain->count > blocks; chain->count--) {
        struct test_block *block = &chain->blocks[chain->count - 1];
        for (uint32_t t = 0; t < block->record.stored_txs; t++)
            chain->tracked_count -= block->txs[t].record.tracked;
        chain->txs -= block->record.stored_txs;
        free(block->txs);
    }
}

static void expect_totals(const struct store *store, const struct chain *chain)
{
    struct store_totals totals = store_totals_of(store);
    assert_int_equal(totals.blocks, chain->count);
    assert_int_equal(totals.txs, chain->txs);
    assert_int_equal(totals.tracked, chain->tracked_count);
    if (chain->count > 0)
        assert_memory_equal(totals.tip.bytes, chain->blocks[chain->count - 1].record.hash.bytes, 32);
}

/* What is committed, in whole, batch by batch. */
static void expect_batches(const struct store_reader *reader, const struct chain *chain)
{
    uint32_t b = 0;
    for (size_t i = 0; i < store_batches(reader); i++) {
        struct batch_view view;
        size_t found;
        assert_int_equal(store_batch(reader, i, &view, &fault), STATUS_OK);
        assert_true(batch_view_intact(&view));
        assert_int_equal(view.first_height, b);
        for (uint32_t n = view.block_count; n > 0; n--, b++) {
            expect_block(chain, b, &view, true);
            assert_int_equal(store_batch_of_height(reader, b, &found, &fault), STATUS_OK);
            assert_int_equal(found, i);
        }
    }
    assert_int_equal(b, chain->count);
    size_t found;
    assert_int_equal(store_batch_of_height(reader, b, &found, &fault), STATUS_NOT_FOUND);
}

/* Single outpoints and blocks, committed or pending. */
static void expect_lookups(const struct store_reader *reader, const struct chain *chain)
{
    struct block_record block;
    struct hash256 txid;
    uint32_t vout;
    for (uint32_t b = 0; b < chain->count; b += 1 + below(7)) {
        assert_int_equal(store_block(reader, b, &block, &fault), STATUS_OK);
        expect_block_record(&chain->blocks[b].record, &block);
    }
    assert_int_equal(store_block(reader, chain->count, &block, &fault), STATUS_NOT_FOUND);
    for (size_t i = 0; i < chain->tracked_count; i += 1 + below(5)) {
        assert_int_equal(store_outpoint(reader, i, &txid, &vout, &fault), STATUS_OK);
        assert_memory_equal(txid.bytes, chain->tracked[i].txid.bytes, 32);
        assert_int_equal(vout, chain->tracked[i].vout);
    }
    assert_int_equal(store_outpoint(reader, chain->tracked_count, &txid, &vout, &fault), STATUS_FORMAT);
}

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

/* Adds, commits, takes back, closes and opens at random; everything must be as in the model after each step. */
static void test_random_against_model(void **state)
{
    (void)state;
    seed_random();
    kv_map_step(1 << 20);
    struct chain chain = {0};
    struct store *store = open_store(STORE_WRITE);
    struct store_reader *reader;
    uint32_t committed = 0;
    assert_int_equal(store_reader_open(store, &reader, &fault), STATUS_OK);
    for (int step = 0; step < 50; step++) {
        uint32_t old = chain.count;
        switch (below(7)) {
        case 0:
        case 1:
        case 2:
            chain_grow(&chain, 0, below(3) ? below(40) : 1000);
            for (uint32_t b = old; b < chain.count; b++)
                add_to_store(store, &chain, b);
            break;
        case 3:
        case 4:
            assert_int_equal(store_commit(store, &fault), STATUS_OK);
            committed = chain.count;
            break;
        case 5: {
            uint32_t to = below(5) ? chain.count - below(chain.count + 1) / (1 + below(40)) : chain.count;
            assert_int_equal(store_rollback(store, to, &fault), STATUS_OK);
            chain_cut(&chain, to);
            committed = chain.count;
            break;
        }
        default:
            store_reader_close(reader);
            store_close(store);
            chain_cut(&chain, committed);
            store = open_store(STORE_WRITE);
            assert_int_equal(store_reader_open(store, &reader, &fault), STATUS_OK);
        }
        expect_totals(store, &chain);
        assert_int_equal(store_reader_refresh(reader, &fault), STATUS_OK);
        expect_lookups(reader, &chain);
        if (committed == chain.count)
            expect_batches(reader, &chain);
        assert_true(committed == chain.count || store_pending(store) > 0);
    }
    store_reader_close(reader);
    store_close(store);
    chain_free_all(&chain);
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
    assert_true((size_t)file.st_size < bytes + bytes / 20 + (1 << 18));
    store_close(store);
    store = open_store(STORE_READ);
    assert_int_equal(store_reader_open(store, &readers[0], &fault), STATUS_OK);
    expect_batches(readers[0], &chain);
    store_reader_close(readers[0]);
    store_close(store);
    chain_free_all(&chain);
}

struct seen {
    uint32_t count, numbers[8];
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

static void test_snapshot(void **state)
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

static void test_refusals(void **state)
{
    (void)state;
    store_close(open_store(STORE_WRITE));
    struct store_identity other = identity;
    memcpy(other.magic, network_by_name("main")->magic, 4);
    expect_refusal(STORE_WRITE, &other, STATUS_REFUSED, "the store holds regtest, the data directory main");
    memcpy(other.magic, "\x01\x02\xab\xcd", 4);
    expect_refusal(STORE_WRITE, &other, STATUS_REFUSED, "signet-0102abcd");
    other = identity;
    other.genesis.bytes[5] ^= 1;
    expect_refusal(STORE_WRITE, &other, STATUS_REFUSED, "another genesis block");
    other = identity;
    other.nulldata_stored = true;
    expect_refusal(STORE_WRITE, &other, STATUS_REFUSED, "--nulldata count, this scan has --nulldata store");
    store_close(open_store(STORE_WRITE));
}

static void test_second_writer(void **state)
{
    (void)state;
    struct store *store = open_store(STORE_WRITE);
    expect_refusal(STORE_WRITE, &identity, STATUS_BUSY, "another unktx scan");
    assert_non_null(strstr(fault.path, "writer.lock"));
    store_close(store);
    store_close(open_store(STORE_WRITE));
}

/* Another process reads while this one goes on writing: it sees the state that it opened, and a rollback is told. */
static void test_reader_process(void **state)
{
    (void)state;
    seed_random();
    struct chain chain = {0};
    int to_child[2], to_parent[2];
    char byte = 0;
    chain_make(&chain, 0, 0, 0, 40);
    struct store *store = open_store(STORE_WRITE);
    for (uint32_t b = 0; b < 20; b++)
        add_to_store(store, &chain, b);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    store_close(store); /* an LMDB environment must not be open across a fork */
    assert_int_equal(pipe(to_child) | pipe(to_parent), 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *mine;
        struct store_reader *first, *second, *third;
        struct block_record block;
        bool good = store_open(folder, STORE_READ, NULL, &mine, &fault) == STATUS_OK &&
                    store_reader_open(mine, &first, &fault) == STATUS_OK && write(to_parent[1], "o", 1) == 1 &&
                    read(to_child[0], &byte, 1) == 1; /* blocks were added */
        good = good && store_reader_open(mine, &second, &fault) == STATUS_OK && store_batches(second) == 1 &&
               store_block(second, 19, &block, &fault) == STATUS_OK &&
               store_block(second, 20, &block, &fault) == STATUS_NOT_FOUND && write(to_parent[1], "o", 1) == 1 &&
               read(to_child[0], &byte, 1) == 1; /* and taken back */
        good = good && store_block(first, 19, &block, &fault) == STATUS_OK &&
               store_reader_refresh(second, &fault) == STATUS_BUSY &&
               store_reader_open(mine, &third, &fault) == STATUS_BUSY;
        _exit(good ? 0 : 1);
    }
    assert_int_equal(read(to_parent[0], &byte, 1), 1);
    store = open_store(STORE_WRITE);
    for (uint32_t b = 20; b < 40; b++)
        add_to_store(store, &chain, b);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    assert_int_equal(write(to_child[1], "o", 1), 1);
    assert_int_equal(read(to_parent[0], &byte, 1), 1);
    assert_int_equal(store_rollback(store, 10, &fault), STATUS_OK);
    assert_int_equal(write(to_child[1], "o", 1), 1);
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    store_close(store);
    for (int i = 0; i < 2; i++) {
        close(to_child[i]);
        close(to_parent[i]);
    }
    chain_free_all(&chain);
}

static void test_read_only(void **state)
{
    (void)state;
    seed_random();
    struct chain chain = {0};
    char path[128];
    chain_make(&chain, 0, 0, 0, 10);
    struct store *store = open_store(STORE_WRITE);
    for (uint32_t b = 0; b < 10; b++)
        add_to_store(store, &chain, b);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    store_close(store);
    /* a copy on a read-only medium has no lock file that could be written */
    snprintf(path, sizeof path, "%s/lock.mdb", folder);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    chmod(path, 0400);
    chmod(folder, 0500);
    struct store_reader *reader;
    store = open_store(STORE_READ);
    assert_int_equal(store_reader_open(store, &reader, &fault), STATUS_OK);
    expect_batches(reader, &chain);
    expect_lookups(reader, &chain);
    store_reader_close(reader);
    store_close(store);
    snprintf(path, sizeof path, "%s/lock.mdb", folder);
    assert_int_not_equal(access(path, F_OK), 0);
    chmod(folder, 0700);
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    chmod(path, 0600);
    chain_free_all(&chain);
}

static void write_data(const char *text, off_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    FILE *file = fopen(path, text ? "w" : "r+");
    assert_non_null(file);
    if (text)
        fputs(text, file);
    assert_int_equal(ftruncate(fileno(file), size), 0);
    fclose(file);
}

static void test_not_a_store(void **state)
{
    (void)state;
    mkdir(folder, 0700);
    write_data("hello", 5);
    expect_refusal(STORE_READ, NULL, STATUS_FORMAT, "not an unktx store");
    expect_refusal(STORE_WRITE, &identity, STATUS_FORMAT, "not an unktx store");
    write_data("hello", 100000);
    expect_refusal(STORE_READ, NULL, STATUS_FORMAT, "not an unktx store");
    expect_refusal(STORE_WRITE, &identity, STATUS_FORMAT, "not an unktx store");
}

/* What a kill leaves before LMDB has written both meta pages; the first one of a new file has the transaction 0. */
static void test_half_begun(void **state)
{
    (void)state;
    static const off_t sizes[] = {0, 4096, 6000};
    struct store_reader *reader;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        store_close(open_store(STORE_WRITE));
        write_data(NULL, sizes[i]);
        expect_refusal(STORE_READ, NULL, STATUS_NOT_FOUND, "no store here");
        struct store *store = open_store(STORE_WRITE);
        assert_int_equal(store_reader_open(store, &reader, &fault), STATUS_OK);
        assert_int_equal(store_totals_of(store).blocks, 0);
        store_reader_close(reader);
        store_close(store);
    }
    store_close(open_store(STORE_WRITE));
    write_data(NULL, 100); /* not even one */
    expect_refusal(STORE_READ, NULL, STATUS_FORMAT, "cut short");
    expect_refusal(STORE_WRITE, &identity, STATUS_FORMAT, "cut short");
}

/* Cut at any page: told before a page behind the end is read. */
static void test_cut_short(void **state)
{
    (void)state;
    seed_random();
    struct chain chain = {0};
    struct stat file;
    char path[128];
    chain_make(&chain, 0, 0, 0, 300);
    struct store *store = open_store(STORE_WRITE);
    for (uint32_t b = 0; b < 300; b++)
        add_to_store(store, &chain, b);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    store_close(store);
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    assert_int_equal(stat(path, &file), 0);
    for (off_t cut = file.st_size - 1; cut > 0; cut -= cut > 8192 ? 4096 : 999) {
        write_data(NULL, cut);
        struct store *none = NULL;
        assert_int_equal(store_open(folder, STORE_READ, NULL, &none, &fault), STATUS_FORMAT);
        assert_int_equal(store_open(folder, STORE_WRITE, &identity, &none, &fault), STATUS_FORMAT);
    }
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
        CASE(test_empty),         CASE(test_random_against_model),
        CASE(test_map_growth),    CASE(test_files),
        CASE(test_snapshot),      CASE(test_refusals),
        CASE(test_second_writer), CASE(test_reader_process),
        CASE(test_read_only),     CASE(test_not_a_store),
        CASE(test_half_begun),    CASE(test_cut_short),
        CASE(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
