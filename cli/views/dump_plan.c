#include "cli/views/dump_plan.h"

#include <stdio.h>
#include <sys/stat.h>

#include "cli/output/outfile.h"
#include "parser/mem.h"
#include "parser/search.h"
#include "parser/stop.h"

_Static_assert(DUMP_TABLES == PARTITIONS_TABLES, "the same tables in the same order");

/* ---- making ---- */

/* The first number that a block has in each table. */
struct numbers {
    uint64_t of[DUMP_TABLES];
};

/* Of the block of that height, or of the one after the tip. */
static enum status numbers_at(struct tx_index *index, uint32_t height, struct numbers *numbers, struct fault *fault)
{
    struct index_totals totals = index_totals_of(index);
    struct index_block block;
    struct index_tx tx;
    *numbers = (struct numbers){{height, totals.txs, totals.inputs, totals.outputs}};
    if (height >= totals.blocks)
        return STATUS_OK;
    enum status status = index_block_at(index, height, &block, fault);
    if (status == STATUS_OK)
        status = index_tx_at(index, block.first_tx, &tx, fault);
    if (status == STATUS_OK)
        *numbers = (struct numbers){{height, block.first_tx, tx.first_input, tx.first_output}};
    return status;
}

/* Makes the files of one table. */
struct maker {
    struct partitions *plan;
    struct partition_table *table;
    enum dump_table which;
    uint32_t from; /* where the next file begins */
    struct numbers begin;
};

static void put_path(const struct maker *maker, uint32_t end, char path[PARTITION_PATH_SIZE])
{
    const struct partition_rule *rule = &maker->plan->rule;
    uint64_t low = maker->from, high = (uint64_t)end - 1;
    if (rule->blocks_per_file) { /* the name stays while the file grows */
        low = maker->from / rule->blocks_per_file * rule->blocks_per_file;
        high = low + rule->blocks_per_file - 1;
    }
    snprintf(path, PARTITION_PATH_SIZE, "%s/height=%06llu-%06llu/part.csv%s", dump_table_name(maker->which), ULL(low),
             ULL(high), rule->is_packed ? ".zst" : "");
}

/* A file of the blocks maker->from .. end - 1. */
static enum status add_file(struct tx_index *index, struct maker *maker, uint32_t end, const struct numbers *after,
                            struct fault *fault)
{
    struct index_block last;
    struct partition file = {.from_height = maker->from, .to_height = end - 1};
    enum dump_table unit = maker->which == DUMP_BLOCKS ? DUMP_BLOCKS : DUMP_TXS;
    enum status status = index_block_at(index, end - 1, &last, fault);
    if (status != STATUS_OK)
        return status;
    put_path(maker, end, file.path);
    file.to_hash = last.hash;
    file.first = maker->begin.of[unit];
    file.end = after->of[unit];
    file.first_row = maker->begin.of[maker->which];
    file.rows = after->of[maker->which] - file.first_row;
    if (file.end <= file.first || after->of[maker->which] < file.first_row)
        return index_damaged(index, "transactions overlap", fault);
    if (!PUSH(maker->table->files, file))
        return fault_nomem(fault);
    maker->from = end;
    maker->begin = *after;
    return STATUS_OK;
}

/* Blocks height .. next - 1 come to those that the table has no file of yet: is that a file too many rows? */
static bool is_full(const struct maker *maker, uint32_t height, const struct numbers *after)
{
    uint64_t rows = after->of[maker->which] - maker->begin.of[maker->which];
    return height > maker->from && (maker->plan->rule.blocks_per_file || rows > maker->plan->rule.rows_per_file);
}

static enum status limit_files(const struct partitions *plan, struct fault *fault)
{
    size_t files = 0;
    for (unsigned t = 0; t < DUMP_TABLES; t++)
        files += plan->tables[t].files.count;
    if (files <= PARTITIONS_MAX)
        return STATUS_OK;
    return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET,
                     "these would be more than %u files: take a larger number for --rows-per-file or --blocks-per-file",
                     PARTITIONS_MAX);
}

/* Where the blocks that are looked at together with `height` end. */
static uint32_t step_end(const struct partition_rule *rule, uint32_t height, uint32_t end)
{
    uint64_t step = rule->blocks_per_file ? (height / rule->blocks_per_file + 1) * rule->blocks_per_file
                                          : (uint64_t)height + 1;
    return step < end ? (uint32_t)step : end;
}

static enum status make_files(struct tx_index *index, struct maker makers[DUMP_TABLES], uint32_t first, uint32_t end,
                              struct fault *fault)
{
    struct partitions *plan = makers[0].plan;
    struct numbers begin, after;
    enum status status = numbers_at(index, first, &begin, fault);
    for (unsigned t = 0; t < DUMP_TABLES && status == STATUS_OK; t++)
        makers[t].begin = begin;
    for (uint32_t height = first, next; height < end && status == STATUS_OK; height = next, begin = after) {
        next = step_end(&plan->rule, height, end);
        status = stop_due(height) ? stop_check(fault) : STATUS_OK;
        if (status == STATUS_OK)
            status = numbers_at(index, next, &after, fault);
        for (unsigned t = 0; t < DUMP_TABLES && status == STATUS_OK; t++) {
            if (makers[t].table->schema && is_full(&makers[t], height, &after))
                status = add_file(index, &makers[t], height, &begin, fault);
            if (makers[t].table->schema && status == STATUS_OK && next == end)
                status = add_file(index, &makers[t], end, &after, fault);
        }
        if (status == STATUS_OK)
            status = limit_files(plan, fault);
    }
    return status;
}

enum status dump_plan_make(struct tx_index *index, uint32_t first, uint32_t end, struct partitions *plan,
                           struct fault *fault)
{
    struct maker makers[DUMP_TABLES];
    for (unsigned t = 0; t < DUMP_TABLES; t++)
        makers[t] = (struct maker){.plan = plan, .table = &plan->tables[t], .which = (enum dump_table)t, .from = first};
    return make_files(index, makers, first, end, fault);
}

/* ---- keeping ---- */

bool dump_plan_has(const char *folder, const struct partition *file)
{
    struct stat st;
    char *path = outfile_join(folder, file->path);
    bool has = path && lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == file->bytes;
    mem_free(path);
    return has;
}

/* Does the index have that block? */
static enum status has_block(struct tx_index *index, uint32_t height, const struct hash256 *hash, bool *has,
                             struct fault *fault)
{
    struct index_block block;
    *has = false;
    if (height >= index_totals_of(index).blocks)
        return STATUS_OK;
    enum status status = index_block_at(index, height, &block, fault);
    *has = status == STATUS_OK && hash256_equal(&block.hash, hash);
    return status;
}

/* How many blocks from the genesis block on are surely those that `before` was made of. */
static enum status common_blocks(struct tx_index *index, const struct partitions *before, uint32_t *common,
                                 struct fault *fault)
{
    bool has = false;
    enum status status = STATUS_OK;
    *common = 0;
    if (before->has_tip)
        status = has_block(index, before->tip_height, &before->tip, &has, fault);
    if (has)
        *common = before->tip_height + 1;
    for (unsigned t = 0; t < DUMP_TABLES; t++) {
        for (size_t i = 0; i < before->tables[t].files.count && status == STATUS_OK; i++) {
            const struct partition *file = &before->tables[t].files.at[i];
            if (file->to_height < *common)
                continue;
            status = has_block(index, file->to_height, &file->to_hash, &has, fault);
            if (has)
                *common = file->to_height + 1;
        }
    }
    return status;
}

/* The file that has output `number`, or NULL. */
static struct partition *file_of(const struct partition_table *table, uint64_t number)
{
    size_t after = LOWER_BOUND(i, 0, table->files.count, table->files.at[i].first_row <= number);
    struct partition *file = after > 0 ? &table->files.at[after - 1] : NULL;
    return file && number - file->first_row < file->rows ? file : NULL;
}

/* Files of outputs that blocks from `common` on spend are to be written again. */
static enum status drop_spent(struct tx_index *index, uint32_t common, struct partition_table *outputs,
                              struct fault *fault)
{
    struct numbers begin;
    uint64_t end = index_totals_of(index).inputs, spent;
    struct inputs_run run = {.index = index, .end = end};
    enum status status = numbers_at(index, common, &begin, fault);
    for (uint64_t i = begin.of[DUMP_INPUTS]; status == STATUS_OK && i < end; i++) {
        status = stop_due(i) ? stop_check(fault) : STATUS_OK;
        if (status == STATUS_OK)
            status = inputs_run_at(&run, i, &spent, fault);
        struct partition *file = status == STATUS_OK && spent != INDEX_NONE ? file_of(outputs, spent) : NULL;
        if (file)
            file->is_whole = false;
    }
    return status;
}

static enum status keep_file(struct tx_index *index, const char *folder, const struct partition_table *before,
                             struct partition *file, struct fault *fault)
{
    const struct partition *made = partitions_find(before, file->path);
    bool has = false;
    if (!made || made->from_height != file->from_height || made->to_height != file->to_height ||
        made->rows != file->rows || !made->sha256[0])
        return STATUS_OK;
    enum status status = has_block(index, made->to_height, &made->to_hash, &has, fault);
    if (!has || !dump_plan_has(folder, made))
        return status;
    file->bytes = made->bytes;
    memcpy(file->sha256, made->sha256, sizeof file->sha256);
    file->last_spender = made->last_spender;
    file->is_whole = true;
    return status;
}

enum status dump_plan_keep(struct tx_index *index, const char *folder, const struct partitions *before,
                           struct partitions *plan, struct fault *fault)
{
    uint32_t common;
    bool any = false;
    enum status status = common_blocks(index, before, &common, fault);
    for (unsigned t = DUMP_TXS; t < DUMP_TABLES; t++) {
        for (size_t i = 0; i < plan->tables[t].files.count && status == STATUS_OK; i++) {
            struct partition *file = &plan->tables[t].files.at[i];
            status = keep_file(index, folder, &before->tables[t], file, fault);
            if (t == DUMP_OUTPUTS && file->last_spender >= common)
                file->is_whole = false;
            any |= t == DUMP_OUTPUTS && file->is_whole;
        }
    }
    return status == STATUS_OK && any ? drop_spent(index, common, &plan->tables[DUMP_OUTPUTS], fault) : status;
}
