/* The temporary file of blocks that wait: what was written is read, and what is needed no more takes no room on the
 * disk. */
#define _GNU_SOURCE /* fallocate */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/scan/block_spill.h"
#include "tests/support/dir.h"
#include "tests/support/plan.h"
#include "tests/support/run.h"

enum { RUNS = 3, BLOCKS = 5, SIZE = 300001 };

/* Of the open file that had this name; it has none any more. */
static uint64_t bytes_on_disk(const char *name)
{
    uint64_t bytes = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char target[4096];
        struct stat info;
        ssize_t size = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        target[size > 0 ? size : 0] = '\0';
        if (strstr(target, name) && fstat(atoi(entry->d_name), &info) == 0)
            bytes += (uint64_t)info.st_blocks * 512;
    }
    closedir(folder);
    return bytes;
}

static bool has_holes(void)
{
    const char *path = path_of("%s/hole", dir);
    static const uint8_t bytes[65536];
    write_file(path, bytes, sizeof bytes);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    bool has = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, sizeof bytes) == 0;
    close(fd);
    return has;
}

static void test_runs(void **state)
{
    (void)state;
    uint64_t places[RUNS][BLOCKS], all;
    uint8_t *bytes = must_alloc(SIZE, 1), *got = must_alloc(SIZE, 1);
    struct block_spill *spill = block_spill_new(dir, 1 << 20);
    assert_non_null(spill);
    for (int run = 0; run < RUNS; run++) {
        assert_true(block_spill_begin(spill));
        for (int block = 0; block < BLOCKS; block++) {
            memset(bytes, 1 + run * BLOCKS + block, SIZE);
            assert_true(block_spill_write(spill, bytes, SIZE, &places[run][block]));
        }
    }
    all = bytes_on_disk("/blocks.tmp");
    assert_true(all >= RUNS * BLOCKS * SIZE);
    for (int block = 0; block < BLOCKS; block++) {
        assert_true(bytes_on_disk("/blocks.tmp") == all);
        block_spill_drop(spill, places[1][block]); /* the run in the middle */
    }
    if (has_holes())
        assert_in_range(bytes_on_disk("/blocks.tmp"), (RUNS - 1) * BLOCKS * SIZE, all - BLOCKS * SIZE + 2 * 65536);
    else
        print_message("this file system has no holes\n");
    for (int run = 0; run < RUNS; run += 2) {
        for (int block = 0; block < BLOCKS; block++) {
            memset(bytes, 1 + run * BLOCKS + block, SIZE);
            assert_true(block_spill_read(spill, places[run][block], SIZE, got));
            assert_memory_equal(got, bytes, SIZE);
        }
    }
    block_spill_free(spill);
    free(bytes);
    free(got);
}

int main(void)
{
    temp_dir_in_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_runs, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
