#include "cli/inputs/node_blocks.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cli/inputs/index_blocks.h"
#include "cli/output/message.h"
#include "cli/output/sources.h"
#include "cli/output/timings_file.h"
#include "graph/scan/best_chain.h"
#include "parser/mem.h"

const struct option option_partial = {
    .name = "partial",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, partial),
    .help = "take a part of the chain: from the first block on which an unbroken chain stands in these files (a pruned "
            "node); what was made before is not known, and all tables say so",
};
const struct option option_begin_height = {
    .name = "from-height",
    .type = OPTION_NUMBER,
    .value = "H",
    .field = offsetof(struct settings, begin_height),
    .max = UINT32_MAX - 1,
    .help = "the same from block H on; 0 is the whole chain (default: the whole chain)",
};
const struct option option_sequential = {
    .name = "sequential",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, sequential),
    .help = "read each blk file once from its beginning to its end, headers and blocks together: for a slow disk "
            "(default: where the kernel says that the disk rotates)",
};
const struct option option_no_sequential = {
    .name = "no-sequential",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, no_sequential),
    .help = "read all headers first, and then the blocks in the order of the chain, whatever the disk",
};

static enum status put_option(struct text *text, const char *option, const char *word)
{
    enum status status = text_printf(text, " %s ", option);
    return status == STATUS_OK ? text_word(text, word) : status;
}

enum status node_blocks_put_command(const struct settings *settings, struct text *text)
{
    enum status status = text_printf(text, "unktx %s", settings->folder ? "analyze" : "scan");
    if (status == STATUS_OK && settings->datadir)
        status = put_option(text, "--datadir", settings->datadir);
    if (status == STATUS_OK && settings->chain)
        status = put_option(text, "--chain", settings->chain);
    if (status == STATUS_OK)
        status = settings->folder ? put_option(text, "-o", settings->out)
                                  : put_option(text, "--store", settings->store);
    return status;
}

/* Hashes of what has been said, by open addressing; 0: free. */
static struct said {
    uint64_t *slots;
    size_t capacity;
    size_t count;
    uint64_t repeated;  /* damages of the running command that had been said before */
    uint64_t fresh;     /* and that had not */
    uint64_t unskipped; /* of these, those by which nothing was skipped */
} said;

static uint64_t hash_of(const struct fault *what)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ what->offset; /* FNV-1a */
    bool is_place = what->path[0] && what->offset != FAULT_NO_OFFSET;
    const char *text = is_place ? "" : what->text;
    for (const char *p = what->path; *p; p++)
        hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return hash ? hash : 1;
}

static bool insert(uint64_t hash)
{
    size_t at = (size_t)hash & (said.capacity - 1);
    while (said.slots[at] && said.slots[at] != hash)
        at = (at + 1) & (said.capacity - 1);
    bool is_new = said.slots[at] == 0;
    said.slots[at] = hash;
    said.count += is_new;
    return is_new;
}

/* False if it had been said: a place in a file, whatever the words, since scan and index name one block each in
 * their own; else the same words. Without memory all is new. */
static bool is_new(const struct fault *what)
{
    if (said.count * 2 >= said.capacity) {
        struct said old = said;
        size_t capacity = old.capacity ? 2 * old.capacity : 256;
        uint64_t *slots = mem_alloc(capacity, sizeof *slots);
        if (!slots)
            return true;
        said.slots = slots;
        said.capacity = capacity;
        said.count = 0;
        for (size_t i = 0; i < old.capacity; i++)
            if (old.slots[i])
                (void)insert(old.slots[i]);
        mem_free(old.slots);
    }
    return insert(hash_of(what));
}

void node_blocks_forget(void)
{
    mem_free(said.slots);
    said = (struct said){0};
}

bool node_blocks_key(const struct settings *settings, uint8_t key[XOR_KEY_SIZE], const uint8_t **given)
{
    *given = settings->xor_key ? key : NULL;
    if (!settings->xor_key || blk_key_parse(settings->xor_key, key))
        return true;
    (void)message_usage("--xor-key: '%s' is not 16 hexadecimal digits", settings->xor_key);
    return false;
}

static int read_options(const struct settings *settings, struct node_blocks *blocks)
{
    *blocks = (struct node_blocks){0};
    if (settings->sequential && settings->no_sequential)
        return message_usage("--sequential and --no-sequential contradict each other");
    if (settings->tip && !hash256_parse(settings->tip, &blocks->hash))
        return message_usage("--tip: '%s' is no block hash of 64 hexadecimal digits", settings->tip);
    blocks->tip = settings->tip ? &blocks->hash : NULL;
    return node_blocks_key(settings, blocks->key, &blocks->xor_key) ? EXIT_DONE : EXIT_USAGE;
}

enum ingest_order node_blocks_order(const struct settings *settings)
{
    if (settings->sequential)
        return INGEST_BY_FILE;
    return settings->no_sequential ? INGEST_BY_CHAIN : INGEST_AS_SUITED;
}

int node_blocks_check_options(const struct settings *settings)
{
    struct node_blocks blocks;
    return read_options(settings, &blocks);
}

enum status node_blocks_check_tmp(const struct settings *settings, struct fault *fault)
{
    const char *tmp = settings->tmp;
    struct stat info;
    if (!tmp)
        return STATUS_OK;
    if (stat(tmp, &info) == 0 && !S_ISDIR(info.st_mode))
        return fault_set(fault, STATUS_REFUSED, tmp, FAULT_NO_OFFSET,
                         "cannot be the folder for temporary files (--tmp): it is no folder");
    if (access(tmp, W_OK | X_OK) != 0)
        return fault_errno_place(fault, tmp, FAULT_NO_OFFSET, "another folder",
                                 "cannot be the folder for temporary files (--tmp)");
    return STATUS_OK;
}

static int find_blocks(const struct settings *settings, struct node_blocks *blocks)
{
    struct fault fault = {0};
    int exit_status = read_options(settings, blocks);
    if (exit_status != EXIT_DONE)
        return exit_status;
    uint8_t noted[XOR_KEY_SIZE];
    bool has_noted;
    enum status status = index_blocks_datadir(settings, &blocks->datadir, noted, &has_noted, &fault);
    if (has_noted && !blocks->xor_key) {
        memcpy(blocks->key, noted, sizeof noted);
        blocks->xor_key = blocks->key;
    }
    return status == STATUS_REFUSED ? message_usage("%s", fault.text) : message_result(status, &fault);
}

/* The blk files are a source also where no option names them. */
static int begin_timings(const struct settings *settings, const struct node_blocks *blocks,
                         struct timings_file *timings)
{
    struct fault fault = {0};
    enum status status = settings->timings ? sources_add(blocks->datadir, &fault) : STATUS_OK;
    if (status == STATUS_OK)
        status = timings_file_begin(timings, settings, &fault);
    return message_result(status, &fault);
}

int node_blocks_run(const struct settings *settings, node_blocks_work *work)
{
    struct node_blocks blocks;
    struct timings_file timings = {0};
    int exit_status = find_blocks(settings, &blocks);
    if (exit_status == EXIT_DONE)
        exit_status = begin_timings(settings, &blocks, &timings);
    if (exit_status == EXIT_DONE) {
        said.repeated = said.fresh = said.unskipped = 0;
        blocks.settings = settings;
        progress_begin(&blocks.progress, settings->quiet);
        message_set_interrupted("interrupted; the same command goes on from what the disk holds, if that is anything");
        exit_status = work(&blocks);
        message_set_interrupted("interrupted");
    }
    exit_status = timings_file_end(&timings, exit_status);
    mem_free(blocks.datadir);
    return exit_status;
}

const struct other_chain *node_blocks_of_index(const char *folder, struct other_chain *found)
{
    struct fault ignored = {0};
    struct tx_index *index = NULL;
    struct index_block block;
    if (index_open(folder, &index, &ignored) != STATUS_OK)
        return NULL;
    bool has = index_totals_of(index).blocks > 1 && index_block_at(index, 1, &block, &ignored) == STATUS_OK;
    if (has)
        *found = (struct other_chain){"index", block.hash};
    index_close(index);
    return has ? found : NULL;
}

static bool chain_of_store(const char *folder, struct other_chain *found)
{
    struct fault ignored = {0};
    struct store *store = NULL;
    bool has = store_open(folder, STORE_READ, NULL, &store, &ignored) == STATUS_OK && best_chain_of_store(store, found);
    store_close(store);
    return has;
}

enum status node_blocks_of_one_chain(const char *folder, struct fault *fault)
{
    struct other_chain store, index;
    if (!chain_of_store(folder, &store) || !node_blocks_of_index(folder, &index) ||
        hash256_equal(&store.block_1, &index.block_1))
        return STATUS_OK;
    return fault_set(
        fault, STATUS_FORMAT, folder, FAULT_NO_OFFSET,
        "store and index are of two chains, which share only the genesis block: scan and index one of them "
        "into a new store");
}

enum status node_blocks_remember(const struct node_blocks *blocks, enum status status, bool goes_on,
                                 struct fault *fault)
{
    const struct settings *settings = blocks->settings;
    if (status != STATUS_OK && !(status == STATUS_INTERRUPTED && goes_on))
        return status;
    enum status noted = index_blocks_remember(settings->store, blocks->datadir, settings->chain, blocks->xor_key,
                                              fault);
    return noted == STATUS_OK ? status : noted;
}

enum status node_blocks_opened(void *context, struct fault *fault)
{
    const struct node_blocks *blocks = context;
    const struct settings *settings = blocks->settings;
    return index_blocks_remember_first(settings->store, blocks->datadir, settings->chain, blocks->xor_key, fault);
}

void node_blocks_damage(void *context, const struct fault *what)
{
    (void)context;
    if (!is_new(what)) {
        said.repeated++;
        return;
    }
    said.fresh++;
    said.unskipped += what->status == STATUS_OK;
    message_fault(what);
}

void node_blocks_message(void *context, const char *text)
{
    const struct node_blocks *blocks = context;
    struct fault what = {0};
    (void)fault_set(&what, STATUS_OK, NULL, FAULT_NO_OFFSET, "%s", text);
    if (!blocks->progress.quiet && is_new(&what))
        message("%s", text);
}

int node_blocks_result(uint64_t damages)
{
    if (damages == 0)
        return EXIT_DONE;
    if (said.fresh == 0) /* that of scan in analyze has been counted there */
        return EXIT_DAMAGED;
    damages -= said.repeated + said.unskipped;
    if (damages > 0)
        message("damaged and skipped: %llu place%s of the input", (unsigned long long)damages, damages == 1 ? "" : "s");
    return EXIT_DAMAGED;
}
