/* sqlite: a database of tables, through libsqlite3, whose owner this is. Tables come as the rows that would go to a
 * CSV file, so that a value is the file's; names, types, keys and meanings are those of the schema.
 *
 * A database has no journal while it is made: it is of use only after sqlite_finish, and is written under a temporary
 * name. Thread rule: one thread at a time. */
#ifndef UNKTX_CLI_OUTPUT_SQLITE_H
#define UNKTX_CLI_OUTPUT_SQLITE_H

#include "cli/output/schema.h"

struct outfile; /* outfile.h */
struct sqlite;
struct sqlite_table;

/* Opens the file `path`, which is there and empty; NULL: a database of its own, that nobody sees and that goes with the
 * process. What does not fit into memory while it is sorted goes beside `target`; messages name that. Both texts are
 * borrowed. STATUS_IO. sqlite_close in any case. */
enum status sqlite_open(const char *path, const char *target, unsigned threads, struct sqlite **database,
                        struct fault *fault) MUST_CHECK;

/* May a database take the place of what is at the path? STATUS_REFUSED: there is a file that is neither empty nor a
 * database of SQLite. Otherwise as file_open. */
enum status sqlite_check_replaced(const char *path, struct fault *fault) MUST_CHECK;

/* Makes a table called as its file is, without the ending and with _ for -, and tells of its columns in the table
 * unktx_columns. `file` and `schema` must stay until sqlite_close. sqlite_end_table in any case. */
enum status sqlite_begin_table(struct sqlite *database, const char *file, const struct table_schema *schema,
                               unsigned flags, struct sqlite_table **table, struct fault *fault) MUST_CHECK;
/* Adds rows of CSV; they may be cut anywhere. A missing value is NULL, two quotes are an empty text; a whole number of
 * 2^63 and more, which no valid chain has, becomes a REAL. */
enum status sqlite_add(struct sqlite_table *table, const char *bytes, size_t size, struct fault *fault) MUST_CHECK;
/* STATUS_FORMAT: the last row is not whole. The table is gone in any case; NULL is legal. */
enum status sqlite_end_table(struct sqlite_table *table, struct fault *fault) MUST_CHECK;
uint64_t sqlite_rows(const struct sqlite *database);

/* Is there a table of that name; does it have that column? For tables of sqlite_begin_table. */
bool sqlite_has(const struct sqlite *database, const char *table);
bool sqlite_has_column(const struct sqlite *database, const char *table, const char *column);

/* Runs statements that give no rows. */
enum status sqlite_run(struct sqlite *database, const char *sql, struct fault *fault) MUST_CHECK;
/* Runs one statement, with a text for each of its parameters; a NULL one is SQL's NULL. */
enum status sqlite_run_with(struct sqlite *database, const char *sql, const char *const *texts, struct fault *fault)
    MUST_CHECK;
/* Writes what a query gives as rows of CSV, without a header: NULL as an empty field, an empty text as two quotes. */
enum status sqlite_write_csv(struct sqlite *database, const char *sql, struct outfile *file, struct fault *fault)
    MUST_CHECK;

/* Indexes of all tables: foreign keys, and columns that name a transaction, a key, a hash or an address. Then the end:
 * all is written to the file. */
enum status sqlite_index(struct sqlite *database, struct fault *fault) MUST_CHECK;
enum status sqlite_finish(struct sqlite *database, struct fault *fault) MUST_CHECK;
void sqlite_close(struct sqlite *database);

#endif
