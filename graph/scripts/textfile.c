#include "graph/scripts/textfile.h"

#include <stdio.h>
#include <string.h>

#include "parser/mem.h"

enum status textfile_read(const char *path, const char *what, char **text, size_t *size, struct fault *fault)
{
    size_t capacity = 0, got;
    enum status status = STATUS_OK;
    FILE *file = fopen(path, "re");
    if (!file)
        return fault_errno(fault, path, FAULT_NO_OFFSET, "cannot open the file of %s", what);
    do {
        got = 0;
        if (mem_reserve(text, &capacity, *size + 4096, 1) != STATUS_OK) {
            status = fault_nomem(fault);
        } else {
            got = fread(*text + *size, 1, capacity - *size, file);
            *size += got;
        }
    } while (got > 0);
    if (status == STATUS_OK && ferror(file))
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot read the file of %s", what);
    fclose(file);
    return status;
}

bool textfile_line(const char *text, size_t size, size_t *at, struct textline *line)
{
    while (*at < size) {
        line->text = text + *at;
        const char *newline = memchr(line->text, '\n', size - *at);
        line->size = newline ? (size_t)(newline - line->text) : size - *at;
        line->number++;
        *at += line->size + 1;
        while (line->size > 0 && line->text[line->size - 1] == '\r')
            line->size--;
        if (line->size > 0 && line->text[0] != '#')
            return true;
    }
    return false;
}
