/* report_page: the parts of the page of `unktx report` that are the same for every chain. */
#ifndef UNKTX_CLI_VIEWS_REPORT_PAGE_H
#define UNKTX_CLI_VIEWS_REPORT_PAGE_H

extern const char report_style[], report_top[];

/* Makes the heads of tables buttons that sort, adds the search, reads points of charts off, and opens what a link leads
 * to. Without it the page has all its content. */
extern const char report_script[];

#endif
