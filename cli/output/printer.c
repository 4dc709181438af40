#include "cli/output/printer.h"

enum status printer_write(struct printer *printer, const char *path, struct fault *fault)
{
    enum status status = printer->status == STATUS_OK ? outfile_write_text(path, &printer->text, fault)
                                                      : fault_nomem(fault);
    text_free(&printer->text);
    return status;
}

enum status printer_write_in(struct printer *printer, const char *folder, const char *name, struct fault *fault)
{
    enum status status = printer->status == STATUS_OK ? outfile_write_text_in(folder, name, &printer->text, fault)
                                                      : fault_nomem(fault);
    text_free(&printer->text);
    return status;
}

const char *grouped(char out[GROUPED_SIZE], uint64_t number)
{
    char digits[PUT_U64_MAX];
    size_t size = (size_t)(put_u64(digits, number) - digits);
    char *p = out;
    for (size_t i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            *p++ = ',';
        *p++ = digits[i];
    }
    *p = '\0';
    return out;
}

void print_json(struct printer *printer, const char *string)
{
    char *p = printer->status == STATUS_OK ? text_room(&printer->text, 6 * strlen(string) + 2) : NULL;
    if (p)
        text_end(&printer->text, put_json(p, string));
    else
        printer->status = STATUS_NOMEM;
}
