#include <stdio.h>
#include <strings.h>

#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/explore_search.h"
#include "cli/views/html.h"
#include "cli/views/tables.h"
#include "graph/dag/names.h"

bool search_add(struct search *search, const char *what)
{
    search->found++;
    search->listed = search->what && strcmp(search->what, what) == 0 ? search->listed + 1 : 1;
    search->what = what;
    search->left_out |= search->listed > SEARCH_LISTED;
    if (search->listed > SEARCH_LISTED)
        return false;
    PRINT(&search->request->page, "<li>%s ", what);
    return true;
}

void search_remember(struct search *search, const char *address)
{
    if (search->found == 1)
        snprintf(search->only, sizeof search->only, "/%s/%.580s", rules_name(search->request->rules), address);
}

void search_end_line(struct search *search) { PRINT(&search->request->page, "</li>\n"); }

/* ---- what there is to find ---- */

static void find_height(struct search *search)
{
    const struct explore *explore = search->request->explore;
    uint64_t number = 0;
    char address[32];
    size_t size = strlen(search->word);
    if (size == 0 || size > 9 || search->word[strspn(search->word, "0123456789")] || operand_is_padded(search->word))
        return;
    for (size_t i = 0; i < size; i++)
        number = 10 * number + (uint64_t)(search->word[i] - '0');
    if (number >= explore->opened.forest.first_height && number < explore->opened.forest.blocks &&
        search_add(search, "Block")) {
        explore_put_block(search->request, (uint32_t)number);
        snprintf(address, sizeof address, "block/%llu", ULL(number));
        search_remember(search, address);
        search_end_line(search);
    }
    if (number > 0 && number <= search->request->tdags->tdags.count && search_add(search, "T-DAG of that number")) {
        explore_put_tdag(search->request, (uint32_t)number);
        snprintf(address, sizeof address, "tdag/%llu", ULL(number));
        search_remember(search, address);
        search_end_line(search);
    }
}

static void find_blocks(struct search *search)
{
    struct explore_request *request = search->request;
    uint32_t first, last;
    explore_find_blocks(request->explore, &search->operand.prefix, &first, &last);
    for (uint32_t i = first; i < last; i++) {
        uint32_t height = request->explore->opened.forest.first_height + request->explore->blocks_by_hash[i];
        char hex[HASH256_HEX_SIZE + 1] = "", address[32];
        if (!search_add(search, "Block"))
            continue;
        hash256_hex(&request->explore->block_hashes[height], hex);
        explore_put_block(request, height);
        PRINT(&request->page, " <code class=\"hash\">%s</code>", hex);
        snprintf(address, sizeof address, "block/%u", (unsigned)height);
        search_remember(search, address);
        search_end_line(search);
    }
}

static void add_tx(struct search *search, const struct hash256 *txid, bool in_tdag, uint32_t dag)
{
    struct explore_request *request = search->request;
    char address[HASH256_HEX_SIZE + 32] = "tx/", *p = hash256_hex(txid, address + 3);
    *p = '\0';
    if (!search_add(search, search->operand.type == OPERAND_OUTPUT ? "Output" : "Transaction"))
        return;
    if (search->operand.type == OPERAND_OUTPUT) {
        explore_put_output(request, txid, search->operand.number, HASH256_HEX_SIZE);
        snprintf(p, 16, ":%u", (unsigned)search->operand.number);
    } else {
        explore_put_tx(request, txid, HASH256_HEX_SIZE);
    }
    search_remember(search, address);
    if (in_tdag && dag > 0) {
        PRINT(&request->page, " of T-DAG ");
        explore_put_tdag(request, dag);
    }
    search_end_line(search);
}

/* An output that is asked for is one of the transaction's. */
static bool has_output(const struct search *search, uint32_t outputs)
{
    return search->operand.type != OPERAND_OUTPUT || search->operand.number < outputs;
}

/* Stored ones by their first digits; any other only by all of them, since the index keeps hashes of txids. */
static enum status find_txs(struct search *search, struct fault *fault)
{
    struct explore_request *request = search->request;
    const struct explore *explore = request->explore;
    const struct hash256 *last_txid = NULL;
    uint32_t first, last;
    explore_find_txs(explore, &search->operand.prefix, &first, &last);
    for (uint32_t i = first; i < last; i++) {
        uint32_t number = explore->txs_by_txid[i];
        const struct hash256 *txid = &explore->opened.forest.txs[number].txid;
        if ((!last_txid || !hash256_equal(last_txid, txid)) &&
            has_output(search, explore->opened.forest.txs[number].outputs))
            add_tx(search, txid, true, request->tdags->tdags.tx_dag[number]);
        last_txid = txid;
    }
    if (first < last || search->operand.prefix.size != HASH256_HEX_SIZE || !explore->linked)
        return STATUS_OK;
    struct index_tx tx;
    explore_take_hand(request);
    enum status status = index_tx_find(request->hand->index, &search->operand.hash, UINT64_MAX, &tx, fault);
    if (status == STATUS_OK && tx.height < explore->opened.forest.blocks && has_output(search, tx.outputs))
        add_tx(search, &tx.txid, false, 0);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* T-DAGs are named by a txid: the transaction's line has them. Here are those named so. */
static void find_tdags(struct search *search)
{
    struct explore_request *request = search->request;
    const struct explore *explore = request->explore;
    const struct tdags *tdags = &request->tdags->tdags;
    uint32_t first, last;
    explore_find_txs(explore, &search->operand.prefix, &first, &last);
    for (uint32_t i = first; i < last; i++) {
        uint32_t number = explore->txs_by_txid[i], dag = tdags->tx_dag[number];
        char address[EXPLORE_TDAG_SIZE];
        if (dag == 0 || tdags_first_tx(tdags, dag) != number || !search_add(search, "T-DAG"))
            continue;
        explore_put_tdag(request, dag);
        search_remember(search, explore_tdag_address(request, dag, address));
        search_end_line(search);
    }
}

static void find_classes(struct search *search)
{
    struct explore_request *request = search->request;
    const struct explore_class_table *classes = &request->tdags->classes;
    uint32_t first, end;
    explore_class_find(classes, &search->operand.prefix, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        const struct class_row *class = &classes->rows[i];
        char id[2 * CANON_ID_SIZE + 1] = "", address[64], number[GROUPED_SIZE];
        if (!search_add(search, "Class"))
            continue;
        put_hex(id, class->class_id, CANON_ID_SIZE);
        explore_put_class(request, class->class_id, class->exact, 2 * CANON_ID_SIZE);
        PRINT(&request->page, ", T-DAGs: %s", grouped(number, class->tdags));
        snprintf(address, sizeof address, "class/%s", id);
        search_remember(search, address);
        search_end_line(search);
    }
}

static void find_scripts(struct search *search)
{
    const struct catalogue *catalogue = &search->request->explore->opened.catalogue;
    size_t size = strlen(search->word);
    char address[3 * CATALOGUE_NAME_MAX + 32], name[3 * CATALOGUE_NAME_MAX + 1];
    for (size_t i = 0; i < catalogue->count && size >= 2; i++) {
        size_t entry = catalogue->by_name[i];
        const struct known_script *known = &catalogue->entries[entry];
        struct name_set set = {{0}};
        if (strncasecmp(known->name, search->word, size) != 0 || catalogue_is_protocol(catalogue, entry) ||
            !search_add(search, "Known script"))
            continue;
        name_set_add(&set, entry);
        explore_put_names(search->request, &set, 1);
        PRINT(&search->request->page, ": ");
        html_escaped(&search->request->page, known->what, strlen(known->what));
        *target_put(name, known->name) = '\0';
        snprintf(address, sizeof address, "tdags?script=%s", name);
        search_remember(search, address);
        search_end_line(search);
    }
}

/* Labels are few enough to be looked at one by one. */
static void find_labels(struct search *search)
{
    struct explore_request *request = search->request;
    const struct address_labels *labels = &request->explore->opened.labels;
    size_t size = strlen(search->word);
    for (size_t id = 0; id < labels->names_count && size >= 2; id++) {
        char number[GROUPED_SIZE], address[512], value[EXPLORE_LABEL_SIZE], encoded[3 * EXPLORE_LABEL_SIZE];
        if (strncasecmp(labels->names[id], search->word, size) != 0 || !search_add(search, "Label"))
            continue;
        explore_put_label(request, (uint32_t)id);
        PRINT(&request->page, ", T-DAGs: %s", grouped(number, request->tdags->labelled[id]));
        explore_label_value(value, labels->names[id]);
        *target_put(encoded, value) = '\0';
        snprintf(address, sizeof address, "tdags?label=%s", encoded);
        search_remember(search, address);
        search_end_line(search);
    }
}

/* ---- the page ---- */

static void read_word(struct search *search)
{
    const char *asked = target_get(search->request->target, "q");
    size_t size;
    asked = asked ? asked + strspn(asked, " ") : "";
    size = strlen(asked);
    while (size > 0 && asked[size - 1] == ' ')
        size--;
    memcpy(search->word, asked, size);
    search->word[size] = '\0';
    search->is_operand = operand_parse(search->word, false, &search->operand) && search->operand.type != OPERAND_INPUT;
}

static enum status find_all(struct search *search, struct fault *fault)
{
    enum status status = STATUS_OK;
    PRINT(&search->request->page, "<ul class=\"found\">\n");
    find_height(search);
    if (search->is_operand)
        status = find_txs(search, fault);
    if (search->is_operand && search->operand.type == OPERAND_HASH) {
        find_tdags(search);
        find_blocks(search);
        find_classes(search);
    }
    find_scripts(search);
    find_labels(search);
    if (status == STATUS_OK)
        status = search_outputs(search, fault);
    PRINT(&search->request->page, "</ul>\n");
    return status;
}

/* What is found alone is shown at once. */
enum status explore_search(struct explore_request *request, struct fault *fault)
{
    struct search search = {.request = request};
    char number[GROUPED_SIZE];
    read_word(&search);
    explore_begin_page(request, "Search");
    enum status status = find_all(&search, fault);
    const size_t length = strlen(search.only);
    if (status == STATUS_OK && search.found == 1 && length > 0 && length < sizeof request->answer->location) {
        request->answer->status = 302;
        memcpy(request->answer->location, search.only, length + 1);
    }
    PRINT(&request->page, "<p>Found: %s%s%s.%s</p>\n", grouped(number, search.found), search.or_more ? " or more" : "",
          search.left_out ? "; of each kind the first 20 are listed, and more characters leave fewer" : "",
          search.found > 0 ? "" : " Search finds " EXPLORE_SEARCH_FINDS " " EXPLORE_SEARCH_TAKES);
    explore_end_page(request);
    return status;
}
