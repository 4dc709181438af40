#include "cli/views/figures.h"

#include <stdio.h>
#include <string.h>

#include "cli/inputs/known_scripts.h"
#include "cli/inputs/opened_store.h"
#include "cli/output/message.h"
#include "parser/mem.h"
#include "parser/money.h"
#include "parser/multisig.h"

#define CLOSE_IN 100u

static const char needs_index[] = "an index: 'unktx index', then count the rows of 'unktx dump outputs'";
static const char needs_nulldata[] = "a store made by 'unktx scan --nulldata store'";
static const char needs_scripts[] = "the scripts of outputs with an address, which neither store nor index keep";
static const char needs_name[] = "a known script of that name, which known-scripts.tsv has not";

const char *figure_verdict_text(enum figure_verdict verdict)
{
    static const char *const texts[FIGURE_VERDICTS] = {
        [FIGURE_EQUAL] = "equal",
        [FIGURE_CLOSE] = "close",
        [FIGURE_DIFFERS] = "differs",
        [FIGURE_BEYOND_TIP] = "beyond the tip",
        [FIGURE_NOT_AVAILABLE] = "not available",
        [FIGURE_OTHER_NETWORK] = "not asked for on this network",
    };
    return texts[verdict];
}

/* ---- what can be answered at all ---- */

/* A template that scripts with an address have, and else only a few nonstandard ones, which push the same in a longer
 * way: OP_1 to OP_16 and a push of 2 to 40 bytes is a witness program. */
static bool is_template_of_address(const char *template)
{
    static const char *const frames[] = {"OP_DUP OP_HASH160 <20> OP_EQUALVERIFY OP_CHECKSIG",
                                         "OP_HASH160 <20> OP_EQUAL", "0 <20>", "0 <32>"};
    char frame[16];
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        if (strcmp(template, frames[i]) == 0)
            return true;
    for (unsigned version = 1; version <= 16; version++)
        for (unsigned size = 2; size <= 40; size++) {
            snprintf(frame, sizeof frame, "%u <%u>", version, size);
            if (strcmp(template, frame) == 0)
                return true;
        }
    return false;
}

static const char *script_needs(const struct known_figure *figure, bool has_nulldata)
{
    enum kind kind = script_kind(figure->script, figure->script_size);
    if (kind == KIND_NULLDATA)
        return has_nulldata ? NULL : needs_nulldata;
    return script_unknown_rules(kind, figure->script, figure->script_size) ? NULL : needs_scripts;
}

/* What it would take to answer; NULL: nothing. */
static const char *needs_of(const struct known_figure *figure, bool has_nulldata)
{
    bool tracked = figure->kind == KIND_NONSTANDARD || figure->kind == KIND_PUBKEY || figure->kind == KIND_MULTISIG;
    switch (figure->measure) {
    case FIGURE_SPENT:
    case FIGURE_UNSPENT: return tracked || figure->kind == KIND_NULLDATA ? NULL : needs_index;
    case FIGURE_OFF_CURVE: return tracked ? NULL : needs_scripts;
    case FIGURE_SCRIPT:
    case FIGURE_SCRIPT_SAT: return script_needs(figure, has_nulldata);
    case FIGURE_TEMPLATE:
        if (is_template_of_address(figure->operand))
            return needs_scripts;
        return strncmp(figure->operand, "OP_RETURN", strlen("OP_RETURN")) == 0 && !has_nulldata ? needs_nulldata : NULL;
    default: return NULL;
    }
}

/* The height of which the figure is: false beyond the tip. */
static bool find_height(const struct known_figure *figure, const struct forest *forest, uint32_t *height)
{
    bool later = false;
    *height = figure->when == FIGURE_AT_HEIGHT ? figure->height : forest->blocks - 1;
    if (figure->when != FIGURE_AT_DATE)
        return *height < forest->blocks;
    for (uint32_t h = 0; h < forest->blocks; h++) {
        if (forest->block_times[h] < figure->end_time)
            *height = h;
        else
            later = true;
    }
    return later && forest->block_times[*height] < figure->end_time;
}

static void begin_answers(struct figures *figures, const struct store *store, const struct forest *forest)
{
    bool has_nulldata = store_identity_of(store)->nulldata_stored;
    figures->tip = forest->blocks - 1;
    network_label(store_identity_of(store)->magic, figures->network);
    for (size_t i = 0; i < figures->known->count; i++) {
        const struct known_figure *figure = &figures->known->list[i];
        struct figure_answer *answer = &figures->answers[i];
        *answer = (struct figure_answer){.verdict = FIGURE_EQUAL};
        if (strcmp(figure->network, figures->network) != 0) {
            answer->verdict = FIGURE_OTHER_NETWORK;
            continue;
        }
        answer->has_height = find_height(figure, forest, &answer->height);
        if (!answer->has_height)
            answer->verdict = FIGURE_BEYOND_TIP;
        else if ((answer->needs = needs_of(figure, has_nulldata)))
            answer->verdict = FIGURE_NOT_AVAILABLE;
        answer->has_ours = answer->verdict == FIGURE_EQUAL && figure->measure != FIGURE_FIRST;
    }
}

/* Whether there is still an answer to be found. */
static bool is_open(const struct figure_answer *answer) { return answer->verdict == FIGURE_EQUAL; }

/* ---- from the blocks' counts ---- */

static void count_block(struct figures *figures, const struct block_record *block)
{
    const struct block_counts *counts = &block->counts;
    for (size_t i = 0; i < figures->known->count; i++) {
        const struct known_figure *figure = &figures->known->list[i];
        struct figure_answer *answer = &figures->answers[i];
        if (!is_open(answer) || block->height > answer->height)
            continue;
        switch (figure->measure) {
        case FIGURE_TXS: answer->ours += counts->txs; break;
        case FIGURE_INPUTS: answer->ours += counts->inputs; break;
        case FIGURE_OUTPUTS: answer->ours += counts->outputs; break;
        case FIGURE_UNKNOWN_TXS: answer->ours += counts->unknown_txs[figure->rules]; break;
        case FIGURE_CREATED: answer->ours += counts->kind_count[figure->kind]; break;
        case FIGURE_UNSPENT: /* nulldata can never be spent; others are counted one by one */
            answer->ours += figure->kind == KIND_NULLDATA ? counts->kind_count[KIND_NULLDATA] : 0;
            break;
        case FIGURE_FIRST:
            if (!answer->has_ours && counts->kind_count[figure->kind] > 0) {
                answer->has_ours = true;
                answer->ours = block->height;
            }
            break;
        default: break;
        }
    }
}

/* ---- from the outputs ---- */

/* One stored output; what takes time is worked out when the first figure asks for it. */
struct seen {
    const struct output_record *output;
    uint32_t height;
    uint32_t spent_height; /* UINT32_MAX: unspent */
    bool has_template;
    bool has_keys;
    bool off_curve;
    char template[SCRIPT_TEMPLATE_MAX];
};

static bool has_template(struct seen *seen, const char *template)
{
    if (!seen->has_template)
        script_template(seen->output->script, seen->output->script_size, seen->template);
    seen->has_template = true;
    return strcmp(seen->template, template) == 0;
}

static bool has_script(const struct seen *seen, const struct known_figure *figure)
{
    return seen->output->script_size == figure->script_size &&
           memcmp(seen->output->script, figure->script, figure->script_size) == 0;
}

static bool is_off_curve(struct seen *seen)
{
    unsigned on_curve;
    if (!seen->has_keys)
        seen->off_curve = script_keys(seen->output->kind, seen->output->script, seen->output->script_size, &on_curve) >
                          on_curve;
    seen->has_keys = true;
    return seen->off_curve;
}

static bool is_m_of_n(const struct seen *seen, const struct known_figure *figure)
{
    struct multisig found;
    return figure->required == 0 || (multisig_read(seen->output->script, seen->output->script_size, &found) &&
                                     found.required == figure->required && found.keys == figure->keys);
}

/* What the output adds to the figure as of its height. */
static uint64_t adds(const struct known_figure *figure, uint32_t height, struct seen *seen)
{
    bool spent = seen->spent_height <= height, of_kind = seen->output->kind == figure->kind;
    bool tracked = seen->output->kind != KIND_NULLDATA;
    switch (figure->measure) {
    case FIGURE_SPENT: return of_kind && spent;
    case FIGURE_UNSPENT: return of_kind && tracked && !spent && is_m_of_n(seen, figure);
    case FIGURE_OFF_CURVE: return of_kind && !spent && is_off_curve(seen);
    case FIGURE_SCRIPT: return has_script(seen, figure);
    case FIGURE_SCRIPT_SAT: return has_script(seen, figure) ? seen->output->value_sat : 0;
    case FIGURE_TEMPLATE: return has_template(seen, figure->operand);
    default: return 0;
    }
}

struct pass {
    struct figures *figures;
    const struct forest *forest;
};

static enum status on_tx(void *context, uint32_t height, struct tx_view *view)
{
    const struct pass *pass = context;
    const struct forest *forest = pass->forest;
    struct output_record output;
    uint64_t ordinal = view->tx.first_ordinal;
    enum status status;
    while ((status = tx_next_output(view, &output)) == STATUS_OK) {
        struct seen seen = {.output = &output, .height = height, .spent_height = UINT32_MAX};
        if (output_is_tracked(output.unknown, output.kind)) {
            if (ordinal >= forest->outputs_count)
                return STATUS_FORMAT;
            uint32_t spender = forest->outputs[ordinal++].spender;
            seen.spent_height = spender == FOREST_NONE ? UINT32_MAX : forest->txs[spender].height;
        }
        for (size_t i = 0; output.script && i < pass->figures->known->count; i++) {
            struct figure_answer *answer = &pass->figures->answers[i];
            if (is_open(answer) && height <= answer->height)
                answer->ours = add_saturating(answer->ours,
                                              adds(&pass->figures->known->list[i], answer->height, &seen));
        }
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status add_batch(struct pass *pass, struct batch_view *view)
{
    struct batch_view blocks = *view;
    struct block_record block;
    enum status status;
    while ((status = batch_next_block(&blocks, &block)) == STATUS_OK)
        count_block(pass->figures, &block);
    return status == STATUS_NOT_FOUND ? opened_store_each_tx(view, on_tx, pass) : status;
}

static enum status count(struct figures *figures, const struct store *store, const struct forest *forest,
                         struct fault *fault)
{
    struct store_reader *reader = NULL;
    struct pass pass = {figures, forest};
    enum status status = store_reader_open(store, &reader, fault);
    size_t batches = status == STATUS_OK ? store_batches(reader) : 0;
    for (size_t b = 0; status == STATUS_OK && b < batches; b++) {
        struct batch_view view;
        status = opened_store_go_on(fault);
        if (status == STATUS_OK)
            status = store_whole_batch(reader, b, &view, fault);
        if (status == STATUS_OK && (status = add_batch(&pass, &view)) == STATUS_FORMAT)
            status = opened_store_damaged(store, view.first_height, fault);
    }
    if (reader)
        store_reader_close(reader);
    return status;
}

/* ---- from the T-DAGs ---- */

/* The known scripts that the figure names; false if one is none. */
static bool read_names(const struct catalogue *catalogue, const char *names, struct name_set *set)
{
    *set = (struct name_set){0};
    for (size_t size; *names; names += size + (names[size] == ',')) {
        bool found = false;
        size = strcspn(names, ",");
        for (size_t e = 0; e < catalogue->count; e++) {
            const char *name = catalogue->entries[e].name;
            if (strlen(name) == size && memcmp(name, names, size) == 0) {
                name_set_add(set, e);
                found = true;
            }
        }
        if (!found)
            return false;
    }
    return true;
}

/* Those of which a root's transaction has an output of one of the names. */
static uint64_t count_named(const struct name_set *roots, uint32_t tdags, const struct name_set *names)
{
    uint64_t count = 0;
    for (uint32_t d = 1; d <= tdags; d++) {
        bool named = false;
        for (size_t w = 0; w < CATALOGUE_MAX / 64; w++)
            named = named || (roots[d].bits[w] & names->bits[w]);
        count += named;
    }
    return count;
}

static uint64_t count_row(const struct classes *classes, const struct known_figure *figure)
{
    const uint64_t *row = figure->row;
    uint64_t count = 0, place = 0;
    for (uint32_t i = 0; i < classes->classes_count; i++) {
        const struct class_row *class = &classes->classes[i];
        bool same = class->height == row[0] && class->nodes == row[1] && class->edges == row[2] &&
                    class->roots == row[3];
        place += same;
        if (same && (figure->place == 0 || figure->place == place))
            count += class->tdags;
    }
    return count;
}

static void answer_of_names(const struct known_figure *figure, const struct catalogue *catalogue,
                            const struct labels *labels, uint32_t tdags, struct figure_answer *answer)
{
    struct name_set names;
    if (!read_names(catalogue, figure->operand, &names)) {
        answer->verdict = FIGURE_NOT_AVAILABLE;
        answer->needs = needs_name;
        answer->has_ours = false;
        return;
    }
    uint64_t named = count_named(labels->roots, tdags, &names);
    answer->ours = figure->measure == FIGURE_KNOWN ? named : tdags - named;
}

static void answer_of_tdags(const struct known_figure *figure, const struct selection *selection,
                            const struct catalogue *catalogue, const struct labels *labels,
                            struct figure_answer *answer)
{
    const struct classes *classes = &selection->classes;
    if (figure->measure == FIGURE_KNOWN || figure->measure == FIGURE_UNNAMED)
        answer_of_names(figure, catalogue, labels, selection->tdags.count, answer);
    else
        answer->ours = figure->measure == FIGURE_TDAGS     ? selection->tdags.count
                       : figure->measure == FIGURE_NODES   ? classes->nodes
                       : figure->measure == FIGURE_EDGES   ? classes->edges
                       : figure->measure == FIGURE_CLASSES ? classes->classes_count
                                                           : count_row(classes, figure);
}

/* Whether figure i asks for T-DAGs of this height and rule set. */
static bool asks(const struct figures *figures, size_t i, uint32_t height, enum rules rules)
{
    const struct known_figure *figure = &figures->known->list[i];
    return figure_is_of_tdags(figure->measure) && is_open(&figures->answers[i]) &&
           figures->answers[i].height == height && figure->rules == rules;
}

static enum status answer_rules(const struct settings *settings, struct figures *figures, uint32_t height,
                                enum rules rules, const struct store *store, const struct forest *forest,
                                const struct catalogue *catalogue, struct fault *fault)
{
    unsigned threads = (unsigned)settings->threads;
    struct selection selection = {0};
    struct labels labels = {0};
    bool asked = false;
    for (size_t i = 0; i < figures->known->count; i++)
        asked = asked || asks(figures, i, height, rules);
    if (!asked)
        return STATUS_OK;
    enum status status = selection_make(store, forest, rules, NULL, false, threads, &selection, fault);
    if (status == STATUS_OK)
        status = labels_find(catalogue, store, forest, &selection.tdags, true, threads, &labels, fault);
    for (size_t i = 0; status == STATUS_OK && i < figures->known->count; i++)
        if (asks(figures, i, height, rules))
            answer_of_tdags(&figures->known->list[i], &selection, catalogue, &labels, &figures->answers[i]);
    labels_free(&labels);
    selection_free(&selection);
    return status;
}

/* All rule sets as of one height. */
static enum status answer_height(const struct settings *settings, struct figures *figures, uint32_t height,
                                 const struct catalogue *catalogue, struct fault *fault)
{
    struct settings of_height = *settings;
    struct store *store = NULL;
    struct forest forest = {0};
    of_height.to_height = height;
    enum status status = opened_store_open(&of_height, &store, fault);
    if (status == STATUS_OK)
        status = forest_load(store, (unsigned)settings->threads, &forest, fault);
    for (unsigned r = 0; status == STATUS_OK && r < RULES; r++)
        status = answer_rules(settings, figures, height, (enum rules)r, store, &forest, catalogue, fault);
    forest_free(&forest);
    store_close(store);
    return status;
}

static enum status answer_tdags(const struct settings *settings, struct figures *figures, struct fault *fault)
{
    struct catalogue catalogue = {0};
    enum status status = catalogue_read_built_in(&catalogue, fault);
    for (size_t i = 0; status == STATUS_OK && i < figures->known->count; i++) {
        const struct figure_answer *answer = &figures->answers[i];
        bool done = !figure_is_of_tdags(figures->known->list[i].measure) || !is_open(answer);
        for (size_t before = 0; !done && before < i; before++)
            done = figure_is_of_tdags(figures->known->list[before].measure) && is_open(&figures->answers[before]) &&
                   figures->answers[before].height == answer->height;
        if (!done)
            status = answer_height(settings, figures, answer->height, &catalogue, fault);
    }
    catalogue_free(&catalogue);
    return status;
}

/* ---- all ---- */

static void judge(const struct known_figure *figure, uint32_t tip, struct figure_answer *answer)
{
    uint64_t published = figure->published, ours = answer->ours;
    uint64_t difference = ours > published ? ours - published : published - ours;
    if (!is_open(answer))
        return;
    if (!answer->has_ours) /* the first of something that is not there */
        answer->verdict = published > tip ? FIGURE_BEYOND_TIP : FIGURE_DIFFERS;
    else if (difference > 0)
        answer->verdict = difference <= published / CLOSE_IN ? FIGURE_CLOSE : FIGURE_DIFFERS;
}

static enum status refuse_partial(const struct store *store, struct fault *fault)
{
    return fault_set(fault, STATUS_REFUSED, store_path(store), FAULT_NO_OFFSET,
                     "the store is partial, it begins at height %u, and figures are of the whole chain: compare with a "
                     "--store of the whole chain",
                     (unsigned)store_first_height(store));
}

enum status figures_answer(const struct settings *settings, struct figures *figures, struct fault *fault)
{
    struct store *store = NULL;
    struct forest forest = {0};
    figures->answers = mem_alloc(figures->known->count, sizeof *figures->answers);
    if (!figures->answers)
        return fault_nomem(fault);
    enum status status = opened_store_open(settings, &store, fault);
    if (status == STATUS_OK && store_first_height(store) > 0)
        status = refuse_partial(store, fault);
    if (status == STATUS_OK)
        status = forest_load(store, (unsigned)settings->threads, &forest, fault);
    if (status == STATUS_OK) {
        begin_answers(figures, store, &forest);
        status = count(figures, store, &forest, fault);
    }
    forest_free(&forest);
    store_close(store); /* a process has a store open once at a time */
    if (status == STATUS_OK)
        status = answer_tdags(settings, figures, fault);
    for (size_t i = 0; status == STATUS_OK && i < figures->known->count; i++)
        judge(&figures->known->list[i], figures->tip, &figures->answers[i]);
    return status;
}

void figures_free(struct figures *figures)
{
    mem_free(figures->answers);
    figures->answers = NULL;
}
