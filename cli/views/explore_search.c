#include <stdio.h>

#include "cli/inputs/operand.h"
#include "cli/views/explore_page.h"
#include "cli/views/explore_sought.h"
#include "cli/views/explore_survey.h"
#include "cli/views/explore_ties.h"
#include "cli/views/html.h"
#include "cli/views/tables.h"
#include "graph/dag/names.h"

#define SHOWN_MAX 20u

struct search {
    struct explore_request *request;
    char word[TARGET_MAX + 1]; /* without space around it */
    struct operand operand;
    bool is_operand; /* a prefix in hexadecimal digits, or an outpoint */
    uint32_t found;
    char only[600]; /* address of the first that was found */
};

/* Begins a line of the list; the caller goes on with a link. */
static void add(struct search *search, const char *what)
{
    search->found++;
    PRINT(&search->request->page, "<li>%s ", what);
}

static void remember(struct search *search, const char *address)
{
    if (search->found == 1)
        snprintf(search->only, sizeof search->only, "/%s/%.580s", rules_name(search->request->rules), address);
}

static void end_line(struct search *search) { PRINT(&search->request->page, "</li>\n"); }

/* ---- what there is to find ---- */

static void find_height(struct search *search)
{
    const struct explore *explore = search->request->explore;
    uint64_t number = 0;
    char address[32];
    size_t size = strlen(search->word);
    if (size == 0 || size > 9 || search->word[strspn(search->word, "0123456789")])
        return;
    for (size_t i = 0; i < size; i++)
        number = 10 * number + (uint64_t)(search->word[i] - '0');
    if (number >= explore->opened.forest.first_height && number < explore->opened.forest.blocks) {
        add(search, "Block");
        explore_put_block(search->request, (uint32_t)number);
        snprintf(address, sizeof address, "block/%llu", ULL(number));
        remember(search, address);
        end_line(search);
    }
    if (number > 0 && number <= search->request->tdags->tdags.count) {
        add(search, "T-DAG of that number");
        explore_put_tdag(search->request, (uint32_t)number);
        snprintf(address, sizeof address, "tdag/%llu", ULL(number));
        remember(search, address);
        end_line(search);
    }
}

static void find_blocks(struct search *search)
{
    struct explore_request *request = search->request;
    uint32_t first, last;
    explore_find_blocks(request->explore, &search->operand.prefix, &first, &last);
    for (uint32_t i = first; i < last && i - first < SHOWN_MAX; i++) {
        uint32_t height = request->explore->opened.forest.first_height + request->explore->blocks_by_hash[i];
        char hex[HASH256_HEX_SIZE + 1] = "", address[32];
        hash256_hex(&request->explore->block_hashes[height], hex);
        add(search, "Block");
        explore_put_block(request, height);
        PRINT(&request->page, " <code class=\"hash\">%s</code>", hex);
        snprintf(address, sizeof address, "block/%u", (unsigned)height);
        remember(search, address);
        end_line(search);
    }
}

static void add_tx(struct search *search, const struct hash256 *txid, bool in_tdag, uint32_t dag)
{
    struct explore_request *request = search->request;
    char address[HASH256_HEX_SIZE + 32] = "tx/", *p = hash256_hex(txid, address + 3);
    *p = '\0';
    if (search->operand.type == OPERAND_OUTPUT) {
        add(search, "Output");
        explore_put_output(request, txid, search->operand.number, HASH256_HEX_SIZE);
        snprintf(p, 16, ":%u", (unsigned)search->operand.number);
    } else {
        add(search, "Transaction");
        explore_put_tx(request, txid, HASH256_HEX_SIZE);
    }
    remember(search, address);
    if (in_tdag && dag > 0) {
        PRINT(&request->page, " of T-DAG ");
        explore_put_tdag(request, dag);
    }
    end_line(search);
}

/* Stored ones by their first digits; any other only by all of them, since the index keeps hashes of txids. */
static enum status find_txs(struct search *search, struct fault *fault)
{
    struct explore_request *request = search->request;
    const struct explore *explore = request->explore;
    const struct hash256 *last_txid = NULL;
    uint32_t first, last;
    explore_find_txs(explore, &search->operand.prefix, &first, &last);
    for (uint32_t i = first; i < last && i - first < SHOWN_MAX; i++) {
        uint32_t number = explore->txs_by_txid[i];
        const struct hash256 *txid = &explore->opened.forest.txs[number].txid;
        if (!last_txid || !hash256_equal(last_txid, txid))
            add_tx(search, txid, true, request->tdags->tdags.tx_dag[number]);
        last_txid = txid;
    }
    if (first < last || search->operand.prefix.size != HASH256_HEX_SIZE || !explore->linked)
        return STATUS_OK;
    struct index_tx tx;
    explore_take_hand(request);
    enum status status = index_tx_find(request->hand->index, &search->operand.hash, UINT64_MAX, &tx, fault);
    if (status == STATUS_OK && tx.height < explore->opened.forest.blocks)
        add_tx(search, &tx.txid, false, 0);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* T-DAGs are named by a txid: the transaction's line has them. Here are those named so. */
static void find_tdags(struct search *search)
{
    struct explore_request *request = search->request;
    const struct explore *explore = request->explore;
    const struct tdags *tdags = &request->tdags->tdags;
    uint32_t first, last, shown = 0;
    explore_find_txs(explore, &search->operand.prefix, &first, &last);
    for (uint32_t i = first; i < last && i - first < 4096 && shown < SHOWN_MAX; i++) {
        uint32_t number = explore->txs_by_txid[i], dag = tdags->tx_dag[number];
        char address[EXPLORE_TDAG_SIZE];
        if (dag == 0 || tdags->members[tdags->first[dag - 1]] != number)
            continue;
        shown++;
        add(search, "T-DAG");
        explore_put_tdag(request, dag);
        remember(search, explore_tdag_address(request, dag, address));
        end_line(search);
    }
}

static void find_classes(struct search *search)
{
    struct explore_request *request = search->request;
    const struct explore_class_table *classes = &request->tdags->classes;
    uint32_t first, end;
    explore_class_find(classes, &search->operand.prefix, &first, &end);
    for (uint32_t i = first; i < end && i - first < SHOWN_MAX; i++) {
        const struct class_row *class = &classes->rows[i];
        char id[2 * CANON_ID_SIZE + 1] = "", address[64], number[GROUPED_SIZE];
        put_hex(id, class->class_id, CANON_ID_SIZE);
        add(search, "Class");
        explore_put_class(request, class->class_id, class->exact, 2 * CANON_ID_SIZE);
        PRINT(&request->page, ", T-DAGs: %s", grouped(number, class->tdags));
        snprintf(address, sizeof address, "class/%s", id);
        remember(search, address);
        end_line(search);
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
        if (strncmp(known->name, search->word, size) != 0 || catalogue_is_protocol(catalogue, entry))
            continue;
        name_set_add(&set, entry);
        add(search, "Known script");
        explore_put_names(search->request, &set, EXPLORE_NAMES_ALL);
        PRINT(&search->request->page, ": ");
        html_escaped(&search->request->page, known->what, strlen(known->what));
        *target_put(name, known->name) = '\0';
        snprintf(address, sizeof address, "tdags?script=%s", name);
        remember(search, address);
        end_line(search);
    }
}

/* Labels are few enough to be looked at one by one. */
static void find_labels(struct search *search)
{
    struct explore_request *request = search->request;
    const struct address_labels *labels = &request->explore->opened.labels;
    size_t size = strlen(search->word);
    uint32_t shown = 0;
    for (size_t id = 0; id < labels->names_count && size >= 2 && shown < SHOWN_MAX; id++) {
        char number[GROUPED_SIZE], address[512], value[3 * LABEL_TEXT_MAX + 1];
        if (strncmp(labels->names[id], search->word, size) != 0)
            continue;
        shown++;
        add(search, "Label");
        explore_put_label(request, (uint32_t)id);
        PRINT(&request->page, ", T-DAGs: %s", grouped(number, request->tdags->labelled[id]));
        *target_put(value, labels->names[id]) = '\0';
        snprintf(address, sizeof address, "tdags?label=%.480s", value);
        remember(search, address);
        end_line(search);
    }
}

static void add_template(struct search *search, const struct explore_survey *survey, uint32_t i)
{
    struct explore_request *request = search->request;
    const char *name = explore_template_name(&survey->rows[i]), *kind = kind_name(survey->rows[i].kind);
    char number[GROUPED_SIZE], address[3 * SCRIPT_TEMPLATE_MAX + 64], encoded[3 * SCRIPT_TEMPLATE_MAX + 1];
    *target_put(encoded, name) = '\0';
    add(search, "Template");
    PRINT(&request->page, "<a href=\"/%s/template?kind=%s&amp;template=%s\">", rules_name(request->rules), kind,
          encoded);
    html_escaped(&request->page, name, strlen(name));
    PRINT(&request->page, "</a> (%s), outputs: %s", kind, grouped(number, survey->rows[i].outputs));
    snprintf(address, sizeof address, "template?kind=%s&template=%s", kind, encoded);
    remember(search, address);
    end_line(search);
}

static void add_protocol(struct search *search, const struct explore_survey *survey, uint32_t i)
{
    const struct explore_traits *protocols = &survey->protocols;
    const char *name = protocol_name((enum protocol)i);
    char number[GROUPED_SIZE], address[64];
    add(search, "Protocol");
    PRINT(&search->request->page, "<a href=\"/%s/protocol/%s\">%s</a>, outputs: %s", rules_name(search->request->rules),
          name, name, grouped(number, protocols->first[i + 1] - protocols->first[i]));
    snprintf(address, sizeof address, "protocol/%s", name);
    remember(search, address);
    end_line(search);
}

/* What outputs have is asked for only where the word is nothing else, since it may have to be looked for first. */
static enum status find_in_survey(struct search *search, struct fault *fault)
{
    const struct explore_survey *survey;
    size_t size = strlen(search->word);
    uint32_t shown = 0;
    if (size < 2 || search->is_operand || search->found > 0)
        return STATUS_OK;
    enum status status = explore_survey_get(search->request->explore, search->request->rules, &survey, fault);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < PROTOCOLS; i++) {
        if (survey->protocols.first[i] < survey->protocols.first[i + 1] &&
            strncmp(protocol_name((enum protocol)i), search->word, size) == 0)
            add_protocol(search, survey, i);
    }
    for (uint32_t i = 0; i < survey->templates.count && shown < SHOWN_MAX; i++) {
        if (strncmp(explore_template_name(&survey->rows[i]), search->word, size) != 0)
            continue;
        shown++;
        add_template(search, survey, i);
    }
    return STATUS_OK;
}

/* What nothing else is may be in scripts: all of them are looked through. */
static enum status find_outputs(struct search *search, struct fault *fault)
{
    struct explore_request *request = search->request;
    struct explore_sought *sought;
    char encoded[3 * TARGET_MAX + 1], number[GROUPED_SIZE], address[600];
    if (search->found > 0 || !explore_sought_fits(search->word))
        return STATUS_OK;
    enum status status = explore_sought_get(request->explore, request->rules, search->word, &sought, fault);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    uint32_t count = explore_sought_outputs(sought).count;
    explore_sought_leave(request->explore, sought);
    if (count == 0)
        return STATUS_OK;
    *target_put(encoded, search->word) = '\0';
    add(search, "Unknown outputs");
    PRINT(&request->page, "<a href=\"/%s/outputs?with=%s\">that have it: %s</a>", rules_name(request->rules), encoded,
          grouped(number, count));
    snprintf(address, sizeof address, "outputs?with=%.500s", encoded);
    remember(search, address);
    end_line(search);
    return STATUS_OK;
}

/* ---- keys, hashes and groups ---- */

struct things {
    struct search *search;
    const struct explore_shown *shown;
};

static void add_thing(void *context, uint32_t thing)
{
    const struct things *things = context;
    struct search *search = things->search;
    char address[EXPLORE_ADDRESS_SIZE];
    if (!explore_thing_address(things->shown, thing, address))
        return;
    const char *digits = strchr(address, '/') + 1;
    add(search, "Shown:");
    PRINT(&search->request->page, "%.*s <a class=\"id\" href=\"/%s/%s\">%.70s</a>, T-DAGs and single outputs: %u",
          (int)(digits - address) - 1, address, rules_name(search->request->rules), address, digits,
          (unsigned)things->shown->evidence.things.at[thing].members);
    remember(search, address);
    end_line(search);
}

static void add_group(void *context, uint32_t group)
{
    const struct things *things = context;
    struct search *search = things->search;
    struct explore_request *request = search->request;
    char address[EXPLORE_GROUP_SIZE];
    add(search, "Group");
    explore_put_group(request, things->shown, group);
    PRINT(&request->page, ", T-DAGs: %u", (unsigned)things->shown->rows[group - 1].tdags);
    remember(search, explore_group_address(request, things->shown, group, address));
    end_line(search);
}

/* What is not read yet is asked for only where the word is nothing else. */
static enum status find_shown(struct search *search, struct fault *fault)
{
    struct explore_request *request = search->request;
    size_t size = strlen(search->word);
    bool is_hex = size >= PREFIX_MIN && search->word[strspn(search->word, "0123456789abcdefABCDEF")] == '\0';
    const struct explore_shown *shown = is_hex ? explore_shown_at_once(request) : NULL;
    if (is_hex && !shown && search->found == 0 && request->rules != RULES_HIDDEN) {
        enum status status = explore_shown_get(request, &shown, fault);
        if (status != STATUS_OK)
            return status;
    }
    struct things things = {search, shown};
    if (shown && search->is_operand && search->operand.type == OPERAND_HASH)
        explore_groups_find(request->explore, shown, &search->operand.prefix, SHOWN_MAX, add_group, &things);
    if (shown && size >= EXPLORE_DIGITS_MIN)
        explore_things_find(shown, search->word, SHOWN_MAX, add_thing, &things);
    return STATUS_OK;
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
        status = find_outputs(search, fault);
    if (status == STATUS_OK)
        status = find_shown(search, fault);
    if (status == STATUS_OK)
        status = find_in_survey(search, fault);
    PRINT(&search->request->page, "</ul>\n");
    return status;
}

/* What is found alone is shown at once. */
enum status explore_search(struct explore_request *request, struct fault *fault)
{
    struct search search = {.request = request};
    read_word(&search);
    explore_begin_page(request, "Search");
    enum status status = find_all(&search, fault);
    if (status == STATUS_OK && search.found == 1 && strlen(search.only) < sizeof request->answer->location) {
        request->answer->status = 302;
        snprintf(request->answer->location, sizeof request->answer->location, "%s", search.only);
    }
    PRINT(
        &request->page, "<p>Found: %u.%s</p>\n", (unsigned)search.found,
        search.found > 0
            ? ""
            : " Search finds blocks by height or hash, stored transactions and T-DAGs by their txid, outputs "
              "as TXID:VOUT, classes by their id, each by its first digits (at least 4), and known scripts, "
              "labels, protocols and templates by their beginning; groups by the first digits of their name; keys, "
              "hashes "
              "and preimages by their first digits (at least 8); unknown outputs by an address, and by a key, hash "
              "or script in hexadecimal (8 digits or more). With an index any transaction is found by its whole txid.");
    explore_end_page(request);
    return status;
}
