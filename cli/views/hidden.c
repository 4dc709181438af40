#include "cli/views/hidden.h"

#include <sys/random.h>

#include "cli/inputs/hidden_store.h"
#include "cli/inputs/index_blocks.h"
#include "cli/inputs/known_scripts.h"
#include "cli/inputs/spend_links.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/output/progress.h"
#include "cli/views/hidden_rows.h"
#include "graph/index/hidden.h"
#include "parser/mem.h"

/* Of a block under way. */
struct slot {
    struct hidden_rows rows;
    struct hidden_totals totals;
    struct text text; /* rows of --list */
    uint32_t tx;      /* of which `txid` is; UINT32_MAX: none */
    struct hash256 txid;
};

struct view {
    const struct settings *settings;
    struct catalogue catalogue;
    struct matcher **matchers; /* by worker */
    struct slot *slots;
    unsigned slots_count;
    enum by by;
    unsigned kinds; /* mask of those that are asked for */
    struct hidden_rows rows;
    struct hidden_totals totals;
    struct output_marks marks; /* of --dags */
    struct outfile file;
    struct progress progress;
};

/* ---- one spend ---- */

static enum hidden_in where_hidden(const struct hidden_spend *spend)
{
    if (spend->kind == KIND_WITNESS_V1_TAPROOT)
        return HIDDEN_P2TR;
    if (spend->kind == KIND_WITNESS_V0_SCRIPTHASH)
        return HIDDEN_P2WSH;
    return spend->count > 0 ? HIDDEN_P2SH_P2WSH : HIDDEN_P2SH;
}

/* Counts a script, or a spend that shows none. */
static enum status count(const struct view *view, unsigned worker, struct slot *slot, const struct hidden_spend *spend,
                         const struct hidden_script *script)
{
    struct block_record block = {.height = spend->block->height, .time = spend->block->time};
    struct hidden_place place = {.period = period_key(view->by, &block), .way = HIDDEN_SHOWN};
    if (script) {
        place.in = script->in;
        place.kind = script->kind;
        place.leaf_version = script->leaf_version;
    } else {
        place.in = where_hidden(spend);
        place.way = spend->way;
    }
    struct hidden_row *row = hidden_rows_find(&slot->rows, &place, script);
    if (!row)
        return STATUS_NOMEM;
    row->first_height = row->last_height = block.height;
    row->spends++;
    row->value_sat += spend->value_sat;
    if (!script)
        return STATUS_OK;
    row->annexes += script->annex;
    matcher_match_hidden(view->matchers[worker], script, &row->names);
    return STATUS_OK;
}

/* The txid of a transaction is worked out once, however many of its inputs are listed. */
static const struct hash256 *txid_of(struct slot *slot, const struct hidden_spend *spend)
{
    if (slot->tx != spend->tx_index)
        tx_id(spend->tx, &slot->txid);
    slot->tx = spend->tx_index;
    return &slot->txid;
}

static enum status list(const struct view *view, unsigned worker, struct slot *slot, const struct hidden_spend *spend,
                        const struct hidden_script *script)
{
    struct name_set names = {0};
    struct hash256 spent;
    char *p = text_room(&slot->text, 12 * (PUT_U64_MAX + 1) + 2 * HASH256_HEX_SIZE + SCRIPT_TEMPLATE_MAX + 128 +
                                         catalogue_names_size(&view->catalogue) + 2 * script->size);
    if (!p)
        return STATUS_NOMEM;
    memcpy(spent.bytes, spend->input->prevout, HASH256_SIZE);
    matcher_match_hidden(view->matchers[worker], script, &names);
    p = put_cell(p, spend->block->height);
    p = put_cell(p, spend->block->time);
    p = put_cell(p, spend->tx_index);
    p = put_hash_cell(p, txid_of(slot, spend));
    p = put_cell(p, spend->vin);
    p = put_hash_cell(p, &spent);
    p = put_cell(p, load_le32(spend->input->prevout + HASH256_SIZE));
    p = put_cell(p, spend->value_sat);
    p = put_text(p, hidden_in_name(script->in));
    *p++ = ',';
    p = put_text(p, kind_name(script->kind));
    *p++ = ',';
    size_t size = script_template(script->script, script->size, p);
    p = size > 0 ? p + size : put_text(p, "\"\"");
    *p++ = ',';
    p = hidden_put_leaf_version(p, script->in, script->leaf_version);
    *p++ = ',';
    p = put_cell(p, script->annex);
    p = catalogue_put_names(&view->catalogue, &names, p);
    *p++ = ',';
    p = script->size > 0 ? put_hex(p, script->script, script->size) : put_text(p, "\"\"");
    *p++ = '\n';
    text_end(&slot->text, p);
    return STATUS_OK;
}

static enum status on_spend(void *context, unsigned worker, unsigned number, const struct hidden_spend *spend,
                            struct fault *fault)
{
    struct view *view = context;
    struct slot *slot = &view->slots[number];
    bool listed = view->settings->with_scripts;
    enum status status = STATUS_OK;
    slot->totals.scripts += spend->count;
    slot->totals.key_paths += spend->way == HIDDEN_KEY_PATH;
    slot->totals.not_proven += spend->way == HIDDEN_NOT_PROVEN;
    for (size_t i = 0; i < spend->count && status == STATUS_OK; i++) {
        const struct hidden_script *script = &spend->scripts[i];
        if (view->marks.bits && script->kind == KIND_NONSTANDARD)
            marks_set(&view->marks, spend->output);
        if (view->kinds >> script->kind & 1)
            status = listed ? list(view, worker, slot, spend, script) : count(view, worker, slot, spend, script);
    }
    if (status == STATUS_OK && spend->way != HIDDEN_SHOWN && !listed && !view->settings->select_kind)
        status = count(view, worker, slot, spend, NULL);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

/* ---- blocks in order ---- */

/* With the first rows, so that nothing is on stdout where the pass cannot begin. */
static enum status begin_table(struct view *view, struct fault *fault)
{
    if (view->file.table)
        return STATUS_OK;
    return outfile_begin_table(&view->file, view->settings->with_scripts ? &schema_hidden_scripts : &schema_hidden, 0,
                               fault);
}

static enum status on_blocks(void *context, unsigned count_of_blocks, struct fault *fault)
{
    struct view *view = context;
    enum status status = begin_table(view, fault);
    for (unsigned i = 0; i < count_of_blocks && status == STATUS_OK; i++) {
        struct slot *slot = &view->slots[i];
        view->totals.scripts += slot->totals.scripts;
        view->totals.key_paths += slot->totals.key_paths;
        view->totals.not_proven += slot->totals.not_proven;
        slot->totals = (struct hidden_totals){0};
        slot->tx = UINT32_MAX;
        if (!hidden_rows_join(&view->rows, &slot->rows))
            status = fault_nomem(fault);
        hidden_rows_clear(&slot->rows);
        if (status == STATUS_OK)
            status = outfile_flush(&view->file, &slot->text, fault);
    }
    return status;
}

/* The first one is told with its place, so that it can be looked at. */
static void on_damaged(void *context, uint32_t height, const struct index_block *block)
{
    struct view *view = context;
    if (view->totals.damaged++ > 0)
        return;
    message("block %u (blk%05u.dat: at byte %llu): the witnesses are not those that the block commits to: its bytes "
            "have changed, and what it shows may be wrong",
            (unsigned)height, (unsigned)block->file, ULL(block->offset));
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    struct view *view = context;
    progress_show(&view->progress, "blocks", done, total, PROGRESS_NO_HEIGHT);
}

/* ---- all of it ---- */

static enum status open_view(struct view *view, struct fault *fault)
{
    unsigned threads = (unsigned)view->settings->threads;
    uint8_t seed[16];
    enum status status = known_scripts_read(view->settings, &view->catalogue, fault);
    if (status != STATUS_OK)
        return status;
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        return fault_errno(fault, NULL, FAULT_NO_OFFSET, "no random numbers");
    view->matchers = mem_alloc(threads, sizeof *view->matchers);
    view->slots = mem_alloc(hidden_slots(threads), sizeof *view->slots);
    if (!view->matchers || !view->slots)
        return fault_nomem(fault);
    view->slots_count = hidden_slots(threads);
    for (unsigned i = 0; i < view->slots_count; i++) {
        view->slots[i].rows.key[0] = load_le64(seed);
        view->slots[i].rows.key[1] = load_le64(seed + 8);
        view->slots[i].tx = UINT32_MAX;
    }
    for (unsigned i = 0; i < threads && status == STATUS_OK; i++)
        status = matcher_new(&view->catalogue, seed, &view->matchers[i], fault);
    return status;
}

static void close_view(struct view *view)
{
    for (unsigned i = 0; i < view->slots_count; i++) {
        hidden_rows_free(&view->slots[i].rows);
        text_free(&view->slots[i].text);
    }
    for (unsigned i = 0; view->matchers && i < view->settings->threads; i++)
        matcher_free(view->matchers[i]);
    hidden_rows_free(&view->rows);
    catalogue_free(&view->catalogue);
    mem_free(view->slots);
    mem_free(view->matchers);
}

static enum status write_rows(struct view *view, struct fault *fault)
{
    struct text text = {0};
    enum status status = STATUS_OK;
    hidden_rows_sort(&view->rows);
    for (size_t i = 0; i < view->rows.count && status == STATUS_OK; i++)
        if (hidden_row_put(&view->rows.rows[i], view->by, &view->catalogue, &text) != STATUS_OK)
            status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = outfile_flush(&view->file, &text, fault);
    text_free(&text);
    return status;
}

static enum status run_pass(struct view *view, const struct blkdir *dir, struct fault *fault)
{
    const struct settings *settings = view->settings;
    struct hidden_pass pass = {.store = settings->store,
                               .dir = dir,
                               .tmp = settings->tmp,
                               .memory = settings->memory,
                               .threads = (unsigned)settings->threads,
                               .to_height = (uint32_t)settings->to_height,
                               .spend = on_spend,
                               .blocks = on_blocks,
                               .damaged = on_damaged,
                               .progress = on_progress,
                               .context = view};
    progress_begin(&view->progress, settings->quiet);
    enum status status = hidden_pass_run(&pass, fault);
    progress_end(&view->progress);
    return status;
}

static unsigned kinds_of(const char *name)
{
    for (unsigned kind = 0; name && kind < KINDS; kind++)
        if (strcmp(name, kind_name((enum kind)kind)) == 0)
            return 1u << kind;
    return (1u << KINDS) - 1;
}

/* The blk files of the index, which must be there. It stays open, so that marks and pass are of the same one: where
 * another process changes it meanwhile, opening it again is refused (tx_index.h). */
static enum status open_source(const struct settings *settings, struct tx_index **index, struct blkdir *dir,
                               struct fault *fault)
{
    enum status status = index_open(settings->store, index, fault);
    if (status != STATUS_OK)
        return spend_links_tell_partial(settings->store, NULL, status, fault);
    spend_links_tell_behind(*index, settings->store, settings->to_height);
    status = index_blocks_open(settings->store, dir, fault);
    return status == STATUS_OK ? blkdir_check_access(dir, fault) : status;
}

enum status hidden_write(const struct settings *settings, struct hidden_totals *totals, struct fault *fault)
{
    struct settings own = *settings;
    own.threads = hidden_budget_of(settings->memory, (unsigned)settings->threads).threads;
    struct view view = {.settings = &own, .by = by_parse(settings->by), .kinds = kinds_of(settings->select_kind)};
    struct blkdir dir = {0};
    struct tx_index *index = NULL;
    int lock = -1;
    enum status status = open_view(&view, fault);
    if (status == STATUS_OK)
        status = open_source(settings, &index, &dir, fault);
    if (status == STATUS_OK && settings->with_dags)
        status = hidden_store_begin(settings->store, &lock, fault);
    if (status == STATUS_OK && settings->with_dags)
        status = hidden_marks_new(settings->store, (uint32_t)settings->to_height, &view.marks, fault);
    if (status == STATUS_OK)
        status = outfile_open(&view.file, settings->out, fault);
    if (status == STATUS_OK)
        status = run_pass(&view, &dir, fault);
    index_close(index);
    if (status == STATUS_OK)
        status = begin_table(&view, fault);
    if (status == STATUS_OK)
        status = write_rows(&view, fault);
    status = outfile_finish(&view.file, status, fault);
    if (status == STATUS_OK && settings->with_dags && view.totals.damaged == 0)
        status = hidden_store_make(settings, &dir, &view.marks, fault);
    if (status == STATUS_OK && settings->with_dags && view.totals.damaged == 0 && !settings->quiet)
        message("the store of the rule set hidden ends at block %u; it is the folder hidden of %s",
                (unsigned)view.marks.blocks - 1, settings->store);
    hidden_store_end(settings->store, lock);
    *totals = view.totals;
    hidden_marks_free(&view.marks);
    blkdir_free(&dir);
    close_view(&view);
    return status;
}
