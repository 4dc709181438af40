/* explore_search: what the two parts of a search share: the page of what was found is written line by line.
 *
 * Thread rule: a search is one request's. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_SEARCH_H
#define UNKTX_CLI_VIEWS_EXPLORE_SEARCH_H

#include "cli/inputs/operand.h"
#include "cli/views/explore.h"

#define SEARCH_LISTED 20u /* of each kind of thing; the rest is counted */

struct search {
    struct explore_request *request;
    char word[TARGET_MAX + 1]; /* without space around it */
    struct operand operand;
    bool is_operand; /* a prefix in hexadecimal digits, or an outpoint */
    uint64_t found;
    const char *what; /* was found last: a static string; NULL: nothing */
    uint64_t listed;  /* of these, or left out */
    bool left_out;
    bool or_more;   /* a search for what begins so ended at its bound: there may be more */
    char only[600]; /* address of the first that was found; "": it has none */
};

/* Begins a line of the list with `what` was found, a static string; the caller goes on with a link. false: of these
 * there are enough, and it is only counted. */
bool search_add(struct search *search, const char *what);
/* Where the line leads, after the rule set: what is found alone is shown at once. */
void search_remember(struct search *search, const char *address);
void search_end_line(struct search *search);

/* What outputs are, show and have. STATUS_BUSY: that is being looked for. */
enum status search_outputs(struct search *search, struct fault *fault) MUST_CHECK;

#endif
