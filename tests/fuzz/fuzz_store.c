/* A store whose file is damaged: whatever bytes are changed, opening, reading, and writing on end in an answer or in an
 * error with a text. The input is a list of changes of 8 bytes each to a store that is made at the start: page (2),
 * offset in it (2), what to do (2), a number (2). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "graph/dag/forest.h"
#include "graph/test_hooks.h"
#include "parser/network.h"
#include "tests/fuzz/damage.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/run.h"

#define SINGLE_BLOCKS 150u /* one a commit, so that the directory has a branch page */
#define MORE_BLOCKS 6u     /* in one commit, so that a batch has pages of its own */

static char folder[256], path[300];
static uint8_t *base, *bytes;
static size_t base_size;
static struct store_identity identity;

/* A block with one transaction, which creates `outputs` outputs and spends the first one of the block before. */
static void add_block(struct store *store, uint32_t outputs)
{
    static const uint8_t script[] = {0x51, 0x61, 0x61, 0x51};
    struct store_totals totals = store_totals_of(store);
    struct block_record block = {.height = totals.blocks, .time = 1231006505 + totals.blocks};
    block.counts = (struct block_counts){.txs = 2,
                                         .inputs = 2,
                                         .outputs = outputs,
                                         .kind_count = {outputs},
                                         .kind_value_sat = {outputs * 5000},
                                         .unknown_txs = {1, 1, 1}};
    store_le32(block.hash.bytes, totals.blocks + 1);
    struct tx_record tx = {.index = 1, .inputs = 1, .outputs = outputs, .tracked = outputs};
    store_le32(tx.txid.bytes + 4, totals.blocks + 1);
    struct spend_record spend = {.vin = 0, .ordinal = totals.tracked > 0 ? totals.tracked - 1 : 0};
    tx.spends = totals.tracked > 0;
    struct buffer blob = {0};
    uint32_t vouts[256];
    for (uint32_t i = 0; i < outputs; i++) {
        struct output_record output = {.value_sat = 5000,
                                       .kind = KIND_NONSTANDARD,
                                       .unknown = RULES_ALL,
                                       .script = script,
                                       .script_size = sizeof script};
        must(record_add_output(&blob, &output) == STATUS_OK, "memory");
        vouts[i] = i;
    }
    must(store_begin_block(store, &block, NULL) == STATUS_OK &&
             store_add_tx(store, &tx, blob.bytes, blob.size, vouts, &spend, NULL) == STATUS_OK &&
             store_end_block(store, NULL) == STATUS_OK,
         "a block is added");
    buffer_free(&blob);
}

static void put_beside(struct store *store, uint32_t round)
{
    static uint8_t value[20000];
    memset(value, (int)round, sizeof value);
    must(store_put_file(store, round % 7, value, 100 + 1300 * (round % 7), NULL) == STATUS_OK, "memory");
    must(store_put_snapshot(store, 0, value, 3000, NULL) == STATUS_OK &&
             store_put_snapshot(store, 1, value, 18000, NULL) == STATUS_OK,
         "memory");
}

static void make_store(void)
{
    struct store *store = NULL;
    struct fault fault = {0};
    identity = (struct store_identity){.genesis = network_by_name("regtest")->genesis};
    memcpy(identity.magic, network_by_name("regtest")->magic, 4);
    must(store_open(folder, STORE_WRITE, &identity, &store, &fault) == STATUS_OK, fault.text);
    for (uint32_t i = 0; i < SINGLE_BLOCKS; i++) {
        add_block(store, 1 + i % 3);
        if (i % 10 == 0)
            put_beside(store, i / 10);
        must(store_commit(store, &fault) == STATUS_OK, fault.text);
    }
    must(store_rollback(store, SINGLE_BLOCKS - 20, &fault) == STATUS_OK, fault.text);
    for (uint32_t i = 0; i < MORE_BLOCKS; i++)
        add_block(store, 100);
    put_beside(store, 99);
    must(store_commit(store, &fault) == STATUS_OK, fault.text);
    store_close(store);
}

static void clean_up(void) { remove_tree(folder); }

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    char *dir = access("/dev/shm", W_OK) == 0 && !getenv("TMPDIR") ? strdup("/dev/shm/unktx-fuzz-XXXXXX") : NULL;
    if (!dir || !mkdtemp(dir))
        dir = temp_dir();
    snprintf(folder, sizeof folder, "%s", dir);
    free(dir);
    atexit(clean_up);
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    kv_map_step((size_t)1 << 20); /* so that a sanitizer has less to keep book of */
    make_store();
    base = (uint8_t *)read_file(path, &base_size);
    bytes = malloc(base_size);
    must(base && bytes, "the store is read back");
    return 0;
}

static enum status on_file(void *context, uint32_t number, const uint8_t *value, size_t size)
{
    volatile uint8_t *sum = context;
    for (size_t i = 0; i < size; i += 512)
        *sum = (uint8_t)(*sum + value[i] + number);
    return STATUS_OK;
}

/* An error must have a text, a success none of its consequences forgotten. */
static bool fine(enum status status, struct fault *fault)
{
    must(status == STATUS_OK || fault->text[0] != '\0', "an error has a text");
    return status == STATUS_OK;
}

static void read_everything(const struct store *store)
{
    struct store_reader *reader = NULL;
    struct fault fault = {0};
    struct store_totals totals = store_totals_of(store);
    volatile uint8_t sum = 0;
    if (!fine(store_reader_open(store, &reader, &fault), &fault))
        return;
    for (uint64_t o = 0; o < totals.tracked && o < 10000; o += 13) {
        struct hash256 txid;
        uint32_t vout;
        (void)fine(store_outpoint(reader, o, &txid, &vout, &fault), &fault);
    }
    for (uint32_t height = 0; height < totals.blocks && height < 1000; height += 7) {
        struct block_record block;
        (void)fine(store_block(reader, height, &block, &fault), &fault);
    }
    store_reader_close(reader);
    (void)fine(store_each_file(store, on_file, (void *)(uintptr_t)&sum, &fault), &fault);
    const uint8_t *chunk;
    size_t size;
    for (uint32_t i = 0; i < 4 && store_get_snapshot(store, i, &chunk, &size, &fault) == STATUS_OK; i++)
        (void)on_file((void *)(uintptr_t)&sum, i, chunk, size);
    struct forest forest = {0};
    struct tdags tdags = {0};
    if (fine(forest_load(store, 1, &forest, &fault), &fault) &&
        fine(tdags_find(&forest, RULES_CORE_0_18, &tdags, &fault), &fault))
        must(tdags.count <= forest.txs_count, "a T-DAG has a transaction");
    tdags_free(&tdags);
    forest_free(&forest);
}

static void write_on(struct store *store)
{
    struct fault fault = {0};
    put_beside(store, 3);
    add_block(store, 5);
    if (!fine(store_commit(store, &fault), &fault))
        return;
    put_beside(store, 6);
    if (!fine(store_commit(store, &fault), &fault) ||
        !fine(store_rollback(store, store_totals_of(store).blocks / 2, &fault), &fault))
        return;
    add_block(store, 50);
    (void)fine(store_commit(store, &fault), &fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store *store = NULL;
    struct fault fault = {0};
    size_t end = damage(bytes, base, base_size, data, size);
    kv_open_leaves(size / DAMAGE_SIZE % 2 ? 0 : UINT64_MAX); /* looked at on opening, or on the way to a key */
    int fd = open(path, O_WRONLY | O_TRUNC);
    must(fd >= 0 && write(fd, bytes, end) == (ssize_t)end && close(fd) == 0, "the file is written");
    if (fine(store_open(folder, STORE_READ, NULL, &store, &fault), &fault)) {
        read_everything(store);
        store_close(store);
    }
    fault = (struct fault){0};
    if (fine(store_open(folder, STORE_WRITE, &identity, &store, &fault), &fault)) {
        write_on(store);
        store_close(store);
    }
    must(size > 0 || store, "an undamaged store is opened");
    return 0;
}
