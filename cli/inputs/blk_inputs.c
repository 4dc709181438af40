#include "cli/inputs/blk_inputs.h"

#include <stdlib.h>

#include "cli/inputs/node_blocks.h"
#include "graph/scan/findings.h"
#include "parser/mem.h"
#include "parser/parallel.h"

static const char *path_of(const struct blk_input *input) { return input->dir->files[input->index].path; }

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Base names where no two are the same, else paths. */
static enum status name_inputs(struct blk_inputs *inputs, struct fault *fault)
{
    const char **names = mem_alloc(inputs->count, sizeof *names);
    if (!names)
        return fault_nomem(fault);
    for (size_t i = 0; i < inputs->count; i++)
        names[i] = base_name(path_of(&inputs->list[i]));
    qsort(names, inputs->count, sizeof *names, compare_names);
    bool unique = true;
    for (size_t i = 1; i < inputs->count; i++)
        unique &= strcmp(names[i - 1], names[i]) != 0;
    mem_free(names);
    for (size_t i = 0; i < inputs->count; i++) {
        const char *path = path_of(&inputs->list[i]);
        inputs->list[i].shown = unique ? base_name(path) : path;
    }
    return STATUS_OK;
}

enum status blk_inputs_open(const struct settings *settings, const uint8_t *key, struct blk_inputs *inputs,
                            struct fault *fault)
{
    size_t paths = settings->operands_count, capacity = 0;
    inputs->dirs = mem_alloc(paths, sizeof *inputs->dirs);
    if (!inputs->dirs)
        return fault_nomem(fault);
    for (size_t d = 0; d < paths; d++) {
        struct blkdir *dir = &inputs->dirs[d];
        enum status status = blkdir_open_any(settings->operands[d], key, dir, fault);
        if (status != STATUS_OK)
            return status;
        inputs->dirs_count = d + 1;
        status = blkdir_check_access(dir, fault);
        if (status == STATUS_OK)
            status = blkdir_check_key(dir, fault);
        if (status != STATUS_OK)
            return status;
        if (mem_reserve(&inputs->list, &capacity, inputs->count + dir->count, sizeof *inputs->list) != STATUS_OK)
            return fault_nomem(fault);
        for (size_t i = 0; i < dir->count; i++)
            inputs->list[inputs->count++] = (struct blk_input){.dir = dir, .index = i};
    }
    return name_inputs(inputs, fault);
}

static void scan_input(void *context, unsigned worker, size_t item)
{
    (void)worker;
    struct blk_inputs *inputs = context;
    struct blk_input *input = &inputs->list[item];
    input->status = blk_scan_file(input->dir, input->index, NULL, &input->scan, &input->fault);
}

enum status blk_inputs_scan(struct blk_inputs *inputs, unsigned threads, struct fault *fault)
{
    enum status status = parallel_for(threads, inputs->count, scan_input, inputs, fault);
    for (size_t i = 0; i < inputs->count && status == STATUS_OK; i++) {
        const struct blk_input *input = &inputs->list[i];
        if (input->status == STATUS_OK || (input->status == STATUS_IO && inputs->count > 1))
            continue;
        status = input->status;
        *fault = input->fault;
    }
    return status;
}

static enum status find_in_files(const struct blk_inputs *inputs, const struct blkdir *dir, struct findings *findings,
                                 struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < inputs->count && status == STATUS_OK; i++) {
        const struct blk_input *input = &inputs->list[i];
        if (input->dir != dir)
            continue;
        if (input->status == STATUS_IO)
            status = findings_add_unreadable(findings, (uint32_t)input->index, &input->fault, fault);
        else
            status = findings_add_scan(findings, (uint32_t)input->index, &input->scan, input->last_repeated, fault);
    }
    return status;
}

enum status blk_inputs_report(const struct blk_inputs *inputs, uint64_t *damages, struct fault *fault)
{
    struct node_blocks loud = {.progress = {.quiet = false}};
    const struct ingest_options say = {.damage = node_blocks_damage, .message = node_blocks_message, .context = &loud};
    enum status status = STATUS_OK;
    for (size_t d = 0; d < inputs->dirs_count && status == STATUS_OK; d++) {
        struct findings findings = {0};
        status = find_in_files(inputs, &inputs->dirs[d], &findings, fault);
        if (status == STATUS_OK)
            findings_report(&findings, &inputs->dirs[d], &say, damages);
        findings_free(&findings);
    }
    return status;
}

void blk_inputs_free(struct blk_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        blk_scan_free(&inputs->list[i].scan);
    for (size_t d = 0; d < inputs->dirs_count; d++)
        blkdir_free(&inputs->dirs[d]);
    mem_free(inputs->list);
    mem_free(inputs->dirs);
}
