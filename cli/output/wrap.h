/* wrap: text for people, broken at spaces where a line would be wider than the terminal. Files, pipes and tables are
 * never wrapped. What stands in 'quotes', or after two spaces, is a command to copy, and stays in one piece.
 *
 * Thread rule: one thread for each file. */
#ifndef UNKTX_CLI_OUTPUT_WRAP_H
#define UNKTX_CLI_OUTPUT_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns of the terminal that the descriptor is (at least 40), 80 where it is none. */
unsigned wrap_width(int fd);
/* Columns that UTF-8 takes, a character each; colours (ESC [ ... m) take none. O(size). */
unsigned wrap_columns(const char *text, size_t size);
/* Bytes of the first characters that take at most so many columns. O(what is returned). */
size_t wrap_bytes(const char *text, size_t size, unsigned most);

/* A line under way. */
struct wrap {
    FILE *file;
    unsigned width;
    unsigned indent; /* of the lines after the first */
    unsigned column; /* so many columns of the line are used */
    bool between;    /* a word stands before: a space comes first */
};

/* Appends the words of the text to the line; they are UTF-8. O(size). */
void wrap_words(struct wrap *wrap, const char *text, size_t size);

/* Prints lines, each as it is where it fits, else wrapped, four columns further in than it begins. O(size). */
void wrap_lines(FILE *file, unsigned width, const char *text, size_t size);

#endif
