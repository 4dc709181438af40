/* printer: a text that remembers its first failure, so that a page of prints needs one check. */
#ifndef UNKTX_CLI_OUTPUT_PRINTER_H
#define UNKTX_CLI_OUTPUT_PRINTER_H

#include "cli/output/outfile.h"

/* Zero-initialise; printer_write or printer_write_in at the end, or text_free(&printer.text). */
struct printer {
    struct text text;
    enum status status;
};

#define PRINT(printer, ...)                                                                                            \
    do {                                                                                                               \
        if ((printer)->status == STATUS_OK)                                                                            \
            (printer)->status = text_printf(&(printer)->text, __VA_ARGS__);                                            \
    } while (0)

/* Writes the file `path` (as outfile_open takes it), or the file `name` in a folder, of what was printed, and frees it.
 * STATUS_NOMEM where a print failed. */
enum status printer_write(struct printer *printer, const char *path, struct fault *fault) MUST_CHECK;
enum status printer_write_in(struct printer *printer, const char *folder, const char *name, struct fault *fault)
    MUST_CHECK;

/* A string of JSON with its quotes. */
void print_json(struct printer *printer, const char *string);

/* The width of text for people that is the same on a terminal and elsewhere. */
#define TEXT_WIDTH 80u

/* Words, as many to a line as fit into TEXT_WIDTH columns, each line after `indent` spaces; a word that fits into none
 * is broken after a comma or slash where it has one. Ends the line. O(size). */
void print_words(struct printer *printer, const char *words, unsigned indent);

#define GROUPED_SIZE 28u

/* 1234567 as 1,234,567; returns `out`. */
const char *grouped(char out[GROUPED_SIZE], uint64_t number);

#endif
