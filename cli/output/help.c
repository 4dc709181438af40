#include "cli/output/help.h"

#include <stdio.h>
#include <string.h>

#define HELP_INDENT 26
#define HELP_WIDTH 100

/* Prints words from column HELP_INDENT to HELP_WIDTH. */
static void print_wrapped(const char *text, int column)
{
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column > HELP_INDENT && column + 1 + (int)word > HELP_WIDTH) {
            printf("\n%*s", HELP_INDENT, "");
            column = HELP_INDENT;
        } else if (column > HELP_INDENT) {
            column += printf(" ");
        }
        column += printf("%.*s", (int)word, text);
        text += word;
        text += strspn(text, " ");
    }
}

static void print_option(const struct option *option)
{
    char names[128], text[512];
    char letter[8] = "    ";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    int width = snprintf(names, sizeof names, "  %s--%s%s%s", letter, option->name, option->value ? " " : "",
                         option->value ? option->value : "");
    if (width + 2 > HELP_INDENT)
        printf("%s\n%*s", names, HELP_INDENT, "");
    else
        printf("%-*s", HELP_INDENT, names);
    snprintf(text, sizeof text, option->fallback ? "%s (default: %s)" : "%s", option->help, option->fallback);
    print_wrapped(text, HELP_INDENT);
    putchar('\n');
}

/* Names without a space after the commas, as in the header line. */
static void print_columns(const struct table_schema *table)
{
    int column = printf("\nColumns of %s: ", table->name);
    for (size_t i = 0; i < table->columns_count; i++) {
        bool last = i + 1 == table->columns_count;
        int size = (int)strlen(table->columns[i].name) + !last;
        if (column + size > HELP_WIDTH)
            column = printf("\n  ") - 1;
        column += printf("%s%s", table->columns[i].name, last ? "\n" : ",");
    }
}

void help_command(const char *name, const char *operands, const char *summary, const char *details,
                  const struct option *const *options, const struct table_schema *const *tables)
{
    static const struct option help = {.name = "help", .letter = 'h', .type = OPTION_FLAG, .help = "this text"};
    printf("Usage: unktx %s [options]%s%s\n\n%s\n\nOptions:\n", name, operands[0] ? " " : "", operands, summary);
    for (const struct option *const *o = options; *o; o++)
        print_option(*o);
    print_option(&help);
    for (; tables && *tables; tables++)
        print_columns(*tables);
    if (details)
        printf("\n%s", details);
}

void help_version(const char *version) { printf("unktx %s\n", version); }
