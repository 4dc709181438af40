/* explore_charts: a list of T-DAGs as charts of which every mark is a link: a time line, and values over heights. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_CHARTS_H
#define UNKTX_CLI_VIEWS_EXPLORE_CHARTS_H

#include "cli/views/explore_list.h"

/* A section with both, and their numbers as tables. O(marks). */
void explore_put_charts(struct explore_request *request, const struct explore_list *list);

/* Counts what the charts of a list show, once its bits are set. O(T-DAGs). */
void explore_charts_count(const struct explore_rules *rules, struct explore_list *list);

#endif
