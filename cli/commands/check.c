/* check: what must be true of a store and of its index, and a digest of what is in them. */
#include <stdio.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/inputs/node_blocks.h"
#include "cli/inputs/opened_store.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/views/store_check.h"
#include "graph/index/build.h"
#include "graph/index/tx_index.h"
#include "parser/bytes.h"

/* Prints the text and frees it. */
static enum status print_text(struct text *text, struct fault *fault)
{
    enum status status = outfile_write_lines(NULL, true, text, fault);
    text_free(text);
    return status;
}

static enum status print_store(const struct store_checked *checked, struct fault *fault)
{
    struct text text = {0};
    char tip[HASH256_HEX_SIZE + 1] = "", hex[65] = "";
    put_hex(hex, checked->digest, sizeof checked->digest);
    hash256_hex(&checked->tip, tip);
    enum status status = checked->first > 0 ? text_printf(&text, "partial %u\n", (unsigned)checked->first) : STATUS_OK;
    if (status == STATUS_OK)
        status = text_printf(&text,
                             "network %s\nheight %u\ntip %s\nnulldata %s\nstored_txs %u\nunknown_outputs %u\n"
                             "spent %llu\nunspent %llu\ndigest %s\n",
                             checked->network, (unsigned)checked->height, tip,
                             checked->nulldata_stored ? "store" : "count", (unsigned)checked->stored_txs,
                             (unsigned)checked->unknown_outputs, ULL(checked->spent),
                             ULL(checked->unknown_outputs - checked->spent), hex);
    if (status != STATUS_OK)
        status = fault_nomem(fault);
    return status == STATUS_OK ? print_text(&text, fault) : status;
}

static enum status check_store(const struct settings *settings, struct fault *fault)
{
    struct store *store = NULL;
    struct store_checked checked;
    enum status status = opened_store_open(settings, &store, fault);
    if (status == STATUS_OK)
        status = store_check(store, (unsigned)settings->threads, &checked, fault);
    if (status == STATUS_OK)
        status = print_store(&checked, fault);
    store_close(store);
    return status;
}

/* The index of the store, if there is one. */
static enum status check_index(const struct settings *settings, bool *found, struct fault *fault)
{
    struct tx_index *index = NULL;
    struct text text = {0};
    uint8_t sum[32];
    char tip[HASH256_HEX_SIZE + 1] = "", hex[65] = "";
    enum status status = index_open(settings->store, &index, fault);
    *found = status == STATUS_OK;
    if (status == STATUS_REFUSED) /* it is not finished */
        message_fault(fault);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND || status == STATUS_REFUSED ? STATUS_OK : status;
    const struct index_totals totals = index_totals_of(index);
    status = index_check(settings->store, (unsigned)settings->threads, sum, fault);
    index_close(index); /* now: what was checked is the same index */
    if (status != STATUS_OK)
        return status;
    put_hex(hex, sum, sizeof sum);
    hash256_hex(&totals.tip, tip);
    if (text_printf(&text,
                    "index_height %u\nindex_tip %s\nindex_txs %llu\nindex_inputs %llu\nindex_outputs %llu\n"
                    "index_digest %s\n",
                    (unsigned)totals.blocks - 1, tip, ULL(totals.txs), ULL(totals.inputs), ULL(totals.outputs),
                    hex) != STATUS_OK)
        return fault_nomem(fault);
    return print_text(&text, fault);
}

/* An index that has no block: its first build was stopped, or a damaged page hides what it held. */
static bool has_bytes(const char *folder)
{
    char path[sizeof((struct fault *)0)->path + sizeof "/data.mdb"];
    struct stat st;
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

/* Store and index can each be there without the other. */
static int run(const struct settings *settings)
{
    struct fault fault = {0}, index_fault = {0};
    bool indexed;
    enum status status = check_store(settings, &fault);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return message_result(status, &fault);
    enum status index_status = check_index(settings, &indexed, &index_fault);
    if (index_status == STATUS_OK && indexed && status == STATUS_OK)
        index_status = node_blocks_of_one_chain(settings->store, &index_fault);
    if (index_status != STATUS_OK || indexed)
        return message_result(index_status, &index_fault);
    if (has_bytes(index_fault.path))
        message_fault(&index_fault);
    return message_result(status, &fault);
}

static const struct option *const options[] = {&option_read_store, &option_threads, NULL};

const struct command command_check = {
    .name = "check",
    .operands = "",
    .summary = "Check everything that must be true of a store, and print a digest of its content.",
    .details =
        "The digest is the same for the same chain and --nulldata, whatever the machine, the threads and the order of\n"
        "blocks in the files. The index of the store ('unktx index') is checked too where there is one.\n",
    .options = options,
    .run = run,
};
