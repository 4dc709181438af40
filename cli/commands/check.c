/* check: what must be true of a store, of its index and of its store of the rule set hidden, and a digest of each. */

#include "cli/command.h"
#include "cli/inputs/hidden_marks.h"
#include "cli/inputs/hidden_store.h"
#include "cli/inputs/node_blocks.h"
#include "cli/inputs/opened_store.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/views/store_check.h"
#include "graph/index/build.h"
#include "graph/index/tx_index.h"
#include "parser/bytes.h"
#include "parser/mem.h"

/* Prints the text and frees it. */
static enum status print_text(struct text *text, struct fault *fault)
{
    enum status status = outfile_write_lines(NULL, true, text, fault);
    text_free(text);
    return status;
}

/* `prefix` is before each name: "", or "hidden_" for the store of that rule set. */
static enum status print_store(const struct store_checked *checked, const char *prefix, struct fault *fault)
{
    struct text text = {0};
    char tip[HASH256_HEX_SIZE + 1] = "", hex[65] = "";
    put_hex(hex, checked->digest, sizeof checked->digest);
    hash256_hex(&checked->tip, tip);
    enum status status = checked->first > 0 ? text_printf(&text, "partial %u\n", (unsigned)checked->first) : STATUS_OK;
    if (status == STATUS_OK && !*prefix)
        status = text_printf(&text, "network %s\n", checked->network);
    if (status == STATUS_OK)
        status = text_printf(&text, "%sheight %u\n%stip %s\n%snulldata %s\n%sstored_txs %u\n", prefix,
                             (unsigned)checked->height, prefix, tip, prefix,
                             checked->nulldata_stored ? "store" : "count", prefix, (unsigned)checked->stored_txs);
    if (status == STATUS_OK)
        status = text_printf(&text, "%sunknown_outputs %u\n%sspent %llu\n%sunspent %llu\n%sdigest %s\n", prefix,
                             (unsigned)checked->unknown_outputs, prefix, ULL(checked->spent), prefix,
                             ULL(checked->unknown_outputs - checked->spent), prefix, hex);
    if (status == STATUS_OK)
        return print_text(&text, fault);
    text_free(&text);
    return fault_nomem(fault);
}

static enum status check_store(const struct settings *settings, struct fault *fault)
{
    struct store *store = NULL;
    struct store_checked checked;
    enum status status = opened_store_open(settings, &store, fault);
    if (status == STATUS_OK)
        status = store_check(store, (unsigned)settings->threads, &checked, fault);
    if (status == STATUS_OK)
        status = print_store(&checked, "", fault);
    store_close(store);
    return status;
}

/* The store of the rule set hidden that lies in this one. One that no command would take is told, and not looked into:
 * it says nothing about the store around it. */
static enum status check_hidden(const struct settings *settings, struct fault *fault)
{
    struct hidden_found found;
    struct store *store = NULL;
    struct store_checked checked;
    if (hidden_marks_are_in(settings->store))
        return STATUS_OK;
    enum status status = hidden_store_find(settings, &found, fault);
    if (status == STATUS_OK)
        status = store_open(found.folder, STORE_READ, NULL, &store, fault);
    if (status == STATUS_OK)
        status = store_check(store, (unsigned)settings->threads, &checked, fault);
    if (status == STATUS_OK)
        status = print_store(&checked, "hidden_", fault);
    if (status == STATUS_REFUSED)
        message_fault(fault);
    store_close(store);
    mem_free(found.folder);
    return status == STATUS_NOT_FOUND || status == STATUS_REFUSED ? STATUS_OK : status;
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

/* Store and index can each be there without the other. */
static int run(const struct settings *settings)
{
    struct fault fault = {0}, index_fault = {0};
    bool indexed;
    enum status status = check_store(settings, &fault);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND && status != STATUS_REFUSED)
        return message_result(status, &fault);
    enum status index_status = check_index(settings, &indexed, &index_fault);
    if (index_status == STATUS_OK && indexed && status == STATUS_OK)
        index_status = node_blocks_of_one_chain(settings->store, &index_fault);
    if (index_status != STATUS_OK)
        return message_result(index_status, &index_fault);
    if (indexed && status == STATUS_REFUSED) /* the store is not finished */
        message_fault(&fault);
    if (indexed || status == STATUS_OK)
        status = check_hidden(settings, &fault);
    return message_result(status, &fault);
}

static const struct option *const options[] = {&option_read_store, &option_threads, NULL};

const struct command command_check = {
    .name = "check",
    .operands = "",
    .summary = "Check everything that must be true of a store, and print a digest of its content.",
    .details =
        "The digest is the same for the same chain and --nulldata, whatever the machine, the threads and the order of\n"
        "blocks in the files. The index of the store ('unktx index') and its store of the rule set hidden are checked "
        "too\n"
        "where there are any.\n",
    .options = options,
    .run = run,
};
