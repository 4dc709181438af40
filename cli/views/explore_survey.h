/* explore_survey: the unknown outputs of a rule set by template and by protocol, with the T-DAGs that have them. All
 * outputs are looked through when it is first asked for, by a thread of its own; then it is kept.
 *
 * Thread rule: any number of threads at once. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_SURVEY_H
#define UNKTX_CLI_VIEWS_EXPLORE_SURVEY_H

#include "cli/views/explore.h"
#include "cli/views/templates.h"

/* Outputs by some trait of each. */
struct explore_traits {
    uint64_t *first;   /* count + 1: trait i has outputs[first[i] .. first[i + 1] - 1] */
    uint32_t *outputs; /* ordinals, ascending */
    struct explore_trait_sums {
        uint32_t dags; /* T-DAGs that have it */
        uint64_t spent;
        uint64_t value_sat;
    } * sums; /* of each */
    uint32_t count;
};

/* 4 bytes for each unknown output, and some hundred for each of at most TEMPLATES_MAX templates. */
struct explore_survey {
    struct template_row *rows; /* the most common first */
    struct explore_traits templates;
    struct explore_traits protocols; /* by enum protocol; of PROTOCOL_NONE there are none */
};

/* The kinds that a template may be of: nulldata has none. */
#define EXPLORE_KINDS 6u
/* How many of them, the first ones, are unknown under the rules. */
static inline size_t explore_kinds_of(enum rules rules) { return rules == RULES_HIDDEN ? EXPLORE_KINDS : 3; }
extern const enum kind explore_kinds[EXPLORE_KINDS];

/* STATUS_BUSY: it is being made. Else it is there until explore_close. */
enum status explore_survey_get(struct explore *explore, enum rules rules, const struct explore_survey **survey,
                               struct fault *fault) MUST_CHECK;
/* Ends those that are being made, and frees all. */
void explore_surveys_free(struct explore *explore);

/* The protocol of that name; PROTOCOL_NONE if there is none. */
enum protocol explore_protocol_find(const char *name);
/* What a template is called in an address: two quotes for an empty one. */
const char *explore_template_name(const struct template_row *row);

#endif
