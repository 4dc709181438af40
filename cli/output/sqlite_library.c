#include "cli/output/sqlite_library.h"

#include "libraries.h"

enum status sqlite_library_load(struct sqlite_library *functions, struct fault *fault)
{
    static const char *const names[] = {SQLITE_FUNCTIONS(LIBRARY_NAME)};
    static const struct library library = {
        .name = "SQLite", .file = SQLITE3_FILE, .names = names, .count = sizeof names / sizeof *names};
    return library_load(&library, functions, fault);
}
