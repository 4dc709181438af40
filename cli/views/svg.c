#include "cli/views/svg.h"

#include <stdlib.h>

#include "graph/dag/names.h"
#include "graph/dag/shape.h"
#include "parser/mem.h"

#define FILE_VERTICES 160u
#define INLINE_VERTICES 40u

/* Units of the drawing. */
#define MARGIN 14.0
#define LAYER 40.0
#define STEP 26.0 /* between vertices of a layer */
#define DIGIT 7.0 /* of a count beside a vertex */
#define LEGEND_HEIGHT 92.0
#define FILE_WIDTH_MIN 380.0

#define SETTLE_ROUNDS 24u

/* Okabe and Ito's colours, which the colour-blind tell apart. Each use has the colour itself before the variable: what
 * knows no variables (librsvg, Inkscape) would fill all with black. */
const char svg_style[] =
    "svg{--ink:#1b1f24;--faint:#5d6670;--spent:#0072b2;--known:#8f5a00;--paper:#fff;--grid:#d8dde3;"
    "font-family:system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){svg{--ink:#e8ebef;--faint:#a3adb8;--spent:#56b4e9;--known:#e69f00;"
    "--paper:#14181d;--grid:#333b44}}"
    "svg text{fill:#1b1f24;fill:var(--ink);font-size:11px}"
    "svg .a{stroke:#5d6670;stroke:var(--faint);stroke-width:1;fill:none}"
    "svg .r{fill:#1b1f24;fill:var(--ink);stroke:#1b1f24;stroke:var(--ink)}"
    "svg .s{fill:#0072b2;fill:var(--spent);stroke:#0072b2;stroke:var(--spent)}"
    "svg .u{fill:#fff;fill:var(--paper);stroke:#0072b2;stroke:var(--spent);stroke-width:1.5}"
    "svg .k{fill:#fff;fill:var(--paper);stroke:#8f5a00;stroke:var(--known);stroke-width:1.5}"
    "svg .c{stroke-dasharray:2 2}";

/* ---- marks ---- */

static const char *const meanings[] = {"root", "unknown output, spent", "unknown output, not spent", "known output"};

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
    }
}

void svg_legend(struct printer *printer, double x, double y)
{
    for (unsigned type = 0; type < sizeof meanings / sizeof *meanings; type++) {
        put_mark(printer, (enum vertex_type)type, x + 8, y + 8 + 20 * type);
        PRINT(printer, "/>\n<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x + 22, y + 12 + 20 * type, meanings[type]);
    }
    PRINT(printer, "<text x=\"%.1f\" y=\"%.1f\">&#215;N: N equal ones</text>\n", x + 190, y + 12);
    PRINT(printer, "<path class=\"a c\" d=\"M%.1f %.1fv14\"/>\n", x + 196, y + 22);
    PRINT(printer, "<text x=\"%.1f\" y=\"%.1f\">goes on, not drawn</text>\n", x + 206, y + 32);
}

/* ---- the layout of a drawing ---- */

struct layout {
    struct drawing drawing;
    double *x;
    double step;
    double width;
    double height;
};

static double x_of(const struct layout *layout, uint32_t v) { return MARGIN + layout->step * layout->x[v]; }

static double y_of(const struct layout *layout, uint32_t v)
{
    return MARGIN + LAYER * layout->drawing.vertices[v].layer;
}

/* One layer's vertices in their order, each as near to the mean of its neighbours as its neighbours in the layer let it
 * be, at least 1 apart: the least squares under these constraints, by pooling what would overlap into blocks. */
static void settle_layer(struct layout *layout, const uint32_t *order, uint32_t count, double *wish, uint32_t *block)
{
    uint32_t blocks = 0;
    for (uint32_t i = 0; i < count; i++) {
        double sum = wish[i] - i;
        uint32_t size = 1;
        for (; blocks > 0 && wish[blocks - 1] >= sum / size; blocks--) {
            sum += wish[blocks - 1] * block[blocks - 1];
            size += block[blocks - 1];
        }
        wish[blocks] = sum / size; /* never ahead of i: what is overwritten has been read */
        block[blocks++] = size;
    }
    for (uint32_t b = 0, i = 0; b < blocks; b++) {
        for (uint32_t end = i + block[b]; i < end; i++)
            layout->x[order[i]] = wish[b] + i;
    }
}

static double mean_of_neighbours(const struct layout *layout, uint32_t v)
{
    const struct drawing *drawing = &layout->drawing;
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < drawing->arcs_count; i++) {
        if (drawing->from[i] != v && drawing->to[i] != v)
            continue;
        sum += layout->x[drawing->from[i] == v ? drawing->to[i] : drawing->from[i]];
        count++;
    }
    return count ? sum / count : layout->x[v];
}

struct placed {
    uint32_t layer;
    uint32_t vertex;
    double x;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *p = a, *q = b;
    if (p->layer != q->layer)
        return p->layer < q->layer ? -1 : 1;
    if (p->x < q->x || p->x > q->x)
        return p->x < q->x ? -1 : 1;
    return p->vertex < q->vertex ? -1 : p->vertex > q->vertex;
}

/* igraph's places keep long arcs straight and make drawings several times as wide as need be; its order within the
 * layers, which crosses few arcs, is kept. */
static enum status draw_together(struct layout *layout)
{
    uint32_t count = layout->drawing.vertices_count;
    struct placed *placed = mem_alloc(count, sizeof *placed);
    uint32_t *order = mem_alloc(count, sizeof *order), *block = mem_alloc(count, sizeof *block);
    double *wish = mem_alloc(count, sizeof *wish), least = 0;
    enum status status = placed && order && block && wish ? STATUS_OK : STATUS_NOMEM;
    for (uint32_t v = 0; v < count && status == STATUS_OK; v++)
        placed[v] = (struct placed){layout->drawing.vertices[v].layer, v, layout->x[v]};
    if (status == STATUS_OK)
        qsort(placed, count, sizeof *placed, compare_placed);
    for (uint32_t i = 0, first = 0; i < count && status == STATUS_OK; i++) {
        first = placed[i].layer == placed[first].layer ? first : i;
        order[i] = placed[i].vertex;
        layout->x[order[i]] = i - first;
    }
    for (unsigned round = 0; round < SETTLE_ROUNDS && status == STATUS_OK; round++) {
        for (uint32_t first = 0, end; first < count; first = end) {
            for (end = first; end < count && placed[end].layer == placed[first].layer; end++)
                wish[end - first] = mean_of_neighbours(layout, order[end]);
            settle_layer(layout, order + first, end - first, wish, block);
        }
    }
    for (uint32_t v = 0; v < count && status == STATUS_OK; v++)
        least = v == 0 || layout->x[v] < least ? layout->x[v] : least;
    for (uint32_t v = 0; v < count && status == STATUS_OK; v++)
        layout->x[v] -= least;
    mem_free(placed);
    mem_free(order);
    mem_free(block);
    mem_free(wish);
    return status;
}

static enum status lay_out(struct layout *layout, struct fault *fault)
{
    const struct drawing *drawing = &layout->drawing;
    uint32_t count = drawing->vertices_count;
    uint32_t *layers = mem_alloc(2 * (size_t)count, sizeof *layers); /* and as many colours, all 0 */
    layout->x = mem_alloc(count, sizeof *layout->x);
    enum status status = layers && layout->x ? STATUS_OK : fault_nomem(fault);
    for (uint32_t v = 0; v < count && status == STATUS_OK; v++)
        layers[v] = drawing->vertices[v].layer;
    if (status == STATUS_OK)
        status = shape_layout(&(struct shape_graph){.vertices = count,
                                                    .arcs = drawing->arcs_count,
                                                    .colour = layers + count,
                                                    .from = drawing->from,
                                                    .to = drawing->to},
                              layers, layout->x, fault);
    mem_free(layers);
    if (status == STATUS_OK && draw_together(layout) != STATUS_OK)
        status = fault_nomem(fault);
    return status;
}

/* Room for the count beside a vertex. */
static double count_width(const struct drawing_vertex *vertex)
{
    char number[GROUPED_SIZE];
    return vertex->count > 1 ? DIGIT * (double)(1 + strlen(grouped(number, vertex->count))) : 0;
}

static void measure(struct layout *layout)
{
    const struct drawing *drawing = &layout->drawing;
    layout->step = STEP;
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        double step = STEP + count_width(&drawing->vertices[v]);
        layout->step = step > layout->step ? step : layout->step;
    }
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        double right = x_of(layout, v) + MARGIN + count_width(&drawing->vertices[v]);
        double below = y_of(layout, v) + (drawing->vertices[v].cut ? 26 : MARGIN);
        layout->width = right > layout->width ? right : layout->width;
        layout->height = below > layout->height ? below : layout->height;
    }
}

static enum status draw(const struct forest *forest, const struct tdags *tdags, uint32_t dag, uint32_t most,
                        struct layout *layout, struct fault *fault)
{
    enum status status = drawing_make(forest, tdags, dag, most, &layout->drawing, fault);
    if (status == STATUS_OK)
        status = lay_out(layout, fault);
    if (status == STATUS_OK)
        measure(layout);
    return status;
}

static void layout_free(struct layout *layout)
{
    drawing_free(&layout->drawing);
    mem_free(layout->x);
}

static void put_arcs(struct printer *printer, const struct layout *layout)
{
    const struct drawing *drawing = &layout->drawing;
    PRINT(printer, "<path class=\"a\" d=\"");
    for (uint32_t i = 0; i < drawing->arcs_count; i++)
        PRINT(printer, "M%.1f %.1fL%.1f %.1f", x_of(layout, drawing->from[i]), y_of(layout, drawing->from[i]),
              x_of(layout, drawing->to[i]), y_of(layout, drawing->to[i]));
    PRINT(printer, "\"/>\n");
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        if (drawing->vertices[v].cut)
            PRINT(printer, "<path class=\"a c\" d=\"M%.1f %.1fv20\"/>\n", x_of(layout, v), y_of(layout, v));
    }
}

/* `forest` NULL: without tooltips; `link` NULL: without links. */
static void put_vertices(struct printer *printer, const struct layout *layout, const struct forest *forest,
                         const char *link)
{
    for (uint32_t v = 0; v < layout->drawing.vertices_count; v++) {
        const struct drawing_vertex *vertex = &layout->drawing.vertices[v];
        char number[GROUPED_SIZE], hex[HASH256_HEX_SIZE + 1] = "";
        if (link) {
            hash256_hex(&forest->txs[vertex->tx].txid, hex);
            PRINT(printer, "<a href=\"%s%s\">", link, hex);
        }
        put_mark(printer, vertex->type, x_of(layout, v), y_of(layout, v));
        if (forest) {
            const struct forest_tx *tx = &forest->txs[vertex->tx];
            hash256_hex(&tx->txid, hex);
            PRINT(printer, "><title>%s%s%s, transaction %s, height %u</title></%s>%s\n", meanings[vertex->type],
                  vertex->count > 1 ? ", times " : "", vertex->count > 1 ? grouped(number, vertex->count) : "", hex,
                  (unsigned)tx->height,
                  vertex->type == VERTEX_ROOT    ? "rect"
                  : vertex->type == VERTEX_KNOWN ? "path"
                                                 : "circle",
                  link ? "</a>" : "");
        } else {
            PRINT(printer, "/>\n");
        }
        if (vertex->count > 1)
            PRINT(printer, "<text x=\"%.1f\" y=\"%.1f\">&#215;%s</text>\n", x_of(layout, v) + 9, y_of(layout, v) + 4,
                  grouped(number, vertex->count));
    }
}

static void put_description(struct printer *printer, const struct drawing *drawing)
{
    char nodes[GROUPED_SIZE], left[GROUPED_SIZE];
    PRINT(printer, "Edges lead down. %s nodes", grouped(nodes, drawing->nodes));
    if (drawing->not_drawn)
        PRINT(printer, ", of which %s are not drawn", grouped(left, drawing->not_drawn));
    PRINT(printer, "%s", ".");
}

enum status svg_file(struct printer *printer, const struct forest *forest, const struct tdags *tdags, uint32_t dag,
                     struct fault *fault)
{
    struct layout layout = {0};
    char name[TDAG_NAME_MAX + 1];
    *tdag_put_name(forest, tdags, dag, name) = '\0';
    enum status status = draw(forest, tdags, dag, FILE_VERTICES, &layout, fault);
    if (status == STATUS_OK) {
        double width = layout.width + MARGIN > FILE_WIDTH_MIN ? layout.width + MARGIN : FILE_WIDTH_MIN;
        double top = 52, height = top + layout.height + LEGEND_HEIGHT + MARGIN;
        PRINT(printer,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"title desc\" "
              "viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\">\n<title id=\"title\">T-DAG %s (%u), "
              "rules %s</title>\n<desc id=\"desc\">",
              width, height, width, height, name, (unsigned)dag, rules_name(tdags->rules));
        put_description(printer, &layout.drawing);
        PRINT(printer, "</desc>\n<style>%s</style>\n", svg_style);
        PRINT(printer, "<rect width=\"100%%\" height=\"100%%\" style=\"fill:#fff;fill:var(--paper)\"/>\n");
        PRINT(printer,
              "<text x=\"%.0f\" y=\"22\" style=\"font-weight:bold\">T-DAG %s (%u), rules %s</text>\n<text "
              "x=\"%.0f\" y=\"40\">",
              MARGIN, name, (unsigned)dag, rules_name(tdags->rules), MARGIN);
        put_description(printer, &layout.drawing);
        PRINT(printer, "</text>\n<g transform=\"translate(%.1f %.0f)\">\n", (width - layout.width) / 2, top);
        put_arcs(printer, &layout);
        put_vertices(printer, &layout, forest, NULL);
        PRINT(printer, "</g>\n");
        svg_legend(printer, MARGIN, height - LEGEND_HEIGHT);
        PRINT(printer, "</svg>\n");
        status = printer->status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    }
    layout_free(&layout);
    return status;
}

/* Part of a page; `link` may be NULL. */
static enum status put_part(struct printer *printer, const struct forest *forest, const struct tdags *tdags,
                            uint32_t dag, const char *link, uint64_t *not_drawn, struct fault *fault)
{
    struct layout layout = {0};
    char name[TDAG_NAME_MAX + 1];
    *tdag_put_name(forest, tdags, dag, name) = '\0';
    enum status status = draw(forest, tdags, dag, link ? FILE_VERTICES : INLINE_VERTICES, &layout, fault);
    if (status == STATUS_OK) {
        PRINT(printer,
              "<svg class=\"tdag\" role=\"%s\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\">\n"
              "<title>T-DAG %s (%u). ",
              link ? "group" : "img", layout.width, layout.height, layout.width, layout.height, name, (unsigned)dag);
        put_description(printer, &layout.drawing);
        PRINT(printer, "</title>\n");
        put_arcs(printer, &layout);
        put_vertices(printer, &layout, link ? forest : NULL, link);
        PRINT(printer, "</svg>\n");
        *not_drawn = layout.drawing.not_drawn;
        status = printer->status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    }
    layout_free(&layout);
    return status;
}

enum status svg_inline(struct printer *printer, const struct forest *forest, const struct tdags *tdags, uint32_t dag,
                       uint64_t *not_drawn, struct fault *fault)
{
    return put_part(printer, forest, tdags, dag, NULL, not_drawn, fault);
}

enum status svg_linked(struct printer *printer, const struct forest *forest, const struct tdags *tdags, uint32_t dag,
                       const char *link, uint64_t *not_drawn, struct fault *fault)
{
    return put_part(printer, forest, tdags, dag, link, not_drawn, fault);
}
