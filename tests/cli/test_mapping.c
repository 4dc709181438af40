/* A mapped file of which a page cannot be read any more, since its disk failed or somebody cut it: the system says so
 * by SIGBUS, and the command ends with 1 and the name of the file. */
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
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/output/mapping.h"
#include "cli/output/signals.h"
#include "graph/store/store.h"
#include "tests/support/dir.h"
#include "tests/support/run.h"

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir tests/fixtures/regtest-xor --store %s/store", dir);
    return 0;
}

static void test_path_of_an_address(void **state)
{
    (void)state;
    char path[512], name[300], cut[8];
    snprintf(name, sizeof name, "%s/a b", dir);
    write_file(name, "content", 8);
    int fd = open(name, O_RDONLY);
    char *map = mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(map != MAP_FAILED);
    assert_true(mapping_path(map, path, sizeof path));
    assert_string_equal(path, name);
    assert_true(mapping_path(map + 4095, path, sizeof path));
    assert_true(mapping_path(map, cut, sizeof cut));
    assert_memory_equal(cut, name, 7);
    assert_int_equal(cut[7], '\0');
    munmap(map, 8);
    close(fd);
    assert_false(mapping_path(&fd, path, sizeof path)); /* memory, of no file */
    assert_string_equal(path, "");
    assert_false(mapping_path(NULL, path, sizeof path));
    assert_false(mapping_path((const void *)UINTPTR_MAX, path, sizeof path));
}

/* Runs `touch` in a process of its own, as the program would; returns what waitpid says. */
static int run_apart(void (*touch)(void), char *told, size_t size)
{
    int pipes[2], status;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(pipes[1], STDERR_FILENO);
        signals_catch();
        touch();
        _exit(77);
    }
    close(pipes[1]);
    ssize_t got = read(pipes[0], told, size - 1);
    told[got > 0 ? got : 0] = '\0';
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* The store is cut after it was opened and looked at, before a batch of it is read. */
static void read_cut_store(void)
{
    struct store *store;
    struct store_reader *reader;
    struct block_record block;
    char data[300];
    snprintf(data, sizeof data, "%s/store/data.mdb", dir);
    if (store_open(path_of("%s/store", dir), STORE_READ, NULL, &store, NULL) != STATUS_OK ||
        store_reader_open(store, &reader, NULL) != STATUS_OK)
        _exit(78);
    signals_remember_file(path_of("%s/temporary", dir));
    if (truncate(data, 8192) != 0)
        _exit(79);
    _exit(store_block(reader, 5, &block, NULL) == STATUS_OK ? 75 : 76);
}

static void test_store_cut_while_read(void **state)
{
    (void)state;
    char told[1000], wanted[400], data[300];
    size_t size;
    snprintf(data, sizeof data, "%s/store/data.mdb", dir);
    char *bytes = read_file(data, &size);
    write_file(path_of("%s/temporary", dir), "x", 1);
    int status = run_apart(read_cut_store, told, sizeof told);
    write_file(data, bytes, size);
    free(bytes);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    snprintf(wanted, sizeof wanted, "%s: a page of this file could not be read", data);
    assert_non_null(strstr(told, wanted));
    assert_int_equal(told[strlen(told) - 1], '\n');
    assert_false(path_exists(path_of("%s/temporary", dir)));
}

static void raise_bus_error(void) { raise(SIGBUS); }

/* What is no page of a file is an error of the program, and ends it as ever. */
static void test_other_bus_error(void **state)
{
    (void)state;
    char told[1000];
    int status = run_apart(raise_bus_error, told, sizeof told);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_of_an_address),
        cmocka_unit_test(test_store_cut_while_read),
        cmocka_unit_test(test_other_bus_error),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
