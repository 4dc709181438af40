#include "cli/views/html.h"

void html_escaped(struct printer *printer, const char *string, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (string[i] == '<' || string[i] == '&' || string[i] == '"')
            PRINT(printer, "&#%u;", (unsigned)string[i]);
        else
            PRINT(printer, "%c", string[i]);
    }
}

void html_begin_section(struct printer *printer, const char *id, const char *title)
{
    PRINT(printer, "<section id=\"%s\" aria-labelledby=\"%s-title\">\n<h2 id=\"%s-title\">%s</h2>\n", id, id, id,
          title);
}

void html_begin_table(struct printer *printer, const char *caption, const char *heads)
{
    PRINT(printer,
          "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table class=\"sortable\">\n"
          "<caption>%s</caption>\n<thead><tr>",
          caption, caption);
    for (size_t size; *heads; heads += size + (heads[size] == '|')) {
        size = strcspn(heads, "|");
        bool fixed = heads[0] == '-';
        PRINT(printer, "<th scope=\"col\"%s>%.*s</th>", fixed ? " data-fixed=\"\"" : "", (int)size - fixed,
              heads + fixed);
    }
    PRINT(printer, "</tr></thead>\n<tbody>\n");
}

void html_end_table(struct printer *printer) { PRINT(printer, "</tbody></table></div>\n"); }

void html_number(struct printer *printer, uint64_t number)
{
    char text[GROUPED_SIZE];
    PRINT(printer, "<td class=\"n\">%s</td>", grouped(text, number));
}

void html_source(struct printer *printer, const char *file, const char *columns)
{
    PRINT(printer, "<p class=\"source\">Numbers from <a href=\"%s\">%s</a>: %s.</p>\n", file, file, columns);
}

void html_fact(struct printer *printer, const char *name, uint64_t number)
{
    char text[GROUPED_SIZE];
    PRINT(printer, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, grouped(text, number));
}

void html_value(struct printer *printer, const char *name, uint64_t value_sat)
{
    PRINT(printer, "<div><dt>%s</dt><dd>" BTC "</dd></div>\n", name, BTC_OF(value_sat));
}
