/* paper_merges: which exact classes are one by the paper's equality (classify/paper_class.h), for `unktx dags
 * --paper-classes`. */
#ifndef UNKTX_CLI_VIEWS_PAPER_MERGES_H
#define UNKTX_CLI_VIEWS_PAPER_MERGES_H

#include "classify/paper_class.h"
#include "cli/output/printer.h"

/* The value of "paper_classes" in summary.json: the numbers, and all merged classes as lists of class ids. */
void paper_merges_json(struct printer *printer, const struct paper_classes *paper, const struct classes *classes);
/* The same for people, of the classes that come first in classes.csv. */
void paper_merges_print(struct printer *printer, const struct paper_classes *paper, const struct classes *classes);

#endif
