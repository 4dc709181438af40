/* templates: unknown outputs grouped by what their scripts look like and by kind, as `unktx templates` lists them. */
#ifndef UNKTX_CLI_VIEWS_TEMPLATES_H
#define UNKTX_CLI_VIEWS_TEMPLATES_H

#include "cli/inputs/known_scripts.h"
#include "cli/inputs/selected_outputs.h"
#include "cli/views/judgement.h"

/* Only a chain that was made for it has more templates than this: those that come later are counted in one row for
 * each kind. */
#define TEMPLATES_MAX 65536u

struct template_row {
    uint64_t key; /* of template and kind */
    enum kind kind;
    uint32_t first_height;
    uint32_t last_height;
    uint64_t outputs;
    uint64_t spent;
    uint64_t value_sat;
    struct name_set names;
    struct judgements judgements;
    char template[SCRIPT_TEMPLATE_MAX];
};

/* Rows in order of their first output, and a table of their numbers + 1 by key. */
struct template_group {
    struct template_row *rows;
    size_t count;
    size_t capacity;
    uint32_t *slots;
    size_t slots_count;     /* a power of two, or 0 */
    uint64_t first_ordinal; /* of the tracked outputs of its batch */
    uint64_t end_ordinal;
};

/* Set the first members, the rest zero. */
struct templates {
    const struct store *store;
    const struct forest *forest;
    const struct catalogue *catalogue;
    struct selected_outputs *selected; /* only these outputs; NULL: all */
    enum rules rules;
    unsigned threads;
    bool with_nulldata;
    uint32_t *row_of;            /* by tracked output: its row + 1, 0 for none; NULL: nobody asks. The caller's */
    uint8_t *protocol_of;        /* by tracked output: enum protocol; likewise */
    struct template_group total; /* what is found */
    struct known_scripts_workers workers;
    uint64_t key[2];               /* of the hash of templates */
    size_t first_batch;            /* of those that are counted together */
    struct template_group *groups; /* of its batches */
    enum status *statuses;
    struct fault *faults;
};

/* Counts all outputs of the store. templates_free in any case. O(bytes of scripts); the same for any number of
 * threads. */
enum status templates_count(struct templates *templates, struct fault *fault) MUST_CHECK;
void templates_free(struct templates *templates);

#endif
