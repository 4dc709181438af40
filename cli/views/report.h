/* report: the sections of the page of `unktx report`. What it says of the chain is in report_chain.c, of classes and
 * T-DAGs in report_tdags.c. */
#ifndef UNKTX_CLI_VIEWS_REPORT_H
#define UNKTX_CLI_VIEWS_REPORT_H

#include "classify/measures.h"
#include "cli/inputs/opened_forest.h"
#include "cli/output/printer.h"
#include "cli/views/payments.h"
#include "cli/views/periods.h"
#include "cli/views/summary.h"

struct report {
    const struct settings *settings;
    struct opened_forest opened;
    struct summary summary;
    struct known_scripts_held held;
    struct measures_row *measures;
    struct periods periods;
    struct printer printer;
    enum rules rules;
    struct labels_said labels_said;
};

/* Each prints its section; a print that failed shows in report->printer.status. STATUS_NOMEM. */
void report_scanned(struct report *report);
enum status report_kinds(struct report *report) MUST_CHECK;
enum status report_sizes(struct report *report) MUST_CHECK;
enum status report_classes(struct report *report, struct fault *fault) MUST_CHECK;
/* Nothing without --labels. */
void report_labelled(struct report *report);
enum status report_lists(struct report *report, struct fault *fault) MUST_CHECK;

#endif
