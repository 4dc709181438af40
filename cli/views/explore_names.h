/* explore_names: names of known scripts and labels as links to the T-DAGs that have them. A label is as long as its
 * file has it: where it is longer than LABEL_WHOLE, pages show its beginning, and an address has that and some digits
 * of its hash, so that neither a page nor an address grows with it.
 *
 * Thread rule: as explore_page.h. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_NAMES_H
#define UNKTX_CLI_VIEWS_EXPLORE_NAMES_H

#include "cli/views/explore.h"

/* Of one cell of a table; how many more there are is said. */
#define EXPLORE_NAMES_MOST 6u
#define EXPLORE_LABELS_MOST 4u

#define LABEL_WHOLE 64u  /* bytes */
#define LABEL_PART 48u   /* of a longer one, or some less where a character would be cut */
#define LABEL_DIGITS 16u /* of its SHA-256 */
/* A label as the filter has it, with a terminator. */
#define EXPLORE_LABEL_SIZE (LABEL_WHOLE + LABEL_DIGITS + 8u)
void explore_label_value(char out[EXPLORE_LABEL_SIZE], const char *label);
/* The label's id, of a label in full or of such a value. O(log n + labels that begin with the same LABEL_PART). */
bool explore_label_find(const struct address_labels *labels, const char *value, uint32_t *id);

/* The first `most` names in the set. */
void explore_put_names(struct explore_request *request, const struct name_set *names, size_t most);
/* A label, by its id. */
void explore_put_label(struct explore_request *request, uint32_t id);
/* The first `most` of some labels. */
void explore_put_span(struct explore_request *request, const struct address_labels *labels,
                      const struct label_span *span, size_t most);
/* The labels of a T-DAG as a cell of a table, which without --labels has no such column; `dag` may be 0. */
void explore_put_labels_cell(struct explore_request *request, uint32_t dag);

#endif
