#include "tests/support/paper_forest.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "parser/bytes.h"
#include "parser/mem.h"
#include "tests/support/handmade.h"
#include "tests/support/run.h"

const struct paper_row paper_rows[PAPER_ROWS] = {
    {29218, 2, 3, 2, 1},
    {607, 2, 11, 14, 2},
    {51, 2, 6, 7, 1},
    {36, 2, 6, 5, 1},
    {32, 2, 5, 4, 1},
    {25, 2, 7, 6, 1},
    {20, 2, 7, 6, 1},
    {14, 2, 6, 6, 1},
    {12, 2, 4, 3, 1},
    {9, 2, 6, 5, 1},
    {9, 2, 40001, 40000, 20000},
    {1, 2260, 6878, 7176, 10},
    {1, 514, 2073, 4144, 7},
    {1, 383, 1568, 3096, 13},
    {1, 381, 1059, 1058, 5},
};

const uint32_t paper_filtered[PAPER_PATTERNS] = {2, 2, 5, 1, 2};

/* ---- the chain ---- */

#define BLOCK_FULL 900000u

struct writer {
    struct buffer file;
    struct buffer bodies;
    struct hash256 tip;
    uint32_t txs;
    uint32_t height;
    uint32_t known; /* outputs that others made, so far */
};

struct script {
    uint8_t size;
    uint8_t bytes[80];
};

/* <33> OP_CHECKSIGVERIFY 1: nonstandard, and none of the filter's. */
static const struct script plain = {36, {33, 2, [34] = 0xad, 0x51}};
/* OP_DUP OP_HASH160 <20> OP_EQUALVERIFY OP_CHECKSIG: of an address. */
static const struct script known = {25, {0x76, 0xa9, 20, [23] = 0x88, 0xac}};

static void add_script_outputs(struct buffer *tx, uint32_t count, const struct script *script)
{
    static const uint8_t value[8] = {1};
    for (uint32_t i = 0; i < count; i++) {
        add(tx, value, sizeof value);
        add_count(tx, script->size);
        add(tx, script->bytes, script->size);
    }
}

static void end_block(struct writer *writer)
{
    static const struct hash256 none;
    struct buffer block = {0};
    add_u32(&block, 1);
    add_count(&block, 1);
    add(&block, none.bytes, sizeof none.bytes);
    add_u32(&block, UINT32_MAX);
    add_count(&block, 4);
    add_u32(&block, ++writer->height);
    add_u32(&block, UINT32_MAX);
    add_count(&block, 1);
    add_script_outputs(&block, 1, &known);
    add_u32(&block, 0);
    add(&block, writer->bodies.bytes, writer->bodies.size);
    writer->tip = add_block(&writer->file, &writer->tip, writer->txs + 1, &block);
    buffer_free(&block);
    writer->bodies.size = 0;
    writer->txs = 0;
}

/* What a transaction spends and has. */
struct made {
    bool known_input;
    const struct hash256 *from; /* spent: outputs first .. first + each - 1 of each of these transactions */
    uint32_t from_count;
    uint32_t first;
    uint32_t each;
    const struct hash256 *joined; /* and output 0 of this one; NULL: none */
    uint32_t unknown;
    uint32_t others; /* with an address */
    const struct script *script;
};

static struct hash256 add_tx(struct writer *writer, const struct made *made)
{
    struct buffer tx = {0};
    add_u32(&tx, 2);
    add_count(&tx, made->known_input + made->from_count * made->each + (made->joined != NULL));
    if (made->known_input) {
        struct hash256 other = {{0xff}};
        store_le32(other.bytes + 4, ++writer->known);
        add_input(&tx, &other, 0);
    }
    for (uint32_t i = 0; i < made->from_count; i++)
        for (uint32_t k = 0; k < made->each; k++)
            add_input(&tx, &made->from[i], made->first + k);
    if (made->joined)
        add_input(&tx, made->joined, 0);
    add_count(&tx, made->unknown + made->others);
    add_script_outputs(&tx, made->unknown, made->script ? made->script : &plain);
    add_script_outputs(&tx, made->others, &known);
    add_u32(&tx, 0);
    struct hash256 txid = hash_of(&tx);
    add(&writer->bodies, tx.bytes, tx.size);
    buffer_free(&tx);
    writer->txs++;
    if (writer->bodies.size > BLOCK_FULL)
        end_block(writer);
    return txid;
}

/* ---- shapes ---- */

/* Roots of so many outputs, of each of which `spent` go together into one transaction of `into` outputs. */
static void add_together(struct writer *writer, uint32_t roots, uint32_t outputs, uint32_t spent, uint32_t into,
                         const struct script *script)
{
    struct hash256 *txids = mem_alloc(roots, sizeof *txids);
    assert_non_null(txids);
    for (uint32_t i = 0; i < roots; i++)
        txids[i] = add_tx(
            writer, &(struct made){.known_input = true, .unknown = spent, .others = outputs - spent, .script = script});
    add_tx(writer, &(struct made){.from = txids, .from_count = roots, .each = spent, .others = into});
    mem_free(txids);
}

static void add_many(struct writer *writer, uint32_t count, uint32_t roots, uint32_t outputs, uint32_t spent,
                     uint32_t into)
{
    for (uint32_t i = 0; i < count; i++)
        add_together(writer, roots, outputs, spent, into, NULL);
}

/* One root of three outputs, of which two are spent, each into one of its own. */
static void add_two_ways(struct writer *writer)
{
    struct hash256 root = add_tx(writer, &(struct made){.known_input = true, .unknown = 2, .others = 1});
    for (uint32_t i = 0; i < 2; i++)
        add_tx(writer, &(struct made){.from = &root, .from_count = 1, .first = i, .each = 1, .others = 1});
}

/* A chain of as many transactions as the row is high. The first has `wide` outputs, which the second spends together
 * into `deep` ones; roots join one by one; the last has what outputs are left. With one output but for these, nodes are
 * right by the last one, and edges if deep * (wide - 1) + roots - 1 is how many more they are than outputs. */
static void add_deep(struct writer *writer, const struct paper_row *row, uint32_t wide, uint32_t deep)
{
    uint32_t outputs = row->nodes - row->roots, joins = row->roots - 1;
    assert_int_equal(row->edges - outputs, deep * (wide - 1) + joins);
    struct hash256 last = add_tx(writer, &(struct made){.known_input = true, .unknown = wide});
    last = add_tx(writer,
                  &(struct made){.from = &last, .from_count = 1, .each = wide, .unknown = 1, .others = deep - 1});
    for (uint32_t i = 3; i < row->height; i++) {
        struct hash256 root, before = last;
        bool join = i - 3 < joins;
        if (join)
            root = add_tx(writer, &(struct made){.known_input = true, .unknown = 1});
        last = add_tx(
            writer,
            &(struct made){.from = &before, .from_count = 1, .each = 1, .joined = join ? &root : NULL, .unknown = 1});
    }
    uint32_t rest = outputs - wide - deep - (row->height - 3) - joins;
    add_tx(writer, &(struct made){.from = &last, .from_count = 1, .each = 1, .others = rest});
}

/* The 258 classes that are not printed: one output into 965, 966, ... 1,220 and 1,478, the first 38 of them twice; and
 * 17,549 outputs into one. */
static void add_others(struct writer *writer)
{
    for (uint32_t i = 0; i <= 256; i++)
        add_many(writer, i < 38 ? 2 : 1, 1, 1, 1, i < 256 ? 965 + i : 1478);
    add_many(writer, 1, 1, 17549, 17549, 1);
}

/* ---- what the filter takes away: of the first row ---- */

static const struct script filtered[] = {
    {26, {0x76, 0xa9, 20, [23] = 0x88, 0xac, 0x61}}, /* P2PKH-NOP */
    {26, {0x76, 0xa9, 20, 1, [23] = 0x88, 0xac, 0x61}},
    {3, {0xa3, 0x53, 0x87}}, /* OP_MIN 3 OP_EQUAL */
    {3, {0xa3, 0x53, 0x87}},
    {35, {0xa8, 32, [34] = 0x87}}, /* OP_SHA256 <32> OP_EQUAL, */
    {35, {0xa8, 32, 1, [34] = 0x87}},
    {35, {0xaa, 32, [34] = 0x87}},                                    /* OP_HASH256, */
    {23, {0xa7, 20, [22] = 0x87}},                                    /* OP_SHA1, */
    {23, {0xa6, 20, [22] = 0x87}},                                    /* OP_RIPEMD160 */
    {73, {0x63, 33, 2, [35] = 0xac, 0x67, 33, 3, [71] = 0xac, 0x68}}, /* OP_IF <33> OP_CHECKSIG OP_ELSE ... OP_ENDIF */
    {37, {0x00, 33, 2, [35] = 0x51, 0xae}},                           /* 0 of 1 OP_CHECKMULTISIG */
    {71, {0x00, 33, 2, [35] = 33, 3, [69] = 0x52, 0xae}},             /* 0 of 2 */
};
#define FILTERED (sizeof filtered / sizeof *filtered)

void paper_forest_write(const char *datadir)
{
    struct writer writer = {0};
    writer.tip = add_genesis(&writer.file);
    for (size_t i = 0; i < FILTERED; i++)
        add_together(&writer, 1, 1, 1, 1, &filtered[i]);
    add_many(&writer, paper_rows[0].tdags - (uint32_t)FILTERED, 1, 1, 1, 1);
    add_many(&writer, paper_rows[1].tdags, 2, 4, 3, 1);
    add_many(&writer, paper_rows[2].tdags, 1, 4, 3, 1);
    add_many(&writer, paper_rows[3].tdags, 1, 4, 1, 1);
    add_many(&writer, paper_rows[4].tdags, 1, 3, 1, 1);
    add_many(&writer, paper_rows[5].tdags, 1, 5, 1, 1);
    add_many(&writer, paper_rows[6].tdags, 1, 3, 1, 3);
    add_many(&writer, paper_rows[7].tdags, 1, 4, 2, 1);
    add_many(&writer, paper_rows[8].tdags, 1, 2, 1, 1);
    for (uint32_t i = 0; i < paper_rows[9].tdags; i++)
        add_two_ways(&writer);
    add_many(&writer, paper_rows[10].tdags, 20000, 1, 1, 1);
    add_deep(&writer, &paper_rows[11], 14, 23);
    add_deep(&writer, &paper_rows[12], 5, 518);
    add_deep(&writer, &paper_rows[13], 12, 139);
    add_deep(&writer, &paper_rows[14], 1, 1);
    add_others(&writer);
    end_block(&writer);
    make_dirs(path_of("%s/regtest/blocks", datadir));
    write_file(path_of("%s/regtest/blocks/blk00000.dat", datadir), writer.file.bytes, writer.file.size);
    buffer_free(&writer.file);
    buffer_free(&writer.bodies);
}
