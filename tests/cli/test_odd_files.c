/* Files of a data folder and of a store that are not what their names say, and very many small gaps. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph/store/store.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"

static struct {
    char *dir;
    char data[256];
    char blocks[300];
    char store[256];
} place;

static int set_up(void **state)
{
    (void)state;
    place.dir = temp_dir();
    snprintf(place.data, sizeof place.data, "%s/data", place.dir);
    snprintf(place.blocks, sizeof place.blocks, "%s/regtest/blocks", place.data);
    snprintf(place.store, sizeof place.store, "%s/store", place.dir);
    copy_bundled_chain(place.data);
    unktx_ok("scan --quiet --datadir %s --store %s", place.data, place.store);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(place.dir);
    free(place.dir);
    return 0;
}

static void expect_told(const char *text, const char *command, const char *data)
{
    struct run run = shell("timeout 60 $UNKTX %s %s", command, data);
    assert_int_equal(run.exit_status, 1);
    if (!strstr(run.err, text))
        fail_msg("%s: %s", command, run.err);
    run_free(&run);
}

/* A FIFO that nobody writes to made every command wait for ever. */
static void test_key_is_no_file(void **state)
{
    (void)state;
    char *key = strdup(path_of("%s/xor.dat", place.blocks)), command[700];
    snprintf(command, sizeof command, "scan --store %s/none --datadir", place.dir);
    assert_int_equal(rename(key, path_of("%s/kept", place.dir)), 0);
    assert_int_equal(mkfifo(key, 0600), 0);
    expect_told("xor.dat: the XOR key is no file but a FIFO", command, place.data);
    expect_told("xor.dat: the XOR key is no file but a FIFO", "blocks", place.data);
    assert_int_equal(unlink(key), 0);
    assert_int_equal(mkdir(key, 0700), 0);
    expect_told("xor.dat: the XOR key is no file but a folder", command, place.data);
    assert_int_equal(rmdir(key), 0);
    assert_int_equal(rename(path_of("%s/kept", place.dir), key), 0);
    free(key);
}

/* A copy of the store in which a FIFO is in the place of a file. */
static void copy_with_fifo(const char *copy, const char *name, char store[300], char fifo[320])
{
    snprintf(store, 300, "%s/%s", place.dir, copy);
    snprintf(fifo, 320, "%s/%s", store, name);
    copy_files(place.store, store);
    assert_int_equal(unlink(fifo), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
}

/* The note that scan writes into a store does not wait for a reader of the FIFO that somebody put there. */
static void test_note_is_no_file(void **state)
{
    (void)state;
    char store[300], note[320];
    copy_with_fifo("noted", "blocks-folder", store, note);
    expect_told("blocks-folder: is no file but a FIFO", "scan --datadir tests/fixtures/regtest-xor --store", store);
    expect_told("blocks-folder: is no file but a FIFO", "index --datadir tests/fixtures/regtest-xor --store", store);
    remove_tree(store);
}

/* Its lock file is told under its own name: data.mdb is sound, and there is no need to scan again. */
static void test_lock_file(void **state)
{
    (void)state;
    char store[300], lock[320], zeros[8192];
    copy_with_fifo("locked", "lock.mdb", store, lock);
    expect_told("lock.mdb: LMDB's lock file is no file but a FIFO", "outputs --store", store);
    expect_told("lock.mdb: LMDB's lock file is no file but a FIFO", "scan --datadir tests/fixtures/regtest-xor --store",
                store);
    assert_int_equal(unlink(lock), 0);
    memset(zeros, 'x', sizeof zeros);
    write_file(lock, zeros, sizeof zeros);
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork(); /* as another reader has it: else LMDB makes it anew */
    assert_true(child >= 0);
    if (child == 0) {
        struct flock shared = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
        int fd = open(lock, O_RDWR);
        _exit(fd >= 0 && fcntl(fd, F_SETLK, &shared) == 0 && write(ready[1], "x", 1) == 1 && sleep(60) == 0);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1); /* nothing comes where it has not got the lock */
    close(ready[0]);
    expect_told("lock.mdb: this is not LMDB's lock file", "outputs --store", store);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    unktx_ok("outputs --store %s", store);
}

/* Never returns. */
static void die_reading(void)
{
    struct fault fault = {0};
    struct store *store;
    struct store_reader *reader;
    if (store_open(place.store, STORE_READ, NULL, &store, &fault) == STATUS_OK &&
        store_reader_open(store, &reader, &fault) == STATUS_OK)
        raise(SIGKILL);
    _exit(1);
}

/* A reader that was killed leaves its slot in the lock file; the next command clears it, so that 600 of them do not use
 * up the 512 that there are. */
static void test_killed_readers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 600; i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            die_reading();
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    unktx_ok("outputs --store %s -o %s/o", place.store, place.dir);
}

/* A chain in one file: after every block some bytes that are no record, and the first blocks `repeated` once more. */
static void write_gaps(const struct records *records, size_t repeated)
{
    char blocks[300];
    snprintf(blocks, sizeof blocks, "%s/gaps/regtest/blocks", place.dir);
    make_dirs(blocks);
    FILE *file = fopen(path_of("%s/blk00000.dat", blocks), "wb");
    assert_non_null(file);
    for (size_t i = 0; i < records->count; i++) {
        fwrite(records->list[i].bytes, 1, records->list[i].size, file);
        fwrite("garbage", 1, 7, file);
    }
    for (size_t i = 0; i < repeated; i++)
        fwrite(records->list[i].bytes, 1, records->list[i].size, file);
    fclose(file);
}

static void assert_same_digests(void)
{
    char first[DIGEST_SIZE + 1], second[DIGEST_SIZE + 1];
    store_digest(place.store, first);
    store_digest(path_of("%s/gapped", place.dir), second);
    assert_string_equal(first, second);
    remove_tree(path_of("%s/gapped", place.dir));
}

static void expect_text(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("'%s' is not in: %s", wanted, text);
}

/* Ten gaps are told, and how many more there are. */
static void test_many_gaps(void **state)
{
    (void)state;
    struct records records = records_read(place.blocks);
    char wanted[100];
    write_gaps(&records, 0);
    struct run run = shell("$UNKTX scan --quiet --datadir %s/gaps --store %s/gapped", place.dir, place.dir);
    assert_int_equal(run.exit_status, 3);
    assert_int_equal(count_of(run.err, "skipped 7 bytes: bytes that are no block record"), 10);
    snprintf(wanted, sizeof wanted, "and %zu more places, %zu bytes in all, skipped likewise", records.count - 10,
             7 * (records.count - 10));
    expect_text(run.err, wanted);
    snprintf(wanted, sizeof wanted, "damaged and skipped: %zu places", records.count);
    expect_text(run.err, wanted);
    run_free(&run);
    assert_same_digests();
    records_free(&records);
}

/* The same where blocks that come again show that a crash of the node left them: notes, and no damage. */
static void test_many_gaps_of_a_crash(void **state)
{
    (void)state;
    static const char *const commands[] = {"scan", "index"};
    struct records records = records_read(place.blocks);
    char wanted[120];
    write_gaps(&records, 3);
    snprintf(wanted, sizeof wanted, "and %zu more places, %zu bytes in all, left by a crash of the node",
             records.count - 10, 7 * (records.count - 10));
    for (size_t i = 0; i < 2; i++) {
        struct run run = shell("$UNKTX %s --datadir %s/gaps --store %s/%s", commands[i], place.dir, place.dir,
                               i == 0 ? "gapped" : "gapped-index");
        assert_int_equal(run.exit_status, 0);
        assert_int_equal(count_of(run.err, "left by a crash of the node; no block is lost"), 11);
        expect_text(run.err, wanted);
        run_free(&run);
    }
    assert_same_digests();
    records_free(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_is_no_file), cmocka_unit_test(test_note_is_no_file),
        cmocka_unit_test(test_lock_file),      cmocka_unit_test(test_killed_readers),
        cmocka_unit_test(test_many_gaps),      cmocka_unit_test(test_many_gaps_of_a_crash),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
