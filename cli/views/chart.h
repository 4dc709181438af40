/* chart: small charts as SVG, 360 units wide so that their text stays legible on a phone. They need svg_style.
 * Bars, points and stems have a tooltip, and every chart a title that says in words what it shows. */
#ifndef UNKTX_CLI_VIEWS_CHART_H
#define UNKTX_CLI_VIEWS_CHART_H

#include "cli/output/printer.h"

struct chart_bar {
    uint64_t value;
    char label[80];
    char range[32]; /* what follows `link` */
};

/* Bars from 0, side by side in the order given; the largest is labelled. `what` is plain text. Each bar leads to `link`
 * (of an address in HTML) with its range after it; NULL: nowhere. */
void chart_bars(struct printer *printer, const char *what, const struct chart_bar *bars, size_t count,
                const char *link);

/* How many things have each value, both axes logarithmic. Values from 10 on are put together in 24 steps a decade. */
#define CHART_STEPS 24u
#define CHART_BINS (20u * CHART_STEPS)
struct chart_counts {
    uint64_t bins[CHART_BINS];
    uint64_t least[CHART_BINS]; /* the smallest value in the bin */
};
/* Zero-initialise; a value of 0 is not counted. */
void chart_count(struct chart_counts *counts, uint64_t value);
/* Likewise each point, with the range of its values, as 10..19 or 700.. */
void chart_loglog(struct printer *printer, const char *what, const char *axis, const struct chart_counts *counts,
                  const char *link);
/* The range of the values in a bin that has some. At most CHART_RANGE bytes with the end. */
#define CHART_RANGE 48u
const char *chart_range(char out[CHART_RANGE], const struct chart_counts *counts, unsigned bin);

/* Stems at moments, as high as the logarithm of the largest value there. */
#define CHART_COLUMNS 100u
struct chart_times {
    uint64_t first; /* in seconds, set by the caller */
    uint64_t last;  /* likewise */
    uint64_t largest[CHART_COLUMNS];
    uint64_t earliest[CHART_COLUMNS]; /* moment */
    uint32_t count[CHART_COLUMNS];
};
void chart_moment(struct chart_times *times, uint64_t time, uint64_t value_sat);
void chart_timeline(struct printer *printer, const char *what, const struct chart_times *times);

/* "2014-02-19 07:05" (UTC); returns `out`. */
#define CHART_TIME_SIZE 32u
const char *chart_time(char out[CHART_TIME_SIZE], uint64_t time);

#endif
