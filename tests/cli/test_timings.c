/* --timings: its table adds up, names what was done and counts what was read; it replaces nothing that a command reads
 * or writes, and is whole or not there; and what tests/support/projection.h makes of it, by hand. How long something
 * took is compared with nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/test_hooks.h"
#include "parser/blkfile.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/projection.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define NODE "tests/fixtures/regtest-xor"

static const char *const scan_stages[] = {"open", "headers", "table", "blocks", "end", NULL};
static const char *const file_stages[] = {"open", "files", "headers", "table", "blocks", "end", NULL};
static const char *const index_stages[] = {"open", "headers", "walk", "join", "outputs", "txs", "end", NULL};
static const char *const dags_stages[] = {"open",   "forest",  "classes", "other-rules", "measures", "payments",
                                          "tables", "scripts", "unlocks", "changes",     "end",      NULL};

/* ---- the table ---- */

/* Nanoseconds of a cell with nine digits after the point. */
static uint64_t ns_of(const struct table *table, size_t row, const char *column)
{
    char *end;
    const char *text = table_get(table, row, column);
    uint64_t seconds = strtoull(text, &end, 10);
    assert_true(*end == '.' && strlen(end) == 10);
    return seconds * 1000000000 + strtoull(end + 1, NULL, 10);
}

static uint64_t sum_ns(const struct table *table, size_t row, const char *const *columns)
{
    uint64_t sum = 0;
    for (; *columns; columns++)
        sum += ns_of(table, row, *columns);
    return sum;
}

static void check_row(const struct table *table, size_t row)
{
    static const char *const all[] = {"busy_s", "lock_s", "disk_s", "order_s", "threads_s", "idle_s", NULL};
    static const char *const work[] = {"busy_s", "lock_s", "disk_s", NULL};
    static const char *const part[] = {"alone_s", "in_turn_s", NULL};
    assert_int_equal(sum_ns(table, row, all), ns_of(table, row, "elapsed_s"));
    assert_true(sum_ns(table, row, part) <= sum_ns(table, row, work));
    assert_true(ns_of(table, row, "longest_s") <= ns_of(table, row, "elapsed_s"));
    bool is_main = strcmp(table_get(table, row, "thread"), "0") == 0;
    if (is_main)
        assert_int_equal(ns_of(table, row, "idle_s"), 0);
    else
        assert_int_equal(ns_of(table, row, "alone_s"), 0);
}

/* Each stage in order, with a row for each thread and the same time in all; of one thread nothing waits for others but
 * for the writer. */
static void check_table(const struct table *table, const char *const *stages, unsigned threads)
{
    size_t row = 0;
    for (; *stages; stages++)
        for (unsigned thread = 0; thread <= threads; thread++) {
            char number[16];
            snprintf(number, sizeof number, "%u", thread);
            bool is_writer = thread == threads;
            if (is_writer && (row == table->rows || strcmp(table_get(table, row, "thread"), "writer") != 0))
                continue;
            assert_true(row < table->rows);
            assert_string_equal(table_get(table, row, "stage"), *stages);
            assert_string_equal(table_get(table, row, "thread"), is_writer ? "writer" : number);
            assert_int_equal(ns_of(table, row, "elapsed_s"), ns_of(table, row - thread, "elapsed_s"));
            check_row(table, row);
            if (threads == 1)
                assert_int_equal(ns_of(table, row, "order_s"), 0);
            row++;
        }
    assert_int_equal(row, table->rows);
}

static uint64_t bytes_of(const struct table *table, const char *stage, const char *column)
{
    uint64_t bytes = 0;
    for (size_t row = 0; row < table->rows; row++)
        if (strcmp(table_get(table, row, "stage"), stage) == 0)
            bytes += table_number(table, row, table_column(table, column));
    return bytes;
}

static struct table run_timed(const char *stages_of, unsigned threads, const char *words)
{
    char *path = strdup(path_of("%s/%s-%u.csv", dir, stages_of, threads));
    struct run run = command_run("%s %s --threads %u --timings %s", stages_of, words, threads, path);
    if (run.exit_status != 0)
        fail_msg("%s: %s", stages_of, run.err);
    run_free(&run);
    struct table table = table_read(path);
    free(path);
    return table;
}

/* Bytes of the blocks of the best chain, and of all. */
static void sizes_of(uint64_t *active, uint64_t *records)
{
    unktx_ok("blocks -o %s/blocks.csv " NODE, dir);
    struct table blocks = table_read(path_of("%s/blocks.csv", dir));
    *active = 0;
    *records = blocks.rows;
    for (size_t row = 0; row < blocks.rows; row++)
        if (strcmp(table_get(&blocks, row, "state"), "active") == 0)
            *active += table_number(&blocks, row, table_column(&blocks, "size"));
    table_free(&blocks);
}

/* Every byte of a block is read once by the walk of index and that of scan, which reads spenders again; besides some
 * bytes of each file for its XOR key. Of headers there are 88 bytes a record. */
static void check_bytes(const struct table *table, const char *stage, uint64_t least)
{
    uint64_t bytes = bytes_of(table, stage, "read_bytes");
    if (bytes < least)
        fail_msg("%s: %ju bytes were read, there are %ju", stage, (uintmax_t)bytes, (uintmax_t)least);
}

static uint64_t bytes_of_files(void)
{
    struct blkdir files;
    uint64_t bytes = 0;
    assert_int_equal(blkdir_open(NODE, NULL, &files, NULL), STATUS_OK);
    for (size_t i = 0; i < files.count; i++)
        bytes += files.files[i].size;
    blkdir_free(&files);
    return bytes;
}

/* How much is written to temporary files on the disk, as a share of the index that they make. The walk links what a
 * window of blocks spends of itself: in windows of a few blocks enough is left for all stages. */
static void check_temporary_files(unsigned threads)
{
    char words[400];
    snprintf(words, sizeof words, "--quiet --datadir " NODE " --store %s/tmp-%u --tmp %s", dir, threads, dir);
    index_checkpoint_blocks = 20;
    struct table table = run_timed("index", threads, words);
    index_checkpoint_blocks = 0;
    uint64_t walk = bytes_of(&table, "walk", "written_bytes"), join = bytes_of(&table, "join", "written_bytes"),
             outputs = bytes_of(&table, "outputs", "written_bytes");
    size_t index;
    free(read_file(path_of("%s/tmp-%u/tio/data.mdb", dir, threads), &index));
    assert_true(walk > 0 && join > 0 && outputs > 0);
    print_message("temporary files: %.2f x the index\n", (double)(walk + join + outputs) / (double)index);
    assert_true(walk + join + outputs < index);
    table_free(&table);
}

static void test_tables(void **state)
{
    (void)state;
    uint64_t active, records;
    sizes_of(&active, &records);
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        char words[2][256];
        snprintf(words[0], sizeof words[0], "--quiet --datadir " NODE " --store %s/store-%u", dir, threads);
        snprintf(words[1], sizeof words[1], "--store %s/store-%u -o %s/tables-%u", dir, threads, dir, threads);
        char by_chain[300], by_file[300];
        snprintf(by_chain, sizeof by_chain, "--no-sequential %s", words[0]);
        snprintf(by_file, sizeof by_file, "--sequential --quiet --datadir " NODE " --store %s/files-%u", dir, threads);
        struct table table = run_timed("scan", threads, by_file);
        check_table(&table, file_stages, threads);
        check_bytes(&table, "files", bytes_of_files());
        assert_int_equal(bytes_of(&table, "blocks", "read_bytes"), 0);
        table_free(&table);
        table = run_timed("scan", threads, by_chain);
        check_table(&table, scan_stages, threads);
        check_bytes(&table, "headers", 88 * records);
        check_bytes(&table, "blocks", active);
        table_free(&table);
        table = run_timed("index", threads, words[0]);
        check_table(&table, index_stages, threads);
        check_bytes(&table, "walk", active);
        assert_true(bytes_of(&table, "walk", "read_bytes") < active + active / 20);
        assert_int_equal(bytes_of(&table, "walk", "written_bytes"), 0); /* temporary files are in memory */
        table_free(&table);
        check_temporary_files(threads);
        table = run_timed("dags", threads, words[1]);
        check_table(&table, dags_stages, threads);
        size_t size;
        char *tdags = read_file(path_of("%s/tables-%u/tdags.csv", dir, threads), &size);
        free(tdags);
        assert_true(bytes_of(&table, "tables", "written_bytes") >= size);
        table_free(&table);
    }
    assert_same_file(path_of("%s/tables-1/tdags.csv", dir), path_of("%s/tables-3/tdags.csv", dir));
}

/* Without the option there is nothing, and the results are the same with it. */
static void test_without(void **state)
{
    (void)state;
    unktx_ok("scan --quiet --datadir " NODE " --store %s/plain", dir);
    unktx_ok("scan --quiet --datadir " NODE " --store %s/timed --timings %s/again.csv", dir, dir);
    unktx_ok("outputs --store %s/plain -o %s/plain.csv", dir, dir);
    unktx_ok("outputs --store %s/timed -o %s/timed.csv", dir, dir);
    assert_same_file(path_of("%s/plain.csv", dir), path_of("%s/timed.csv", dir));
    struct run run = command_run("scan --quiet --datadir " NODE " --store %s/timed --timings -", dir);
    assert_int_equal(run.exit_status, 0);
    assert_memory_equal(run.out, "stage,thread,elapsed_s,busy_s,", 30);
    run_free(&run);
}

/* ---- the file ---- */

/* `line` is a command line without the file of --timings. */
static void expect_refused(const char *line, const char *file)
{
    size_t size, after_size;
    char *before = read_file(file, &size);
    struct run run = command_run("%s --timings %s", line, file);
    if (run.exit_status != 1 || !strstr(run.err, file))
        fail_msg("%s --timings %s ended with %d: %s", line, file, run.exit_status, run.err);
    run_free(&run);
    char *after = read_file(file, &after_size);
    assert_true(before && after && size == after_size && memcmp(before, after, size) == 0);
    free(before);
    free(after);
}

static void test_replaces_nothing(void **state)
{
    (void)state;
    char line[512], file[512];
    copy_bundled_chain(path_of("%s/node", dir));
    unktx_ok("scan --quiet --datadir %s/node --store %s/mine", dir, dir);
    unktx_ok("dags --no-unlocks --store %s/mine -o %s/tables", dir, dir);
    snprintf(line, sizeof line, "scan --quiet --datadir %s/node --store %s/mine", dir, dir);
    snprintf(file, sizeof file, "%s/node/regtest/blocks/blk00003.dat", dir);
    expect_refused(line, file);
    snprintf(line, sizeof line, "index --quiet --store %s/mine", dir); /* the store knows the folder */
    expect_refused(line, file);
    snprintf(file, sizeof file, "%s/mine/data.mdb", dir);
    expect_refused(line, file);
    snprintf(line, sizeof line, "dags --no-unlocks --store %s/mine -o %s/tables", dir, dir);
    expect_refused(line, file);
    snprintf(file, sizeof file, "%s/tables/tdags.csv", dir);
    expect_refused(line, file);
}

/* A new folder would have the run's own table of that name in the end: it is refused before the work. */
static void test_own_table(void **state)
{
    (void)state;
    struct run run = command_run("dags --no-unlocks --store %s/mine -o %s/fresh --timings %s/fresh/tdags.csv", dir, dir,
                                 dir);
    assert_int_equal(run.exit_status, 1);
    run_free(&run);
    make_dirs(path_of("%s/fresh", dir));
    run = command_run("dags --no-unlocks --store %s/mine -o %s/fresh --timings %s/fresh/tdags.csv", dir, dir, dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "name another file with --timings"));
    run_free(&run);
    assert_int_equal(rmdir(path_of("%s/fresh", dir)), 0); /* nothing was written */
    make_dirs(path_of("%s/fresh", dir));
    unktx_ok("dags --no-unlocks --store %s/mine -o %s/fresh --timings %s/fresh/timings.csv", dir, dir, dir);
    assert_same_file(path_of("%s/fresh/tdags.csv", dir), path_of("%s/tables/tdags.csv", dir));
}

/* What another run's table is goes in the end only if the run is done. */
static void test_whole_or_not(void **state)
{
    (void)state;
    write_file(path_of("%s/old.csv", dir), "old\n", 4);
    struct run run = command_run("dags --store %s/none --timings %s/old.csv", dir, dir);
    assert_int_not_equal(run.exit_status, 0);
    run_free(&run);
    size_t size;
    char *old = read_file(path_of("%s/old.csv", dir), &size);
    assert_string_equal(old, "old\n");
    free(old);
    run = command_run("scan --quiet --datadir %s/none --store %s/none --timings %s/new.csv", dir, dir, dir);
    assert_int_not_equal(run.exit_status, 0);
    assert_false(path_exists(path_of("%s/new.csv", dir)));
    run_free(&run);
}

/* ---- the projection ---- */

#define HEADER                                                                                                         \
    "stage,thread,elapsed_s,busy_s,lock_s,disk_s,order_s,threads_s,idle_s,alone_s,in_turn_s,longest_s,read_bytes,"     \
    "written_bytes\n"

static void assert_near(double got, double expected)
{
    if (got < expected - 1e-9 || got > expected + 1e-9)
        fail_msg("%.9f, not %.9f", got, expected);
}

/* a: 10 s, of which 2 alone, 1 in turn, 7 shared. b: 4 s, none alone, of which 0.25 waited for the writer, who works
 * 3 s. c: 6 s in two pieces, the longer 4 s. */
static void test_projection(void **state)
{
    (void)state;
    static const char text[] = HEADER "a,0,10.0,8.0,0.5,1.5,0,0,0,2.0,1.0,0,5,5\n"
                                      "b,0,4.0,3.5,0,0.25,0,0.25,0,0,0.5,0,0,0\n"
                                      "b,writer,4.0,1.0,0,2.0,0,0,1.0,0,3.0,0,0,0\n"
                                      "c,0,6.0,6.0,0,0,0,0,0,0,0,4.0,0,0\n";
    struct projection projection;
    write_file(path_of("%s/hand.csv", dir), text, sizeof text - 1);
    assert_true(projection_read(path_of("%s/hand.csv", dir), &projection));
    assert_int_equal(projection.count, 3);
    assert_near(projection_elapsed(&projection), 20);
    /* (2 + 1) + 3, which is more than 0.25 + 0.5, + 4 of 10 + 4 + 6 */
    assert_near(projection_undivided(&projection), 10.0 / 20);
    /* a: 2 + 8 / 2; b: (3.75 + 3) / 2 is more than 0.25 + 3.75 / 2 and the writer's 3; c: the longer piece */
    assert_near(projection_seconds(&projection, 2), 6 + 3.375 + 4);
    /* a: 2 + 8 / 4; b: the writer's 3 is more than 0.25 + 3.75 / 4 and 6.75 / 4 */
    assert_near(projection_seconds(&projection, 4), 4 + 3 + 4);
    /* a: what is in turn is more than 8 / 16, b: the writer as before */
    assert_near(projection_seconds(&projection, 16), 3 + 3 + 4);
    /* two cores that do what 1.6 would, a: 2 + 8 / 1.6, b: 6.75 / 1.6, c: the longer piece, not 6 / 1.6 */
    assert_near(projection_seconds(&projection, 1.6), 7 + 4.21875 + 4);
    assert_false(projection_read(path_of("%s/none.csv", dir), &projection));
    write_file(path_of("%s/cut.csv", dir), text, sizeof HEADER + 20);
    assert_false(projection_read(path_of("%s/cut.csv", dir), &projection));
}

/* What a machine took, recorded (tests/fixtures/README.md): from the table of one thread follows what two took, within
 * 15 % of it, if a core beside another is worth what two runs side by side say. */
static void test_recorded(void **state)
{
    (void)state;
    struct table pairs = table_read("tests/fixtures/timings/pairs.csv");
    assert_true(pairs.rows >= 2);
    for (size_t row = 0; row < pairs.rows; row++) {
        const char *command = table_get(&pairs, row, "command");
        double worth = strtod(table_get(&pairs, row, "alone_s"), NULL) / strtod(table_get(&pairs, row, "pair_s"), NULL);
        struct projection one, two;
        assert_true(projection_read(path_of("tests/fixtures/timings/%s-1.csv", command), &one));
        assert_true(projection_read(path_of("tests/fixtures/timings/%s-2.csv", command), &two));
        double projected = projection_seconds(&one, 2 * worth), measured = projection_elapsed(&two);
        print_message("%s: %.3f s projected, %.3f s measured\n", command, projected, measured);
        assert_true(projected > 0.85 * measured && projected < 1.15 * measured);
    }
    table_free(&pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),    cmocka_unit_test(test_without),      cmocka_unit_test(test_replaces_nothing),
        cmocka_unit_test(test_own_table), cmocka_unit_test(test_whole_or_not), cmocka_unit_test(test_projection),
        cmocka_unit_test(test_recorded),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
