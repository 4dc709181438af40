#include "cli/views/explore_tx_sides.h"

#include "cli/inputs/stored_blocks.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"
#include "cli/views/tx_scripts.h"
#include "parser/unlock.h"

/* Of the text of one input so much is shown; and no further input once a page has so much. */
#define INPUT_SHOWN 3000u
#define PAGE_FULL 120000u

/* The transaction in the blk files. */
struct tx_bytes {
    struct tx tx;
    struct tx_scripts scripts;
};

static bool find_bytes(struct explore_request *request, const struct explore_tx_copy *copy, struct tx_bytes *found)
{
    const struct forest_tx *stored = copy->number != FOREST_NONE ? &request->explore->opened.forest.txs[copy->number]
                                                                 : NULL;
    uint32_t height = stored ? stored->height : copy->linked.height, size;
    uint32_t index = stored ? stored->index : copy->linked.index;
    const struct hash256 *txid = stored ? &stored->txid : &copy->linked.txid;
    struct fault none = {0};
    const uint8_t *block;
    if (stored_blocks_read(&request->explore->blocks, &request->hand->blocks, height, &block, &size, &none) !=
        STATUS_OK)
        return false;
    struct block_txs txs = block_txs_of(block, size);
    *found = (struct tx_bytes){0};
    return block_txs_read(&txs, index, &found->tx) &&
           tx_scripts_open(&found->scripts, found->tx.start, (size_t)(found->tx.end - found->tx.start), txid);
}

/* How the unknown output that an input spends was unlocked. */
static enum status put_unlock(struct explore_request *request, struct store_position *position, uint32_t ordinal,
                              const struct tx_input *input, struct fault *fault)
{
    struct output_record output = {0};
    struct unlock unlock;
    enum status status = explore_read_spent(request, position, ordinal, &output, fault);
    if (status != STATUS_OK)
        return status;
    unlock_read(pushes_of_script(input->script, input->script_size), output.script, output.script_size,
                script_anyone_can_spend(output.script, output.script_size), &unlock);
    PRINT(&request->page, ", unlocked by %s%s%s", unlock_name(unlock.by), unlock.branch[0] ? ", branch " : "",
          unlock.branch);
    return STATUS_OK;
}

static enum status put_shown(struct explore_request *request, struct tx_bytes *bytes, uint32_t vin, struct fault *fault)
{
    struct printer *page = &request->page;
    struct text text = {0};
    enum status status = tx_scripts_input(&bytes->scripts, &text, vin);
    if (status == STATUS_OK) {
        size_t shown = text.size < INPUT_SHOWN ? text.size : INPUT_SHOWN;
        PRINT(page, "<pre>");
        for (size_t at = 0; at < shown;) {
            const char *line = text.bytes + at, *end = memchr(line, '\n', shown - at);
            size_t size = end ? (size_t)(end - line) : shown - at;
            html_escaped(page, line, size);
            PRINT(page, "\n");
            at += size + 1;
        }
        PRINT(page, "%s</pre>", shown < text.size ? "..." : "");
    }
    text_free(&text);
    return status == STATUS_NOMEM ? fault_nomem(fault) : STATUS_OK;
}

/* The stored spends of the transaction come in order of their inputs. */
static enum status put_inputs(struct explore_request *request, const struct explore_tx_copy *copy,
                              struct tx_bytes *bytes, uint32_t first, uint32_t end, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    struct store_position position = {0};
    struct cursor c = tx_inputs_of(&bytes->tx);
    bool stored = copy->number != FOREST_NONE;
    uint32_t spend = stored ? forest->txs[copy->number].first_spend : 0;
    uint32_t spend_end = stored ? forest->txs[copy->number + 1].first_spend : 0;
    enum status status = STATUS_OK;
    for (uint32_t vin = 0; vin < end && status == STATUS_OK && request->page.text.size < PAGE_FULL; vin++) {
        struct tx_input input;
        tx_input(&c, &input);
        bool spends = spend < spend_end && forest->outputs[forest->spends[spend]].spender_vin == vin;
        uint32_t ordinal = spends ? forest->spends[spend++] : 0;
        if (vin < first)
            continue;
        PRINT(&request->page, "<li>input %u", (unsigned)vin);
        if (spends && input.script)
            status = put_unlock(request, &position, ordinal, &input, fault);
        if (status == STATUS_OK)
            status = put_shown(request, bytes, vin, fault);
        PRINT(&request->page, "</li>\n");
    }
    return status;
}

enum status explore_put_scripts(struct explore_request *request, const struct explore_tx_copy *copy,
                                struct fault *fault)
{
    struct printer *page = &request->page;
    struct tx_bytes bytes;
    if (!request->explore->has_blocks)
        return STATUS_OK;
    html_begin_section(page, "scripts", "Scripts and witnesses of the inputs");
    if (!find_bytes(request, copy, &bytes)) {
        PRINT(page,
              "<p>The transaction is not in the blk files that the store was made from any more.</p>\n</section>\n");
        return STATUS_OK;
    }
    uint64_t number = explore_page_number(request, "in", bytes.tx.inputs);
    uint32_t first = (uint32_t)(number - 1) * EXPLORE_ROWS;
    uint32_t end = bytes.tx.inputs - first < EXPLORE_ROWS ? bytes.tx.inputs : first + EXPLORE_ROWS;
    PRINT(page, "<details><summary>What the inputs show, and how unknown outputs were unlocked by it</summary>\n<ul "
                "class=\"found\">\n");
    enum status status = put_inputs(request, copy, &bytes, first, end, fault);
    PRINT(page, "</ul>\n%s</details>\n",
          page->text.size >= PAGE_FULL ? "<p>There is more, which unktx show --scripts prints.</p>\n" : "");
    if (!copy->is_linked) /* else the table of the inputs has the same pages */
        explore_put_pager(request, "in", number, bytes.tx.inputs);
    PRINT(page, "</section>\n");
    return status;
}
