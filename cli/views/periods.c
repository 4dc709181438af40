#include "cli/views/periods.h"

#include <stdio.h>
#include <time.h>

#include "cli/inputs/opened_store.h"
#include "cli/output/text.h"
#include "cli/views/chart.h"
#include "cli/views/html.h"
#include "parser/mem.h"
#include "parser/money.h"

static const char *const by_names[] = {"total", "block", "day", "month", "year"};

enum by by_parse(const char *name)
{
    for (unsigned i = 0; i < sizeof by_names / sizeof *by_names; i++) {
        if (strcmp(name, by_names[i]) == 0)
            return (enum by)i;
    }
    return BY_TOTAL;
}

uint32_t period_key(enum by by, const struct block_record *block)
{
    time_t seconds = block->time;
    struct tm date;
    if (by == BY_TOTAL)
        return 0;
    if (by == BY_BLOCK)
        return block->height;
    gmtime_r(&seconds, &date);
    uint32_t year = (uint32_t)date.tm_year + 1900, month = (uint32_t)date.tm_mon + 1;
    if (by == BY_YEAR)
        return year;
    return by == BY_MONTH ? year * 100 + month : (year * 100 + month) * 100 + (uint32_t)date.tm_mday;
}

struct period *periods_find(struct periods *periods, uint32_t key)
{
    size_t at = periods->count;
    while (at > 0 && periods->rows[at - 1].key > key)
        at--;
    if (at > 0 && periods->rows[at - 1].key == key)
        return &periods->rows[at - 1];
    if (mem_reserve(&periods->rows, &periods->capacity, periods->count + 1, sizeof *periods->rows) != STATUS_OK)
        return NULL;
    memmove(periods->rows + at + 1, periods->rows + at, (periods->count - at) * sizeof *periods->rows);
    periods->rows[at] = (struct period){.key = key};
    periods->count++;
    return &periods->rows[at];
}

/* Values are whatever a block says: a sum that does not fit stays at the largest number. */
void period_add(struct period *period, const struct block_counts *counts)
{
    period->blocks++;
    period->txs += counts->txs;
    period->inputs += counts->inputs;
    period->outputs += counts->outputs;
    for (unsigned k = 0; k < KINDS; k++) {
        period->kind_count[k] += counts->kind_count[k];
        period->kind_value_sat[k] = add_saturating(period->kind_value_sat[k], counts->kind_value_sat[k]);
    }
    for (unsigned r = 0; r < RULES; r++)
        period->unknown_txs[r] += counts->unknown_txs[r];
}

/* A chain of so many seconds is counted by day, a longer one by month. */
#define BY_DAY_MAX (92u * 86400u)

static enum by by_of_chain(const struct forest *forest)
{
    uint32_t first = UINT32_MAX, last = 0;
    uint32_t begin = forest->first_height;
    for (uint32_t i = begin == 0 ? forest->blocks > 1 : begin; i < forest->blocks; i++) {
        first = forest->block_times[i] < first ? forest->block_times[i] : first;
        last = forest->block_times[i] > last ? forest->block_times[i] : last;
    }
    return last - first <= BY_DAY_MAX ? BY_DAY : BY_MONTH;
}

static enum status add_batch(struct periods *periods, struct batch_view *view)
{
    struct block_record block;
    enum status status;
    while ((status = batch_next_block(view, &block)) == STATUS_OK) {
        struct period *period = periods_find(periods, period_key(periods->by, &block));
        if (!period)
            return STATUS_NOMEM;
        period_add(period, &block.counts);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status periods_of_store(const struct store *store, const struct forest *forest, struct periods *periods,
                             struct fault *fault)
{
    struct store_reader *reader = NULL;
    *periods = (struct periods){.by = by_of_chain(forest)};
    enum status status = store_reader_open(store, &reader, fault);
    size_t batches = status == STATUS_OK ? store_batches(reader) : 0;
    for (size_t b = 0; b < batches && status == STATUS_OK; b++) {
        struct batch_view view;
        if ((status = opened_store_go_on(fault)) != STATUS_OK ||
            (status = store_whole_batch(reader, b, &view, fault)) != STATUS_OK)
            break;
        status = add_batch(periods, &view);
        if (status == STATUS_FORMAT)
            status = opened_store_damaged(store, view.first_height, fault);
        else if (status == STATUS_NOMEM)
            status = fault_nomem(fault);
    }
    if (reader)
        store_reader_close(reader);
    return status;
}

char *period_put(char *p, enum by by, uint32_t key)
{
    if (by == BY_TOTAL)
        return put_text(p, by_names[BY_TOTAL]);
    if (by == BY_BLOCK || by == BY_YEAR)
        return put_u64(p, key);
    unsigned month = by == BY_DAY ? key / 100 : key;
    p += sprintf(p, "%04u-%02u", month / 100, month % 100);
    return by == BY_DAY ? p + sprintf(p, "-%02u", key % 100) : p;
}

/* Several periods share a bar where there are more than so many. */
#define BARS_MOST 240u

static unsigned days_in(unsigned year, unsigned month)
{
    static const unsigned days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[(month + 11) % 12] + (month == 2 && leap);
}

/* From the first day of a period to the last one of another, both by day or by month. */
static void put_days(char out[32], enum by by, uint32_t first, uint32_t last)
{
    char from[PERIOD_TEXT + 1], to[PERIOD_TEXT + 1];
    *period_put(from, by, first) = '\0';
    *period_put(to, by, last) = '\0';
    if (by == BY_DAY)
        snprintf(out, 32, "%.10s..%.10s", from, to);
    else
        snprintf(out, 32, "%.7s-01..%.7s-%02u", from, to, days_in(last / 100, last % 100));
}

enum status periods_put_kind(struct printer *printer, const struct periods *periods, enum kind kind, const char *remark,
                             const char *link)
{
    size_t each = periods->count / BARS_MOST + 1, count = (periods->count + each - 1) / each;
    struct chart_bar *bars = mem_alloc(count, sizeof *bars);
    char what[128], number[GROUPED_SIZE];
    uint64_t sum = 0;
    if (!bars)
        return STATUS_NOMEM;
    for (size_t i = 0; i < periods->count; i++) {
        struct chart_bar *bar = &bars[i / each];
        char *label = bar->label;
        bar->value += periods->rows[i].kind_count[kind];
        bool ends = i % each == each - 1 || i + 1 == periods->count;
        if (ends && i % each > 0)
            label = put_text(label + strlen(label), " to ");
        if (i % each == 0 || ends)
            *period_put(label, periods->by, periods->rows[i].key) = '\0';
        put_days(bar->range, periods->by, periods->rows[i / each * each].key, periods->rows[i].key);
        sum += periods->rows[i].kind_count[kind];
    }
    snprintf(what, sizeof what, "%s: outputs %s%s%s%s", kind_name(kind), grouped(number, sum), remark ? " (" : "",
             remark ? remark : "", remark ? ")" : "");
    chart_bars(printer, what, bars, count, link);
    mem_free(bars);
    return STATUS_OK;
}

void periods_put_kind_rows(struct printer *printer, const struct periods *periods, const char *link)
{
    static const enum kind kinds[] = {KIND_NONSTANDARD, KIND_NULLDATA, KIND_PUBKEY, KIND_MULTISIG};
    for (size_t i = 0; i < periods->count; i++) {
        char label[PERIOD_TEXT + 1], days[32];
        *period_put(label, periods->by, periods->rows[i].key) = '\0';
        put_days(days, periods->by, periods->rows[i].key, periods->rows[i].key);
        PRINT(printer, "<tr><th scope=\"row\">%s%s%s%s%s%s</th>", link ? "<a href=\"" : "", link ? link : "",
              link ? days : "", link ? "\">" : "", label, link ? "</a>" : "");
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            html_number(printer, periods->rows[i].kind_count[kinds[k]]);
        PRINT(printer, "</tr>\n");
    }
}

void periods_free(struct periods *periods)
{
    mem_free(periods->rows);
    periods->rows = NULL;
    periods->count = periods->capacity = 0;
}
