#include "cli/output/printer.h"

#include "cli/output/wrap.h"

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

/* What is printed next of a word: all of it, or, if that fits into no line, what does, to a comma or slash if there is
 * one. */
static size_t piece_of(const char *word, size_t size, unsigned most)
{
    size_t fits = wrap_bytes(word, size, most), piece = fits;
    if (fits == size)
        return size;
    while (piece > 1 && word[piece - 1] != ',' && word[piece - 1] != '/')
        piece--;
    return piece > 1 ? piece : fits;
}

void print_words(struct printer *printer, const char *words, unsigned indent)
{
    unsigned column = 0;
    size_t word = 0; /* bytes that are left of one */
    while (*words) {
        word = word > 0 ? word : strcspn(words, " ");
        size_t size = piece_of(words, word, TEXT_WIDTH - indent);
        unsigned columns = wrap_columns(words, size);
        if (column > 0 && column + 1 + columns > TEXT_WIDTH) {
            PRINT(printer, "\n");
            column = 0;
        }
        if (column == 0)
            PRINT(printer, "%*s%.*s", (int)indent, "", (int)size, words);
        else
            PRINT(printer, " %.*s", (int)size, words);
        column += columns + (column == 0 ? indent : 1);
        word -= size;
        words += size + (words[size] == ' ');
    }
    PRINT(printer, "\n");
}
