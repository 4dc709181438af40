/* Search for what outputs are, show and have: it may have to be looked for first, and so comes after all else. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/explore_search.h"
#include "cli/views/explore_sought.h"
#include "cli/views/explore_survey.h"
#include "cli/views/explore_ties.h"
#include "cli/views/html.h"
#include "graph/dag/names.h"
#include "parser/digits.h"
#include "parser/mem.h"

#define SEARCH_THINGS_MAX 10000u /* that begin with the same digits */

/* ---- templates and protocols ---- */

static void add_template(struct search *search, const struct explore_survey *survey, uint32_t i)
{
    struct explore_request *request = search->request;
    const char *name = explore_template_name(&survey->rows[i]), *kind = kind_name(survey->rows[i].kind);
    char number[GROUPED_SIZE], address[3 * SCRIPT_TEMPLATE_MAX + 64], encoded[3 * SCRIPT_TEMPLATE_MAX + 1];
    if (!search_add(search, "Template"))
        return;
    *target_put(encoded, name) = '\0';
    PRINT(&request->page, "<a href=\"/%s/template?kind=%s&amp;template=%s\">", rules_name(request->rules), kind,
          encoded);
    html_escaped(&request->page, name, strlen(name));
    PRINT(&request->page, "</a> (%s), outputs: %s", kind, grouped(number, survey->rows[i].outputs));
    snprintf(address, sizeof address, "template?kind=%s&template=%s", kind, encoded);
    search_remember(search, address);
    search_end_line(search);
}

static void add_protocol(struct search *search, const struct explore_survey *survey, uint32_t i)
{
    const struct explore_traits *protocols = &survey->protocols;
    const char *name = protocol_name((enum protocol)i);
    char number[GROUPED_SIZE], address[64];
    if (!search_add(search, "Protocol"))
        return;
    PRINT(&search->request->page, "<a href=\"/%s/protocol/%s\">%s</a>, outputs: %s", rules_name(search->request->rules),
          name, name, grouped(number, protocols->first[i + 1] - protocols->first[i]));
    snprintf(address, sizeof address, "protocol/%s", name);
    search_remember(search, address);
    search_end_line(search);
}

/* What outputs have is asked for only where the word is nothing else, since it may have to be looked for first. */
static enum status find_in_survey(struct search *search, struct fault *fault)
{
    const struct explore_survey *survey;
    size_t size = strlen(search->word);
    if (size < 2 || search->is_operand || search->found > 0)
        return STATUS_OK;
    enum status status = explore_survey_get(search->request->explore, search->request->rules, &survey, fault);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < PROTOCOLS; i++) {
        if (survey->protocols.first[i] < survey->protocols.first[i + 1] &&
            strncasecmp(protocol_name((enum protocol)i), search->word, size) == 0)
            add_protocol(search, survey, i);
    }
    for (uint32_t i = 0; i < survey->templates.count; i++) {
        if (strncasecmp(explore_template_name(&survey->rows[i]), search->word, size) == 0)
            add_template(search, survey, i);
    }
    return STATUS_OK;
}

static void add_outputs(struct search *search, const char *which, const char *word, uint32_t count)
{
    struct explore_request *request = search->request;
    char encoded[3 * TARGET_MAX + 1], number[GROUPED_SIZE], address[600];
    if (!search_add(search, "Unknown outputs"))
        return;
    *target_put(encoded, word) = '\0';
    PRINT(&request->page, "<a href=\"/%s/outputs?with=%s\">%s: %s</a>", rules_name(request->rules), encoded, which,
          grouped(number, count));
    snprintf(address, sizeof address, "outputs?with=%.500s", encoded);
    search_remember(search, address);
    search_end_line(search);
}

/* What nothing else is may be in scripts: all of them are looked through. */
static enum status find_outputs(struct search *search, struct fault *fault)
{
    struct explore_request *request = search->request;
    struct explore_found found;
    if (search->found > 0 || !explore_sought_fits(search->word))
        return STATUS_OK;
    enum status status = explore_sought_get(request->explore, request->rules, search->word, &found, fault);
    if (status == STATUS_OK && found.count > 0)
        add_outputs(search, "that have it", search->word, found.count);
    explore_found_free(&found);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- beginnings of addresses and scripts ---- */

struct address_at {
    const char *address;
    uint32_t at; /* in `begun` */
};

static int compare_addresses(const void *a, const void *b)
{
    const struct address_at *first = a, *second = b;
    int order = strcmp(first->address, second->address);
    return order ? order : first->at < second->at ? -1 : first->at > second->at;
}

/* Each address where it is first, with how many have it. */
static enum status add_addresses(struct search *search, const struct explore_found *found)
{
    uint32_t count = found->begun_count;
    struct address_at *sorted = mem_alloc(count, sizeof *sorted);
    uint32_t *holders = mem_alloc(count, sizeof *holders);
    enum status status = sorted && holders ? STATUS_OK : STATUS_NOMEM;
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        sorted[i] = (struct address_at){found->begun[i].address, i};
    if (status == STATUS_OK && count > 0)
        qsort(sorted, count, sizeof *sorted, compare_addresses);
    for (uint32_t i = 0, first = 0; status == STATUS_OK && i < count; i++) {
        if (strcmp(sorted[i].address, sorted[first].address) != 0)
            first = i;
        holders[sorted[first].at]++;
    }
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        const char *address = found->begun[i].address;
        if (address[0] && holders[i] > 0)
            add_outputs(search, address, address, holders[i]);
    }
    mem_free(sorted);
    mem_free(holders);
    return status;
}

/* Of scripts: the output alone, or how many there are. */
static void add_scripts(struct search *search, const struct explore_found *found)
{
    const struct forest *forest = &search->request->explore->opened.forest;
    uint32_t count = 0, last = 0;
    char address[HASH256_HEX_SIZE + 32] = "tx/";
    for (uint32_t i = 0; i < found->begun_count; i++) {
        if (found->begun[i].address[0])
            continue;
        count++;
        last = found->begun[i].output;
    }
    if (count > 1)
        add_outputs(search, "whose scripts begin so", search->word, count);
    if (count != 1 || !search_add(search, "Output whose script begins so:"))
        return;
    const struct forest_output *output = &forest->outputs[last];
    const struct hash256 *txid = &forest->txs[output->tx].txid;
    explore_put_output(search->request, txid, output->vout, HASH256_HEX_SIZE);
    snprintf(hash256_hex(txid, address + 3), 16, ":%u", (unsigned)output->vout);
    search_remember(search, address);
    search_end_line(search);
}

/* What is nothing else may be where an address or a script begins. */
static enum status find_beginnings(struct search *search, struct fault *fault)
{
    struct explore_request *request = search->request;
    struct explore_found found;
    if (search->found > 0 || !explore_sought_begins(request->explore, search->word))
        return STATUS_OK;
    enum status status = explore_sought_get(request->explore, request->rules, search->word, &found, fault);
    if (status == STATUS_OK && add_addresses(search, &found) != STATUS_OK)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        add_scripts(search, &found);
    search->or_more = found.begun_count == EXPLORE_BEGUN_MAX;
    explore_found_free(&found);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Addresses that the files of --labels name, with these labels: payers and payees among them. */
static void find_labelled(struct search *search)
{
    struct explore_request *request = search->request;
    const struct address_labels *labels = &request->explore->opened.labels;
    size_t size = strlen(search->word), first, end;
    if (size < PREFIX_MIN)
        return;
    address_labels_begin(labels, search->word, size, &first, &end);
    for (size_t i = first, next; i < end; i = next) {
        const char *address = labels->entries[i].address;
        for (next = i; next < end && strcmp(labels->entries[next].address, address) == 0; next++)
            ;
        if (digits_are_hex(address, strlen(address)) || !search_add(search, "Address"))
            continue;
        PRINT(&request->page, "<code class=\"hash\">");
        html_escaped(&request->page, address, strlen(address));
        PRINT(&request->page, "</code>, labels: ");
        explore_put_span(request, labels, &(struct label_span){.first = i, .count = next - i}, EXPLORE_LABELS_MOST);
        search_end_line(search);
    }
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
    if (!search_add(search, "Shown:"))
        return;
    PRINT(&search->request->page, "%.*s <a class=\"id\" href=\"/%s/%s\">%.70s</a>, T-DAGs and single outputs: %u",
          (int)(digits - address) - 1, address, rules_name(search->request->rules), address, digits,
          (unsigned)evidence_thing_of(&things->shown->evidence, explore_thing_piece(things->shown, thing)).members);
    search_remember(search, address);
    search_end_line(search);
}

static void add_group(void *context, uint32_t group)
{
    const struct things *things = context;
    struct search *search = things->search;
    struct explore_request *request = search->request;
    char address[EXPLORE_GROUP_SIZE];
    if (!search_add(search, "Group"))
        return;
    explore_put_group(request, things->shown, group);
    PRINT(&request->page, ", T-DAGs: %u", (unsigned)things->shown->rows[group - 1].tdags);
    search_remember(search, explore_group_address(request, things->shown, group, address));
    search_end_line(search);
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
        explore_groups_find(request->explore, shown, &search->operand.prefix, SEARCH_THINGS_MAX, add_group, &things);
    for (unsigned k = EVIDENCE_KEY; shown && size >= EXPLORE_DIGITS_MIN && k <= EVIDENCE_PREIMAGE; k++)
        explore_things_find(shown, (enum evidence_kind)k, search->word, SEARCH_THINGS_MAX, add_thing, &things);
    return STATUS_OK;
}

/* Each of them asks for what it needs only where the word is nothing else so far. */
enum status search_outputs(struct search *search, struct fault *fault)
{
    enum status status = find_outputs(search, fault);
    if (status == STATUS_OK)
        status = find_shown(search, fault);
    if (status == STATUS_OK)
        status = find_in_survey(search, fault);
    if (status == STATUS_OK)
        status = find_beginnings(search, fault);
    find_labelled(search);
    return status;
}
