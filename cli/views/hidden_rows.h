/* hidden_rows: hidden scripts counted by period, where they were hidden, kind and template. */
#ifndef UNKTX_CLI_VIEWS_HIDDEN_ROWS_H
#define UNKTX_CLI_VIEWS_HIDDEN_ROWS_H

#include "cli/output/text.h"
#include "cli/views/periods.h"
#include "graph/scripts/catalogue.h"
#include "parser/hidden.h"

/* What all spends of a row have in common. */
struct hidden_place {
    uint32_t period;
    enum hidden_in in;
    enum hidden_way way; /* HIDDEN_SHOWN: of a script; the rest of the members is 0 otherwise */
    enum kind kind;
    uint8_t leaf_version;
};

struct hidden_row {
    struct hidden_place place;
    uint64_t template_hash; /* 0: not of a script, or of all that have no row of their own */
    uint64_t spends;
    uint64_t annexes;
    uint64_t value_sat;
    uint32_t first_height;
    uint32_t last_height;
    struct name_set names;
    char template[SCRIPT_TEMPLATE_MAX];
};

/* Zero-initialise; hidden_rows_free at the end. */
struct hidden_rows {
    struct hidden_row *rows;
    size_t count;
    size_t capacity;
    uint32_t *slots;    /* numbers of rows + 1 */
    size_t slots_count; /* a power of two, or 0 */
    uint64_t key[2];    /* of the hash of templates; secret */
};
void hidden_rows_free(struct hidden_rows *rows);
/* Empties it; what it has allocated stays. */
void hidden_rows_clear(struct hidden_rows *rows);

/* The row of a script, NULL for none, at that place; a new one has no spends. NULL without memory. O(size). */
struct hidden_row *hidden_rows_find(struct hidden_rows *rows, const struct hidden_place *place,
                                    const struct hidden_script *script);
/* Adds all rows of another one. False without memory. */
bool hidden_rows_join(struct hidden_rows *rows, const struct hidden_rows *other);
/* In the order of the table: by period, then the most spends first, then by place and template. */
void hidden_rows_sort(struct hidden_rows *rows);
/* Appends a line of the table. STATUS_NOMEM. */
enum status hidden_row_put(const struct hidden_row *row, enum by by, const struct catalogue *catalogue,
                           struct text *text) MUST_CHECK;

/* "script", "key-path", "not-proven". Static string. */
const char *hidden_way_name(enum hidden_way way);
/* The two digits of a tap script's leaf version; nothing for any other script. */
char *hidden_put_leaf_version(char *out, enum hidden_in in, uint8_t leaf_version);

#endif
