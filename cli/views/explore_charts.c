#include "cli/views/explore_charts.h"

#include <math.h>
#include <stdio.h>

#include "cli/views/chart.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"
#include "parser/log10.h"

/* As wide as a telephone, so that nothing is out of its sight. */
#define WIDTH 360.0
#define LEFT 72.0
#define RIGHT 344.0
#define LABEL_WIDE 48.0 /* of a number below an axis */

/* ---- what is counted ---- */

/* The least first_time of a bin of the list's time line. */
static uint64_t begin_of_bin(const struct explore_list *list, unsigned bin)
{
    uint64_t span = list->last_time - list->first_time + 1;
    /* the least time t with (t - first) * BINS / span == bin */
    return list->first_time + (bin * span + EXPLORE_BINS - 1) / EXPLORE_BINS;
}

static void count_in(struct explore_cell *cell, uint32_t dag)
{
    if (cell->count++ == 0)
        cell->dag = dag;
}

static void find_span(const struct explore_rules *rules, struct explore_list *list)
{
    uint32_t first = UINT32_MAX, last = 0;
    for (size_t w = 0; w < list->words; w++) {
        for (uint64_t left = list->bits[w]; left; left &= left - 1) {
            uint32_t time = rules->first_times[64 * w + (size_t)__builtin_ctzll(left) - 1];
            first = time < first ? time : first;
            last = time > last ? time : last;
        }
    }
    list->first_time = list->count > 0 ? first : 0;
    list->last_time = last;
}

/* A bin is found by a product, which may be one too low or too high, and set right: a division for each T-DAG costs
 * more than all else. */
void explore_charts_count(const struct explore_rules *rules, struct explore_list *list)
{
    uint64_t from[EXPLORE_BINS + 1];
    find_span(rules, list);
    double scale = EXPLORE_BINS / (double)(list->last_time - list->first_time + 1);
    for (unsigned i = 0; i <= EXPLORE_BINS; i++)
        from[i] = begin_of_bin(list, i);
    for (size_t w = 0; w < list->words; w++) {
        for (uint64_t left = list->bits[w]; left; left &= left - 1) {
            uint32_t dag = (uint32_t)(64 * w) + (uint32_t)__builtin_ctzll(left);
            uint64_t time = rules->first_times[dag - 1];
            uint32_t cell = rules->cells[dag - 1], bin = (uint32_t)((double)(time - list->first_time) * scale);
            bin = bin < EXPLORE_BINS ? bin : EXPLORE_BINS - 1;
            bin -= bin > 0 && time < from[bin];
            bin += time >= from[bin + 1];
            count_in(&list->times[bin], dag);
            count_in(&list->cells[cell / EXPLORE_DECADES][cell % EXPLORE_DECADES], dag);
        }
    }
}

/* ---- links ---- */

/* To the T-DAG where there is one, else to the list that `more` (fields of a query) narrows down. */
static void put_link(struct explore_request *request, const struct explore_cell *cell, const char *const *without,
                     const char *more)
{
    char address[EXPLORE_TDAG_SIZE];
    if (cell->count == 1) {
        PRINT(&request->page, "<a href=\"/%s/%s\">", rules_name(request->rules),
              explore_tdag_address(request, cell->dag, address));
        return;
    }
    PRINT(&request->page, "<a href=\"/%s/tdags", rules_name(request->rules));
    explore_put_query(&request->page, request->target, without);
    PRINT(&request->page, "%s\">", more);
}

/* ---- a time line ---- */

/* As high as the chart beside it; explore_script marks what is chosen between the top and the bottom. */
#define TIMES_HEIGHT 292.0
#define TIMES_TOP 26.0
#define TIMES_BOTTOM 250.0

static const char *const without_time[] = {"first_time", "page", NULL};

struct bin {
    uint64_t from; /* seconds */
    uint64_t to;
};

static struct bin bin_of(const struct explore_list *list, unsigned i)
{
    return (struct bin){begin_of_bin(list, i), begin_of_bin(list, i + 1) - 1};
}

static void put_bin_link(struct explore_request *request, const struct explore_list *list, unsigned i)
{
    struct bin bin = bin_of(list, i);
    char more[96];
    snprintf(more, sizeof more, "first_time=%llu..%llu", ULL(bin.from), ULL(bin.to));
    put_link(request, &list->times[i], without_time, more);
}

static void put_bar(struct explore_request *request, const struct explore_list *list, unsigned i, uint32_t most)
{
    struct printer *page = &request->page;
    struct bin bin = bin_of(list, i);
    double wide = (RIGHT - LEFT) / EXPLORE_BINS, high = (TIMES_BOTTOM - TIMES_TOP) * list->times[i].count / most;
    char from[CHART_TIME_SIZE], number[GROUPED_SIZE];
    high = high < 3 ? 3 : high;
    put_bin_link(request, list, i);
    PRINT(page,
          "<rect class=\"b\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>from %s: %s T-DAG%s"
          "</title></rect></a>\n",
          LEFT + wide * i, TIMES_BOTTOM - high, wide - 1, high, chart_time(from, bin.from),
          grouped(number, list->times[i].count), list->times[i].count == 1 ? "" : "s");
}

static void put_times(struct explore_request *request, const struct explore_list *list)
{
    struct printer *page = &request->page;
    char time[CHART_TIME_SIZE], number[GROUPED_SIZE];
    uint32_t most = 1;
    for (unsigned i = 0; i < EXPLORE_BINS; i++)
        most = list->times[i].count > most ? list->times[i].count : most;
    PRINT(page,
          "<svg class=\"chart brush\" role=\"group\" aria-label=\"T-DAGs by time of their first transaction\" "
          "viewBox=\"0 0 %.0f %.0f\" data-first=\"%llu\" data-last=\"%llu\" data-left=\"%.0f\" data-right=\"%.0f\">\n"
          "<text x=\"4\" y=\"15\" class=\"h\">T-DAGs by time of their first transaction</text>\n<path class=\"g\" "
          "d=\"M%.1f %.1fH%.1f\"/>\n<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
          WIDTH, TIMES_HEIGHT, ULL(list->first_time), ULL(list->last_time), LEFT, RIGHT, LEFT, TIMES_BOTTOM, RIGHT,
          LEFT - 6, TIMES_TOP + 4, grouped(number, most));
    for (unsigned i = 0; i < EXPLORE_BINS; i++) {
        if (list->times[i].count > 0)
            put_bar(request, list, i, most);
    }
    PRINT(page, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", LEFT, TIMES_BOTTOM + 18, chart_time(time, list->first_time));
    PRINT(page, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n</svg>\n", RIGHT, TIMES_BOTTOM + 18,
          chart_time(time, list->last_time));
}

/* ---- values over heights ---- */

#define CELLS_TOP 30.0
#define CELLS_BOTTOM 250.0
#define CELLS_HEIGHT 292.0

static const char *const without_cell[] = {"height", "moved_value_sat", "page", NULL};

struct bounds {
    unsigned power_first; /* with something in them */
    unsigned power_end;
    unsigned decade_first;
    unsigned decade_end;
    uint32_t most;
};

static struct bounds bounds_of(const struct explore_list *list)
{
    struct bounds bounds = {.power_first = EXPLORE_POWERS, .decade_first = EXPLORE_DECADES};
    for (unsigned p = 0; p < EXPLORE_POWERS; p++) {
        for (unsigned d = 0; d < EXPLORE_DECADES; d++) {
            uint32_t count = list->cells[p][d].count;
            if (count == 0)
                continue;
            bounds.power_first = p < bounds.power_first ? p : bounds.power_first;
            bounds.power_end = p + 1;
            bounds.decade_first = d < bounds.decade_first ? d : bounds.decade_first;
            bounds.decade_end = d + 1 > bounds.decade_end ? d + 1 : bounds.decade_end;
            bounds.most = count > bounds.most ? count : bounds.most;
        }
    }
    return bounds;
}

/* A field of a query: what is in the range and in the filter of that column too; a last end of all is left out. */
static int put_range(char *out, size_t size, const struct explore_filter *filter, const char *name, uint64_t low,
                     uint64_t high)
{
    unsigned column = explore_column_find(name);
    low = filter->low[column] > low ? filter->low[column] : low;
    high = filter->high[column] < high ? filter->high[column] : high;
    if (high == UINT64_MAX)
        return snprintf(out, size, "%s=%llu..", name, ULL(low));
    return snprintf(out, size, "%s=%llu..%llu", name, ULL(low), ULL(high));
}

/* Heights and satoshis of a cell, as a query has them. The last of each has no end. */
static void put_ranges(char out[160], const struct explore_filter *filter, unsigned power, unsigned decade)
{
    uint64_t low = 0, high = 0;
    for (unsigned i = 0; i < decade; i++) {
        low = high + 1;
        high = 10 * high + 9;
    }
    high = decade + 1 < EXPLORE_DECADES ? high : UINT64_MAX;
    int size = put_range(out, 160, filter, "height", 1u << power,
                         power + 1 < EXPLORE_POWERS ? (2u << power) - 1 : UINT64_MAX);
    size += snprintf(out + size, 160 - (size_t)size, "&amp;");
    put_range(out + size, 160 - (size_t)size, filter, "moved_value_sat", low, high);
}

static const char *label_of_decade(char out[64], unsigned decade)
{
    static const char *const labels[] = {"0",     "1 sat",  "10 sat",  "100 sat",   "0.00001",    "0.0001",
                                         "0.001", "0.01",   "0.1",     "1 BTC",     "10",         "100",
                                         "1,000", "10,000", "100,000", "1,000,000", "10,000,000", "100,000,000"};
    snprintf(out, 64, "%s", labels[decade]);
    return out;
}

static void put_circle(struct explore_request *request, const struct explore_list *list, const struct bounds *bounds,
                       unsigned power, unsigned decade)
{
    struct printer *page = &request->page;
    const struct explore_cell *cell = &list->cells[power][decade];
    double wide = (RIGHT - LEFT) / (bounds->power_end - bounds->power_first),
           high = (CELLS_BOTTOM - CELLS_TOP) / (bounds->decade_end - bounds->decade_first),
           largest = (wide < high ? wide : high) / 2 - 1, radius;
    char more[160], number[GROUPED_SIZE], label[64];
    largest = largest < 5 ? 5 : largest > 14 ? 14 : largest;
    radius = 4 +
             (largest - 4) * (bounds->most > 1 ? log10_of((double)cell->count) / log10_of((double)bounds->most) : 0);
    put_ranges(more, &list->filter, power, decade);
    put_link(request, cell, without_cell, more);
    PRINT(page,
          "<circle class=\"b\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>%s T-DAG%s of height %u%s, value moved "
          "from %s</title></circle></a>\n",
          LEFT + wide * (power - bounds->power_first + 0.5),
          CELLS_BOTTOM - high * (decade - bounds->decade_first + 0.5), radius, grouped(number, cell->count),
          cell->count == 1 ? "" : "s", 1u << power, power > 0 ? " and more" : "", label_of_decade(label, decade));
}

static void put_axes(struct printer *page, const struct bounds *bounds)
{
    double wide = (RIGHT - LEFT) / (bounds->power_end - bounds->power_first),
           high = (CELLS_BOTTOM - CELLS_TOP) / (bounds->decade_end - bounds->decade_first);
    char label[64];
    unsigned step = wide < LABEL_WIDE ? (unsigned)ceil(LABEL_WIDE / wide) : 1;
    for (unsigned p = bounds->power_first; p < bounds->power_end; p += step)
        PRINT(page, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%u</text>\n",
              LEFT + wide * (p - bounds->power_first + 0.5), CELLS_BOTTOM + 16, 1u << p);
    for (unsigned d = bounds->decade_first; d < bounds->decade_end; d++) {
        double y = CELLS_BOTTOM - high * (d - bounds->decade_first);
        PRINT(page,
              "<path class=\"g\" d=\"M%.1f %.1fH%.1f\"/>\n<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s"
              "</text>\n",
              LEFT, y, RIGHT, LEFT - 6, y - high / 2 + 4, label_of_decade(label, d));
    }
    PRINT(page, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">height, from</text>\n", (LEFT + RIGHT) / 2,
          CELLS_BOTTOM + 34);
}

static void put_cells(struct explore_request *request, const struct explore_list *list)
{
    struct printer *page = &request->page;
    struct bounds bounds = bounds_of(list);
    PRINT(page,
          "<svg class=\"chart\" role=\"group\" aria-label=\"T-DAGs by height and value moved\" viewBox=\"0 0 "
          "%.0f %.0f\">\n<text x=\"4\" y=\"15\" class=\"h\">T-DAGs by height and value moved</text>\n",
          WIDTH, CELLS_HEIGHT);
    put_axes(page, &bounds);
    for (unsigned p = 0; p < EXPLORE_POWERS; p++) {
        for (unsigned d = 0; d < EXPLORE_DECADES; d++) {
            if (list->cells[p][d].count > 0)
                put_circle(request, list, &bounds, p, d);
        }
    }
    PRINT(page, "</svg>\n");
}

/* ---- as tables ---- */

static void put_times_table(struct explore_request *request, const struct explore_list *list)
{
    char from[CHART_TIME_SIZE];
    explore_begin_table(request, "T-DAGs by time of their first transaction", "from (UTC)|T-DAGs");
    for (unsigned i = 0; i < EXPLORE_BINS; i++) {
        if (list->times[i].count == 0)
            continue;
        PRINT(&request->page, "<tr><th scope=\"row\">");
        put_bin_link(request, list, i);
        PRINT(&request->page, "%s</a></th>", chart_time(from, bin_of(list, i).from));
        html_number(&request->page, list->times[i].count);
        PRINT(&request->page, "</tr>\n");
    }
    explore_end_table(request);
}

static void put_cells_table(struct explore_request *request, const struct explore_list *list)
{
    char label[64], more[160];
    explore_begin_table(request, "T-DAGs by height and value moved", "height, from|value moved, from|T-DAGs");
    for (unsigned p = 0; p < EXPLORE_POWERS; p++) {
        for (unsigned d = 0; d < EXPLORE_DECADES; d++) {
            if (list->cells[p][d].count == 0)
                continue;
            put_ranges(more, &list->filter, p, d);
            PRINT(&request->page, "<tr><td class=\"n\">");
            put_link(request, &list->cells[p][d], without_cell, more);
            PRINT(&request->page, "%u</a></td><td class=\"n\">%s</td>", 1u << p, label_of_decade(label, d));
            html_number(&request->page, list->cells[p][d].count);
            PRINT(&request->page, "</tr>\n");
        }
    }
    explore_end_table(request);
}

void explore_put_charts(struct explore_request *request, const struct explore_list *list)
{
    if (list->count == 0)
        return;
    html_begin_section(&request->page, "charts", "These T-DAGs as charts");
    PRINT(&request->page, "<p>A mark that stands for one T-DAG leads to it, any other one to a list of those that it "
                          "stands for.<span class=\"scripted\"> Drag over the time line to choose a part of "
                          "it.</span></p>\n");
    PRINT(&request->page, "<div class=\"charts two\">\n");
    put_times(request, list);
    put_cells(request, list);
    PRINT(&request->page, "</div>\n");
    PRINT(&request->page, "<details><summary>The numbers behind the charts</summary>\n");
    put_times_table(request, list);
    put_cells_table(request, list);
    PRINT(&request->page, "</details>\n</section>\n");
}
