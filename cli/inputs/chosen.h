/* chosen: the T-DAG or class that the command line names. */
#ifndef UNKTX_CLI_INPUTS_CHOSEN_H
#define UNKTX_CLI_INPUTS_CHOSEN_H

#include "cli/inputs/selection.h"

/* Can the word name a T-DAG: a number from 1 on, of fewer than 16 digits, or the first hexadecimal digits of a name or
 * a txid? */
bool chosen_is_dag(const char *word);
/* What is told of a word that cannot, and what else it is not. */
#define CHOSEN_NO_DAG "--dag: '%s' is no number from 1 on, name"
/* The number that it is, 0 for a name or txid: one has no zeros before it, as everywhere. */
uint64_t chosen_number(const char *word);
/* The T-DAG of that number, or the one in which a transaction's txid begins so (names are beginnings of txids), or the
 * only one of a class whose id begins so (`classes`; NULL: these are not asked). Digits alone are a number where there
 * are so many T-DAGs. The T-DAGs must have names (tdags_name). STATUS_NOT_FOUND; STATUS_REFUSED: there are several,
 * told on stderr or in the fault. O(transactions + classes). */
enum status chosen_dag(const struct forest *forest, const struct tdags *tdags, const struct classes *classes,
                       const char *word, uint32_t *dag, struct fault *fault) MUST_CHECK;

/* What is no class id is told with it. */
#define CHOSEN_NO_CLASS "--class: '%s' is no class id (its first hexadecimal digits, at least 4)"
/* The first hexadecimal digits of a class id; a ? after it is passed over. */
bool chosen_is_class(const char *word);
/* The class whose id begins so. Errors as above. O(classes). */
enum status chosen_class(const struct classes *classes, const char *word, const struct class_row **class,
                         struct fault *fault) MUST_CHECK;

#endif
