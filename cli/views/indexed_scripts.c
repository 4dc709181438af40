#include "cli/views/indexed_scripts.h"

#include "cli/inputs/index_blocks.h"
#include "cli/inputs/spend_links.h"
#include "cli/output/message.h"

enum status indexed_scripts_open(struct indexed_scripts *scripts, const char *store, struct tx_index *index, bool json,
                                 struct fault *fault)
{
    struct fault why = {0};
    enum status status = index_blocks_open(store, &scripts->blk_files, &why);
    scripts->index = index;
    scripts->of_tx = (struct tx_scripts){.network = spend_links_network(index), .json = json};
    if (status_ends_command(status)) {
        *fault = why;
        return status;
    }
    if (status != STATUS_OK) {
        scripts->blk_files = (struct blkdir){0};
        scripts->missing = true;
        message_fault(&why);
        message(status == STATUS_NOT_FOUND ? "scripts are left out: the blk files are not where the index was made "
                                             "from; 'unktx index' notes their place anew"
                                           : "scripts are left out");
    }
    return STATUS_OK;
}

enum status indexed_scripts_find(struct indexed_scripts *scripts, const struct index_tx *tx, struct fault *fault)
{
    struct fault why = {0};
    const uint8_t *bytes;
    scripts->has_tx = false;
    if (!scripts->blk_files.path)
        return STATUS_OK;
    enum status status = index_blocks_tx(&scripts->reader, &scripts->blk_files, scripts->index, tx, &bytes, &why);
    if (status_ends_command(status)) {
        *fault = why;
        return status;
    }
    if (status == STATUS_OK && !tx_scripts_open(&scripts->of_tx, bytes, tx->size, &tx->txid))
        status = index_blocks_other(&scripts->blk_files, tx, &why);
    scripts->has_tx = status == STATUS_OK;
    if (status != STATUS_OK) {
        message_fault(&why);
        scripts->missing = true;
    }
    return STATUS_OK;
}

void indexed_scripts_close(struct indexed_scripts *scripts)
{
    blk_reader_free(&scripts->reader);
    blkdir_free(&scripts->blk_files);
}
