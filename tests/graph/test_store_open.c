/* Opening a store: what is refused, what another process sees, what a folder may hold. */
#include "tests/graph/store_model.h"

#include <sys/wait.h>

static void test_refusals(void **state)
{
    (void)state;
    struct chain chain = {0};
    chain_make(&chain, 0, 0, 0, 1);
    struct store *store = open_store(STORE_WRITE);
    add_to_store(store, &chain, 0);
    assert_int_equal(store_commit(store, &fault), STATUS_OK);
    store_close(store);
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
    chain_free_all(&chain);
}

/* As an index leaves one: what the first scan says is kept. */
static void test_nulldata_of_empty(void **state)
{
    (void)state;
    store_close(open_store(STORE_WRITE));
    struct store_identity other = identity;
    struct store *store;
    other.nulldata_stored = true;
    assert_int_equal(store_open(folder, STORE_WRITE, &other, &store, &fault), STATUS_OK);
    store_close(store);
    store = open_store(STORE_READ);
    assert_true(store_identity_of(store)->nulldata_stored);
    store_close(store);
    store_close(open_store(STORE_WRITE));
    store = open_store(STORE_READ);
    assert_false(store_identity_of(store)->nulldata_stored);
    store_close(store);
}

static void test_second_writer(void **state)
{
    (void)state;
    struct store *store = open_store(STORE_WRITE);
    expect_refusal(STORE_WRITE, &identity, STATUS_BUSY, "another unktx is writing to this store");
    assert_non_null(strstr(fault.path, "writer.lock"));
    store_close(store);
    store_close(open_store(STORE_WRITE));
}

/* The other process: sees the state that it opened, and that blocks were taken back. */
static bool read_meanwhile(int from_parent, int to_parent)
{
    struct store *mine;
    struct store_reader *first, *second, *third;
    struct block_record block;
    char byte;
    bool good = store_open(folder, STORE_READ, NULL, &mine, &fault) == STATUS_OK &&
                store_reader_open(mine, &first, &fault) == STATUS_OK && write(to_parent, "o", 1) == 1 &&
                read(from_parent, &byte, 1) == 1; /* blocks were added */
    good = good && store_reader_open(mine, &second, &fault) == STATUS_OK && store_batches(second) == 1 &&
           store_block(second, 19, &block, &fault) == STATUS_OK &&
           store_block(second, 20, &block, &fault) == STATUS_NOT_FOUND && write(to_parent, "o", 1) == 1 &&
           read(from_parent, &byte, 1) == 1; /* and taken back */
    good = good && store_block(first, 19, &block, &fault) == STATUS_OK &&
           store_reader_refresh(second, &fault) == STATUS_BUSY &&
           store_reader_open(mine, &third, &fault) == STATUS_BUSY;
    if (good) {
        store_reader_close(second);
        store_reader_close(first);
        store_close(mine);
    }
    return good;
}

/* Another process reads while this one goes on writing: it sees the state that it opened, and that blocks were taken
 * back. */
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
        _exit(read_meanwhile(to_child[0], to_parent[1]) ? 0 : 1);
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
        expect_refusal(STORE_READ, NULL, STATUS_REFUSED, "the store is not finished");
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

/* Cut at any page: told before a page beyond the end is read. */
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
int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_refusals),    CASE(test_second_writer), CASE(test_reader_process), CASE(test_read_only),
        CASE(test_not_a_store), CASE(test_half_begun),    CASE(test_cut_short),      CASE(test_nulldata_of_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
