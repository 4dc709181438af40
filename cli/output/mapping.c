#include "cli/output/mapping.h"

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

/* What may be called in a signal handler reads the file byte by byte: neither stdio nor memory is to be had there. */
struct reader {
    int fd;
    char bytes[512];
    size_t at;
    size_t size;
};

/* 0 at the end. */
static char next_char(struct reader *reader)
{
    if (reader->at == reader->size) {
        ssize_t got = read(reader->fd, reader->bytes, sizeof reader->bytes);
        reader->at = 0;
        reader->size = got > 0 ? (size_t)got : 0;
    }
    return reader->size > 0 ? reader->bytes[reader->at++] : '\0';
}

/* A hexadecimal number, and the character after it. */
static uintptr_t next_number(struct reader *reader)
{
    uintptr_t number = 0;
    for (;;) {
        char c = next_char(reader);
        if (c >= '0' && c <= '9')
            number = number * 16 + (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            number = number * 16 + (uintptr_t)(c - 'a' + 10);
        else
            return number;
    }
}

/* The rest of a line: rights, offset, device, inode and, from the first slash on, the path. */
static void take_path(struct reader *reader, char *path, size_t size)
{
    size_t length = 0;
    for (char c = next_char(reader); c != '\0' && c != '\n'; c = next_char(reader))
        if ((length > 0 || c == '/') && length + 1 < size)
            path[length++] = c;
    path[length] = '\0';
}

bool mapping_path(const void *address, char *path, size_t size)
{
    struct reader reader = {.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
    bool found = false;
    while (reader.fd >= 0 && !found) {
        uintptr_t first = next_number(&reader), end = next_number(&reader);
        take_path(&reader, path, size);
        if (end == 0)
            break;
        found = (uintptr_t)address >= first && (uintptr_t)address < end;
    }
    if (reader.fd >= 0)
        close(reader.fd);
    if (!found)
        path[0] = '\0';
    return path[0] != '\0';
}
