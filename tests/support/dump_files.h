/* dump_files: folders of `unktx dump -o DIR`, and the chain that the tests of it dump. Where something fails, the
 * running test does. */
#ifndef UNKTX_TESTS_SUPPORT_DUMP_FILES_H
#define UNKTX_TESTS_SUPPORT_DUMP_FILES_H

#include <glob.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define DUMP_NAMES 4
extern const char *const dump_names[DUMP_NAMES]; /* blocks, txs, inputs, outputs */

extern char *dump_dir; /* the folder of all that follow: has node and store, which grow, and what a test makes */
int dump_set_up(void **state);
int dump_tear_down(void **state);

/* A path in dump_dir, as path_of gives it. */
const char *in_dir(const char *name);

/* Adds blocks, on the tip or (not UINT32_MAX) on the block of that height, and indexes them. */
void grow(uint32_t fork_height, uint32_t blocks);

/* `unktx dump all` into a folder, with more options. */
void dump_ok(const char *folder, const char *more);
void assert_same_folders(const char *a, const char *b);

struct bytes {
    char *at;
    size_t size;
};

/* The paths of a table's files, in order of their names. */
glob_t files_of(const char *folder, const char *table);
/* All files of a table, with the header of the first alone; the caller frees. */
struct bytes joined(const char *folder, const char *table);

/* The manifest has every file, with its size, its hash by another program and, where that can be counted, its rows; and
 * says that it is complete. */
void assert_manifest(const char *folder);

/* All files of a folder's tables as they are now; the caller frees them and their bytes. */
struct seen {
    char path[256];
    struct bytes bytes;
    struct stat st;
};
size_t look(const char *folder, struct seen **seen);

#endif
