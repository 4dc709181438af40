/* explore_list: which T-DAGs a table of `unktx explore` has, in which order: what the query of its address asks for.
 * The columns and filters are in explore_filter.c, the lists in explore_list.c.
 *
 * Each column of numbers can be a filter, as in nodes=10..200, nodes=10.. or nodes=7, named as in tdags.csv; and
 * family=NAME, class=FIRST DIGITS, script=NAME, label=NAME, protocol=NAME, template=ALL OF IT, kind=NAME, dag=FIRST
 * DIGITS, group=FIRST DIGITS (of a group of tied T-DAGs), time=FROM..TO (those with a transaction then).
 * With both template and kind one output has both. unlocks=yes adds columns to the list as CSV.
 * sort=COLUMN (or family, class, script, protocol, label, group), order=asc or desc, and page=N say what is seen of it.
 */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_LIST_H
#define UNKTX_CLI_VIEWS_EXPLORE_LIST_H

#include "cli/views/explore.h"

/* ---- columns of numbers ---- */

enum explore_unit { UNIT_COUNT, UNIT_BLOCK, UNIT_TIME, UNIT_SAT, UNIT_MEASURE };

struct explore_column {
    const char *name; /* as in tdags.csv */
    const char *head; /* of a table */
    enum explore_unit unit;
    enum { OF_ROW_U32, OF_ROW_U64, OF_MEASURES } of;
    size_t offset;
};

#define EXPLORE_COLUMNS 29u
/* The last ones: only of a partial store. */
#define EXPLORE_COLUMNS_PARTIAL 2u
extern const struct explore_column explore_columns[EXPLORE_COLUMNS];
/* The first is the number of the T-DAG. */
#define EXPLORE_BY_NUMBER 0u

/* The column of that name, EXPLORE_COLUMNS if there is none. Those of a partial store are none of any other. */
unsigned explore_column_find(const char *name);
/* Whether the store that is open has the column. */
bool explore_has_column(unsigned column);
/* A number that sorts as the value does; of a measure the bits of the double, which is never below 0. */
uint64_t explore_key(const struct explore_rules *rules, unsigned column, uint32_t dag);
/* A cell with the value. */
void explore_put_value(struct printer *printer, unsigned column, uint64_t key);

/* ---- filters ---- */

struct explore_filter {
    uint64_t low[EXPLORE_COLUMNS]; /* keys; 0 and UINT64_MAX where nothing is asked for */
    uint64_t high[EXPLORE_COLUMNS];
    uint64_t time_low; /* some transaction of the T-DAG is in a block of these times */
    uint64_t time_high;
    uint32_t families; /* mask; 0: all */
    uint32_t script;   /* of the catalogue; CATALOGUE_MAX: any */
    uint32_t label;    /* its id + 1; 0: any */
    uint32_t protocol; /* PROTOCOL_NONE: any */
    uint32_t kinds;    /* mask, of outputs; 0: all */
    uint32_t sort;     /* a column, or what explore_words.h has */
    uint32_t descending;
    char class_id[64];
    char dag[68];
    char group[72];
    char template[SCRIPT_TEMPLATE_MAX]; /* as an address has it; "": any */
};

/* STATUS_REFUSED tells what is wrong with the query. */
enum status explore_filter_read(const struct explore *explore, const struct target *target,
                                struct explore_filter *filter, uint32_t *page, struct fault *fault) MUST_CHECK;
/* The query of the target without the fields of these names (ends with NULL), for an address in HTML: as
 * "?a=b&amp;c=d", or nothing where no field is left; false then. */
bool explore_put_fields(struct printer *printer, const struct target *target, const char *const *without);
/* Likewise, but as "?a=b&amp;c=d&amp;" or "?", for one more field after it. */
void explore_put_query(struct printer *printer, const struct target *target, const char *const *without);

/* ---- lists ---- */

#define EXPLORE_BINS 48u /* of the time line */

struct explore_cell {
    uint32_t count;
    uint32_t dag; /* the first of them */
};

/* Which T-DAGs a filter lets through, in whatever order they are asked for. Not to be changed; explore_list_leave when
 * it is no longer needed. */
struct explore_list {
    struct explore_list *next;
    unsigned users;
    enum rules rules;
    struct explore_filter filter; /* by number, ascending */
    uint64_t *bits;               /* bit d: T-DAG d is one of them */
    size_t words;
    uint32_t count;
    /* for charts */
    uint64_t first_time;
    uint64_t last_time;
    struct explore_cell times[EXPLORE_BINS];                    /* by first_time */
    struct explore_cell cells[EXPLORE_POWERS][EXPLORE_DECADES]; /* by height and moved_value_sat */
};

/* The T-DAGs that the filter lets through, out of the cache where it was asked for lately. O(T-DAGs). */
enum status explore_list_get(struct explore_request *request, const struct explore_filter *filter,
                             struct explore_list **list, struct fault *fault) MUST_CHECK;
void explore_list_leave(struct explore *explore, struct explore_list *list);
void explore_lists_free(struct explore *explore);

/* Writes up to `most` of them to `out`, in the order that the filter asks for, without the first `skip`; *count: how
 * many. STATUS_NOMEM. O(T-DAGs up to the last of these). */
enum status explore_list_pick(struct explore *explore, const struct explore_list *list,
                              const struct explore_filter *filter, uint64_t skip, uint32_t *out, uint32_t most,
                              uint32_t *count) MUST_CHECK;

#endif
