/* What was added comes back, part by part, also after a spill was left and opened again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "graph/index/spill.h"
#include "tests/support/plan.h"
#include "tests/support/run.h"

enum { PARTS = 13, WORKERS = 3, ENTRIES = 40000 };

struct sums {
    uint64_t count;
    uint64_t keys;
    uint64_t numbers;
    uint64_t extras;
    uint64_t checks;
    uint64_t mixed;
};

static void add_to(struct sums *sums, const struct spill_entry *entry)
{
    sums->count++;
    sums->keys += entry->key;
    sums->numbers += entry->number;
    sums->extras += entry->extra;
    sums->checks += entry->check;
    sums->mixed ^= (entry->key * 0x9e3779b97f4a7c15u + entry->number) * 0xbf58476d1ce4e5b9u + entry->extra;
}

static enum status see(void *context, const struct spill_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_to(context, &entries[i]);
    return STATUS_OK;
}

static void assert_parts(struct spill *spill, const struct sums *expected)
{
    for (unsigned part = 0; part < PARTS; part++) {
        struct sums found = {0};
        assert_int_equal(spill_read(spill, part, see, &found, NULL), STATUS_OK);
        assert_memory_equal(&found, &expected[part], sizeof found);
        assert_int_equal(spill_count(spill, part), expected[part].count);
    }
}

/* Numbers that go up in steps, down, and anywhere. */
static void add_some(struct spill *spill, struct rng *rng, const struct spill_shape *shape, struct sums *sums,
                     size_t count)
{
    uint64_t number = 0, mask = UINT64_MAX >> (64 - 8 * shape->key_size + shape->spare_bits);
    for (size_t i = 0; i < count; i++) {
        number = rng_below(rng, 50) ? number + rng_below(rng, 300) : rng_next(rng) >> rng_below(rng, 64);
        struct spill_entry entry = {rng_next(rng) & mask, number,
                                    shape->extra ? rng_next(rng) >> rng_below(rng, 64) : 0,
                                    shape->check ? rng_next(rng) >> 40 : 0, NULL};
        unsigned part = rng_below(rng, PARTS);
        assert_int_equal(spill_add(spill, rng_below(rng, WORKERS), part, &entry), STATUS_OK);
        add_to(&sums[part], &entry);
    }
}

/* After spill_save of what `sums` holds, and the loss of what came later: it goes on from there, and from no part of
 * the checkpoint. */
static void resume(const char *dir, const struct buffer *checkpoint, struct rng *rng, const struct spill_shape *shape,
                   struct sums *sums)
{
    struct spill *spill;
    struct cursor saved = cursor_over(checkpoint->bytes, checkpoint->size);
    struct spill_shape place = {.folder = dir, .name = "some", .workers = WORKERS};
    assert_int_equal(spill_resume(&place, &saved, &spill, NULL), STATUS_OK);
    assert_parts(spill, sums);
    add_some(spill, rng, shape, sums, 1000);
    assert_int_equal(spill_flush(spill, NULL), STATUS_OK);
    assert_parts(spill, sums);
    for (size_t cut = 0; cut < checkpoint->size; cut += 1 + cut / 7) {
        struct spill *none;
        struct cursor short_checkpoint = cursor_over(checkpoint->bytes, cut);
        assert_int_equal(spill_resume(&place, &short_checkpoint, &none, NULL), STATUS_FORMAT);
    }
    spill_free(spill);
    assert_false(path_exists(path_of("%s/some-0", dir)));
}

static void test_all_come_back(void **state)
{
    (void)state;
    struct rng rng = {(uint64_t)time(NULL)};
    print_message("seed %ju\n", (uintmax_t)rng.state);
    for (unsigned key_size = 1; key_size <= 8; key_size++) {
        char *dir = temp_dir();
        struct spill_shape shape = {.folder = dir,
                                    .name = "some",
                                    .parts = PARTS,
                                    .workers = WORKERS,
                                    .key_size = key_size,
                                    .spare_bits = key_size % 2 ? rng_below(&rng, 8) : 0,
                                    .extra = key_size % 2,
                                    .check = key_size % 3 == 0,
                                    .buffer = SPILL_BUFFER_MIN + rng_below(&rng, 5000)};
        struct sums sums[PARTS] = {0};
        struct buffer checkpoint = {0};
        struct spill *spill;
        assert_int_equal(spill_new(&shape, &spill, NULL), STATUS_OK);
        add_some(spill, &rng, &shape, sums, ENTRIES);
        assert_int_equal(spill_flush(spill, NULL), STATUS_OK);
        assert_parts(spill, sums);
        assert_int_equal(spill_save(spill, &checkpoint), STATUS_OK);
        struct sums later[PARTS] = {0};
        add_some(spill, &rng, &shape, later, 1000); /* after the checkpoint: forgotten */
        assert_int_equal(spill_flush(spill, NULL), STATUS_OK);
        spill_close(spill);
        resume(dir, &checkpoint, &rng, &shape, sums);
        buffer_free(&checkpoint);
        remove_tree(dir);
        free(dir);
    }
}

/* The limit on the size of files is named, also where it cuts a piece in two. */
static void test_limit_is_named(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct spill_shape shape = {.folder = dir, .name = "some", .parts = 1, .workers = 1, .key_size = 8, .buffer = 5000};
    struct spill *spill;
    struct fault fault = {0};
    struct rlimit before, small;
    struct spill_entry entry = {0};
    enum status status = STATUS_OK;
    assert_int_equal(spill_new(&shape, &spill, NULL), STATUS_OK);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 12000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (size_t i = 0; i < ENTRIES && status == STATUS_OK; i++)
        status = spill_add(spill, 0, 0, &entry);
    if (status == STATUS_IO)
        status = spill_flush(spill, &fault);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(fault.text, "ulimit -f"));
    assert_string_equal(fault.path, path_of("%s/some-0", dir));
    spill_free(spill);
    remove_tree(dir);
    free(dir);
}

/* seen[number]: the entry of that number came back. */
static enum status see_bytes(void *context, const struct spill_entry *entries, size_t count)
{
    bool *seen = context;
    for (size_t i = 0; i < count; i++) {
        uint8_t expected[SPILL_BYTES_MAX];
        memset(expected, (int)(entries[i].number % 251), sizeof expected);
        assert_true(entries[i].number < ENTRIES && !seen[entries[i].number]);
        assert_int_equal(entries[i].key, 3 * entries[i].number);
        assert_memory_equal(entries[i].bytes, expected, sizeof expected);
        seen[entries[i].number] = true;
    }
    return STATUS_OK;
}

/* Entries with bytes of their own come back from files that have no names any more. */
static void test_bytes(void **state)
{
    (void)state;
    static bool seen[ENTRIES];
    char *dir = temp_dir();
    struct spill_shape shape = {.folder = dir,
                                .name = "some",
                                .parts = PARTS,
                                .workers = WORKERS,
                                .key_size = 7,
                                .bytes = SPILL_BYTES_MAX,
                                .buffer = 300};
    struct spill *spill;
    assert_int_equal(spill_new(&shape, &spill, NULL), STATUS_OK);
    assert_true(path_exists(path_of("%s/some-0", dir)));
    spill_unlink(spill);
    assert_false(path_exists(path_of("%s/some-0", dir)));
    for (uint64_t number = 0; number < ENTRIES; number++) {
        uint8_t bytes[SPILL_BYTES_MAX];
        memset(bytes, (int)(number % 251), sizeof bytes);
        struct spill_entry entry = {.key = 3 * number, .number = number, .bytes = bytes};
        assert_int_equal(spill_add(spill, (unsigned)(number % WORKERS), (unsigned)(number % PARTS), &entry), STATUS_OK);
    }
    assert_int_equal(spill_flush(spill, NULL), STATUS_OK);
    for (unsigned part = 0; part < PARTS; part++)
        assert_int_equal(spill_read(spill, part, see_bytes, seen, NULL), STATUS_OK);
    for (size_t number = 0; number < ENTRIES; number++)
        assert_true(seen[number]);
    spill_free(spill);
    remove_tree(dir);
    free(dir);
}

static enum status ignore(void *context, const struct spill_entry *entries, size_t count)
{
    (void)context, (void)entries, (void)count;
    return STATUS_OK;
}

static void change_byte(int fd, off_t at)
{
    uint8_t byte;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

/* Reads all parts of files in which one byte is another one. */
static void read_changed(struct spill *spill, int fd, off_t at)
{
    struct fault fault = {0};
    enum status status = STATUS_OK;
    change_byte(fd, at);
    for (unsigned part = 0; part < PARTS && status == STATUS_OK; part++)
        status = spill_read(spill, part, ignore, NULL, &fault);
    if (status != STATUS_FORMAT)
        fail_msg("byte %lld: status %d", (long long)at, (int)status);
    assert_non_null(strstr(fault.text, "a temporary file is damaged"));
    change_byte(fd, at);
}

/* Another byte anywhere in a file is told: it would be another spend of the chain, which would then be at fault. */
static void test_changed_bytes(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const struct spill_shape shape = {.folder = dir,
                                      .name = "some",
                                      .parts = PARTS,
                                      .workers = 1,
                                      .key_size = 5,
                                      .spare_bits = 4,
                                      .extra = true,
                                      .check = true,
                                      .buffer = 300};
    struct spill *spill;
    assert_int_equal(spill_new(&shape, &spill, NULL), STATUS_OK);
    for (uint64_t number = 0; number < 40 * PARTS; number++) {
        struct spill_entry entry = {
            .key = 3 * number, .number = number * number, .extra = number % 20, .check = number};
        assert_int_equal(spill_add(spill, 0, (unsigned)(number % PARTS), &entry), STATUS_OK);
    }
    assert_int_equal(spill_flush(spill, NULL), STATUS_OK);
    for (unsigned file = 0; file < SPILL_FILES; file++) {
        int fd = open(path_of("%s/some-%u", dir, file), O_RDWR);
        off_t size = lseek(fd, 0, SEEK_END);
        assert_true(size > 0);
        for (off_t at = 0; at < size; at++)
            read_changed(spill, fd, at);
        close(fd);
    }
    spill_free(spill);
    remove_tree(dir);
    free(dir);
}

/* Whole pieces of one length that changed places are told too. */
static void test_exchanged_pieces(void **state)
{
    (void)state;
    enum { PIECE = 20 + 10 * 6 }; /* header and entries: five bytes of key, a step of one */
    char *dir = temp_dir();
    const struct spill_shape shape = {
        .folder = dir, .name = "some", .parts = 1, .workers = 1, .key_size = 5, .buffer = PIECE + 68};
    struct fault fault = {0};
    struct spill *spill;
    uint8_t pieces[2][PIECE];
    assert_int_equal(spill_new(&shape, &spill, NULL), STATUS_OK);
    for (unsigned piece = 0; piece < 4; piece++)
        for (uint64_t i = 1; i <= 10; i++)
            assert_int_equal(spill_add(spill, 0, 0, &(struct spill_entry){.key = i + piece, .number = i}), STATUS_OK);
    assert_int_equal(spill_flush(spill, NULL), STATUS_OK);
    assert_int_equal(spill_read(spill, 0, ignore, NULL, &fault), STATUS_OK);
    int fd = open(path_of("%s/some-0", dir), O_RDWR);
    assert_int_equal(lseek(fd, 0, SEEK_END), 4 * PIECE);
    assert_int_equal(pread(fd, pieces, sizeof pieces, PIECE), sizeof pieces);
    memcpy(pieces[1], pieces[0], 8); /* each still leads to the piece before it */
    assert_int_equal(pwrite(fd, pieces[1], PIECE, PIECE), PIECE);
    assert_int_equal(spill_read(spill, 0, ignore, NULL, &fault), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "a temporary file is damaged"));
    close(fd);
    spill_free(spill);
    remove_tree(dir);
    free(dir);
}

/* As a damaged number of another spill's file asks for: nothing is written beyond the parts, and the spill says so. */
static void test_no_such_part(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const struct spill_shape shape = {
        .folder = dir, .name = "some", .parts = PARTS, .workers = 1, .key_size = 1, .buffer = SPILL_BUFFER_MIN};
    static const unsigned parts[] = {PARTS, 1u << 20, UINT32_MAX};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct spill_entry entry = {.key = 1, .number = 1};
        struct spill *spill;
        struct fault fault = {0};
        struct sums sums = {0};
        assert_int_equal(spill_new(&shape, &spill, NULL), STATUS_OK);
        assert_int_equal(spill_add(spill, 0, parts[i], &entry), STATUS_FORMAT);
        assert_int_equal(spill_flush(spill, &fault), STATUS_FORMAT);
        assert_non_null(strstr(fault.text, "a temporary file is damaged"));
        assert_int_equal(spill_read(spill, parts[i], see, &sums, NULL), STATUS_FORMAT);
        assert_int_equal(sums.count, 0);
        spill_free(spill);
    }
    remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_come_back),
                                       cmocka_unit_test(test_limit_is_named),
                                       cmocka_unit_test(test_bytes),
                                       cmocka_unit_test(test_changed_bytes),
                                       cmocka_unit_test(test_exchanged_pieces),
                                       cmocka_unit_test(test_no_such_part)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
