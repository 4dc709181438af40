/* report: the sections of the page of `unktx report`. What it says of the chain is in report_chain.c, of classes in
 * report_classes.c, of T-DAGs in report_lists.c and report_tdags.c; report_page.c has what is the same for every chain.
 *
 * The page is below 2 MB for any chain: what is listed is chosen (report_choose), texts from outside are cut
 * (REPORT_TEXT), drawings are left out once they have taken their share of bytes, and so are the tables of single
 * T-DAGs from a size of the page on. */
#ifndef UNKTX_CLI_VIEWS_REPORT_H
#define UNKTX_CLI_VIEWS_REPORT_H

#include "classify/measures.h"
#include "cli/inputs/opened_forest.h"
#include "cli/output/manifest.h"
#include "cli/output/printer.h"
#include "cli/views/payments.h"
#include "cli/views/periods.h"
#include "cli/views/report_shown.h"
#include "cli/views/summary.h"

#define REPORT_LISTS 4u
#define REPORT_LISTED 9u /* T-DAGs of a list */
#define REPORT_CLASSES 200u
#define REPORT_GROUPS 50u
#define REPORT_TEXT 300u /* bytes of names, labels and the like in one cell */

/* Why a class is in the table. */
#define CLASS_COMMON 1u
#define CLASS_HIGH 2u
#define CLASS_LARGE 4u

/* T-DAGs that come first in some order. */
struct report_list {
    const char *id;
    const char *title;
    const char *caption; /* of the table */
    const char *order;   /* in a sentence or two */
    uint32_t dags[REPORT_LISTED];
    uint32_t count;
};

struct report {
    const struct settings *settings;
    struct opened_forest opened;
    struct summary summary;
    struct known_scripts_held held;
    struct measures_row *measures;
    struct periods periods;
    struct report_shown shown;
    struct payments payments;
    bool linked; /* payments can be asked: there is an index */
    struct report_list lists[REPORT_LISTS];
    uint32_t listed[REPORT_LISTS * REPORT_LISTED]; /* T-DAGs of all lists, ascending: those with an article */
    uint32_t listed_count;
    uint8_t *classes_listed; /* by class: why it is in the table; 0: it is not */
    uint32_t classes_listed_count;
    struct report_group {
        uint32_t tdags; /* how many it has */
        uint32_t group;
    } groups[REPORT_GROUPS]; /* those in the table, the one with the most T-DAGs first */
    uint32_t groups_count;
    struct printer printer;
    enum rules rules;
    struct labels_said labels_said;
    struct manifest beside; /* of a page alone's folder; without files unless they are of the same */
    bool unread;            /* of how outputs were unlocked something could not be read */
};

/* Chooses what is listed. STATUS_NOMEM. O(T-DAGs + classes). */
enum status report_choose(struct report *report) MUST_CHECK;
/* The part of it that is in report_unlocks.c. */
void report_choose_groups(struct report *report);
bool report_lists_tdag(const struct report *report, uint32_t dag);

/* Each prints its section; a print that failed shows in report->printer.status. STATUS_NOMEM. */
void report_contents(struct report *report);
void report_scanned(struct report *report);
void report_changes(struct report *report);
enum status report_kinds(struct report *report) MUST_CHECK;
enum status report_sizes(struct report *report) MUST_CHECK;
enum status report_classes(struct report *report, struct fault *fault) MUST_CHECK;
void report_lists(struct report *report);
enum status report_tdags(struct report *report, struct fault *fault) MUST_CHECK;
void report_groups(struct report *report);
void report_unlocks(struct report *report);
/* Nothing without --labels. */
void report_labelled(struct report *report);

/* ---- what sections share ---- */

/* Looks which tables lie beside the page that tell of the same chain, rule set and options; none beside stdout. */
enum status report_find_sources(struct report *report, struct fault *fault) MUST_CHECK;
bool report_has_source(const struct report *report, const char *file);
/* Where the numbers of a section are: in a table beside the page, which is of the same, and in these columns; else in
 * the store. */
void report_source(struct report *report, const char *file, const char *columns);
/* Plain text as HTML, cut after REPORT_TEXT bytes of that. */
void report_put_text(struct report *report, const char *string, size_t size);
/* The names in a set, and the labels of a T-DAG, cut likewise. */
void report_put_names(struct report *report, const struct name_set *names);
void report_put_labels(struct report *report, const struct label_span *labels);
struct label_span report_labels_of(const struct report *report, uint32_t dag);
/* "5", as a link to its article where it has one. */
void report_put_tdag(struct report *report, uint32_t dag);
/* A list of them, those without an article left out, at most 20. */
void report_put_listed(struct report *report, const uint32_t *dags, uint32_t count);
/* The ways in which outputs were unlocked, "signature 60%, nothing 40%"; empty where nothing is known. */
void report_put_unlocks(struct report *report, const struct unlock_counts *counts);

#endif
