#include "cli/output/wrap.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_FALLBACK 80u
#define WIDTH_MIN 40u
#define FURTHER_IN 4u

unsigned wrap_width(int fd)
{
    struct winsize size;
    if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_FALLBACK;
    return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

/* Bytes of the colour or byte of a character that the text (not empty) begins with; adds the columns that it takes. The
 * later bytes of a character begin with the bits 10. */
static size_t step(const char *text, size_t size, unsigned *columns)
{
    const char *colour_end = *text == '\033' ? memchr(text, 'm', size) : NULL;
    if (colour_end)
        return (size_t)(colour_end - text) + 1;
    *columns += ((unsigned char)*text & 0xc0) != 0x80;
    return 1;
}

unsigned wrap_columns(const char *text, size_t size)
{
    unsigned columns = 0;
    for (size_t i = 0; i < size;)
        i += step(text + i, size - i, &columns);
    return columns;
}

size_t wrap_bytes(const char *text, size_t size, unsigned most)
{
    unsigned columns = 0;
    for (size_t i = 0, next; i < size; i = next) {
        next = i + step(text + i, size - i, &columns);
        if (columns > most)
            return i;
    }
    return size;
}

/* Bytes up to the next space; a word that begins with a quote lasts to the end of the one with the other quote, and one
 * after two spaces up to the next two. */
static size_t word_size(const char *text, size_t size, bool two_spaces)
{
    size_t end = 0;
    while (two_spaces && end < size && !(text[end] == ' ' && end + 1 < size && text[end + 1] == ' '))
        end++;
    if (two_spaces)
        return end;
    if (size > 0 && text[0] == '\'') {
        const char *other = memchr(text + 1, '\'', size - 1);
        end = other ? (size_t)(other - text) : 0;
    }
    while (end < size && text[end] != ' ')
        end++;
    return end;
}

void wrap_words(struct wrap *wrap, const char *text, size_t size)
{
    size_t word = 1;
    for (size_t at = 0; at < size;) {
        word = word_size(text + at, size - at, word == 0);
        unsigned columns = wrap_columns(text + at, word);
        if (word > 0 && wrap->between && wrap->column + 1 + columns > wrap->width) {
            fprintf(wrap->file, "\n%*s", (int)wrap->indent, "");
            wrap->column = wrap->indent;
        } else if (word > 0 && wrap->between) {
            fputc(' ', wrap->file);
            wrap->column++;
        }
        fwrite(text + at, 1, word, wrap->file);
        wrap->column += columns;
        wrap->between |= word > 0;
        at += word + 1;
    }
}

void wrap_lines(FILE *file, unsigned width, const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t line = end ? (size_t)(end - text) - at : size - at, spaces = 0;
        while (spaces < line && text[at + spaces] == ' ')
            spaces++;
        struct wrap wrap = {file, width, (unsigned)spaces + FURTHER_IN, (unsigned)spaces, false};
        if (wrap_columns(text + at, line) <= width) {
            fwrite(text + at, 1, line, file);
        } else {
            fwrite(text + at, 1, spaces, file);
            wrap_words(&wrap, text + at + spaces, line - spaces);
        }
        fputc('\n', file);
        at += line + 1;
    }
}
