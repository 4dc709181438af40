/* floors: the least that a scan could do, made of the project's own parser and nothing else: reading the blocks,
 * walking them, and hashing what must be hashed. What a command takes is told as a multiple of that. */
#ifndef UNKTX_TESTS_BENCH_FLOORS_H
#define UNKTX_TESTS_BENCH_FLOORS_H

#include "parser/blkfile.h"

/* A block in a file. */
struct block_place {
    uint32_t file;
    uint32_t size;
    uint64_t offset;
};

/* All records of a blocks folder. */
struct chain_files {
    struct blkdir dir;
    struct block_place *places;
    size_t count;
    uint64_t bytes;
};

void files_open(struct chain_files *files, const char *path);
void files_close(struct chain_files *files);

enum floor { FLOOR_READ, FLOOR_WALK, FLOOR_KIND, FLOOR_TXID, FLOOR_WTXID, FLOORS };

extern const char *const floor_names[FLOORS];

/* Seconds that it takes over all blocks. */
double run_floor(const struct chain_files *files, enum floor floor, unsigned threads);

#endif
