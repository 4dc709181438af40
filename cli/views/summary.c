#include "cli/views/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/output/text_table.h"
#include "cli/output/wrap.h"
#include "cli/views/paper_merges.h"
#include "cli/views/text_drawing.h"
#include "cli/inputs/dag_filter.h"
#include "cli/inputs/opened_store.h"
#include "cli/views/tables.h"
#include "parser/mem.h"
#include "parser/network.h"
#include "parser/parallel.h"
#include "parser/timings.h"

/* Takes the numbers, and `excluded` for its own, from the selection. Where it was made without what `alike` (else NULL)
 * knows, these numbers are added. */
static void summary_add(struct summary *summary, struct selection *selection, const struct alike *alike)
{
    struct summary_rules *rules = &summary->rules[selection->tdags.rules];
    const struct classes *classes = &selection->classes;
    mem_free(rules->excluded);
    *rules = (struct summary_rules){.roots = selection->tdags.roots_all,
                                    .vanished = selection->vanished,
                                    .tdags = selection->tdags.count,
                                    .nodes = classes->nodes,
                                    .edges = classes->edges,
                                    .excluded = selection->excluded};
    selection->excluded = NULL;
    if (alike) {
        rules->tdags += alike->tdags;
        rules->maybe_tdags = alike->maybe_tdags;
        rules->nodes += alike->nodes;
        rules->edges += alike->edges;
        rules->classes = alike->classes;
        rules->inexact_classes = alike->inexact_classes;
    }
    for (uint32_t i = 0; i < classes->classes_count; i++) {
        rules->maybe_tdags += classes->classes[i].maybe_tdags;
        if (alike && alike_has(alike, classes->classes[i].class_id))
            continue;
        rules->classes++;
        rules->inexact_classes += !classes->classes[i].exact;
    }
}

/* The rule sets other than the chosen one, of which only the numbers are printed: a thread for each, since little of
 * them is left to look at. */
struct others {
    const struct summary *summary;
    enum rules chosen;
    struct alike alike;
    unsigned count; /* of them */
    struct selection selections[RULES];
    struct fault faults[RULES];
    enum status statuses[RULES];
};

static void others_work(void *context, unsigned worker, size_t i)
{
    struct others *others = context;
    const struct summary *summary = others->summary;
    (void)worker;
    uint64_t begun = timings_begin_piece();
    others->statuses[i] = selection_make_others(
        summary->store, summary->forest, (enum rules)((others->chosen + i + 1) % RULES), summary->filter,
        summary->settings->compress, 1, others->alike.has_tx, &others->selections[i], &others->faults[i]);
    timings_end_piece(begun);
}

static enum status add_other_rules(struct summary *summary, const struct selection *chosen, struct fault *fault)
{
    struct others others = {.summary = summary, .chosen = chosen->tdags.rules, .count = RULES};
    if (others.chosen < RULES)
        others.count--;
    timings_stage("other-rules");
    enum status status = alike_make(summary->forest, chosen, &others.alike, fault);
    if (status == STATUS_OK)
        status = parallel_for((unsigned)summary->settings->threads, others.count, others_work, &others, fault);
    for (unsigned i = 0; i < others.count; i++) {
        if (status == STATUS_OK && others.statuses[i] != STATUS_OK)
            *fault = others.faults[i];
        if (status == STATUS_OK)
            status = others.statuses[i];
        if (status == STATUS_OK)
            summary_add(summary, &others.selections[i], &others.alike);
        selection_free(&others.selections[i]);
    }
    alike_free(&others.alike);
    return status;
}

enum status summary_fill(struct summary *summary, enum rules chosen, struct selection *selection, struct fault *fault)
{
    enum status status = selection_make(summary->store, summary->forest, chosen, summary->filter,
                                        summary->settings->compress, (unsigned)summary->settings->threads, selection,
                                        fault);
    if (status != STATUS_OK)
        return status;
    summary_add(summary, selection, NULL);
    return add_other_rules(summary, selection, fault);
}

void summary_tell_other_rules(const struct summary *summary, enum rules rules)
{
    uint32_t counts[RULES];
    if (rules >= RULES)
        return;
    for (unsigned r = 0; r < RULES; r++)
        counts[r] = summary->rules[r].tdags;
    selection_tell_other_rules(rules, counts, SELECTION_ENOUGH);
}

void summary_select(struct summary *summary, const struct selection *selection)
{
    struct summary_rules *rules = &summary->rules[selection->tdags.rules];
    const struct classes *classes = &selection->classes;
    rules->tdags = selection->tdags.count;
    rules->nodes = classes->nodes;
    rules->edges = classes->edges;
    rules->classes = classes->classes_count;
    rules->inexact_classes = 0;
    rules->maybe_tdags = 0;
    for (uint32_t i = 0; i < classes->classes_count; i++) {
        rules->inexact_classes += !classes->classes[i].exact;
        rules->maybe_tdags += classes->classes[i].maybe_tdags;
    }
}

void summary_free(struct summary *summary)
{
    for (unsigned r = 0; r < RULES_WITH_HIDDEN; r++)
        mem_free(summary->rules[r].excluded);
}

/* ---- summary.json ---- */

static void put_tip(struct printer *printer, const struct summary *summary)
{
    const struct forest *forest = summary->forest;
    char network[NETWORK_LABEL_SIZE];
    char tip[HASH256_HEX_SIZE + 1] = "";
    network_label(store_identity_of(summary->store)->magic, network);
    hash256_hex(&forest->tip, tip);
    PRINT(printer, "{\n  \"network\": \"%s\",\n  \"tip\": {\"hash\": \"%s\", \"height\": %llu, \"time\": %llu},\n",
          network, tip, ULL(forest->blocks - 1), ULL(forest->block_times[forest->blocks - 1]));
    if (forest->first_height > 0)
        PRINT(printer, "  \"partial\": {\"first_height\": %llu},\n", ULL(forest->first_height));
    PRINT(printer,
          "  \"options\": {\"rules\": \"%s\", \"compress\": %s, \"exclude_scripts\": %s, \"nulldata\": \"%s\"},\n",
          rules_name(summary->settings->rules), summary->settings->compress ? "true" : "false",
          summary->filter ? "true" : "false", store_identity_of(summary->store)->nulldata_stored ? "store" : "count");
}

static void put_totals(struct printer *printer, const struct forest *forest)
{
    PRINT(printer,
          "  \"totals\": {\n    \"blocks\": %llu,\n    \"txs\": %llu,\n    \"inputs\": %llu,\n    \"outputs\": %llu,\n",
          ULL(forest->blocks - forest->first_height), ULL(forest->total_txs), ULL(forest->total_inputs),
          ULL(forest->total_outputs));
    PRINT(printer, "    \"kinds\": {\n");
    for (unsigned k = 0; k < KINDS; k++)
        PRINT(printer, "      \"%s\": {\"count\": %llu, \"value_sat\": %llu}%s\n", kind_name((enum kind)k),
              ULL(forest->kind_count[k]), ULL(forest->kind_value_sat[k]), k + 1 < KINDS ? "," : "");
    PRINT(printer, "    }\n  }");
}

/* Of the known scripts only those that left a T-DAG out: of some dozens a chain has a few. */
static void put_excluded(struct printer *printer, const struct filter *filter, const uint32_t *excluded)
{
    const char *before = "\n";
    PRINT(printer, ",\n    \"excluded\": [");
    for (size_t i = 0; i < filter_count(filter); i++) {
        if (excluded[i] == 0 && filter_is_known(filter))
            continue;
        PRINT(printer, "%s      {\"pattern\": ", before);
        print_json(printer, filter_pattern(filter, i));
        PRINT(printer, ", \"tdags\": %llu}", ULL(excluded[i]));
        before = ",\n";
    }
    PRINT(printer, "\n    ]");
}

static void put_rules(struct printer *printer, const struct summary *summary, enum rules r)
{
    const struct summary_rules *rules = &summary->rules[r];
    PRINT(printer, ",\n  \"%s\": {\n    \"unknown_txs\": %llu,\n    \"roots\": %llu,\n    \"tdags\": %llu,\n",
          rules_name(r), ULL(forest_unknown_txs(summary->forest, r)), ULL(rules->roots), ULL(rules->tdags));
    PRINT(printer, "    \"nodes\": %llu,\n    \"edges\": %llu,\n    \"classes\": %llu,\n    \"inexact_classes\": %llu",
          ULL(rules->nodes), ULL(rules->edges), ULL(rules->classes), ULL(rules->inexact_classes));
    if (summary->forest->first_height > 0)
        PRINT(printer, ",\n    \"maybe_roots\": %llu,\n    \"maybe_tdags\": %llu", ULL(summary->forest->maybe_txs[r]),
              ULL(rules->maybe_tdags));
    if (r == summary->settings->rules && summary->paper) {
        PRINT(printer, ",\n    \"paper_classes\": ");
        paper_merges_json(printer, summary->paper, summary->classes);
    }
    if (summary->settings->compress)
        PRINT(printer, ",\n    \"vanished\": %llu", ULL(rules->vanished));
    if (rules->excluded)
        put_excluded(printer, summary->filter, rules->excluded);
    if (r == summary->settings->rules && dag_filter_given(summary->settings)) {
        char *select = NULL;
        PRINT(printer, ",\n    \"select\": ");
        if (dag_filter_text(summary->settings, &select) == STATUS_OK)
            print_json(printer, select);
        else
            printer->status = STATUS_NOMEM;
        mem_free(select);
        PRINT(printer, ",\n    \"left_out\": %llu", ULL(summary->left_out));
    }
    PRINT(printer, "\n  }");
}

enum status summary_write(const struct summary *summary, struct outfolder *folder, struct fault *fault)
{
    struct printer printer = {0};
    put_tip(&printer, summary);
    put_totals(&printer, summary->forest);
    for (unsigned r = 0; r < RULES; r++)
        put_rules(&printer, summary, (enum rules)r);
    if (summary->settings->rules == RULES_HIDDEN)
        put_rules(&printer, summary, RULES_HIDDEN);
    PRINT(&printer, "\n}\n");
    return outfolder_write(folder, "summary.json", &printer, fault);
}

/* ---- the printed table ---- */

#define COMMON_ROWS 10u
#define HIGH_ROWS 5u
#define ID_SHOWN 12

static void put_total(struct printer *printer, const char *name, uint64_t number)
{
    char text[GROUPED_SIZE];
    PRINT(printer, "  %-32s%20s\n", name, grouped(text, number));
}

#define TOTAL_COLUMNS 54u

/* A total and what it is of, in lines of its own where that does not fit beside it. */
static void put_total_of(struct printer *printer, const char *name, uint32_t number, const char *between,
                         const char *words)
{
    char text[GROUPED_SIZE];
    PRINT(printer, "  %-32s%20s%s", name, grouped(text, number), between);
    if (TOTAL_COLUMNS + strlen(between) + wrap_columns(words, strlen(words)) <= TEXT_WIDTH) {
        PRINT(printer, "%s\n", words);
        return;
    }
    PRINT(printer, "\n");
    print_words(printer, words, 4);
}

/* Higher first, then larger, then by id, which no two classes share. */
static int compare_height(const void *a, const void *b)
{
    const struct class_row *x = *(const struct class_row *const *)a, *y = *(const struct class_row *const *)b;
    if (x->height != y->height)
        return x->height > y->height ? -1 : 1;
    if (x->nodes != y->nodes)
        return x->nodes > y->nodes ? -1 : 1;
    return memcmp(x->class_id, y->class_id, CANON_ID_SIZE);
}

/* What stdout can show. Drawings need a terminal that takes UTF-8; colours one that is not dumb and no NO_COLOR
 * (no-color.org: any value that is not empty). */
struct screen {
    bool draws;
    bool colours;
};

static bool has_text(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

static struct screen screen_of_stdout(void)
{
    const char *term = getenv("TERM");
    const char *locale = getenv(has_text("LC_ALL") ? "LC_ALL" : has_text("LC_CTYPE") ? "LC_CTYPE" : "LANG");
    bool utf8 = locale && (strstr(locale, "UTF-8") || strstr(locale, "utf8") || strstr(locale, "UTF8"));
    bool draws = isatty(STDOUT_FILENO) && utf8;
    return (struct screen){draws, draws && term && *term && strcmp(term, "dumb") != 0 && !has_text("NO_COLOR")};
}

static const struct text_column class_columns[] = {{"T-DAGs", true}, {"height", true}, {"nodes", true},
                                                   {"edges", true},  {"roots", true},  {"family", false},
                                                   {"class", false}};
static const struct text_column drawn_columns[] = {{"T-DAGs", true}, {"height", true},  {"nodes", true},
                                                   {"roots", true},  {"family", false}, {"class", false},
                                                   {"levels", false}};

static void add_class_cells(struct text_table *table, const struct class_row *row, bool edges)
{
    char id[CLASS_ID_TEXT + 1] = "";
    put_class_id(id, row->class_id, row->exact);
    *put_text(id + ID_SHOWN, row->exact ? "" : "?") = '\0';
    text_table_number(table, row->tdags);
    text_table_number(table, row->height);
    text_table_number(table, row->nodes);
    if (edges)
        text_table_number(table, row->edges);
    text_table_number(table, row->roots);
    text_table_cell(table, family_name(row->family));
    text_table_cell(table, id);
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

static void put_table(struct printer *printer, const struct class_row *const *rows, uint32_t count)
{
    struct text_table table = {.columns = class_columns, .count = sizeof class_columns / sizeof *class_columns};
    for (uint32_t i = 0; i < count; i++)
        add_class_cells(&table, rows[i], true);
    text_table_print(&table, printer);
}

static void put_drawn_table(struct printer *printer, const struct forest *forest, const struct selection *selection,
                            bool colours)
{
    struct text_table table = {.columns = drawn_columns, .count = sizeof drawn_columns / sizeof *drawn_columns};
    for (uint32_t i = 0; i < selection->classes.classes_count && i < COMMON_ROWS; i++) {
        const struct class_row *row = &selection->classes.classes[i];
        struct printer levels = {0};
        add_class_cells(&table, row, false);
        text_drawing_put(&levels, forest, selection, row->first_dag, colours, TEXT_TABLE_CELL);
        PRINT(&levels, "%c", '\0');
        if (levels.status == STATUS_OK)
            text_table_cell(&table, levels.text.bytes);
        else
            table.status = levels.status;
        text_free(&levels.text);
    }
    text_table_print(&table, printer);
}

static void put_class_tables(struct printer *printer, const struct summary *summary, const struct selection *selection)
{
    const struct classes *classes = &selection->classes;
    struct screen screen = screen_of_stdout();
    bool drawn = screen.draws && !summary->settings->compress; /* drawings show T-DAGs without compression */
    const struct class_row **by_height = mem_alloc(classes->classes_count, sizeof *by_height);
    if (!by_height) {
        printer->status = STATUS_NOMEM;
        return;
    }
    for (uint32_t i = 0; i < classes->classes_count; i++)
        by_height[i] = &classes->classes[i];
    PRINT(printer, "\nThe most common classes");
    if (drawn) {
        PRINT(printer, " (" TEXT_DRAWING_ROOT " root, " TEXT_DRAWING_SPENT " spent unknown output, " TEXT_DRAWING_LEAF
                       " other output;\nof each class its first T-DAG)\n");
        put_drawn_table(printer, summary->forest, selection, screen.colours);
    } else {
        PRINT(printer, "\n");
        put_table(printer, by_height, smaller(classes->classes_count, COMMON_ROWS));
    }
    qsort(by_height, classes->classes_count, sizeof *by_height, compare_height);
    PRINT(printer, "\nThe highest classes\n");
    put_table(printer, by_height, smaller(classes->classes_count, HIGH_ROWS));
    mem_free(by_height);
}

static void put_removed(struct printer *printer, const struct summary *summary, const struct summary_rules *rules)
{
    if (summary->settings->compress)
        put_total(printer, "T-DAGs gone by compression", rules->vanished);
    const char *title = "T-DAGs left out by pattern";
    for (size_t i = 0; rules->excluded && i < filter_count(summary->filter); i++) {
        if (rules->excluded[i] == 0 && filter_is_known(summary->filter))
            continue;
        put_total_of(printer, title, rules->excluded[i], "  ", filter_pattern(summary->filter, i));
        title = "";
    }
    if (dag_filter_given(summary->settings)) {
        char *select = NULL;
        if (dag_filter_text(summary->settings, &select) == STATUS_OK)
            put_total_of(printer, "T-DAGs left out", summary->left_out, "  all but ", select);
        else
            printer->status = STATUS_NOMEM;
        mem_free(select);
    }
}

enum status summary_print(const struct summary *summary, const struct selection *selection, struct fault *fault)
{
    const struct forest *forest = summary->forest;
    const struct summary_rules *rules = &summary->rules[selection->tdags.rules];
    char network[NETWORK_LABEL_SIZE];
    struct printer printer = {0};
    network_label(store_identity_of(summary->store)->magic, network);
    PRINT(&printer, "%s ", network);
    if (forest->first_height > 0)
        PRINT(&printer, "(partial) from height %u ", (unsigned)forest->first_height);
    PRINT(&printer, "to height %u, rules %s\n", (unsigned)forest->blocks - 1, rules_name(selection->tdags.rules));
    put_total(&printer, "transactions", forest->total_txs);
    put_total(&printer, "with an unknown output", forest_unknown_txs(forest, selection->tdags.rules));
    put_total(&printer, "roots", rules->roots);
    if (forest->first_height > 0)
        put_total(&printer, "roots that may not be roots", forest->maybe_txs[selection->tdags.rules]);
    put_total(&printer, "T-DAGs", rules->tdags);
    if (forest->first_height > 0)
        put_total(&printer, "T-DAGs with inputs made before", rules->maybe_tdags);
    put_total(&printer, "nodes", rules->nodes);
    put_total(&printer, "edges", rules->edges);
    put_total(&printer, "classes", rules->classes);
    if (rules->inexact_classes)
        put_total(&printer, "classes not decided (marked ?)", rules->inexact_classes);
    put_removed(&printer, summary, rules);
    if (selection->classes.classes_count > 0)
        put_class_tables(&printer, summary, selection);
    else
        PRINT(&printer, "\n%s\n", dag_filter_none(summary->settings));
    if (summary->paper && selection->classes.classes_count > 0)
        paper_merges_print(&printer, summary->paper, &selection->classes);
    return printer_write(&printer, NULL, fault);
}
