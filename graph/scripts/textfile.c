#include "graph/scripts/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "parser/file.h"
#include "parser/mem.h"
#include "parser/printable.h"

enum status textfile_read(const char *path, const char *what, size_t most, char **text, size_t *size,
                          struct fault *fault)
{
    size_t capacity = 0;
    ssize_t got;
    enum status status = STATUS_OK;
    int fd = file_open_again(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return fault_set(fault, STATUS_IO, path, FAULT_NO_OFFSET, "the file of %s is not there", what);
    if (fd < 0)
        return fault_errno(fault, path, FAULT_NO_OFFSET, "cannot open the file of %s", what);
    do {
        got = 0;
        if (*size > most)
            status = fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET, "the file of %s is larger than %zu MiB",
                               what, most >> 20);
        else if (mem_reserve(text, &capacity, *size + 4096, 1) != STATUS_OK)
            status = fault_nomem(fault);
        else if ((got = file_read_some(fd, *text + *size, capacity - *size)) < 0)
            status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot read the file of %s", what);
        else
            *size += (size_t)got;
    } while (got > 0);
    close(fd);
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

enum status textfile_check(const struct textline *line, const char *path, struct fault *fault)
{
    size_t column = 1;
    for (size_t shown, i = 0; i < line->size; i += shown, column++) {
        shown = line->text[i] == '\t' ? 1 : printable_size(line->text + i, line->size - i);
        if (shown == 0)
            return fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET,
                             "line %zu, column %zu: the byte 0x%02x, which is no printable text", line->number, column,
                             (unsigned)(unsigned char)line->text[i]);
    }
    return STATUS_OK;
}
