#include "cli/command.h"
#include "cli/views/journey.h"
#include "cli/views/tx_text.h"
#include "cli/views/unknown_spends.h"
#include "graph/index/paths.h"
#include "cli/inputs/spend_links.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/inputs/operand.h"
#include "cli/inputs/opened_store.h"
#include "parser/mem.h"
#include "parser/sort.h"

/* Numbers of transactions met, open addressing, at most half full; 0 is an empty slot, so numbers are kept plus 1. */
struct met {
    uint64_t *slots;
    size_t capacity; /* a power of two */
    size_t count;
};

struct travel {
    const struct settings *settings;
    struct tx_index *index;
    struct step *steps;
    size_t steps_count;
    size_t steps_capacity;
    uint64_t *level; /* transactions to leave from now */
    uint64_t *next;  /* those found on the way */
    size_t level_count;
    size_t level_capacity;
    size_t next_count;
    size_t next_capacity;
    uint64_t *txs; /* every transaction, in the order it was met */
    size_t txs_count;
    size_t txs_capacity;
    struct met met;
    struct unknown_spends unknown; /* of --unknown */
    bool backward;
    bool cut;
};

/* ---- the set of transactions met ---- */

static size_t slot_of(const struct met *met, uint64_t number)
{
    size_t at = (size_t)(number * 0x9e3779b97f4a7c15u >> 20) & (met->capacity - 1);
    while (met->slots[at] && met->slots[at] != number + 1)
        at = (at + 1) & (met->capacity - 1);
    return at;
}

static enum status met_grow(struct met *met, struct fault *fault)
{
    struct met larger = {.capacity = met->capacity ? 2 * met->capacity : 1024, .count = met->count};
    larger.slots = mem_alloc(larger.capacity, sizeof *larger.slots);
    if (!larger.slots)
        return fault_nomem(fault);
    for (size_t i = 0; i < met->capacity; i++)
        if (met->slots[i])
            larger.slots[slot_of(&larger, met->slots[i] - 1)] = met->slots[i];
    mem_free(met->slots);
    *met = larger;
    return STATUS_OK;
}

/* Meets a transaction; the first time it is one to leave from on the next level. */
static enum status meet(struct travel *travel, uint64_t number, struct fault *fault)
{
    struct met *met = &travel->met;
    if (2 * met->count >= met->capacity) {
        enum status status = met_grow(met, fault);
        if (status != STATUS_OK)
            return status;
    }
    size_t at = slot_of(met, number);
    if (met->slots[at])
        return STATUS_OK;
    if (mem_reserve(&travel->next, &travel->next_capacity, travel->next_count + 1, sizeof *travel->next) != STATUS_OK ||
        mem_reserve(&travel->txs, &travel->txs_capacity, travel->txs_count + 1, sizeof *travel->txs) != STATUS_OK)
        return fault_nomem(fault);
    met->slots[at] = number + 1;
    met->count++;
    travel->next[travel->next_count++] = number;
    travel->txs[travel->txs_count++] = number;
    return STATUS_OK;
}

/* ---- one transaction ---- */

/* Takes the step in unless that would be one too many, or not one of --unknown. */
static enum status add_step(struct travel *travel, const struct step *step, struct fault *fault)
{
    if (travel->settings->only_unknown && !step->unknown)
        return STATUS_OK;
    if (travel->steps_count >= travel->settings->limit) {
        travel->cut = true;
        return STATUS_OK;
    }
    if (mem_reserve(&travel->steps, &travel->steps_capacity, travel->steps_count + 1, sizeof *step) != STATUS_OK)
        return fault_nomem(fault);
    travel->steps[travel->steps_count++] = *step;
    if (travel->backward)
        return step->has_from ? meet(travel, step->from, fault) : STATUS_OK;
    return step->has_to ? meet(travel, step->to, fault) : STATUS_OK;
}

static struct step step_from(const struct index_tx *tx, uint32_t depth)
{
    return (struct step){
        .depth = depth, .has_from = true, .from = tx->number, .from_txid = tx->txid, .from_height = tx->height};
}

/* From outputs first .. end - 1 of the transaction to what spends them. */
static enum status step_forward(struct travel *travel, const struct index_tx *tx, uint32_t depth, uint32_t first,
                                uint32_t end, struct fault *fault)
{
    struct outputs_run run = {.index = travel->index, .end = tx->first_output + end};
    enum status status = STATUS_OK;
    struct link_end to;
    for (uint32_t vout = first; vout < end && status == STATUS_OK && !travel->cut; vout++) {
        struct step step = step_from(tx, depth);
        step.vout = vout;
        step.unknown = travel->settings->only_unknown && unknown_spends_has(&travel->unknown, tx, vout);
        status = outputs_run_at(&run, tx->first_output + vout, &step.output, fault);
        step.has_to = status == STATUS_OK && step.output.spender != INDEX_NONE;
        if (step.has_to)
            status = spend_links_input(travel->index, step.output.spender, tx->first_output + vout, &to, fault);
        if (step.has_to && status == STATUS_OK) {
            step.to = to.tx.number;
            step.to_txid = to.tx.txid;
            step.to_height = to.tx.height;
            step.vin = to.position;
        }
        if (status == STATUS_OK)
            status = add_step(travel, &step, fault);
    }
    return status;
}

/* From the inputs of the transaction to what they spend. */
static enum status step_backward(struct travel *travel, const struct index_tx *tx, uint32_t depth, struct fault *fault)
{
    struct inputs_run run = {.index = travel->index, .end = tx->first_input + tx->inputs};
    enum status status = STATUS_OK;
    struct link_end from;
    uint64_t spent;
    for (uint32_t vin = 0; vin < tx->inputs && status == STATUS_OK && !travel->cut; vin++) {
        struct step step = {.depth = depth};
        status = inputs_run_at(&run, tx->first_input + vin, &spent, fault);
        if (status == STATUS_OK && spent != INDEX_NONE) {
            status = spend_links_output(travel->index, spent, tx->first_input + vin, &from, &step.output, fault);
            struct index_output output = step.output;
            if (status == STATUS_OK)
                step = step_from(&from.tx, depth);
            step.output = output;
            step.vout = from.position;
            step.unknown = status == STATUS_OK && travel->settings->only_unknown &&
                           unknown_spends_has(&travel->unknown, &from.tx, from.position);
        }
        step.has_to = true;
        step.to = tx->number;
        step.to_txid = tx->txid;
        step.to_height = tx->height;
        step.vin = vin;
        if (status == STATUS_OK)
            status = add_step(travel, &step, fault);
    }
    return status;
}

/* ---- level by level ---- */

/* What was found becomes the level to leave from, in chain order. */
static void turn_level(struct travel *travel)
{
    uint64_t *level = travel->level;
    size_t capacity = travel->level_capacity;
    travel->level = travel->next;
    travel->level_count = travel->next_count;
    travel->level_capacity = travel->next_capacity;
    travel->next = level;
    travel->next_count = 0;
    travel->next_capacity = capacity;
    sort_numbers(travel->level, travel->level_count);
}

static enum status leave_level(struct travel *travel, const struct operand *operand, uint32_t depth,
                               struct fault *fault)
{
    enum status status = STATUS_OK;
    struct index_tx tx;
    for (size_t i = 0; i < travel->level_count && status == STATUS_OK && !travel->cut; i++) {
        bool one = depth == 1 && operand->type == OPERAND_OUTPUT;
        status = index_tx_at(travel->index, travel->level[i], &tx, fault);
        if (status == STATUS_OK && travel->backward)
            status = step_backward(travel, &tx, depth, fault);
        else if (status == STATUS_OK)
            status = step_forward(travel, &tx, depth, one ? operand->number : 0, one ? operand->number + 1 : tx.outputs,
                                  fault);
        if (status == STATUS_OK)
            status = opened_store_go_on(fault);
    }
    return status;
}

#define DEPTH_FALLBACK 10u

static uint64_t depth_of(const struct settings *settings)
{
    return settings->depth > 0 ? settings->depth : DEPTH_FALLBACK;
}

static enum status walk(struct travel *travel, const struct operand *operand, struct fault *fault)
{
    struct index_tx tx;
    enum status status = index_tx_find(travel->index, &operand->hash, UINT64_MAX, &tx, fault);
    if (status == STATUS_OK && operand->type == OPERAND_OUTPUT && operand->number >= tx.outputs)
        status = tx_text_no_output(operand->number, tx.outputs, fault);
    if (status == STATUS_OK)
        status = meet(travel, tx.number, fault);
    for (uint32_t depth = 1; status == STATUS_OK && depth <= depth_of(travel->settings) && !travel->cut; depth++) {
        turn_level(travel);
        if (travel->level_count == 0)
            break;
        status = leave_level(travel, operand, depth, fault);
    }
    return status;
}

/* ---- a shortest way ---- */

static enum status may_pass(void *context, const struct index_tx *tx, uint32_t vout, const struct index_output *output,
                            struct fault *fault)
{
    const struct travel *travel = context;
    (void)output;
    (void)fault;
    return unknown_spends_has(&travel->unknown, tx, vout) ? STATUS_OK : STATUS_NOT_FOUND;
}

/* The spends of the way as steps, in the direction of the journey. */
static enum status add_path(struct travel *travel, const struct paths *paths, struct fault *fault)
{
    bool backward = travel->backward;
    enum status status = STATUS_OK;
    struct link_end from;
    struct index_output output;
    travel->backward = false; /* each spend is told from its output */
    for (size_t i = 0; i < paths->length && status == STATUS_OK; i++) {
        uint64_t number = paths->outputs[backward ? paths->length - 1 - i : i];
        status = spend_links_output(travel->index, number, INDEX_NONE, &from, &output, fault);
        if (status == STATUS_OK && i == 0 && !backward)
            status = meet(travel, from.tx.number, fault);
        if (status == STATUS_OK)
            status = step_forward(travel, &from.tx, (uint32_t)i + 1, from.position, from.position + 1, fault);
        if (status == STATUS_OK && backward)
            status = meet(travel, from.tx.number, fault);
    }
    return status;
}

/* From one to the other; with --backward from the other to the one, told in reverse. */
static enum status find_path(struct travel *travel, const struct operand *operand, const struct operand *to,
                             struct fault *fault)
{
    struct index_tx first = {0}, last = {0};
    struct paths paths = {0};
    enum status status = index_tx_find(travel->index, &operand->hash, UINT64_MAX, &first, fault);
    if (status == STATUS_OK)
        status = index_tx_find(travel->index, &to->hash, UINT64_MAX, &last, fault);
    bool one = operand->type == OPERAND_OUTPUT && !travel->backward;
    if (status == STATUS_OK && one && operand->number >= first.outputs)
        status = tx_text_no_output(operand->number, first.outputs, fault);
    const struct paths_query query = {.index = travel->index,
                                      .from = travel->backward ? last.number : first.number,
                                      .vout = one ? operand->number : PATHS_ANY_OUTPUT,
                                      .to = travel->backward ? first.number : last.number,
                                      .depth = travel->settings->depth > 0 ? travel->settings->depth : UINT32_MAX,
                                      .may_pass = travel->settings->only_unknown ? may_pass : NULL,
                                      .context = travel};
    if (status == STATUS_OK)
        status = paths_find(&query, &paths, fault);
    if (status == STATUS_OK && paths.count == 0)
        status = fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                           "there is no way %s from the one to the other", travel->backward ? "backward" : "forward");
    if (status == STATUS_OK)
        status = add_path(travel, &paths, fault);
    if (status == STATUS_OK)
        message("shortest ways: %s%llu, of %zu spends", paths.count == UINT64_MAX ? "at least " : "", ULL(paths.count),
                paths.length);
    paths_free(&paths);
    return status;
}

/* A journey of --unknown that does not begin would leave open why. */
static void tell_none(const struct travel *travel)
{
    const struct settings *settings = travel->settings;
    const char *operand = settings->operands[0];
    if (!settings->only_unknown || travel->steps_count > 0)
        return;
    if (travel->backward)
        message("no way leads back from %s: no input there spends an output that is unknown under %s", operand,
                rules_name(settings->rules));
    else
        message("no way leads on from %s: no output there is unknown under %s and can be spent", operand,
                rules_name(settings->rules));
}

static enum status print(struct travel *travel, struct text *text, struct fault *fault)
{
    const struct journey journey = {travel->index, travel->steps, travel->steps_count, travel->txs, travel->txs_count};
    return journey_put(&journey, travel->settings->format, text, fault);
}

static void travel_free(struct travel *travel)
{
    mem_free(travel->steps);
    mem_free(travel->level);
    mem_free(travel->next);
    mem_free(travel->txs);
    mem_free(travel->met.slots);
    unknown_spends_close(&travel->unknown);
    index_close(travel->index);
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct operand operand, to = {0};
    struct text text = {0};
    struct travel travel = {.settings = settings, .backward = settings->backward};
    if (settings->forward && settings->backward)
        return message_usage("--forward and --backward exclude each other");
    if (settings->to && (!operand_parse(settings->to, false, &to) || to.type != OPERAND_HASH))
        return message_usage("--to: '%s' is no TXID (its first hexadecimal digits, at least 4)", settings->to);
    if (!operand_parse(settings->operands[0], false, &operand) ||
        (operand.type != OPERAND_HASH && operand.type != OPERAND_OUTPUT))
        return message_usage("'%s' is neither TXID (its first hexadecimal digits, at least 4) nor TXID:VOUT",
                             settings->operands[0]);
    enum status status = index_open(settings->store, &travel.index, &fault);
    status = spend_links_tell_partial(settings->store, NULL, status, &fault);
    if (status == STATUS_OK && !settings->only_unknown) /* with that it is refused */
        spend_links_tell_behind(travel.index, settings->store, UINT32_MAX);
    if (status == STATUS_OK)
        status = operand_complete(&operand, NULL, travel.index, &fault);
    if (status == STATUS_OK && settings->to)
        status = operand_complete(&to, NULL, travel.index, &fault);
    if (status == STATUS_OK && settings->only_unknown)
        status = unknown_spends_open(settings, travel.index, &travel.unknown, &fault);
    if (status == STATUS_OK)
        status = settings->to ? find_path(&travel, &operand, &to, &fault) : walk(&travel, &operand, &fault);
    if (status == STATUS_OK)
        status = print(&travel, &text, &fault);
    if (status == STATUS_OK)
        status = outfile_write_text(settings->out, &text, &fault);
    if (status == STATUS_OK && travel.cut)
        message("cut after %llu row%s: there is more; --limit takes more of it", ULL(settings->limit),
                settings->limit == 1 ? "" : "s");
    if (status == STATUS_OK)
        tell_none(&travel);
    text_free(&text);
    travel_free(&travel);
    return message_result(status, &fault);
}

static const struct option option_forward = {
    .name = "forward",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, forward),
    .help = "from outputs to the inputs that spend them (the default)",
};
static const struct option option_backward = {
    .name = "backward",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, backward),
    .help = "from inputs to the outputs that they spend",
};
static const struct option option_only_unknown = {
    .name = "unknown",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, only_unknown),
    .help = "only through outputs that are unknown under --rules, which takes the store too",
};
static const struct option option_to = {
    .name = "to",
    .type = OPTION_TEXT,
    .value = "TXID",
    .field = offsetof(struct settings, to),
    .help = "only a shortest way to this transaction; stderr says how many there are",
};
static const struct option option_depth = {
    .name = "depth",
    .type = OPTION_NUMBER,
    .value = "N",
    .field = offsetof(struct settings, depth),
    .min = 1,
    .max = UINT32_MAX - 1,
    .help = "most spends between the start and the last transaction (default: 10, with --to any number)",
};
static const struct option option_limit = {
    .name = "limit",
    .type = OPTION_NUMBER,
    .value = "N",
    .fallback = "10000",
    .field = offsetof(struct settings, limit),
    .min = 1,
    .max = UINT32_MAX,
    .help = "most rows; stderr says if there are more",
};
static const struct option option_travel_format = {
    .name = "format",
    .type = OPTION_CHOICE,
    .value = "csv|dot|graphml",
    .fallback = "csv",
    .field = offsetof(struct settings, format),
    .help = "rows of a table, or a graph of the transactions",
};

static const struct option *const options[] = {&option_read_store,
                                               &option_forward,
                                               &option_backward,
                                               &option_only_unknown,
                                               &option_to,
                                               &option_rules,
                                               &option_threads,
                                               &option_depth,
                                               &option_limit,
                                               &option_travel_format,
                                               &option_out_file,
                                               &option_quiet,
                                               NULL};

static const struct table_schema *const tables[] = {&schema_travel, NULL};

const struct command command_travel = {
    .name = "travel",
    .operands = "TXID | TXID:VOUT",
    .summary = "Follow money through the index from a transaction or an output, breadth first.",
    .details = "A row for each output met and the input that spends it. At the end of the way, an unspent output or a "
               "coinbase, the\n"
               "other side is empty.\n"
               "Each transaction is left once, at its smallest depth, those of one depth in chain order. Of a txid "
               "that occurs\n"
               "more than once the newest is taken. Backward from TXID:VOUT goes from the inputs of its transaction.\n",
    .tables = tables,
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run,
};
