#include "tests/support/handmade.h"

#include "parser/block.h"
#include "parser/bytes.h"
#include "parser/network.h"
#include "parser/sha256.h"
#include "tests/support/run.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

void add(struct buffer *to, const void *bytes, size_t size)
{
    assert_int_equal(buffer_add(to, bytes, size), STATUS_OK);
}

void add_u32(struct buffer *to, uint32_t value)
{
    uint8_t bytes[4];
    store_le32(bytes, value);
    add(to, bytes, sizeof bytes);
}

void add_count(struct buffer *to, uint32_t count)
{
    uint8_t bytes[5] = {count <= 0xffff ? 0xfd : 0xfe};
    store_le32(bytes + 1, count);
    if (count < 0xfd)
        add(to, bytes + 1, 1);
    else
        add(to, bytes, count <= 0xffff ? 3 : 5);
}

void add_input(struct buffer *to, const struct hash256 *txid, uint32_t vout)
{
    add(to, txid->bytes, sizeof txid->bytes);
    add_u32(to, vout);
    add_count(to, 0);
    add_u32(to, UINT32_MAX);
}

void add_worth(struct buffer *to, uint32_t count, uint64_t value_sat)
{
    uint8_t output[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 0x51};
    store_le64(output, value_sat);
    add_count(to, count);
    for (uint32_t i = 0; i < count; i++)
        add(to, output, sizeof output);
    add_u32(to, 0);
}

void add_outputs(struct buffer *to, uint32_t count) { add_worth(to, count, 0); }

struct hash256 hash_of(const struct buffer *bytes)
{
    struct hash256 hash;
    sha256d(bytes->bytes, bytes->size, &hash);
    return hash;
}

struct hash256 add_rich_coinbase(struct buffer *block, uint32_t extra, uint32_t outputs, uint64_t value_sat)
{
    static const struct hash256 none;
    struct buffer tx = {0};
    add_u32(&tx, 1);
    add_count(&tx, 1);
    add(&tx, none.bytes, sizeof none.bytes);
    add_u32(&tx, UINT32_MAX);
    add_count(&tx, 4);
    add_u32(&tx, extra);
    add_u32(&tx, UINT32_MAX);
    add_worth(&tx, outputs, value_sat);
    struct hash256 txid = hash_of(&tx);
    add(block, tx.bytes, tx.size);
    buffer_free(&tx);
    return txid;
}

struct hash256 add_coinbase(struct buffer *block, uint32_t extra, uint32_t outputs)
{
    return add_rich_coinbase(block, extra, outputs, 0);
}

struct hash256 add_block(struct buffer *file, const struct hash256 *parent, uint32_t txs, const struct buffer *bodies)
{
    struct buffer block = {0};
    struct hash256 hash;
    static const uint8_t root[32] = {7};
    add_u32(&block, 1);
    add(&block, parent->bytes, sizeof parent->bytes);
    add(&block, root, sizeof root);
    add_u32(&block, 1600000000);
    add_u32(&block, 0x207fffff);
    add_u32(&block, 0);
    do { /* every second hash will do */
        store_le32(block.bytes + 76, load_le32(block.bytes + 76) + 1);
        hash = hash_of(&block);
    } while (!block_meets_target(&hash, 0x207fffff));
    add_count(&block, txs);
    add(&block, bodies->bytes, bodies->size);
    add(file, network_by_name("regtest")->magic, 4);
    add_u32(file, (uint32_t)block.size);
    add(file, block.bytes, block.size);
    buffer_free(&block);
    return hash;
}

struct hash256 add_genesis(struct buffer *file)
{
    struct records records = records_read("tests/fixtures/genesis/regtest/blocks");
    add(file, records.list[0].bytes, records.list[0].size);
    records_free(&records);
    return network_by_name("regtest")->genesis;
}
