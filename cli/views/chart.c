#include "cli/views/chart.h"

#include <stdio.h>
#include <time.h>

#include "parser/log10.h"

#define WIDTH 360.0
#define LEFT 62.0
#define RIGHT 340.0
#define TOP 30.0

const char *chart_time(char out[CHART_TIME_SIZE], uint64_t time)
{
    time_t seconds = (time_t)time;
    struct tm date;
    gmtime_r(&seconds, &date);
    snprintf(out, CHART_TIME_SIZE, "%04d-%02u-%02u %02u:%02u", date.tm_year + 1900, (unsigned)date.tm_mon + 1,
             (unsigned)date.tm_mday, (unsigned)date.tm_hour, (unsigned)date.tm_min);
    return out;
}

/* What has links is no image to a reader of screens, who would not come to them. */
static void begin(struct printer *printer, const char *what, double height, bool has_links)
{
    PRINT(printer,
          "<svg class=\"chart\" role=\"%s\" viewBox=\"0 0 %.0f %.0f\">\n<title>%s</title>\n"
          "<text x=\"4\" y=\"15\" class=\"h\">%s</text>\n",
          has_links ? "group" : "img", WIDTH, height, what, what);
}

static void put_rule(struct printer *printer, double x1, double y1, double x2, double y2)
{
    PRINT(printer, "<path class=\"g\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", x1, y1, x2, y2);
}

/* `anchor`: start, middle or end. */
static void put_label(struct printer *printer, double x, double y, const char *anchor, const char *label)
{
    PRINT(printer, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, label);
}

/* ---- bars ---- */

#define BARS_HEIGHT 180.0
#define BARS_BOTTOM 146.0

/* The next of 1, 2, 5, 10, 20, 50, ... */
static uint64_t round_up(uint64_t value)
{
    static const unsigned steps[] = {1, 2, 5};
    for (uint64_t power = 1; power <= UINT64_MAX / 50; power *= 10) {
        for (unsigned i = 0; i < 3; i++) {
            if (steps[i] * power >= value)
                return steps[i] * power;
        }
    }
    return value;
}

static void begin_mark(struct printer *printer, const char *link, const char *range)
{
    if (link)
        PRINT(printer, "<a href=\"%s%s\">", link, range);
}

static void end_mark(struct printer *printer, const char *link) { PRINT(printer, "%s\n", link ? "</a>" : ""); }

static void put_bar(struct printer *printer, const struct chart_bar *bar, const double box[4], const char *link)
{
    char number[GROUPED_SIZE];
    begin_mark(printer, link, bar->range);
    PRINT(printer,
          "<rect class=\"b\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"><title>%s: %s</title></rect>", box[0],
          box[1], box[2], box[3], bar->label, grouped(number, bar->value));
    end_mark(printer, link);
}

void chart_bars(struct printer *printer, const char *what, const struct chart_bar *bars, size_t count, const char *link)
{
    char number[GROUPED_SIZE];
    size_t peak = 0;
    begin(printer, what, BARS_HEIGHT, link != NULL);
    for (size_t i = 0; i < count; i++)
        peak = bars[i].value > bars[peak].value ? i : peak;
    uint64_t top = round_up(count ? bars[peak].value : 0);
    double wide = (RIGHT - LEFT) / (double)(count ? count : 1), high = BARS_BOTTOM - TOP;
    for (unsigned tick = 0; tick <= 2; tick++) {
        double y = BARS_BOTTOM - high * tick / 2;
        put_rule(printer, LEFT, y, RIGHT, y);
        if (tick != 1 || top % 2 == 0)
            put_label(printer, LEFT - 5, y + 4, "end", grouped(number, top / 2 * tick + (tick == 2 ? top % 2 : 0)));
    }
    for (size_t i = 0; i < count; i++) {
        double tall = high * (double)bars[i].value / (double)top;
        const double box[4] = {LEFT + wide * (double)i, BARS_BOTTOM - tall, wide > 2 ? wide - 0.6 : wide, tall};
        if (bars[i].value)
            put_bar(printer, &bars[i], box, link);
    }
    if (count)
        put_label(printer, LEFT, BARS_BOTTOM + 15, "start", bars[0].label);
    if (count > 1)
        put_label(printer, RIGHT, BARS_BOTTOM + 15, "end", bars[count - 1].label);
    if (count && bars[peak].value)
        PRINT(printer, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">most: %s in %s</text>\n", (LEFT + RIGHT) / 2,
              BARS_BOTTOM + 30, grouped(number, bars[peak].value), bars[peak].label);
    else
        put_label(printer, (LEFT + RIGHT) / 2, (TOP + BARS_BOTTOM) / 2, "middle", "none");
    PRINT(printer, "</svg>\n");
}

/* ---- both axes logarithmic ---- */

#define LOG_HEIGHT 240.0
#define LOG_BOTTOM 192.0

void chart_count(struct chart_counts *counts, uint64_t value)
{
    if (value == 0)
        return;
    /* a power of ten begins a bin, even where its logarithm is a little less than whole */
    unsigned bin = (unsigned)(log10_of((double)value) * CHART_STEPS + 1e-9);
    if (counts->bins[bin] == 0 || value < counts->least[bin])
        counts->least[bin] = value;
    counts->bins[bin]++;
}

static unsigned decades_of(uint64_t value)
{
    unsigned decades = 1;
    for (; value > 10; value = value / 10 + (value % 10 != 0))
        decades++;
    return decades;
}

/* The power of ten: 1, 10, 100, 1,000, then 10 with its exponent raised. */
static const char *power_label(char out[64], unsigned exponent)
{
    static const char *const small[] = {"1", "10", "100", "1,000"};
    if (exponent < 4)
        return small[exponent];
    snprintf(out, 64, "10<tspan dy=\"-4\" font-size=\"8\">%u</tspan>", exponent);
    return out;
}

const char *chart_range(char out[CHART_RANGE], const struct chart_counts *counts, unsigned bin)
{
    unsigned next = bin + 1;
    while (next < CHART_BINS && counts->bins[next] == 0)
        next++;
    int size = snprintf(out, CHART_RANGE, "%llu..", ULL(counts->least[bin]));
    if (next < CHART_BINS)
        snprintf(out + size, CHART_RANGE - (size_t)size, "%llu", ULL(counts->least[next] - 1));
    return out;
}

void chart_loglog(struct printer *printer, const char *what, const char *axis, const struct chart_counts *counts,
                  const char *link)
{
    char a[GROUPED_SIZE], b[GROUPED_SIZE], power[64], range[CHART_RANGE];
    uint64_t most = 1, largest = 1;
    for (unsigned i = 0; i < CHART_BINS; i++) {
        most = counts->bins[i] > most ? counts->bins[i] : most;
        largest = counts->bins[i] ? counts->least[i] : largest;
    }
    unsigned columns = decades_of(largest), rows = decades_of(most);
    double wide = (RIGHT - LEFT) / columns, high = (LOG_BOTTOM - TOP) / rows;
    begin(printer, what, LOG_HEIGHT, link != NULL);
    for (unsigned i = 0; i <= columns; i++) {
        put_rule(printer, LEFT + wide * i, TOP, LEFT + wide * i, LOG_BOTTOM);
        put_label(printer, LEFT + wide * i, LOG_BOTTOM + 16, "middle", power_label(power, i));
    }
    for (unsigned i = 0; i <= rows; i++) {
        put_rule(printer, LEFT, LOG_BOTTOM - high * i, RIGHT, LOG_BOTTOM - high * i);
        put_label(printer, LEFT - 6, LOG_BOTTOM - high * i + 4, "end", power_label(power, i));
    }
    for (unsigned i = 0; i < CHART_BINS; i++) {
        if (counts->bins[i] == 0)
            continue;
        begin_mark(printer, link, chart_range(range, counts, i));
        PRINT(printer,
              "<circle class=\"b\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.2\"><title>%s from %s: %s T-DAGs</title>"
              "</circle>",
              LEFT + wide * log10_of((double)counts->least[i]), LOG_BOTTOM - high * log10_of((double)counts->bins[i]),
              axis, grouped(a, counts->least[i]), grouped(b, counts->bins[i]));
        end_mark(printer, link);
    }
    put_label(printer, (LEFT + RIGHT) / 2, LOG_BOTTOM + 34, "middle", axis);
    PRINT(printer, "<text transform=\"translate(14 %.1f) rotate(-90)\" text-anchor=\"middle\">T-DAGs</text>\n</svg>\n",
          (TOP + LOG_BOTTOM) / 2);
}

/* ---- a time line ---- */

#define TIMES_HEIGHT 116.0
#define TIMES_BOTTOM 82.0
#define TIMES_LEFT 78.0 /* room for eight decimals */

void chart_moment(struct chart_times *times, uint64_t time, uint64_t value_sat)
{
    uint64_t span = times->last - times->first;
    uint64_t column = span ? (time - times->first) * (CHART_COLUMNS - 1) / span : CHART_COLUMNS / 2;
    if (times->count[column]++ == 0 || time < times->earliest[column])
        times->earliest[column] = time;
    times->largest[column] = value_sat > times->largest[column] ? value_sat : times->largest[column];
}

void chart_timeline(struct printer *printer, const char *what, const struct chart_times *times)
{
    char time[CHART_TIME_SIZE];
    uint64_t most = 0;
    for (unsigned i = 0; i < CHART_COLUMNS; i++)
        most = times->largest[i] > most ? times->largest[i] : most;
    double scale = most ? (TIMES_BOTTOM - TOP - 6) / log10_of((double)most + 1) : 0;
    begin(printer, what, TIMES_HEIGHT, false);
    put_rule(printer, TIMES_LEFT, TIMES_BOTTOM, RIGHT, TIMES_BOTTOM);
    for (unsigned i = 0; i < CHART_COLUMNS; i++) {
        char number[GROUPED_SIZE];
        if (times->count[i])
            PRINT(printer,
                  "<path class=\"t\" d=\"M%.1f %.1fv-%.1f\"><title>%s: %s transaction%s, the largest value out " BTC
                  "</title></path>\n",
                  TIMES_LEFT + (RIGHT - TIMES_LEFT) * i / (CHART_COLUMNS - 1), TIMES_BOTTOM,
                  6 + scale * log10_of((double)times->largest[i] + 1), chart_time(time, times->earliest[i]),
                  grouped(number, times->count[i]), times->count[i] == 1 ? "" : "s", BTC_OF(times->largest[i]));
    }
    put_rule(printer, TIMES_LEFT, TOP, RIGHT, TOP);
    PRINT(printer, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.*f</text>\n", TIMES_LEFT - 5, TOP + 4,
          most < 1000000000u     ? 8
          : most < 100000000000u ? 2
                                 : 0,
          (double)most / 1e8);
    put_label(printer, TIMES_LEFT - 5, TIMES_BOTTOM + 4, "end", "0");
    put_label(printer, 4, (TOP + TIMES_BOTTOM) / 2 + 4, "start", "BTC, log");
    put_label(printer, TIMES_LEFT, TIMES_BOTTOM + 16, "start", chart_time(time, times->first));
    put_label(printer, RIGHT, TIMES_BOTTOM + 16, "end", chart_time(time, times->last));
    PRINT(printer, "</svg>\n");
}
