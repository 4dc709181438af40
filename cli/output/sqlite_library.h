/* sqlite_library: what sqlite.c uses of SQLite, which is loaded with the first database (parser/library.h): only
 * `export` makes one. */
#ifndef UNKTX_CLI_OUTPUT_SQLITE_LIBRARY_H
#define UNKTX_CLI_OUTPUT_SQLITE_LIBRARY_H

#include <sqlite3.h>

#include "parser/library.h"

/* temp_directory is a variable. */
#define SQLITE_FUNCTIONS(F)                                                                                            \
    F(bind_double, sqlite3_bind_double)                                                                                \
    F(bind_int64, sqlite3_bind_int64)                                                                                  \
    F(bind_null, sqlite3_bind_null)                                                                                    \
    F(bind_parameter_count, sqlite3_bind_parameter_count)                                                              \
    F(bind_text, sqlite3_bind_text)                                                                                    \
    F(bind_text64, sqlite3_bind_text64)                                                                                \
    F(close, sqlite3_close)                                                                                            \
    F(column_bytes, sqlite3_column_bytes)                                                                              \
    F(column_count, sqlite3_column_count)                                                                              \
    F(column_text, sqlite3_column_text)                                                                                \
    F(column_type, sqlite3_column_type)                                                                                \
    F(errcode, sqlite3_errcode)                                                                                        \
    F(errmsg, sqlite3_errmsg)                                                                                          \
    F(exec, sqlite3_exec)                                                                                              \
    F(file_control, sqlite3_file_control)                                                                              \
    F(finalize, sqlite3_finalize)                                                                                      \
    F(release, sqlite3_free)                                                                                           \
    F(mprintf, sqlite3_mprintf)                                                                                        \
    F(open_v2, sqlite3_open_v2)                                                                                        \
    F(prepare_v2, sqlite3_prepare_v2)                                                                                  \
    F(progress_handler, sqlite3_progress_handler)                                                                      \
    F(reset, sqlite3_reset)                                                                                            \
    F(step, sqlite3_step)                                                                                              \
    F(system_errno, sqlite3_system_errno)                                                                              \
    F(temp_directory, sqlite3_temp_directory)

struct sqlite_library {
    SQLITE_FUNCTIONS(LIBRARY_MEMBER)
};

/* STATUS_RESOURCES: it cannot be loaded. */
enum status sqlite_library_load(struct sqlite_library *functions, struct fault *fault) MUST_CHECK;

#endif
