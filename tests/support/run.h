/* run: the unktx binary as a user runs it, and the files around it. Where something that a test needs cannot be had,
 * the running test fails. */
#ifndef UNKTX_TESTS_SUPPORT_RUN_H
#define UNKTX_TESTS_SUPPORT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- programs ---- */

struct run {
    int exit_status; /* 128 + signal if one ended it */
    char *out;       /* terminated, as `err`; free with run_free */
    char *err;
    size_t out_size;
};

/* The program under test: $UNKTX, else build/unktx. */
const char *unktx_path(void);
/* Runs it with a command line of words parted by single spaces, printf-style: "scan --datadir %s". Where this process
 * has no other thread and has run no command itself, a fork of it goes through the program's main, which is linked to
 * it: most of the time of a small command is that of loading the shared libraries. Otherwise, and under a sanitizer,
 * the program is started anew. So $UNKTX has to be of the same build, and what libraries read of the environment when
 * they are loaded (OMP_STACKSIZE and its like) is that of this process: shell() is for a test of these. */
struct run unktx(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, and the exit status must be `status`: otherwise the test fails with what it printed on stderr. */
struct run unktx_expect(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As unktx_expect with nothing of its output kept. */
void unktx_ok(const char *format, ...) __attribute__((format(printf, 1, 2)));
void run_free(struct run *run);
/* From now on each run starts the program anew: this process is no longer as at its beginning. */
void unktx_starts_anew(void);
/* Starts it with stdout and stderr thrown away, and does not wait. */
pid_t unktx_start(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs a line of /bin/sh, in which $UNKTX is the program under test. For pipes, limits, and signals after a while. */
struct run shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- files ---- */

/* A new empty folder below $TMPDIR or /tmp; `path` as in the result is the caller's to free. */
char *temp_dir(void);
/* temp_dir is in memory from now on, unless $TMPDIR says where: a disk takes its time for thousands of commits. */
void temp_dir_in_memory(void);
/* Takes a folder away with all that is in it. */
void remove_tree(const char *path);
/* A path in a buffer of the function's own (a few of them in turn). */
const char *path_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool path_exists(const char *path);
void make_dirs(const char *path);
/* All bytes, with a terminator after them; NULL if the file cannot be read. The caller frees. */
char *read_file(const char *path, size_t *size);
void write_file(const char *path, const void *bytes, size_t size);
void copy_file(const char *from, const char *to);
/* Copies the files (not the folders) in a folder. */
void copy_files(const char *from, const char *to);
/* Copies the blk files of the bundled chain (tests/fixtures/regtest-xor) into DATADIR/regtest/blocks. */
void copy_bundled_chain(const char *datadir);
/* Fails the test with the place of the first difference. */
void assert_same_file(const char *a, const char *b);

/* ---- blk files ---- */

/* Block records in the order of the files, XOR undone; borrows nothing. */
struct records {
    struct record {
        uint8_t *bytes; /* magic, length, block */
        size_t size;
    } * list;
    size_t count;
    size_t capacity;
};

/* The records of a clean blocks folder. */
struct records records_read(const char *blocks_dir);
void records_free(struct records *records);
/* Writes blk00000.dat.. of `per_file` records each, in the order given, and xor.dat unless `key` is NULL. */
void records_write(const struct records *records, const char *blocks_dir, size_t per_file, const uint8_t key[8]);
/* Likewise in place of all that the folder holds: `count` records, of which the i-th is list[order[i]]. */
void records_rewrite(const struct records *records, const size_t *order, size_t count, const char *blocks_dir,
                     size_t per_file, const uint8_t key[8]);

#endif
