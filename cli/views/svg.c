#include "cli/views/svg.h"

#include <stdio.h>

#include "cli/views/svg_layout.h"
#include "graph/dag/names.h"

const struct drawing_bounds svg_large = {300, 160}, svg_medium = {60, 60}, svg_small = {24, 40};

/* Units of the drawing. */
#define LEVEL 40.0
#define LETTER 6.4
#define FILE_WIDTH_MIN 470.0
#define LEGEND_WIDTH 390.0
#define LEGEND_HEIGHT 104.0

/* Okabe and Ito's colours, which the colour-blind tell apart. Each use has the colour itself before the variable: what
 * knows no variables (librsvg, Inkscape) would fill all with black. */
const char svg_style[] =
    "svg{--ink:#1b1f24;--faint:#5d6670;--spent:#0072b2;--known:#8f5a00;--flow:#c24f00;--path:#a8cfe8;--paper:#fff;"
    "--grid:#d8dde3;font-family:system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){svg{--ink:#e8ebef;--faint:#a3adb8;--spent:#56b4e9;--known:#e69f00;"
    "--flow:#ff9d5c;--path:#2d5a7c;--paper:#14181d;--grid:#333b44}}"
    "svg text{fill:#1b1f24;fill:var(--ink);font-size:11px;paint-order:stroke;stroke:#fff;stroke:var(--paper);"
    "stroke-width:2.5;stroke-linejoin:round}"
    "svg .a{stroke:#5d6670;stroke:var(--faint);stroke-width:1;fill:none}"
    "svg .r{fill:#1b1f24;fill:var(--ink);stroke:#1b1f24;stroke:var(--ink)}"
    "svg .s{fill:#0072b2;fill:var(--spent);stroke:#0072b2;stroke:var(--spent)}"
    "svg .u{fill:#fff;fill:var(--paper);stroke:#0072b2;stroke:var(--spent);stroke-width:1.5}"
    "svg .k{fill:#fff;fill:var(--paper);stroke:#8f5a00;stroke:var(--known);stroke-width:1.5}"
    "svg .p{fill:#d8dde3;fill:var(--grid);stroke:#1b1f24;stroke:var(--ink);stroke-width:1.5}"
    "svg .c{stroke-dasharray:2 2}"
    "svg .l{stroke:#a8cfe8;stroke:var(--path);stroke-width:7;fill:none}"
    "svg .f{stroke:#c24f00;stroke:var(--flow);stroke-width:2.5;stroke-dasharray:6 4;fill:none}";

/* ---- marks ---- */

static const char *const meanings[] = {"root", "unknown output, spent", "unknown output, not spent", "known output"};

static const char *const elements[] = {"rect", "circle", "circle", "path", "rect", "path", "circle"};

static void put_mark(struct printer *printer, enum vertex_type type, double x, double y)
{
    switch (type) {
    case VERTEX_ROOT:
        PRINT(printer, "<rect class=\"r\" x=\"%.1f\" y=\"%.1f\" width=\"11\" height=\"11\"", x - 5.5, y - 5.5);
        break;
    case VERTEX_SPENT: PRINT(printer, "<circle class=\"s\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"", x, y); break;
    case VERTEX_UNSPENT: PRINT(printer, "<circle class=\"u\" cx=\"%.1f\" cy=\"%.1f\" r=\"5.5\"", x, y); break;
    case VERTEX_KNOWN:
        PRINT(printer, "<path class=\"k\" d=\"M%.1f %.1fl6.5 6.5l-6.5 6.5l-6.5-6.5z\"", x, y - 6.5);
        break;
    case VERTEX_PART:
        PRINT(printer, "<rect class=\"p\" x=\"%.1f\" y=\"%.1f\" width=\"18\" height=\"14\" rx=\"4\"", x - 9, y - 7);
        break;
    case VERTEX_ENTRY: PRINT(printer, "<path class=\"a c\" d=\"M%.1f %.1fv20\"", x, y - 10); break;
    case VERTEX_JOINT: PRINT(printer, "<circle class=\"a\" cx=\"%.1f\" cy=\"%.1f\" r=\"1.5\"", x, y); break;
    }
}

static void put_legend(struct printer *printer, double x, double y)
{
    static const char *const lines[] = {"&#215;N: N equal ones", "levels or branches, collapsed", "the longest path",
                                        "the heaviest flow", "goes on outside of this part"};
    static const char *const classes[] = {NULL, NULL, "l", "f", "a c"};
    for (unsigned type = 0; type < sizeof meanings / sizeof *meanings; type++) {
        put_mark(printer, (enum vertex_type)type, x + 8, y + 8 + 20 * type);
        PRINT(printer, "/>\n<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x + 22, y + 12 + 20 * type, meanings[type]);
    }
    put_mark(printer, VERTEX_JOINT, x + 8, y + 88);
    PRINT(printer, "/>\n<text x=\"%.1f\" y=\"%.1f\">all above lead to all below</text>\n", x + 22, y + 92);
    put_mark(printer, VERTEX_PART, x + 188, y + 28);
    PRINT(printer, "/>\n");
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (classes[i])
            PRINT(printer, "<path class=\"%s\" d=\"M%.1f %.1fh22\"/>\n", classes[i], x + 177, y + 8 + 20 * i);
        PRINT(printer, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x + 204, y + 12 + 20 * i, lines[i]);
    }
}

void svg_legend(struct printer *printer)
{
    PRINT(printer,
          "<svg class=\"legend\" role=\"img\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\"><title>Legend: "
          "squares are roots, filled circles spent unknown outputs, hollow circles unspent unknown outputs, diamonds "
          "known outputs, boxes collapsed parts; the longest path has a broad line, the heaviest flow a broken "
          "one</title>\n",
          LEGEND_WIDTH, LEGEND_HEIGHT - 4, LEGEND_WIDTH, LEGEND_HEIGHT - 4);
    put_legend(printer, 0, 0);
    PRINT(printer, "</svg>\n");
}

/* ---- what is written beside a vertex ---- */

#define LABEL_SIZE (2 * GROUPED_SIZE + 16)

/* The second line is empty but for a part. */
static void label_of(const struct drawing_vertex *vertex, char line[LABEL_SIZE], char second[LABEL_SIZE])
{
    char number[GROUPED_SIZE], last[GROUPED_SIZE];
    line[0] = second[0] = '\0';
    if (vertex->type == VERTEX_PART) {
        snprintf(line, LABEL_SIZE, "%s nodes", grouped(number, vertex->count));
        snprintf(second, LABEL_SIZE, "levels %s-%s", grouped(number, vertex->first_level),
                 grouped(last, vertex->last_level));
    } else if (vertex->count > 1) {
        snprintf(line, LABEL_SIZE, "&#215;%s", grouped(number, vertex->count));
    }
}

/* As it is seen: &#215; is one letter. */
static double width_of(const char *line) { return LETTER * (double)(strlen(line) - (line[0] == '&' ? 5 : 0)); }

static struct layout_room room_of(const struct drawing_vertex *vertex)
{
    char line[LABEL_SIZE], second[LABEL_SIZE];
    label_of(vertex, line, second);
    double text = width_of(line) > width_of(second) ? width_of(line) : width_of(second);
    bool is_part = vertex->type == VERTEX_PART;
    return (struct layout_room){.left = is_part                        ? 16
                                        : vertex->type == VERTEX_JOINT ? 6
                                                                       : 13,
                                .right = (is_part                        ? 16
                                          : vertex->type == VERTEX_JOINT ? 6
                                                                         : 13) +
                                         text,
                                .below = vertex->cut ? 26 : LAYOUT_MARGIN};
}

/* ---- a drawing ---- */

static enum status draw(const struct drawing_scope *scope, const struct drawing_bounds *bounds, struct layout *layout,
                        struct fault *fault)
{
    enum status status = STATUS_OK;
    layout->is_borrowed = scope->made != NULL;
    if (scope->made)
        layout->drawing = *scope->made;
    else
        status = drawing_make(scope, bounds, &layout->drawing, fault);
    return status == STATUS_OK ? layout_make(layout, room_of, LEVEL, fault) : status;
}

/* The arcs that have one of the marks; 0: all. */
static void put_arcs(struct printer *printer, const struct layout *layout, uint8_t marks, const char *class)
{
    const struct drawing *drawing = &layout->drawing;
    bool any = false;
    for (uint32_t i = 0; i < drawing->arcs_count; i++) {
        uint32_t from = drawing->from[i], to = drawing->to[i];
        if (marks && !(drawing->marks[i] & marks))
            continue;
        if (!any)
            PRINT(printer, "<path class=\"%s\" d=\"", class);
        any = true;
        PRINT(printer, "M%.1f %.1fL%.1f %.1f", layout->x[from], layout->y[from], layout->x[to], layout->y[to]);
    }
    if (any)
        PRINT(printer, "\"/>\n");
}

static void put_all_arcs(struct printer *printer, const struct layout *layout)
{
    const struct drawing *drawing = &layout->drawing;
    put_arcs(printer, layout, DRAWING_LONGEST, "l");
    put_arcs(printer, layout, 0, "a");
    put_arcs(printer, layout, DRAWING_HEAVIEST, "f");
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        if (drawing->vertices[v].cut)
            PRINT(printer, "<path class=\"a c\" d=\"M%.1f %.1fv20\"/>\n", layout->x[v], layout->y[v]);
    }
}

void svg_put_label(struct printer *printer, const struct drawing_vertex *vertex)
{
    char number[2][GROUPED_SIZE];
    if (vertex->type == VERTEX_PART)
        PRINT(printer, "%s nodes, levels %u to %u, %s connected component%s", grouped(number[0], vertex->count),
              (unsigned)vertex->first_level, (unsigned)vertex->last_level, grouped(number[1], vertex->components),
              vertex->components > 1 ? "s" : "");
    else
        PRINT(printer, "%s%s%s", meanings[vertex->type], vertex->count > 1 ? ", times " : "",
              vertex->count > 1 ? grouped(number[0], vertex->count) : "");
}

static void put_tooltip(struct printer *printer, const struct forest *forest, const struct drawing_vertex *vertex)
{
    const struct forest_tx *tx = &forest->txs[vertex->tx];
    char number[GROUPED_SIZE], hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&tx->txid, hex);
    PRINT(printer, "<title>%s", vertex->type == VERTEX_PART ? "part of " : "");
    svg_put_label(printer, vertex);
    if (vertex->txs > 1)
        PRINT(printer, ", of %s transactions, the first of them", grouped(number, vertex->txs));
    PRINT(printer, "%s transaction %s, height %u%s%s</title>", vertex->txs > 1 ? "" : ",", hex, (unsigned)tx->height,
          vertex->marks & DRAWING_LONGEST ? "; on the longest path" : "",
          vertex->marks & DRAWING_HEAVIEST ? "; on the heaviest flow" : "");
}

static void put_link(struct printer *printer, const struct drawing_scope *scope, const struct layout *layout,
                     const struct svg_links *links, uint32_t v)
{
    const struct drawing_vertex *vertex = &layout->drawing.vertices[v];
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&scope->forest->txs[vertex->tx].txid, hex);
    if (vertex->txs == 1)
        PRINT(printer, "<a href=\"%s%s\">", links->tx, hex);
    else
        PRINT(printer, "<a href=\"%s%u%s\">", links->open, (unsigned)v, links->open_end);
}

/* `links` NULL: without links. */
static void put_vertices(struct printer *printer, const struct drawing_scope *scope, const struct layout *layout,
                         bool tooltips, const struct svg_links *links)
{
    for (uint32_t v = 0; v < layout->drawing.vertices_count; v++) {
        const struct drawing_vertex *vertex = &layout->drawing.vertices[v];
        char line[LABEL_SIZE], second[LABEL_SIZE];
        bool is_helper = vertex->count == 0;
        double x = layout->x[v] + (vertex->type == VERTEX_PART ? 13 : 9), y = layout->y[v];
        label_of(vertex, line, second);
        if (links && !is_helper)
            put_link(printer, scope, layout, links, v);
        put_mark(printer, vertex->type, layout->x[v], y);
        PRINT(printer, "%s", tooltips && !is_helper ? ">" : "/>");
        if (tooltips && !is_helper) {
            put_tooltip(printer, scope->forest, vertex);
            PRINT(printer, "</%s>", elements[vertex->type]);
        }
        PRINT(printer, "%s\n", links && !is_helper ? "</a>" : "");
        if (line[0])
            PRINT(printer, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x, y + (second[0] ? -1 : 4), line);
        if (second[0])
            PRINT(printer, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x, y + 11, second);
    }
}

/* Two sentences, and what is between them. */
static void put_description(struct printer *printer, const struct drawing *drawing, const char *between)
{
    char nodes[GROUPED_SIZE], edges[GROUPED_SIZE];
    PRINT(printer, "Edges lead down. %s node%s, %s.%sLongest path: %s edges.", grouped(nodes, drawing->nodes),
          drawing->nodes == 1 ? "" : "s", drawing->plain ? "each drawn" : "each counted in one sign", between,
          grouped(edges, drawing->longest));
    if (drawing->flow)
        PRINT(printer, " Heaviest flow: " BTC " through %u output%s.", BTC_OF(drawing->flow_sat),
              (unsigned)drawing->flow, drawing->flow == 1 ? "" : "s");
}

enum status svg_file(struct printer *printer, const struct forest *forest, const struct tdags *tdags, uint32_t dag,
                     const struct drawing *made, struct fault *fault)
{
    static const char between[] = "</text>\n<text x=\"14\" y=\"56\">";
    struct layout layout = {0};
    struct drawing_scope scope = drawing_of_tdag(forest, tdags, dag);
    scope.made = made;
    char name[TDAG_NAME_MAX + 1], partial[64] = "";
    *tdag_put_name(forest, tdags, dag, name) = '\0';
    if (forest->first_height > 0)
        snprintf(partial, sizeof partial, ", partial, from block %u on", (unsigned)forest->first_height);
    enum status status = draw(&scope, &svg_large, &layout, fault);
    if (status == STATUS_OK) {
        double width = layout.width + LAYOUT_MARGIN > FILE_WIDTH_MIN ? layout.width + LAYOUT_MARGIN : FILE_WIDTH_MIN;
        double top = 70, height = top + layout.height + LEGEND_HEIGHT + LAYOUT_MARGIN;
        PRINT(printer,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"title desc\" "
              "viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\">\n<title id=\"title\">T-DAG %s (%u), "
              "rules %s%s</title>\n<desc id=\"desc\">",
              width, height, width, height, name, (unsigned)dag, rules_name(tdags->rules), partial);
        put_description(printer, &layout.drawing, " ");
        PRINT(printer, "</desc>\n<style>%s</style>\n", svg_style);
        PRINT(printer, "<rect width=\"100%%\" height=\"100%%\" style=\"fill:#fff;fill:var(--paper)\"/>\n");
        PRINT(printer,
              "<text x=\"%.0f\" y=\"22\" style=\"font-weight:bold\">T-DAG %s (%u), rules %s%s</text>\n<text "
              "x=\"%.0f\" y=\"40\">",
              LAYOUT_MARGIN, name, (unsigned)dag, rules_name(tdags->rules), partial, LAYOUT_MARGIN);
        put_description(printer, &layout.drawing, between);
        PRINT(printer, "</text>\n<g transform=\"translate(%.1f %.0f)\">\n", (width - layout.width) / 2, top);
        put_all_arcs(printer, &layout);
        put_vertices(printer, &scope, &layout, true, NULL);
        PRINT(printer, "</g>\n");
        put_legend(printer, LAYOUT_MARGIN, height - LEGEND_HEIGHT);
        PRINT(printer, "</svg>\n");
        status = printer->status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    }
    layout_free(&layout);
    return status;
}

enum status svg_part(struct printer *printer, const struct drawing_scope *scope, const struct drawing_bounds *bounds,
                     const char *title, const struct svg_links *links, struct fault *fault)
{
    struct layout layout = {0};
    enum status status = draw(scope, bounds, &layout, fault);
    if (status == STATUS_OK) {
        PRINT(printer,
              "<svg class=\"tdag\" role=\"%s\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\">\n"
              "<title>%s ",
              links ? "group" : "img", layout.width, layout.height, layout.width, layout.height, title);
        put_description(printer, &layout.drawing, " ");
        PRINT(printer, "</title>\n");
        put_all_arcs(printer, &layout);
        put_vertices(printer, scope, &layout, links != NULL, links);
        PRINT(printer, "</svg>\n");
        status = printer->status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    }
    layout_free(&layout);
    return status;
}
