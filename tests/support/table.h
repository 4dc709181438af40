/* table: CSV files and flat JSON values for tests. An unreadable file or a missing column fails the running test. */
#ifndef UNKTX_TESTS_SUPPORT_TABLE_H
#define UNKTX_TESTS_SUPPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table {
    char *text;          /* the file, cut into terminated fields */
    const char **fields; /* row by row, the header first */
    size_t columns;
    size_t rows; /* without the header */
};

/* Every row must have as many fields as the header. */
struct table table_read(const char *path);
void table_free(struct table *table);
size_t table_column(const struct table *table, const char *name);
/* Field of row 0.. ; the number of one (an empty field is 0; anything else that is no number fails the test). */
const char *table_at(const struct table *table, size_t row, size_t column);
uint64_t table_number(const struct table *table, size_t row, size_t column);
/* The same by the column's name. */
const char *table_get(const struct table *table, size_t row, const char *name);
uint64_t table_sum(const struct table *table, const char *name);

/* Of a table without quoted fields the header and the lines whose field of that number is `value`; the caller frees. */
char *table_lines(const char *path, size_t field, const char *value);

/* Walks the "key": value pairs of a JSON text in order, whatever their depth. A value that is an object or a list
 * comes as "{" or "[" and is then walked into; elements of a list that are no pairs are passed over. False at the
 * end. */
struct json {
    char *text;
    const char *at;
    char key[256];
    char value[1024];
};

struct json json_open(const char *path);
bool json_next(struct json *json);
/* On to the next pair with that key; fails the test if there is none. Returns its value. */
const char *json_find(struct json *json, const char *key);
uint64_t json_find_number(struct json *json, const char *key);
/* The value just found, which must be a number. */
uint64_t json_number(const struct json *json);
void json_close(struct json *json);

#endif
