/* The pages of templates and of protocols, of one of them with its outputs, and of outputs that were searched. */
#include <stdio.h>

#include "cli/views/explore_list.h"
#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/explore_sought.h"
#include "cli/views/explore_survey.h"
#include "cli/views/html.h"
#include "parser/mem.h"
#include "parser/money.h"
#include "parser/sort.h"

/* ---- what both tables have ---- */

/* How a row is sorted. */
static const char *const sorts[] = {"outputs", "tdags", "spent", "value_sat"};
static const char *const sort_heads[] = {"outputs", "T-DAGs", "spent", "value"};
#define SORTS (sizeof sorts / sizeof *sorts)

static size_t sort_of(const struct explore_request *request)
{
    const char *sort = target_get(request->target, "sort");
    size_t i = 0;
    while (sort && i < SORTS && strcmp(sort, sorts[i]) != 0)
        i++;
    return i < SORTS ? i : 0;
}

static void put_heads(struct explore_request *request, const char *title, const char *before, const char *after)
{
    static const char *const without[] = {"sort", "page", NULL};
    struct printer *page = &request->page;
    size_t sort = sort_of(request);
    PRINT(page,
          "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table class=\"sticky\">\n<caption>%s, "
          "most %s first; values in BTC</caption>\n<thead><tr>%s",
          title, title, sort_heads[sort], before);
    for (size_t i = 0; i < SORTS; i++) {
        PRINT(page, "<th scope=\"col\"%s><a href=\"", i == sort ? " aria-sort=\"descending\"" : "");
        explore_put_query(page, request->target, without);
        PRINT(page, "sort=%s\">%s</a></th>", sorts[i], sort_heads[i]);
    }
    PRINT(page, "%s</tr></thead>\n<tbody>\n", after);
}

/* A link to the T-DAGs that a filter lets through, its last field with this value; their number alone where there are
 * none. */
static void put_dags(struct explore_request *request, const char *filter, const char *value, uint32_t dags)
{
    char encoded[3 * SCRIPT_TEMPLATE_MAX + 1], number[GROUPED_SIZE];
    *target_put(encoded, value) = '\0';
    if (dags > 0)
        PRINT(&request->page, "<td class=\"n\"><a href=\"/%s/tdags?%s=%s\">%s</a></td>", rules_name(request->rules),
              filter, encoded, grouped(number, dags));
    else
        PRINT(&request->page, "<td class=\"n\">0</td>");
}

static void put_value(struct explore_request *request, uint64_t value_sat)
{
    PRINT(&request->page, "<td class=\"n\">%llu.%08llu</td>", BTC_OF(value_sat));
}

/* Another rule set may have no such outputs: its menu leads to the table. */
static void set_menu(struct explore_request *request, const char *table)
{
    request->instead = table;
    for (unsigned r = 0; r < request->explore->rules_count; r++)
        request->missing[r] = r != request->rules;
}

/* ---- outputs ---- */

/* The row up to its end. */
static void put_output_cells(struct explore_request *request, uint32_t ordinal)
{
    struct printer *page = &request->page;
    const struct forest *forest = &request->explore->opened.forest;
    const struct forest_output *output = &forest->outputs[ordinal];
    uint32_t dag = request->tdags->tdags.tx_dag[output->tx];
    PRINT(page, "<tr><th scope=\"row\">");
    explore_put_output(request, &forest->txs[output->tx].txid, output->vout, 16);
    PRINT(page, "</th><td class=\"n\">");
    explore_put_block(request, forest->txs[output->tx].height);
    PRINT(page, "</td>");
    put_value(request, output->value_sat);
    PRINT(page, "<td>");
    if (output->spender == FOREST_NONE)
        PRINT(page, "unspent");
    else
        explore_put_tx(request, &forest->txs[output->spender].txid, 16);
    PRINT(page, "</td><td>");
    if (dag > 0)
        explore_put_tdag(request, dag);
    PRINT(page, "</td>");
}

/* A page of a list of outputs. */
static void put_list(struct explore_request *request, const char *caption, const uint32_t *outputs, uint64_t count)
{
    uint64_t page = explore_page_number(request, "page", count), end = page * EXPLORE_ROWS;
    explore_begin_table(request, caption, "output|block|value|spender|T-DAG");
    for (uint64_t i = (page - 1) * EXPLORE_ROWS; i < end && i < count; i++) {
        put_output_cells(request, outputs[i]);
        PRINT(&request->page, "</tr>\n");
    }
    explore_end_table(request);
    explore_put_pager(request, "page", page, count);
}

/* Those of a beginning, each with the address that begins so. */
static void put_begun(struct explore_request *request, const struct explore_begun *begun, uint64_t count)
{
    uint64_t page = explore_page_number(request, "page", count), end = page * EXPLORE_ROWS;
    explore_begin_table(request, "Outputs in chain order; values in BTC",
                        "output|block|value|spender|T-DAG|what begins so");
    for (uint64_t i = (page - 1) * EXPLORE_ROWS; i < end && i < count; i++) {
        put_output_cells(request, begun[i].output);
        if (*begun[i].address)
            PRINT(&request->page, "<td><a class=\"id\" href=\"/%s/outputs?with=%s\">%s</a></td></tr>\n",
                  rules_name(request->rules), begun[i].address, begun[i].address);
        else
            PRINT(&request->page, "<td>its script</td></tr>\n");
    }
    explore_end_table(request);
    explore_put_pager(request, "page", page, count);
}

static void put_outputs(struct explore_request *request, const struct explore_traits *traits, uint32_t trait)
{
    put_list(request, "Its outputs in chain order; values in BTC", traits->outputs + traits->first[trait],
             traits->first[trait + 1] - traits->first[trait]);
}

/* An output has a row for each of its addresses that begins so. */
static uint32_t count_begun(const struct explore_found *found)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < found->begun_count; i++)
        count += i == 0 || found->begun[i].output != found->begun[i - 1].output;
    return count;
}

static void put_found(struct explore_request *request, const char *word, const struct explore_found *found)
{
    char number[GROUPED_SIZE];
    bool begun = found->begun_count > 0;
    uint32_t rows = begun ? found->begun_count : found->count, most = begun ? EXPLORE_BEGUN_MAX : EXPLORE_SOUGHT_MAX;
    PRINT(&request->page, begun ? "<p>Outputs with a script that begins with <code class=\"hash\">"
                                : "<p>They have <code class=\"hash\">");
    html_escaped(&request->page, word, strlen(word));
    PRINT(&request->page, "</code>%s%s: %s.</p>\n",
          begun ? " or with an address, their own or that of their key or hash, that does"
                : ", as address, key, hash, script or data, or as an address of their key or hash",
          rows == most ? "; these are the first ones" : "", grouped(number, begun ? count_begun(found) : rows));
    if (begun)
        put_begun(request, found->begun, rows);
    else
        put_list(request, "Outputs in chain order; values in BTC", found->outputs, rows);
    if (!begun && explore_sought_fits(word))
        explore_put_command(request, TAKES_RULES | TAKES_CHAIN | TAKES_LABELS, "find %s", word);
}

enum status explore_outputs(struct explore_request *request, struct fault *fault)
{
    const char *word = target_get(request->target, "with");
    struct explore_found found;
    if (!word || !(explore_sought_fits(word) || explore_sought_begins(request->explore, word)))
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "Outputs are listed by an address, or by a key, hash or script in hexadecimal, or by the "
                         "first characters of an address or script: with=WORD.");
    enum status status = explore_sought_get(request->explore, request->rules, word, &found, fault);
    if (status == STATUS_OK) {
        explore_begin_page(request, "Unknown outputs");
        put_found(request, word, &found);
        explore_end_page(request);
    }
    explore_found_free(&found);
    return status;
}

/* ---- templates ---- */

struct keyed {
    uint64_t key;
    uint32_t number;
};

static uint64_t key_of(const struct explore_survey *survey, uint32_t number, size_t sort)
{
    const struct template_row *row = &survey->rows[number];
    const uint64_t keys[SORTS] = {row->outputs, survey->templates.sums[number].dags, row->spent, row->value_sat};
    return keys[sort];
}

static bool is_of_kind(const struct explore_request *request, const struct template_row *row)
{
    const char *kind = target_get(request->target, "kind");
    return !kind || !*kind || strcmp(kind, kind_name(row->kind)) == 0;
}

static void put_template_address(struct explore_request *request, const struct template_row *row)
{
    char encoded[3 * SCRIPT_TEMPLATE_MAX + 1];
    *target_put(encoded, explore_template_name(row)) = '\0';
    PRINT(&request->page, "/%s/template?kind=%s&amp;template=%s", rules_name(request->rules), kind_name(row->kind),
          encoded);
}

static void put_template_row(struct explore_request *request, const struct explore_survey *survey, uint32_t number)
{
    struct printer *page = &request->page;
    const struct template_row *row = &survey->rows[number];
    const char *name = explore_template_name(row);
    char filter[64];
    PRINT(page, "<tr><th scope=\"row\" class=\"script\"><a href=\"");
    put_template_address(request, row);
    PRINT(page, "\">");
    html_escaped(page, name, strlen(name));
    PRINT(page, "</a></th><td>%s</td>", kind_name(row->kind));
    html_number(page, row->outputs);
    snprintf(filter, sizeof filter, "kind=%s&amp;template", kind_name(row->kind));
    put_dags(request, filter, name, survey->templates.sums[number].dags);
    html_number(page, row->spent);
    put_value(request, row->value_sat);
    PRINT(page, "<td class=\"n\">%u</td><td class=\"n\">%u</td><td class=\"names\">", (unsigned)row->first_height,
          (unsigned)row->last_height);
    explore_put_names(request, &row->names, EXPLORE_NAMES_MOST);
    PRINT(page, "</td></tr>\n");
}

static void put_kinds(struct explore_request *request)
{
    struct printer *page = &request->page;
    const char *asked = target_get(request->target, "kind");
    bool all = !asked || !*asked;
    PRINT(page, "<nav aria-label=\"Kinds\"><ul class=\"pager\"><li><a href=\"/%s/templates\"%s>all kinds</a></li>\n",
          rules_name(request->rules), all ? " aria-current=\"true\"" : "");
    for (size_t i = 0; i < explore_kinds_of(request->rules); i++) {
        const char *name = kind_name(explore_kinds[i]);
        PRINT(page, "<li><a href=\"/%s/templates?kind=%s\"%s>%s</a></li>\n", rules_name(request->rules), name,
              !all && strcmp(asked, name) == 0 ? " aria-current=\"true\"" : "", name);
    }
    PRINT(page, "</ul></nav>\n");
}

/* Equal ones stay in the order of the survey. */
static void put_templates(struct explore_request *request, const struct explore_survey *survey, struct keyed *keyed,
                          struct keyed *spare)
{
    size_t sort = sort_of(request);
    uint32_t count = 0;
    char number[GROUPED_SIZE];
    for (uint32_t i = 0; i < survey->templates.count; i++) {
        if (is_of_kind(request, &survey->rows[i]))
            keyed[count++] = (struct keyed){~key_of(survey, i, sort), i};
    }
    const struct keyed *sorted = sort_by_key(keyed, spare, count, sizeof *keyed);
    uint64_t page = explore_page_number(request, "page", count), end = page * EXPLORE_ROWS;
    PRINT(&request->page,
          "<p>The template of a script is its asm with each push of data replaced by its length. Templates: %s.</p>\n",
          grouped(number, count));
    put_kinds(request);
    put_heads(
        request, "Templates", "<th scope=\"col\">template</th><th scope=\"col\">kind</th>",
        "<th scope=\"col\">first block</th><th scope=\"col\">last block</th><th scope=\"col\">known scripts</th>");
    for (uint64_t i = (page - 1) * EXPLORE_ROWS; i < end && i < count; i++)
        put_template_row(request, survey, sorted[i].number);
    explore_end_table(request);
    explore_put_pager(request, "page", page, count);
}

/* Any other kind than a rule set has shows no template, and the command would not take it. */
static void put_templates_command(struct explore_request *request)
{
    const char *asked = target_get(request->target, "kind"), *kind = "";
    for (size_t i = 0; asked && i < explore_kinds_of(request->rules); i++)
        if (strcmp(asked, kind_name(explore_kinds[i])) == 0)
            kind = asked;
    explore_put_command(request, TAKES_RULES | TAKES_CHAIN | TAKES_SCRIPTS, "templates%s%s", *kind ? " --kind " : "",
                        kind);
}

enum status explore_templates(struct explore_request *request, struct fault *fault)
{
    const struct explore_survey *survey;
    enum status status = explore_survey_get(request->explore, request->rules, &survey, fault);
    if (status != STATUS_OK)
        return status;
    struct keyed *keyed = mem_alloc(survey->templates.count, sizeof *keyed);
    struct keyed *spare = mem_alloc(survey->templates.count, sizeof *spare);
    if (keyed && spare) {
        explore_begin_page(request, "Templates");
        put_templates(request, survey, keyed, spare);
        put_templates_command(request);
        explore_end_page(request);
    } else {
        status = fault_nomem(fault);
    }
    mem_free(keyed);
    mem_free(spare);
    return status;
}

enum status explore_template(struct explore_request *request, struct fault *fault)
{
    const struct explore_survey *survey;
    const char *asked = target_get(request->target, "template"), *kind = target_get(request->target, "kind");
    enum status status = explore_survey_get(request->explore, request->rules, &survey, fault);
    if (status != STATUS_OK)
        return status;
    uint32_t number = 0, count = survey->templates.count;
    while (number < count && !(asked && kind && strcmp(explore_template_name(&survey->rows[number]), asked) == 0 &&
                               strcmp(kind_name(survey->rows[number].kind), kind) == 0))
        number++;
    set_menu(request, "templates");
    if (number == count)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "No unknown output of %s is of kind %.40s and has the template %.300s.",
                         rules_name(request->rules), kind ? kind : "-", asked ? asked : "-");
    const struct template_row *row = &survey->rows[number];
    explore_begin_page(request, "Template");
    PRINT(&request->page, "<p><code class=\"hash\">");
    html_escaped(&request->page, explore_template_name(row), strlen(explore_template_name(row)));
    PRINT(&request->page, "</code></p>\n");
    explore_begin_table(request, "This template; values in BTC",
                        "template|kind|outputs|T-DAGs|spent|value|first block|last block|known scripts");
    put_template_row(request, survey, number);
    explore_end_table(request);
    put_outputs(request, &survey->templates, number);
    explore_end_page(request);
    return STATUS_OK;
}

/* ---- protocols ---- */

static uint64_t outputs_of(const struct explore_traits *traits, uint32_t trait)
{
    return traits->first[trait + 1] - traits->first[trait];
}

static uint64_t protocol_key(const struct explore_traits *traits, uint32_t trait, size_t sort)
{
    const struct explore_trait_sums *sums = &traits->sums[trait];
    const uint64_t keys[SORTS] = {outputs_of(traits, trait), sums->dags, sums->spent, sums->value_sat};
    return keys[sort];
}

static void put_protocol_row(struct explore_request *request, const struct explore_traits *traits, uint32_t trait)
{
    struct printer *page = &request->page;
    const struct forest *forest = &request->explore->opened.forest;
    const char *name = protocol_name((enum protocol)trait);
    const uint32_t *outputs = traits->outputs + traits->first[trait];
    uint64_t count = outputs_of(traits, trait);
    PRINT(page, "<tr><th scope=\"row\"><a href=\"/%s/protocol/%s\">%s</a></th>", rules_name(request->rules), name,
          name);
    html_number(page, count);
    put_dags(request, "protocol", name, traits->sums[trait].dags);
    html_number(page, traits->sums[trait].spent);
    put_value(request, traits->sums[trait].value_sat);
    PRINT(page, "<td class=\"n\">%u</td><td class=\"n\">%u</td></tr>\n",
          (unsigned)forest->txs[forest->outputs[outputs[0]].tx].height,
          (unsigned)forest->txs[forest->outputs[outputs[count - 1]].tx].height);
}

enum status explore_protocols(struct explore_request *request, struct fault *fault)
{
    const struct explore_survey *survey;
    struct keyed keyed[PROTOCOLS], spare[PROTOCOLS];
    size_t count = 0, sort = sort_of(request);
    enum status status = explore_survey_get(request->explore, request->rules, &survey, fault);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < PROTOCOLS; i++) {
        if (outputs_of(&survey->protocols, i) > 0)
            keyed[count++] = (struct keyed){~protocol_key(&survey->protocols, i, sort), i};
    }
    const struct keyed *sorted = sort_by_key(keyed, spare, count, sizeof *keyed);
    explore_begin_page(request, "Protocols");
    PRINT(&request->page, "<p>Protocols that write into unknown outputs, by what their keys and scripts carry%s.</p>\n",
          count == 0 ? "; here is none" : "");
    put_heads(request, "Protocols", "<th scope=\"col\">protocol</th>",
              "<th scope=\"col\">first block</th><th scope=\"col\">last block</th>");
    for (size_t i = 0; i < count; i++)
        put_protocol_row(request, &survey->protocols, sorted[i].number);
    explore_end_table(request);
    explore_put_command(request, TAKES_CHAIN | TAKES_SCRIPTS | OF_ALL_OUTPUTS, "stats --protocols");
    explore_end_page(request);
    return STATUS_OK;
}

enum status explore_protocol(struct explore_request *request, struct fault *fault)
{
    const struct explore_survey *survey;
    const char *asked = request->rest + strlen("protocol/");
    char title[64];
    set_menu(request, "protocols");
    enum protocol number = explore_protocol_find(asked);
    enum status status = explore_survey_get(request->explore, request->rules, &survey, fault);
    if (status != STATUS_OK)
        return status;
    if (number == PROTOCOL_NONE || outputs_of(&survey->protocols, number) == 0)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "No unknown output of %s was written by a protocol %.80s.", rules_name(request->rules), asked);
    snprintf(title, sizeof title, "Protocol %s", protocol_name(number));
    explore_begin_page(request, title);
    explore_begin_table(request, "This protocol; values in BTC",
                        "protocol|outputs|T-DAGs|spent|value|first block|last block");
    put_protocol_row(request, &survey->protocols, number);
    explore_end_table(request);
    put_outputs(request, &survey->protocols, number);
    explore_put_command(request, TAKES_RULES | TAKES_CHAIN | TAKES_SCRIPTS | TAKES_LABELS, "outputs --protocol %s",
                        protocol_name(number));
    explore_end_page(request);
    return STATUS_OK;
}
