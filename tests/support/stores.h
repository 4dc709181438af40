/* stores: what two stores hold, compared: the digest of `unktx check` and every table. A difference fails the test. And
 * the size of an LMDB file's pages, which is the system's choice. */
#ifndef UNKTX_TESTS_SUPPORT_STORES_H
#define UNKTX_TESTS_SUPPORT_STORES_H

#include <stdint.h>

#define DIGEST_SIZE 64

/* Both run the command in a fork of this process: starting the program takes longer than what it does with a small
 * store, and threads here would keep a later fork() from having any. */

/* The digest as `unktx check` prints it; the store must be sound and have a block. */
void store_digest(const char *store, char digest[DIGEST_SIZE + 1]);
/* Its number of blocks as `unktx stats` counts them; 0 for a store without any. */
uint32_t store_blocks(const char *store);
/* Writes the tables of outputs, stats and dags into FOLDER, by one set of rules; what blk files have is left out. */
void store_tables(const char *store, const char *rules, const char *folder);
/* Both folders have the same tables. */
void assert_same_tables(const char *a, const char *b);
/* Same digest, same tables; writes those into folders below `scratch`. */
void assert_same_stores(const char *a, const char *b, const char *scratch);
/* Of the file data.mdb, from its first page. */
uint32_t store_page_size(const char *data_path);

#endif
