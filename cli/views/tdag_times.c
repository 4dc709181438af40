#include "cli/views/tdag_times.h"

#include <stdio.h>

#include "cli/views/chart.h"
#include "parser/mem.h"

enum status tdag_times_put(struct printer *printer, const struct forest *forest, const struct tdags *tdags,
                           uint32_t dag)
{
    struct chart_times *times = mem_alloc(1, sizeof *times);
    char what[96], number[GROUPED_SIZE];
    if (!times)
        return STATUS_NOMEM;
    times->first = UINT64_MAX;
    for (uint32_t i = tdags->first[dag - 1]; i < tdags->first[dag]; i++) {
        uint32_t time = forest->block_times[forest->txs[tdags->members[i]].height];
        times->first = time < times->first ? time : times->first;
        times->last = time > times->last ? time : times->last;
    }
    for (uint32_t i = tdags->first[dag - 1]; i < tdags->first[dag]; i++) {
        const struct forest_tx *tx = &forest->txs[tdags->members[i]];
        chart_moment(times, forest->block_times[tx->height], tx->value_out_sat);
    }
    snprintf(what, sizeof what, "%s transactions in time, by value out",
             grouped(number, tdags->first[dag] - tdags->first[dag - 1]));
    chart_timeline(printer, what, times);
    mem_free(times);
    return STATUS_OK;
}
