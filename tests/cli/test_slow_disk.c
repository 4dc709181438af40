/* unktx scan --sequential and index --sequential on a device that is slow on purpose, as counted: 8 ms for each look
 * elsewhere, 150 MB/s, and nothing in a cache. Counted time is the same in every run. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/index/build.h"
#include "parser/file.h"
#include "tests/support/chaingen.h"
#include "tests/support/dir.h"
#include "tests/support/index_builds.h"
#include "tests/support/plan.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"

#define SEEK_S 0.008
#define BYTES_A_SECOND 150e6

/* Reads of blk files and of the file of blocks that wait, in the order in which they came, cost what such a disk takes.
 * Nothing is in a cache. */
static struct device {
    ino_t file;
    uint64_t at;
    double seconds;
    uint64_t bytes;
    uint64_t waiting; /* of them: of blocks that waited */
} device;

static void on_read(int fd, uint64_t offset, size_t size)
{
    char link[64], path[4096];
    struct stat info;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    bool waiting = strstr(path, "/blocks.tmp") != NULL;
    if ((!strstr(path, "/blk") && !waiting) || fstat(fd, &info) != 0)
        return;
    bool elsewhere = info.st_ino != device.file || offset != device.at;
    device.seconds += (elsewhere ? SEEK_S : 0) + (double)size / BYTES_A_SECOND;
    device.bytes += size;
    device.waiting += waiting ? size : 0;
    device.file = info.st_ino;
    device.at = offset + size;
}

static char data[512];
static char blocks[560];

/* To read all files in their order and do nothing else. */
static double seconds_of_reading(unsigned files)
{
    uint8_t *bytes = must_alloc(1 << 20, 1);
    device = (struct device){0};
    file_watch_reads(on_read);
    for (unsigned number = 0; number < files; number++) {
        int fd;
        struct stat info;
        assert_int_equal(file_open(path_of("%s/blk%05u.dat", blocks, number), "", &fd, &info, NULL), STATUS_OK);
        for (uint64_t at = 0; at < (uint64_t)info.st_size; at += 1 << 20) {
            uint64_t left = (uint64_t)info.st_size - at;
            assert_true(file_read_at(fd, bytes, left < 1 << 20 ? (size_t)left : 1 << 20, at) > 0);
        }
        close(fd);
    }
    file_watch_reads(NULL);
    free(bytes);
    return device.seconds;
}

/* A chain in files of some MiB, each long unchanged; returns how many. Blocks are of options->block_bytes. */
static unsigned make_files(const struct gen_options *how, uint64_t bytes)
{
    snprintf(data, sizeof data, "%s/data", dir);
    snprintf(blocks, sizeof blocks, "%s/regtest/blocks", data);
    struct gen_options options = *how;
    options.dir = data;
    make_dirs(data);
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 0, bytes);
    gen_close(gen);
    static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    unsigned files = 0;
    for (; path_exists(path_of("%s/blk%05u.dat", blocks, files)); files++)
        assert_int_equal(utimensat(AT_FDCWD, path_of("%s/blk%05u.dat", blocks, files), old, 0), 0);
    assert_in_range(files, 3, 5);
    return files;
}

enum { BLOCK_BYTES = 100000 };

/* Shuffled as a node does, and with stale blocks. */
static const struct gen_options chain = {
    .seed = 3, .xored = true, .block_bytes = BLOCK_BYTES, .file_bytes = 24 << 20, .window = 100, .stale_every = 100};

struct way {
    enum ingest_order order;
    size_t cache_bytes; /* 0: as many as there are by default */
    const char *store;  /* in the test's folder */
};

static void scan(const struct way *way)
{
    char store[600];
    snprintf(store, sizeof store, "%s/%s", dir, way->store);
    struct ingest_result result;
    const struct ingest_options options = {.datadir = data,
                                           .store = store,
                                           .threads = 1,
                                           .to_height = UINT32_MAX,
                                           .order = way->order,
                                           .cache_bytes = way->cache_bytes};
    assert_int_equal(ingest_run(&options, &result, NULL), STATUS_OK);
}

static void build_index(const struct way *way)
{
    char store[600];
    snprintf(store, sizeof store, "%s/%s", dir, way->store);
    struct index_options options = index_options_for(data, store);
    options.threads = 1;
    options.order = way->order;
    options.cache_bytes = way->cache_bytes;
    index_built_with(&options);
}

typedef void work_fn(const struct way *way);

static double seconds_of(work_fn *work, const struct way *way)
{
    device = (struct device){0};
    file_watch_reads(on_read);
    work(way);
    file_watch_reads(NULL);
    return device.seconds;
}

/* Into the stores by-chain, by-file and spilled. */
static void assert_near_reading(const char *name, work_fn *work, const struct gen_options *how)
{
    static const struct way ways[] = {
        {.store = "by-chain"}, {INGEST_BY_FILE, 0, "by-file"}, {INGEST_BY_FILE, 4 << 20, "spilled"}};
    double floor = seconds_of_reading(make_files(how, 72 << 20));
    double by_chain = seconds_of(work, &ways[0]), by_file = seconds_of(work, &ways[1]);
    assert_int_equal(device.waiting, 0);
    seconds_of(work, &ways[1]); /* finds nothing new: reads no file, only what tells network and key */
    assert_true(device.bytes < 2 * BLOCK_BYTES);
    double spilled = seconds_of(work, &ways[2]);
    print_message("%s: reading %.3f s, in the order of the files %.3f s, with 4 MiB for what waits %.3f s, in that of "
                  "the chain %.3f s\n",
                  name, floor, by_file, spilled, by_chain);
    assert_true(by_file <= 1.1 * floor);
    assert_true(device.waiting > 0);
    assert_true(spilled <= 1.6 * floor); /* runs are read in pieces, not block by block */
    assert_true(by_chain > 3 * floor);
}

static void test_scan(void **state)
{
    (void)state;
    char a[DIGEST_SIZE + 1], b[DIGEST_SIZE + 1], c[DIGEST_SIZE + 1];
    assert_near_reading("scan", scan, &chain);
    store_digest(path_of("%s/by-chain", dir), a);
    store_digest(path_of("%s/by-file", dir), b);
    store_digest(path_of("%s/spilled", dir), c);
    assert_string_equal(a, b);
    assert_string_equal(a, c);
}

static void test_index(void **state)
{
    (void)state;
    struct gen_options spending = chain;
    spending.spends = true;
    char a[65], b[65], c[65];
    assert_near_reading("index", build_index, &spending);
    index_checked(path_of("%s/by-chain", dir), 1, a);
    assert_string_equal(index_checked(path_of("%s/by-file", dir), 1, b), a);
    assert_string_equal(index_checked(path_of("%s/spilled", dir), 1, c), a);
}

int main(void)
{
    temp_dir_in_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scan, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_index, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
