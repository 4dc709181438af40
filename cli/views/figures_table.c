#include "cli/views/figures_table.h"

#include <stdio.h>

#include "cli/output/printer.h"
#include "cli/output/schema.h"

/* ---- CSV ---- */

static char *put_difference(char *p, uint64_t ours, uint64_t published)
{
    if (ours < published)
        *p++ = '-';
    return put_u64(p, ours < published ? published - ours : ours - published);
}

static enum status put_csv_row(struct text *text, const struct known_figure *figure, const struct figure_answer *answer)
{
    size_t size = 4 * (strlen(figure->text) + strlen(figure->source) + strlen(figure->note)) + 512;
    char *p = text_room(text, size);
    if (!p)
        return STATUS_NOMEM;
    p = put_text(p, figure->network);
    *p++ = ',';
    p = put_field(p, figure->text);
    *p++ = ',';
    p = put_text(p, figure->as_of);
    *p++ = ',';
    p = answer->has_height ? put_u64(p, answer->height) : p;
    *p++ = ',';
    p = put_cell(p, figure->published);
    p = answer->has_ours ? put_u64(p, answer->ours) : p;
    *p++ = ',';
    p = answer->has_ours ? put_difference(p, answer->ours, figure->published) : p;
    *p++ = ',';
    p = put_text(p, figure_verdict_text(answer->verdict));
    *p++ = ',';
    p = put_field(p, figure->source);
    *p++ = ',';
    p = put_field(p, figure->note);
    *p++ = ',';
    p = answer->needs ? put_field(p, answer->needs) : p;
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}

enum status figures_csv(const struct figures *figures, struct text *text)
{
    enum status status = schema_put_header(text, &schema_compare, 0);
    for (size_t i = 0; status == STATUS_OK && i < figures->known->count; i++)
        status = put_csv_row(text, &figures->known->list[i], &figures->answers[i]);
    return status;
}

/* ---- for people ---- */

#define FIGURE_WIDTH 20
#define AS_OF_WIDTH 10
#define NUMBER_WIDTH 13
#define DIFFERENCE_WIDTH 12
#define NOTE_INDENT 4

static const char *difference_text(char out[GROUPED_SIZE], uint64_t ours, uint64_t published)
{
    char digits[GROUPED_SIZE];
    uint64_t difference = ours < published ? published - ours : ours - published;
    const char *sign = ours < published ? "-" : difference > 0 ? "+" : "";
    snprintf(out, GROUPED_SIZE, "%s%s", sign, grouped(digits, difference));
    if (strlen(out) > DIFFERENCE_WIDTH)
        snprintf(out, GROUPED_SIZE, "%s%.5e", sign, (double)difference);
    return out;
}

/* What a number is wider than its column; the column of figures has that much less. */
static int excess(const char *number)
{
    size_t size = strlen(number);
    return size > NUMBER_WIDTH ? (int)(size - NUMBER_WIDTH) : 0;
}

static void put_answer(struct printer *printer, const struct known_figure *figure, const struct figure_answer *answer)
{
    char cells[3][GROUPED_SIZE];
    const char *name = figure->text, *verdict = figure_verdict_text(answer->verdict);
    int left = FIGURE_WIDTH - excess(grouped(cells[0], figure->published));
    if (answer->has_ours)
        left -= excess(grouped(cells[1], answer->ours));
    left = left > 0 ? left : 0;
    if (strlen(name) > (size_t)left) {
        print_words(printer, name, 0);
        name = "";
    }
    PRINT(printer, "%-*s %*s %*s ", left, name, AS_OF_WIDTH, figure->as_of + (*figure->as_of == '@'), NUMBER_WIDTH,
          cells[0]);
    if (answer->has_ours)
        PRINT(printer, "%*s %*s %s\n", NUMBER_WIDTH, cells[1], DIFFERENCE_WIDTH,
              difference_text(cells[2], answer->ours, figure->published), verdict);
    else
        PRINT(printer, "%s\n", answer->verdict == FIGURE_DIFFERS ? "none: differs" : verdict);
}

static void put_counts(struct printer *printer, const struct figures *figures)
{
    size_t counts[FIGURE_VERDICTS] = {0}, size = 0;
    char line[FIGURE_VERDICTS * 64] = "";
    for (size_t i = 0; i < figures->known->count; i++)
        counts[figures->answers[i].verdict]++;
    for (unsigned v = 0; v < FIGURE_VERDICTS; v++) {
        const char *verdict = v == FIGURE_DIFFERS && counts[v] > 1 ? "differ"
                                                                   : figure_verdict_text((enum figure_verdict)v);
        if (v == FIGURE_OTHER_NETWORK)
            verdict = counts[v] > 1 ? "published figures are of other networks (-o has them)"
                                    : "published figure is of another network (-o has it)";
        if (counts[v] > 0)
            size += (size_t)snprintf(line + size, sizeof line - size, "%s%zu %s", size > 0 ? ", " : "", counts[v],
                                     verdict);
    }
    PRINT(printer, "\n");
    print_words(printer, line, 0);
}

enum status figures_table(const struct figures *figures, struct text *text)
{
    struct printer printer = {.text = *text};
    const char *source = "", *note = "", *needs = "";
    PRINT(&printer, "%s to height %u\n", figures->network, (unsigned)figures->tip);
    for (size_t i = 0; i < figures->known->count; i++) {
        const struct known_figure *figure = &figures->known->list[i];
        const struct figure_answer *answer = &figures->answers[i];
        if (answer->verdict == FIGURE_OTHER_NETWORK) /* counted at the end */
            continue;
        if (strcmp(source, figure->source) != 0) {
            PRINT(&printer, "\n");
            print_words(&printer, figure->source, 0);
            PRINT(&printer, "%-*s %*s %*s %*s %*s verdict\n", FIGURE_WIDTH, "figure", AS_OF_WIDTH, "as of",
                  NUMBER_WIDTH, "published", NUMBER_WIDTH, "ours", DIFFERENCE_WIDTH, "difference");
            note = needs = "";
        }
        put_answer(&printer, figure, answer);
        if (strcmp(note, figure->note) != 0 && *figure->note)
            print_words(&printer, figure->note, NOTE_INDENT);
        if (answer->needs && strcmp(needs, answer->needs) != 0) {
            char line[160];
            snprintf(line, sizeof line, "It needs %s.", answer->needs);
            print_words(&printer, line, NOTE_INDENT);
            needs = answer->needs;
        }
        source = figure->source;
        note = figure->note;
    }
    put_counts(&printer, figures);
    *text = printer.text;
    return printer.status;
}
