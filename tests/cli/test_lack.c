/* What this process may not have is no damage of its input: each open, read and mapping of a command fails once, with
 * each of the errors that tell of a limit, of a signal or of a lost file system. The calls are those of this program
 * and of the libraries that it is linked with: the functions below stand before the C library's. */
#define _GNU_SOURCE /* O_TMPFILE */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/chaingen.h"
#include "tests/support/command.h"
#include "tests/support/run.h"
#include "tests/support/steps.h"
#include "tests/support/stores.h"
#include "tests/support/table.h"

/* ---- the calls that fail ---- */

enum call { CALL_OPEN, CALL_READ, CALL_MAP, CALLS };

static atomic_long made[CALLS];
static atomic_long fail_at[CALLS]; /* which of them fails, from 1; 0: none */
static atomic_long fail_times = 1; /* how many, that one included */
static atomic_int fail_with;

static bool fails(enum call call)
{
    long number = ++made[call];
    if (fail_at[call] == 0 || number < fail_at[call] || number >= fail_at[call] + fail_times)
        return false;
    errno = fail_with;
    return true;
}

typedef int open_fn(const char *path, int flags, ...);
typedef ssize_t pread_fn(int fd, void *bytes, size_t size, off_t offset);
typedef void *mmap_fn(void *at, size_t size, int protection, int flags, int fd, off_t offset);

/* Of the test's own files only: the C library and OpenMP open others. */
static bool is_ours(const char *path) { return strncmp(path, "/proc", 5) != 0 && strncmp(path, "/sys", 4) != 0; }

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return is_ours(path) && fails(CALL_OPEN) ? -1 : ((open_fn *)next_function("open"))(path, flags, mode);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset);
ssize_t pread64(int fd, void *bytes, size_t size, off_t offset) __attribute__((alias("pread")));
ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    struct stat info; /* of a memfd nothing of the command is read */
    bool is_file = fstat(fd, &info) == 0 && info.st_nlink > 0;
    return is_file && fails(CALL_READ) ? -1 : ((pread_fn *)next_function("pread"))(fd, bytes, size, offset);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset) __attribute__((alias("mmap")));
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return fd >= 0 && fails(CALL_MAP) ? MAP_FAILED
                                      : ((mmap_fn *)next_function("mmap"))(at, size, protection, flags, fd, offset);
}

static void fail_none(void)
{
    for (int call = 0; call < CALLS; call++)
        made[call] = fail_at[call] = 0;
}

/* ---- a chain and its store ---- */

static struct {
    char *dir;
    char data[256];
    char store[256];
    char copy[256];
    char digest[DIGEST_SIZE + 1];
} place;

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    place.dir = temp_dir();
    snprintf(place.data, sizeof place.data, "%s/data", place.dir);
    snprintf(place.store, sizeof place.store, "%s/store", place.dir);
    snprintf(place.copy, sizeof place.copy, "%s/copy", place.dir);
    struct gen_options options = {.dir = place.data,
                                  .seed = 12,
                                  .xored = true,
                                  .block_bytes = 4000,
                                  .file_bytes = 40000,
                                  .planted_per_10k = 2000,
                                  .spends = true};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 60, 0);
    gen_close(gen);
    assert_int_equal(command_exit("scan --quiet --datadir %s --store %s", place.data, place.store), 0);
    assert_int_equal(command_exit("index --quiet --datadir %s --store %s", place.data, place.store), 0);
    store_digest(place.store, place.digest);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(place.dir);
    free(place.dir);
    return 0;
}

static struct run run_command(unsigned command)
{
    switch (command) {
    case 0:
        return command_run("scan --quiet --no-sequential --threads 1 --datadir %s --store %s", place.data, place.copy);
    case 1: return command_run("index --quiet --threads 1 --datadir %s --store %s", place.data, place.copy);
    case 2: return command_run("dags --threads 1 --store %s -o %s/out", place.store, place.dir);
    case 3: return command_run("check --threads 1 --store %s", place.store);
    case 4: return command_run("blocks --threads 1 -o %s/blocks.csv %s", place.dir, place.data);
    default:
        return command_run("scan --quiet --sequential --threads 1 --datadir %s --store %s", place.data, place.copy);
    }
}
#define COMMANDS 6u

static bool is_scan(unsigned command) { return command == 0 || command == 5; }

static void start_over(unsigned command)
{
    remove_tree(place.copy);
    if (command == 1)
        assert_int_equal(command_exit("scan --quiet --datadir %s --store %s", place.data, place.copy), 0);
}

/* ---- tests ---- */

static void expect_no_damage(unsigned command, enum call call, long at, int error, const struct run *run)
{
    static const char *const words[] = {"damaged", "-reindex", "skipped", "delete it", "no longer there", "is gone"};
    bool lack = run->exit_status == 1 || (error == EINTR && run->exit_status == 130);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        lack = lack && !strstr(run->err, words[i]);
    if (run->exit_status != 0 && !lack)
        fail_msg("command %u, call %d number %ld, %s: exit status %d, %s", command, (int)call, at, strerror(error),
                 run->exit_status, run->err);
}

static void inject(unsigned command, enum call call, long at, int error)
{
    start_over(command);
    fail_none();
    fail_at[call] = at;
    fail_with = error;
    struct run run = run_command(command);
    fail_none();
    expect_no_damage(command, call, at, error, &run);
    if (error == EMFILE && run.exit_status == 1)
        assert_non_null(strstr(run.err, "ulimit -n"));
    run_free(&run);
    if ((command != 1 && !is_scan(command)) || at % 4 != 0)
        return;
    struct run again = run_command(command); /* nothing is broken: the same command does the rest */
    assert_int_equal(again.exit_status, 0);
    run_free(&again);
    if (is_scan(command)) {
        char digest[DIGEST_SIZE + 1];
        store_digest(place.copy, digest);
        assert_string_equal(digest, place.digest);
    }
}

/* Every call of the first, then every so many. */
static void test_each_call(void **state)
{
    (void)state;
    static const struct {
        enum call call;
        int errors[6];
    } cases[] = {
        {CALL_OPEN, {EMFILE, ENFILE, ENOMEM, EINTR, ESTALE}},
        {CALL_READ, {EINTR, ESTALE, ENOMEM}},
        {CALL_MAP, {ENOMEM, EAGAIN, ENFILE}},
    };
    unsigned injected = 0;
    for (unsigned command = 0; command < COMMANDS; command++) {
        start_over(command);
        fail_none();
        struct run run = run_command(command);
        long calls[CALLS] = {made[CALL_OPEN], made[CALL_READ], made[CALL_MAP]};
        assert_int_equal(run.exit_status, 0);
        run_free(&run);
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            for (int e = 0; cases[c].errors[e]; e++) {
                for (long at = 1; at <= calls[cases[c].call]; at += at < 12 ? 1 : at / 3) {
                    inject(command, cases[c].call, at, cases[c].errors[e]);
                    injected++;
                }
            }
        }
    }
    print_message("%u calls failed\n", injected);
    assert_true(injected > 200);
}

/* What a broken disk does not give is damage, and is told as such. */
static void test_broken_disk(void **state)
{
    (void)state;
    unsigned damaged = 0;
    for (long at = 3; at < 40; at++) {
        start_over(0);
        fail_none();
        fail_at[CALL_READ] = at;
        fail_with = EIO;
        fail_times = 3; /* a place is tried again without its neighbours */
        struct run run = run_command(0);
        fail_none();
        fail_times = 1;
        assert_true(run.exit_status == 0 || run.exit_status == 1 || run.exit_status == 3);
        damaged += run.exit_status == 3 &&
                   (strstr(run.err, "Input/output error") || strstr(run.err, "the disk does not give"));
        run_free(&run);
    }
    print_message("%u of 37 told as damage\n", damaged);
    assert_true(damaged > 0);
}

/* ---- what is read of the blk files again ---- */

static char address[128], txid[128], into[300]; /* of a payer; of a spender; an option for a folder */

/* Commands that read blk files after the scan: words around an operand, and the files of a folder, which are compared
 * too. */
static const struct {
    const char *words;
    const char *operand;
    const char *options;
    const char *files[3];
} later[] = {
    {"unlocks --threads 1", "", "", {NULL}},
    {"find --threads 1 --rules core-22 --format csv ", address, "", {NULL}},
    {"tx --scripts ", txid, "", {NULL}},
    {"show --scripts ", txid, "", {NULL}},
    {"flows --threads 1", "", into, {"payers.csv", "payees.csv"}},
    {"dags --threads 1", "", into, {"tdags.csv", "unlocks.csv", "payers.csv"}},
};
#define LATER (sizeof later / sizeof *later)

static void take_cell(const char *file, const char *column, char cell[128])
{
    struct table table = table_read(path_of("%s/later/%s", place.dir, file));
    for (size_t r = 0; r < table.rows && !*cell; r++)
        snprintf(cell, 128, "%s", table_get(&table, r, column));
    table_free(&table);
    assert_string_not_equal(cell, "");
}

/* All that the command tells, in one text of the caller's. */
static char *run_later(size_t command, int *exit_status, char err[2048])
{
    remove_tree(path_of("%s/later", place.dir));
    struct run run = command_run("%s%s --store %s%s", later[command].words, later[command].operand, place.store,
                                 later[command].options);
    size_t size = run.out_size, more;
    char *all = must_alloc(size + 1, 1);
    memcpy(all, run.out, size);
    for (size_t f = 0; f < 3 && later[command].files[f] && run.exit_status == 0; f++) {
        char *bytes = read_file(path_of("%s/later/%s", place.dir, later[command].files[f]), &more);
        assert_non_null(bytes);
        all = realloc(all, size + more + 1);
        assert_non_null(all);
        memcpy(all + size, bytes, more);
        size += more;
        free(bytes);
    }
    all[size] = '\0';
    *exit_status = run.exit_status;
    snprintf(err, 2048, "%s", run.err);
    run_free(&run);
    return all;
}

/* Either all is told, or the command fails and names the cause: never a part with status 0 or as missing data. */
static void inject_later(size_t command, enum call call, long at, int error, const char *whole, unsigned *failed)
{
    char err[2048];
    int status;
    fail_none();
    fail_at[call] = at;
    fail_with = error;
    char *told = run_later(command, &status, err);
    fail_none();
    bool named = status == 1 && (error == ENOMEM || strstr(err, strerror(error)));
    named = named || (error == EINTR && status == 130);
    if (status == 0 ? strcmp(told, whole) != 0 : !named)
        fail_msg("%s, call %d number %ld, %s: exit status %d, %s", later[command].words, (int)call, at, strerror(error),
                 status, err);
    if (error == EMFILE && status == 1)
        assert_non_null(strstr(err, "ulimit -n"));
    *failed += status != 0;
    free(told);
}

static void test_read_again(void **state)
{
    (void)state;
    static const struct {
        enum call call;
        int error;
    } cases[] = {{CALL_OPEN, EMFILE}, {CALL_OPEN, ENFILE}, {CALL_OPEN, EIO},   {CALL_OPEN, EACCES},
                 {CALL_READ, EIO},    {CALL_READ, ESTALE}, {CALL_READ, ENOMEM}};
    char err[2048];
    int status;
    snprintf(into, sizeof into, " -o %s/later", place.dir);
    fail_none();
    free(run_later(LATER - 1, &status, err));
    take_cell("payers.csv", "address", address);
    take_cell("unlocks.csv", "spender_txid", txid);
    for (size_t command = 0; command < LATER; command++) {
        fail_none();
        char *whole = run_later(command, &status, err);
        const long calls[CALLS] = {made[CALL_OPEN], made[CALL_READ], made[CALL_MAP]};
        if (status != 0)
            fail_msg("%s: %d, %s", later[command].words, status, err);
        unsigned failed = 0;
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
            for (long at = 1; at <= calls[cases[c].call]; at += at < 16 ? 1 : at / 4)
                inject_later(command, cases[c].call, at, cases[c].error, whole, &failed);
        print_message("%s: %u runs failed\n", later[command].words, failed);
        assert_true(failed > 5);
        free(whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_again),
        cmocka_unit_test(test_each_call),
        cmocka_unit_test(test_broken_disk),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
