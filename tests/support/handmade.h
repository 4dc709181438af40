/* handmade: blocks of regtest, byte by byte, for chains that no node would make. Merkle roots are wrong. For tests with
 * cmocka: an error fails the test. */
#ifndef UNKTX_TESTS_SUPPORT_HANDMADE_H
#define UNKTX_TESTS_SUPPORT_HANDMADE_H

#include "parser/buffer.h"
#include "parser/hash256.h"

void add(struct buffer *to, const void *bytes, size_t size);
void add_u32(struct buffer *to, uint32_t value);
/* A CompactSize. */
void add_count(struct buffer *to, uint32_t count);
/* With an empty scriptSig. */
void add_input(struct buffer *to, const struct hash256 *txid, uint32_t vout);
/* Outputs that anyone can spend, each of this value, or of none: so high up there is no subsidy. A lock time of 0 after
 * them. */
void add_worth(struct buffer *to, uint32_t count, uint64_t value_sat);
void add_outputs(struct buffer *to, uint32_t count);
/* Double SHA-256. */
struct hash256 hash_of(const struct buffer *bytes);
/* A coinbase is the same whenever `extra` is. Its outputs are unknown. */
struct hash256 add_rich_coinbase(struct buffer *block, uint32_t extra, uint32_t outputs, uint64_t value_sat);
struct hash256 add_coinbase(struct buffer *block, uint32_t extra, uint32_t outputs);
/* Appends a record of a block with these transactions on that parent; returns its hash. */
struct hash256 add_block(struct buffer *file, const struct hash256 *parent, uint32_t txs, const struct buffer *bodies);
/* The real genesis block, from the fixture of a node that has no other. */
struct hash256 add_genesis(struct buffer *file);

#endif
