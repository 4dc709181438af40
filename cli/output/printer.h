/* printer: a text that remembers its first failure, so that a page of prints needs one check. */
#ifndef UNKTX_CLI_OUTPUT_PRINTER_H
#define UNKTX_CLI_OUTPUT_PRINTER_H

#include "cli/output/text.h"

/* Zero-initialise; text_free(&printer.text) at the end. */
struct printer {
    struct text text;
    enum status status;
};

#define PRINT(printer, ...)                                                                                            \
    do {                                                                                                               \
        if ((printer)->status == STATUS_OK)                                                                            \
            (printer)->status = text_printf(&(printer)->text, __VA_ARGS__);                                            \
    } while (0)

#define GROUPED_SIZE 28u

/* 1234567 as 1,234,567; returns `out`. */
const char *grouped(char out[GROUPED_SIZE], uint64_t number);

#endif
