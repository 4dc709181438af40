#include "cli/output/timings_file.h"

#include <stdio.h>

#include "cli/output/listed.h"
#include "cli/output/message.h"
#include "parser/timings.h"

#define SECOND_NS 1000000000

const struct option option_timings = {
    .name = "timings",
    .type = OPTION_TEXT,
    .value = "FILE",
    .field = offsetof(struct settings, timings),
    .help = "write a table of where the time went, for each stage and thread, - for stdout",
};

enum status timings_file_begin(struct timings_file *timings, const struct settings *settings, struct fault *fault)
{
    if (!settings->timings)
        return STATUS_OK;
    enum status status = settings->out ? listed_refuse_own(settings->timings, settings->out, "--timings", fault)
                                       : STATUS_OK;
    if (status == STATUS_OK)
        status = outfile_open(&timings->file, settings->timings, fault);
    if (status == STATUS_OK)
        status = timings_begin((unsigned)settings->threads, fault);
    timings->path = settings->timings;
    return status;
}

/* ---- the table ---- */

static uint64_t of_wait(const struct timing *timing, enum timing_wait wait)
{
    uint64_t ns = 0;
    for (unsigned scope = TIMING_ALONE; scope < TIMING_SCOPES; scope++)
        ns += timing->ns[scope][wait];
    return ns;
}

/* Without what waits for other threads, which is none of the scope's work. */
static uint64_t of_scope(const struct timing *timing, enum timing_scope scope)
{
    return timing->ns[scope][TIMING_BUSY] + timing->ns[scope][TIMING_LOCK] + timing->ns[scope][TIMING_DISK];
}

static uint64_t idle_of(const struct timing *timing)
{
    uint64_t ns = 0;
    for (unsigned wait = 0; wait < TIMING_WAITS; wait++)
        ns += timing->ns[TIMING_NOTHING][wait];
    return ns;
}

/* All nine digits, so that the cells of a row add up. */
static enum status put_seconds(struct text *text, uint64_t ns)
{
    return text_printf(text, ",%llu.%09llu", (unsigned long long)(ns / SECOND_NS),
                       (unsigned long long)(ns % SECOND_NS));
}

static enum status put_row(struct text *text, const char *stage, const char *thread, const struct timing *timing)
{
    const uint64_t ns[] = {timing_sum(timing),
                           of_wait(timing, TIMING_BUSY),
                           of_wait(timing, TIMING_LOCK),
                           of_wait(timing, TIMING_DISK),
                           of_wait(timing, TIMING_ORDER),
                           of_wait(timing, TIMING_THREADS),
                           idle_of(timing),
                           of_scope(timing, TIMING_ALONE),
                           of_scope(timing, TIMING_IN_TURN),
                           timing->longest_ns};
    enum status status = text_printf(text, "%s,%s", stage, thread);
    for (size_t i = 0; i < sizeof ns / sizeof *ns && status == STATUS_OK; i++)
        status = put_seconds(text, ns[i]);
    return status == STATUS_OK ? text_printf(text, ",%llu,%llu\n", (unsigned long long)timing->read_bytes,
                                             (unsigned long long)timing->written_bytes)
                               : status;
}

static enum status put_rows(struct text *text, const struct timings *timings)
{
    enum status status = schema_put_header(text, &schema_timings, 0);
    for (unsigned stage = 0; stage < timings->stages_count; stage++)
        for (unsigned i = 0; i <= timings->threads_count && status == STATUS_OK; i++) {
            const struct timing *timing = &timings->threads[i].stages[stage];
            char number[16];
            snprintf(number, sizeof number, "%u", i);
            bool is_helper = i == timings->threads_count;
            if (!is_helper || timing_sum(timing) > idle_of(timing))
                status = put_row(text, timings->stages[stage], is_helper ? "writer" : number, timing);
        }
    return status;
}

static enum status write_table(struct timings_file *timings, const struct timings *counted, struct fault *fault)
{
    struct text text = {0};
    enum status status = put_rows(&text, counted);
    if (status != STATUS_OK)
        status = fault_nomem(fault);
    if (status == STATUS_OK && timings->file.is_new) /* what the command itself has written there since */
        status = listed_refuse(timings->path, fault);
    if (status == STATUS_OK)
        status = outfile_flush(&timings->file, &text, fault);
    text_free(&text);
    return outfile_finish(&timings->file, status, fault);
}

int timings_file_end(struct timings_file *timings, int exit_status)
{
    struct timings counted;
    struct fault fault = {0};
    timings_end(&counted);
    enum status status = STATUS_OK;
    if (timings->path && counted.threads_count > 0 && (exit_status == EXIT_DONE || exit_status == EXIT_DAMAGED))
        status = write_table(timings, &counted, &fault);
    outfile_abort(&timings->file);
    timings_free(&counted);
    return status == STATUS_OK ? exit_status : message_result(status, &fault);
}
