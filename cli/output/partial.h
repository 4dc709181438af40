/* partial: whether what the running command tells is of a part of the chain: its store begins above the genesis block
 * (docs/model.md, section 8). Whoever opens a store says so, and then every table has the column `partial`, whichever
 * command writes it.
 *
 * Thread rule: set by one thread, before others ask. */
#ifndef UNKTX_CLI_OUTPUT_PARTIAL_H
#define UNKTX_CLI_OUTPUT_PARTIAL_H

#include <stdint.h>

#include "cli/output/schema.h"

/* The height of the store's first block: 0, and it is the whole chain. */
void partial_set(uint32_t first_height);
uint32_t partial_from(void);

/* COLUMN_WITH_PARTIAL where it is set, else 0: for the flags of a table. */
unsigned partial_flag(void);

/* The end of a row, with that cell where it is set. At most PARTIAL_END_MAX bytes. */
#define PARTIAL_END_MAX (PUT_U64_MAX + 2u)
char *partial_put_end(char *out);

/* Appends the cell of the column `partial` to every row of whole rows; *in_quotes (false at the beginning of a table)
 * is carried from one call to the next. Nothing where it is not set. STATUS_NOMEM. O(size). */
enum status partial_end_rows(const char *rows, size_t size, bool *in_quotes, struct text *out) MUST_CHECK;

#endif
