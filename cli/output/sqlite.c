#include "cli/output/sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/output/csv.h"
#include "cli/output/outfile.h"
#include "cli/output/printer.h"
#include "cli/output/sql.h"
#include "cli/output/sqlite_library.h"
#include "cli/output/temporary.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/stop.h"

#define TABLES_MAX 32u
#define SORTERS_MAX 8u     /* more threads than these SQLite does not take */
#define STEPS_A_LOOK 10000 /* of SQLite's machine: below a millisecond */
#define FLUSH_BYTES (1u << 20)

/* A table that was made. */
struct made {
    char name[SQL_NAME_SIZE];
    const struct table_schema *schema;
    unsigned flags;
};

static struct sqlite_library library;

struct sqlite {
    sqlite3 *handle;
    const char *target; /* for messages; borrowed */
    struct made made[TABLES_MAX];
    size_t count;
    uint64_t rows;
};

struct sqlite_table {
    struct sqlite *database;
    sqlite3_stmt *insert;
    const struct column *columns[CSV_CELLS_MAX];
    size_t count;
    struct csv_row row;
    struct text rest;   /* of a row that is not whole yet */
    struct text single; /* a text whose quotes stood twice */
};

/* ---- faults ---- */

/* The system's error behind a failure, as far as SQLite keeps it; 0: none. */
static int error_of(const struct sqlite *database, int code)
{
    int error = library.system_errno(database->handle);
    if (code == SQLITE_FULL)
        return ENOSPC;
    if (code != SQLITE_IOERR && code != SQLITE_CANTOPEN)
        return 0;
    if (error == 0)
        library.file_control(database->handle, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
}

/* What the last call on this database failed of. */
static enum status failed(const struct sqlite *database, struct fault *fault)
{
    int code = library.errcode(database->handle) & 0xff;
    if (stop_requested())
        return stop_check(fault);
    if (code == SQLITE_NOMEM)
        return fault_nomem(fault);
    int error = error_of(database, code);
    if (error != 0) {
        errno = error;
        return fault_errno_place(fault, database->target, FAULT_NO_OFFSET, OUTPUT_OTHER, "cannot be written");
    }
    return fault_set(fault, STATUS_IO, database->target, FAULT_NO_OFFSET, "cannot be written: SQLite says: %s",
                     library.errmsg(database->handle));
}

static int look(void *context)
{
    (void)context;
    return stop_requested();
}

/* ---- the database ---- */

/* SQLite's own choice would be /var/tmp, which may be small. */
static void sort_beside(const char *target)
{
    const char *slash = strrchr(target, '/');
    library.release(*library.temp_directory);
    *library.temp_directory = slash ? library.mprintf("%.*s", (int)(slash - target) + (slash == target), target)
                                    : library.mprintf(".");
}

static enum status settle(struct sqlite *database, unsigned threads, struct fault *fault)
{
    char pragmas[256];
    unsigned sorters = threads - 1 < SORTERS_MAX ? threads - 1 : SORTERS_MAX;
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA page_size=8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; "
             "PRAGMA cache_size=-65536; PRAGMA temp_store=FILE; PRAGMA threads=%u; BEGIN",
             sorters);
    library.progress_handler(database->handle, STEPS_A_LOOK, look, NULL);
    enum status status = sqlite_run(database, pragmas, fault);
    if (status == STATUS_OK)
        status = sqlite_run(database,
                            "CREATE TABLE unktx_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, "
                            "type TEXT NOT NULL, unit TEXT, meaning TEXT NOT NULL, "
                            "PRIMARY KEY (table_name, column_name))",
                            fault);
    return status;
}

enum status sqlite_check_replaced(const char *path, struct fault *fault)
{
    static const char magic[] = "SQLite format 3"; /* of 16 bytes, with the zero byte: sqlite.org/fileformat.html */
    char start[sizeof magic];
    struct stat info;
    int fd;
    enum status status = file_open(path, "the file to be replaced", &fd, &info, fault);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_IO && errno == EACCES)
        return fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                         "is there and cannot be read (%s): only a SQLite database is replaced. Name another file with "
                         "-o, or replace it with --replace",
                         strerror(EACCES));
    if (status != STATUS_OK)
        return status;
    ssize_t got = file_read_at(fd, start, sizeof start, 0);
    if (got < 0)
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be read");
    else if (got > 0 && ((size_t)got < sizeof start || memcmp(start, magic, sizeof start) != 0))
        status = fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                           "is there and no SQLite database, so it is not replaced: name another file with -o, or "
                           "replace it with --replace");
    close(fd);
    return status;
}

enum status sqlite_open(const char *path, const char *target, unsigned threads, struct sqlite **database,
                        struct fault *fault)
{
    enum status status = sqlite_library_load(&library, fault);
    if (status != STATUS_OK)
        return status;
    struct sqlite *new = mem_alloc(1, sizeof *new);
    if (!new)
        return fault_nomem(fault);
    new->target = target;
    *database = new;
    sort_beside(target);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (library.open_v2(path ? path : "", &new->handle, flags, NULL) != SQLITE_OK)
        return new->handle ? failed(new, fault) : fault_nomem(fault);
    return settle(new, threads, fault);
}

/* Of a database that is not closed: a leak for who looks for them, if nothing led there. */
static void *volatile left_open;

void sqlite_close(struct sqlite *database)
{
    if (!database)
        return;
    if (stop_requested()) /* what it holds goes faster with the process, which a signal ends soon */
        left_open = database->handle;
    else
        library.close(database->handle);
    library.release(*library.temp_directory);
    *library.temp_directory = NULL;
    mem_free(database);
}

uint64_t sqlite_rows(const struct sqlite *database) { return database->rows; }

/* ---- statements ---- */

enum status sqlite_run(struct sqlite *database, const char *sql, struct fault *fault)
{
    return library.exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? STATUS_OK : failed(database, fault);
}

static enum status prepare(struct sqlite *database, const char *sql, sqlite3_stmt **statement, struct fault *fault)
{
    return library.prepare_v2(database->handle, sql, -1, statement, NULL) == SQLITE_OK ? STATUS_OK
                                                                                       : failed(database, fault);
}

enum status sqlite_run_with(struct sqlite *database, const char *sql, const char *const *texts, struct fault *fault)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(database, sql, &statement, fault);
    if (status != STATUS_OK)
        return status;
    int count = library.bind_parameter_count(statement);
    bool done = true;
    for (int i = 0; i < count && done; i++)
        done = !texts[i] || library.bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC) == SQLITE_OK;
    if (!done || library.step(statement) != SQLITE_DONE)
        status = failed(database, fault);
    library.finalize(statement);
    return status;
}

static enum status run_printed(struct sqlite *database, struct printer *printer, struct fault *fault)
{
    PRINT(printer, ";");
    enum status status = printer->status == STATUS_OK ? sqlite_run(database, printer->text.bytes, fault)
                                                      : fault_nomem(fault);
    text_free(&printer->text);
    return status;
}

/* ---- a table ---- */

/* The columns as they are read, and what unktx_columns says of them. */
static enum status describe(struct sqlite_table *table, const struct made *made, struct fault *fault)
{
    struct schema_walk walk = {.table = made->schema, .flags = made->flags};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && schema_next(&walk)) {
        const struct column *column = walk.column;
        const char *const described[] = {made->name, walk.name, column_type_name(column->type), column->unit,
                                         column->meaning};
        if (table->count == CSV_CELLS_MAX)
            return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "%s has more columns than %u", made->name,
                             CSV_CELLS_MAX);
        table->columns[table->count++] = column;
        status = sqlite_run_with(table->database, "INSERT INTO unktx_columns VALUES (?, ?, ?, ?, ?)", described, fault);
    }
    return status;
}

static enum status prepare_insert(struct sqlite_table *table, const struct made *made, struct fault *fault)
{
    char sql[SQL_NAME_SIZE + 32 + 2 * CSV_CELLS_MAX];
    char *at = sql + snprintf(sql, sizeof sql, "INSERT INTO \"%s\" VALUES (", made->name);
    for (size_t i = 0; i < table->count; i++)
        at = put_text(at, i > 0 ? ",?" : "?");
    *put_text(at, ")") = '\0';
    return prepare(table->database, sql, &table->insert, fault);
}

static enum status make(struct sqlite_table *table, const struct made *made, struct fault *fault)
{
    struct printer printer = {0};
    sql_print_table(&printer, made->name, made->schema, made->flags);
    enum status status = run_printed(table->database, &printer, fault);
    if (status == STATUS_OK)
        status = describe(table, made, fault);
    return status == STATUS_OK ? prepare_insert(table, made, fault) : status;
}

enum status sqlite_begin_table(struct sqlite *database, const char *file, const struct table_schema *schema,
                               unsigned flags, struct sqlite_table **table, struct fault *fault)
{
    if (database->count == TABLES_MAX)
        return fault_set(fault, STATUS_LIMIT, database->target, FAULT_NO_OFFSET, "more tables than %u", TABLES_MAX);
    struct sqlite_table *new = mem_alloc(1, sizeof *new);
    if (!new)
        return fault_nomem(fault);
    struct made *made = &database->made[database->count++];
    *made = (struct made){.schema = schema, .flags = flags};
    sql_table_name(file, made->name);
    new->database = database;
    *table = new;
    return make(new, made, fault);
}

enum status sqlite_end_table(struct sqlite_table *table, struct fault *fault)
{
    if (!table)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (table->rest.size > 0)
        status = fault_set(fault, STATUS_FORMAT, table->database->target, FAULT_NO_OFFSET, "the last row is cut off");
    library.finalize(table->insert);
    text_free(&table->rest);
    text_free(&table->single);
    mem_free(table);
    return status;
}

/* ---- rows ---- */

/* Digits alone, which no integer of a table has more than 20 of. */
static int bind_integer(sqlite3_stmt *insert, int place, const struct csv_cell *cell)
{
    uint64_t number = 0;
    for (size_t i = 0; i < cell->size; i++) {
        unsigned digit = (unsigned)(cell->text[i] - '0');
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return library.bind_text(insert, place, cell->text, (int)cell->size, SQLITE_STATIC);
        number = number * 10 + digit;
    }
    if (number > INT64_MAX)
        return library.bind_double(insert, place, (double)number);
    return library.bind_int64(insert, place, (sqlite3_int64)number);
}

static int bind_number(sqlite3_stmt *insert, int place, const struct csv_cell *cell)
{
    char digits[64];
    if (cell->size >= sizeof digits)
        return library.bind_text(insert, place, cell->text, (int)cell->size, SQLITE_STATIC);
    memcpy(digits, cell->text, cell->size);
    digits[cell->size] = '\0';
    return library.bind_double(insert, place, strtod(digits, NULL));
}

static int bind_text(struct sqlite_table *table, int place, const struct csv_cell *cell)
{
    if (!cell->has_doubled)
        return library.bind_text64(table->insert, place, cell->text, cell->size, SQLITE_STATIC, SQLITE_UTF8);
    table->single.size = 0;
    char *room = text_room(&table->single, cell->size);
    if (!room)
        return SQLITE_NOMEM;
    size_t size = (size_t)(csv_single(room, cell) - room);
    return library.bind_text64(table->insert, place, room, size, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static int bind_cell(struct sqlite_table *table, int place, const struct column *column, const struct csv_cell *cell)
{
    bool is_text = column->type == COLUMN_STRING && !(column->flags & COLUMN_MAY_BE_EMPTY);
    if (cell->size == 0 && !cell->in_quotes && !is_text)
        return library.bind_null(table->insert, place);
    switch (column->type) {
    case COLUMN_INTEGER:
    case COLUMN_BOOLEAN: return bind_integer(table->insert, place, cell);
    case COLUMN_NUMBER: return bind_number(table->insert, place, cell);
    default: return bind_text(table, place, cell);
    }
}

static enum status insert(struct sqlite_table *table, struct fault *fault)
{
    struct sqlite *database = table->database;
    int code = SQLITE_OK;
    if (table->row.count != table->count)
        return fault_set(fault, STATUS_FORMAT, database->target, FAULT_NO_OFFSET, "a row of %zu values for %zu columns",
                         table->row.count, table->count);
    for (size_t i = 0; i < table->count && code == SQLITE_OK; i++)
        code = bind_cell(table, (int)i + 1, table->columns[i], &table->row.cells[i]);
    if (code == SQLITE_NOMEM)
        return fault_nomem(fault);
    if (code != SQLITE_OK || library.step(table->insert) != SQLITE_DONE)
        return failed(database, fault);
    library.reset(table->insert);
    database->rows++;
    return STATUS_OK;
}

/* Keeps what is not a whole row. */
static enum status keep_rest(struct text *rest, const char *bytes, size_t size, struct fault *fault)
{
    char *room = text_room(rest, size);
    if (!room)
        return fault_nomem(fault);
    memcpy(room, bytes, size);
    text_end(rest, room + size);
    return STATUS_OK;
}

enum status sqlite_add(struct sqlite_table *table, const char *bytes, size_t size, struct fault *fault)
{
    bool from_rest = table->rest.size > 0;
    enum status status = from_rest ? keep_rest(&table->rest, bytes, size, fault) : STATUS_OK;
    const char *at = from_rest ? table->rest.bytes : bytes;
    const char *end = from_rest ? at + table->rest.size : at + size;
    while (status == STATUS_OK && csv_next(&table->row, &at, end))
        status = insert(table, fault);
    if (status != STATUS_OK)
        return status;
    if (!from_rest)
        return at < end ? keep_rest(&table->rest, at, (size_t)(end - at), fault) : STATUS_OK;
    table->rest.size = (size_t)(end - at);
    memmove(table->rest.bytes, at, table->rest.size);
    return STATUS_OK;
}

/* ---- queries ---- */

static const struct made *find_made(const struct sqlite *database, const char *table)
{
    for (size_t i = 0; i < database->count; i++) {
        if (strcmp(database->made[i].name, table) == 0)
            return &database->made[i];
    }
    return NULL;
}

bool sqlite_has(const struct sqlite *database, const char *table) { return find_made(database, table) != NULL; }

bool sqlite_has_column(const struct sqlite *database, const char *table, const char *column)
{
    const struct made *made = find_made(database, table);
    struct schema_walk walk = {.table = made ? made->schema : NULL, .flags = made ? made->flags : 0};
    while (made && schema_next(&walk)) {
        if (strcmp(walk.name, column) == 0)
            return true;
    }
    return false;
}

/* In quotes where RFC 4180 wants it; an empty text too, so that it is not taken for a missing one. */
static enum status put_value(struct text *text, sqlite3_stmt *statement, int i)
{
    bool missing = library.column_type(statement, i) == SQLITE_NULL;
    const char *value = (const char *)library.column_text(statement, i);
    if (!value && !missing)
        return STATUS_NOMEM; /* for a number as text */
    size_t size = value ? (size_t)library.column_bytes(statement, i) : 0;
    char *p = text_room(text, 2 * size + 3);
    if (!p)
        return STATUS_NOMEM;
    bool quotes = value && (size == 0 || strpbrk(value, ",\"\n\r"));
    if (quotes)
        *p++ = '"';
    for (size_t at = 0; at < size; at++) {
        *p++ = value[at];
        if (value[at] == '"')
            *p++ = '"';
    }
    if (quotes)
        *p++ = '"';
    *p++ = i + 1 < library.column_count(statement) ? ',' : '\n';
    text_end(text, p);
    return STATUS_OK;
}

enum status sqlite_write_csv(struct sqlite *database, const char *sql, struct outfile *file, struct fault *fault)
{
    sqlite3_stmt *statement = NULL;
    struct text text = {0};
    int code = SQLITE_ROW;
    enum status status = prepare(database, sql, &statement, fault);
    while (status == STATUS_OK && (code = library.step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < library.column_count(statement) && status == STATUS_OK; i++)
            if (put_value(&text, statement, i) != STATUS_OK)
                status = fault_nomem(fault);
        if (status == STATUS_OK && text.size >= FLUSH_BYTES)
            status = outfile_flush(file, &text, fault);
    }
    if (status == STATUS_OK && code != SQLITE_DONE)
        status = failed(database, fault);
    if (status == STATUS_OK)
        status = outfile_flush(file, &text, fault);
    text_free(&text);
    library.finalize(statement);
    return status;
}

/* ---- the end ---- */

enum status sqlite_index(struct sqlite *database, struct fault *fault)
{
    struct printer printer = {0};
    for (size_t i = 0; i < database->count; i++) {
        const struct made *made = &database->made[i];
        sql_print_indexes(&printer, made->name, made->schema, made->flags);
    }
    return run_printed(database, &printer, fault);
}

enum status sqlite_finish(struct sqlite *database, struct fault *fault)
{
    return sqlite_run(database, "COMMIT", fault);
}
