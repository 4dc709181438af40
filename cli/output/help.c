#include "cli/output/help.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/output/wrap.h"

#define HELP_INDENT 26
#define GAP 2 /* spaces between a term and what it means, or more */

/* Of stdout: the terminal's, up to 100, beyond which lines are hard to read. */
static unsigned help_width(void)
{
    unsigned width = wrap_width(STDOUT_FILENO);
    return width < 100 ? width : 100;
}

static void print_words(const char *text, unsigned indent, unsigned column, bool between)
{
    struct wrap wrap = {stdout, help_width(), indent, column, between};
    wrap_words(&wrap, text, strlen(text));
    putchar('\n');
}

/* Prints the value's choices in pieces that fit, broken after a bar; returns the column. */
static unsigned print_value(const char *value, unsigned column)
{
    unsigned indent = column;
    while (*value) {
        unsigned size = (unsigned)strcspn(value, "|");
        size += value[size] == '|';
        if (column + size > help_width() && column > indent)
            column = (unsigned)printf("\n%*s", (int)indent, "") - 1;
        column += (unsigned)printf("%.*s", (int)size, value);
        value += size;
    }
    return column;
}

static void print_option(const struct option *option)
{
    char text[512];
    char letter[8] = "    ";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    unsigned column = (unsigned)printf("  %s--%s%s", letter, option->name, option->value ? " " : "");
    if (option->value)
        column = print_value(option->value, column);
    if (column + GAP > HELP_INDENT)
        printf("\n%*s", HELP_INDENT, "");
    else
        printf("%*s", (int)(HELP_INDENT - column), "");
    snprintf(text, sizeof text, option->fallback ? "%s (default: %s)" : "%s", option->help, option->fallback);
    print_words(text, HELP_INDENT, HELP_INDENT, false);
}

/* Names without a space after the commas, as in the header line. */
static void print_columns(const struct table_schema *table)
{
    unsigned width = help_width();
    int column = printf("\nColumns of %s: ", table->name);
    for (size_t i = 0; i < table->columns_count; i++) {
        bool last = i + 1 == table->columns_count;
        int size = (int)strlen(table->columns[i].name) + !last;
        if (column + size > (int)width)
            column = printf("\n  ") - 1;
        column += printf("%s%s", table->columns[i].name, last ? "\n" : ",");
    }
}

/* Where what the term at the start of the line means begins: after the first gap, else a little further in. */
static unsigned hang_of(const char *line, unsigned size, unsigned spaces)
{
    for (unsigned i = spaces; i + GAP < size; i++)
        if (line[i] == ' ' && line[i + 1] == ' ')
            return i + (unsigned)strspn(line + i, " ");
    return spaces + GAP;
}

/* Lines that begin in the first column are a paragraph, those further in a list; what stands under the meaning of a
 * term goes on with it. */
static void print_details(const char *text)
{
    struct wrap wrap = {.file = stdout, .width = help_width()};
    while (*text) {
        unsigned size = (unsigned)strcspn(text, "\n"), spaces = (unsigned)strspn(text, " "), from = spaces;
        if (!wrap.between || spaces != wrap.indent) {
            printf(wrap.between ? "\n" : "");
            wrap.indent = spaces == 0 ? 0 : hang_of(text, size, spaces);
            from = spaces + GAP < wrap.indent ? wrap.indent : spaces;
            wrap.column = (unsigned)printf("%.*s", (int)from, text);
            wrap.between = false;
        }
        wrap_words(&wrap, text + from, size - from);
        text += size + (text[size] == '\n');
    }
    putchar('\n');
}

void help_summary(const char *name, const char *summary)
{
    int column = printf("  %-10s", name);
    print_words(summary, (unsigned)column, (unsigned)column, false);
}

void help_paragraph(const char *text) { print_words(text, 0, 0, false); }

void help_command(const char *name, const char *operands, const char *summary, const char *details,
                  const struct option *const *options, const struct table_schema *const *tables)
{
    static const struct option help = {.name = "help", .letter = 'h', .type = OPTION_FLAG, .help = "this text"};
    int column = printf("Usage: unktx %s [options]", name);
    print_words(operands, 7, (unsigned)column, true);
    putchar('\n');
    help_paragraph(summary);
    printf("\nOptions:\n");
    for (const struct option *const *o = options; *o; o++)
        print_option(*o);
    print_option(&help);
    for (; tables && *tables; tables++)
        print_columns(*tables);
    if (details) {
        putchar('\n');
        print_details(details);
    }
}

void help_version(const char *version) { printf("unktx %s\n", version); }
